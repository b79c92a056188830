//! What the base checkpoint is trained on: an endless stream of documents in two phases.
//!
//! Phase A teaches arithmetic and the format, mostly on short problems; phase B settles that on one to three steps
//! and shows the formats of recycled lessons. The base then knows how to answer but lacks long problems, which is
//! what the loop is for. Problem texts come from the half that no question is drawn from (`splits.rs`), so none of
//! them is ever asked.

use super::{
    Bank, Op, Problem,
    corrupt::wrong_answer,
    dice::Dice,
    splits::is_for_questions,
    trace::{plain_trace, raw_trace},
};

/// Which part of pre-training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Phase A.
    Learn,
    /// Phase B; also what the neutral arm reads.
    Settle,
}

/// One document; how it is put to the student is the prompts' business.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    /// A problem and its solution.
    Solve {
        /// The problem.
        problem: Problem,
        /// A plain or a raw trace.
        solution: String,
    },
    /// Single calculations.
    Drill {
        /// What is asked.
        ask: &'static str,
        /// One calculation a line.
        lines: String,
    },
    /// A wrong answer to find the first error of.
    Diagnose {
        /// The problem.
        problem: Problem,
        /// The wrong answer.
        response: String,
    },
    /// A wrong answer to put right at its first error.
    Repair {
        /// The problem.
        problem: Problem,
        /// The wrong answer.
        response: String,
    },
    /// A problem to be solved again in short steps.
    Again {
        /// The problem.
        problem: Problem,
    },
}

/// Shares of documents and of steps.
struct Mix {
    plain: f64,
    raw: f64,
    critique: f64,
    drill: f64,
    /// Shares of 1 to 5 steps in bank A.
    steps: [f64; 5],
}

const LEARN: Mix = Mix { plain: 0.62, raw: 0.03, critique: 0.0, drill: 0.35, steps: [0.42, 0.34, 0.14, 0.06, 0.04] };
const SETTLE: Mix = Mix { plain: 0.66, raw: 0.10, critique: 0.12, drill: 0.12, steps: [0.52, 0.36, 0.12, 0.0, 0.0] };

/// Shares of banks A, B and C.
const BANKS: [(Bank, f64); 3] = [(Bank::A, 0.70), (Bank::B, 0.15), (Bank::C, 0.15)];
/// Shares of 1 and 2 steps in banks B and C.
const STEPS_BC: [f64; 2] = [0.6, 0.4];
/// Shares of diagnosing, repairing and solving again among critique documents.
const CRITIQUES: [f64; 3] = [0.4, 0.4, 0.2];
/// Calculations in a drill.
const DRILL_LINES: usize = 6;
/// What a drill asks.
const DRILL_ASK: &str = "Compute.";

/// The endless stream of one phase and seed.
#[derive(Clone, Debug)]
pub struct Documents {
    phase: Phase,
    dice: Dice,
}

impl Documents {
    /// The stream of `phase`; another `seed` is another stream.
    pub fn new(phase: Phase, seed: u64) -> Self {
        let name = match phase {
            Phase::Learn => "learn",
            Phase::Settle => "settle",
        };
        Self { phase, dice: Dice::new(seed, &["pre-training", name]) }
    }

    fn document(&mut self) -> Document {
        let mix = match self.phase {
            Phase::Learn => &LEARN,
            Phase::Settle => &SETTLE,
        };
        match self.dice.weighted(&[mix.plain, mix.raw, mix.critique, mix.drill]) {
            0 => {
                let problem = self.problem(&mix.steps);
                Document::Solve { solution: plain_trace(&problem), problem }
            }
            1 => {
                let problem = self.problem(&mix.steps);
                Document::Solve { solution: raw_trace(&problem, &mut self.dice), problem }
            }
            2 => self.critique(&mix.steps),
            _ => Document::Drill { ask: DRILL_ASK, lines: drill(&mut self.dice) },
        }
    }

    fn critique(&mut self, steps: &[f64]) -> Document {
        let problem = self.problem(steps);
        let which = self.dice.weighted(&CRITIQUES);
        if which == 2 {
            return Document::Again { problem };
        }
        let response = wrong_answer(&problem, &mut self.dice);
        if which == 0 { Document::Diagnose { problem, response } } else { Document::Repair { problem, response } }
    }

    /// A problem from the half that no question is drawn from.
    fn problem(&mut self, steps_a: &[f64]) -> Problem {
        loop {
            let bank = BANKS[self.dice.weighted(&BANKS.map(|(_, share)| share))].0;
            let steps = 1 + self.dice.weighted(if bank == Bank::A { steps_a } else { &STEPS_BC });
            let problem = Problem::draw(&mut self.dice, bank, steps);
            if !is_for_questions(&problem.text) {
                return problem;
            }
        }
    }
}

impl Iterator for Documents {
    type Item = Document;

    fn next(&mut self) -> Option<Document> {
        Some(self.document())
    }
}

/// Single calculations of the sizes that problems need.
fn drill(dice: &mut Dice) -> String {
    let lines: Vec<String> = (0..DRILL_LINES)
        .map(|_| {
            let (op, a, b) = calculation(dice);
            format!("{a} {op} {b} = {}", op.apply(a, b).unwrap_or_default())
        })
        .collect();
    lines.join("\n")
}

fn calculation(dice: &mut Dice) -> (Op, i64, i64) {
    use Op::{Add, Divide, Multiply, Subtract};
    let op = dice.pick(&[Add, Add, Subtract, Subtract, Multiply, Multiply, Divide]);
    let usual = dice.chance(0.6);
    let (a, b) = match op {
        Add if usual => (dice.range(2, 60), dice.range(2, 30)),
        Add => (dice.range(2, 150), dice.range(2, 90)),
        Subtract => {
            let a = dice.range(4, if usual { 70 } else { 180 });
            (a, dice.range(2, (a - 1).min(if usual { 40 } else { 90 })))
        }
        Multiply if usual => (dice.range(2, 12), dice.range(2, 9)),
        Multiply => (dice.range(10, 40), dice.range(2, 3)),
        Divide => {
            let b = dice.range(2, 6);
            (b * dice.range(2, 25), b)
        }
    };
    (op, a, b)
}
