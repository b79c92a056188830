//! Shop: prices, a bill, money off, change.

use crate::data::world::{
    dice::Dice,
    problem::{Draft, Size},
    program::{Op, Operand},
    words::{ITEMS, NAMES},
};

const MONEY: &str = "dollars";

/// One product (1 step), change from it (2), a bill of two products (3), change from that (4), money off before it (5).
pub fn draft(dice: &mut Dice, steps: usize, size: Size) -> Draft {
    let who = dice.pick(&NAMES);
    let [item, other] = dice.pick_distinct::<_, 2>(&ITEMS);
    let price = size.factor(dice, 9, 12);
    let count = dice.range(2, 9);
    let mut draft = Draft::default();
    draft.say(format!("One {item} costs {price} dollars."));
    let mut bill = if steps >= 3 {
        let (other_price, other_count) = (dice.range(2, 9), dice.range(2, 9));
        draft.say(format!("One {other} costs {other_price} dollars."));
        draft.say(format!("{who} buys {count} {item}s and {other_count} {other}s."));
        let one = cost(&mut draft, count, price, item);
        let two = cost(&mut draft, other_count, other_price, other);
        draft.program.then(Op::Add, one, two, "The bill is", MONEY)
    } else {
        draft.say(format!("{who} buys {count} {item}s."));
        cost(&mut draft, count, price, item)
    };
    if steps == 5 {
        let off = dice.range(2, (draft.program.last() - 1).min(20));
        draft.say(format!("The shop takes {off} dollars off."));
        bill = draft.program.then(Op::Subtract, bill, Operand::Given(off), "The bill is", MONEY);
    }
    draft.ask = format!("How many dollars does {who} pay?");
    if matches!(steps, 2 | 4 | 5) {
        let paid = draft.program.last() + dice.range(2, 40);
        draft.say(format!("{who} pays with {paid} dollars."));
        draft.program.then(Op::Subtract, Operand::Given(paid), bill, "The change is", MONEY);
        draft.ask = format!("How many dollars does {who} get back?");
    }
    draft
}

fn cost(draft: &mut Draft, count: i64, price: i64, item: &str) -> Operand {
    let subject = format!("The {item}s cost");
    draft.program.then(Op::Multiply, Operand::Given(count), Operand::Given(price), subject, MONEY)
}
