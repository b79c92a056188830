//! The report as tables for a terminal.

use std::fmt::{self, Write as _};

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, ContentArrangement, Table, TableComponent};

use super::report::{CheckpointRow, Report, Results};
use crate::evaluate::{Estimate, Measure};

/// A share in percent.
fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}

/// A share in percent with its interval.
fn with_interval(estimate: &Estimate) -> String {
    format!("{:.1} [{:.1}, {:.1}]", 100.0 * estimate.value, 100.0 * estimate.low, 100.0 * estimate.high)
}

fn optional(estimate: Option<&Estimate>) -> String {
    estimate.map_or_else(|| "·".into(), |e| percent(e.value))
}

/// Columns of a report, whatever the terminal: a report in a file is the same as one on a screen.
const COLUMNS: u16 = 120;

/// A table whose columns but the first are aligned right, one line per row where that fits.
fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY).set_header(header);
    table.remove_style(TableComponent::HorizontalLines).remove_style(TableComponent::MiddleIntersections);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(COLUMNS);
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.lines().map(|line| line.trim_end().to_string()).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.complete { "complete" } else { "as far as it has come" };
        writeln!(f, "{} · {state}", self.session)?;
        write!(f, "{}", self.results)?;
        if !self.timing.is_empty() {
            let rows = self.timing.iter().map(|t| {
                vec![
                    t.stage.clone(),
                    format!("{:.1}", t.seconds),
                    t.tokens.to_string(),
                    format!("{:.0}", t.rate),
                    t.summary.clone(),
                ]
            });
            let mut text = table(&["stage", "seconds", "tokens", "tokens/s", "what came out"], rows.collect());
            let seconds: f64 = self.timing.iter().map(|t| t.seconds).sum();
            write!(text, "\nall stages {seconds:.1} s")?;
            writeln!(f, "\nTime, on this machine\n{text}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {} · arm {} · verifier {} · prompt {}", self.seed, self.arm, self.verifier, self.prompt)?;
        if !self.checkpoints.is_empty() {
            accuracy(self, f)?;
            sampled(self, f)?;
            steps(self, f)?;
        }
        questions(self, f)?;
        lessons(self, f)?;
        for warning in &self.warnings {
            writeln!(f, "\nwarning: {warning}")?;
        }
        Ok(())
    }
}

/// The splits in the order they are reported, the dev split last.
fn splits(results: &Results) -> Vec<String> {
    let mut splits: Vec<String> = results.checkpoints.iter().flat_map(|c| c.splits.keys().cloned()).collect();
    splits.sort_by_key(|s| (s == "dev", s != "test", s.clone()));
    splits.dedup();
    splits
}

fn cell<'a>(row: &'a CheckpointRow, split: &str, of: impl Fn(&'a Measure) -> String) -> String {
    row.splits.get(split).map_or_else(|| "·".into(), of)
}

fn accuracy(results: &Results, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let splits = splits(results);
    let mut header: Vec<String> = vec!["checkpoint".into()];
    for split in &splits {
        let n = results.checkpoints.iter().find_map(|c| c.splits.get(split)).map_or(0, |m| m.questions);
        header.push(format!("{split} (N={n})"));
    }
    header.push("mean, dev apart".into());
    let rows = results.checkpoints.iter().map(|row| {
        let mark = if results.best.as_ref() == Some(&row.checkpoint) { " ★" } else { "" };
        let mut cells = vec![format!("{}{mark}", row.checkpoint)];
        cells.extend(splits.iter().map(|s| cell(row, s, |m| with_interval(&m.accuracy))));
        cells.push(with_interval(&row.mean));
        cells
    });
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    writeln!(f, "\nGreedy accuracy, % with 95 % interval (★ best on dev)\n{}", table(&header, rows.collect()))
}

