//! Approving, rejecting, overriding, scoring, diagnoses, asking again: what is accepted, what is refused and why, and that
//! nothing else is touched.

use std::collections::BTreeMap;

use footbridge::domain::Action;
use footbridge::pipeline::review::{Act, Filter, Kind, ProductId, Request, ScoreName, Which};
use footbridge::session::records::Status;
use footbridge::session::{AuditFilter, Author};

use super::base::Own;

fn ids(ids: &[&ProductId]) -> Which {
    Which::Ids(ids.iter().map(|id| (*id).clone()).collect())
}

fn all(kind: Kind) -> Which {
    Which::All(Filter { kind: Some(kind), ..Filter::default() })
}

fn by(name: &str, reason: &str, act: Act) -> Request {
    Request { by: Some(name.into()), reason: (!reason.is_empty()).then(|| reason.into()), act }
}

#[test]
fn approving_takes_one_those_shown_or_all_and_signs_each() {
    let own = Own::at_bridge();
    let waiting: Vec<ProductId> = own.products().into_keys().filter(|id| id.kind == Kind::Bridge).collect();
    let one = own.ask(by("ada", "looks right", Act::Approve { what: ids(&[&waiting[0]]) })).unwrap();
    assert_eq!((one.decision, one.products.as_slice()), (1, &waiting[..1]));
    let bridge = own.bridge(&waiting[0].key);
    assert_eq!(bridge.status, Status::Approved);
    let decided = bridge.decided.unwrap();
    assert_eq!((decided.by, decided.reason.as_deref()), (Author::Researcher("ada".into()), Some("looks right")));
    assert!(decided.at > 1_600_000_000_000);

    let shown = Filter { text: Some(waiting[1].key.clone()), kind: Some(Kind::Bridge), ..Filter::default() };
    assert_eq!(own.does(Act::Approve { what: Which::All(shown) }).products, [waiting[1].clone()]);
    let rest = own.does(Act::Approve { what: all(Kind::Bridge) });
    assert_eq!(rest.products, waiting[2..]);
    assert!(own.refuses(Act::Approve { what: all(Kind::Bridge) }).contains("nothing"));
    assert!(own.refuses(Act::Approve { what: ids(&[&waiting[0]]) }).contains("nothing"));
    let nobody = ProductId::new(Kind::Bridge, "train-9999");
    assert!(own.refuses(Act::Approve { what: ids(&[&nobody]) }).contains("there is no bridge/train-9999"));
    // The log has the same, with the value before.
    let filter =
        AuditFilter { author: Some("ADA".into()), ..AuditFilter::of::<footbridge::session::records::BridgedTrace>("") };
    let log: Vec<_> = own.session.audit(filter).unwrap().map(Result::unwrap).collect();
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].row()[3..7], ["bridge", waiting[0].key.as_str(), "proposed", "approved"]);
    assert!(log[0].reason.as_ref().unwrap().ends_with("looks right"));
}

#[test]
fn a_rejection_says_why_and_bars_what_was_built_on_it() {
    let own = Own::at_bridge();
    let (question, _) = own.step(|_, _| true);
    let trace = ProductId::new(Kind::Trace, &question);
    for reason in ["", "  "] {
        assert!(own.refuses(by("ada", reason, Act::Reject { what: ids(&[&trace]) })).contains("needs a reason"));
    }
    let applied = own.ask(by("ada", "a wrong turn", Act::Reject { what: ids(&[&trace]) })).unwrap();
    assert_eq!(own.trace(&question).status, Status::Rejected { reason: "a wrong turn".into() });
    assert_eq!(own.bridge(&question).status, Status::Review { reason: "its trace was rejected".into() });
    assert_eq!(applied.products.len(), 2);
    assert!(applied.notes[0].contains("goes to review"));
    let bridge = ProductId::new(Kind::Bridge, &question);
    assert!(own.refuses(Act::Approve { what: ids(&[&bridge]) }).contains("its trace is rejected"));
    own.does(Act::Approve { what: ids(&[&trace]) });
    own.does(Act::Approve { what: ids(&[&bridge]) });
    assert_eq!(own.bridge(&question).status, Status::Approved);
}

#[test]
fn of_several_those_that_fail_a_check_are_left_and_named() {
    let own = Own::at_bridge();
    let bridges: Vec<ProductId> = own.products().into_keys().filter(|id| id.kind == Kind::Bridge).take(4).collect();
    for id in &bridges[..2] {
        let trace = ProductId::new(Kind::Trace, &id.key);
        own.ask(by("ada", "a wrong turn", Act::Reject { what: ids(&[&trace]) })).unwrap();
    }
    let applied = own.does(Act::Approve { what: Which::Ids(bridges.clone()) });
    assert_eq!(applied.products, bridges[2..]);
    assert_eq!(applied.notes.len(), 1, "{:?}", applied.notes);
    let note = &applied.notes[0];
    assert!(note.starts_with("2 fail their checks and stay as they are: "), "{note}");
    assert!(bridges[..2].iter().all(|id| note.contains(&format!("{id}: its trace is rejected"))), "{note}");
    assert_eq!(own.bridge(&bridges[0].key).status.name(), "review");
    let why = own.refuses(Act::Approve { what: Which::Ids(bridges) });
    assert!(why.contains("2 fail their checks"), "{why}");
}

