//! The pane on the screen: the sets with their mix above, the members of the chosen one below, and beside or under them
//! the chosen member.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::filter::Order;
use super::mix::{MIX, bar, mark, mix_line};
use super::read::{Kind, Set, Sets, Standing};
use super::{DataSets, Part, Side, tree};
use crate::domain::SampleKind;
use crate::workbench::pane::Seen;
use crate::workbench::sheet::Sheet;
use crate::workbench::text;
use crate::workbench::widgets::table::{Column, Sorted, Wide};
use crate::workbench::widgets::{fault, header, joined, no_session, pointer, put, waiting, words};

/// From here on the member stands beside the list.
const WIDE: u16 = 100;
/// Below this many rows only one part is shown.
const LOW: u16 = 12;
/// Rows below the tree in which the chosen branch is shown whole.
const WHOLE: u16 = 4;

/// Where things were last drawn.
#[derive(Clone, Copy, Debug, Default)]
pub struct Places {
    /// The member.
    pub detail: Rect,
    /// The tree in it, and its first branch in sight.
    tree: (Rect, usize),
    /// How far the text can be scrolled.
    pub most_scroll: usize,
}

impl Places {
    /// The branch under the mouse.
    pub fn branch(&self, at: Position) -> Option<usize> {
        let (area, first) = self.tree;
        area.contains(at).then(|| usize::from(at.y - area.y) + first)
    }
}

/// The order that the name of a column stands for.
pub fn order_of(column: usize) -> Order {
    match column {
        0 => Order::Kind,
        1 => Order::Tokens,
        2 => Order::Id,
        _ => Order::Set,
    }
}

fn standing(set: &Set) -> &'static str {
    match set.standing {
        Standing::Trained => "trained",
        Standing::Planned => "would train now",
        Standing::Parted => "parted",
        Standing::Empty(why) => why,
    }
}

/// The sets as a table to save.
pub fn sets_sheet(sets: &Sets) -> Sheet {
    let columns = ["set", "part", "stands", "kind", "members", "trained tokens"].map(String::from).to_vec();
    let mut rows = Vec::new();
    for set in &sets.sets {
        for (kind, members, tokens) in &set.kinds {
            rows.push(vec![
                serde_json::json!(set.name),
                serde_json::json!(set.role),
                serde_json::json!(standing(set)),
                serde_json::json!(kind.name()),
                serde_json::json!(members),
                serde_json::json!(tokens),
            ]);
        }
    }
    Sheet { name: "data-sets".to_string(), columns, rows }
}

impl DataSets {
    /// The members in sight as a table to save.
    pub(super) fn rows_sheet(&self) -> Option<Sheet> {
        let (sets, set) = (self.shown.as_ref()?, self.chosen_set()?);
        let columns = ["set", "id", "key", "kind", "trained tokens", "question", "text of the question"];
        let row = |at: &u32| {
            let row = set.rows.get(*at as usize)?;
            let question = sets.questions.get(&row.question);
            Some(vec![
                serde_json::json!(set.name),
                serde_json::json!(row.id),
                serde_json::json!(row.key),
                serde_json::json!(row.kind.name()),
                serde_json::json!(row.tokens),
                serde_json::json!(row.question),
                serde_json::json!(question),
            ])
        };
        let rows = self.visible().iter().filter_map(row).collect();
        let name = set.name.replace(' ', "-");
        Some(Sheet { name, columns: columns.map(String::from).to_vec(), rows })
    }

    /// Draws whatever there is to draw.
    pub(super) fn draw_all(&mut self, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
        let none = Rect { width: 0, height: 0, ..area };
        self.places.detail = none;
        self.places.tree = (none, 0);
        if self.shown.as_ref().is_none_or(|sets| sets.sets.is_empty()) {
            let body = header(buf, area, seen.look, "data sets", seen.focused, vec![]);
            return self.nothing(buf, body, seen);
        }
        let (sets, rows, detail) = self.parts(area);
        self.draw_sets(buf, sets, seen);
        self.draw_rows(buf, rows, seen);
        self.draw_detail(buf, detail, seen);
    }

    fn nothing(&self, buf: &mut Buffer, body: Rect, seen: &Seen<'_>) {
        if let Some(error) = self.sets.error() {
            fault(buf, body, seen.look, error);
        } else if seen.session.is_none() {
            no_session(buf, body, seen.look);
        } else if let Some(since) = self.sets.waiting() {
            waiting(buf, body, seen.look, since, seen.now);
        } else if self.shown.is_some() {
            let said = "this run trains on nothing: it only evaluates its student";
            words(buf, body, said, seen.look.theme.dim);
        } else {
            let said = "the reading was given up; it begins again when this pane comes into sight anew";
            words(buf, body, said, seen.look.theme.dim);
        }
    }

