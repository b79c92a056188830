//! Wrong answers made by rule, for the critique documents of the base checkpoint's pre-training: what a student gets
//! wrong must look familiar before real failures are diagnosed.

use super::{Op, Operand, Problem, Step, dice::Dice, trace::plain_line};

/// How an answer goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slip {
    /// A result a little off.
    Result,
    /// Another operation.
    Operation,
    /// Another second operand.
    Number,
    /// A step left out.
    Skip,
    /// A step too many.
    Extra,
    /// The answer line is not the last result.
    Answer,
    /// No answer line.
    NoAnswer,
}

/// Shares of the slips.
const SLIPS: [(Slip, f64); 7] = [
    (Slip::Result, 0.42),
    (Slip::Operation, 0.22),
    (Slip::Number, 0.16),
    (Slip::Skip, 0.08),
    (Slip::Extra, 0.04),
    (Slip::Answer, 0.04),
    (Slip::NoAnswer, 0.04),
];

/// An answer to `problem` that does not reach its gold answer: right up to one slip, then consistently wrong.
pub fn wrong_answer(problem: &Problem, dice: &mut Dice) -> String {
    let slip = SLIPS[dice.weighted(&SLIPS.map(|(_, share)| share))].0;
    loop {
        let (mut lines, answer) = attempt(problem, slip, dice);
        if slip == Slip::NoAnswer {
            return lines.join("\n");
        }
        if answer != problem.answer() {
            lines.push(format!("#### {answer}"));
            return lines.join("\n");
        }
    }
}

/// The lines up to the answer line, and the answer they lead to.
fn attempt(problem: &Problem, slip: Slip, dice: &mut Dice) -> (Vec<String>, i64) {
    let at = match slip {
        Slip::Extra | Slip::Answer | Slip::NoAnswer => usize::MAX,
        _ => dice.below(problem.steps.len()),
    };
    let mut lines = Vec::new();
    let mut results: Vec<i64> = Vec::new();
    for (index, step) in problem.steps.iter().enumerate() {
        let mut said = carry(step, &results);
        if index == at {
            said = said.and_then(|step| slipped(step, slip, dice));
        }
        // A step that cannot be carried on with the wrong number is where this answer gives up.
        let Some(said) = said.filter(|step| (0..=999).contains(&step.r)) else { break };
        results.push(said.r);
        if index != at || slip != Slip::Skip {
            lines.push(plain_line(&said));
        }
    }
    let last = results.last().copied().unwrap_or_else(|| dice.range(2, 60));
    match (slip, problem.steps.last()) {
        (Slip::Extra, Some(step)) => {
            let b = dice.range(2, 15);
            lines.push(plain_line(&Step { op: Op::Add, a: last, b, r: last + b, ..step.clone() }));
            (lines, last + b)
        }
        (Slip::Answer, _) => (lines, last + dice.pick(&[-10, -1, 1, 10]).max(-last)),
        _ => (lines, last),
    }
}

/// The step with the numbers found so far instead of the right ones.
fn carry(step: &Step, results: &[i64]) -> Option<Step> {
    let value = |operand: Operand, given: i64| match operand {
        Operand::Given(_) => Some(given),
        Operand::Result(index) => results.get(index).copied(),
    };
    let (a, b) = (value(step.left, step.a)?, value(step.right, step.b)?);
    Some(Step { a, b, r: step.op.apply(a, b)?, ..step.clone() })
}

fn slipped(step: Step, slip: Slip, dice: &mut Dice) -> Option<Step> {
    match slip {
        Slip::Result => {
            let off = dice.pick(&[-10, -2, -1, 1, 2, 10]);
            Some(Step { r: (step.r + off).max(0), ..step })
        }
        Slip::Operation => {
            let others: Vec<Op> = Op::ALL.into_iter().filter(|op| *op != step.op && *op != Op::Divide).collect();
            let op = dice.pick(&others);
            Some(Step { op, r: op.apply(step.a, step.b)?, ..step })
        }
        Slip::Number => {
            let b = step.b + dice.range(1, 9);
            Some(Step { b, r: step.op.apply(step.a, b)?, ..step })
        }
        // The number before it is passed on in its place.
        Slip::Skip => Some(Step { r: step.a, ..step }),
        Slip::Extra | Slip::Answer | Slip::NoAnswer => Some(step),
    }
}
