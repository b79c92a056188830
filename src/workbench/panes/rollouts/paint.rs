//! A rollout's text as lines: its tokens coloured by how unlikely they were, or plain where that was not kept.

use ratatui::style::{Modifier, Style};
use ratatui::text::Span;
use unicode_segmentation::UnicodeSegmentation;

use crate::session::token_logs::TokenLog;
use crate::workbench::look::Look;
use crate::workbench::text;

/// From so many nats of −log p on, a token is one step hotter.
pub const STEPS: [f32; 4] = [0.1, 0.5, 1.0, 2.0];

/// The step of a token: 0 is sure, 4 is unlikely.
pub fn heat(nats: f32) -> usize {
    STEPS.iter().filter(|step| nats >= **step).count()
}

/// A text in pieces of one heat; `None` has none.
pub type Pieces = Vec<(Option<usize>, String)>;

/// The text of a rollout in pieces, fit to be shown. Plain where there is no log, or none is wanted.
pub fn pieces(sample_text: &str, log: Option<&TokenLog>) -> Pieces {
    match log.and_then(|log| log.cut(sample_text)) {
        Some(tokens) => {
            let piece = |(token, nats): (&str, f32)| (Some(heat(nats)), text::printable_lines(token));
            tokens.into_iter().map(piece).filter(|(_, token)| !token.is_empty()).collect()
        }
        None => vec![(None, text::printable_lines(sample_text))],
    }
}

/// Pieces as lines of at most so many columns, broken at spaces where there are any.
pub fn lines(pieces: &Pieces, columns: usize) -> Vec<Pieces> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line: Vec<(Option<usize>, &str)> = Vec::new();
    let mut used = 0;
    for (heat, piece) in pieces {
        for cluster in piece.graphemes(true) {
            let cluster = if cluster == "\t" { " " } else { cluster };
            if cluster == "\n" {
                lines.push(joined(std::mem::take(&mut line)));
                used = 0;
                continue;
            }
            let width = text::width(cluster);
            if used + width > columns && used > 0 {
                if cluster == " " {
                    continue;
                }
                // The word that does not fit goes to the next line, where it is not longer than a line itself.
                let word = line.iter().rposition(|(_, cluster)| *cluster == " ").map_or(0, |at| at + 1);
                let rest = if word > 0 { line.split_off(word) } else { vec![] };
                lines.push(joined(std::mem::replace(&mut line, rest)));
                used = line.iter().map(|(_, cluster)| text::width(cluster)).sum();
            }
            line.push((*heat, cluster));
            used += width;
        }
    }
    lines.push(joined(line));
    lines
}

/// Neighbours of one heat in one piece; spaces at the end go.
fn joined(mut line: Vec<(Option<usize>, &str)>) -> Pieces {
    while line.last().is_some_and(|(_, cluster)| *cluster == " ") {
        line.pop();
    }
    let mut pieces: Pieces = Vec::new();
    for (heat, cluster) in line {
        match pieces.last_mut() {
            Some((last, piece)) if *last == heat => piece.push_str(cluster),
            _ => pieces.push((heat, cluster.to_string())),
        }
    }
    pieces
}

/// A line as it is drawn.
pub fn styled(line: &Pieces, look: &Look) -> Vec<Span<'static>> {
    line.iter().map(|(heat, piece)| Span::styled(piece.clone(), style(*heat, look))).collect()
}

fn style(heat: Option<usize>, look: &Look) -> Style {
    match heat {
        None => look.theme.text,
        Some(4) => look.theme.heat[4].add_modifier(Modifier::UNDERLINED),
        Some(step) => look.theme.heat[step.min(4)],
    }
}

/// What the colours stand for, in fewer words where there are few columns.
pub fn legend(columns: usize, look: &Look) -> Vec<Span<'static>> {
    let (what, last) = if columns < 41 { ("-log p ", "2+") } else { ("-log p, nats: ", "2 or more") };
    let words = ["<.1", ".1", ".5", "1", last];
    let mut spans = vec![Span::styled(what, look.theme.dim)];
    for (step, words) in words.into_iter().enumerate() {
        spans.push(Span::styled(format!(" {words} "), style(Some(step), look)));
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(lines: &[Pieces]) -> Vec<String> {
        lines.iter().map(|line| line.iter().map(|(_, piece)| piece.as_str()).collect()).collect()
    }

    #[test]
    fn unlikely_tokens_are_hotter() {
        let steps: Vec<usize> = [0.0, 0.1, 0.7, 1.5, 9.0].into_iter().map(heat).collect();
        assert_eq!(steps, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn lines_break_at_spaces_and_keep_the_heat_of_each_token() {
        let log = TokenLog { surprise: vec![0, 40, 0, 255, 3], bytes: vec![3, 6, 5, 4, 0] };
        let pieces = pieces("Let Eggs be 10\n#### 10"[..18].trim_end(), Some(&log));
        assert_eq!(pieces[1], (Some(4), " Eggs ".to_string()));
        let lines = lines(&pieces, 9);
        assert_eq!(plain(&lines), ["Let Eggs", "be 10", "###"]);
        assert_eq!(lines[0], [(Some(0), "Let".to_string()), (Some(4), " Eggs".to_string())]);
    }

    #[test]
    fn a_log_that_does_not_fit_and_text_that_acts_are_shown_plain() {
        let log = TokenLog { surprise: vec![0], bytes: vec![12] };
        assert_eq!(pieces("a\u{1b}[31mb\tc", Some(&log)), [(None, "ab\tc".to_string())]);
        assert_eq!(plain(&lines(&vec![(None, "abcdef gh\n\nij".into())], 4)), ["abcd", "ef", "gh", "", "ij"]);
        assert_eq!(plain(&lines(&vec![(None, "日本語".into())], 1)), ["日", "本", "語"]);
        assert_eq!(lines(&vec![], 4).len(), 1);
    }
}
