//! The whole screen: a title, the names of the panes, the panes, a status line and the hints; layers over all of it.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;
use ratatui::text::Span;

use super::layers::{Owner, Purpose};
use super::{NEVER, Shell, windows};
use crate::pipeline::events::{Level, Outcome};
use crate::workbench::action::{Action, Bound, MOVES, SHELL, Shell as Do};
use crate::workbench::pane::{PaneId, Seen};
use crate::workbench::panes::run;
use crate::workbench::shot::buffer_to_svg;
use crate::workbench::stages::{StageRow, StageState, kind_name};
use crate::workbench::state::{Phase, State};
use crate::workbench::widgets::{joined, put, put_right};
use crate::workbench::{ascii, keymap, panes, text};

/// Fewest columns on which the panes are drawn.
pub const LEAST_COLUMNS: u16 = 40;
/// Fewest rows on which the panes are drawn.
pub const LEAST_ROWS: u16 = 10;
/// From so many columns on, the status line says which key shows what went wrong.
const WAY_FROM: u16 = 60;
/// From so many rows on, the names of the panes have a row of their own.
const TABS_FROM: u16 = 16;

/// Lines run under words and the single spaces between them, not under the blanks that fill a column.
fn lift_lines(buf: &mut Buffer) {
    let width = usize::from(buf.area.width).max(1);
    let lined = |cell: &Cell| cell.modifier.contains(Modifier::UNDERLINED);
    for row in buf.content.chunks_mut(width) {
        for at in 0..row.len() {
            let is_word = |at: usize| row.get(at).is_some_and(|cell| lined(cell) && cell.symbol() != " ");
            let between = is_word(at.wrapping_sub(1)) && is_word(at + 1);
            if lined(&row[at]) && row[at].symbol() == " " && !between {
                row[at].modifier.remove(Modifier::UNDERLINED);
            }
        }
    }
}

impl Shell {
    /// Draws the whole screen.
    pub fn draw(&mut self, buf: &mut Buffer) {
        self.draw_all(buf);
        lift_lines(buf);
        if self.look.glyphs.ascii {
            ascii::enforce(buf);
        }
    }

    fn draw_all(&mut self, buf: &mut Buffer) {
        let area = buf.area;
        self.size = (area.width, area.height);
        buf.set_style(area, self.look.theme.text);
        self.areas.clear();
        if self.cramped() {
            return self.too_small(buf, area);
        }
        let row = |y| Rect { y, height: 1, ..area };
        self.title(buf, row(area.y));
        let tabs = u16::from(area.height >= TABS_FROM);
        if tabs > 0 {
            self.tabs(buf, row(area.y + 1));
        }
        let top = area.y + 1 + tabs;
        self.areas = self.tiles.areas(Rect { y: top, height: area.bottom() - 2 - top, ..area });
        let focus = self.tiles.focus();
        for (id, area) in self.areas.clone() {
            let Self { run, look, source, panes, now, .. } = self;
            let session = source.as_deref().map(crate::workbench::source::Source::name);
            let seen = Seen { look, run, session, now: *now, focused: id == focus };
            panes[id.index()].draw(area, buf, &seen);
        }
        self.separators(buf, area);
        self.status(buf, row(area.bottom() - 2));
        self.hints(buf, row(area.bottom() - 1));
        for layer in &mut self.layers {
            windows::draw(buf, area, layer, &self.look);
        }
    }

    /// The screen at another size, as SVG.
    pub fn picture(&mut self, columns: u16, rows: u16) -> String {
        let mut buf = Buffer::empty(Rect::new(0, 0, columns.max(1), rows.max(1)));
        self.draw(&mut buf);
        buffer_to_svg(&buf, &self.look.theme)
    }

    /// The column that stays free between two tiles side by side.
    fn separators(&self, buf: &mut Buffer, body: Rect) {
        let down = self.look.glyphs.border[5];
        for (_, area) in self.areas.iter().filter(|(_, area)| area.x > body.x) {
            for y in area.top()..area.bottom() {
                buf.set_string(area.x - 1, y, down, self.look.theme.mark);
            }
        }
    }

