//! `footbridge teacher check|export`: one product of each kind from a recipe's teacher; a session's products as a file.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;

use super::args::{SessionsDir, TeacherVerb};
use super::exit::{Exit, Failure};
use super::{out, start, student_word};
use crate::domain::Question;
use crate::pipeline::recorded;
use crate::pipeline::specimen::question_of;
use crate::pipeline::teaching::{Teaching, prompts};
use crate::pipeline::tryout::{Product, try_out};
use crate::recipe::Recipe;
use crate::session::Sessions;
use crate::workbench::text::printable_lines;

/// Does what is asked.
pub fn run(verb: &TeacherVerb) -> Result<Exit, Failure> {
    match verb {
        TeacherVerb::Check { recipe, set, question, text, gold, prompts, threads, json, sessions } => {
            let mut recipe = Recipe::find(recipe).and_then(|r| r.with(set)).map_err(Failure::usage)?;
            if let Some(folder) = prompts {
                recipe.prompts.folder = folder.display().to_string();
            }
            recipe.validate().map_err(Failure::usage)?;
            student_word::resolve(&mut recipe, &Sessions::at(&sessions.path))?;
            let question = match (text, gold) {
                (Some(text), Some(gold)) => {
                    Question { id: "text".into(), text: text.clone(), gold: gold.clone(), ..Question::default() }
                }
                _ => question_of(&recipe, question.as_deref()).map_err(Failure::usage)?,
            };
            check(&recipe, question, start::threads(*threads), *json)
        }
        TeacherVerb::Export { session, out, sessions } => export(session, out, sessions),
    }
}

fn check(recipe: &Recipe, question: Question, threads: usize, json: bool) -> Result<Exit, Failure> {
    // A teacher is looked at even where the recipe only evaluates.
    let recipe = Recipe { iterations: recipe.iterations.max(1), ..recipe.clone() };
    let teaching = Teaching::prepare(&recipe, threads, &mut out::stderr).map_err(Failure::usage)?;
    let prompts = Arc::new(prompts(&recipe).map_err(Failure::usage)?);
    let (mut good, mut all) = (0, 0);
    let each = |product: &Product| {
        all += 1;
        good += usize::from(product.fault.is_none());
        let written = if json {
            serde_json::to_string(product).map_err(Failure::failed).and_then(|line| out::json_line(&line))
        } else {
            out::stdout(&shown(product))
        };
        written.map(|_| ())
    };
    try_out(teaching, &recipe, &prompts, question, each)?;
    if good < all {
        return Err(Failure::failed(format!("{} of {all} products did not pass", all - good)));
    }
    if !json {
        let _ = out::stdout(&format!("all {all} products passed their checks"))?;
    }
    Ok(Exit::Done)
}

/// A product as a short paragraph.
fn shown(product: &Product) -> String {
    let Product { ask, seconds, prompt_tokens, completion_tokens, cost, said, fault, .. } = product;
    let mut text = format!("{ask:<11} {:<7} {seconds:.2} s", if fault.is_some() { "refused" } else { "passed" });
    // Writing to a String cannot fail.
    if prompt_tokens + completion_tokens > 0 {
        let _ = write!(text, ", {prompt_tokens} + {completion_tokens} tokens");
    }
    if *cost > 0.0 {
        let _ = write!(text, ", cost {cost:.6}");
    }
    if let Some(fault) = fault {
        let _ = write!(text, "\n  {fault}");
    }
    for line in printable_lines(said).lines() {
        let _ = write!(text, "\n  | {line}");
    }
    text.push('\n');
    text
}

fn export(name: &str, path: &Path, sessions: &SessionsDir) -> Result<Exit, Failure> {
    let session = Sessions::at(&sessions.path).open_read_only(name).map_err(Failure::usage)?;
    let lines = recorded::lines(&session).map_err(Failure::usage)?;
    let unwritable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::usage(format!("{} is there already; name a file that is not, or remove it first", path.display()))
        }
        _ => Failure::usage(format!("{} cannot be written: {error}", path.display())),
    };
    let file = OpenOptions::new().write(true).create_new(true).open(path).map_err(unwritable)?;
    let mut file = BufWriter::new(file);
    for line in &lines {
        let line = serde_json::to_string(line).map_err(Failure::failed)?;
        writeln!(file, "{line}").map_err(unwritable)?;
    }
    file.flush().map_err(unwritable)?;
    out::stderr(&format!("{}: {} products of session {name}", path.display(), lines.len().saturating_sub(1)));
    Ok(Exit::Done)
}
