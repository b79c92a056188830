//! An evaluation as a table for a terminal, as CSV and as Markdown.

use std::fmt::{self, Write as _};

use super::accuracy::plus_minus;
use super::percent;
use super::table::{Table, wrapped};
use crate::evaluate::{Estimate, Figures};
use crate::export::evaluation::{BenchmarkRow, Evaluation};

const NONE: &str = "·";
/// Hexadecimal digits of a hash that a table shows.
const DIGITS: usize = 12;

impl Evaluation {
    fn ks(&self) -> Vec<u32> {
        let mut ks: Vec<u32> = self.benchmarks.iter().flat_map(|row| row.figures.pass_at_k.keys().copied()).collect();
        ks.sort_unstable();
        ks.dedup();
        ks
    }

    fn n(&self) -> u32 {
        self.benchmarks.iter().map(|row| row.figures.n).max().unwrap_or(0)
    }

    /// Names of the columns of figures, and each row's cells.
    fn figures(&self) -> (Vec<String>, impl Fn(&Figures) -> Vec<String> + use<>) {
        let (n, ks) = (self.n(), self.ks());
        let mut names = vec!["accuracy".to_string(), "readable".into(), "cut".into(), "tokens".into()];
        if n > 0 {
            names.push(format!("mean@{n}"));
            names.extend(ks.iter().map(|k| format!("pass@{k}")));
        }
        let cells = move |f: &Figures| {
            let or_none = |e: Option<&Estimate>| e.map_or_else(|| NONE.into(), plus_minus);
            let mut cells = vec![
                plus_minus(&f.accuracy),
                percent(f.parse_rate.value),
                percent(f.cut),
                format!("{:.0}", f.mean_tokens),
            ];
            if n > 0 {
                cells.push(or_none(f.mean_at_n.as_ref()));
                cells.extend(ks.iter().map(|k| or_none(f.pass_at_k.get(k))));
            }
            cells
        };
        (names, cells)
    }

    fn drawn(&self) -> String {
        let greedy = format!("greedy answers of at most {} tokens", self.max_new_tokens);
        match self.n() {
            0 => greedy,
            n => format!("{greedy} · {n} samples at T={} top-p={}", self.sampling.temperature, self.sampling.top_p),
        }
    }

    /// The figures as Markdown: one table, its provenance beneath.
    pub fn markdown(&self) -> String {
        let (names, cells) = self.figures();
        let mut text = String::new();
        // Writing to a String cannot fail.
        let mut line = |cells: &[String]| {
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        };
        let header = ["benchmark", "N"].map(String::from).into_iter().chain(names).chain(["sha256".into()]);
        let header: Vec<String> = header.collect();
        line(&header);
        line(&vec!["---".to_string(); header.len()]);
        for row in &self.benchmarks {
            let mut of = vec![escaped(&row.benchmark), row.figures.questions.to_string()];
            of.extend(cells(&row.figures));
            of.push(short(&row.sha256));
            line(&of);
        }
        let mut mean = vec!["mean".to_string(), String::new()];
        mean.extend(cells(&self.average));
        mean.push(String::new());
        line(&mean);
        let _ = writeln!(text, "\n{}; % ± half a 95 % interval; {}.", escaped(&self.student), self.drawn());
        text
    }

    /// The figures as CSV, a row per benchmark and one for the mean; shares in [0, 1].
    pub fn csv(&self) -> String {
        let (n, ks) = (self.n(), self.ks());
        let mut names: Vec<String> =
            ["benchmark", "questions", "rows", "sha256", "verifier", "prompt"].map(String::from).into();
        let estimate = |name: &str| [name.to_string(), format!("{name}_low"), format!("{name}_high")];
        names.extend(estimate("accuracy").into_iter().chain(estimate("parse_rate")));
        names.extend(["cut", "mean_tokens", "n"].map(String::from));
        if n > 0 {
            names.extend(estimate(&format!("mean@{n}")));
            names.extend(ks.iter().flat_map(|k| estimate(&format!("pass@{k}"))));
        }
        let mut text = names.join(",") + "\n";
        let mean = BenchmarkRow { benchmark: "mean".into(), figures: self.average.clone(), ..BenchmarkRow::default() };
        for row in self.benchmarks.iter().chain([&mean]) {
            let f = &row.figures;
            let ends = |e: Option<&Estimate>| -> [String; 3] {
                e.map_or_else(Default::default, |e| [e.value, e.low, e.high].map(|share| format!("{share:.6}")))
            };
            let mut cells = vec![quoted(&row.benchmark), f.questions.to_string(), row.rows.to_string()];
            cells.extend([row.sha256.clone(), row.verifier.clone(), row.prompt.clone()]);
            cells.extend(ends(Some(&f.accuracy)).into_iter().chain(ends(Some(&f.parse_rate))));
            cells.extend([format!("{:.6}", f.cut), format!("{:.2}", f.mean_tokens), f.n.to_string()]);
            if n > 0 {
                cells.extend(ends(f.mean_at_n.as_ref()));
                cells.extend(ks.iter().flat_map(|k| ends(f.pass_at_k.get(k))));
            }
            text.push_str(&(cells.join(",") + "\n"));
        }
        text
    }
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.complete { "complete" } else { "as far as it has come" };
        writeln!(f, "{} · {state}", self.session)?;
        writeln!(f, "{}", wrapped(&format!("student {} · seed {} · {}", self.student, self.seed, self.drawn())))?;
        let (names, cells) = self.figures();
        let header = ["benchmark", "N"].map(String::from).into_iter().chain(names);
        let mut table = Table::new(header);
        for row in &self.benchmarks {
            let n = match row.figures.questions {
                n if n == row.asked => n.to_string(),
                n => format!("{n} of {}", row.asked),
            };
            table.row([row.benchmark.clone(), n].into_iter().chain(cells(&row.figures)));
        }
        table.row(["mean of these".to_string(), String::new()].into_iter().chain(cells(&self.average)));
        writeln!(f, "\n% ± half a 95 % interval; the mean counts benchmarks alike\n{table}")?;
        let mut files =
            Table::new(["benchmark", "N", "of", "verifier", "prompt", "sha256", "file"]).left(&[0, 3, 4, 5, 6]);
        for row in &self.benchmarks {
            let file = row.file.rsplit(['/', '\\']).next().unwrap_or_default();
            let counts = [row.asked.to_string(), row.rows.to_string()];
            let measured = [row.verifier.clone(), row.prompt.clone(), short(&row.sha256), file.to_string()];
            files.row([row.benchmark.clone()].into_iter().chain(counts).chain(measured));
        }
        writeln!(f, "\nMeasured with\n{files}")?;
        for row in &self.benchmarks {
            for note in &row.notes {
                writeln!(f, "{}", wrapped(&format!("{}: {note}", row.benchmark)))?;
            }
        }
        Ok(())
    }
}

fn short(hash: &str) -> String {
    hash.chars().take(DIGITS).collect()
}

/// Safe in a Markdown table.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|")
}

/// A CSV field.
fn quoted(text: &str) -> String {
    let plain = !text.contains(['"', ',', '\n', '\r']);
    if plain { text.to_string() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}
