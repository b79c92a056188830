//! What the figures mean: format or skill, bands before and after, all-zero by iteration, and which differences are more
//! than noise, between checkpoints and to other sessions.

use ratatui::style::Style;
use ratatui::text::Span;

use super::read::{Beside, Found};
use crate::domain::Band;
use crate::evaluate::{Change, Estimate};
use crate::export::{AllZero, Bands, Comparison};
use crate::workbench::look::Look;
use crate::workbench::text;

/// Columns of what is compared, and of a difference.
const NAME: usize = 18;
const CHANGE: usize = 26;

/// Lines of spans.
pub type Lines = Vec<Vec<Span<'static>>>;

/// `+6.0 [+2.8, +9.2]`, in points; rounded first, so that nothing is shown as −0.0.
pub fn points(change: &Change) -> String {
    let points = |share: f64| (1000.0 * share).round() / 10.0 + 0.0;
    let (value, low, high) = (points(change.value), points(change.low), points(change.high));
    format!("{value:+.1} [{low:+.1}, {high:+.1}]")
}

/// A difference with what may be said of it: better, worse, or that it is within noise.
pub fn judged(change: &Change, look: &Look) -> Vec<Span<'static>> {
    said(change, " within noise", look)
}

fn said(change: &Change, noise: &'static str, look: &Look) -> Vec<Span<'static>> {
    let theme = &look.theme;
    let (style, words) = match change {
        c if c.within_noise => (theme.dim, noise),
        c if c.value > 0.0 => (theme.good, ""),
        _ => (theme.bad, ""),
    };
    vec![Span::styled(points(change), style), Span::styled(words, theme.dim)]
}

/// `34.2 [32, 37] %`.
fn both_ends(e: &Estimate) -> String {
    format!("{:.1} [{:.0}, {:.0}] %", 100.0 * e.value, 100.0 * e.low, 100.0 * e.high)
}

/// Everything, for so many columns.
pub fn notes(found: &Found, look: &Look, columns: usize) -> Lines {
    let results = &found.mine.report.results;
    let mut page = Page { look, columns, lines: Vec::new() };
    for warning in &results.warnings {
        page.words(&format!("{} {}", look.glyphs.warn, text::printable(warning)), look.theme.warn);
    }
    for beside in &found.beside {
        page.beside(beside);
    }
    page.differences("between checkpoints", &results.comparisons, |c| {
        text::printable(&c.what).replace('\u{2192}', look.glyphs.arrow)
    });
    page.control(found);
    page.bands(&results.bands);
    page.all_zero(&results.all_zero);
    if page.lines.is_empty() {
        page.words("differences, the format control, bands and all-zero shares come with the stages", look.theme.dim);
    }
    page.lines
}

struct Page<'a> {
    look: &'a Look,
    columns: usize,
    lines: Lines,
}

