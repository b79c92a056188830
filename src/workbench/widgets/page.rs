//! A page of styled text: pieces with a meaning, lines broken at spaces, a gutter that stays, and a place to scroll to.
//!
//! Pages are made behind the screen and hold meanings instead of colours, so that they follow the theme. Lines are broken
//! once for each width, not in every frame.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Span;
use unicode_segmentation::UnicodeSegmentation;

use super::put;
use crate::workbench::text::{self, printable_lines};
use crate::workbench::theme::Theme;

/// What a piece of text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ink {
    /// Text to read.
    #[default]
    Text,
    /// Context: comments, brackets, marks of a language.
    Dim,
    /// A name: a key of JSON, a variable of a template.
    Name,
    /// A number, a constant, an escape.
    Literal,
    /// A word of the language itself.
    Word,
    /// A heading.
    Heading,
    /// Emphasised.
    Strong,
    /// As it should be.
    Good,
    /// Worth a look.
    Warn,
    /// Wrong.
    Bad,
    /// In the new text only.
    Added,
    /// In the old text only.
    Removed,
}

impl Ink {
    /// How it is drawn.
    pub fn style(self, theme: &Theme) -> Style {
        match self {
            Ink::Text => theme.text,
            Ink::Dim => theme.dim,
            Ink::Name => theme.key,
            Ink::Literal => theme.series[3],
            Ink::Word => theme.running,
            Ink::Heading => theme.title.add_modifier(Modifier::BOLD),
            Ink::Strong => theme.focus.add_modifier(Modifier::BOLD),
            Ink::Good => theme.good,
            Ink::Warn => theme.warn,
            Ink::Bad => theme.bad,
            Ink::Added => theme.added,
            Ink::Removed => theme.removed,
        }
    }
}

/// Text with a meaning.
pub type Piece = (Ink, String);

/// A line before it is broken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Stands left of the line.
    pub gutter: Vec<Piece>,
    /// Whether the gutter stands left of the first part only.
    pub once: bool,
    /// The line.
    pub pieces: Vec<Piece>,
}

/// Lines broken for one width.
#[derive(Clone, Debug, Default)]
struct Broken {
    columns: usize,
    lines: Vec<Vec<Piece>>,
}

/// A page of text.
#[derive(Clone, Debug, Default)]
pub struct Page {
    rows: Vec<Row>,
    broken: Option<Broken>,
}

impl Page {
    /// Adds a line.
    pub fn line(&mut self, pieces: Vec<Piece>) {
        self.guttered(Vec::new(), pieces);
    }

    /// Adds a line with something that stands left of all its parts.
    pub fn guttered(&mut self, gutter: Vec<Piece>, pieces: Vec<Piece>) {
        self.rows.push(Row { gutter, once: false, pieces });
        self.broken = None;
    }

    /// Adds a line with something that stands left of its first part.
    pub fn labelled(&mut self, label: Vec<Piece>, pieces: Vec<Piece>) {
        self.rows.push(Row { gutter: label, once: true, pieces });
        self.broken = None;
    }

    /// Adds a line in one ink. What could act on a terminal is left out.
    pub fn say(&mut self, ink: Ink, words: &str) {
        self.line(vec![(ink, text::printable(words))]);
    }

    /// Adds lines with `gutter` left of each.
    pub fn extend(&mut self, gutter: &[Piece], lines: impl IntoIterator<Item = Vec<Piece>>) {
        lines.into_iter().for_each(|pieces| self.guttered(gutter.to_vec(), pieces));
    }

    /// The lines as they are.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Whether there is nothing on it.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Number of lines for a width.
    pub fn height(&mut self, columns: u16) -> usize {
        self.lines(columns).len()
    }

    fn lines(&mut self, columns: u16) -> &[Vec<Piece>] {
        let columns = usize::from(columns);
        if self.broken.as_ref().is_some_and(|broken| broken.columns != columns) {
            self.broken = None;
        }
        let rows = &self.rows;
        &self
            .broken
            .get_or_insert_with(|| Broken { columns, lines: rows.iter().flat_map(|r| r.broken(columns)).collect() })
            .lines
    }

    /// Draws the lines from `scroll` on, which is kept where there are lines.
    pub fn draw(&mut self, buf: &mut Buffer, area: Rect, theme: &Theme, scroll: &mut usize) {
        if area.is_empty() {
            return;
        }
        let lines = self.lines(area.width);
        *scroll = (*scroll).min(lines.len().saturating_sub(usize::from(area.height)));
        for (y, line) in (area.top()..area.bottom()).zip(lines.iter().skip(*scroll)) {
            let spans = line.iter().map(|(ink, text)| Span::styled(text.as_str(), ink.style(theme))).collect();
            put(buf, Rect { y, height: 1, ..area }, spans);
        }
    }
}

impl Row {
    fn broken(&self, columns: usize) -> Vec<Vec<Piece>> {
        let gutter: usize = self.gutter.iter().map(|(_, text)| text::width(text)).sum();
        let lines = flow(&self.pieces, columns.saturating_sub(gutter));
        let left = |at: usize| match self.once && at > 0 {
            true => vec![(Ink::Text, " ".repeat(gutter))],
            false => self.gutter.clone(),
        };
        lines.into_iter().enumerate().map(|(at, line)| left(at).into_iter().chain(line).collect()).collect()
    }
}

