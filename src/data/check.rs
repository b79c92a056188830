//! What a source of questions looks like, before anything is done with it.

use std::fmt::Write as _;

use serde::Serialize;

use super::source::Source;
use crate::domain::{Question, Verifier};

/// How many examples are shown.
const EXAMPLES: usize = 3;
/// How many doubled questions are listed.
const DOUBLES: usize = 20;

/// What is seen in a source.
#[derive(Clone, Debug, Serialize)]
pub struct Seen {
    /// Name of the benchmark or file.
    pub name: String,
    /// The benchmark as the paper's tables call it.
    pub benchmark: Option<&'static str>,
    /// The file.
    pub file: String,
    /// How it is written.
    pub format: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// The fields of its first row.
    pub fields: Vec<String>,
    /// Which of them is what.
    pub layout: String,
    /// Rows in the file.
    pub rows: usize,
    /// Questions, N.
    pub n: usize,
    /// The published N.
    pub published: Option<usize>,
    /// N in the paper's tables.
    pub paper: Option<usize>,
    /// How answers are judged.
    pub verifier: &'static str,
    /// How the questions are asked.
    pub prompt: &'static str,
    /// Per verifier, how many golds it can read.
    pub readable: Vec<(&'static str, usize)>,
    /// Worked solutions.
    pub solutions: usize,
    /// Worked solutions that reach their gold by the verifier.
    pub solutions_right: usize,
    /// Questions that are there more than once.
    pub doubled: usize,
    /// The first of them: place, and place of the first such question.
    pub doubles: Vec<(String, String)>,
    /// Id and characters of the longest question.
    pub longest: (String, usize),
    /// What should be said beside every figure.
    pub notes: Vec<String>,
    /// First, middle and last question.
    pub examples: Vec<Question>,
}

impl Seen {
    /// Looks at a source.
    pub fn of(source: &Source) -> Self {
        let questions = &source.questions;
        let able = |verifier: Verifier| {
            questions.iter().filter(|q| verifier.reads_gold(&verifier.normalise_gold(&q.gold))).count()
        };
        let solved = questions.iter().filter_map(|q| q.solution.as_deref().map(|solution| (solution, &q.gold)));
        let right = solved.clone().filter(|(solution, gold)| source.verifier.judge(solution, gold).correct).count();
        let longest = questions.iter().map(|q| (q.text.chars().count(), &q.id)).max_by_key(|(length, _)| *length);
        let place = |at: usize| source.places.get(at).map(ToString::to_string).unwrap_or_default();
        let mut shown = vec![0, questions.len() / 2, questions.len().saturating_sub(1)];
        shown.dedup();
        shown.truncate(EXAMPLES);
        Self {
            name: source.name.clone(),
            benchmark: source.benchmark.map(|benchmark| benchmark.title),
            file: source.path.display().to_string(),
            format: source.format.to_string(),
            sha256: source.sha256.clone(),
            fields: source.fields.clone(),
            layout: source.layout.clone(),
            rows: source.rows,
            n: questions.len(),
            published: source.benchmark.and_then(|benchmark| benchmark.published),
            paper: source.benchmark.map(|benchmark| benchmark.paper),
            verifier: source.verifier.name(),
            prompt: source.ask.name(),
            readable: Verifier::ALL.into_iter().map(|verifier| (verifier.name(), able(verifier))).collect(),
            solutions: solved.count(),
            solutions_right: right,
            doubled: source.doubled.len(),
            doubles: source.doubled.iter().take(DOUBLES).map(|(again, first)| (place(*again), place(*first))).collect(),
            longest: longest.map_or_else(Default::default, |(length, id)| (id.clone(), length)),
            notes: source.notes.clone(),
            examples: shown.into_iter().filter_map(|at| questions.get(at).cloned()).collect(),
        }
    }

    /// For people.
    pub fn table(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let mut line = |name: &str, value: String| {
            let _ = writeln!(text, "{name:<10} {value}");
        };
        line("source", self.benchmark.map_or_else(|| self.name.clone(), |title| format!("{} ({title})", self.name)));
        line("file", format!("{}, {}", self.file, self.format));
        line("sha256", self.sha256.clone());
        line("fields", self.fields.join(", "));
        line("layout", self.layout.clone());
        let published = match (self.published, self.paper) {
            (Some(published), _) => format!(" (published: {published})"),
            (None, Some(paper)) => format!(" (several are published; the paper's tables have {paper})"),
            (None, None) => String::new(),
        };
        let of = if self.rows == self.n { String::new() } else { format!(" of {} rows", self.rows) };
        line("N", format!("{}{of}{published}", self.n));
        line("verifier", self.verifier.to_owned());
        line("prompt", self.prompt.to_owned());
        let readable = self.readable.iter().map(|(name, count)| format!("{name} {count}"));
        line("readable", format!("golds by verifier: {}", readable.collect::<Vec<_>>().join(", ")));
        if self.solutions > 0 {
            line("solutions", format!("{}, of which {} reach their gold", self.solutions, self.solutions_right));
        }
        line("doubled", self.doubled.to_string());
        for (again, first) in &self.doubles {
            line("", format!("{again} as {first}"));
        }
        line("longest", format!("{} characters, {}", self.longest.1, self.longest.0));
        for note in &self.notes {
            line("note", note.clone());
        }
        for example in &self.examples {
            let _ = writeln!(text, "\n{}  gold {}\n{}", example.id, example.gold, example.text);
        }
        text
    }
}
