//! The seven fields of a diagnosis, in the small world's words.

use super::Fault;
use crate::{
    data::world::{Op, Step, trace::plain_line},
    domain::Diagnosis,
};

/// Everything but what comes from the problem and the response.
struct Lesson {
    error_type: &'static str,
    why_wrong: String,
    missing_knowledge: String,
    minimal_fix: String,
    correct_next_step: String,
}

/// The diagnosis of `fault` at the line `first_error`.
pub fn fields(fault: &Fault, first_error: &str, answer: String, solution: String) -> Diagnosis {
    let lesson = lesson(fault, answer);
    Diagnosis {
        first_error: first_error.to_owned(),
        error_type: lesson.error_type.to_owned(),
        why_wrong: lesson.why_wrong,
        missing_knowledge: lesson.missing_knowledge,
        minimal_fix: lesson.minimal_fix,
        correct_next_step: lesson.correct_next_step,
        short_correct_reasoning: solution,
    }
}

fn lesson(fault: &Fault, answer: String) -> Lesson {
    match fault {
        Fault::Calculation(step, found) => Lesson {
            error_type: "calculation error",
            why_wrong: format!("{} is {}, not {found}.", left_side(step), step.r),
            missing_knowledge: skill(step.op).to_owned(),
            minimal_fix: format!("Compute {} again.", left_side(step)),
            correct_next_step: plain_line(step),
        },
        Fault::Operation(step, found) => Lesson {
            error_type: "wrong operation",
            why_wrong: format!("The numbers are right, but we need {} here, not {found}.", step.op),
            missing_knowledge: format!("When to use {}.", step.op),
            minimal_fix: format!("Use {}.", left_side(step)),
            correct_next_step: plain_line(step),
        },
        Fault::Misread(step) => Lesson {
            error_type: "misread the question",
            why_wrong: format!("We need {} here.", left_side(step)),
            missing_knowledge: "Which numbers of the question to use next.".to_owned(),
            minimal_fix: format!("Use {}.", left_side(step)),
            correct_next_step: plain_line(step),
        },
        Fault::MissingStep(step) => Lesson {
            error_type: "missing step",
            why_wrong: "This line comes before all steps it needs are done.".to_owned(),
            missing_knowledge: "Which steps the question needs.".to_owned(),
            minimal_fix: format!("Use {} first.", left_side(step)),
            correct_next_step: plain_line(step),
        },
        Fault::ExtraStep => Lesson {
            error_type: "extra step",
            why_wrong: "All steps were done before this line.".to_owned(),
            missing_knowledge: "When to stop.".to_owned(),
            minimal_fix: "Stop and write the answer.".to_owned(),
            correct_next_step: answer,
        },
        Fault::MissingAnswer(step) => Lesson {
            error_type: "missing answer",
            why_wrong: "There is no final answer.".to_owned(),
            missing_knowledge: "How to end with the answer.".to_owned(),
            minimal_fix: "Write the answer.".to_owned(),
            correct_next_step: step.as_ref().map_or(answer, plain_line),
        },
        Fault::FinalAnswer => Lesson {
            error_type: "wrong final answer",
            why_wrong: "The steps are right, but this is not the last result.".to_owned(),
            missing_knowledge: "How to end with the answer.".to_owned(),
            minimal_fix: "Write the last result.".to_owned(),
            correct_next_step: answer,
        },
    }
}

fn left_side(step: &Step) -> String {
    format!("{} {} {}", step.a, step.op, step.b)
}

fn skill(op: Op) -> &'static str {
    match op {
        Op::Add => "How to put two numbers together.",
        Op::Subtract => "How to take one number away from another.",
        Op::Multiply => "How to count equal groups.",
        Op::Divide => "How to cut a number into equal parts.",
    }
}
