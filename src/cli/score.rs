//! `footbridge score`: judges stored generations again, by any verifier.

use std::collections::HashMap;
use std::fmt::Write as _;

use regex::Regex;
use serde::Serialize;
use serde_json::Value;

use super::args::ScoreArgs;
use super::exit::{Exit, Failure};
use super::out;
use crate::data::jsonl::rows;
use crate::data::{self, Source};
use crate::domain::{Question, Verdict, Verifier};
use crate::evaluate::Estimate;

/// One judged response, as `--json` prints it.
#[derive(Serialize)]
struct Judged<'a> {
    id: &'a str,
    field: &'a str,
    sample: usize,
    answer: Option<&'a str>,
    correct: bool,
}

/// What the responses of one field came to.
#[derive(Default)]
struct Count {
    responses: usize,
    parsed: usize,
    correct: usize,
}

/// How a response is judged.
enum Judge {
    /// By a rule.
    Rule(Verifier),
    /// The answer is what an expression captures, compared by value.
    Pattern(Regex),
}

impl Judge {
    fn of(args: &ScoreArgs) -> Result<Self, Failure> {
        let verifier: Option<Verifier> =
            args.verifier.as_deref().map(str::parse).transpose().map_err(Failure::usage)?;
        match (&args.pattern, verifier) {
            (Some(pattern), None | Some(Verifier::Numeric)) => {
                let regex = Regex::new(pattern).map_err(|error| Failure::usage(format!("--pattern: {error}")))?;
                if regex.captures_len() < 2 {
                    let line =
                        format!("--pattern `{pattern}` captures nothing; put the answer in (…), as in `A: (.*)`");
                    return Err(Failure::usage(line));
                }
                Ok(Self::Pattern(regex))
            }
            (Some(_), Some(other)) => Err(Failure::usage(format!(
                "--pattern compares by value and {other} reads the answer by itself; leave one of them out"
            ))),
            (None, Some(verifier)) => Ok(Self::Rule(verifier)),
            (None, None) => Err(Failure::usage("give --verifier or --pattern")),
        }
    }

    fn judge(&self, text: &str, gold: &str) -> Verdict {
        match self {
            Self::Rule(verifier) => verifier.judge(text, gold),
            Self::Pattern(regex) => {
                let answer = regex.captures_iter(text).last().and_then(|c| c.get(1)).map(|m| m.as_str());
                answer.map_or(Verdict { answer: None, correct: false }, |answer| {
                    Verifier::Numeric.judge(&format!("#### {answer}"), gold)
                })
            }
        }
    }

    /// The rule that answers are compared by.
    fn verifier(&self) -> Verifier {
        match self {
            Self::Rule(verifier) => *verifier,
            Self::Pattern(_) => Verifier::Numeric,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Rule(verifier) => verifier.name().into(),
            Self::Pattern(regex) => format!("{} of the last `{regex}`", Verifier::Numeric),
        }
    }
}

/// Judges every response and prints the counts.
pub fn run(args: &ScoreArgs) -> Result<Exit, Failure> {
    let judge = Judge::of(args)?;
    let asked = Asked::read(args, judge.verifier())?;
    let (stored, sha256): (Vec<(usize, Value)>, String) = rows(&args.responses).map_err(Failure::usage)?;
    let given = !args.field.is_empty();
    let fields = if given { args.field.clone() } else { vec!["response".into(), "responses".into()] };
    // Fields that were named are counted apart.
    let mut counts: Vec<Count> = args.field.iter().map(|_| Count::default()).collect();
    counts.resize_with(counts.len().max(1), Count::default);
    let mut lines = String::new();
    for (at, (line, stored)) in stored.iter().enumerate() {
        let fault = |what: String| Failure::usage(format!("{}:{line}: {what}", args.responses.display()));
        let question = asked.question_of(at, stored).map_err(fault)?;
        let mut found = false;
        for (at, field) in fields.iter().enumerate() {
            let Some(texts) = find(stored, field).and_then(texts) else {
                if given {
                    return Err(fault(no_texts(stored, field)));
                }
                continue;
            };
            found = true;
            let count = &mut counts[if given { at } else { 0 }];
            for (sample, text) in texts.iter().enumerate() {
                let Verdict { answer, correct } = judge.judge(text, &question.gold);
                count.responses += 1;
                count.parsed += usize::from(answer.is_some());
                count.correct += usize::from(correct);
                if args.json {
                    let judged = Judged { id: &question.id, field, sample, answer: answer.as_deref(), correct };
                    lines.push_str(&serde_json::to_string(&judged).map_err(Failure::failed)?);
                    lines.push('\n');
                }
            }
        }
        if !found {
            return Err(fault(
                "needs `response` (a text) or `responses` (a list of texts), or name what it has by --field".into(),
            ));
        }
    }
    for note in &asked.source.notes {
        out::stderr(&format!("note: {note}"));
    }
    let fields = fields.iter().filter(|_| given).map(String::as_str).chain((!given).then_some("")).zip(counts);
    let scores = Scores {
        verifier: judge.name(),
        questions: asked.source.questions.len(),
        data: asked.source.path.display().to_string(),
        data_sha256: &asked.source.sha256,
        responses: args.responses.display().to_string(),
        responses_sha256: &sha256,
        fields: fields.map(|(field, count)| FieldScore::of(field, &count)).collect(),
    };
    if args.json {
        let said = serde_json::json!({ "summary": scores });
        lines.push_str(&format!("{said}\n"));
        let _ = out::json(&lines)?;
    } else {
        let _ = out::stdout(&scores.table())?;
    }
    Ok(Exit::Done)
}