    /// Session, seed and stage on the left; device and speed on the right.
    fn title(&self, buf: &mut Buffer, row: Rect) {
        let (run, theme) = (&self.run, &self.look.theme);
        let current = run.current().map(|at| &run.stages[at]);
        let mut facts = vec![run.session.clone()];
        facts.extend(run.seed.map(|seed| format!("seed {seed}")));
        if let Some(stage) = current {
            if stage.id.iteration > 0 {
                facts.push(format!("iteration {}", stage.id.iteration));
            }
            facts.push(stage.name());
        }
        let mut spans = vec![Span::styled(" footbridge", theme.title), Span::raw("  ")];
        spans.extend(joined(&facts, &self.look, theme.text));
        let used: usize = spans.iter().map(Span::width).sum();
        put(buf, row, spans);
        let moves = |stage: &&StageRow| matches!(stage.state, StageState::Running(_)) && run.waits().is_none();
        let at_work = current.filter(moves).filter(|stage| stage.rate > 0.0);
        let speed = at_work.map_or(String::new(), |stage| format!("{} tok/s", text::short(stage.rate)));
        let mut right = joined(&[run.device.clone(), speed], &self.look, theme.text);
        right.push(Span::raw(" "));
        put_right(buf, row, used + 1, right);
    }

    fn tab_words(&self, columns: u16) -> Vec<(PaneId, String)> {
        let long: Vec<_> = PaneId::ALL.map(|id| (id, format!(" {} {} ", (id.index() + 1) % 10, id.name()))).into();
        let wide: usize = long.iter().map(|(_, words)| words.len()).sum();
        if wide < usize::from(columns) {
            return long;
        }
        PaneId::ALL.map(|id| (id, format!("{}{} ", (id.index() + 1) % 10, id.short()))).into()
    }

    /// The names of the panes with their numbers.
    fn tabs(&self, buf: &mut Buffer, row: Rect) {
        let theme = &self.look.theme;
        let style = |id: PaneId| match id {
            _ if id == self.tiles.focus() => theme.focus.patch(theme.key),
            _ if self.tiles.in_sight(id) => theme.text,
            _ => theme.dim,
        };
        put(
            buf,
            row,
            self.tab_words(row.width).into_iter().map(|(id, words)| Span::styled(words, style(id))).collect(),
        );
    }

    /// The pane whose name is at this place.
    pub(super) fn tab_at(&self, at: Position) -> Option<PaneId> {
        if self.size.1 < TABS_FROM || at.y != 1 {
            return None;
        }
        let mut x = 0;
        let words = self.tab_words(self.size.0);
        words
            .into_iter()
            .find(|(_, words)| {
                x += words.len() as u16;
                at.x < x
            })
            .map(|(id, _)| id)
    }

    /// Where the run stands, or what there is to say for a moment; on the right what waits and what went wrong.
    fn status(&self, buf: &mut Buffer, row: Rect) {
        let theme = &self.look.theme;
        let (style, words) = match (&self.note, &self.launching) {
            (Some(note), _) => (level_style(self, note.level), note.text.clone()),
            (None, Some(words)) => (theme.running, words.clone()),
            (None, None) => standing(self),
        };
        let wide = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>();
        let mut alarms = self.alarms(row.width >= WAY_FROM);
        // What is said comes before the key that shows the rest of it.
        if text::width(&words) + wide(&alarms) + 3 > usize::from(row.width) {
            alarms = self.alarms(false);
        }
        let right = wide(&alarms);
        let room = usize::from(row.width).saturating_sub(right + 3);
        let words = text::fit(&words, room, self.look.glyphs.ellipsis);
        let used = text::width(&words) + 1;
        put(buf, row, vec![Span::raw(" "), Span::styled(words, style)]);
        put_right(buf, row, used, alarms);
    }

