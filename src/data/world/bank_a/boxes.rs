//! Boxes and bags: so many in each, added up, then changed.

use super::even_splits;
use crate::data::world::{
    dice::Dice,
    problem::{Draft, Size},
    program::{Op, Operand},
    words::{NAMES, OBJECTS},
};

/// One product, from three steps on two products and their sum, then changes up to `steps`.
pub fn draft(dice: &mut Dice, steps: usize, size: Size) -> Draft {
    let [who, friend] = dice.pick_distinct::<_, 2>(&NAMES);
    let things = dice.pick(&OBJECTS);
    let mut draft = Draft::default();
    let mut current = containers(dice, &mut draft, size, &format!("{who} has"), "boxes", things);
    if steps >= 3 {
        let bags = containers(dice, &mut draft, size, &format!("{who} also has"), "bags", things);
        current = draft.program.then(Op::Add, current, bags, format!("{who} has"), things);
    }
    while draft.program.len() < steps {
        let have = draft.program.last();
        let is_last = draft.program.len() + 1 == steps;
        let (op, amount, fact) = change(dice, size, have, is_last, [who, friend, things]);
        draft.say(fact);
        current = draft.program.then(op, current, Operand::Given(amount), format!("{who} has"), things);
    }
    draft.ask = format!("How many {things} does {who} have in all?");
    draft
}

fn containers(dice: &mut Dice, draft: &mut Draft, size: Size, lead: &str, holder: &str, things: &str) -> Operand {
    let count = dice.range(2, 9);
    let each = size.factor(dice, 9, 12);
    draft.say(format!("{lead} {count} {holder} with {each} {things} each."));
    draft.program.then(Op::Multiply, Operand::Given(count), Operand::Given(each), format!("The {holder} hold"), things)
}

/// A change of `have` things; they are shared out only at the very end.
fn change(dice: &mut Dice, size: Size, have: i64, is_last: bool, words: [&str; 3]) -> (Op, i64, String) {
    let [who, friend, things] = words;
    let splits = if is_last { even_splits(have, 6) } else { Vec::new() };
    let mut ops = vec![Op::Add, if have < 4 { Op::Add } else { Op::Subtract }];
    if !splits.is_empty() {
        ops.push(Op::Divide);
    }
    match dice.pick(&ops) {
        Op::Divide => {
            let parts = dice.pick(&splits);
            (Op::Divide, parts, format!("{who} sorts the {things} into {parts} equal piles and keeps one pile."))
        }
        Op::Subtract => {
            let amount = size.loss(dice, have);
            let gives = format!("{who} gives {amount} {things} to {friend}.");
            let sells = format!("{who} sells {amount} {things}.");
            (Op::Subtract, amount, if dice.chance(0.5) { gives } else { sells })
        }
        _ => {
            let amount = size.gain(dice);
            let loose = format!("{who} also has {amount} loose {things}.");
            let given = format!("{friend} gives {amount} {things} to {who}.");
            (Op::Add, amount, if dice.chance(0.5) { loose } else { given })
        }
    }
}
