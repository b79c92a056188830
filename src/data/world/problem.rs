//! A program told as English: facts, then a question.

use super::{
    bank_a, bank_b, bank_c,
    dice::Dice,
    program::{Program, Step},
};
use crate::domain::Question;

/// Every result of every step lies here; other drafts are thrown away.
pub const RESULTS: std::ops::RangeInclusive<i64> = 1..=250;

/// Share of problems told with larger numbers.
const BIG_SHARE: f64 = 0.25;

/// Where a problem comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bank {
    /// The training domain.
    A,
    /// Short problems in other words.
    B,
    /// Short problems with numbers that do not matter.
    C,
}

/// What a problem is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One person's things change again and again.
    State,
    /// Each person is compared with the one before.
    Compare,
    /// Boxes and bags, then changes.
    Boxes,
    /// Prices, totals and change.
    Shop,
    /// So many a day.
    Rate,
    /// Bank B.
    Elsewhere,
    /// Bank C.
    Distracting,
}

impl Kind {
    /// The kinds of bank A.
    pub const BANK_A: [Kind; 5] = [Kind::State, Kind::Compare, Kind::Boxes, Kind::Shop, Kind::Rate];
}

/// How large the numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Start 5 to 30, changes 2 to 15.
    Small,
    /// Start 20 to 80, changes 10 to 60.
    Big,
}

impl Size {
    /// What somebody has to begin with.
    pub fn start(self, dice: &mut Dice) -> i64 {
        match self {
            Size::Small => dice.range(5, 30),
            Size::Big => dice.range(20, 80),
        }
    }

    /// What comes in.
    pub fn gain(self, dice: &mut Dice) -> i64 {
        match self {
            Size::Small => dice.range(2, 15),
            Size::Big => dice.range(10, 60),
        }
    }

    /// What goes out of `have`; something always stays where `have` is above 2.
    pub fn loss(self, dice: &mut Dice, have: i64) -> i64 {
        let most = if self == Size::Big { 60 } else { 15 };
        dice.range(2, (have - 1).min(most).max(2))
    }

    /// A factor from 2 to `small`, or to `big` where numbers are large.
    pub fn factor(self, dice: &mut Dice, small: i64, big: i64) -> i64 {
        dice.range(2, if self == Size::Big { big } else { small })
    }
}

/// A problem as a kind of sentence writer hands it over, not yet checked.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// Its program.
    pub program: Program,
    /// What is known, one sentence each.
    pub facts: Vec<String>,
    /// What is asked.
    pub ask: String,
}

impl Draft {
    /// Adds a fact.
    pub fn say(&mut self, fact: impl Into<String>) {
        self.facts.push(fact.into());
    }
}

/// A problem of the world.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Id of its question; empty in pre-training text.
    pub id: String,
    /// Where it comes from.
    pub bank: Bank,
    /// What it is about.
    pub kind: Kind,
    /// As the student reads it.
    pub text: String,
    /// Its first sentence.
    pub first_fact: String,
    /// Its program; never empty.
    pub steps: Vec<Step>,
}

impl Problem {
    /// Draws a problem of `bank` with `steps` steps (1 to 5 in bank A, 1 or 2 in B and C).
    pub fn draw(dice: &mut Dice, bank: Bank, steps: usize) -> Problem {
        let size = if dice.chance(BIG_SHARE) { Size::Big } else { Size::Small };
        loop {
            let (kind, draft) = match bank {
                Bank::A => bank_a::draft(dice, steps, size),
                Bank::B => (Kind::Elsewhere, bank_b::draft(dice, steps, size)),
                Bank::C => (Kind::Distracting, bank_c::draft(dice, steps, size)),
            };
            if let Some(problem) = Problem::finish(bank, kind, draft) {
                return problem;
            }
        }
    }

    fn finish(bank: Bank, kind: Kind, draft: Draft) -> Option<Problem> {
        let steps = draft.program.finish(RESULTS)?;
        let text = format!("{} {}", draft.facts.join(" "), draft.ask);
        let first_fact = draft.facts.into_iter().next()?;
        Some(Problem { id: String::new(), bank, kind, text, first_fact, steps })
    }

    /// The ground truth: the result of the last step.
    pub fn answer(&self) -> i64 {
        self.steps.last().map_or(0, |step| step.r)
    }

    /// As the rest of the house sees it.
    pub fn question(&self) -> Question {
        Question {
            id: self.id.clone(),
            text: self.text.clone(),
            gold: self.answer().to_string(),
            steps: u32::try_from(self.steps.len()).ok(),
            ..Question::default()
        }
    }
}
