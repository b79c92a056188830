//! What Algorithm 1 would decide with other thresholds, over all scored questions, before anything is changed; and how
//! often each operation is used as things stand (the paper's Figure 10).

use super::book::{Book, Brief};
use crate::domain::bridging::decided;
use crate::domain::{Action, Thresholds};
use crate::session::records::Status;

/// Positions that are told apart; later steps count to the last.
pub const POSITIONS: usize = 12;

/// How often each operation is used.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Steps by operation, in the order of [`Action::ALL`].
    pub actions: [usize; 5],
    /// The same by position of the step; the last counts all later steps as well.
    pub positions: Vec<[usize; 5]>,
    /// Steps that are local samples.
    pub locals: usize,
    /// Steps that lack a score; they are kept and counted here only.
    pub open: usize,
    /// Steps whose operation a researcher chose; they are counted with the others.
    pub fixed: usize,
    /// Scored questions.
    pub questions: usize,
}

/// A step that would become something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Question id.
    pub question: String,
    /// Which step, from 1.
    pub step: usize,
    /// What it is.
    pub from: Action,
    /// What it would be.
    pub to: Action,
    /// Whether it would be a local sample.
    pub local: bool,
}

/// What other thresholds would give.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// How often each operation would be used.
    pub tally: Tally,
    /// Bridged steps that would change, of questions that are not rejected.
    pub turns: Vec<Turn>,
    /// Steps that would change but belong to rejected questions, which stay as they are.
    pub barred: usize,
}

impl Tally {
    fn count(&mut self, at: usize, action: Action, local: bool) {
        let at = at.min(POSITIONS - 1);
        if self.positions.len() <= at {
            self.positions.resize(at + 1, [0; 5]);
        }
        self.actions[place(action)] += 1;
        self.positions[at][place(action)] += 1;
        self.locals += usize::from(local);
    }

    /// Steps that are counted.
    pub fn steps(&self) -> usize {
        self.actions.iter().sum()
    }

    /// As things stand.
    pub fn present(book: &Book) -> Self {
        let mut tally = Self::default();
        for row in book.rows.iter().filter(|row| !row.steps.is_empty()) {
            tally.questions += 1;
            for (at, step) in row.steps.iter().enumerate() {
                tally.fixed += usize::from(step.fixed);
                match step.action {
                    Some(action) if !step.open() => tally.count(at, action, step.local),
                    _ => tally.open += 1,
                }
            }
        }
        tally
    }
}

/// Place of an operation in [`Action::ALL`].
pub fn place(action: Action) -> usize {
    action as usize
}

/// What a step becomes under these thresholds, with whether it is a local sample; `None` where it lacks a score.
pub fn becomes(step: &Brief, thresholds: &Thresholds, removed: &[Action]) -> Option<(Action, bool)> {
    match step.action {
        Some(action) if step.fixed => Some((action, step.local)),
        _ if step.open() => None,
        _ => {
            let decision = decided(&step.scores, thresholds, removed);
            Some((decision.action, decision.local_sample))
        }
    }
}

/// Algorithm 1 with other thresholds over every scored question.
///
/// # Errors
/// What `check` says, which is asked before every question.
pub fn outcome(
    book: &Book,
    thresholds: &Thresholds,
    mut check: impl FnMut() -> Result<(), String>,
) -> Result<Outcome, String> {
    let mut outcome = Outcome::default();
    for row in book.rows.iter().filter(|row| !row.steps.is_empty()) {
        check()?;
        outcome.tally.questions += 1;
        for (at, step) in row.steps.iter().enumerate() {
            outcome.tally.fixed += usize::from(step.fixed);
            let Some((to, local)) = becomes(step, thresholds, &book.ground.removed) else {
                outcome.tally.open += 1;
                continue;
            };
            outcome.tally.count(at, to, local);
            match step.action {
                Some(from) if (from, step.local) != (to, local) => match row.status {
                    Status::Rejected { .. } => outcome.barred += 1,
                    _ => outcome.turns.push(Turn { question: row.id.clone(), step: at + 1, from, to, local }),
                },
                _ => {}
            }
        }
    }
    Ok(outcome)
}

/// One of the thresholds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tau {
    /// τ_I.
    #[default]
    Importance,
    /// τ_J.
    Jumpiness,
    /// τ_D.
    Difficulty,
}

impl Tau {
    /// All of them.
    pub const ALL: [Tau; 3] = [Tau::Importance, Tau::Jumpiness, Tau::Difficulty];

    /// Its letter.
    pub fn letter(self) -> char {
        match self {
            Tau::Importance => 'I',
            Tau::Jumpiness => 'J',
            Tau::Difficulty => 'D',
        }
    }

    /// Its value.
    pub fn of(self, thresholds: &Thresholds) -> f64 {
        match self {
            Tau::Importance => thresholds.tau_i,
            Tau::Jumpiness => thresholds.tau_j,
            Tau::Difficulty => thresholds.tau_d,
        }
    }