    /// Areas of sets, members and member; what has no room has none.
    fn parts(&self, area: Rect) -> (Rect, Rect, Rect) {
        let none = Rect { width: 0, height: 0, ..area };
        if area.height < LOW {
            return match self.part {
                Part::Sets => (area, none, none),
                Part::Rows => (none, area, none),
                Part::Detail => (none, none, area),
            };
        }
        let all = self.shown.as_ref().map_or(0, |sets| sets.sets.len()) as u16;
        let top = Rect { height: all.saturating_add(2).min(area.height / 3).max(4), ..area };
        let lower = Rect { y: top.bottom(), height: area.height - top.height, ..area };
        if lower.width >= WIDE {
            let left = Rect { width: lower.width / 2, ..lower };
            let right = Rect { x: left.right() + 1, width: lower.width - left.width - 1, ..lower };
            return (top, left, right);
        }
        let share = if self.part == Part::Detail { lower.height / 3 } else { lower.height / 2 };
        let rows = Rect { height: share.max(3), ..lower };
        (top, rows, Rect { y: rows.bottom(), height: lower.height - rows.height, ..lower })
    }

    fn draw_sets(&mut self, buf: &mut Buffer, area: Rect, seen: &Seen<'_>) {
        let Some(sets) = self.shown.clone() else { return };
        let look = seen.look;
        let slow = if self.sets.waiting().is_some() { "reading".to_string() } else { String::new() };
        let mut facts = joined(&[format!("{} sets", sets.sets.len()), slow], look, look.theme.dim);
        if let Some(error) = self.sets.error() {
            let words = format!(" {} not read again: {}", look.glyphs.warn, text::printable(error));
            facts.push(Span::styled(words, look.theme.warn));
        }
        let body = header(buf, area, look, "data sets", seen.focused && self.part == Part::Sets, facts);
        let name = sets.sets.iter().map(|set| text::width(&set.name)).max().unwrap_or(0) as u16;
        let role = sets.sets.iter().map(|set| text::width(set.role)).max().unwrap_or(0) as u16;
        let columns = [
            Column::left("set", Wide::Exact(name)),
            Column::right("members", Wide::Exact(7)),
            Column::right("tokens", Wide::Exact(9)),
            Column::left("stands", Wide::Exact(16)),
            Column::left("mix by trained tokens", Wide::Exact(MIX as u16)),
            Column::left("part", Wide::Rest(role)),
        ];
        let body = if area.height == 0 { area } else { body };
        self.set_table.draw(buf, body, look, &columns, None, |at| {
            let Some(set) = sets.sets.get(at) else { return Vec::new() };
            let style = match set.standing {
                Standing::Trained | Standing::Parted => look.theme.text,
                Standing::Planned => look.theme.running,
                Standing::Empty(_) => look.theme.dim,
            };
            let tokens = set.tokens.map_or_else(|| look.glyphs.dot.to_string(), text::count);
            vec![
                Line::styled(text::printable(&set.name), style),
                Line::styled(text::count(set.rows.len() as u64), style),
                Line::styled(tokens, style),
                Line::styled(standing(set), style),
                Line::from(bar(&set.kinds, look)),
                Line::styled(set.role, look.theme.dim),
            ]
        });
    }

    fn draw_rows(&mut self, buf: &mut Buffer, area: Rect, seen: &Seen<'_>) {
        let (Some(sets), Some(set)) = (self.shown.clone(), self.chosen_set().cloned()) else { return };
        let look = seen.look;
        let visible = self.visible().len();
        let count = format!("{} of {}", text::count(visible as u64), text::count(set.rows.len() as u64));
        let slow = if self.visible.waiting().is_some() { "looking".to_string() } else { String::new() };
        let would = if set.standing == Standing::Planned { "would train now" } else { "" };
        let facts = joined(&[count, would.to_string(), text::printable(&self.typed), slow], look, look.theme.dim);
        let name = text::printable(&set.name);
        let mut body = header(buf, area, look, &name, seen.focused && self.part == Part::Rows, facts);
        if body.height >= 8 && !set.rows.is_empty() {
            put(buf, Rect { height: 1, ..body }, mix_line(&set, look));
            body = Rect { y: body.y + 1, height: body.height - 1, ..body };
        }
        // The ids of steps are longer.
        let id = if set.kinds.iter().any(|(kind, ..)| *kind == Kind::Text(SampleKind::Local)) { 24 } else { 21 };
        let columns = [
            Column::left("kind", Wide::Exact(11)),
            Column::right("tokens", Wide::Exact(7)),
            Column::left("id", Wide::Exact(id)),
            Column::left("question", Wide::Rest(16)),
        ];
        let sorted = match self.order {
            Order::Set => None,
            Order::Kind => Some(Sorted { column: 0, down: false }),
            Order::Tokens => Some(Sorted { column: 1, down: true }),
            Order::Id => Some(Sorted { column: 2, down: false }),
        };
        let order: Vec<u32> = Vec::new();
        let places = self.visible.value().unwrap_or(&order);
        self.row_table.draw(buf, body, look, &columns, sorted, |at| {
            let Some(row) = places.get(at).and_then(|at| set.rows.get(*at as usize)) else { return Vec::new() };
            let (letter, style) = mark(row.kind, look);
            let tokens = row.tokens.map_or_else(|| look.glyphs.dot.to_string(), |tokens| tokens.to_string());
            let question = sets.questions.get(&row.question).map(String::as_str).unwrap_or_default();
            vec![
                Line::from(vec![Span::styled(format!("{letter} "), style), Span::raw(row.kind.name())]),
                Line::from(tokens),
                Line::from(text::printable(&row.id)),
                Line::styled(text::printable(question), look.theme.dim),
            ]
        });
        if visible == 0 && body.height > 1 && self.visible.waiting().is_none() {
            let said = match (&set.standing, self.visible.error()) {
                (_, Some(error)) => text::printable(error),
                (Standing::Empty(why), _) => (*why).to_string(),
                _ if set.rows.is_empty() => "the set is empty".to_string(),
                _ if self.visible.value().is_none() => "given up; choose the set again".to_string(),
                _ => "nothing fits; a shows all".to_string(),
            };
            words(buf, body, &said, look.theme.dim);
        }
    }

