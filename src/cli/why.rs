//! `footbridge why`: what stands behind a training text. Reads beside a running program.

use super::args::WhyArgs;
use super::exit::{Exit, Failure};
use super::out;
use crate::domain::Message;
use crate::export::lineage::{FailureBehind, Lineage, LineageError, RolloutsBehind, StepsBehind, lineage};
use crate::pipeline::begun::recipe_of;
use crate::session::{Sessions, show_time};
use crate::workbench::text::{printable, wrap};

/// Columns of the text.
const COLUMNS: usize = 100;
/// Columns before the text of a field.
const INDENT: usize = 13;
/// Hexadecimal digits of a long hash that are shown.
const DIGITS: usize = 12;

/// Prints the way back of one text.
pub fn run(args: &WhyArgs) -> Result<Exit, Failure> {
    let session = Sessions::at(&args.sessions.path).open_read_only(&args.name).map_err(Failure::usage)?;
    let found = lineage(&session, &recipe_of(&session)?, &args.id).map_err(|error| match error {
        error @ LineageError::Unknown { .. } => Failure::usage(error),
        LineageError::Session(error) => Failure::failed(error),
    })?;
    let _ = if args.json {
        out::json_line(&serde_json::to_string(&found).map_err(Failure::failed)?)?
    } else {
        out::stdout(&show(&found))?
    };
    Ok(Exit::Done)
}

/// The way back as text for a terminal.
pub fn show(found: &Lineage) -> String {
    let mut page = Page::default();
    let text = &found.text;
    page.field(
        "text",
        &format!("{} ({}, {} trained tokens, trained in {})", text.id, text.kind, text.tokens, text.stage),
    );
    for message in &text.messages {
        let Message { role, content } = message;
        page.field(role.as_str(), content);
    }
    if let Some(question) = &found.question {
        page.section("question");
        page.field("question", &format!("{}: {}", question.id, question.text));
        page.field("gold", &question.gold);
    }
    for group in &found.rollouts {
        rollouts(&mut page, group);
    }
    if let Some(trace) = &found.trace {
        page.section("trace");
        let attempts = if trace.attempts == 1 { "attempt" } else { "attempts" };
        page.field("teacher", &format!("{}, {} {attempts}", trace.teacher, trace.attempts));
        page.field("standing", &words(&trace.standing));
        page.field("trace", &trace.text);
    }
    if let Some(found) = &found.steps {
        steps(&mut page, found);
    }
    if let Some(found) = &found.failure {
        failure(&mut page, found);
    }
    ends(&mut page, found);
    page.0
}

fn rollouts(page: &mut Page, group: &RolloutsBehind) {
    page.section(&group.key);
    let band = group.band.as_ref().map_or(String::new(), |band| format!(", so it is {band}"));
    page.field("right", &format!("{} of {} answers{band}", group.correct, group.n));
    let sampling = group.sampling;
    page.field(
        "measured",
        &format!(
            "under checkpoint {}, by verifier {}, prompt {}, temperature {}, top-p {}",
            group.checkpoint, group.verifier, group.prompt, sampling.temperature, sampling.top_p
        ),
    );
    let answers: Vec<String> = group
        .rollouts
        .iter()
        .map(|r| format!("{}{}", r.answer.as_deref().unwrap_or("none"), if r.correct { " (right)" } else { "" }))
        .collect();
    page.field("answers", &answers.join(" · "));
}

fn steps(page: &mut Page, found: &StepsBehind) {
    page.section("steps");
    let tau_d = found.tau_d.map_or("not fixed".to_owned(), |tau| format!("{tau:.3}"));
    let source = found.tau_d_source.as_ref().map_or(String::new(), |source| format!(" ({source})"));
    page.field(
        "thresholds",
        &format!(
            "importance {}, jumpiness {}, difficulty {tau_d} nats a token{source}; difficulty under {}",
            found.tau_i, found.tau_j, found.checkpoint
        ),
    );
    page.field("standing", &words(&found.standing));
    let score = |score: Option<f64>| score.map_or("unscored".to_owned(), |s| format!("{s:.2}"));
    for (at, step) in found.steps.iter().enumerate() {
        page.field(&format!("step {}", at + 1), &step.text);
        let (importance, jumpiness) = (score(step.importance), score(step.jumpiness));
        page.field(
            "",
            &format!(
                "importance {importance}, jumpiness {jumpiness}, difficulty {:.3} over {} tokens",
                step.difficulty, step.tokens
            ),
        );
        if let (Some(action), Some(reason)) = (&step.action, &step.reason) {
            let local = if step.local { "; also trained on its own" } else { "" };
            page.field("", &format!("{action}: {reason}{local}"));
        }
        match &step.edited {
            Some(edited) if edited.is_empty() => page.field("", "→ nothing is left of it"),
            Some(edited) if *edited != step.text => page.field("", &format!("→ {edited}")),
            _ => {}
        }
    }
}