impl Page<'_> {
    fn words(&mut self, words: &str, style: Style) {
        for line in text::wrap(words, self.columns.saturating_sub(4)) {
            self.lines.push(vec![Span::raw("   "), Span::styled(line, style)]);
        }
    }

    fn section(&mut self, name: &str) {
        if !self.lines.is_empty() {
            self.lines.push(Vec::new());
        }
        self.lines.push(vec![Span::raw(" "), Span::styled(name.to_string(), self.look.theme.focus)]);
    }

    fn beside(&mut self, beside: &Beside) {
        let name = text::printable(&beside.name);
        match &beside.outcome {
            Err(why) => {
                self.section(&format!("beside {name}"));
                let words = format!("{} {}", self.look.glyphs.failed, text::printable(why));
                self.words(&words, self.look.theme.bad);
            }
            Ok(_) => {
                let title = format!("over {name} at the same checkpoint");
                self.differences(&title, &beside.differences, |c| text::printable(&c.after));
                for note in &beside.notes {
                    self.words(&text::printable(note), self.look.theme.warn);
                }
            }
        }
    }

    fn differences(&mut self, title: &str, comparisons: &[Comparison], name: impl Fn(&Comparison) -> String) {
        if comparisons.is_empty() {
            return;
        }
        let lead = comparisons.iter().find_map(|c| c.changes.greedy.lead()).unwrap_or("test").to_string();
        self.section(&format!("{title}, greedy, points [95 %]"));
        let wide = self.columns >= 3 + NAME + 2 * CHANGE;
        let lead_name = text::printable(&lead);
        let head = if wide { format!("{lead_name:<CHANGE$}average") } else { format!("{lead_name}, then the average") };
        self.lines.push(vec![Span::styled(format!("   {:<NAME$}{head}", ""), self.look.theme.dim)]);
        for comparison in comparisons {
            let name = text::fit(&name(comparison), NAME - 1, self.look.glyphs.ellipsis);
            let mut spans = vec![Span::raw(format!("   {name}{}", " ".repeat(NAME - text::width(&name))))];
            let changes = [comparison.changes.greedy.get(&lead), comparison.changes.mean.as_ref()];
            for (at, change) in changes.into_iter().enumerate() {
                if at > 0 && !wide {
                    self.lines.push(std::mem::replace(&mut spans, vec![Span::raw(" ".repeat(3 + NAME))]));
                }
                let mut said = change.map_or_else(Vec::new, |change| said(change, " noise", self.look));
                let used: usize = said.iter().map(Span::width).sum();
                said.push(Span::raw(" ".repeat(CHANGE.saturating_sub(used))));
                spans.extend(said);
            }
            self.lines.push(spans);
        }
        let noise = |c: &Comparison| c.changes.greedy.get(&lead).is_some_and(|c| c.within_noise);
        if comparisons.iter().any(|c| noise(c) || c.changes.mean.is_some_and(|mean| mean.within_noise)) {
            self.words("noise: within noise, the interval holds 0 and no claim can rest on it", self.look.theme.dim);
        }
    }

    fn control(&mut self, found: &Found) {
        let results = &found.mine.report.results;
        if results.format_control.is_empty() {
            return;
        }
        self.section("format or skill: the same with the answer marker banned as first token");
        for control in &results.format_control {
            let on = if control.on == "mean" { "average".to_string() } else { text::printable(&control.on) };
            for (name, how, change) in [(on.as_str(), "as asked", &control.plain), ("", "banned", &control.banned)] {
                let mut spans = vec![Span::raw(format!("   {name:<9} {how:<9} "))];
                spans.extend(judged(change, self.look));
                self.lines.push(spans);
            }
            let verdict = format!("   {:<9} {}", "", control.verdict());
            self.lines.push(vec![Span::styled(verdict, self.look.theme.key)]);
        }
    }

    fn bands(&mut self, bands: &[Bands]) {
        if bands.is_empty() {
            return;
        }
        self.section("training questions: Simple, Medium, Hard");
        for band in bands {
            let [simple, medium, hard] = band.counts.map(|count| count as u64);
            let never = text::count(band.never as u64);
            let mut spans = vec![Span::raw(format!("   {:<16}", text::printable(&band.checkpoint)))];
            let styles = Band::ALL.map(|band| self.look.theme.band(band));
            for ((letter, count), style) in [("S", simple), ("M", medium), ("H", hard)].into_iter().zip(styles) {
                spans.push(Span::styled(format!("{letter} {:<7}", text::count(count)), style));
            }
            spans.push(Span::styled(
                format!("{never} never right; n={} {}", band.n, drawn(&band.sampling)),
                self.look.theme.dim,
            ));
            self.lines.push(spans);
        }
    }

    fn all_zero(&mut self, shares: &[AllZero]) {
        if shares.is_empty() {
            return;
        }
        self.section("all-zero share by iteration; comparable within one sampling");
        for share in shares {
            let spans = vec![
                Span::raw(format!("   {:<17}", text::printable(&share.stage))),
                Span::styled(super::little_bar(share.share.value, 10, self.look), self.look.theme.bar),
                Span::raw(format!(" {:<18}", both_ends(&share.share))),
                Span::styled(format!("G={} {}", share.group, drawn(&share.sampling)), self.look.theme.dim),
            ];
            self.lines.push(spans);
        }
    }
}

fn drawn(sampling: &crate::recipe::SamplingRecipe) -> String {
    format!("T={} p={}", sampling.temperature, sampling.top_p)
}
