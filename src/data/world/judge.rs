//! How important a line of a raw trace is and how far it jumps, on the grid {0, .25, .5, .75, 1}.
//!
//! Real judges waver, so where two neighbouring scores are defensible one is drawn; the draw depends on the seed, the
//! question and the line, so a second look gives the same score.

use super::{
    dice::Dice,
    trace::{Line, Role},
};

/// Importance I of a line (eq. 5).
pub fn importance(line: &Line, dice: &mut Dice) -> f64 {
    match line.role {
        Role::Plain | Role::Wordy | Role::Fused => dice.pick(&[0.75, 1.0]),
        Role::Summary => 0.5,
        Role::Restate => 0.25,
        Role::Verify => dice.pick(&[0.0, 0.25]),
        Role::Filler => 0.0,
    }
}

/// Jumpiness J of a line that is not the first (eq. 7); the first one's is 0 (reading.md, row 12).
pub fn jumpiness(line: &Line, dice: &mut Dice) -> f64 {
    match line.role {
        Role::Fused => dice.pick(&[0.75, 1.0]),
        Role::Verify => dice.pick(&[0.25, 0.75]),
        Role::Plain => dice.pick(&[0.0, 0.25]),
        Role::Wordy | Role::Filler => 0.25,
        Role::Restate | Role::Summary => 0.0,
    }
}
