//! What stands in the columns, and in which style.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::fields::Col;
use super::rows::{Count, Flag, Model, Row, band_name};
use super::view::View;
use crate::domain::Action;
use crate::workbench::look::Look;
use crate::workbench::text;
use crate::workbench::theme::Theme;
use crate::workbench::widgets::table::{Column, Wide};

pub(super) fn head(column: Col, model: &Model, narrow: bool) -> Column {
    let name = column.name(model);
    match column {
        Col::Id => Column::left(name, Wide::Exact((model.id_width as u16).clamp(4, if narrow { 10 } else { 16 }))),
        Col::Band => Column::left(name, Wide::Exact(if narrow { 5 } else { 6 })),
        Col::Right => Column::right(name, Wide::Exact(5)),
        Col::Rho(_) => Column::right(name, Wide::Exact(4)),
        Col::Steps => Column::right(name, Wide::Exact(5)),
        Col::Actions => Column::left(name, Wide::Exact(14)),
        Col::Recycled => Column::left(name, Wide::Exact(16)),
        Col::Flags => Column::left(name, Wide::Exact(5)),
        Col::Question => Column::left(name, Wide::Rest(if narrow { 16 } else { 24 })),
    }
}

pub(super) fn cells<'a>(view: &'a View, place: usize, columns: &[Col], look: &Look) -> Vec<Line<'a>> {
    let Some(row) = view.row(place) else { return Vec::new() };
    columns.iter().map(|column| Line::from(cell(row, *column, look))).collect()
}

fn cell<'a>(row: &'a Row, column: Col, look: &Look) -> Vec<Span<'a>> {
    let theme = &look.theme;
    match column {
        Col::Id => vec![Span::styled(text::printable(&row.id), theme.text)],
        Col::Band => row.band.map(|band| Span::styled(band_name(band), theme.band(band))).into_iter().collect(),
        Col::Right => {
            let count = row.counts.first().copied().flatten();
            count.map(|Count { k, n }| Span::styled(format!("{k}/{n}"), theme.dim)).into_iter().collect()
        }
        Col::Rho(stage) => {
            let count = row.counts.get(stage).copied().flatten();
            count.map(|count| rho(count, theme)).into_iter().collect()
        }
        Col::Steps => row.steps.map(|steps| Span::styled(steps.to_string(), theme.text)).into_iter().collect(),
        Col::Actions => {
            let mut spans = Vec::new();
            for (action, n) in done(row) {
                spans.extend((!spans.is_empty()).then(|| Span::raw(" ")));
                spans.push(Span::styled(format!("{}{n}", letter(action)), theme.action(action)));
            }
            spans
        }
        Col::Recycled => vec![Span::styled(row.errors.last().map_or("", String::as_str), theme.text)],
        Col::Flags => row.flags.iter().map(|flag| Span::styled(flag.letter(), flag_style(*flag, theme))).collect(),
        Col::Question => vec![Span::styled(row.text.as_str(), theme.text)],
    }
}

/// `.08`; `0` and `1` only where not one or every one is right.
fn rho(count: Count, theme: &Theme) -> Span<'static> {
    match count {
        Count { k: 0, .. } => Span::styled("0", theme.bad),
        Count { k, n } if k == n => Span::styled("1", theme.good),
        count => Span::styled(format!("{:.2}", count.rho()).trim_start_matches('0').to_string(), theme.text),
    }
}

/// Operations that were done, and how often.
pub(super) fn done(row: &Row) -> Vec<(Action, u32)> {
    Action::ALL.into_iter().zip(row.actions).filter(|(_, n)| *n > 0).collect()
}

fn letter(action: Action) -> String {
    action.as_str().chars().take(1).flat_map(char::to_uppercase).collect()
}

pub(super) fn flag_style(flag: Flag, theme: &Theme) -> Style {
    match flag {
        Flag::Zero => theme.bad,
        Flag::Proposed => theme.proposed,
        Flag::Review => theme.review,
        Flag::Edited | Flag::Overruled => theme.edited,
        Flag::Rejected => theme.rejected,
    }
}

/// What a flag means.
pub(super) fn said(flag: Flag) -> &'static str {
    match flag {
        Flag::Zero => "no right answer at the first measurement",
        Flag::Proposed => "a product waits to be approved",
        Flag::Review => "a product needs a look",
        Flag::Edited => "a researcher changed a product",
        Flag::Rejected => "a researcher rejected a product",
        Flag::Overruled => "a researcher chose the operation of a step",
    }
}

/// What the letter of an operation means.
pub(super) fn meant(action: Action) -> &'static str {
    match action {
        Action::Keep => "steps that the bridge keeps",
        Action::Compress => "steps that it says shorter",
        Action::Expand => "steps that it says in smaller steps",
        Action::Drop => "steps that it leaves out",
        Action::Localize => "steps that become lessons of their own",
    }
}
