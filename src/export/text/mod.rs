//! The report as tables for a terminal of 100 columns.
//!
//! `±` is half the width of a 95 % interval; where an interval is lopsided (small counts) both ends are shown. The exact
//! ends are in the JSON form.

mod accuracy;
mod beside;
mod evaluation;
mod sources;
mod table;
mod training;

use std::fmt;

use super::report::{Report, Results};
use crate::teacher::Usage;
pub(crate) use table::{Table, wrapped};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [done, all] = self.stages;
        match (self.complete, self.timing.last()) {
            (true, _) => writeln!(f, "{} · complete", self.session)?,
            (false, None) => writeln!(f, "{} · no stage is complete yet ({all} to come)", self.session)?,
            (false, Some(last)) => {
                writeln!(f, "{} · as far as it has come: {done} of {all} stages, last {}", self.session, last.stage)?;
            }
        }
        write!(f, "{}", self.results)?;
        if let Some(side) = &self.beside {
            beside::write(side, &self.results, f)?;
        }
        spending(self, f)?;
        time(self, f)
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_none = |hash: &str| if hash.is_empty() { "none yet".to_string() } else { hash.to_string() };
        writeln!(
            f,
            "seed {} · arm {} · verifier {} · prompt {} · questions {}",
            self.seed,
            self.arm,
            self.verifier,
            or_none(&self.prompt),
            or_none(&self.data)
        )?;
        if !self.checkpoints.is_empty() {
            accuracy::write(self, f)?;
        }
        sources::write(self, f)?;
        training::write(self, f)?;
        for warning in &self.warnings {
            writeln!(f, "\n{}", wrapped(&format!("warning: {warning}")))?;
        }
        Ok(())
    }
}

fn time(report: &Report, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if report.timing.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(["stage", "seconds", "tokens", "tokens/s", "what came out"]).left(&[0, 4]);
    for t in &report.timing {
        // What an evaluation came to stands in the tables above.
        let summary = if t.stage.contains("-evaluate-") { String::new() } else { t.summary.clone() };
        let rate = if t.tokens == 0 { String::new() } else { format!("{:.0}", t.rate) };
        let tokens = if t.tokens == 0 { String::new() } else { t.tokens.to_string() };
        table.row([t.stage.clone(), format!("{:.1}", t.seconds), tokens, rate, summary]);
    }
    let seconds: f64 = report.timing.iter().map(|t| t.seconds).sum();
    let tokens: u64 = report.timing.iter().map(|t| t.tokens).sum();
    table.row(["all".into(), format!("{seconds:.1}"), tokens.to_string(), String::new(), String::new()]);
    writeln!(f, "\nTime, on this machine\n{table}")
}

fn spending(report: &Report, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if report.spending.is_empty() {
        return Ok(());
    }
    let header = ["asked for", "calls", "from cache", "again", "failed", "tokens in", "tokens out", "cost"];
    let mut table = Table::new(header);
    let all = report.spending.values().copied().sum::<Usage>();
    let rows = report.spending.iter().map(|(name, usage)| (name.clone(), *usage)).chain([("all".to_string(), all)]);
    for (name, u) in rows {
        let counts = [u.calls, u.cached, u.retries, u.failed, u.prompt_tokens, u.completion_tokens];
        let counts = counts.into_iter().map(|n| n.to_string());
        table.row(std::iter::once(name).chain(counts).chain([format!("{:.4}", u.cost)]));
    }
    writeln!(f, "\nCalls of the model teacher\n{table}")?;
    if all.estimated > 0 {
        writeln!(f, "{} answers came without a count of tokens; four characters were taken for one", all.estimated)?;
    }
    if all.unsaid > 0 {
        writeln!(f, "{} calls broke off under way; what the server charged for them is not known", all.unsaid)?;
    }
    Ok(())
}

/// A share in percent.
fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}