fn failure(page: &mut Page, found: &FailureBehind) {
    page.section(&found.key);
    let repeats = if found.repetition { ", it repeats itself" } else { "" };
    page.field(
        "near-miss",
        &format!("answer {} of its rollouts, score {:.3}{repeats}", found.near_miss + 1, found.score),
    );
    page.field("response", &found.response);
    page.field("standing", &words(&found.standing));
    page.field("beside it", found.reference.as_deref().unwrap_or("no verified trace was given to the teacher"));
    let Some(diagnosis) = &found.diagnosis else { return page.field("diagnosis", "none that could be used") };
    page.field("error", &format!("{}: {}", diagnosis.error_type, diagnosis.first_error));
    page.field("why", &diagnosis.why_wrong);
    page.field("missing", &diagnosis.missing_knowledge);
    page.field("fix", &diagnosis.minimal_fix);
    page.field("next step", &diagnosis.correct_next_step);
    page.field("solution", &diagnosis.short_correct_reasoning);
}

/// Decisions, prompts, checkpoints, what is missing.
fn ends(page: &mut Page, found: &Lineage) {
    page.section("decisions");
    for decision in &found.decisions {
        let reason = decision.reason.as_ref().map_or(String::new(), |reason| format!(", because: {reason}"));
        let line = format!("{} by {}: {}{reason}", decision.record, decision.by, decision.what);
        page.field("", &format!("{} {line}", show_time(decision.millis)));
    }
    page.section("prompts");
    for prompt in &found.prompts {
        let recorded = if prompt.recorded { "" } else { " (this program's wording; not recorded by the run)" };
        page.field("", &format!("{} {}{recorded}", prompt.hash, prompt.of));
    }
    page.section("checkpoints");
    let short = |hash: &str| hash.chars().take(DIGITS).collect::<String>();
    for checkpoint in &found.checkpoints {
        let hashes = if checkpoint.weights.is_empty() {
            String::new()
        } else {
            let [weights, recipe, data] = [&checkpoint.weights, &checkpoint.recipe, &checkpoint.data].map(|h| short(h));
            format!(": weights {weights}, recipe {recipe}, data {data}")
        };
        page.field("", &format!("{}{hashes}", checkpoint.id));
    }
    if found.checkpoints.is_empty() {
        page.field("", "none yet: the stage has not ended");
    }
    for missing in &found.missing {
        page.field("missing", &format!("{missing} is named by the text, but the session does not have it"));
    }
}

fn words(standing: &crate::export::lineage::Standing) -> String {
    let status = if standing.status.is_empty() { "not recorded" } else { standing.status.as_str() };
    standing.reason.as_ref().map_or_else(|| status.to_owned(), |reason| format!("{status}: {reason}"))
}

/// Text in two columns: names and what they stand for.
#[derive(Default)]
struct Page(String);

impl Page {
    fn section(&mut self, name: &str) {
        self.0.push_str(&format!("\n{}\n", printable(name)));
    }

    /// A field; line breaks of the text are kept, long lines wrapped.
    fn field(&mut self, name: &str, text: &str) {
        let mut name = printable(name);
        for line in text.lines() {
            for part in wrap(&printable(line), COLUMNS - INDENT) {
                let row = format!("  {name:<width$}{part}", width = INDENT - 2);
                self.0.push_str(row.trim_end());
                self.0.push('\n');
                name.clear();
            }
        }
    }
}
