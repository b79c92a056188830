//! Checkpoints × splits as a table of estimates, for whichever figure is shown: what is drawn, copied and saved.

use serde_json::{Value, json};

use super::read::Found;
use crate::evaluate::{DEV, Estimate, Measure, mean_of_columns};
use crate::export::CheckpointRow;
use crate::pipeline::events::StageKind;
use crate::workbench::sheet::Sheet;

/// What the table shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Figure {
    /// Share of greedy answers that are right.
    #[default]
    Accuracy,
    /// Mean share of right samples.
    Mean,
    /// Unbiased pass@k.
    Pass,
    /// Share of greedy answers that can be read.
    Parsed,
}

impl Figure {
    /// All of them.
    pub const ALL: [Figure; 4] = [Figure::Accuracy, Figure::Mean, Figure::Pass, Figure::Parsed];

    /// The one after this.
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|figure| *figure == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }

    /// Its name, with the n and k of the run.
    pub fn name(self, n: u32, k: u32) -> String {
        match self {
            Figure::Accuracy => "greedy accuracy".to_string(),
            Figure::Mean => format!("mean@{n}"),
            Figure::Pass => format!("pass@{k}"),
            Figure::Parsed => "parse rate".to_string(),
        }
    }

    /// This figure of a measured split; `None` where it was not measured.
    pub fn of(self, measure: &Measure) -> Option<Estimate> {
        match self {
            _ if measure.questions == 0 => None,
            Figure::Accuracy => Some(measure.accuracy),
            Figure::Mean => measure.mean_at_n,
            Figure::Pass => measure.pass_at_k,
            Figure::Parsed => {
                let parsed = (measure.parse_rate * measure.questions as f64).round() as usize;
                Some(Estimate::share(parsed, measure.questions))
            }
        }
    }
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The split; `None` for the average over the reported ones.
    pub split: Option<String>,
    /// Questions, N.
    pub questions: usize,
}

impl Column {
    /// What stands above it.
    pub fn name(&self) -> &str {
        self.split.as_deref().unwrap_or("average")
    }
}

/// Why a checkpoint has no figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// Its evaluation is not complete.
    Pending,
    /// It was measured with another verifier or prompt than the rows before it.
    Otherwise,
}

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The session beside, where it is of another; `None` for the session that is shown.
    pub session: Option<String>,
    /// The checkpoint.
    pub checkpoint: String,
    /// A figure per column; `None` where it was not measured.
    pub cells: Vec<Option<Estimate>>,
    /// Best of its session on dev.
    pub best: bool,
    /// Why it has no figures.
    pub absent: Option<Absent>,
}

/// The table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grid {
    /// What is shown.
    pub figure: Figure,
    /// Samples a question, n, and the k of pass@k.
    pub nk: (u32, u32),
    /// Splits in the order of reports, the average before dev.
    pub columns: Vec<Column>,
    /// Checkpoints in the order of training, each with those of other sessions below it.
    pub rows: Vec<Row>,
}

impl Grid {
    /// The table of what was found.
    pub fn new(found: &Found, figure: Figure) -> Self {
        let results = &found.mine.report.results;
        let measures = || results.checkpoints.iter().flat_map(|row| row.splits.iter());
        let mut columns: Vec<Column> = Vec::new();
        for (split, measure) in measures() {
            if !columns.iter().any(|column| column.name() == split) {
                columns.push(Column { split: Some(split.to_string()), questions: measure.questions });
            }
        }
        let reported = columns.iter().filter(|column| column.name() != DEV).count();
        if reported > 1 {
            let at = columns.iter().position(|column| column.name() == DEV).unwrap_or(columns.len());
            let questions = columns.iter().filter(|c| c.name() != DEV).map(|c| c.questions).sum();
            columns.insert(at, Column { split: None, questions });
        }
        let n = measures().map(|(_, measure)| measure.n).max().unwrap_or(0);
        let mut grid = Self { figure, nk: (n, results.k), columns, rows: Vec::new() };
        grid.fill(found);
        grid
    }

    fn fill(&mut self, found: &Found) {
        let results = &found.mine.report.results;
        let evaluations = found.stages.iter().filter(|stage| stage.kind == StageKind::Evaluate);
        for checkpoint in evaluations.map(|stage| stage.of.as_str()) {
            let measured = results.checkpoints.iter().find(|row| row.checkpoint == checkpoint);
            let best = results.best.as_deref() == Some(checkpoint);
            let otherwise = results.warnings.iter().any(|warning| {
                warning.strip_prefix(checkpoint).is_some_and(|rest| rest.starts_with(" was measured with"))
            });
            let mut row = self.row(None, checkpoint, measured, best);
            row.absent = row.absent.map(|absent| if otherwise { Absent::Otherwise } else { absent });
            self.rows.push(row);
            for neighbour in found.neighbours() {
                let theirs = &neighbour.examined.report.results;
                let row = theirs.checkpoints.iter().find(|row| row.checkpoint == checkpoint);
                if let Some(row) = row.filter(|_| measured.is_some()) {
                    let best = theirs.best.as_deref() == Some(checkpoint);
                    self.rows.push(self.row(Some(neighbour.name()), checkpoint, Some(row), best));
                }
            }
        }
    }

    fn row(&self, session: Option<&str>, checkpoint: &str, measured: Option<&CheckpointRow>, best: bool) -> Row {
        let cells = self.columns.iter().map(|column| measured.and_then(|row| self.cell(row, column))).collect();
        let (session, checkpoint) = (session.map(str::to_string), checkpoint.to_string());
        let absent = measured.is_none().then_some(Absent::Pending);
        Row { session, checkpoint, cells, best, absent }
    }

