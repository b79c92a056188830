//! Rows from CSV and TSV, with a line of names. Values are texts; numbers are read where they are asked for.

use std::path::Path;

use serde_json::Value;

use super::error::{DataError, Place};
use super::rows::{Fields, Format, Rows};
use super::text::{self, LONGEST_LINE, fault};

/// A CSV or TSV file.
pub fn file(path: &Path, format: Format) -> Result<Rows, DataError> {
    let (text, sha256) = text::whole(path)?;
    let delimiter = if format == Format::Tsv { b'\t' } else { b',' };
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    let mut names: Vec<String> = Vec::new();
    let mut rows = Vec::new();
    loop {
        let more = reader.read_record(&mut record).map_err(|error| {
            let line = error.position().map_or(1, |at| at.line());
            fault(path, usize::try_from(line).unwrap_or(usize::MAX), format!("not {format}: {error}"))
        })?;
        if !more {
            break;
        }
        // The reader counts blank lines before a record as part of it.
        let from = record.position().map_or(0, |at| usize::try_from(at.byte()).unwrap_or(0));
        let blank = text.bytes().skip(from).take_while(|byte| matches!(byte, b'\n' | b'\r'));
        let line = record.position().map_or(1, |at| usize::try_from(at.line()).unwrap_or(usize::MAX));
        let line = line + blank.filter(|byte| *byte == b'\n').count();
        if record.as_slice().len() > LONGEST_LINE {
            return Err(fault(path, line, format!("{}, or a quote that never closes", text::too_long("row"))));
        }
        if names.is_empty() {
            names = header(path, line, &record)?;
            continue;
        }
        if record.len() != names.len() {
            let reason = format!(
                "{} values, but the first line names {} columns; put values with commas or line ends in quotes",
                record.len(),
                names.len()
            );
            return Err(fault(path, line, reason));
        }
        let fields: Fields = names.iter().cloned().zip(record.iter().map(Value::from)).collect();
        rows.push((Place::Line(line), fields));
    }
    Ok(Rows { format, sha256, rows })
}

fn header(path: &Path, line: usize, record: &csv::StringRecord) -> Result<Vec<String>, DataError> {
    let names: Vec<String> = record.iter().map(|name| name.trim().to_owned()).collect();
    let doubled = names.iter().enumerate().find(|(at, name)| !name.is_empty() && names[..*at].contains(name));
    if let Some((_, name)) = doubled {
        return Err(fault(path, line, format!("two columns are named `{name}`; give each its own name")));
    }
    Ok(names)
}
