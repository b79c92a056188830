//! What the run of the form would take: counts at once, then times as this machine was measured.

use std::sync::{Arc, Mutex, PoisonError};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use serde_json::{Value, json};

use crate::pipeline::forecast::{StageForecast, Work};
use crate::pipeline::outlook::Outlook;
use crate::recipe::Recipe;
use crate::session::show_size;
use crate::workbench::jobs::Query;
use crate::workbench::look::Look;
use crate::workbench::pane::{Cx, Seen};
use crate::workbench::sheet::Sheet;
use crate::workbench::text;
use crate::workbench::widgets::{fault, header, put, waiting};

/// Columns from which on the bounds stand beside what is expected.
const WIDE: u16 = 110;

/// The plan of a run.
#[derive(Default)]
pub struct Plan {
    counted: Arc<Mutex<Option<Outlook>>>,
    query: Query<Outlook>,
    /// Whether the machine is measured at all.
    measured: bool,
    scroll: usize,
}

impl Plan {
    /// Begins to count, then to measure where no run is at work here.
    pub fn of(recipe: &Recipe, cx: &Cx<'_>) -> Self {
        let measured = cx.run.phase.over();
        let mut plan = Self { measured, ..Self::default() };
        let counted = Arc::clone(&plan.counted);
        let (launcher, recipe, jobs) = (cx.house.launcher.clone(), recipe.clone(), cx.jobs.clone());
        plan.query.ask(cx.jobs, cx.now, move |cancel| {
            let launcher = launcher.ok_or("what a run would take can't be said here")?;
            let mut tell = |outlook: &Outlook| {
                *counted.lock().unwrap_or_else(PoisonError::into_inner) = Some(outlook.clone());
                jobs.notice();
            };
            launcher.foresee(&recipe, measured, &mut tell, cancel)
        });
        plan
    }

    /// Takes what has come.
    pub fn poll(&mut self, cx: &Cx<'_>) {
        cx.poll(&mut self.query);
    }

    /// Gives up measuring; the counts stay.
    pub fn give_up(&mut self) {
        self.query.cancel();
    }

    /// Scrolls.
    pub fn step(&mut self, by: isize) {
        self.scroll = self.scroll.saturating_add_signed(by);
    }

    fn outlook(&self) -> Option<Outlook> {
        self.query.value().cloned().or_else(|| self.counted.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// The stages as a table.
    pub fn sheet(&self) -> Option<Sheet> {
        let outlook = self.outlook()?;
        let names = ["stage", "samples", "calls", "tokens", "seconds"];
        let most = names[1..].iter().map(|name| format!("at most: {name}"));
        let columns = names.iter().map(ToString::to_string).chain(most).collect();
        let cells = |work: &Work| {
            let seconds = outlook.speeds.seconds_of(work);
            [json!(work.samples), json!(work.calls), json!(tokens(work)), json!(seconds.is_finite().then_some(seconds))]
        };
        let row = |stage: &StageForecast| -> Vec<Value> {
            [json!(stage.stage)].into_iter().chain(cells(&stage.expected)).chain(cells(&stage.most)).collect()
        };
        Some(Sheet { name: "plan".into(), columns, rows: outlook.questions.stages.iter().map(row).collect() })
    }

    /// Draws it.
    pub fn draw(&mut self, buf: &mut Buffer, area: Rect, seen: &Seen<'_>) {
        let look = seen.look;
        let measuring = self.query.waiting().is_some();
        let fact = if measuring { "measuring this machine; Esc goes back" } else { "Esc goes back" };
        let body =
            header(buf, area, look, "what it would take", seen.focused, vec![Span::styled(fact, look.theme.dim)]);
        let Some(outlook) = self.outlook() else {
            return match (self.query.error(), self.query.waiting()) {
                (Some(error), _) => fault(buf, body, look, error),
                (None, Some(since)) => waiting(buf, body, look, since, seen.now),
                (None, None) => fault(buf, body, look, "given up"),
            };
        };
        let lines = self.lines(&outlook, look, body.width, measuring);
        self.scroll = self.scroll.min(lines.len().saturating_sub(usize::from(body.height)));
        for (y, line) in (body.top()..body.bottom()).zip(lines.into_iter().skip(self.scroll)) {
            put(buf, Rect { y, height: 1, ..body }, line);
        }
    }

    fn lines(&self, outlook: &Outlook, look: &Look, columns: u16, measuring: bool) -> Vec<Vec<Span<'static>>> {
        let theme = &look.theme;
        let wide = columns >= WIDE;
        let room = usize::from(columns).saturating_sub(4);
        let said = |words: &str, style| -> Vec<Vec<Span<'static>>> {
            let lines = text::wrap(&text::printable(words), room).into_iter();
            lines.map(|line| vec![Span::raw("   "), Span::styled(line, style)]).collect()
        };
        let mut lines = said(&first(outlook), theme.text);
        lines.push(Vec::new());
        let titles = ["samples", "calls", "tokens", "time"].map(|title| format!("{title:>9}")).concat();
        if wide {
            lines.push(vec![Span::styled(format!("{:67}{:^48}", "", "at most").trim_end().to_string(), theme.dim)]);
        }
        let most = if wide { format!("      {titles}") } else { String::new() };
        lines.push(vec![Span::styled(format!("   {:<28}{titles}{most}", "stage"), theme.dim)]);
        let total =
            StageForecast { stage: "all".into(), expected: outlook.questions.expected, most: outlook.questions.most };
        for row in outlook.questions.stages.iter().chain([&total]) {
            let cells = |work: &Work| {
                let time = span(outlook.speeds.seconds_of(work), measuring, look);
                let counts = [work.samples, work.calls, tokens(work)].map(|count| number(count, look));
                counts.into_iter().chain([time]).map(|cell| padded(&cell)).collect::<String>()
            };
            let most = if wide { format!("      {}", cells(&row.most)) } else { String::new() };
            let style = if row.stage == "all" { theme.focus } else { theme.text };
            let name = text::fit(&row.stage, 28, look.glyphs.ellipsis);
            lines.push(vec![Span::styled(format!("   {name:<28}{}{most}", cells(&row.expected)), style)]);
        }
        lines.push(Vec::new());
        for (note, bad) in self.notes(outlook, measuring) {
            lines.extend(said(&note, if bad { theme.bad } else { theme.dim }));
        }
        lines
    }

