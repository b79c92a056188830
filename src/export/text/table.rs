//! Compact tables: one rule under the header, no trailing blanks, 100 columns at most where a column can wrap.

use std::fmt;

use comfy_table::{CellAlignment, ContentArrangement};

/// Columns of the terminal the report is made for.
pub(super) const WIDTH: usize = 100;
/// A rule under the header and nothing else.
const ONE_RULE: &str = "     ─             ";

/// Rows under a header; columns are aligned right unless said otherwise.
pub(crate) struct Table {
    header: Vec<String>,
    left: Vec<usize>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns, the first aligned left.
    pub fn new<S: Into<String>>(header: impl IntoIterator<Item = S>) -> Self {
        Self { header: header.into_iter().map(Into::into).collect(), left: vec![0], rows: Vec::new() }
    }

    /// Aligns these columns left.
    pub fn left(mut self, columns: &[usize]) -> Self {
        self.left = columns.to_vec();
        self
    }

    /// Adds a column, aligned right.
    pub fn column(&mut self, header: String) {
        self.header.push(header);
    }

    /// With these rows.
    pub fn filled(mut self, rows: Vec<Vec<String>>) -> Self {
        self.rows = rows;
        self
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = comfy_table::Table::new();
        table.load_preset(ONE_RULE).set_header(&self.header);
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH as u16);
        for row in &self.rows {
            table.add_row(row);
        }
        let last = self.header.len().saturating_sub(1);
        for (at, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, if at == last { 0 } else { 2 }));
            if !self.left.contains(&at) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_string()).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// Cells of more characters stand two blanks apart.
const WIDE: usize = 7;

/// Several short columns under one title, as one column of a [`Table`]: `title` above, then a name per column.
pub(super) struct Group {
    widths: Vec<usize>,
    /// The two lines of the header.
    pub header: String,
}

impl Group {
    /// Columns of at least `width`, with these names.
    pub fn new(title: &str, names: &[String], width: usize) -> Self {
        let widths: Vec<usize> = names.iter().map(|n| n.chars().count().max(width)).collect();
        let line = aligned(&widths, names);
        let header = format!("{title:^w$}\n{line}", w = line.chars().count());
        Self { widths, header }
    }

    /// Characters of a row's cell.
    pub fn width(&self) -> usize {
        self.widths.iter().sum::<usize>() + gap(&self.widths).len() * self.widths.len().saturating_sub(1)
    }

    /// A row's cell.
    pub fn cell(&self, values: &[String]) -> String {
        aligned(&self.widths, values)
    }
}

fn aligned(widths: &[usize], values: &[String]) -> String {
    let cells: Vec<String> = widths.iter().zip(values).map(|(w, value)| format!("{value:>w$}", w = *w)).collect();
    cells.join(gap(widths))
}

/// What stands between the columns of a group: wide cells need more.
fn gap(widths: &[usize]) -> &'static str {
    if widths.iter().any(|width| *width > WIDE) { "  " } else { " " }
}

/// Text broken at spaces, its further lines indented.
pub(crate) fn wrapped(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.trim().is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(std::mem::replace(&mut line, format!("  {word}")));
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.push(line);
    lines.join("\n")
}

/// `lead` and its parts with `·` between them, broken only between parts.
pub(super) fn listed(lead: &str, parts: &[String]) -> String {
    let mut lines = vec![lead.to_string()];
    for (at, part) in parts.iter().enumerate() {
        let part = if at + 1 < parts.len() { format!(" {part} ·") } else { format!(" {part}") };
        match lines.last_mut() {
            Some(line) if line.chars().count() + part.chars().count() <= WIDTH => line.push_str(&part),
            _ => lines.push(format!(" {part}")),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_rule_and_no_trailing_blanks() {
        let mut table = Table::new(["name", "n"]);
        table.row(["a".into(), "1".into()]);
        table.row(["longer".into(), "10".into()]);
        assert_eq!(table.to_string(), "name     n\n──────────\na        1\nlonger  10");
    }

    #[test]
    fn groups_keep_their_columns_under_their_names() {
        let group = Group::new("pass@8", &["test".into(), "b".into()], 5);
        assert_eq!(group.header, "  pass@8   \n test     b");
        let mut table = Table::new(["\ncheckpoint".to_string(), group.header.clone()]);
        table.row(["base".into(), group.cell(&["75.2".into(), "9.0".into()])]);
        let text = table.to_string();
        assert!(text.lines().all(|line| line == line.trim_end()), "{text}");
        assert!(text.contains("checkpoint   test     b\n") && text.ends_with("base         75.2   9.0"), "{text}");
    }

    #[test]
    fn long_lines_break_at_spaces() {
        let text = wrapped(&"word ".repeat(50));
        assert!(text.lines().count() > 1 && text.lines().all(|line| line.chars().count() <= WIDTH));
        let parts: Vec<String> = (0..30).map(|n| format!("part {n}")).collect();
        let text = listed("lead:", &parts);
        assert!(text.starts_with("lead: part 0 · part 1 ·") && text.ends_with("part 29"));
        assert!(text.lines().count() > 1 && text.lines().all(|line| line.chars().count() <= WIDTH));
        assert!(text.lines().all(|line| !line.ends_with("part")), "parts stay whole");
    }
}
