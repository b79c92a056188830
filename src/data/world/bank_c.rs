//! Bank C, outside the training domain: one or two steps, with a number that does not matter.

use super::{
    dice::Dice,
    problem::{Draft, Size},
    program::{Op, Operand::Given},
    words::{NAMES, OBJECTS},
};

/// The words a draft is told with.
struct Cast {
    who: &'static str,
    friend: &'static str,
    things: &'static str,
    others: &'static str,
}

/// One of four stories; a second step where `steps` is above 1.
pub fn draft(dice: &mut Dice, steps: usize, size: Size) -> Draft {
    let [who, friend] = dice.pick_distinct::<_, 2>(&NAMES);
    let [things, others] = dice.pick_distinct::<_, 2>(&OBJECTS);
    let cast = Cast { who, friend, things, others };
    let two = steps > 1;
    match dice.below(4) {
        0 => two_sorts(dice, &cast, size, two),
        1 => mixed_boxes(dice, &cast, two),
        2 => two_owners(dice, &cast, size, two),
        _ => more_than(dice, &cast, size, two),
    }
}

fn two_sorts(dice: &mut Dice, cast: &Cast, size: Size, two: bool) -> Draft {
    let Cast { who, friend, things, others } = cast;
    let (start, idle) = (size.start(dice), size.start(dice));
    let given = dice.range(2, start - 1);
    let mut draft = Draft::default();
    draft.say(format!("{who} has {start} {things} and {idle} {others}."));
    draft.say(format!("{who} gives {given} {things} to {friend}."));
    let left = draft.program.then(Op::Subtract, Given(start), Given(given), format!("{who} has"), things);
    if two {
        let found = size.gain(dice);
        draft.say(format!("{who} finds {found} {things}."));
        draft.program.then(Op::Add, left, Given(found), format!("{who} has"), things);
    }
    draft.ask = format!("How many {things} does {who} have now?");
    draft
}

fn mixed_boxes(dice: &mut Dice, cast: &Cast, two: bool) -> Draft {
    let Cast { who, things, others, .. } = cast;
    let (each, idle, count) = (dice.range(2, 9), dice.range(2, 9), dice.range(2, 9));
    let mut draft = Draft::default();
    draft.say(format!("Each box has {each} {things} and {idle} {others}."));
    let all = draft.program.then(Op::Multiply, Given(count), Given(each), "The boxes have", things);
    draft.ask = format!("How many {things} are in {count} boxes?");
    if two {
        let taken = dice.range(2, (count * each - 1).min(20));
        draft.say(format!("{who} takes {taken} {things} out of the boxes."));
        draft.program.then(Op::Subtract, all, Given(taken), "The boxes have", things);
        draft.ask = format!("How many {things} are left in {count} boxes?");
    }
    draft
}

fn two_owners(dice: &mut Dice, cast: &Cast, size: Size, two: bool) -> Draft {
    let Cast { who, friend, things, others } = cast;
    let (start, more) = (size.start(dice), size.gain(dice));
    let idle = if two { start + more + size.gain(dice) } else { size.start(dice) };
    let mut draft = Draft::default();
    draft.say(format!("{who} has {idle} {things} and {friend} has {start} {others}."));
    draft.say(format!("{friend} buys {more} more {others}."));
    let owned = draft.program.then(Op::Add, Given(start), Given(more), format!("{friend} has"), others);
    draft.ask = format!("How many {others} does {friend} have now?");
    if two {
        draft.program.then(Op::Subtract, Given(idle), owned, format!("{who} has"), "more");
        draft.ask = format!("How many more {things} does {who} have than {friend} has {others}?");
    }
    draft
}

fn more_than(dice: &mut Dice, cast: &Cast, size: Size, two: bool) -> Draft {
    let Cast { who, friend, things, others } = cast;
    let (start, more, idle) = (size.start(dice), size.gain(dice), size.start(dice));
    let mut draft = Draft::default();
    draft.say(format!("{who} has {start} {things}."));
    draft.say(format!("{friend} has {more} more {things} than {who}."));
    draft.say(format!("{friend} also has {idle} {others}."));
    let owned = draft.program.then(Op::Add, Given(start), Given(more), format!("{friend} has"), things);
    draft.ask = format!("How many {things} does {friend} have?");
    if two {
        draft.program.then(Op::Add, Given(start), owned, "Together they have", things);
        draft.ask = format!("How many {things} do {who} and {friend} have together?");
    }
    draft
}