    /// Moves it by so many nudges: I and J along the judge's grid, D by hundredths of a nat.
    pub fn nudge(self, thresholds: &mut Thresholds, by: i32) {
        let moved = |value: f64, step: f64, most: f64| {
            let to = (value + f64::from(by) * step).clamp(0.0, most);
            (to * 1e4).round() / 1e4
        };
        match self {
            Tau::Importance => thresholds.tau_i = moved(thresholds.tau_i, 0.25, 1.0),
            Tau::Jumpiness => thresholds.tau_j = moved(thresholds.tau_j, 0.25, 1.0),
            Tau::Difficulty => thresholds.tau_d = moved(thresholds.tau_d, 0.01, 99.0),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
pub mod tests {
    use super::super::book::{Ground, Row};
    use super::*;
    use crate::domain::StepScores;
    use crate::pipeline::review::Kind;

    /// A step that Algorithm 1 decided.
    pub fn step(i: f64, j: f64, d: f64, action: Action, local: bool) -> Brief {
        let scores = StepScores { importance: Some(i), jumpiness: Some(j), difficulty: d };
        Brief { scores, action: Some(action), local, fixed: false }
    }

    /// A question.
    pub fn row(id: &str, status: Status, steps: Vec<Brief>) -> Row {
        Row { id: id.into(), k: 5, n: 64, lead: String::new(), kind: Kind::Bridge, status, steps }
    }

    /// The steps of the paper's Table 12 under τ_D 1.26.
    pub fn carla() -> Vec<Brief> {
        vec![
            step(1.0, 0.0, 1.4060, Action::Localize, true),
            step(1.0, 0.25, 1.3356, Action::Localize, true),
            step(0.75, 0.25, 0.8654, Action::Keep, false),
            step(1.0, 0.25, 1.2773, Action::Localize, true),
            step(0.25, 0.25, 0.3166, Action::Compress, false),
        ]
    }

    pub fn thresholds(tau_d: f64) -> Thresholds {
        Thresholds { tau_i: 0.5, tau_j: 0.5, tau_d }
    }

    fn book(rows: Vec<Row>) -> Book {
        let ground = Ground { thresholds: Some(thresholds(1.26)), ..Ground::default() };
        Book { ground, rows }
    }

    fn outcome_of(book: &Book, thresholds: &Thresholds) -> Outcome {
        outcome(book, thresholds, || Ok(())).unwrap()
    }

    #[test]
    fn the_thresholds_in_force_change_nothing() {
        let book = book(vec![row("carla", Status::Approved, carla())]);
        let same = outcome_of(&book, &thresholds(1.26));
        assert_eq!(same.turns, []);
        assert_eq!(same.tally, Tally::present(&book));
        assert_eq!((same.tally.actions, same.tally.locals), ([1, 1, 0, 0, 3], 3));
        assert_eq!(same.tally.positions[4], [0, 1, 0, 0, 0]);
    }

    #[test]
    fn a_higher_tau_d_keeps_what_was_localized_and_names_the_steps() {
        let book = book(vec![row("carla", Status::Proposed, carla())]);
        let then = outcome_of(&book, &thresholds(1.30));
        let turn = Turn { question: "carla".into(), step: 4, from: Action::Localize, to: Action::Keep, local: false };
        assert_eq!(then.turns, [turn]);
        assert_eq!((then.tally.actions, then.tally.locals), ([2, 1, 0, 0, 2], 2));
    }

    #[test]
    fn overruled_steps_stay_open_ones_are_open_and_rejected_questions_are_barred() {
        let mut steps = carla();
        steps[0].fixed = true;
        steps[1].scores.importance = None;
        let rejected = Status::Rejected { reason: "no".into() };
        let book = book(vec![row("a", Status::Approved, steps), row("b", rejected, carla())]);
        let then = outcome_of(&book, &thresholds(9.0));
        assert_eq!((then.tally.fixed, then.tally.open, then.tally.questions), (1, 1, 2));
        let told: Vec<_> = then.turns.iter().map(|turn| (turn.question.as_str(), turn.step)).collect();
        assert_eq!((told, then.barred), (vec![("a", 4)], 3));
        assert_eq!(then.tally.steps() + then.tally.open, 10);
    }

    #[test]
    fn an_expanded_step_that_only_gains_its_sample_is_a_turn() {
        let book = book(vec![row("a", Status::Approved, vec![step(1.0, 0.75, 1.0, Action::Expand, false)])]);
        let then = outcome_of(&book, &thresholds(0.9));
        assert_eq!((then.turns.len(), then.turns[0].local, then.turns[0].to), (1, true, Action::Expand));
    }

    #[test]
    fn operations_that_the_run_leaves_out_stay_left_out() {
        let mut book = book(vec![row("a", Status::Approved, vec![step(1.0, 0.0, 1.0, Action::Keep, false)])]);
        book.ground.removed = vec![Action::Localize];
        assert_eq!(outcome_of(&book, &thresholds(0.5)).turns, []);
    }

    #[test]
    fn nudges_stay_in_range_and_exact() {
        let mut at = thresholds(0.99);
        Tau::Difficulty.nudge(&mut at, 1);
        Tau::Importance.nudge(&mut at, 3);
        Tau::Jumpiness.nudge(&mut at, -1);
        assert_eq!(at, Thresholds { tau_i: 1.0, tau_j: 0.25, tau_d: 1.0 });
        Tau::Difficulty.nudge(&mut at, -1000);
        assert_eq!(at.tau_d, 0.0);
    }
}
