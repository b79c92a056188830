//! What a teacher's diagnosis must satisfy before the student may see it (eq. 17; reading.md, rows 42 and 43).

use super::excerpt::{Excerpt, find_excerpt};
use super::steps::split_steps;
use super::types::Diagnosis;
use super::verify::Verifier;

/// One check that failed, in words for the teacher's next attempt and for the researcher.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiagnosisFault {
    /// The text is no JSON object with exactly the seven fields.
    #[error("not a JSON object with exactly the seven fields: {0}")]
    NotSevenFields(String),
    /// A field says nothing.
    #[error("`{0}` is empty")]
    EmptyField(&'static str),
    /// The excerpt is too long.
    #[error("`first_error` has {length} characters, the most is {most}")]
    LongExcerpt {
        /// Its characters.
        length: usize,
        /// How many it may have.
        most: usize,
    },
    /// The excerpt is not the student's.
    #[error("`first_error` was not found in the answer, not even nearly")]
    ExcerptNotFound,
    /// The new reasoning does not reach the gold answer.
    #[error("the last line of `short_correct_reasoning` is not `#### {0}`")]
    WrongAnswer(String),
    /// The repaired step is the wrong step.
    #[error("`correct_next_step` repeats the error")]
    RepeatsError,
}

/// Reads a diagnosis from a model's words: a JSON object, alone or in a Markdown fence.
pub fn parse_diagnosis(text: &str) -> Result<Diagnosis, DiagnosisFault> {
    let text = text.trim();
    let fenced = text.strip_prefix("```json").or_else(|| text.strip_prefix("```"));
    let text = fenced.map_or(text, |inside| inside.trim_end().trim_end_matches('`').trim());
    serde_json::from_str(text).map_err(|error| DiagnosisFault::NotSevenFields(error.to_string()))
}

/// Checks a diagnosis of `answer` and says where its excerpt lies, or everything that is wrong with it. `most` is the
/// longest excerpt in characters; no more than [`LONGEST_EXCERPT`](super::excerpt::LONGEST_EXCERPT) are looked for.
pub fn check_diagnosis(
    diagnosis: &Diagnosis,
    answer: &str,
    gold: &str,
    verifier: Verifier,
    most: usize,
) -> Result<Excerpt, Vec<DiagnosisFault>> {
    let mut faults: Vec<DiagnosisFault> = fields(diagnosis)
        .into_iter()
        .filter(|(_, text)| text.trim().is_empty())
        .map(|(name, _)| DiagnosisFault::EmptyField(name))
        .collect();
    let length = diagnosis.first_error.trim().chars().count();
    let found = find_excerpt(answer, &diagnosis.first_error);
    if length > most {
        faults.push(DiagnosisFault::LongExcerpt { length, most });
    } else if found.is_none() && length > 0 {
        faults.push(DiagnosisFault::ExcerptNotFound);
    }
    let reasoning = diagnosis.short_correct_reasoning.as_str();
    if !reasoning.trim().is_empty() && !verifier.ends_with_gold(reasoning, gold) {
        faults.push(DiagnosisFault::WrongAnswer(gold.to_string()));
    }
    if length > 0 && diagnosis.correct_next_step.trim() == diagnosis.first_error.trim() {
        faults.push(DiagnosisFault::RepeatsError);
    }
    match found {
        Some(excerpt) if faults.is_empty() => Ok(excerpt),
        _ => Err(faults),
    }
}

/// What stands before the step that holds the first error: the prefix of the repair lesson (eq. 18). Empty where the
/// first step is the wrong one, and only then: an excerpt that was not found has no place to give.
pub fn prefix_before<'a>(answer: &'a str, error: &Excerpt) -> &'a str {
    let steps = split_steps(answer, usize::MAX);
    let holds = |end: usize| error.start < end;
    let begin = steps.iter().find(|step| holds(step.end)).map_or(answer.len(), |step| step.start);
    answer.get(..begin).unwrap_or("").trim_end()
}

fn fields(diagnosis: &Diagnosis) -> [(&'static str, &str); 7] {
    [
        ("first_error", &diagnosis.first_error),
        ("error_type", &diagnosis.error_type),
        ("why_wrong", &diagnosis.why_wrong),
        ("missing_knowledge", &diagnosis.missing_knowledge),
        ("minimal_fix", &diagnosis.minimal_fix),
        ("correct_next_step", &diagnosis.correct_next_step),
        ("short_correct_reasoning", &diagnosis.short_correct_reasoning),
    ]
}
