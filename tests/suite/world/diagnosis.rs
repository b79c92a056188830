use std::collections::HashMap;

use footbridge::data::world::{
    Bank, Kind, Op, Operand, Problem, Split,
    corrupt::wrong_answer,
    diagnose::{diagnose, excerpt},
    dice::Dice,
    program::Program,
    trace::raw_trace,
};

use super::world;

/// ( 4 * 5 ) + 6 - 2, told about nuts.
fn problem() -> Problem {
    let mut program = Program::default();
    let boxes = program.then(Op::Multiply, Operand::Given(4), Operand::Given(5), "The boxes hold", "nuts");
    let more = program.then(Op::Add, boxes, Operand::Given(6), "Ada has", "nuts");
    program.then(Op::Subtract, more, Operand::Given(2), "Ada has", "nuts");
    Problem {
        id: "train-0001".into(),
        bank: Bank::A,
        kind: Kind::Boxes,
        text: "Ada has 4 boxes with 5 nuts each. Ada also has 6 loose nuts. Ada sells 2 nuts. How many?".into(),
        first_fact: "Ada has 4 boxes with 5 nuts each.".into(),
        steps: program.finish(1..=250).unwrap(),
    }
}

const ONE: &str = "The boxes hold 4 * 5 = 20 nuts.";
const TWO: &str = "Ada has 20 + 6 = 26 nuts.";
const THREE: &str = "Ada has 26 - 2 = 24 nuts.";

/// Lines of the response, error type, index of the first wrong line, the step that should stand there.
const CASES: [(&[&str], &str, usize, &str); 14] = [
    (&["The boxes hold 4 * 5 = 21 nuts.", "#### 25"], "calculation error", 0, ONE),
    (&["The boxes hold 4 + 5 = 9 nuts.", "#### 9"], "wrong operation", 0, ONE),
    (&["The boxes hold 5 * 4 = 20 nuts.", "Ada has 20 - 2 = 18 nuts.", "#### 18"], "misread the question", 1, TWO),
    (&[ONE, THREE, "#### 23"], "missing step", 1, TWO),
    (&[ONE, "#### 20"], "missing step", 1, TWO),
    (&["#### 7"], "missing step", 0, ONE),
    (&[ONE], "missing answer", 0, TWO),
    (&[ONE, TWO, THREE], "missing answer", 2, "#### 24"),
    (&[ONE, "Ada has 6 + 20 = 26 nuts.", THREE, "Ada has 24 + 9 = 33 nuts.", "#### 33"], "extra step", 3, "#### 24"),
    (&[ONE, TWO, THREE, "#### 26"], "wrong final answer", 3, "#### 24"),
    (&["Ada has ( 4 * 5 ) + 6 = 27 nuts.", "#### 25"], "calculation error", 0, TWO),
    (
        &["Ada has ( 4 * 5 ) + 6 = 26 nuts.", "We can check this line : 26 - 6 = 20, which is right.", "#### 26"],
        "missing step",
        2,
        THREE,
    ),
    (&[ONE, "The boxes hold 4 * 5 = 25 nuts.", "#### 25"], "calculation error", 1, ONE),
    (&["Ada Ada Ada", "99999999999999999999 * 9 = 1", "#### x"], "missing step", 2, ONE),
];

#[test]
fn each_kind_of_error_is_named_where_it_first_happens() {
    for (lines, error_type, wrong, next) in CASES {
        let response = lines.join("\n");
        let found = diagnose(&problem(), &response).unwrap();
        assert_eq!(
            (found.error_type.as_str(), found.first_error.as_str(), found.correct_next_step.as_str()),
            (error_type, lines[wrong], next),
            "{response}"
        );
        assert_eq!(found.short_correct_reasoning, [ONE, TWO, THREE, "#### 24"].join("\n"));
        for field in [&found.why_wrong, &found.missing_knowledge, &found.minimal_fix] {
            assert!(!field.is_empty());
        }
    }
}

#[test]
fn an_empty_answer_is_missing_and_quotes_nothing() {
    let found = diagnose(&problem(), " \n\n").unwrap();
    assert_eq!((found.error_type.as_str(), found.first_error.as_str()), ("missing answer", ""));
}

#[test]
fn right_answers_have_no_first_error() {
    assert_eq!(diagnose(&problem(), "Ada has nuts.\n#### 24"), None);
    for problem in world().problems(Split::Train) {
        let mut dice = Dice::new(5, &[&problem.id]);
        assert_eq!(diagnose(problem, &raw_trace(problem, &mut dice)), None);
    }
}

/// A raw trace with another answer under it has nothing wrong but that: checks and long words are no errors.
#[test]
fn verbose_but_right_steps_are_not_blamed() {
    for problem in world().problems(Split::Test) {
        let mut dice = Dice::new(6, &[&problem.id]);
        let trace = raw_trace(problem, &mut dice);
        let response = format!("{}\n#### {}", trace.rsplit_once('\n').unwrap().0, problem.answer() + 1);
        let found = diagnose(problem, &response).unwrap();
        assert_eq!(found.error_type, "wrong final answer", "{response}\n{found:?}");
    }
}

#[test]
fn made_up_errors_spread_over_the_types() {
    let mut types: HashMap<String, usize> = HashMap::new();
    let mut dice = Dice::new(7, &["types"]);
    for problem in world().problems(Split::Train) {
        let response = wrong_answer(problem, &mut dice);
        *types.entry(diagnose(problem, &response).unwrap().error_type).or_default() += 1;
    }
    for (kind, least) in [
        ("calculation error", 60),
        ("wrong operation", 20),
        ("misread the question", 20),
        ("missing step", 10),
        ("extra step", 2),
        ("wrong final answer", 2),
        ("missing answer", 2),
    ] {
        assert!(types.get(kind).is_some_and(|count| *count >= least), "{kind}: {types:?}");
    }
}

#[test]
fn excerpts_are_short_verbatim_and_cut_between_words() {
    let long = "word ".repeat(40);
    assert_eq!(excerpt(&long).chars().count(), 119);
    assert!(excerpt(&long).ends_with("word"));
    assert_eq!(excerpt(&"ü".repeat(300)).chars().count(), 120);
    assert_eq!(excerpt("  short  "), "short");
    let exact = format!("{} tail", "x".repeat(120));
    assert_eq!(excerpt(&exact), "x".repeat(120));
}

proptest::proptest! {
    #[test]
    fn any_text_is_diagnosed_without_panic(text in "\\PC{0,200}(\n\\PC{0,80}){0,4}") {
        if let Some(found) = diagnose(&problem(), &text) {
            proptest::prop_assert!(text.contains(&found.first_error));
            proptest::prop_assert!(found.first_error.chars().count() <= 120);
        }
    }

    #[test]
    fn any_equation_is_diagnosed_without_panic(text in "[0-9()+*/= -]{0,60}(\n[#0-9 ]{0,9}){0,2}") {
        if let Some(found) = diagnose(&problem(), &text) {
            proptest::prop_assert!(text.contains(&found.first_error));
        }
    }
}
