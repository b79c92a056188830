//! Undo and redo: of one decision, of one question, of all; over a restart; and that nobody else's change is lost.

use footbridge::domain::Action;
use footbridge::pipeline::review::{
    Act, Applied, Chosen, Filter, Kind, ProductId, Request, ReviewError, ScoreName, Which,
};
use footbridge::session::records::{BridgedTrace, DecisionKind, ReviewDecision, Status};
use footbridge::session::{Author, Batch, Sessions};
use proptest::prelude::*;

use super::base::Own;

fn drop_step(question: &str, step: usize) -> Act {
    Act::OverrideAction { question: question.into(), step, action: Action::Drop, local: None, text: None }
}

fn bridges() -> Which {
    Which::All(Filter { kind: Some(Kind::Bridge), ..Filter::default() })
}

#[test]
fn what_was_decided_together_is_taken_back_together_or_by_question() {
    let own = Own::at_bridge();
    let original = own.products();
    own.does(Act::Approve { what: bridges() });
    let approved = own.products();
    let (question, _) = own.step(|_, _| true);
    let id = ProductId::new(Kind::Bridge, &question);
    // One question's share of a decision about many.
    let back = own.does(Act::Undo { of: Some(id.clone()) });
    assert_eq!(back.products, std::slice::from_ref(&id));
    assert_eq!(own.bridge(&question).status, Status::Proposed);
    assert!(own.refuses(Act::Undo { of: Some(id.clone()) }).contains("no decision left"));
    own.does(Act::Redo { of: Some(id.clone()) });
    assert_eq!(own.products(), approved);
    // All of it, the share that went its own way included.
    own.does(Act::Undo { of: None });
    assert_eq!(own.products(), original);
    own.does(Act::Redo { of: None });
    assert_eq!(own.products(), approved);
    let kinds: Vec<DecisionKind> = own.session.scan::<ReviewDecision>("").map(|item| item.unwrap().1.kind).collect();
    use DecisionKind::{Made, Redo, Undo};
    assert_eq!(kinds, [Made, Undo(1), Redo(1), Undo(1), Redo(1)]);
}

#[test]
fn a_new_decision_ends_the_redo_of_its_question_only() {
    let own = Own::at_bridge();
    let (first, _) = own.step(|_, _| true);
    let (second, _) = own.step(|b, _| b.question != first);
    for question in [&first, &second] {
        own.does(Act::SetScore { question: question.clone(), step: 1, score: ScoreName::I, value: 1.0 });
        own.does(Act::Undo { of: Some(ProductId::new(Kind::Trace, question)) });
    }
    own.does(Act::Approve { what: Which::Ids(vec![ProductId::new(Kind::Bridge, &first)]) });
    assert!(own.refuses(Act::Redo { of: Some(ProductId::new(Kind::Scores, &first)) }).contains("nothing to restore"));
    let redone = own.does(Act::Redo { of: None });
    assert!(redone.products.iter().all(|id| id.key == second), "{redone:?}");
    assert!(own.refuses(Act::Redo { of: None }).contains("nothing to restore"));
}

#[test]
fn an_undo_outlives_a_restart_and_does_not_overwrite_another_change() {
    let own = Own::at_bridge();
    let (question, _) = own.step(|b, _| b.steps.len() > 1);
    let original = own.products();
    own.does(drop_step(&question, 1));
    let Own { home, session, .. } = own;
    drop(session);
    let session = Sessions::at(home.path()).open("run").unwrap();
    let own = Own { session, ..Own::at_bridge() };
    own.does(Act::Undo { of: None });
    assert_eq!(own.products(), original);
    own.does(Act::Redo { of: None });
    let mut bridge = own.bridge(&question);
    bridge.status = Status::Proposed;
    let mut batch = Batch::new(Author::Pipeline);
    batch.put::<BridgedTrace>(&question, &bridge);
    own.session.write(batch).unwrap();
    assert!(own.refuses(Act::Undo { of: None }).contains("changed by something else"));
}

