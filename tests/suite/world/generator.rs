use std::collections::{BTreeMap, HashSet};

use footbridge::data::world::{
    Bank, Kind, Operand, Problem, Split, World, WorldError, WorldSpec,
    corrupt::wrong_answer,
    diagnose::diagnose,
    dice::Dice,
    pretrain::{Document, Documents, Phase},
    splits::is_for_questions,
    trace::{Role, every_line, plain_trace, raw_lines, role_of},
};

use super::world;

#[test]
fn the_same_seed_gives_the_same_world_and_another_seed_another() {
    let (one, two) = (world(), world());
    for split in Split::ALL {
        assert_eq!(one.problems(split), two.problems(split));
    }
    let other = World::generate(&WorldSpec { seed: 12, ..*one.spec() }).unwrap();
    assert_ne!(one.problems(Split::Test)[0].text, other.problems(Split::Test)[0].text);
}

#[test]
fn training_on_more_changes_no_other_question() {
    let small = world();
    let large = World::generate(&WorldSpec { train: 500, ..*small.spec() }).unwrap();
    for split in [Split::Test, Split::B, Split::C, Split::Dev] {
        assert_eq!(small.problems(split), large.problems(split));
    }
    assert_eq!(small.problems(Split::Train), &large.problems(Split::Train)[..300]);
}

#[test]
fn splits_have_the_sizes_asked_for_and_share_no_text() {
    let world = world();
    let sizes: Vec<usize> = Split::ALL.iter().map(|split| world.problems(*split).len()).collect();
    assert_eq!(sizes, [120, 80, 80, 60, 300]);
    let all: Vec<&Problem> = Split::ALL.iter().flat_map(|split| world.problems(*split)).collect();
    let texts: HashSet<&str> = all.iter().map(|problem| problem.text.as_str()).collect();
    assert_eq!(texts.len(), all.len());
    assert_eq!(world.problems(Split::Train)[0].id, "train-0001");
    for problem in all {
        assert_eq!(world.find(&problem.id), Some(problem));
    }
    assert_eq!(world.find("train-9999"), None);
}

#[test]
fn no_pretraining_text_can_be_a_question() {
    let world = world();
    for split in Split::ALL {
        assert!(world.problems(split).iter().all(|problem| is_for_questions(&problem.text)));
    }
    for phase in [Phase::Learn, Phase::Settle] {
        for document in Documents::new(phase, 5).take(2000) {
            let problem = match document {
                Document::Drill { .. } => continue,
                Document::Solve { problem, .. }
                | Document::Diagnose { problem, .. }
                | Document::Repair { problem, .. }
                | Document::Again { problem } => problem,
            };
            assert!(!is_for_questions(&problem.text));
        }
    }
}

#[test]
fn programs_are_sound() {
    let world = world();
    for problem in Split::ALL.iter().flat_map(|split| world.problems(*split)) {
        for (index, step) in problem.steps.iter().enumerate() {
            assert_eq!(step.op.apply(step.a, step.b), Some(step.r), "{}", problem.text);
            assert!((1..=250).contains(&step.r));
            for (source, value) in [(step.left, step.a), (step.right, step.b)] {
                match source {
                    Operand::Given(number) => assert_eq!(number, value),
                    Operand::Result(earlier) => {
                        assert!(earlier < index);
                        assert_eq!(problem.steps[earlier].r, value);
                    }
                }
            }
        }
        // Every result but the last is used: no step is beside the point.
        for index in 0..problem.steps.len() - 1 {
            assert!(problem.steps.iter().any(|step| step.uses(index)), "{}", problem.text);
        }
        let question = problem.question();
        assert_eq!(question.gold, problem.answer().to_string());
        assert_eq!(question.steps, Some(problem.steps.len() as u32));
    }
}

/// Numbers that a program takes from the question must stand in the question, or be said as a word.
#[test]
fn given_numbers_stand_in_the_text() {
    let words: [(i64, &[&str]); 2] = [(2, &["twice", "half", "doubles"]), (3, &["third", "triples"])];
    let world = world();
    for problem in Split::ALL.iter().flat_map(|split| world.problems(*split)) {
        let numbers: HashSet<i64> =
            problem.text.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect();
        for source in problem.steps.iter().flat_map(|step| [step.left, step.right]) {
            let Operand::Given(number) = source else { continue };
            let said = words.iter().any(|(n, words)| *n == number && words.iter().any(|w| problem.text.contains(w)));
            assert!(numbers.contains(&number) || said, "{number} is not in: {}", problem.text);
        }
    }
}

