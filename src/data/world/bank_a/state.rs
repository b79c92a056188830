//! State chain: one person's things grow, shrink, multiply and are shared, one change a sentence.

use super::{even_splits, factors, operation};
use crate::data::world::{
    dice::Dice,
    problem::{Draft, Size},
    program::{Op, Operand},
    words::{NAMES, OBJECTS},
};

/// `steps` changes in a row.
pub fn draft(dice: &mut Dice, steps: usize, size: Size) -> Draft {
    let [who, friend] = dice.pick_distinct::<_, 2>(&NAMES);
    let things = dice.pick(&OBJECTS);
    let start = size.start(dice);
    let mut draft = Draft::default();
    draft.say(format!("{who} has {start} {things}."));
    let mut current = Operand::Given(start);
    for _ in 0..steps {
        let have = draft.program.value(current);
        let (op, amount) = change(dice, size, have);
        let fact = match op {
            Op::Add => gain(dice, who, friend, amount, things),
            Op::Subtract => loss(dice, who, friend, amount, things),
            Op::Multiply => growth(dice, who, amount, things),
            Op::Divide => share(dice, who, amount, things),
        };
        draft.say(fact);
        current = draft.program.then(op, current, Operand::Given(amount), format!("{who} has"), things);
    }
    draft.ask = format!("How many {things} does {who} have at the end?");
    draft
}

/// What happens to `have` things; exact divisions count twice where there are any.
fn change(dice: &mut Dice, size: Size, have: i64) -> (Op, i64) {
    let splits = even_splits(have, 6);
    let growths = factors(have, &[2, 2, 3, 3, 4, 5]);
    let divisions = if splits.is_empty() { 0 } else { 2 };
    operation(dice, size, have, (&growths, &splits), divisions)
}

fn gain(dice: &mut Dice, who: &str, friend: &str, amount: i64, things: &str) -> String {
    match dice.below(3) {
        0 => format!("{who} buys {amount} more {things}."),
        1 => format!("{friend} gives {amount} {things} to {who}."),
        _ => format!("{who} finds {amount} {things}."),
    }
}

fn loss(dice: &mut Dice, who: &str, friend: &str, amount: i64, things: &str) -> String {
    match dice.below(3) {
        0 => format!("{who} gives {amount} {things} to {friend}."),
        1 => format!("{who} loses {amount} {things}."),
        _ => format!("{who} sells {amount} {things}."),
    }
}

fn growth(dice: &mut Dice, who: &str, factor: i64, things: &str) -> String {
    let plain = dice.chance(0.5);
    match factor {
        2 if plain => format!("Then the number of {things} doubles."),
        3 if plain => format!("Then the number of {things} triples."),
        _ => format!("Then {who} gets {factor} times as many {things}."),
    }
}

fn share(dice: &mut Dice, who: &str, parts: i64, things: &str) -> String {
    if parts == 2 && dice.chance(0.5) {
        return format!("{who} keeps only half of the {things}.");
    }
    format!("{who} sorts the {things} into {parts} equal piles and keeps one pile.")
}
