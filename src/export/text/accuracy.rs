//! The checkpoints: accuracy, samples, controls, steps, and which differences are more than noise.

use std::fmt;

use super::percent;
use super::table::{Group, Table, WIDTH, wrapped};
use crate::evaluate::{Change, DEV, Estimate, Measure};
use crate::export::report::{CheckpointRow, Comparison, Results};

/// Questions of this many steps are the long ones that bridging is for (world.md, the second control).
pub(super) const LONG: u32 = 4;
const NONE: &str = "·";

pub(super) fn write(results: &Results, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    greedy(results, f)?;
    sampled(results, f)?;
    steps(results, f)?;
    if !results.comparisons.is_empty() {
        writeln!(f, "\nPaired differences over the same questions, points with 95 % bootstrap interval")?;
        differences(&results.comparisons, results.k, f)?;
    }
    control(results, f)
}

/// `74.2 ±3.8`.
pub(super) fn plus_minus(e: &Estimate) -> String {
    format!("{} ±{:.1}", percent(e.value), 50.0 * (e.high - e.low))
}

/// `38.9 [29, 49]`.
pub(super) fn both_ends(e: &Estimate) -> String {
    format!("{} [{:.0}, {:.0}]", percent(e.value), 100.0 * e.low, 100.0 * e.high)
}

/// `+6.0 [+2.8, +9.2]`.
fn points(change: &Change) -> String {
    // Rounded first, so that nothing is shown as −0.0.
    let points = |share: f64| (1000.0 * share).round() / 10.0 + 0.0;
    let (value, low, high) = (points(change.value), points(change.low), points(change.high));
    format!("{value:+.1} [{low:+.1}, {high:+.1}]")
}

/// Every split of any row, in the order of reports.
pub(super) fn splits<'a>(rows: impl Iterator<Item = &'a CheckpointRow>) -> Vec<String> {
    let mut splits: Vec<String> = Vec::new();
    for row in rows {
        for (split, _) in row.splits.iter() {
            if !splits.iter().any(|s| s == split) {
                splits.push(split.into());
            }
        }
    }
    splits
}

pub(super) fn cell(row: &CheckpointRow, split: &str, of: impl Fn(&Measure) -> String) -> String {
    row.splits.get(split).map_or_else(|| NONE.into(), of)
}

fn greedy(results: &Results, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let splits = splits(results.checkpoints.iter());
    let named = |split: &String| {
        let n = results.checkpoints.iter().find_map(|c| c.splits.get(split)).map_or(0, |m| m.questions);
        format!("{split}\nN={n}")
    };
    let mut header = vec!["\ncheckpoint".to_string()];
    header.extend(splits.iter().filter(|s| *s != DEV).map(named));
    let several = splits.iter().any(|s| s != DEV);
    header.extend(several.then(|| "mean of\nthese".to_string()));
    header.extend(splits.iter().filter(|s| *s == DEV).map(named));
    let mut table = Table::new(header);
    for row in &results.checkpoints {
        let mark = if results.best.as_ref() == Some(&row.checkpoint) { " ★" } else { "" };
        let mut cells = vec![format!("{}{mark}", row.checkpoint)];
        let accuracy = |s: &String| cell(row, s, |m| plus_minus(&m.accuracy));
        cells.extend(splits.iter().filter(|s| *s != DEV).map(accuracy));
        cells.extend(several.then(|| plus_minus(&row.mean)));
        cells.extend(splits.iter().filter(|s| *s == DEV).map(accuracy));
        table.row(cells);
    }
    let star = if results.best.is_some() { ", ★ best on dev" } else { "" };
    writeln!(f, "\nGreedy accuracy, % ± half a 95 % interval{star}\n{table}")
}

/// A title over its columns, and what stands in one of them.
type Column<'a> = (String, Box<dyn Fn(&Measure) -> String + 'a>);

