//! `footbridge score`: judges stored generations again, by any verifier.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::args::ScoreArgs;
use super::exit::{Exit, Failure};
use super::out;
use crate::data::jsonl::{questions, rows};
use crate::domain::{Question, Verifier};
use crate::evaluate::Estimate;

/// One line of stored generations. Without `id`, lines follow the order of the questions.
#[derive(Deserialize)]
struct Stored {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    response: Option<String>,
    #[serde(default)]
    responses: Vec<String>,
}

/// One judged response, as `--json` prints it.
#[derive(Serialize)]
struct Judged<'a> {
    id: &'a str,
    sample: usize,
    answer: Option<&'a str>,
    correct: bool,
}

/// What all responses came to.
#[derive(Default)]
struct Count {
    responses: usize,
    parsed: usize,
    correct: usize,
}

/// Judges every response and prints the counts.
pub fn run(args: &ScoreArgs) -> Result<Exit, Failure> {
    let verifier: Verifier = args.verifier.parse().map_err(Failure::usage)?;
    let questions = questions(&args.data).map_err(Failure::usage)?;
    let stored: Vec<(usize, Stored)> = rows(&args.responses).map_err(Failure::usage)?;
    let index: HashMap<&str, &Question> = questions.iter().map(|q| (q.id.as_str(), q)).collect();
    let mut count = Count::default();
    let mut lines = String::new();
    for (at, (line, stored)) in stored.iter().enumerate() {
        let fault = |what: String| Failure::usage(format!("{}:{line}: {what}", args.responses.display()));
        let question = match &stored.id {
            Some(id) => index.get(id.as_str()).copied().ok_or_else(|| {
                fault(format!(
                    "there is no question `{id}` in {}; ids there look like `{}`",
                    args.data.display(),
                    questions[0].id
                ))
            })?,
            None => questions.get(at).ok_or_else(|| {
                fault(format!("{} has only {} questions; give each line an `id`", args.data.display(), questions.len()))
            })?,
        };
        let texts: Vec<&String> = stored.response.iter().chain(&stored.responses).collect();
        if texts.is_empty() {
            return Err(fault("needs `response` (a text) or `responses` (a list of texts)".into()));
        }
        for (sample, text) in texts.iter().enumerate() {
            let verdict = verifier.judge(text, &question.gold);
            count.responses += 1;
            count.parsed += usize::from(verdict.answer.is_some());
            count.correct += usize::from(verdict.correct);
            if args.json {
                let judged =
                    Judged { id: &question.id, sample, answer: verdict.answer.as_deref(), correct: verdict.correct };
                let json = serde_json::to_string(&judged).map_err(Failure::failed)?;
                lines.push_str(&json);
                lines.push('\n');
            }
        }
    }
    if !args.json {
        lines = summary(&args.data, verifier, questions.len(), &count);
    }
    let _ = out::stdout(&lines)?;
    Ok(Exit::Done)
}

fn summary(data: &Path, verifier: Verifier, questions: usize, count: &Count) -> String {
    let accuracy = Estimate::share(count.correct, count.responses);
    let percent = |share: f64| 100.0 * share;
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "verifier   {}", verifier.name());
    let _ = writeln!(text, "questions  {questions} in {}", data.display());
    let _ = writeln!(text, "responses  {}", count.responses);
    let _ = writeln!(
        text,
        "parsed     {} ({:.1} %)",
        count.parsed,
        percent(count.parsed as f64 / count.responses.max(1) as f64)
    );
    let _ = writeln!(
        text,
        "correct    {} ({:.2} % [{:.2}, {:.2}])",
        count.correct,
        percent(accuracy.value),
        percent(accuracy.low),
        percent(accuracy.high)
    );
    text
}
