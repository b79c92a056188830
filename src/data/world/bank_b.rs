//! Bank B, outside the training domain: one or two steps, told in other words and partly in the past.

use super::{
    dice::Dice,
    problem::{Draft, Size},
    program::{Op, Operand::Given},
    words::{NAMES, OBJECTS, PLACES},
};

/// The words a draft is told with.
struct Cast {
    who: &'static str,
    friend: &'static str,
    things: &'static str,
    place: &'static str,
}

/// One of five stories; a second step where `steps` is above 1.
pub fn draft(dice: &mut Dice, steps: usize, size: Size) -> Draft {
    let [who, friend] = dice.pick_distinct::<_, 2>(&NAMES);
    let cast = Cast { who, friend, things: dice.pick(&OBJECTS), place: dice.pick(&PLACES) };
    let two = steps > 1;
    match dice.below(5) {
        0 => filling(dice, &cast, size, two),
        1 => harvest(dice, &cast, size, two),
        2 => places(dice, &cast, size, two),
        3 => sale(dice, &cast, size, two),
        _ => groups(dice, &cast, two),
    }
}

fn filling(dice: &mut Dice, cast: &Cast, size: Size, two: bool) -> Draft {
    let Cast { who, friend, things, place } = cast;
    let (start, more) = (size.start(dice), size.gain(dice));
    let mut draft = Draft::default();
    draft.say(format!("There are {start} {things} in the {place}."));
    draft.say(format!("{who} puts {more} more {things} in the {place}."));
    let inside = draft.program.then(Op::Add, Given(start), Given(more), format!("The {place} has"), things);
    if two {
        let out = dice.range(2, (start + more - 1).min(20));
        draft.say(format!("{friend} takes {out} {things} out of the {place}."));
        draft.program.then(Op::Subtract, inside, Given(out), format!("The {place} has"), things);
    }
    draft.ask = format!("How many {things} are in the {place} now?");
    draft
}

fn harvest(dice: &mut Dice, cast: &Cast, size: Size, two: bool) -> Draft {
    let Cast { who, friend, things, .. } = cast;
    let (one, other) = (size.start(dice), size.gain(dice));
    let mut draft = Draft::default();
    draft.say(format!("{who} picked {one} {things} and {friend} picked {other} {things}."));
    let all = draft.program.then(Op::Add, Given(one), Given(other), "They picked", things);
    draft.ask = format!("How many {things} did they pick in all?");
    if two {
        let sold = dice.range(2, (one + other - 1).min(20));
        draft.say(format!("They sold {sold} {things}."));
        draft.program.then(Op::Subtract, all, Given(sold), "They have", things);
        draft.ask = format!("How many {things} do they still have?");
    }
    draft
}

fn places(dice: &mut Dice, cast: &Cast, size: Size, two: bool) -> Draft {
    let Cast { things, place, .. } = cast;
    let (each, count) = (dice.range(2, 12), dice.range(2, 9));
    let mut draft = Draft::default();
    draft.say(format!("A {place} holds {each} {things}."));
    let held = draft.program.then(Op::Multiply, Given(count), Given(each), format!("The {place}s hold"), things);
    draft.ask = format!("How many {things} do {count} {place}s hold?");
    if two {
        let loose = size.gain(dice);
        draft.say(format!("There are {loose} {things} on the floor."));
        draft.program.then(Op::Add, held, Given(loose), "In all there are", things);
        draft.ask = format!("How many {things} are there in {count} {place}s and on the floor?");
    }
    draft
}

fn sale(dice: &mut Dice, cast: &Cast, size: Size, two: bool) -> Draft {
    let Cast { who, friend, things, .. } = cast;
    let start = size.start(dice);
    let left = dice.range(2, start - 1);
    let mut draft = Draft::default();
    draft.say(format!("{who} had {start} {things}."));
    let mut had = Given(start);
    if two {
        let brought = size.gain(dice);
        draft.say(format!("{friend} brought {brought} {things} to {who}."));
        had = draft.program.then(Op::Add, had, Given(brought), format!("{who} had"), things);
    }
    draft.say(format!("After a sale {who} had {left} {things} left."));
    draft.program.then(Op::Subtract, had, Given(left), format!("{who} sold"), things);
    draft.ask = format!("How many {things} did {who} sell?");
    draft
}

fn groups(dice: &mut Dice, cast: &Cast, two: bool) -> Draft {
    let Cast { things, .. } = cast;
    let (count, each) = (dice.range(2, 8), dice.range(2, 12));
    let all = count * each;
    let mut draft = Draft::default();
    draft.say(format!("{all} {things} are split into {count} equal groups."));
    let group = draft.program.then(Op::Divide, Given(all), Given(count), "Each group has", things);
    if two {
        let more = Size::Small.gain(dice);
        draft.say(format!("Then {more} {things} are put in each group."));
        draft.program.then(Op::Add, group, Given(more), "Each group has", things);
    }
    draft.ask = format!("How many {things} are in each group?");
    draft
}