#[test]
fn an_override_rebuilds_the_bridge_of_its_question_and_nothing_else() {
    let own = Own::at_bridge();
    let (question, at) = own.step(|b, at| b.steps[at].action == Action::Keep && b.steps.len() > 2);
    let (old, frame) = (own.bridge(&question), own.session.sequence());
    let over = |action, text: Option<&str>, local| Act::OverrideAction {
        question: question.clone(),
        step: at + 1,
        action,
        local,
        text: text.map(str::to_string),
    };
    own.does(over(Action::Localize, Some("3 * 4 = 12"), None));
    assert_eq!(own.written_after(frame), [format!("bridge/{question}")]);
    let new = own.bridge(&question);
    assert_eq!(new.status, Status::Edited);
    assert_eq!((new.steps[at].action, new.steps[at].text.as_str()), (Action::Localize, "3 * 4 = 12"));
    assert_eq!(new.steps[at].overruled, Some(true));
    assert!(new.bridged.text.contains("3 * 4 = 12") && !old.bridged.text.contains("3 * 4 = 12"));
    let local = new.bridged.locals.iter().find(|local| local.step == at).unwrap();
    assert_eq!(local.target, "3 * 4 = 12");
    // Later local samples are built on the new prefix; the other steps keep their texts.
    for local in new.bridged.locals.iter().filter(|local| local.step > at) {
        assert!(local.prefix.contains("3 * 4 = 12"));
    }
    for (i, (a, b)) in old.steps.iter().zip(&new.steps).enumerate().filter(|(i, _)| *i != at) {
        assert_eq!(a, b, "step {}", i + 1);
    }
    // There and back needs nobody: the text that was written is known.
    let own = own.alone();
    own.does(over(Action::Drop, None, None));
    assert!(!own.bridge(&question).bridged.text.contains("3 * 4 = 12"));
    own.does(over(Action::Localize, None, None));
    assert_eq!(own.bridge(&question).bridged, new.bridged);
    let why = own.refuses(over(Action::Expand, None, None));
    assert!(why.contains(&format!("expand of step {} needs a text", at + 1)) && why.contains("no teacher"), "{why}");
    own.does(over(Action::Expand, Some("3 * 4 = 12"), Some(true)));
    assert!(own.bridge(&question).bridged.locals.iter().any(|local| local.step == at));
    own.does(over(Action::Expand, None, Some(false)));
    assert!(!own.bridge(&question).bridged.locals.iter().any(|local| local.step == at));
    assert!(own.refuses(over(Action::Keep, Some("x"), None)).contains("takes no text"));
    assert!(own.refuses(over(Action::Expand, Some(" "), None)).contains("empty"));
    let no_step = Act::OverrideAction { question, step: 99, action: Action::Keep, local: None, text: None };
    assert!(own.refuses(no_step).contains("no step 99"));
}

#[test]
fn the_teacher_writes_what_an_override_needs() {
    let own = Own::at_bridge();
    let (question, at) = own.step(|b, at| b.steps[at].action == Action::Keep);
    let act = Act::OverrideAction {
        question: question.clone(),
        step: at + 1,
        action: Action::Expand,
        local: None,
        text: None,
    };
    own.does(act);
    let step = own.bridge(&question).steps.remove(at);
    assert_eq!(step.action, Action::Expand);
    assert!(!step.text.is_empty());
}

#[test]
fn a_step_is_rewritten_by_hand_where_it_has_a_text() {
    let own = Own::at_bridge().alone();
    let (question, at) = own.step(|b, at| b.steps[at].action == Action::Localize);
    let write = |question: &str, at: usize, text: &str| Act::EditStep {
        question: question.into(),
        step: at + 1,
        text: text.into(),
    };
    own.does(write(&question, at, " by hand 1 + 1 = 2 "));
    let bridge = own.bridge(&question);
    assert_eq!((bridge.steps[at].text.as_str(), &bridge.status), ("by hand 1 + 1 = 2", &Status::Edited));
    assert!(bridge.bridged.text.contains("by hand 1 + 1 = 2"));
    assert!(own.refuses(write(&question, at, "\n")).contains("empty"));
    let (kept, at) = own.step(|b, at| b.steps[at].action == Action::Keep);
    assert!(own.refuses(write(&kept, at, "x")).contains("is kept"));
    assert!(own.refuses(write("nobody", 0, "x")).contains("there is no bridge/nobody"));
}