fn sampled(results: &Results, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let splits: Vec<String> = splits(results).into_iter().filter(|s| s != "dev").collect();
    let mut header = vec!["checkpoint".to_string()];
    let n = results.checkpoints.iter().flat_map(|c| c.splits.values()).map(|m| m.n).max().unwrap_or(0);
    for what in [format!("mean@{n}"), "pass@k".into(), "parsed".into(), "no ####first".into(), "length".into()] {
        header.extend(splits.iter().map(|s| format!("{what} {s}")));
    }
    let rows = results.checkpoints.iter().map(|row| {
        let mut cells = vec![row.checkpoint.clone()];
        cells.extend(splits.iter().map(|s| cell(row, s, |m| optional(m.mean_at_n.as_ref()))));
        cells.extend(splits.iter().map(|s| cell(row, s, |m| optional(m.pass_at_k.as_ref()))));
        cells.extend(splits.iter().map(|s| cell(row, s, |m| percent(m.parse_rate))));
        cells.extend(splits.iter().map(|s| cell(row, s, |m| optional(m.control.as_ref()))));
        cells.extend(splits.iter().map(|s| cell(row, s, |m| format!("{:.0}", m.mean_tokens))));
        cells
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let per = splits.len();
    for (i, title) in [
        "Sampled, % : mean@n and pass@k",
        "Controls: share with a readable answer, and accuracy with the answer marker banned as first token",
    ]
    .iter()
    .enumerate()
    {
        let (from, to) = if i == 0 { (1, 1 + 2 * per) } else { (1 + 2 * per, header.len()) };
        let pick = |row: &[String]| -> Vec<String> {
            row.iter().enumerate().filter(|(j, _)| *j == 0 || (from..to).contains(j)).map(|(_, c)| c.clone()).collect()
        };
        let header = pick(&header);
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        writeln!(f, "\n{title}\n{}", table(&header, rows.iter().map(|r| pick(r)).collect()))?;
    }
    Ok(())
}

fn steps(results: &Results, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut columns: Vec<u32> = results.checkpoints.iter().flat_map(|c| c.by_steps.keys().copied()).collect();
    columns.sort_unstable();
    columns.dedup();
    if columns.is_empty() {
        return Ok(());
    }
    let header: Vec<String> =
        std::iter::once("checkpoint".to_string()).chain(columns.iter().map(|s| format!("{s} steps"))).collect();
    let rows = results.checkpoints.iter().map(|row| {
        std::iter::once(row.checkpoint.clone())
            .chain(columns.iter().map(|s| row.by_steps.get(s).map_or_else(|| "·".into(), with_interval)))
            .collect()
    });
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    writeln!(f, "\nTest accuracy by number of solution steps, %\n{}", table(&header, rows.collect()))
}

fn questions(results: &Results, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if !results.bands.is_empty() {
        let rows = results.bands.iter().map(|b| {
            let [simple, medium, hard] = b.counts;
            let how = format!("n={} T={} top-p={}", b.n, b.sampling.temperature, b.sampling.top_p);
            vec![
                b.checkpoint.clone(),
                simple.to_string(),
                medium.to_string(),
                hard.to_string(),
                b.never.to_string(),
                how,
            ]
        });
        let text =
            table(&["training questions under", "simple", "medium", "hard", "never right", "sampling"], rows.collect());
        writeln!(f, "\nDifficulty\n{text}")?;
    }
    if !results.all_zero.is_empty() {
        let rows = results.all_zero.iter().map(|z| {
            let how = format!("G={} T={} top-p={}", z.group, z.sampling.temperature, z.sampling.top_p);
            vec![z.checkpoint.clone(), with_interval(&z.share), how]
        });
        writeln!(f, "\nAll-zero groups, %\n{}", table(&["rollouts of", "share", "sampling"], rows.collect()))?;
    }
    Ok(())
}

fn lessons(results: &Results, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if !results.actions.is_empty() {
        let all: usize = results.actions.values().sum();
        let parts: Vec<String> = results
            .actions
            .iter()
            .map(|(action, n)| format!("{action} {n} ({} %)", percent(*n as f64 / all as f64)))
            .collect();
        writeln!(f, "\nBridge actions over {all} steps: {}", parts.join(" · "))?;
    }
    if !results.samples.is_empty() {
        let rows = results
            .samples
            .iter()
            .map(|s| vec![s.stage.clone(), s.kind.clone(), s.count.to_string(), s.tokens.to_string()]);
        writeln!(f, "\nTraining texts\n{}", table(&["stage", "kind", "texts", "trained tokens"], rows.collect()))?;
    }
    for (iteration, types) in &results.errors {
        let parts: Vec<String> = types.iter().map(|(error, n)| format!("{error} {n}")).collect();
        writeln!(f, "\nRecycled in iteration {iteration}, by error type: {}", parts.join(" · "))?;
    }
    if results.in_review > 0 {
        writeln!(f, "\n{} products of the teacher wait for review and were not trained on", results.in_review)?;
    }
    if !results.grpo.is_empty() {
        let pair = |[a, b]: [f64; 2]| format!("{a:.3} → {b:.3}");
        let rows = results.grpo.iter().map(|g| {
            let length = format!("{:.0} → {:.0}", g.length[0], g.length[1]);
            vec![
                g.stage.clone(),
                g.steps.to_string(),
                pair(g.reward),
                pair(g.above_before),
                format!("{:.4}", g.kl),
                length,
            ]
        });
        let header = ["stage", "steps", "reward", "reward above before", "KL", "length"];
        writeln!(f, "\nGRPO, first → last quarter of the steps\n{}", table(&header, rows.collect()))?;
    }
    Ok(())
}
