//! Wrong answers made by rule, for the critique documents of the base checkpoint's pre-training: what a student gets wrong
//! must look familiar before real failures are diagnosed.

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
}

/// Shares of the four slips.
const SLIPS: [(Slip, f64); 4] = [(Slip::Result, 0.45), (Slip::Operation, 0.25), (Slip::Number, 0.2), (Slip::Skip, 0.1)];

/// An answer to `problem` that does not reach its gold answer: right up to one slip, then consistently wrong.
pub fn wrong_answer(problem: &Problem, dice: &mut Dice) -> String {
    loop {
        let (answer, text) = attempt(problem, dice);
        if answer != problem.answer() {
            return text;
        }
    }
}

fn attempt(problem: &Problem, dice: &mut Dice) -> (i64, String) {
    let at = dice.below(problem.steps.len());
    let slip = SLIPS[dice.weighted(&SLIPS.map(|(_, share)| share))].0;
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
    let answer = results.last().copied().unwrap_or_else(|| dice.range(2, 60));
    lines.push(format!("#### {answer}"));
    (answer, lines.join("\n"))
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
    }
}