#[test]
fn every_kind_has_exactly_the_steps_asked_for() {
    let mut dice = Dice::new(1, &["steps"]);
    let mut kinds = HashSet::new();
    for steps in 1..=5 {
        for _ in 0..200 {
            let problem = Problem::draw(&mut dice, Bank::A, steps);
            assert_eq!(problem.steps.len(), steps, "{}", problem.text);
            kinds.insert((problem.kind, steps));
        }
    }
    assert_eq!(kinds.len(), Kind::BANK_A.len() * 5);
    for bank in [Bank::B, Bank::C] {
        for steps in 1..=2 {
            assert!((0..200).all(|_| Problem::draw(&mut dice, bank, steps).steps.len() == steps));
        }
    }
}

#[test]
fn step_counts_follow_their_shares() {
    let world = World::generate(&WorldSpec { seed: 3, train: 3000, dev: 0, test: 0, ood: 0 }).unwrap();
    let mut counts = BTreeMap::new();
    for problem in world.problems(Split::Train) {
        *counts.entry(problem.steps.len()).or_insert(0usize) += 1;
    }
    for (steps, share) in [(1, 0.13), (2, 0.25), (3, 0.26), (4, 0.21), (5, 0.15)] {
        assert!((counts[&steps] as f64 / 3000.0 - share).abs() < 0.03, "{counts:?}");
    }
}

#[test]
fn a_world_that_runs_dry_says_so() {
    let text = WorldError::Exhausted { split: "b", found: 10, wanted: 20 }.to_string();
    assert!(text.contains("`b` after 10 of 20"), "{text}");
}

#[test]
fn lines_of_raw_traces_are_told_apart_by_their_text() {
    let world = world();
    let mut roles = HashSet::new();
    for problem in world.problems(Split::Train) {
        let mut dice = Dice::new(4, &[&problem.id]);
        for line in raw_lines(problem, &mut dice) {
            let known = role_of(problem, &line.text).unwrap_or_else(|| panic!("not recognised: {}", line.text));
            assert_eq!((known.role, known.text), (line.role, line.text));
            roles.insert(line.role);
        }
        for line in every_line(problem) {
            assert!(line.text.chars().count() <= 120, "too long to be quoted: {}", line.text);
        }
    }
    assert_eq!(roles.len(), 7, "{roles:?}");
}

#[test]
fn a_raw_trace_carries_out_every_step_in_order() {
    for problem in world().problems(Split::Test) {
        let mut dice = Dice::new(9, &[&problem.id]);
        let carried: Vec<usize> = raw_lines(problem, &mut dice)
            .into_iter()
            .filter(|line| matches!(line.role, Role::Plain | Role::Wordy | Role::Fused))
            .flat_map(|line| line.steps)
            .collect();
        assert_eq!(carried, (0..problem.steps.len()).collect::<Vec<_>>());
    }
}

#[test]
fn wrong_answers_are_wrong_and_can_be_diagnosed() {
    let mut dice = Dice::new(2, &["wrong"]);
    for problem in world().problems(Split::Train) {
        let response = wrong_answer(problem, &mut dice);
        assert!(!response.ends_with(&format!("#### {}", problem.answer())));
        assert!(diagnose(problem, &response).is_some(), "{response}");
        assert_eq!(diagnose(problem, &plain_trace(problem)), None);
    }
}

#[test]
fn phases_mix_their_documents_as_told() {
    let share = |phase, wanted: fn(&Document) -> bool| {
        Documents::new(phase, 1).take(4000).filter(wanted).count() as f64 / 4000.0
    };
    let is_drill = |d: &Document| matches!(d, Document::Drill { .. });
    let is_solve = |d: &Document| matches!(d, Document::Solve { .. });
    assert!((share(Phase::Learn, is_drill) - 0.35).abs() < 0.03);
    assert!((share(Phase::Learn, is_solve) - 0.65).abs() < 0.03);
    assert!((share(Phase::Settle, is_drill) - 0.12).abs() < 0.03);
    assert!((share(Phase::Settle, is_solve) - 0.76).abs() < 0.03);
    let steps = |d: Document| if let Document::Solve { problem, .. } = d { Some(problem.steps.len()) } else { None };
    assert_eq!(Documents::new(Phase::Settle, 1).take(2000).filter_map(steps).max(), Some(3));
}