    /// What waits and what went wrong; where there is room, with the key that shows it.
    fn alarms(&self, way: bool) -> Vec<Span<'static>> {
        let look = &self.look;
        let (warnings, errors) = self.run.log.alarms();
        let counted = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
        let mut facts = Vec::new();
        if let Some((stage, pending)) = &self.run.gate {
            let words = format!("gate: {} {} to approve", kind_name(stage.kind), text::count(*pending));
            facts.push(Span::styled(words, look.theme.warn));
        }
        if warnings > 0 {
            facts.push(Span::styled(format!("{} {}", look.glyphs.warn, counted(warnings, "warning")), look.theme.warn));
        }
        if errors > 0 {
            facts.push(Span::styled(format!("{} {}", look.glyphs.failed, counted(errors, "error")), look.theme.bad));
        }
        let mut spans: Vec<_> = facts.into_iter().flat_map(|fact| [fact, Span::raw("  ")]).collect();
        if way && warnings + errors > 0 {
            let shows = if warnings + errors == 1 { " shows it  " } else { " shows them  " };
            let keys =
                self.way_to_log().map(|key| [Span::styled(key, look.theme.key), Span::styled(shows, look.theme.dim)]);
            spans.extend(keys.into_iter().flatten());
        }
        spans
    }

    /// The key that shows what went wrong: the way to the log, and in it the one that leaves out all else.
    fn way_to_log(&self) -> Option<String> {
        let there = self.tiles.focus() == PaneId::Run;
        let action = if there { Action::Run(run::Do::LogLevel) } else { Action::Shell(Do::Pane(PaneId::Run)) };
        let key = self.keymap.keys(keymap::bound(action)?).first()?;
        Some(key.name(&self.look.glyphs))
    }

    /// The keys that do something now: those of the layer on top, else of the focused pane and the workbench.
    fn hints(&self, buf: &mut Buffer, row: Rect) {
        let hints = match self.layers.last() {
            // The last of a layer's hints leaves it.
            Some(layer) => {
                let hints = layer.hints(&self.look.glyphs);
                let last = hints.len().saturating_sub(1);
                hints.into_iter().enumerate().map(|(at, (key, label))| Hint { key, label, kept: at == last }).collect()
            }
            None => self.pane_hints(),
        };
        let mut spans = vec![Span::raw(" ")];
        let mut used = 1;
        // Some must not be cut off: the way out, and help, which leads to all the others.
        let mut kept: usize = hints.iter().filter(|hint| hint.kept).map(Hint::wide).sum();
        for hint in &hints {
            if hint.kept {
                kept -= hint.wide();
            }
            if used + hint.wide() + kept > usize::from(row.width) + 2 {
                continue;
            }
            used += hint.wide();
            spans.push(Span::styled(hint.key.clone(), self.look.theme.key));
            spans.push(Span::styled(format!(" {}  ", hint.label), self.look.theme.dim));
        }
        put(buf, row, spans);
    }

    fn pane_hints(&self) -> Vec<Hint> {
        let focus = self.tiles.focus();
        let all = [panes::bindings(focus), MOVES, SHELL].into_iter().flatten();
        let hinted = |bound: &&Bound| bound.hint || urgent(self, bound.id);
        let mut all: Vec<&Bound> = all.filter(hinted).filter(|bound| self.available(focus, bound.action)).collect();
        all.sort_by_key(|bound| !urgent(self, bound.id));
        let worded = |bound: &Bound| {
            let key = self.keymap.keys(bound).first()?;
            let gate = bound.action == Action::Shell(Do::PassGate) && self.size.0 < WAY_FROM;
            let label = if gate { "approve all" } else { self.label(focus, bound.action, bound.label) };
            let kept = urgent(self, bound.id) || matches!(bound.action, Action::Shell(Do::Quit | Do::Help));
            Some(Hint { key: key.name(&self.look.glyphs), label: label.to_string(), kept })
        };
        all.into_iter().filter_map(worded).collect()
    }

    /// Whether the panes found no room when the screen was last drawn.
    pub(super) fn cramped(&self) -> bool {
        let (columns, rows) = self.size;
        self.size != NEVER && (columns < LEAST_COLUMNS || rows < LEAST_ROWS)
    }

    /// The question that fits a screen without panes: whether the run shall stop.
    fn bare_question(&self) -> Option<String> {
        let layer = self.layers.last()?;
        let stop = matches!(layer.owner, Owner::Shell(Purpose::Stop | Purpose::Leave));
        stop.then(|| format!("{} y, n", layer.title))
    }

    /// Whether the layer on top can be read.
    pub(super) fn layer_drawn(&self) -> bool {
        !self.cramped() || self.bare_question().is_some_and(|asked| text::width(&asked) <= usize::from(self.size.0))
    }

    /// What a terminal shows that is too small for the panes, down to one cell.
    fn too_small(&self, buf: &mut Buffer, area: Rect) {
        let run = &self.run;
        let place = match run.current().map(|at| &run.stages[at]) {
            Some(row) if row.total > 0 => format!("{} {}/{}", row.name(), row.done, row.total),
            Some(row) => row.name(),
            None => String::new(),
        };
        let lines = [
            format!("too small: needs {LEAST_COLUMNS}x{LEAST_ROWS}"),
            format!("{} {place}", phase_word(run)).trim().to_string(),
            if run.phase.over() { "enlarge, or q to leave" } else { "it runs on; enlarge, or q" }.to_string(),
        ];
        let lines = match self.bare_question() {
            Some(asked) => vec![asked],
            None if !self.layers.is_empty() => vec!["Esc closes what is open".to_string()],
            None => lines.to_vec(),
        };
        for (y, line) in (area.top()..area.bottom()).zip(&lines) {
            let cut = text::fit(line, area.width.into(), self.look.glyphs.ellipsis);
            buf.set_string(area.x, y, cut, self.look.theme.warn);
        }
    }
}

