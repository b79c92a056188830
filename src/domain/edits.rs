//! What an edited step must satisfy before it stands in a bridged trace: it says something, it stays one step, it keeps
//! what the step came to, and it leaves the answer line to the trace (reading.md, row 17).

use super::types::Action;

/// An edit may be this many times as long as its step, and [`ROOM`] characters more; what is longer tells another story.
const LONGEST: usize = 8;
/// Characters an edit may have beyond that.
const ROOM: usize = 400;

/// Why an edit is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditFault {
    /// Nothing is left of a step that is needed.
    #[error("the edited step is empty")]
    Empty,
    /// It brings an answer line of its own.
    #[error("the edited step holds `####`; the answer line belongs to the trace")]
    AnswerLine,
    /// Shorter was asked for.
    #[error("the shortened step has {edited} characters, the step itself {original}")]
    NotShorter {
        /// Characters of the edit.
        edited: usize,
        /// Characters of the step.
        original: usize,
    },
    /// It is much more than a step.
    #[error("the edited step has {edited} characters, the step itself {original}; it is no longer one step")]
    TooLong {
        /// Characters of the edit.
        edited: usize,
        /// Characters of the step.
        original: usize,
    },
    /// What the step came to is gone.
    #[error("the edited step no longer holds {0}, which the step came to")]
    ResultLost(String),
}

/// Checks the edit of `step` by `action`. An empty edit is a fault but of Compress, where it says that nothing of the step
/// is worth keeping; Keep and Drop have no edits to check.
///
/// # Errors
/// The first fault.
pub fn check_edit(action: Action, step: &str, edited: &str) -> Result<(), EditFault> {
    if matches!(action, Action::Keep | Action::Drop) {
        return Ok(());
    }
    let (step, edited) = (step.trim(), edited.trim());
    if edited.is_empty() {
        return if action == Action::Compress { Ok(()) } else { Err(EditFault::Empty) };
    }
    if edited.contains("####") {
        return Err(EditFault::AnswerLine);
    }
    let lengths = (edited.chars().count(), step.chars().count());
    match (action, lengths) {
        (Action::Compress, (edited, original)) if edited > original => {
            return Err(EditFault::NotShorter { edited, original });
        }
        (_, (edited, original)) if edited > LONGEST * original + ROOM => {
            return Err(EditFault::TooLong { edited, original });
        }
        _ => {}
    }
    // A step of low importance may lose its result; one that is needed may not.
    if action != Action::Compress
        && let Some((written, result)) = result_of(step)
        && !numbers(edited).any(|(_, number)| number == result)
    {
        return Err(EditFault::ResultLost(written.to_string()));
    }
    Ok(())
}

/// The number a step comes to: the first behind its last equals sign, else its last; as written and as a value.
fn result_of(step: &str) -> Option<(&str, f64)> {
    let behind = step.rfind('=').and_then(|at| numbers(&step[at..]).next());
    behind.or_else(|| numbers(step).last())
}

/// The unsigned numbers of a text, `1,200` and `12.50` among them.
fn numbers(text: &str) -> impl Iterator<Item = (&str, f64)> {
    let pieces = text.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == ','));
    let pieces = pieces.map(|piece| piece.trim_matches(['.', ',']));
    pieces.filter_map(|piece| Some((piece, piece.replace(',', "").parse::<f64>().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::{Compress, Drop, Expand, Keep, Localize};

    #[test]
    fn edits_are_held_against_their_step() {
        let lost = |number: &str| Err(EditFault::ResultLost(number.into()));
        let cases = [
            (Localize, "3 × 5 = 15 km in 2 hours", "3 times 5 is 15.", Ok(())),
            (Localize, "3 × 5 = 15 km in 2 hours", "3 times 5 is 16 in 2 hours.", lost("15")),
            (Expand, "So it is $1,200.", "400 + 800 = 1200", Ok(())),
            (Expand, "So it is 12.50.", "It is 12.5 dollars.\nThat is all.", Ok(())),
            (Expand, "So she has 8 apples.", "She has eight apples.", lost("8")),
            (Localize, "Nothing to count here.", "Nothing.", Ok(())),
            (Localize, "a", "", Err(EditFault::Empty)),
            (Expand, "a", " \n", Err(EditFault::Empty)),
            (Expand, "2 = 2", "2 = 2\n#### 2", Err(EditFault::AnswerLine)),
            (Compress, "This is so: 1 + 1 = 2", "", Ok(())),
            (Compress, "This is so: 1 + 1 = 2", "It is so.", Ok(())),
            (Compress, "abc", "abcd", Err(EditFault::NotShorter { edited: 4, original: 3 })),
            (Keep, "a", "####", Ok(())),
            (Drop, "a", "b", Ok(())),
        ];
        for (action, step, edited, outcome) in cases {
            assert_eq!(check_edit(action, step, edited), outcome, "{action:?} {step:?} {edited:?}");
        }
        let long = "a".repeat(LONGEST + ROOM + 1);
        assert!(matches!(check_edit(Expand, "a", &long), Err(EditFault::TooLong { .. })));
    }
}
