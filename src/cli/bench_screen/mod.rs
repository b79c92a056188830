//! `footbridge bench --screen`: how quick the workbench is on a session as large as GSM8K with 64 answers a question.
//!
//! Two sides. Inside: the workbench without a terminal, frame by frame, for the time a frame takes to draw. Outside: this
//! program again in a pseudo-terminal, while a demo trains beside it, for what a researcher feels: the first frame, the
//! time from a key to the first byte written, what it costs and writes while nothing changes.

mod inside;
mod outside;
mod rows;
mod session;

use std::fmt::Write as _;

use serde::Serialize;

use super::bench::args::ScreenBench;
use super::exit::{Exit, Failure};
use super::out;
use crate::session::Sessions;
use outside::Outside;

/// Columns and rows of the screen.
const SIZE: (u16, u16) = (200, 50);

/// Half of them were quicker than `p50`, 99 in 100 than `p99`; milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// How many were measured.
    pub n: usize,
    /// The median.
    pub p50: f64,
    /// The 99th percentile.
    pub p99: f64,
}

impl Spread {
    /// The spread of these times, milliseconds.
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = (times.len() as f64 * share).ceil() as usize;
            times.get(place.saturating_sub(1)).copied().unwrap_or(f64::NAN)
        };
        Self { n: times.len(), p50: at(0.5), p99: at(0.99) }
    }
}

/// Everything that was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// Questions of the session.
    pub questions: usize,
    /// Rollouts of the session.
    pub rollouts: u64,
    /// Columns and rows.
    pub size: (u16, u16),
    /// Frames of each pane after a key that moves in it.
    pub draw: Vec<(String, Spread)>,
    /// Frames of a table of a million rows, after a key that moves in it.
    pub million: Spread,
    /// Choosing and sorting rows by name of the deed, milliseconds, and how many rows.
    pub rows: Vec<(String, usize, f64)>,
    /// What was measured from outside.
    #[serde(flatten)]
    pub outside: Outside,
}

/// Measures, prints, and removes what it made.
///
/// # Errors
/// When the session can't be made, or the program can't be started in a pseudo-terminal.
pub fn run(args: &ScreenBench, json: bool) -> Result<Exit, Failure> {
    let home = std::env::temp_dir().join(format!("footbridge-bench-{}", std::process::id()));
    let measured = measure(args, &home);
    // What is left of it is of no use to anybody.
    drop(std::fs::remove_dir_all(&home));
    let figures = measured?;
    let text = if json { serde_json::to_string(&figures).map_err(Failure::failed)? + "\n" } else { table(&figures) };
    let _ = out::stdout(&text)?;
    Ok(Exit::Done)
}

fn measure(args: &ScreenBench, home: &std::path::Path) -> Result<Figures, Failure> {
    let sessions = Sessions::at(home);
    out::stderr(&format!("making a session of {} questions, {} answers each", args.questions, args.samples));
    let rollouts = session::make(&sessions, args.questions, args.samples).map_err(Failure::failed)?;
    out::stderr("drawing");
    let inside = inside::measure(&sessions, SIZE)?;
    out::stderr("in a terminal");
    let outside = outside::measure(home, SIZE)?;
    Ok(Figures {
        questions: args.questions,
        rollouts,
        size: SIZE,
        draw: inside.draw,
        million: inside.million,
        rows: rows::measure(),
        outside,
    })
}

fn table(figures: &Figures) -> String {
    let outside = &figures.outside;
    let mut text = format!(
        "{} questions, {} rollouts, screen of {}x{}\n\n{:<36}{:>8}{:>10}{:>10}\n",
        figures.questions, figures.rollouts, figures.size.0, figures.size.1, "milliseconds", "n", "p50", "p99"
    );
    let mut line = |what: &str, spread: &Spread| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{what:<36}{:>8}{:>10.2}{:>10.2}", spread.n, spread.p50, spread.p99);
    };
    for (pane, spread) in &figures.draw {
        line(&format!("draw {pane}"), spread);
    }
    line("draw a table of 1,000,000 rows", &figures.million);
    line("key to bytes, quiet", &outside.keys_quiet);
    line("key to bytes, a demo training", &outside.keys_busy);
    text.push('\n');
    for (what, rows, ms) in &figures.rows {
        let _ = writeln!(text, "{:<36}{ms:>10.1} ms", format!("{what} {rows} rows"));
    }
    let _ = writeln!(text, "{:<36}{:>10.1} ms", "first frame", outside.first_frame);
    let _ = writeln!(text, "{:<36}{:>10.1} ms", "questions on the screen", outside.first_rows);
    let _ = writeln!(
        text,
        "{:<36}{:>10.2} % of a core, {} bytes in {:.0} s",
        "nothing changes", outside.idle_percent, outside.idle_bytes, outside.idle_seconds
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_times() {
        let spread = Spread::of((1..=200).rev().map(f64::from).collect());
        assert_eq!(spread, Spread { n: 200, p50: 100.0, p99: 198.0 });
        assert_eq!(Spread::of(vec![7.0]), Spread { n: 1, p50: 7.0, p99: 7.0 });
        assert!(Spread::of(vec![]).p50.is_nan());
    }
}
