use std::{collections::HashSet, sync::Arc};

use footbridge::{
    data::world::{Split, trace::plain_trace},
    domain::Question,
    teacher::{RuleTeacher, Teacher, TeacherError},
};

use super::world;

fn steps_of(trace: &str) -> Vec<String> {
    trace.lines().filter(|line| !line.starts_with("####")).map(str::to_owned).collect()
}

#[test]
fn traces_reach_gold_and_differ_by_attempt() {
    let world = Arc::new(world());
    let teacher = RuleTeacher::new(world.clone(), 1);
    let mut differing = 0;
    for question in world.questions(Split::Train) {
        let trace = teacher.trace(&question, 0).unwrap();
        assert_eq!(trace, teacher.trace(&question, 0).unwrap());
        assert!(trace.ends_with(&format!("\n#### {}", question.gold)));
        differing += usize::from(trace != teacher.trace(&question, 1).unwrap());
    }
    assert!(differing > 250, "{differing}");
    let question = &world.questions(Split::Train)[3];
    let by_seed = |seed| RuleTeacher::new(world.clone(), seed).trace(question, 0).unwrap();
    assert!((0..8).map(by_seed).collect::<HashSet<_>>().len() > 1);
}

#[test]
fn scores_lie_on_the_grid_and_stay_the_same() {
    let world = Arc::new(world());
    let teacher = RuleTeacher::new(world.clone(), 1);
    let grid = [0.0, 0.25, 0.5, 0.75, 1.0];
    let (mut importances, mut jumps) = (HashSet::new(), HashSet::new());
    for question in world.questions(Split::Train) {
        let steps = steps_of(&teacher.trace(&question, 0).unwrap());
        for index in 0..steps.len() {
            let importance = teacher.importance(&question, &steps, index, 0).unwrap();
            let jumpiness = teacher.jumpiness(&question, &steps, index, 0).unwrap();
            assert!(grid.contains(&importance) && grid.contains(&jumpiness));
            assert_eq!(importance, teacher.importance(&question, &steps, index, 3).unwrap());
            assert!(index > 0 || jumpiness == 0.0);
            if steps[index].contains('(') {
                assert!(importance >= 0.75 && (index == 0 || jumpiness >= 0.75));
            }
            importances.insert((importance * 4.0) as u8);
            jumps.insert((jumpiness * 4.0) as u8);
        }
    }
    assert_eq!(importances.len(), 5);
    assert_eq!(jumps, HashSet::from([0, 1, 3, 4]));
}

#[test]
fn edits_give_the_plain_steps_back() {
    let world = Arc::new(world());
    let teacher = RuleTeacher::new(world.clone(), 1);
    for problem in world.problems(Split::Train) {
        let question = problem.question();
        let mut bridged = Vec::new();
        for step in steps_of(&teacher.trace(&question, 0).unwrap()) {
            let easy = teacher.localize(&question, "", &step, 0).unwrap();
            assert_eq!(easy, teacher.expand(&question, "", &format!("\n{step}\n"), 0).unwrap());
            let short = teacher.compress(&question, "", &step, 0).unwrap();
            assert!(short.len() <= step.len());
            if step.contains(" = ") && !step.starts_with("We can check") {
                assert!(!short.is_empty());
                bridged.push(easy);
            } else {
                assert_eq!(short, "");
            }
        }
        bridged.push(format!("#### {}", question.gold));
        assert_eq!(bridged.join("\n"), plain_trace(problem));
    }
}

#[test]
fn steps_mended_by_hand_are_still_known_and_wrong_ones_are_not() {
    let world = Arc::new(world());
    let teacher = RuleTeacher::new(world.clone(), 1);
    let problem = &world.problems(Split::Train)[0];
    let (question, step) = (problem.question(), &problem.steps[0]);
    let sum = format!("{} {} {}", step.a, step.op, step.b);
    let mended = vec![format!("so now it is {sum} = {}", step.r)];
    assert!(teacher.importance(&question, &mended, 0, 0).unwrap() >= 0.75);
    for unknown in [format!("{sum} = {}", step.r + 1), "1000 + 1 = 1001".to_owned(), "Hello.".to_owned()] {
        let error = teacher.localize(&question, "", &unknown, 0).unwrap_err();
        assert!(matches!(error, TeacherError::UnknownStep { .. }), "{error}");
    }
}

#[test]
fn questions_and_steps_that_do_not_exist_are_refused_in_plain_words() {
    let world = Arc::new(world());
    let teacher = RuleTeacher::new(world.clone(), 1);
    let stranger = Question { id: "gsm8k-1".into(), gold: "1".into(), ..Question::default() };
    assert!(teacher.trace(&stranger, 0).unwrap_err().to_string().contains("`gsm8k-1`"));
    let question = world.questions(Split::Train).remove(0);
    let error = teacher.importance(&question, &[], 0, 0).unwrap_err();
    assert!(error.to_string().contains("has 0"), "{error}");
    let right = format!("#### {}", question.gold);
    assert_eq!(teacher.diagnose(&question, &right, None, 0), Err(TeacherError::NothingWrong(question.id.clone())));
    assert_eq!(teacher.diagnose(&question, "#### 0", None, 0).unwrap().first_error, "#### 0");
}

#[test]
fn neutral_text_is_endless_and_seeded() {
    let teacher = RuleTeacher::new(world(), 1);
    let take = |seed| teacher.neutral(seed).unwrap().take(50).collect::<Vec<_>>();
    assert_eq!(take(1), take(1));
    assert_ne!(take(1), take(2));
}
