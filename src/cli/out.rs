//! The only place that writes to the shell. Data goes to stdout, narration to stderr.
//!
//! Text may come from models and files, so control characters never reach a terminal from here. A reader that went
//! away (`footbridge report x | head`) is no error: [`Pipe::Closed`] tells the caller to stop.

use std::io::{self, Write};

use super::exit::Failure;
use crate::workbench::text;

/// Whether anybody still reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Pipe {
    /// The text was written.
    Open,
    /// The reader went away; write no more, end quietly.
    Closed,
}

/// Writes text to stdout, with a newline at the end where it has none.
///
/// # Errors
/// When stdout can't be written for another reason than a reader that went away, such as a full disk.
pub fn stdout(text: &str) -> Result<Pipe, Failure> {
    write_to(&mut io::stdout().lock(), &text::printable_lines(text))
        .map_err(|error| Failure::failed(format!("stdout could not be written: {error}")))
}

/// Writes text to stdout of which some pieces stand out, in bold green. Escape sequences in the pieces themselves are
/// left out, so the only ones are those written here.
///
/// # Errors
/// As [`stdout`].
pub fn painted(pieces: &[(String, bool)]) -> Result<Pipe, Failure> {
    let mut page = String::new();
    for (piece, stands_out) in pieces {
        let piece = text::printable_lines(piece);
        if *stands_out {
            page.push_str(&format!("\u{1b}[1;32m{piece}\u{1b}[0m"));
        } else {
            page.push_str(&piece);
        }
    }
    write_to(&mut io::stdout().lock(), &page)
        .map_err(|error| Failure::failed(format!("stdout could not be written: {error}")))
}

/// Writes pieces of text to stdout, each in its style.
///
/// # Errors
/// As [`stdout`].
pub fn styled(pieces: &[(String, ratatui::style::Style)]) -> Result<Pipe, Failure> {
    write_to(&mut io::stdout().lock(), &super::paint::painted(pieces))
        .map_err(|error| Failure::failed(format!("stdout could not be written: {error}")))
}

/// Writes one JSON document as one line to stdout. Control characters inside strings are escaped.
///
/// # Errors
/// As [`stdout`].
pub fn json_line(json: &str) -> Result<Pipe, Failure> {
    write_to(&mut io::stdout().lock(), &text::escape_json_line(json))
        .map_err(|error| Failure::failed(format!("stdout could not be written: {error}")))
}

/// Writes a JSON document over several lines, or several JSON lines, to stdout. Characters inside strings that would act
/// on a terminal are escaped, so that the document says what it said.
///
/// # Errors
/// As [`stdout`].
pub fn json(json: &str) -> Result<Pipe, Failure> {
    write_to(&mut io::stdout().lock(), &text::escape_json(json))
        .map_err(|error| Failure::failed(format!("stdout could not be written: {error}")))
}

/// Writes one line of narration to stderr. Nobody to hear it is no reason to stop.
pub fn stderr(line: &str) {
    drop(write_to(&mut io::stderr().lock(), &text::printable_lines(line)));
}

fn write_to(sink: &mut impl Write, text: &str) -> io::Result<Pipe> {
    let newline = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let written =
        sink.write_all(text.as_bytes()).and_then(|()| sink.write_all(newline.as_bytes())).and_then(|()| sink.flush());
    match written {
        Ok(()) => Ok(Pipe::Open),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Pipe::Closed),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    struct Refuses(io::ErrorKind);

    impl Write for Refuses {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn adds_the_missing_newline_once() {
        for (given, written) in [("a", "a\n"), ("a\n", "a\n"), ("", "")] {
            let mut sink = Vec::new();
            assert_eq!(write_to(&mut sink, given).unwrap(), Pipe::Open);
            assert_eq!(String::from_utf8(sink).unwrap(), written);
        }
    }

    #[test]
    fn a_reader_that_went_away_is_told_apart_from_a_full_disk() {
        assert_eq!(write_to(&mut Refuses(io::ErrorKind::BrokenPipe), "a").unwrap(), Pipe::Closed);
        let full = write_to(&mut Refuses(io::ErrorKind::StorageFull), "a").unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
    }
}