fn sampled(results: &Results, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let splits: Vec<String> = splits(results.checkpoints.iter()).into_iter().filter(|s| s != DEV).collect();
    if splits.is_empty() {
        return Ok(());
    }
    let n = results.checkpoints.iter().flat_map(|c| c.splits.iter()).map(|(_, m)| m.n).max().unwrap_or(0);
    let optional = |e: Option<&Estimate>| e.map_or_else(|| NONE.into(), plus_minus);
    if n > 0 {
        let columns: [Column; 2] = [
            (format!("mean@{n}"), Box::new(|m| optional(m.mean_at_n.as_ref()))),
            (format!("pass@{}", results.k), Box::new(|m| optional(m.pass_at_k.as_ref()))),
        ];
        writeln!(f, "\n{n} samples a question, % ± half a 95 % interval")?;
        side_by_side(results, &splits, &columns, f)?;
    }
    let columns: [Column; 2] = [
        ("answer readable".into(), Box::new(|m| percent(m.parse_rate))),
        ("tokens, greedy".into(), Box::new(|m| format!("{:.0}", m.mean_tokens))),
    ];
    writeln!(f, "\nShare of greedy answers that can be read, %; their length")?;
    side_by_side(results, &splits, &columns, f)
}

/// A group of columns per quantity, a column per split in each; as many groups in one table as fit beside each other.
fn side_by_side(results: &Results, splits: &[String], columns: &[Column], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let names = || results.checkpoints.iter().map(|row| row.checkpoint.clone());
    let begun = || (Table::new(["\ncheckpoint".to_string()]), names().map(|name| vec![name]).collect::<Vec<_>>());
    let room = WIDTH - names().map(|name| name.chars().count()).max().unwrap_or(0).max("checkpoint".len());
    let (mut table, mut rows) = begun();
    let mut left = room;
    for (title, of) in columns {
        let values: Vec<Vec<String>> = results
            .checkpoints
            .iter()
            .map(|row| splits.iter().map(|split| cell(row, split, of.as_ref())).collect())
            .collect();
        let widest = values.iter().flatten().map(|value| value.chars().count()).max().unwrap_or(0);
        let group = Group::new(title, splits, widest.max(5));
        let needed = group.width() + 2;
        if needed > left && left < room {
            writeln!(f, "{}\n", table.filled(rows))?;
            (table, rows) = begun();
            left = room;
        }
        left = left.saturating_sub(needed);
        table.column(group.header.clone());
        rows.iter_mut().zip(&values).for_each(|(row, values)| row.push(group.cell(values)));
    }
    writeln!(f, "{}", table.filled(rows))
}

fn steps(results: &Results, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut columns: Vec<u32> = results.checkpoints.iter().flat_map(|c| c.by_steps.keys().copied()).collect();
    columns.sort_unstable();
    columns.dedup();
    if columns.is_empty() {
        return Ok(());
    }
    let name = |s: &u32| if *s == 1 { "1 step".to_string() } else { format!("{s} steps") };
    let mut table = Table::new(std::iter::once("checkpoint".to_string()).chain(columns.iter().map(name)));
    for row in &results.checkpoints {
        let cells = columns.iter().map(|s| row.by_steps.get(s).map_or_else(|| NONE.into(), both_ends));
        table.row(std::iter::once(row.checkpoint.clone()).chain(cells));
    }
    writeln!(f, "\nTest by number of solution steps, greedy, % [95 %]\n{table}")
}

