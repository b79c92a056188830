//! Rows from JSON: one object a line, or one array of objects.

use std::path::Path;

use serde_json::Value;

use super::error::{DataError, Place};
use super::rows::{Fields, Format, Rows};
use super::text::{self, LONGEST_LINE, Lines, fault};

/// A JSON Lines file. Blank lines are passed over.
pub fn lines(path: &Path) -> Result<Rows, DataError> {
    let mut reader = Lines::open(path)?;
    let mut rows = Vec::new();
    while let Some((line, text)) = reader.next()? {
        if text.trim().is_empty() {
            continue;
        }
        rows.push((Place::Line(line), object(text).map_err(|(_, reason)| fault(path, line, reason))?));
    }
    Ok(Rows { format: Format::JsonLines, sha256: reader.sha256(), rows })
}

/// A file named `.json`: an array of objects, or JSON Lines under that name.
pub fn file(path: &Path) -> Result<Rows, DataError> {
    let (text, sha256) = text::whole(path)?;
    let start = text.trim_start();
    if start.is_empty() {
        return Err(DataError::Empty { path: path.to_owned() });
    }
    if start.starts_with('{') {
        let first = start.lines().next().unwrap_or_default();
        if serde_json::from_str::<Value>(first).is_ok() {
            return lines(path);
        }
    }
    if !start.starts_with('[') {
        let reason = "it should be an array of objects, `[{…}, …]`, or one object a line".into();
        return Err(fault(path, 1 + text[..text.len() - start.len()].matches('\n').count(), reason));
    }
    let rows = array(path, &text)?;
    Ok(Rows { format: Format::Json, sha256, rows })
}

/// The objects of an array, each with the line it begins on.
fn array(path: &Path, text: &str) -> Result<Vec<(Place, Fields)>, DataError> {
    let mut rows = Vec::new();
    let (mut counted, mut line) = (0, 1);
    let mut line_at = |at: usize| {
        line += text.as_bytes()[counted..at].iter().filter(|byte| **byte == b'\n').count();
        counted = at;
        line
    };
    let elements = Elements::of(text);
    for element in elements {
        match element {
            Ok((from, to)) => {
                let line = line_at(from);
                if to - from > LONGEST_LINE {
                    return Err(fault(path, line, text::too_long("object")));
                }
                let row = object(&text[from..to]).map_err(|(below, reason)| fault(path, line + below, reason))?;
                rows.push((Place::Line(line), row));
            }
            Err((at, reason)) => return Err(fault(path, line_at(at), reason.into())),
        }
    }
    Ok(rows)
}

/// One object; else how many lines further down the fault is, and what it is.
pub(super) fn object(text: &str) -> Result<Fields, (usize, String)> {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(other) => Err((0, format!("this is {}, not a JSON object `{{…}}`", kind(&other)))),
        Err(error) => Err((error.line().saturating_sub(1), plainly(&error))),
    }
}

/// What serde says, without its own count of lines.
pub(super) fn plainly(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    match error.classify() {
        serde_json::error::Category::Data => text.to_owned(),
        _ => format!("not a JSON object: {text} at column {}; mend it or take it out", error.column()),
    }
}

/// What kind of value this is, in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The byte ranges of an array's elements. Only strings and brackets are looked at; whether an element is JSON is seen
/// when it is read.
struct Elements<'t> {
    bytes: &'t [u8],
    at: usize,
    done: bool,
}

type Fault = (usize, &'static str);

impl<'t> Elements<'t> {
    fn of(text: &'t str) -> Self {
        let at = text.find('[').map_or(0, |at| at + 1);
        Self { bytes: text.as_bytes(), at, done: false }
    }

    fn blank(&mut self) {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    /// The end of the element that begins here: the comma or bracket outside of everything.
    fn end(&self) -> Option<usize> {
        let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
        for (at, byte) in self.bytes.iter().enumerate().skip(self.at) {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                _ if quoted => {}
                b'{' | b'[' => depth += 1,
                b']' | b',' if depth == 0 => return Some(at),
                b'}' | b']' => depth = depth.checked_sub(1)?,
                _ => {}
            }
        }
        None
    }

    fn step(&mut self) -> Result<Option<(usize, usize)>, Fault> {
        self.blank();
        let from = self.at;
        let Some(end) = self.end() else {
            return Err((from, "the file ends in the middle of the array; its download was cut short"));
        };
        self.at = end + 1;
        let to = from + self.bytes[from..end].trim_ascii_end().len();
        let last = self.bytes[end] == b']';
        if last {
            self.done = true;
            self.blank();
            if self.at < self.bytes.len() {
                return Err((self.at, "something follows the end of the array"));
            }
            if from == to {
                return Ok(None);
            }
        }
        Ok(Some((from, to)))
    }
}

impl Iterator for Elements<'_> {
    type Item = Result<(usize, usize), Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let step = self.step();
        self.done |= step.is_err();
        step.transpose()
    }
}