/// A key and what it does.
struct Hint {
    key: String,
    label: String,
    /// Whether it stands there however little room there is.
    kept: bool,
}

impl Hint {
    /// Its columns, with the space behind it.
    fn wide(&self) -> usize {
        text::width(&self.key) + 1 + text::width(&self.label) + 2
    }
}

/// Actions that are hinted at while they are wanted.
fn urgent(shell: &Shell, id: &str) -> bool {
    id == "pass-gate" && shell.run.gate.is_some() || id == "pause" && shell.run.phase == Phase::Paused
}

fn level_style(shell: &Shell, level: Level) -> ratatui::style::Style {
    match level {
        Level::Info => shell.look.theme.text,
        Level::Warn => shell.look.theme.warn,
        Level::Error => shell.look.theme.bad,
    }
}

/// Where the run stands, how long it took and will take.
fn standing(shell: &Shell) -> (ratatui::style::Style, String) {
    let (run, theme, dot) = (&shell.run, &shell.look.theme, shell.look.glyphs.dot);
    let took = text::clock(run.elapsed());
    let left = run.eta().map_or(String::new(), |eta| format!(" {dot} about {} left", text::clock(eta)));
    match &run.phase {
        Phase::Idle if shell.source.is_none() => (theme.dim, "no session is open".to_string()),
        Phase::Idle => {
            (theme.dim, format!("{} of {} stages done {dot} no run at work here", run.complete(), run.stages.len()))
        }
        Phase::Ended(Outcome::Failed { reason }) => (theme.bad, format!("failed: {}", text::printable(reason))),
        Phase::Ended(Outcome::Cancelled) => {
            (theme.warn, format!("stopped after {took} {dot} go on with: {}", run.resume))
        }
        Phase::Ended(Outcome::Done) => {
            (theme.good, format!("done in {took} {dot} the table is printed when you leave"))
        }
        Phase::Pausing => (theme.warn, "pausing after the current step".to_string()),
        Phase::Stopping => (theme.warn, "stopping after the current step".to_string()),
        Phase::Paused => (theme.warn, format!("paused {took}")),
        Phase::Running if run.gate.is_some() => (theme.warn, format!("{} {took}{left}", phase_word(run))),
        Phase::Starting | Phase::Running => (theme.text, format!("{} {took}{left}", phase_word(run))),
    }
}

/// One word for where the run stands.
fn phase_word(run: &State) -> &'static str {
    match &run.phase {
        Phase::Idle => "",
        Phase::Starting => "starting",
        Phase::Running if run.gate.is_some() => "waiting for you",
        Phase::Running => "running",
        Phase::Pausing => "pausing",
        Phase::Paused => "paused",
        Phase::Stopping => "stopping",
        Phase::Ended(Outcome::Done) => "done",
        Phase::Ended(Outcome::Cancelled) => "stopped",
        Phase::Ended(Outcome::Failed { .. }) => "failed",
    }
}
