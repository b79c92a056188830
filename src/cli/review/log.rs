//! The audit log of the products, as a table, as JSON lines, as CSV.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use comfy_table::{Table, presets};

use super::args::LogArgs;
use crate::cli::exit::{Exit, Failure};
use crate::cli::out::{self, Pipe};
use crate::pipeline::review::Kind;
use crate::session::{AuditEntry, AuditFilter, Session};
use crate::workbench::text::printable;

/// Lists or exports the log.
pub fn run(session: &Session, args: &LogArgs) -> Result<Exit, Failure> {
    let since = args.since.as_deref().map(|text| time(text, now())).transpose()?.unwrap_or_default();
    let kinds = args.kind.map_or(Kind::ALL.to_vec(), |kind| vec![kind.into()]);
    let filter = AuditFilter {
        tables: kinds.into_iter().map(|kind| kind.table().to_string()).collect(),
        question: args.question.clone(),
        author: args.author.clone(),
        since,
        ..AuditFilter::default()
    };
    let entries = session.audit(filter).map_err(Failure::failed)?;
    let entries = entries.map(|entry| entry.map_err(Failure::failed));
    match &args.csv {
        Some(path) => csv_to(path, entries)?,
        None if args.json => {
            for entry in entries {
                if out::json_line(&entry?.json().to_string())? == Pipe::Closed {
                    break;
                }
            }
        }
        None => table(entries)?,
    }
    Ok(Exit::Done)
}

fn table(entries: impl Iterator<Item = Result<AuditEntry, Failure>>) -> Result<(), Failure> {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(["time", "frame", "author", "product", "before", "after", "reason"]);
    for entry in entries {
        let [time, frame, author, kind, key, before, after, _, reason, _] = entry?.row();
        table.add_row(
            [time, frame, author, format!("{kind}/{key}"), before, after, reason].map(|cell| printable(&cell)),
        );
    }
    if table.row_count() == 0 {
        out::stderr("no change fits");
        return Ok(());
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    let _ = out::stdout(&lines.join("\n"))?;
    Ok(())
}

fn csv_to(path: &Path, entries: impl Iterator<Item = Result<AuditEntry, Failure>>) -> Result<(), Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| Failure::failed(format!("a line cannot be written as CSV: {error}"));
    writer.write_record(AuditEntry::COLUMNS).map_err(failed)?;
    let mut count = 0_usize;
    for entry in entries {
        writer.write_record(entry?.row().map(|cell| printable(&cell))).map_err(failed)?;
        count += 1;
    }
    let bytes = writer.into_inner().map_err(Failure::failed)?;
    if path == Path::new("-") {
        let _ = out::stdout(&String::from_utf8_lossy(&bytes))?;
        return Ok(());
    }
    std::fs::write(path, bytes).map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
    out::stderr(&format!("{}: {count} changes", path.display()));
    Ok(())
}

/// A time in unix milliseconds: a date, a moment, or how long before `now`.
fn time(text: &str, now: u64) -> Result<u64, Failure> {
    let wrong =
        || Failure::usage(format!("`{text}` is no time; write 2026-03-01, 2026-03-01T14:00:00Z, 90m, 6h or 2d"));
    if let Some((at, unit)) = text.char_indices().last()
        && let Ok(count) = text[..at].parse::<u64>()
        && let Some(minutes) = [('m', 1), ('h', 60), ('d', 1440)].into_iter().find(|(u, _)| *u == unit)
    {
        return Ok(now.saturating_sub(count.saturating_mul(minutes.1 * 60_000)));
    }
    let moment = match text.parse::<jiff::Timestamp>() {
        Ok(moment) => moment,
        Err(_) => {
            let date = text.parse::<jiff::civil::Date>().map_err(|_| wrong())?;
            date.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| wrong())?.timestamp()
        }
    };
    Ok(u64::try_from(moment.as_millisecond()).unwrap_or_default())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates_moments_and_spans() {
        let now = 1_000_000_000;
        let cases = [
            ("1970-01-02", 86_400_000),
            ("1970-01-01T00:00:02Z", 2000),
            ("90m", now - 5_400_000),
            ("2h", now - 7_200_000),
            ("1d", now - 86_400_000),
        ];
        for (text, millis) in cases {
            assert_eq!(time(text, now).unwrap(), millis, "{text}");
        }
        for bad in ["", "d", "yesterday", "2026-13-01", "-1h", "3ü"] {
            assert!(time(bad, now).is_err(), "{bad}");
        }
    }
}