#[test]
fn a_score_moves_its_step_unless_somebody_chose_the_operation() {
    let own = Own::at_bridge();
    let (question, at) = own.step(|b, at| at > 0 && b.steps[at].action == Action::Keep);
    let set = |score, value| Act::SetScore { question: question.clone(), step: at + 1, score, value };
    for (score, value) in [(ScoreName::I, 0.3), (ScoreName::J, 1.5), (ScoreName::D, f64::NAN), (ScoreName::D, -1.0)] {
        assert!(own.refuses(set(score, value)).contains("must be"), "{score:?} {value}");
    }
    let first = Act::SetScore { question: question.clone(), step: 1, score: ScoreName::J, value: 0.25 };
    assert!(own.refuses(first).contains("first step"));
    let frame = own.session.sequence();
    own.does(set(ScoreName::J, 1.0));
    let mut written = own.written_after(frame);
    written.sort();
    assert_eq!(written, [format!("bridge/{question}"), format!("scores/{question}")]);
    assert_eq!(own.scores(&question).steps[at].scores.jumpiness, Some(1.0));
    assert_eq!(own.scores(&question).status, Status::Edited);
    let bridge = own.bridge(&question);
    assert_eq!(bridge.steps[at].action, Action::Expand);
    assert!(bridge.steps[at].reason.contains("J 1 >"), "{}", bridge.steps[at].reason);
    assert_eq!(bridge.status, Status::Proposed, "the teacher's new edit waits at the gate like the others");

    let keep =
        Act::OverrideAction { question: question.clone(), step: at + 1, action: Action::Keep, local: None, text: None };
    own.does(keep);
    own.does(set(ScoreName::D, 9.0));
    let bridge = own.bridge(&question);
    assert_eq!((bridge.steps[at].action, &bridge.status), (Action::Keep, &Status::Edited));
}

#[test]
fn a_diagnosis_is_edited_field_by_field_and_must_pass_its_checks() {
    let own = Own::at_recycle();
    let (id, old) = own.failures().remove(0);
    let edit = |fields: &[(&str, &str)]| Act::EditDiagnosis {
        product: id.clone(),
        fields: fields.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect::<BTreeMap<_, _>>(),
    };
    let frame = own.session.sequence();
    own.does(edit(&[("why_wrong", "it was multiplied")]));
    assert_eq!(own.written_after(frame), [id.to_string()]);
    let new = own.failures().remove(0).1;
    assert_eq!(new.status, Status::Edited);
    assert_eq!(new.diagnosis.as_ref().unwrap().why_wrong, "it was multiplied");
    assert_eq!((new.excerpt, &new.prefix), (old.excerpt, &old.prefix));
    let refusals = [
        ("first_error", "this was never said by anybody", "not found"),
        ("first_error", &"x".repeat(121), "121 characters"),
        ("short_correct_reasoning", "1 + 1 = 2\n#### 123456", "####"),
        ("error_type", " ", "`error_type` is empty"),
        ("mood", "bad", "no field"),
    ];
    for (name, text, why) in refusals {
        let said = own.refuses(edit(&[(name, text)]));
        assert!(said.contains(why), "{name}: {said}");
    }
    let trace = Act::EditDiagnosis { product: ProductId::new(Kind::Trace, id.question()), fields: BTreeMap::new() };
    assert!(!own.refuses(trace).is_empty());
}

#[test]
fn the_teacher_is_asked_again_where_there_is_one() {
    let own = Own::at_recycle();
    let (question, _) = own.step(|_, _| true);
    let (failure, _) = own.failures().remove(0);
    let again = |product: &ProductId, step| Act::AskAgain { product: product.clone(), step };
    let [trace, scores, bridge] = [Kind::Trace, Kind::Scores, Kind::Bridge].map(|kind| ProductId::new(kind, &question));
    let before = own.trace(&question);
    own.does(again(&trace, None));
    let after = own.trace(&question);
    assert!(after.attempts > before.attempts && after.status == Status::Approved);
    assert!(own.refuses(again(&scores, None)).contains("every step"));
    assert!(own.refuses(again(&bridge, None)).contains("every step"));
    assert!(own.refuses(again(&bridge, Some(77))).contains("no step 77"));
    // Rules say the same again; that is no decision.
    assert!(own.refuses(again(&failure, None)).contains("stands so already"));
    let own = own.alone();
    for id in [&trace, &scores, &bridge, &failure] {
        assert!(own.refuses(again(id, Some(1))).contains("no teacher is at hand"));
    }
}