/// The questions, to be found by id, by text, or by place.
struct Asked<'a> {
    args: &'a ScoreArgs,
    source: Source,
    by_id: HashMap<String, usize>,
    by_text: HashMap<String, usize>,
}

impl<'a> Asked<'a> {
    fn read(args: &'a ScoreArgs, verifier: Verifier) -> Result<Self, Failure> {
        let spec = super::data::spec(&args.data, &args.reading, Some(verifier))?;
        let source = data::open(&spec).map_err(Failure::usage)?;
        let questions = &source.questions;
        let by =
            |key: fn(&Question) -> &String| questions.iter().enumerate().map(|(i, q)| (key(q).clone(), i)).collect();
        Ok(Self { args, by_id: by(|q| &q.id), by_text: by(|q| &q.text), source })
    }

    /// The question that the row in place `at` answers: by its `id`, else by its `question`, else by its place.
    fn question_of(&self, at: usize, row: &Value) -> Result<&Question, String> {
        let (data, questions) = (&self.args.data, &self.source.questions);
        let text = row.get("question").and_then(Value::as_str);
        let (id, counted) = match row.get("id") {
            Some(Value::String(id)) => (Some(id.clone()), false),
            Some(Value::Number(id)) => (Some(id.to_string()), true),
            _ => (None, false),
        };
        if let Some(id) = id {
            if let Some(&at) = self.by_id.get(&id) {
                return Ok(&questions[at]);
            }
            // A number may only count the lines, where the question itself is named.
            if !counted || text.is_none() {
                let like = questions.first().map_or("", |q| q.id.as_str());
                return Err(format!("there is no question `{id}` in {data}; ids there look like `{like}`"));
            }
        }
        let here = questions.get(at);
        if let Some(text) = text {
            if let Some(here) = here.filter(|q| q.text == text) {
                return Ok(here);
            }
            let at = self.by_text.get(text);
            return at.map(|&at| &questions[at]).ok_or_else(|| {
                format!("its `question` is none of those in {data}; give the file it was answered for")
            });
        }
        let n = questions.len();
        here.ok_or_else(|| format!("{data} has only {n} questions; give each line an `id`"))
    }
}

/// The value under a name, or under names joined by dots.
fn find<'a>(row: &'a Value, field: &str) -> Option<&'a Value> {
    row.get(field).or_else(|| field.split('.').try_fold(row, |value, name| value.get(name)))
}

/// The texts in a value: a text, a list of texts, or an object that holds exactly one text.
fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(items) => items.iter().map(Value::as_str).collect(),
        Value::Object(fields) => {
            let mut inner = fields.values().filter_map(Value::as_str);
            let text = inner.next()?;
            inner.next().is_none().then(|| vec![text])
        }
        _ => None,
    }
}

fn no_texts(row: &Value, field: &str) -> String {
    let names = row.as_object().map(|o| o.keys().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", "));
    match find(row, field) {
        Some(_) => {
            format!("`{field}` holds no text, no list of texts and no object with just one; name it as `{field}.…`")
        }
        None => format!("there is no `{field}`; the line has {}", names.unwrap_or_default()),
    }
}

/// What the responses of one field came to, with its interval.
#[derive(Serialize)]
struct FieldScore<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    field: &'a str,
    responses: usize,
    parsed: usize,
    correct: usize,
    accuracy: f64,
    low: f64,
    high: f64,
}

impl<'a> FieldScore<'a> {
    fn of(field: &'a str, count: &Count) -> Self {
        let accuracy = Estimate::share(count.correct, count.responses);
        let Count { responses, parsed, correct } = *count;
        Self { field, responses, parsed, correct, accuracy: accuracy.value, low: accuracy.low, high: accuracy.high }
    }
}

/// All counts, with N and the hashes of the files they come from (reading.md, row 4).
#[derive(Serialize)]
struct Scores<'a> {
    verifier: String,
    questions: usize,
    data: String,
    data_sha256: &'a str,
    responses: String,
    responses_sha256: &'a str,
    fields: Vec<FieldScore<'a>>,
}

impl Scores<'_> {
    fn table(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "verifier   {}", self.verifier);
        let _ = writeln!(text, "questions  {} in {}", self.questions, self.data);
        let _ = writeln!(text, "           sha256 {}", self.data_sha256);
        let _ = writeln!(text, "judged     {}", self.responses);
        let _ = writeln!(text, "           sha256 {}", self.responses_sha256);
        for score in &self.fields {
            let percent = |share: f64| 100.0 * share;
            let parsed = percent(score.parsed as f64 / score.responses.max(1) as f64);
            if !score.field.is_empty() {
                let _ = writeln!(text, "\nfield      {}", score.field);
            }
            let _ = writeln!(text, "responses  {}", score.responses);
            let _ = writeln!(text, "parsed     {} ({parsed:.1} %)", score.parsed);
            let (value, low, high) = (percent(score.accuracy), percent(score.low), percent(score.high));
            let _ = writeln!(text, "correct    {} ({value:.2} % [{low:.2}, {high:.2}])", score.correct);
        }
        text
    }
}
