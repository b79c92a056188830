//! The mix of a set: a letter and a colour for each kind, bars of letters, and the words for them.

use ratatui::style::Style;
use ratatui::text::Span;

use super::read::{Kind, Set};
use crate::domain::SampleKind;
use crate::workbench::look::Look;
use crate::workbench::pane::Mark;
use crate::workbench::text;

/// Columns of the bar that shows a mix.
pub const MIX: usize = 24;

/// Letter and style of a kind; the letters fill the bars.
pub fn mark(kind: Kind, look: &Look) -> (char, Style) {
    let theme = &look.theme;
    match kind {
        Kind::Text(SampleKind::Medium) => ('m', theme.medium),
        Kind::Text(SampleKind::Bridged) => ('b', theme.keep),
        Kind::Text(SampleKind::Local) => ('l', theme.localize),
        Kind::Text(SampleKind::RawHard) => ('w', theme.hard),
        Kind::Text(SampleKind::Diagnose) => ('d', theme.drop),
        Kind::Text(SampleKind::Repair) => ('r', theme.expand),
        Kind::Text(SampleKind::NewTrace) => ('n', theme.compress),
        Kind::Text(SampleKind::Neutral) => ('u', theme.dim),
        Kind::Mixed => ('x', theme.medium),
        Kind::AllOne => ('1', theme.simple),
        Kind::AllZero => ('0', theme.hard),
    }
}

/// The mix as a bar of letters, every kind with at least one.
pub fn bar(kinds: &[(Kind, usize, u64)], look: &Look) -> Vec<Span<'static>> {
    let tokens = kinds.iter().map(|(_, _, tokens)| *tokens).sum::<u64>();
    let weight = |(_, members, tokens_of): &(Kind, usize, u64)| if tokens > 0 { *tokens_of } else { *members as u64 };
    let all = kinds.iter().map(weight).sum::<u64>().max(1) as f64;
    let (mut spans, mut end) = (Vec::new(), 0.0);
    let mut used = 0;
    for (at, kind) in kinds.iter().enumerate() {
        let others = kinds.len() - at - 1;
        end += weight(kind) as f64 / all * MIX as f64;
        let room = MIX.saturating_sub(used + others);
        let columns = (end.round() as usize).saturating_sub(used).max(1).min(room);
        used += columns;
        let (letter, style) = mark(kind.0, look);
        spans.push(Span::styled(letter.to_string().repeat(columns), style));
    }
    spans
}

/// Marks for the help.
pub fn marks(look: &Look) -> Vec<Mark> {
    let kind = |kind: Kind, meaning| {
        let (letter, style) = mark(kind, look);
        (letter.to_string(), meaning, style)
    };
    let [open, close] = look.glyphs.trained;
    vec![
        (
            format!("{open} {close}"),
            "tokens that are trained, the rest is only read; a text's own such brackets get a backslash",
            look.theme.good,
        ),
        kind(Kind::Text(SampleKind::Medium), "medium: question to the teacher's trace"),
        kind(Kind::Text(SampleKind::Bridged), "bridged: hard question to the bridged trace"),
        kind(Kind::Text(SampleKind::Local), "local: prefix to one step"),
        kind(Kind::Text(SampleKind::RawHard), "raw-hard: hard question to the trace as written"),
        kind(Kind::Text(SampleKind::Diagnose), "diagnose: failure to what went wrong"),
        kind(Kind::Text(SampleKind::Repair), "repair: prefix to the step that should stand there"),
        kind(Kind::Text(SampleKind::NewTrace), "new-trace: failed question to a new trace"),
        kind(Kind::Text(SampleKind::Neutral), "neutral: a document of the pre-training mix"),
        kind(Kind::Mixed, "mixed: right and wrong rollouts"),
        kind(Kind::AllOne, "all-one: every rollout right"),
        kind(Kind::AllZero, "all-zero: no rollout right"),
    ]
}

/// `m medium 186 · b bridged 493 (30,932 tokens)`.
pub fn mix_line(set: &Set, look: &Look) -> Vec<Span<'static>> {
    let mut spans = vec![Span::raw("  ")];
    for (at, (kind, members, tokens)) in set.kinds.iter().copied().enumerate() {
        let (letter, style) = mark(kind, look);
        if at > 0 {
            spans.push(Span::styled(format!(" {} ", look.glyphs.dot), look.theme.dim));
        }
        spans.push(Span::styled(format!("{letter} {}", kind.name()), style));
        spans.push(Span::raw(format!(" {}", text::count(members as u64))));
        if tokens > 0 {
            spans.push(Span::styled(format!(" {} tok", text::short(tokens as f64)), look.theme.dim));
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_full_and_no_kind_is_lost_in_it() {
        let kinds = [
            (Kind::Text(SampleKind::Bridged), 493, 30_932),
            (Kind::Text(SampleKind::Local), 856, 14_800),
            (Kind::Text(SampleKind::Repair), 3, 12),
        ];
        let letters: String = bar(&kinds, &Look::picture()).iter().map(|span| span.content.to_string()).collect();
        assert_eq!(letters, "b".repeat(16) + &"l".repeat(7) + "r");
        let questions: String =
            bar(&[(Kind::AllZero, 4, 0)], &Look::picture()).iter().map(|span| span.content.to_string()).collect();
        assert_eq!(questions, "0".repeat(MIX));
        assert!(bar(&[], &Look::picture()).is_empty());
    }
}
