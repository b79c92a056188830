//! Compare chain: each person has more, fewer, or some times as many as the one before; then perhaps two or three of
//! them put theirs together.

use super::{even_splits, factors, operation};
use crate::data::world::{
    dice::Dice,
    problem::{Draft, Size},
    program::{Op, Operand},
    words::{NAMES, OBJECTS},
};

/// Comparisons, and 0 to 2 sums at the end, `steps` in all.
pub fn draft(dice: &mut Dice, steps: usize, size: Size) -> Draft {
    let people = dice.pick_distinct::<_, 6>(&NAMES);
    let things = dice.pick(&OBJECTS);
    let start = size.start(dice);
    let mut draft = Draft::default();
    draft.say(format!("{} has {start} {things}.", people[0]));
    let sums = sums(dice, steps);
    let comparisons = steps.min(people.len() - 1) - sums;
    let mut owned = vec![Operand::Given(start)];
    for pair in people.windows(2).take(comparisons) {
        let before = owned[owned.len() - 1];
        let (op, amount) = relation(dice, size, draft.program.value(before));
        let fact = sentence(dice, op, amount, pair[1], pair[0], things);
        draft.say(fact);
        owned.push(draft.program.then(op, before, Operand::Given(amount), format!("{} has", pair[1]), things));
    }
    close(&mut draft, &people[..owned.len()], &owned, sums, things);
    draft
}

/// How many sums close the problem: none for one step, up to two from four steps on.
fn sums(dice: &mut Dice, steps: usize) -> usize {
    if steps < 2 || !dice.chance(0.6) {
        0
    } else if steps >= 4 && dice.chance(0.5) {
        2
    } else {
        1
    }
}

fn relation(dice: &mut Dice, size: Size, have: i64) -> (Op, i64) {
    let splits: Vec<i64> = if have >= 6 { even_splits(have, 3) } else { Vec::new() };
    let growths = factors(have, &[2, 3, 4]);
    operation(dice, size, have, (&growths, &splits), splits.len())
}

fn sentence(dice: &mut Dice, op: Op, amount: i64, who: &str, other: &str, things: &str) -> String {
    match (op, amount) {
        (Op::Add, _) => format!("{who} has {amount} more {things} than {other}."),
        (Op::Subtract, _) => format!("{who} has {amount} fewer {things} than {other}."),
        (Op::Multiply, 2) if dice.chance(0.5) => format!("{who} has twice as many {things} as {other}."),
        (Op::Multiply, _) => format!("{who} has {amount} times as many {things} as {other}."),
        (Op::Divide, 2) => format!("{who} has half as many {things} as {other}."),
        (Op::Divide, _) => format!("{who} has a third as many {things} as {other}."),
    }
}

/// Adds the sums and asks.
fn close(draft: &mut Draft, people: &[&str], owned: &[Operand], sums: usize, things: &str) {
    const TOGETHER: &str = "Together they have";
    let last = owned.len() - 1;
    draft.ask = match sums {
        0 => format!("How many {things} does {} have?", people[last]),
        1 => {
            draft.program.then(Op::Add, owned[last - 1], owned[last], TOGETHER, things);
            format!("How many {things} do {} and {} have together?", people[last - 1], people[last])
        }
        _ => {
            let two = draft.program.then(Op::Add, owned[last - 2], owned[last - 1], TOGETHER, things);
            draft.program.then(Op::Add, two, owned[last], TOGETHER, things);
            let [a, b, c] = [people[last - 2], people[last - 1], people[last]];
            format!("How many {things} do {a}, {b} and {c} have together?")
        }
    };
}
