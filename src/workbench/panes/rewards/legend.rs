//! The lines of words around the charts: values at the cursor, other sessions, all-zero groups by iteration, the format
//! control.

use ratatui::style::Style;
use ratatui::text::Span;

use super::beside::Standing;
use super::chart::{GROUPS, title};
use super::shown::Shown;
use super::{groups, large};
use crate::workbench::curves::Family;
use crate::workbench::look::Look;
use crate::workbench::text;
use crate::workbench::training::beside::{Control, Zeros};
use crate::workbench::widgets::bar;

/// Columns of a bar of all-zero groups.
const BAR: usize = 6;

/// Facts for the header: where the cursor stands, and how the curves are drawn.
pub fn facts(shown: &Shown<'_>) -> Vec<String> {
    let family = if shown.family == Family::Sft { "SFT" } else { "RL" };
    let mut facts = vec![family.to_string()];
    if let Some(step) = shown.cursor {
        let newest = if shown.view.follows() { " (newest)" } else { "" };
        let own = shown.book.steps(shown.family);
        facts.push(match step > own {
            true => format!("step {step}, past the {own} of this session"),
            false => format!("step {step} of {own}{newest}"),
        });
        if let Some((leg, own)) = shown.book.place(shown.family, step) {
            let planned = shown.run.stages.iter().find(|row| row.id == leg.stage).map_or(0, |row| row.total);
            facts.push(format!("{} {own} of {}", leg.stage, planned.max(leg.steps as u64)));
        }
    }
    facts.push(format!("ema {}", shown.view.smoothing()));
    facts.extend(shown.view.log.then(|| "log axis".to_string()));
    facts
}

/// The value of the large chart at the cursor, and of the sessions beside it; each item in one piece.
pub fn values(shown: &Shown<'_>) -> Vec<Vec<Span<'static>>> {
    let (look, theme) = (shown.look, &shown.look.theme);
    let name = text::printable(title(shown.large));
    let mut items = vec![vec![Span::styled(name, theme.focus)]];
    if shown.large == GROUPS {
        items.push(groups::legend(shown, true));
    } else {
        let at = shown.cursor.and_then(|step| shown.book.at(shown.family, shown.large, step));
        let (raw, smooth) =
            at.map_or(("-".into(), "-".into()), |(raw, smooth)| (text::figure(raw), text::figure(smooth)));
        let curve = |glyph: &str, style: Style, words: String| {
            vec![Span::styled(format!("{glyph} "), style), Span::styled(words, theme.text)]
        };
        items.push(curve(look.glyphs.raw, theme.raw, format!("raw {raw}")));
        items.push(curve(look.glyphs.smooth, theme.smooth, format!("smoothed {smooth}")));
    }
    let own = shown.cursor.and_then(|step| shown.book.at(shown.family, shown.large, step)).map(|value| value.1);
    items.extend(shown.beside.iter().map(|beside| {
        let style = beside.style(look);
        let mark = if beside.baseline { look.glyphs.baseline.to_string() } else { beside.letter.to_string() };
        let role = if beside.baseline { "baseline " } else { "" };
        let name = text::fit(&text::printable(&beside.name), 24, look.glyphs.ellipsis);
        let standing = beside.standing(shown.book, shown.family, shown.large, shown.cursor.unwrap_or(0));
        let (words, said) = match (standing, own) {
            (Standing::Shown(Some(value)), Some(own)) if beside.baseline => {
                (format!("{} ({})", text::figure(value), signed(own - value)), theme.text)
            }
            (Standing::Shown(Some(value)), _) => (text::figure(value), theme.text),
            (Standing::Shown(None), _) => ("has no value here".to_string(), theme.dim),
            (Standing::Apart(why), _) => (why, theme.warn),
        };
        let name = Span::styled(format!("{role}{name} "), theme.text);
        vec![Span::styled(format!("{mark} "), style), name, Span::styled(words, said)]
    }));
    let missing = large::left_out(shown);
    if missing > 0 {
        let words = format!("{} {missing} values not positive, left out", look.glyphs.warn);
        items.push(vec![Span::styled(words, theme.warn)]);
    }
    items
}

/// A difference with its sign.
fn signed(value: f64) -> String {
    if value > 0.0 { format!("+{}", text::figure(value)) } else { text::figure(value) }
}

/// Items in as many lines as they take at this width; an item stays in one piece.
pub fn flow(items: Vec<Vec<Span<'static>>>, columns: usize) -> Vec<Vec<Span<'static>>> {
    let mut lines: Vec<Vec<Span<'static>>> = Vec::new();
    let mut used = 0;
    for item in items {
        let width = item.iter().map(Span::width).sum::<usize>();
        match lines.last_mut() {
            Some(line) if used + 3 + width <= columns => {
                line.push(Span::raw("   "));
                line.extend(item);
                used += 3 + width;
            }
            _ => {
                lines.push([vec![Span::raw(" ")], item].concat());
                used = 1 + width;
            }
        }
    }
    lines
}

/// All-zero groups by iteration: a bar and its numbers for each.
pub fn zeros(zeros: &[Zeros], look: &Look) -> Vec<Vec<Span<'static>>> {
    if zeros.is_empty() {
        return Vec::new();
    }
    let theme = &look.theme;
    let mut items = vec![vec![Span::styled("all-zero by iteration", theme.dim)]];
    for (at, one) in zeros.iter().enumerate() {
        let mut spans = vec![Span::styled(format!("{} ", one.name()), theme.focus)];
        spans.extend(bar(one.share(), BAR, look));
        let counted = format!(
            " {:.1} % ({} of {})",
            100.0 * one.share(),
            text::count(one.zero as u64),
            text::count(one.groups as u64)
        );
        spans.push(Span::styled(counted, theme.text));
        let judged = at > 0 && (one.measured != zeros[0].measured || one.n != zeros[0].n);
        let notes = [(!one.complete).then_some("so far"), judged.then_some("measured otherwise")];
        for note in notes.into_iter().flatten() {
            spans.push(Span::styled(format!(" {note}"), theme.warn));
        }
        items.push(spans);
    }
    items
}

/// Format or skill, in words.
pub fn control(control: &Control, look: &Look) -> Vec<Vec<Span<'static>>> {
    let theme = &look.theme;
    let head = vec![Span::styled("format control", theme.dim)];
    let said = |words: String, style| vec![Span::styled(words, style)];
    let Some(found) = &control.found else {
        let why = if control.differs {
            "base and last checkpoint were measured otherwise: not compared"
        } else {
            "not measured"
        };
        return vec![head, said(why.to_string(), theme.dim)];
    };
    let change = |name: &str, value: f64| format!("{name} {} points", signed(100.0 * value));
    vec![
        head,
        said(format!("{} on {}", change("plain", found.plain.value), text::printable(&found.on)), theme.text),
        said(change("marker banned", found.banned.value), theme.text),
        said(found.verdict().to_string(), theme.text),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_stay_in_one_piece() {
        let item = |words: &str| vec![Span::raw(words.to_string())];
        let lines = flow(vec![item("abc"), item("de"), item("fghij")], 11);
        let text: Vec<String> =
            lines.iter().map(|line| line.iter().map(|span| span.content.as_ref()).collect()).collect();
        assert_eq!(text, [" abc   de", " fghij"]);
        assert!(flow(vec![], 5).is_empty());
    }

    #[test]
    fn differences_have_a_sign() {
        assert_eq!((signed(0.25), signed(-0.25), signed(0.0)), ("+.250".into(), "-.250".into(), "0".into()));
    }
}