    fn cell(&self, row: &CheckpointRow, column: &Column) -> Option<Estimate> {
        match &column.split {
            Some(split) => row.splits.get(split).and_then(|measure| self.figure.of(measure)),
            None => {
                // A split without the figure leaves the average without one.
                let columns: Option<Vec<Estimate>> = row.splits.reported().map(|(_, m)| self.figure.of(m)).collect();
                columns.filter(|columns| columns.len() > 1).map(|columns| mean_of_columns(&columns))
            }
        }
    }

    /// Rows with the highest figure of a column.
    pub fn highest(&self, column: usize) -> Vec<usize> {
        let value = |row: &Row| row.cells.get(column).copied().flatten().map(|cell| cell.value);
        let top = self.rows.iter().filter_map(value).fold(f64::NEG_INFINITY, f64::max);
        let several = self.rows.iter().filter(|row| value(row).is_some()).count() > 1;
        let at_top = |(at, row): (usize, &Row)| (value(row) == Some(top)).then_some(at);
        if several { self.rows.iter().enumerate().filter_map(at_top).collect() } else { Vec::new() }
    }

    /// As a table to save: value and both ends of the interval in columns of their own.
    pub fn sheet(&self, session: &str) -> Sheet {
        let figure = self.figure.name(self.nk.0, self.nk.1);
        let mut columns = vec!["session".to_string(), "checkpoint".to_string(), "best on dev".to_string()];
        for column in &self.columns {
            let name = column.name();
            let heads =
                [format!("{name} {figure}"), format!("{name} low"), format!("{name} high"), format!("{name} N")];
            columns.extend(heads);
        }
        let number = |cell: Option<f64>| cell.map_or(Value::Null, |value| json!(value));
        let row = |row: &Row| {
            let session = row.session.as_deref().unwrap_or(session);
            let mut cells = vec![json!(session), json!(row.checkpoint), json!(row.best)];
            for (cell, column) in row.cells.iter().zip(&self.columns) {
                let ends = [cell.map(|c| c.value), cell.map(|c| c.low), cell.map(|c| c.high)];
                cells.extend(ends.map(number));
                cells.push(if cell.is_some() { json!(column.questions) } else { Value::Null });
            }
            cells
        };
        let rows = self.rows.iter().filter(|row| row.absent.is_none()).map(row).collect();
        Sheet { name: "evaluation".to_string(), columns, rows }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn estimate(value: f64) -> Option<Estimate> {
        Some(Estimate { value, low: value - 0.1, high: value + 0.1 })
    }

    fn grid(rows: &[(&str, [Option<Estimate>; 2])]) -> Grid {
        let column = |split: Option<&str>| Column { split: split.map(str::to_string), questions: 10 };
        let row = |(checkpoint, cells): &(&str, [Option<Estimate>; 2])| Row {
            session: None,
            checkpoint: (*checkpoint).to_string(),
            cells: cells.to_vec(),
            best: *checkpoint == "b",
            absent: cells.iter().all(Option::is_none).then_some(Absent::Pending),
        };
        let columns = vec![column(Some("test")), column(None)];
        Grid { figure: Figure::Accuracy, nk: (8, 8), columns, rows: rows.iter().map(row).collect() }
    }

    #[test]
    fn the_highest_of_a_column_is_told_among_several_and_shared_by_equals() {
        let several = grid(&[
            ("a", [estimate(0.5), estimate(0.4)]),
            ("b", [estimate(0.7), None]),
            ("c", [estimate(0.7), None]),
            ("d", [None, None]),
        ]);
        assert_eq!(several.highest(0), [1, 2]);
        assert!(several.highest(1).is_empty(), "one alone is no highest");
        assert!(several.highest(9).is_empty());
    }

    #[test]
    fn a_saved_table_keeps_intervals_and_gaps_and_leaves_out_what_was_not_measured() {
        let sheet = grid(&[("b", [estimate(0.5), None]), ("d", [None, None])]).sheet("demo-1");
        assert_eq!(sheet.rows.len(), 1);
        assert_eq!(sheet.columns[3..7], ["test greedy accuracy", "test low", "test high", "test N"]);
        let row = &sheet.rows[0];
        assert_eq!((&row[0], &row[1], &row[2]), (&json!("demo-1"), &json!("b"), &json!(true)));
        assert_eq!((&row[3], &row[6], &row[7], &row[10]), (&json!(0.5), &json!(10), &Value::Null, &Value::Null));
        assert_eq!(sheet.columns.len(), row.len());
    }

    #[test]
    fn a_split_without_questions_has_no_figure() {
        let measure = Measure { questions: 20, parse_rate: 0.95, ..Measure::default() };
        let parsed = Figure::Parsed.of(&measure).unwrap();
        assert!((parsed.value - 0.95).abs() < 1e-12 && parsed.low < 0.95 && parsed.high > 0.95);
        assert_eq!(Figure::Pass.of(&measure), None);
        assert_eq!(Figure::Accuracy.of(&Measure::default()), None);
        let names: Vec<String> = Figure::ALL.iter().map(|figure| figure.name(8, 4)).collect();
        assert_eq!(names, ["greedy accuracy", "mean@8", "pass@4", "parse rate"]);
        assert_eq!(Figure::Parsed.next(), Figure::Accuracy);
    }
}
