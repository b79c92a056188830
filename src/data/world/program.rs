//! A problem's skeleton: steps `a op b = r`, each operand either given in the question or the result of an earlier
//! step.

use std::fmt;

/// The four operations, on whole numbers; division is always exact in the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// a + b
    Add,
    /// a − b
    Subtract,
    /// a × b, written `*`
    Multiply,
    /// a ÷ b, written `/`
    Divide,
}

impl Op {
    /// All four.
    pub const ALL: [Op; 4] = [Op::Add, Op::Subtract, Op::Multiply, Op::Divide];

    /// As it is written in a trace.
    pub fn symbol(self) -> char {
        match self {
            Op::Add => '+',
            Op::Subtract => '-',
            Op::Multiply => '*',
            Op::Divide => '/',
        }
    }

    /// The operation written as `symbol`.
    pub fn from_symbol(symbol: &str) -> Option<Op> {
        Op::ALL.into_iter().find(|op| symbol.len() == 1 && symbol.starts_with(op.symbol()))
    }

    /// `a op b`; `None` on overflow and when a division leaves a remainder.
    pub fn apply(self, a: i64, b: i64) -> Option<i64> {
        match self {
            Op::Add => a.checked_add(b),
            Op::Subtract => a.checked_sub(b),
            Op::Multiply => a.checked_mul(b),
            Op::Divide => (a.checked_rem(b)? == 0).then(|| a / b),
        }
    }

    /// Whether the operands may change places.
    pub fn commutes(self) -> bool {
        matches!(self, Op::Add | Op::Multiply)
    }

    /// The operation that undoes this one.
    pub fn inverse(self) -> Op {
        match self {
            Op::Add => Op::Subtract,
            Op::Subtract => Op::Add,
            Op::Multiply => Op::Divide,
            Op::Divide => Op::Multiply,
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.symbol())
    }
}

/// Where an operand comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// The question says it.
    Given(i64),
    /// The result of the step with this index.
    Result(usize),
}

/// One step, with what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Operation.
    pub op: Op,
    /// Source of `a`.
    pub left: Operand,
    /// Source of `b`.
    pub right: Operand,
    /// First operand.
    pub a: i64,
    /// Second operand.
    pub b: i64,
    /// Result.
    pub r: i64,
    /// How its line begins, as in "Ada has".
    pub subject: String,
    /// What is counted, as in "apples".
    pub unit: String,
}

impl Step {
    /// Whether it takes the result of step `index`.
    pub fn uses(&self, index: usize) -> bool {
        self.left == Operand::Result(index) || self.right == Operand::Result(index)
    }

    /// The earlier steps whose results it takes.
    pub fn needs(&self) -> impl Iterator<Item = usize> {
        [self.left, self.right].into_iter().filter_map(|operand| match operand {
            Operand::Given(_) => None,
            Operand::Result(index) => Some(index),
        })
    }

    /// Whether `x op y` is this step's left side; sums and products may be turned round.
    pub fn matches(&self, op: Op, x: i64, y: i64) -> bool {
        self.op == op && ((self.a, self.b) == (x, y) || (op.commutes() && (self.b, self.a) == (x, y)))
    }
}

/// Steps under construction.
#[derive(Clone, Debug, Default)]
pub struct Program {
    steps: Vec<Step>,
    broken: bool,
}

impl Program {
    /// Appends `left op right` and returns where its result can be found.
    pub fn then(&mut self, op: Op, left: Operand, right: Operand, subject: impl Into<String>, unit: &str) -> Operand {
        let (a, b) = (self.value(left), self.value(right));
        let r = op.apply(a, b).unwrap_or_else(|| {
            self.broken = true;
            0
        });
        self.steps.push(Step { op, left, right, a, b, r, subject: subject.into(), unit: unit.to_owned() });
        Operand::Result(self.steps.len() - 1)
    }

    /// The number behind an operand; 0 for a step that does not exist.
    pub fn value(&self, operand: Operand) -> i64 {
        match operand {
            Operand::Given(number) => number,
            Operand::Result(index) => self.steps.get(index).map_or(0, |step| step.r),
        }
    }

    /// Number of steps so far.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there are no steps yet.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The result of the last step; 0 before the first.
    pub fn last(&self) -> i64 {
        self.steps.last().map_or(0, |step| step.r)
    }

    /// The steps, if every division is exact and every result lies in `range`.
    pub fn finish(self, range: std::ops::RangeInclusive<i64>) -> Option<Vec<Step>> {
        let sound = !self.broken && !self.steps.is_empty() && self.steps.iter().all(|step| range.contains(&step.r));
        sound.then_some(self.steps)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn operands_follow_results() {
        let mut program = Program::default();
        let first = program.then(Op::Multiply, Operand::Given(4), Operand::Given(5), "The boxes hold", "nuts");
        program.then(Op::Subtract, Operand::Given(30), first, "Ada has", "nuts");
        let steps = program.finish(1..=250).unwrap();
        assert_eq!((steps[1].a, steps[1].b, steps[1].r), (30, 20, 10));
        assert!(steps[1].uses(0));
        assert_eq!(steps[1].needs().collect::<Vec<_>>(), vec![0]);
        assert!(steps[0].matches(Op::Multiply, 5, 4) && !steps[1].matches(Op::Subtract, 20, 30));
    }

    #[test]
    fn remainders_and_results_out_of_range_are_refused() {
        let mut inexact = Program::default();
        inexact.then(Op::Divide, Operand::Given(7), Operand::Given(2), "", "");
        assert!(inexact.finish(0..=250).is_none());
        let mut large = Program::default();
        large.then(Op::Multiply, Operand::Given(70), Operand::Given(20), "", "");
        assert!(large.finish(1..=250).is_none());
        assert_eq!(Op::Divide.apply(3, 0), None);
    }

    #[test]
    fn symbols_round_trip() {
        for op in Op::ALL {
            assert_eq!(Op::from_symbol(&op.to_string()), Some(op));
            assert_eq!(op.inverse().inverse(), op);
        }
        assert_eq!(Op::from_symbol("+-"), None);
    }
}
