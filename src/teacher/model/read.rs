//! Products out of a model's words, strictly: what is not plainly the product is a fault, in words for the log and for
//! review. Every function takes any text, in time linear in it, and never guesses.

use crate::domain::split_answer;

/// What a judge may say, as it may be written.
const GRID: [(f64, &[&str]); 5] = [
    (0.0, &["0", "0.0", "0.00"]),
    (0.25, &["0.25", ".25"]),
    (0.5, &["0.5", "0.50", ".5", ".50"]),
    (0.75, &["0.75", ".75"]),
    (1.0, &["1", "1.0", "1.00"]),
];
/// What a model may write before an edit although it was asked not to.
const LABELS: [&str; 12] = [
    "answer",
    "compressed step",
    "edited step",
    "expanded step",
    "localized step",
    "new step",
    "rewritten step",
    "shortened step",
    "simplified step",
    "step",
    "the step",
    "result",
];
/// How a model says that nothing of a step is worth keeping.
const NOTHING: &str = "NOTHING";
const THINK: (&str, &str) = ("<think>", "</think>");

/// The answer behind a reasoning model's thoughts, which some servers leave in front of it.
///
/// # Errors
/// Thoughts that never end.
pub fn without_thoughts(text: &str) -> Result<&str, String> {
    let text = text.trim();
    let Some(thoughts) = text.strip_prefix(THINK.0) else { return Ok(text) };
    match thoughts.split_once(THINK.1) {
        Some((_, answer)) => Ok(answer.trim()),
        None => Err("the model was still thinking when its answer ended".into()),
    }
}

/// A worked solution: at least one step, then `#### answer` on the last line and nowhere else.
///
/// # Errors
/// What of that does not hold.
pub fn trace(text: &str) -> Result<String, String> {
    let text = text.trim();
    let (body, answer) = split_answer(text);
    let Some(answer) = answer else { return Err("the last line of the solution is not `#### answer`".into()) };
    if answer.trim_start_matches('#').trim().is_empty() || !answer.starts_with("#### ") {
        return Err(format!("the answer line is \"{}\", not `#### answer`", short(answer)));
    }
    if body.trim().is_empty() {
        return Err("the solution is an answer without a step".into());
    }
    if body.contains("####") {
        return Err("`####` stands before the last line of the solution".into());
    }
    Ok(text.to_owned())
}

/// A judge's score: one of the five numbers, alone or behind `score:`.
///
/// # Errors
/// Anything else, with the beginning of it.
pub fn score(text: &str) -> Result<f64, String> {
    let said = text.trim();
    let number = match said.split_once(':') {
        Some((label, number)) if label.trim().eq_ignore_ascii_case("score") => number.trim(),
        _ => said,
    };
    let score = GRID.iter().find(|(_, written)| written.contains(&number)).map(|(score, _)| *score);
    score.ok_or_else(|| format!("the judge said \"{}\", not one of 0, 0.25, 0.5, 0.75, 1", short(said)))
}

/// An edited step: without a fence, quotes or a label around it. Where `may_vanish`, the word NOTHING is an empty step.
///
/// # Errors
/// A fence that is not around the whole answer, or nothing inside.
pub fn edit(text: &str, may_vanish: bool) -> Result<String, String> {
    let text = unquoted(unlabelled(unquoted(unfenced(text.trim())?)));
    if may_vanish && text.trim_end_matches('.') == NOTHING {
        return Ok(String::new());
    }
    if text.is_empty() { Err("the edited step is empty".into()) } else { Ok(text.to_owned()) }
}

/// The inside of a text that is one Markdown fence; the text itself where no fence is.
fn unfenced(text: &str) -> Result<&str, String> {
    if !text.contains("```") {
        return Ok(text);
    }
    let inside = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    let inside = inside.and_then(|inside| inside.split_once('\n')).map(|(_, inside)| inside.trim());
    match inside {
        Some(inside) if !inside.contains("```") => Ok(inside),
        _ => Err("there is a Markdown fence in the answer, and not around all of it".into()),
    }
}

/// Without quotes around all of it.
fn unquoted(text: &str) -> &str {
    for (open, close) in [('"', '"'), ('“', '”')] {
        let inside = text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        if let Some(inside) = inside.filter(|inside| !inside.contains([open, close])) {
            return inside.trim();
        }
    }
    text
}

/// Without a label such as `Rewritten step:` in front.
fn unlabelled(text: &str) -> &str {
    let Some((label, rest)) = text.split_once(':') else { return text };
    let label = label.trim_matches(|c: char| c == '*' || c.is_whitespace());
    let rest = rest.trim_start_matches("**").trim();
    if LABELS.iter().any(|known| known.eq_ignore_ascii_case(label)) && !rest.is_empty() { rest } else { text }
}

/// The beginning of foreign words on one line.
fn short(text: &str) -> String {
    const LONGEST: usize = 60;
    let flat: Vec<&str> = text.split_whitespace().take(LONGEST).collect();
    let flat = flat.join(" ");
    match flat.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &flat[..end]),
        None => flat,
    }
}
