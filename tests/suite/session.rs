//! Tests of session: records and audit, crash and damage, locks, checkpoints.

#![allow(clippy::print_stdout, reason = "costs are shown, not asserted; child processes talk to their parent")]

mod briefs;
mod checkpoints;
mod crash;
mod damage;
mod names;
mod records;
mod sharing;

use std::path::Path;

use footbridge::session::{Author, Batch, NewSession, Record, Session, Sessions};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

/// A record as the pipeline writes them: a group of texts under one question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Group {
    texts: Vec<String>,
    rate: f64,
}

impl Record for Group {
    const TABLE: &'static str = "rollouts";
    const VERSION: u32 = 1;
}

fn group(n: u64) -> Group {
    let texts = (0..4).map(|k| format!("{n} apples and {k} pears are {} fruits\n#### {}", n + k, n + k)).collect();
    #[expect(clippy::cast_precision_loss, reason = "a made-up rate")]
    let rate = n as f64 / 7.0;
    Group { texts, rate }
}

fn key(n: u64) -> String {
    format!("train-{n:06}")
}

fn place() -> (TempDir, Sessions) {
    let dir = tempfile::tempdir().unwrap();
    let sessions = Sessions::at(dir.path().join("sessions"));
    (dir, sessions)
}

fn create(sessions: &Sessions, name: &str) -> Session {
    sessions.create(name, &NewSession { recipe: "seed = 7\n", seed: 7 }).unwrap()
}

/// Writes groups `range`, `per` to a frame.
fn fill(session: &Session, range: std::ops::Range<u64>, per: usize) {
    let all: Vec<u64> = range.collect();
    for part in all.chunks(per) {
        let mut batch = Batch::new(Author::Pipeline);
        for &n in part {
            batch.put(&key(n), &group(n));
        }
        session.write(batch).unwrap();
    }
}

/// Asserts that exactly the groups `0..n` are there, with their content.
fn assert_groups(session: &Session, n: u64) {
    let all: Vec<(String, Group)> = session.scan("").map(Result::unwrap).collect();
    let wanted: Vec<(String, Group)> = (0..n).map(|i| (key(i), group(i))).collect();
    assert_eq!(all.len(), wanted.len());
    assert!(all == wanted, "contents differ");
}

/// The files below a folder, sorted.
fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { out.extend(files(&path)) } else { out.push(path) }
    }
    out.sort();
    out
}
