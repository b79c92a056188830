//! Solutions, one thought a line: the plain one, and the raw ones a verbose teacher would write.
//!
//! A raw trace is right but hard to learn from, the more so the longer the problem: it restates, checks itself, fills
//! up, sums up, says simple things in long sentences and does two operations at once. Its lines can be told apart
//! again from their text alone ([`role_of`]), so that whoever is handed a trace needs no memory of how it was drawn.

use super::{Op, Problem, Step, dice::Dice};

/// What a line of a raw trace does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Repeats the first fact.
    Restate,
    /// Says nothing.
    Filler,
    /// One step, plainly.
    Plain,
    /// One step, in many words.
    Wordy,
    /// Two steps at once; the number between them is never written.
    Fused,
    /// Undoes a step to check it.
    Verify,
    /// Says the answer in a sentence.
    Summary,
}

/// One line of a raw trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its text.
    pub text: String,
    /// What it does.
    pub role: Role,
    /// The steps it carries out, or the step it checks.
    pub steps: Vec<usize>,
}

/// The most a draw of lines is clamped to: problems of five steps or more are told alike.
const LONGEST: usize = 5;
/// Share of traces that begin by restating.
const RESTATES: f64 = 0.8;
/// Share of steps that are checked.
const VERIFIES: f64 = 0.25;
/// Share of steps with filler after them (never after the last).
const FILLS: f64 = 0.2;
/// Share of traces that end with a summary.
const SUMMARISES: f64 = 0.6;
/// Share of eligible pairs that are fused, by number of steps.
const FUSES: [f64; LONGEST] = [0.0, 0.05, 0.15, 0.30, 0.40];
/// Share of wordy lines among the others, by number of steps.
const WORDY: [f64; LONGEST] = [0.15, 0.25, 0.30, 0.35, 0.35];

const FILLERS: [&str; 2] = [
    "Some parts of the problem are still open, so we keep going.",
    "Let us be careful with the next part of the problem.",
];

/// The plain line of a step.
pub fn plain_line(step: &Step) -> String {
    let Step { subject, a, op, b, r, unit, .. } = step;
    format!("{subject} {a} {op} {b} = {r} {unit}.")
}

/// The line that states the answer.
pub fn answer_line(problem: &Problem) -> String {
    format!("#### {}", problem.answer())
}

/// Every step plainly, then the answer.
pub fn plain_trace(problem: &Problem) -> String {
    let mut lines: Vec<String> = problem.steps.iter().map(plain_line).collect();
    lines.push(answer_line(problem));
    lines.join("\n")
}

/// A raw trace as text, the answer line included.
pub fn raw_trace(problem: &Problem, dice: &mut Dice) -> String {
    let mut lines: Vec<String> = raw_lines(problem, dice).into_iter().map(|line| line.text).collect();
    lines.push(answer_line(problem));
    lines.join("\n")
}

/// A raw trace line by line, without the answer line.
pub fn raw_lines(problem: &Problem, dice: &mut Dice) -> Vec<Line> {
    let count = problem.steps.len();
    let length = count.clamp(1, LONGEST) - 1;
    let mut lines = Vec::new();
    if dice.chance(RESTATES) {
        lines.push(restate(problem));
    }
    let mut index = 0;
    while index < count {
        let line = if can_fuse(problem, index) && dice.chance(FUSES[length]) {
            fused(problem, index)
        } else if dice.chance(WORDY[length]) {
            let manner = dice.below(MANNERS);
            wordy(problem, index, manner)
        } else {
            plain(problem, index)
        };
        index += line.steps.len();
        lines.push(line);
        let after = dice.unit();
        if after < VERIFIES {
            lines.push(verify(problem, index - 1));
        } else if after < VERIFIES + FILLS && index < count {
            lines.push(filler(dice.below(FILLERS.len())));
        }
    }
    if dice.chance(SUMMARISES) {
        lines.push(summary(problem));
    }
    lines
}

/// What a line of some raw trace of `problem` does; `None` for text that no such trace contains.
pub fn role_of(problem: &Problem, text: &str) -> Option<Line> {
    every_line(problem).into_iter().find(|line| line.text == text.trim())
}

/// Every line that a raw trace of `problem` can contain.
pub fn every_line(problem: &Problem) -> Vec<Line> {
    let mut lines = vec![restate(problem), summary(problem)];
    lines.extend((0..FILLERS.len()).map(filler));
    for index in 0..problem.steps.len() {
        lines.push(plain(problem, index));
        lines.extend((0..MANNERS).map(|manner| wordy(problem, index, manner)));
        lines.push(verify(problem, index));
        if can_fuse(problem, index) {
            lines.push(fused(problem, index));
        }
    }
    lines
}

fn restate(problem: &Problem) -> Line {
    let text = format!("Here is what the problem tells us first : {}", problem.first_fact);
    Line { text, role: Role::Restate, steps: Vec::new() }
}

fn summary(problem: &Problem) -> Line {
    let text = format!("This means that the final answer is {}.", problem.answer());
    Line { text, role: Role::Summary, steps: Vec::new() }
}

fn filler(which: usize) -> Line {
    Line { text: FILLERS[which].to_owned(), role: Role::Filler, steps: Vec::new() }
}

fn plain(problem: &Problem, index: usize) -> Line {
    Line { text: plain_line(&problem.steps[index]), role: Role::Plain, steps: vec![index] }
}

/// Ways to put a wordy line.
const MANNERS: usize = 3;

fn wordy(problem: &Problem, index: usize, manner: usize) -> Line {
    let step = &problem.steps[index];
    let Step { a, b, .. } = step;
    let deed = match step.op {
        Op::Add => format!("put {a} and {b} together"),
        Op::Subtract => format!("take {b} away from {a}"),
        Op::Multiply => format!("count {a} for {b} times"),
        Op::Divide => format!("cut {a} into {b} equal parts"),
    };
    let plain = plain_line(step);
    let text = match manner {
        0 => format!("What we have to do now is to {deed}, and this gives : {plain}"),
        1 => format!("Looking at the problem again, the next thing is to {deed} : {plain}"),
        _ => format!("When we {deed}, we find the next number that we need : {plain}"),
    };
    Line { text, role: Role::Wordy, steps: vec![index] }
}

fn verify(problem: &Problem, index: usize) -> Line {
    let Step { op, a, b, r, .. } = &problem.steps[index];
    let text = format!("We can check this line : {r} {} {b} = {a}, which is right.", op.inverse());
    Line { text, role: Role::Verify, steps: vec![index] }
}

/// Whether step `index` feeds the step after it and no other.
fn can_fuse(problem: &Problem, index: usize) -> bool {
    problem.steps.get(index + 1).is_some_and(|next| next.uses(index))
        && !problem.steps.iter().skip(index + 2).any(|later| later.uses(index))
}

fn fused(problem: &Problem, index: usize) -> Line {
    let (inner, outer) = (&problem.steps[index], &problem.steps[index + 1]);
    let bracket = format!("( {} {} {} )", inner.a, inner.op, inner.b);
    let sum = if outer.left == super::Operand::Result(index) {
        format!("{bracket} {} {}", outer.op, outer.b)
    } else {
        format!("{} {} {bracket}", outer.a, outer.op)
    };
    let text = format!("{} {sum} = {} {}.", outer.subject, outer.r, outer.unit);
    Line { text, role: Role::Fused, steps: vec![index, index + 1] }
}
