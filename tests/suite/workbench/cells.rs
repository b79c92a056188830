//! A screen cell by cell, as a terminal understands what is written to it: characters, and styles in letters.

use std::collections::BTreeMap;
use std::fmt::Write;

use footbridge::workbench::theme::Theme;
use footbridge::workbench::theme::ink::Rgb;

use super::stand::Stand;

/// What one cell is drawn with. Colours that are not set are the terminal's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ink {
    front: Option<[u8; 3]>,
    ground: Option<[u8; 3]>,
    bold: bool,
    dim: bool,
    italic: bool,
    underlined: bool,
    reversed: bool,
}

/// The screen of one moment in one theme, row by row.
pub struct Cells {
    pub text: Vec<Vec<String>>,
    pub inks: Vec<Vec<Ink>>,
}

fn colour(colour: vt100::Color) -> Option<[u8; 3]> {
    match colour {
        vt100::Color::Default => None,
        vt100::Color::Rgb(r, g, b) => Some([r, g, b]),
        vt100::Color::Idx(index) => panic!("colour {index} of a palette where there are all colours"),
    }
}

impl Cells {
    /// What a terminal shows of the next frame.
    pub fn of(stand: &mut Stand, columns: u16, rows: u16) -> Self {
        let terminal = stand.terminal(columns, rows);
        let cell = |row, column| terminal.screen().cell(row, column).unwrap();
        let text = |row, column| match cell(row, column) {
            cell if cell.is_wide_continuation() => String::new(),
            cell if cell.has_contents() => cell.contents().to_string(),
            _ => " ".to_string(),
        };
        let ink = |row, column| {
            let cell = cell(row, column);
            Ink {
                front: colour(cell.fgcolor()),
                ground: colour(cell.bgcolor()),
                bold: cell.bold(),
                dim: cell.dim(),
                italic: cell.italic(),
                underlined: cell.underline(),
                reversed: cell.inverse(),
            }
        };
        Self {
            text: (0..rows).map(|row| (0..columns).map(|column| text(row, column)).collect()).collect(),
            inks: (0..rows).map(|row| (0..columns).map(|column| ink(row, column)).collect()).collect(),
        }
    }

    /// The text, line by line.
    pub fn lines(&self) -> Vec<String> {
        self.text.iter().map(|row| row.concat().trim_end().to_string()).collect()
    }
}

impl Ink {
    /// Text and background as they are seen in a theme.
    pub fn seen(&self, theme: &Theme) -> (Rgb, Rgb) {
        let rgb = |set: Option<[u8; 3]>, own| set.map_or(own, |[r, g, b]| Rgb(r, g, b));
        let (front, ground) = (rgb(self.front, theme.foreground), rgb(self.ground, theme.background));
        if self.reversed { (ground, front) } else { (front, ground) }
    }

    /// As the legend says it: `#e69f00 on #242c38 bold`.
    fn words(&self) -> String {
        let hex = |[r, g, b]: [u8; 3]| format!("#{r:02x}{g:02x}{b:02x}");
        let mut words = self.front.map_or("-".to_string(), hex);
        if let Some(ground) = self.ground {
            let _ = write!(words, " on {}", hex(ground));
        }
        let ways = [self.bold, self.dim, self.italic, self.underlined, self.reversed];
        for (_, way) in ways.iter().zip(["bold", "dim", "italic", "lined", "rev"]).filter(|(set, _)| **set) {
            let _ = write!(words, " {way}");
        }
        words
    }
}

/// Letters of the legend, after the blank.
fn letters() -> impl Iterator<Item = char> {
    ('a'..='z').chain('A'..='Z').chain('0'..='9').chain("!#$%&*+=?@".chars())
}

/// One screen in several themes: its text, which is the same in all; the same cells in letters of styles, blank for
/// the commonest; and what a letter is in each theme.
pub fn in_themes(names: &[&str], screens: &[Cells]) -> String {
    let first = &screens[0];
    let styles = |row: usize, column: usize| screens.iter().map(|s| s.inks[row][column]).collect::<Vec<Ink>>();
    let all: Vec<Vec<Vec<Ink>>> = (0..first.text.len())
        .map(|row| (0..first.text[row].len()).map(|column| styles(row, column)).collect())
        .collect();
    let mut counts: BTreeMap<&Vec<Ink>, usize> = BTreeMap::new();
    for style in all.iter().flatten() {
        *counts.entry(style).or_default() += 1;
    }
    let commonest = *counts.iter().max_by_key(|(_, count)| **count).unwrap().0;
    let mut legend: Vec<(char, &Vec<Ink>)> = vec![(' ', commonest)];
    let mut rest = letters();
    let mut grid = String::new();
    for row in &all {
        let mut line = String::new();
        for style in row {
            let letter = legend.iter().find(|(_, known)| *known == style).map(|(letter, _)| *letter);
            line.push(letter.unwrap_or_else(|| {
                let letter = rest.next().expect("more styles on one screen than letters");
                legend.push((letter, style));
                letter
            }));
        }
        let _ = writeln!(grid, "{}", line.trim_end());
    }
    let text: String = first.lines().iter().map(|line| format!("{line}\n")).collect();
    format!("{text}\n== styles ==\n{grid}\n== legend ==\n{}", table(names, &legend))
}

fn table(names: &[&str], legend: &[(char, &Vec<Ink>)]) -> String {
    let mut rows = vec![(' ', names.iter().map(ToString::to_string).collect::<Vec<_>>())];
    rows.extend(legend.iter().map(|(letter, inks)| (*letter, inks.iter().map(Ink::words).collect())));
    let width = |at: usize| rows.iter().map(|(_, words)| words[at].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..names.len()).map(width).collect();
    let line = |(letter, words): &(char, Vec<String>)| {
        let cells: String = words.iter().zip(&widths).map(|(word, width)| format!("  {word:width$}")).collect();
        format!("{letter}{}\n", cells.trim_end())
    };
    rows.iter().map(line).collect()
}
