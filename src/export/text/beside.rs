//! Other sessions at the side of the reported one.

use std::fmt;

use super::accuracy::{LONG, both_ends, cell, differences, plus_minus, splits};
use super::table::{Table, wrapped};
use crate::evaluate::DEV;
use crate::export::beside::{Beside, BesideRow, BesideSession};
use crate::export::report::Results;

pub(super) fn write(side: &Beside, results: &Results, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let all = || side.sessions.iter().flat_map(|s| s.rows.iter().map(move |row| (s, row)));
    let splits: Vec<String> = splits(all().map(|(_, r)| &r.row)).into_iter().filter(|s| s != DEV).collect();
    let mut checkpoints: Vec<&str> = Vec::new();
    for (_, row) in all() {
        if !checkpoints.contains(&row.row.checkpoint.as_str()) {
            checkpoints.push(&row.row.checkpoint);
        }
    }
    let header = ["checkpoint", "session", "arm"].map(String::from).into_iter();
    let steps = all().any(|(_, r)| r.row.by_steps.contains_key(&LONG));
    let long = steps.then(|| format!("{LONG} steps"));
    let header = header.chain(splits.iter().cloned()).chain(["mean".into()]).chain(long);
    let mut figures = Table::new(header).left(&[0, 1, 2]);
    let mut sizes =
        Table::new(["checkpoint", "session", "seed", "updates", "trained tokens", "peak rate"]).left(&[0, 1]);
    let mut trained = false;
    for checkpoint in checkpoints {
        let rows: Vec<(&BesideSession, &BesideRow)> = all().filter(|(_, r)| r.row.checkpoint == checkpoint).collect();
        for (at, (session, BesideRow { row, sft })) in rows.iter().enumerate() {
            let name = if at == 0 { checkpoint.to_string() } else { String::new() };
            let mut cells = vec![name.clone(), session.session.clone(), session.arm.clone()];
            cells.extend(splits.iter().map(|s| cell(row, s, |m| plus_minus(&m.accuracy))));
            cells.push(plus_minus(&row.mean));
            if steps {
                cells.push(row.by_steps.get(&LONG).map_or_else(|| "·".into(), both_ends));
            }
            figures.row(cells);
            if let Some(sft) = sft {
                let size = [sft.updates.to_string(), sft.tokens.to_string(), format!("{:e}", sft.lr)];
                sizes.row([name, session.session.clone(), session.seed.to_string()].into_iter().chain(size));
                trained = true;
            }
        }
    }
    writeln!(f, "\nBeside other sessions: the same questions, greedy accuracy, %\n{figures}")?;
    if trained {
        writeln!(f, "\nSFT that led there\n{sizes}")?;
    }
    for note in &side.notes {
        writeln!(f, "{}", wrapped(&format!("note: {note}")))?;
    }
    if !side.differences.is_empty() {
        writeln!(f, "\nPaired differences over the same questions, points with 95 % bootstrap interval")?;
        let mut named = side.differences.clone();
        for d in &mut named {
            // The reported session needs no name here.
            d.what = format!("{}, over {}", d.after, d.before.split(':').next().unwrap_or_default());
        }
        differences(&named, results.k, f)?;
    }
    Ok(())
}