/// Two tables: greedy accuracy on the first split (`test` where there is one) and in the mean; pass@k and long questions.
pub(super) fn differences(comparisons: &[Comparison], k: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    type Pick<'a> = (String, &'a dyn Fn(&Comparison) -> Option<Change>);
    let lead = comparisons.iter().find_map(|c| c.changes.greedy.lead()).unwrap_or("test");
    let tables: [[Pick; 2]; 2] = [
        [
            (lead.into(), &|c: &Comparison| c.changes.greedy.get(lead).copied()),
            ("mean, dev apart".into(), &|c: &Comparison| c.changes.mean),
        ],
        [
            (format!("test, {LONG} steps"), &|c: &Comparison| c.changes.by_steps.get(&LONG).copied()),
            (format!("{lead}, pass@{k}"), &|c: &Comparison| c.changes.pass_at_k.get(lead).copied()),
        ],
    ];
    for (at, picks) in tables.iter().enumerate() {
        // What no comparison has (steps are known in the generated world only) gets no columns.
        let picks: Vec<&Pick> =
            picks.iter().filter(|(_, pick)| comparisons.iter().any(|c| pick(c).is_some())).collect();
        if picks.is_empty() {
            continue;
        }
        // A number and a word for each.
        let header = picks.iter().flat_map(|(name, _)| [name.clone(), String::new()]);
        let mut table = Table::new(std::iter::once(String::new()).chain(header)).left(&[0, 2, 4]);
        for c in comparisons {
            let cells = picks.iter().flat_map(|(_, pick)| match pick(c) {
                None => [NONE.into(), String::new()],
                Some(change) if change.within_noise => [points(&change), "within noise".into()],
                Some(change) => [points(&change), String::new()],
            });
            table.row(std::iter::once(c.what.clone()).chain(cells));
        }
        let gap = if at > 0 { "\n" } else { "" };
        writeln!(f, "{gap}{table}")?;
    }
    let mut names: Vec<String> = Vec::new();
    for c in comparisons.iter().filter(|c| c.what.contains('→')) {
        let sides = c.what.split(" → ").zip([&c.before, &c.after]);
        let named = sides.filter(|(word, id)| word != id).map(|(word, id)| format!("{word} is {id}"));
        names.extend(named.filter(|n| !names.contains(n)).collect::<Vec<_>>());
    }
    if names.is_empty() { Ok(()) } else { writeln!(f, "{}", wrapped(&format!("({})", names.join(" · ")))) }
}

/// Accuracy with the marker banned beside plain accuracy, and what follows from it.
fn control(results: &Results, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let measured = |m: &Measure| m.control.is_some();
    let splits: Vec<String> = splits(results.checkpoints.iter())
        .into_iter()
        .filter(|s| results.checkpoints.iter().any(|c| c.splits.get(s).is_some_and(measured)))
        .collect();
    if splits.is_empty() {
        return Ok(());
    }
    let groups = ["as asked", "no answer first", "difference"].map(|title| Group::new(title, &splits, 5));
    let header = std::iter::once("\ncheckpoint".to_string()).chain(groups.iter().map(|g| g.header.clone()));
    let mut table = Table::new(header);
    for row in &results.checkpoints {
        let show = |of: &dyn Fn(&Measure) -> Option<String>| -> Vec<String> {
            splits.iter().map(|s| cell(row, s, |m| of(m).unwrap_or_else(|| NONE.into()))).collect()
        };
        let plain = show(&|m| Some(percent(m.accuracy.value)));
        let banned = show(&|m| m.control.map(|c| percent(c.value)));
        let change = |m: &Measure| {
            m.control.map(|c| format!("{:+.1}", (1000.0 * (c.value - m.accuracy.value)).round() / 10.0 + 0.0))
        };
        let cells = [plain, banned, show(&change)];
        let cells = groups.iter().zip(&cells).map(|(group, values)| group.cell(values));
        table.row(std::iter::once(row.checkpoint.clone()).chain(cells));
    }
    writeln!(f, "\nFormat or skill: greedy accuracy, %, as asked and with `####` banned as first token\n{table}")?;
    let last = results.checkpoints.last().map_or("", |row| row.checkpoint.as_str());
    for c in &results.format_control {
        let on = if c.on == "mean" { "in the mean".to_string() } else { format!("on {}", c.on) };
        let text = format!(
            "base → {last} {on}: {} as asked, {} with the ban; the part that goes with it {}: {}",
            points(&c.plain),
            points(&c.banned),
            points(&c.by_format),
            c.verdict()
        );
        writeln!(f, "{}", wrapped(&text))?;
    }
    Ok(())
}
