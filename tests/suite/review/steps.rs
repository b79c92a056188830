//! Traces and their steps changed by hand: what is scored again, what is carried over, what goes to review.

use footbridge::domain::Question;
use footbridge::pipeline::context::StageError;
use footbridge::pipeline::review::{Act, Desk, Losses, StepLosses, apply};
use footbridge::session::records::{ScoredStep, Status};

use super::base::Own;

/// A student that says the position of a token's step as its loss, two tokens a step.
struct Counting;

impl Losses for Counting {
    fn losses(&self, _: &Question, _: &str, (starts, _): (&[usize], usize), _: &str) -> Result<StepLosses, StageError> {
        assert!(starts.is_sorted() && starts.first() == Some(&0), "{starts:?}");
        let steps = (0..starts.len()).map(|i| vec![i as f32; 2]).collect();
        Ok(StepLosses { steps, trace_tokens: 77 })
    }
}

fn measured(own: &Own, act: Act) {
    let desk = Desk { student: Some(&Counting), ..own.desk() };
    apply(&desk, &act.into()).unwrap();
}

fn losses(steps: &[ScoredStep]) -> Vec<f32> {
    steps.iter().flat_map(|step| step.token_nll.clone()).collect()
}

#[test]
fn joined_steps_keep_their_losses_and_wait_for_a_judge() {
    let own = Own::at_bridge().alone();
    let (question, _) = own.step(|b, _| b.steps.len() > 3);
    let (old, frame) = (own.scores(&question), own.session.sequence());
    let applied = own.does(Act::MergeSteps { question: question.clone(), step: 2 });
    let new = own.scores(&question);
    assert_eq!(new.steps.len(), old.steps.len() - 1);
    assert_eq!(losses(&new.steps), losses(&old.steps));
    let joined = &new.steps[1];
    assert!(joined.text.starts_with(&old.steps[1].text) && joined.text.ends_with(&old.steps[2].text));
    let mean = joined.token_nll.iter().map(|l| f64::from(*l)).sum::<f64>() / joined.token_nll.len() as f64;
    assert!((joined.scores.difficulty - mean).abs() < 1e-9);
    assert_eq!((new.steps[0].clone(), new.steps[2..].to_vec()), (old.steps[0].clone(), old.steps[3..].to_vec()));
    assert_eq!(new.status, Status::Review { reason: "unscored steps: 2".into() });
    assert!(matches!(own.bridge(&question).status, Status::Review { .. }));
    assert!(applied.notes.iter().any(|note| note.contains("step 2 is not judged")), "{:?}", applied.notes);
    assert_eq!(own.written_after(frame).len(), 2);
    let last = new.steps.len();
    assert!(own.refuses(Act::MergeSteps { question, step: last }).contains(&format!("no step {}", last + 1)));
}

#[test]
fn a_cut_step_is_measured_where_there_is_a_student_and_guessed_where_not() {
    let own = Own::at_bridge().alone();
    let (question, _) = own.step(|b, _| b.steps.len() > 2);
    let old = own.scores(&question);
    let at = old.steps[1].text.find(' ').unwrap();
    let cut = |at| Act::SplitStep { question: question.clone(), step: 2, at };
    for nowhere in [0, 100_000] {
        assert!(own.refuses(cut(nowhere)).contains("cannot be cut"), "{nowhere}");
    }
    own.does(cut(at));
    let guessed = own.scores(&question);
    assert_eq!(guessed.steps.len(), old.steps.len() + 1);
    assert_eq!(losses(&guessed.steps), losses(&old.steps));
    assert!(matches!(guessed.status, Status::Review { .. }));
    own.does(Act::Undo { of: None });
    assert_eq!(own.scores(&question), old);

    measured(&own, cut(at));
    let new = own.scores(&question);
    assert_eq!((new.steps[1].scores.difficulty, new.steps[2].scores.difficulty), (1.0, 2.0));
    assert_eq!((&new.steps[0], &new.steps[3..]), (&old.steps[0], &old.steps[2..]), "only what changed is measured");
    assert_eq!(new.status, Status::Review { reason: "unscored steps: 2, 3".into() });
}

#[test]
fn a_trace_must_keep_its_answer_and_is_scored_where_it_changed() {
    let own = Own::at_bridge();
    let (question, _) = own.step(|b, _| b.steps.len() > 2);
    let (trace, old, frame) = (own.trace(&question), own.scores(&question), own.session.sequence());
    let write = |text: String| Act::EditTrace { question: question.clone(), text };
    for wrong in ["", "no answer", "1 + 1 = 2\n#### 987654"] {
        assert!(own.refuses(write(wrong.into())).contains("must reach"), "{wrong:?}");
    }
    let answer = trace.text.lines().last().unwrap();
    assert!(own.refuses(write(answer.into())).contains("no steps"));
    // Without its first line, the rest keeps the judge's scores; D of all is measured again, since all were moved.
    let (first, rest) = trace.text.split_once('\n').unwrap();
    assert_eq!(first, old.steps[0].text);
    measured(&own, write(rest.trim_start().to_string()));
    let new = own.scores(&question);
    assert_eq!(new.steps.len(), old.steps.len() - 1);
    for (i, (new, old)) in new.steps.iter().zip(&old.steps[1..]).enumerate() {
        assert_eq!((&new.text, new.scores.importance), (&old.text, old.scores.importance));
        assert_eq!(new.scores.difficulty, i as f64);
    }
    assert_eq!((new.steps[0].scores.jumpiness, new.trace_tokens), (Some(0.0), 77));
    assert_eq!((own.trace(&question).status, new.status), (Status::Edited, Status::Edited));
    let mut written = own.written_after(frame);
    written.sort();
    assert_eq!(written, ["bridge", "scores", "trace"].map(|table| format!("{table}/{question}")));
    assert_eq!(own.bridge(&question).steps.len(), new.steps.len());
}

#[test]
fn a_first_step_that_is_first_no_more_is_judged_for_its_jump() {
    let own = Own::at_bridge().alone();
    let (question, _) = own.step(|b, _| b.steps.len() > 2);
    let (trace, old) = (own.trace(&question), own.scores(&question));
    let text = format!("By hand 1 + 1 = 2\n{}", trace.text);
    let applied = own.does(Act::EditTrace { question: question.clone(), text });
    let new = own.scores(&question);
    assert_eq!(
        (&new.steps[1].text, new.steps[1].scores.importance),
        (&old.steps[0].text, old.steps[0].scores.importance)
    );
    assert_eq!((new.steps[0].scores.jumpiness, new.steps[1].scores.jumpiness), (Some(0.0), None));
    assert_eq!(new.steps[2].scores.jumpiness, old.steps[1].scores.jumpiness);
    assert!(applied.notes.iter().any(|note| note.starts_with("step 2 is not judged")), "{:?}", applied.notes);
    assert!(matches!(new.status, Status::Review { .. }));
}
