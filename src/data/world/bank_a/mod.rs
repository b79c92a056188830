//! Bank A, the training domain: five kinds of problems, one to five steps each.

use super::{
    dice::Dice,
    problem::{Draft, Kind, Size},
    program::Op,
};

pub mod boxes;
pub mod compare;
pub mod rate;
pub mod shop;
pub mod state;

/// A draft of a kind drawn at random, with exactly `steps` steps.
pub fn draft(dice: &mut Dice, steps: usize, size: Size) -> (Kind, Draft) {
    let kind = dice.pick(&Kind::BANK_A);
    let draft = match kind {
        Kind::Compare => compare::draft(dice, steps, size),
        Kind::Boxes => boxes::draft(dice, steps, size),
        Kind::Shop => shop::draft(dice, steps, size),
        Kind::Rate => rate::draft(dice, steps, size),
        _ => state::draft(dice, steps, size),
    };
    (kind, draft)
}

/// What is done to `have` things, and with what number: one of `growths` or `splits` where those are multiplied or cut.
/// Cutting counts so many times as the other operations.
fn operation(
    dice: &mut Dice,
    size: Size,
    have: i64,
    (growths, splits): (&[i64], &[i64]),
    divisions: usize,
) -> (Op, i64) {
    let mut ops = vec![Op::Add, if have < 4 { Op::Add } else { Op::Subtract }];
    if !growths.is_empty() {
        ops.push(Op::Multiply);
    }
    ops.extend(std::iter::repeat_n(Op::Divide, divisions));
    let op = dice.pick(&ops);
    let amount = match op {
        Op::Add => size.gain(dice),
        Op::Subtract => size.loss(dice, have),
        Op::Multiply => dice.pick(growths),
        Op::Divide => dice.pick(splits),
    };
    (op, amount)
}

/// The divisors from 2 to `most` that leave at least 2.
fn even_splits(value: i64, most: i64) -> Vec<i64> {
    (2..=most).filter(|part| value % part == 0 && value / part >= 2).collect()
}

/// The factors of `options` that keep a product within reach.
fn factors(value: i64, options: &[i64]) -> Vec<i64> {
    const WITHIN_REACH: i64 = 120;
    options.iter().copied().filter(|factor| value * factor <= WITHIN_REACH).collect()
}
