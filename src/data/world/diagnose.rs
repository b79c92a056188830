//! The first wrong line of an answer, and what would put it right.
//!
//! The answer is read line by line beside the program. Every equation is a claim; a claim is held against the steps
//! that are still open and whose operands are known. Text without an equation is passed over, and so are claims that
//! repeat or undo a finished step rightly: a student that checks itself makes no error by that.

use super::{
    Op, Problem, Step,
    trace::{answer_line, plain_trace},
};
use crate::domain::Diagnosis;

pub mod claims;
mod wording;

use claims::{Claim, claims_of, final_answer};

/// Longest excerpt, in characters (reading.md, row 43).
pub const EXCERPT_CHARS: usize = 120;

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Right step, wrong result: the step as it should be, and the number found instead.
    Calculation(Step, i64),
    /// Right numbers, wrong operation: the step as it should be, and the operation found instead.
    Operation(Step, Op),
    /// Other numbers than the next step has.
    Misread(Step),
    /// Something was used or concluded before this step was done.
    MissingStep(Step),
    /// Every step was done already.
    ExtraStep,
    /// The text ends without an answer; the next open step, if any.
    MissingAnswer(Option<Step>),
    /// Every step was right, the answer line is not.
    FinalAnswer,
}

/// The diagnosis of a failed `response` in seven fields (eq. 17); `None` if it reaches the right answer.
pub fn diagnose(problem: &Problem, response: &str) -> Option<Diagnosis> {
    let (line, fault) = first_fault(problem, response)?;
    Some(wording::fields(&fault, excerpt(line), answer_line(problem), plain_trace(problem)))
}

/// The first faulty line of `response`; `None` if it reaches the right answer.
pub fn first_fault<'a>(problem: &Problem, response: &'a str) -> Option<(&'a str, Fault)> {
    let mut walk = Walk { problem, done: vec![false; problem.steps.len()] };
    let mut last = "";
    for line in response.lines().filter(|line| !line.trim().is_empty()) {
        last = line;
        if let Some(answer) = final_answer(line) {
            if answer.parse() == Ok(problem.answer()) {
                return None;
            }
            return Some((line, walk.next_open().map_or(Fault::FinalAnswer, |step| Fault::MissingStep(step.clone()))));
        }
        for claim in claims_of(line) {
            if let Some(fault) = walk.judge(&claim) {
                return Some((line, fault));
            }
        }
    }
    Some((last, Fault::MissingAnswer(walk.next_open().cloned())))
}

/// The start of a line, cut between words so that it stays within [`EXCERPT_CHARS`]; always found verbatim in the line.
pub fn excerpt(line: &str) -> &str {
    let line = line.trim();
    let Some((limit, _)) = line.char_indices().nth(EXCERPT_CHARS) else { return line };
    let head = &line[..limit];
    if line[limit..].starts_with(char::is_whitespace) {
        return head.trim_end();
    }
    head.rfind(char::is_whitespace).map_or(head, |space| head[..space].trim_end())
}

struct Walk<'a> {
    problem: &'a Problem,
    done: Vec<bool>,
}

impl Walk<'_> {
    fn is_ready(&self, step: &Step) -> bool {
        step.needs().all(|index| self.done.get(index).copied().unwrap_or(false))
    }

    fn next_open(&self) -> Option<&Step> {
        let open = || self.problem.steps.iter().zip(&self.done).filter(|(_, done)| !**done).map(|(step, _)| step);
        open().find(|step| self.is_ready(step)).or_else(|| open().next())
    }

    fn judge(&mut self, claim: &Claim) -> Option<Fault> {
        let Claim { op, a, b, result } = *claim;
        let steps = &self.problem.steps;
        let says_right = |step: &Step| result.is_none_or(|number| number == step.r);
        let ready = (0..steps.len()).find(|&i| !self.done[i] && steps[i].matches(op, a, b) && self.is_ready(&steps[i]));
        if let Some(index) = ready {
            let step = &steps[index];
            if says_right(step) {
                self.done[index] = true;
                return None;
            }
            return Some(Fault::Calculation(step.clone(), result.unwrap_or_default()));
        }
        let mut finished = steps.iter().zip(&self.done).filter(|(_, done)| **done).map(|(step, _)| step);
        if let Some(step) = finished.clone().find(|step| step.matches(op, a, b)) {
            return (!says_right(step)).then(|| Fault::Calculation(step.clone(), result.unwrap_or_default()));
        }
        let is_true = result.is_none() || op.apply(a, b) == result;
        if is_true && finished.any(|step| undoes(step, op, a, b)) {
            return None;
        }
        let Some(next) = self.next_open() else { return Some(Fault::ExtraStep) };
        let is_ahead = steps.iter().zip(&self.done).any(|(step, done)| !done && step.matches(op, a, b));
        if is_ahead {
            return Some(Fault::MissingStep(next.clone()));
        }
        let same_numbers = (next.a, next.b) == (a, b) || (next.b, next.a) == (a, b);
        Some(if same_numbers && next.op != op {
            Fault::Operation(next.clone(), op)
        } else {
            Fault::Misread(next.clone())
        })
    }
}

/// Whether `x op y` checks `step` by undoing it: back from its result to one of its operands.
fn undoes(step: &Step, op: Op, x: i64, y: i64) -> bool {
    let (back, forth) = ((x, y) == (step.r, step.b) || (x, y) == (step.r, step.a), (x, y) == (step.b, step.r));
    op == step.op.inverse() && (back || (op.commutes() && forth))
}