    fn draw_detail(&mut self, buf: &mut Buffer, area: Rect, seen: &Seen<'_>) {
        self.places.detail = area;
        let look = seen.look;
        let Some((set, row)) = self.chosen() else { return };
        let planned = set.standing == Standing::Planned;
        let tokens = row.tokens.map(|tokens| format!("{tokens} trained tokens")).unwrap_or_default();
        let side = if self.side == Side::Lineage { "lineage" } else { "" };
        let would = if planned { "would train now" } else { "" };
        let facts = [row.kind.name().to_string(), tokens, would.to_string(), side.to_string()];
        let facts = joined(&facts, look, look.theme.dim);
        let id = text::printable(&row.id);
        let body = header(buf, area, look, &id, seen.focused && self.part == Part::Detail, facts);
        let body = Rect { x: body.x + body.width.min(1), width: body.width.saturating_sub(2), ..body };
        match self.side {
            Side::Text => self.draw_text(buf, body, seen),
            Side::Lineage => self.draw_tree(buf, body, seen),
        }
    }

    fn draw_text(&mut self, buf: &mut Buffer, body: Rect, seen: &Seen<'_>) {
        let here = self.detail.value().is_some_and(|(place, _)| self.is_here(place));
        if let Some((_, _, page)) = self.page.as_mut().filter(|_| here) {
            self.places.most_scroll = page.height(body.width).saturating_sub(usize::from(body.height));
            page.draw(buf, body, &seen.look.theme, &mut self.scroll);
        } else if let Some(error) = self.detail.error() {
            fault(buf, body, seen.look, error);
        } else if let Some(since) = self.detail.waiting() {
            waiting(buf, body, seen.look, since, seen.now);
        }
    }

    fn draw_tree(&mut self, buf: &mut Buffer, body: Rect, seen: &Seen<'_>) {
        let look = seen.look;
        let Some((_, branches)) = self.lineage.value().filter(|(place, _)| self.is_here(place)) else {
            if let Some(error) = self.lineage.error() {
                fault(buf, body, look, error);
            } else if let Some(since) = self.lineage.waiting() {
                waiting(buf, body, look, since, seen.now);
            }
            return;
        };
        if branches.is_empty() {
            return words(buf, body, "a question has no way back of its own: see its rollouts", look.theme.dim);
        }
        let whole = if body.height >= 3 * WHOLE { WHOLE } else { 0 };
        let area = Rect { height: body.height - whole, ..body };
        let rows = usize::from(area.height);
        let at = self.branch.min(branches.len() - 1);
        let first = (at + 1).saturating_sub(rows);
        for (y, (place, branch)) in (area.top()..area.bottom()).zip(branches.iter().enumerate().skip(first)) {
            let line = Rect { y, height: 1, ..area };
            let selected = place == at && self.part == Part::Detail;
            let gutter = Span::styled(tree::gutter(branches, place, look), look.theme.mark);
            let mut spans = vec![pointer(selected, look), gutter];
            if branch.target.is_some() {
                spans.push(Span::styled(format!("{} ", look.glyphs.arrow), look.theme.key));
            }
            spans.extend(branch.pieces.iter().map(|(ink, words)| Span::styled(words.clone(), ink.style(&look.theme))));
            put(buf, line, spans);
            if selected {
                buf.set_style(line.intersection(buf.area), look.theme.selected.patch(look.theme.focus));
            }
        }
        self.places.tree = (area, first);
        let words: String = branches[at].pieces.iter().map(|(_, words)| words.as_str()).collect();
        let below = Rect { y: area.bottom(), height: whole, ..area };
        let leads = branches[at].target.as_ref().map(|(pane, _)| format!("enter shows it in {}", pane.name()));
        let lines = text::wrap(&words, usize::from(below.width));
        let lines = text::few(lines, usize::from(whole).saturating_sub(2), below.width.into(), look.glyphs.ellipsis);
        let lines = lines.into_iter();
        let style = look.theme.text;
        let lines = lines.map(|line| Span::styled(line, style));
        let lines = lines.chain(leads.map(|leads| Span::styled(leads, look.theme.dim)));
        for (y, span) in (below.top() + 1..below.bottom()).zip(lines) {
            put(buf, Rect { y, height: 1, ..below }, vec![span]);
        }
    }
}