    /// What the figures rest on, and whether that is bad news.
    fn notes(&self, outlook: &Outlook, measuring: bool) -> Vec<(String, bool)> {
        let s = &outlook.speeds;
        let [disk, most] = outlook.session_bytes.map(|bytes| show_size(bytes.max(0.0) as u64));
        let [time, longest] = outlook.seconds.map(text::span);
        let times = if outlook.seconds[0].is_finite() {
            format!(
                "this machine samples {} tokens/s, reads {}, trains on {}: about {time}, at most {longest}, without waiting \
                 for a teacher",
                text::short(s.sampling),
                text::short(s.reading),
                text::short(s.training)
            )
        } else if measuring {
            "this machine is being measured, at most about 20 seconds; Ctrl-G gives up".to_string()
        } else if !self.measured {
            "not measured: a run is at work here".to_string()
        } else {
            self.query.error().unwrap_or("not measured").to_string()
        };
        vec![
            (times, self.query.error().is_some()),
            (outlook.memory.said.clone(), !outlook.memory.fits),
            (format!("session on disk: about {disk}, at most {most}"), false),
            (format!("{}; at most: every question hard and failed", outlook.questions.assumed.said()), false),
        ]
    }
}

fn first(outlook: &Outlook) -> String {
    let splits: Vec<String> = outlook.questions.evaluated.iter().map(|(name, n)| format!("{name} {n}")).collect();
    format!(
        "student {}, {} parameters; {} training questions; measured on {}",
        outlook.student,
        text::count(outlook.parameters as u64),
        text::count(outlook.questions.train as u64),
        splits.join(", ")
    )
}

fn tokens(work: &Work) -> f64 {
    work.sampled_tokens + work.read_tokens + work.trained_tokens
}

fn number(count: f64, look: &Look) -> String {
    if count < 0.5 { look.glyphs.dot.to_string() } else { text::short(count) }
}

fn span(seconds: f64, measuring: bool, look: &Look) -> String {
    match seconds {
        s if s < 0.5 => look.glyphs.dot.to_string(),
        s if s.is_finite() => text::span(s),
        _ if measuring => look.glyphs.ellipsis.to_string(),
        _ => "?".to_string(),
    }
}

fn padded(cell: &str) -> String {
    format!("{}{cell}", " ".repeat(9_usize.saturating_sub(text::width(cell))))
}