/// A decision drawn at random; many are refused, as a researcher's would be.
fn draw(own: &Own, (what, which, step, value): (u8, usize, usize, usize)) -> Result<Applied, ReviewError> {
    let failures = own.failures();
    let mut questions: Vec<String> =
        own.products().into_keys().filter(|id| id.kind == Kind::Bridge).map(|id| id.key).collect();
    questions.truncate(4);
    let question = questions[which % questions.len()].clone();
    let step = step + 1;
    let grid = [0.0, 0.25, 0.5, 0.75, 1.0][value % 5];
    let id = ProductId::new(Kind::ALL[value % 3], &question);
    let act = match what {
        0 => Act::Approve { what: Which::Ids(vec![id]) },
        1 => Act::Approve { what: bridges() },
        2 => Act::Reject { what: Which::Ids(vec![id]) },
        3 => Act::OverrideAction { question, step, action: Action::ALL[value % 5], local: None, text: None },
        4 => Act::SetScore { question, step, score: [ScoreName::I, ScoreName::J][value % 2], value: grid },
        5 => Act::EditStep { question, step, text: format!("{value} + 0 = {value}") },
        6 => Act::MergeSteps { question, step },
        7 => Act::SplitStep { question, step, at: 3 + value },
        8 => Act::AskAgain { product: id, step: Some(step) },
        9 => Act::Undo { of: Some(id) },
        10 => Act::Redo { of: Some(id) },
        11 => Act::Undo { of: None },
        12 => Act::Redo { of: None },
        _ => Act::Reject { what: Which::Ids(vec![failures[which % failures.len()].0.clone()]) },
    };
    own.ask(Request { by: None, reason: Some("drawn".into()), act })
}

fn until_refused(own: &Own, act: &Act) -> usize {
    let mut times = 0;
    while own.ask(act.clone()).is_ok() {
        times += 1;
        assert!(times < 1000, "{act:?} has no end");
    }
    times
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 64, ..ProptestConfig::default() })]

    #[test]
    fn all_undone_is_the_original_and_all_redone_the_end(
        drawn in prop::collection::vec((0_u8..14, 0_usize..4, 0_usize..4, 0_usize..10), 1..24)
    ) {
        let own = Own::at_recycle();
        until_refused(&own, &Act::Undo { of: None });
        let original = own.products();
        let accepted = drawn.into_iter().filter(|draw_one| draw(&own, *draw_one).is_ok()).count();
        until_refused(&own, &Act::Redo { of: None });
        let end = own.products();
        let undone = until_refused(&own, &Act::Undo { of: None });
        prop_assert_eq!(own.products(), original);
        prop_assert!(undone <= accepted + 1);
        prop_assert_eq!(until_refused(&own, &Act::Redo { of: None }), undone);
        prop_assert_eq!(own.products(), end);
    }
}

#[test]
fn many_steps_are_chosen_as_one_decision_and_what_cannot_be_built_stays() {
    let own = Own::at_bridge().alone();
    let before = own.products();
    let chosen = |question: &str, step, action| Chosen { question: question.into(), step, action, local: None };
    let all: Vec<(String, BridgedTrace)> = own.session.scan::<BridgedTrace>("").map(|item| item.unwrap()).collect();
    let many = |b: &BridgedTrace| b.steps.iter().filter(|s| s.action == Action::Keep).count() > 1;
    let (a, of_a) = all.iter().find(|(_, b)| many(b)).unwrap();
    let kept: Vec<usize> = (0..of_a.steps.len()).filter(|at| of_a.steps[*at].action == Action::Keep).collect();
    let (b, of_b) = all.iter().find(|(id, b)| id != a && b.steps[0].action == Action::Keep).unwrap();
    // Both in one question are dropped; nobody is there to write what the other needs.
    let mut steps: Vec<Chosen> = kept.iter().map(|at| chosen(a, at + 1, Action::Localize)).collect();
    assert!(own.refuses(Act::OverrideActions { steps: steps.clone() }).contains("needs a text"));
    assert!(own.refuses(Act::OverrideActions { steps: Vec::new() }).contains("no step was named"));
    steps =
        vec![chosen(a, kept[0] + 1, Action::Drop), chosen(a, kept[1] + 1, Action::Keep), chosen(b, 1, Action::Expand)];
    let applied = own.does(Act::OverrideActions { steps });
    assert_eq!(applied.line, "chose the operation of 2 steps of 1 questions");
    assert!(applied.notes.iter().any(|note| note.contains("left as it is") && note.contains("needs a text")));
    let now = own.bridge(a);
    assert_eq!((now.steps[kept[0]].action, now.steps[kept[0]].overruled), (Action::Drop, Some(false)));
    assert_eq!((now.steps[kept[1]].action, now.steps[kept[1]].overruled), (Action::Keep, Some(false)));
    assert_eq!(own.bridge(b), *of_b);
    own.does(Act::Undo { of: None });
    assert_eq!(own.products(), before);
}