/// Printable lines in one ink.
pub fn plain(text: &str, ink: Ink) -> Vec<Vec<Piece>> {
    printable_lines(text).split('\n').map(|line| vec![(ink, line.replace('\t', "    "))]).collect()
}

/// Several pieces with line breaks in them, as lines.
pub fn split(pieces: &[Piece]) -> Vec<Vec<Piece>> {
    let mut lines: Vec<Vec<Piece>> = vec![Vec::new()];
    for (ink, text) in pieces {
        for (at, part) in text.split('\n').enumerate() {
            if at > 0 {
                lines.push(Vec::new());
            }
            if let Some(line) = lines.last_mut().filter(|_| !part.is_empty()) {
                line.push((*ink, part.to_string()));
            }
        }
    }
    lines
}

/// One line broken into parts of at most `columns`, at spaces where there are any. Never empty; nothing but spaces at the
/// breaks is lost.
fn flow(pieces: &[Piece], columns: usize) -> Vec<Vec<Piece>> {
    let columns = columns.max(1);
    let cells: Vec<(Ink, &str)> =
        pieces.iter().flat_map(|(ink, text)| text.graphemes(true).map(|cluster| (*ink, cluster))).collect();
    let (mut lines, mut from) = (Vec::new(), 0);
    while from < cells.len() {
        let (mut used, mut end, mut space) = (0, from, None);
        while let Some((_, cluster)) = cells.get(end) {
            used += text::width(cluster);
            if used > columns && end > from {
                break;
            }
            if *cluster == " " && cells[from..end].iter().any(|(_, before)| *before != " ") {
                space = Some(end);
            }
            end += 1;
        }
        let cut = match space.filter(|_| end < cells.len() && cells[end].1 != " ") {
            Some(space) => space,
            None => end,
        };
        lines.push(gathered(&cells[from..cut]));
        from = cut;
        if from < cells.len() {
            from += cells[from..].iter().take_while(|(_, cluster)| *cluster == " ").count();
        }
    }
    if lines.is_empty() {
        lines.push(Vec::new());
    }
    lines
}

/// Neighbours of one ink as one piece.
fn gathered(cells: &[(Ink, &str)]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for (ink, cluster) in cells {
        match pieces.last_mut() {
            Some((last, text)) if last == ink => text.push_str(cluster),
            _ => pieces.push((*ink, (*cluster).to_string())),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pieces: &[Piece], columns: usize) -> Vec<String> {
        flow(pieces, columns).iter().map(|line| line.iter().map(|(_, text)| text.as_str()).collect()).collect()
    }

    #[test]
    fn lines_break_at_spaces_across_pieces_and_keep_their_ink() {
        let pieces = vec![(Ink::Text, "E is the ".to_string()), (Ink::Bad, "wrong sum here".to_string())];
        assert_eq!(texts(&pieces, 10), ["E is the", "wrong sum", "here"]);
        assert_eq!(flow(&pieces, 10)[1], [(Ink::Bad, "wrong sum".to_string())]);
        assert_eq!(texts(&[(Ink::Text, "  indented text".into())], 10), ["  indented", "text"]);
        assert_eq!(texts(&[(Ink::Text, "abcdefgh".into())], 3), ["abc", "def", "gh"]);
        assert_eq!(texts(&[(Ink::Text, "日本語".into())], 1), ["日", "本", "語"]);
        assert_eq!(texts(&[], 5), [""]);
    }

    #[test]
    fn a_page_follows_its_width_and_keeps_its_scroll_inside() {
        let mut page = Page::default();
        page.guttered(vec![(Ink::Good, "| ".into())], vec![(Ink::Text, "one two three".into())]);
        assert_eq!((page.height(15), page.height(7), page.height(0)), (1, 3, 11));
        let mut other = Page::default();
        other.labelled(vec![(Ink::Good, "a ".into())], vec![(Ink::Text, "one two".into())]);
        assert_eq!(other.lines(5)[1], [(Ink::Text, "  ".to_string()), (Ink::Text, "two".to_string())]);
        let area = Rect::new(0, 0, 7, 2);
        let mut buf = Buffer::empty(area);
        let mut scroll = 99;
        page.draw(&mut buf, area, &Theme::dark(crate::workbench::probe::ColourLevel::True), &mut scroll);
        assert_eq!(scroll, 1);
        let row = |y| (0..7).map(|x| buf[(x, y)].symbol().to_string()).collect::<String>();
        assert_eq!((row(0), row(1)), ("| two  ".to_string(), "| three".to_string()));
    }

    #[test]
    fn pieces_split_at_their_line_breaks() {
        let pieces = vec![(Ink::Text, "a\nb".to_string()), (Ink::Bad, "c\n".to_string())];
        let lines = split(&pieces);
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1], [(Ink::Text, "b".to_string()), (Ink::Bad, "c".to_string())]);
        assert!(lines[2].is_empty());
    }
}
