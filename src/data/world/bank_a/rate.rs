//! Rate: so many a day for so many days, once or twice, and what is left of the whole.

use crate::data::world::{
    dice::Dice,
    problem::{Draft, Size},
    program::{Op, Operand},
    words::{ACTIVITIES, Activity, NAMES},
};

/// One stretch of days (1 step), what is left (2), two stretches (3), what is left of those (4), with a last day (5).
pub fn draft(dice: &mut Dice, steps: usize, size: Size) -> Draft {
    let who = dice.pick(&NAMES);
    let activity = dice.pick(&ACTIVITIES);
    let Activity { verb, unit, whole } = activity;
    let subject = format!("{who} {verb}");
    let mut draft = Draft::default();
    let per_day = size.factor(dice, 9, 15);
    let mut done = stretch(dice, &mut draft, &subject, "", per_day, unit);
    if steps >= 3 {
        let per_day = size.factor(dice, 9, 12);
        let more = stretch(dice, &mut draft, &subject, "Then ", per_day, unit);
        done = draft.program.then(Op::Add, done, more, subject.clone(), unit);
    }
    if steps == 5 {
        let extra = size.gain(dice);
        draft.say(format!("On the last day {subject} {extra} more {unit}."));
        done = draft.program.then(Op::Add, done, Operand::Given(extra), subject.clone(), unit);
    }
    draft.ask = format!("How many {unit} does {who} finish?");
    if matches!(steps, 2 | 4 | 5) {
        let all = draft.program.last() + size.gain(dice);
        draft.say(format!("The {whole} has {all} {unit}."));
        let left = format!("{unit} left");
        draft.program.then(Op::Subtract, Operand::Given(all), done, format!("The {whole} has"), &left);
        draft.ask = format!("How many {unit} are left?");
    }
    draft
}

fn stretch(dice: &mut Dice, draft: &mut Draft, subject: &str, lead: &str, per_day: i64, unit: &str) -> Operand {
    let days = dice.range(2, 9);
    draft.say(format!("{lead}{subject} {per_day} {unit} each day for {days} days."));
    draft.program.then(Op::Multiply, Operand::Given(per_day), Operand::Given(days), subject, unit)
}
