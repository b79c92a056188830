//! Decisions while a run is live, and which of them a training stage sees.

use std::collections::BTreeMap;

use footbridge::domain::{Action, SampleKind};
use footbridge::pipeline::events::{Command, Event, Outcome};
use footbridge::pipeline::review::{Act, Kind, ProductId, Request, Which};
use footbridge::pipeline::run::Run;
use footbridge::session::records::{BridgedTrace, Matched, Prepared, Recycled, StageDone, Status, Trace};
use footbridge::session::{Record, Sessions};

use super::base::RECIPE;
use crate::pipeline::runs::{SEED, begin, recipe, resume};

const WRITTEN: &str = "by hand 2 + 2 = 4";

fn all<R: Record>(sessions: &Sessions) -> BTreeMap<String, R> {
    sessions.open_read_only("run").unwrap().scan::<R>("").collect::<Result<_, _>>().unwrap()
}

fn tell(run: &Run, by: &str, act: Act) {
    let request = Request { by: Some(by.into()), reason: Some("a test".into()), act };
    run.commands.send(Command::Review(request)).unwrap();
}

fn reject(kind: Kind, key: &str) -> Act {
    Act::Reject { what: Which::Ids(vec![ProductId::new(kind, key)]) }
}

#[test]
fn what_is_decided_at_the_gates_is_what_is_trained() {
    let home = tempfile::tempdir().unwrap();
    let sessions = Sessions::at(home.path());
    let run = begin(&sessions, "run", &RECIPE, 2);
    let (mut chosen, mut failed, mut left) = (String::new(), String::new(), String::new());
    let (mut decided, mut refused, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    for event in &run.events {
        match event {
            Event::GateWaiting { stage, pending } => {
                seen.push((stage.key(), pending));
                if seen.iter().filter(|(key, _)| *key == stage.key()).count() > 1 {
                    continue;
                }
                if stage.key() == "1-bridge" {
                    let bridges = all::<BridgedTrace>(&sessions);
                    chosen = bridges.keys().next().unwrap().clone();
                    let (question, text) = (chosen.clone(), Some(WRITTEN.to_string()));
                    tell(
                        &run,
                        "ada",
                        Act::OverrideAction { question, step: 1, action: Action::Localize, local: None, text },
                    );
                    tell(&run, "ada", Act::EditTrace { question: chosen.clone(), text: "#### 0".into() });
                    // Standing still does not keep anybody from deciding.
                    run.commands.send(Command::Pause).unwrap();
                    tell(&run, "bob", reject(Kind::Bridge, bridges.keys().nth(1).unwrap()));
                    run.commands.send(Command::Resume).unwrap();
                    run.commands.send(Command::PassGate).unwrap();
                } else {
                    let failures = all::<Recycled>(&sessions);
                    failed = failures.keys().next().unwrap().clone();
                    left = failures.keys().nth(1).unwrap().clone();
                    let kept = failures.keys().skip(2).map(|key| ProductId::new(Kind::Recycled, key.clone()));
                    tell(&run, "bob", reject(Kind::Recycled, &failed));
                    tell(&run, "bob", Act::Approve { what: Which::Ids(kept.collect()) });
                    run.commands.send(Command::LeaveGate).unwrap();
                }
            }
            Event::Decided { decision, products, .. } => decided.push((decision, products)),
            Event::Refused { reason } => refused.push(reason),
            _ => {}
        }
    }
    assert_eq!(run.handle.join().unwrap(), Outcome::Done);
    assert_eq!(decided[0], (1, vec![format!("bridge/{chosen}")]));
    assert_eq!(decided.len(), 4);
    assert!(refused.len() == 1 && refused[0].contains("must reach"), "{refused:?}");
    // The gate says again how many wait, after each decision, and stays closed.
    let waiting: Vec<u64> = seen.iter().filter(|(key, _)| key == "1-bridge").map(|(_, n)| *n).collect();
    assert!(waiting.len() > 1 && waiting.last().unwrap() + 2 == waiting[0], "{waiting:?}");

    let texts = all::<Prepared>(&sessions);
    let of = |stage: &str, kind, question: &str| {
        let fits = |(key, text): &(&String, &Prepared)| {
            key.starts_with(stage) && text.sample.kind == kind && text.sample.question == question
        };
        let found = texts.iter().filter(fits).map(|(_, text)| text.sample.messages.last().unwrap().content.clone());
        found.collect::<Vec<_>>()
    };
    for stage in ["1-sft-bridged/", "2-sft-recycled/"] {
        assert!(of(stage, SampleKind::Bridged, &chosen)[0].contains(WRITTEN));
        assert!(of(stage, SampleKind::Local, &chosen).contains(&WRITTEN.to_string()));
        let barred = all::<BridgedTrace>(&sessions).into_iter().find(|(_, b)| !b.status.may_train()).unwrap().0;
        assert!(of(stage, SampleKind::Bridged, &barred).is_empty());
    }
    for key in [&failed, &left] {
        let question = key.split_once('/').unwrap().1;
        assert!(of("2-", SampleKind::Diagnose, question).is_empty(), "{key}");
    }
    assert_eq!(all::<Recycled>(&sessions)[&left].status, Status::Proposed);
    let done = all::<StageDone>(&sessions);
    assert!(done["1-bridge"].summary.ends_with("; not trained on: 1 rejected"), "{}", done["1-bridge"].summary);
    let summary = &done["1-recycle"].summary;
    assert!(summary.ends_with("; not trained on: 1 rejected, 1 unapproved"), "{summary}");
}

/// Runs until `wanted`, then stops.
fn stop_when(run: Run, wanted: impl Fn(&Event) -> bool) {
    for event in &run.events {
        if wanted(&event) {
            run.commands.send(Command::Cancel).unwrap();
        }
    }
    assert_eq!(run.handle.join().unwrap(), Outcome::Cancelled);
}

fn update_of<'a>(stage: &'a str, at: u64) -> impl Fn(&Event) -> bool + 'a {
    move |event| matches!(event, Event::Metric { stage: s, step, name, .. } if s.key() == stage && *step == at && name == "loss")
}

#[test]
fn a_stage_that_has_begun_keeps_its_texts_and_one_that_has_not_sees_every_decision() {
    let home = tempfile::tempdir().unwrap();
    let sessions = Sessions::at(home.path());
    let recipe = recipe(SEED, &[("arm", "raw-hard")]);
    stop_when(begin(&sessions, "run", &recipe, 2), update_of("1-sft-medium", 1));
    let bridged: Vec<String> = all::<BridgedTrace>(&sessions).into_keys().collect();
    let decide = |question: &String| {
        let session = sessions.open("run").unwrap();
        let request = Request { by: None, reason: Some("a test".into()), act: reject(Kind::Trace, question) };
        footbridge::pipeline::review::offline::decide(&session, &recipe, &request).unwrap()
    };
    assert!(decide(&bridged[0]).notes.iter().all(|note| !note.contains("has trained")));
    stop_when(resume(&sessions, "run", &recipe), update_of("1-sft-bridged", 2));
    let of_stage = |texts: BTreeMap<String, Prepared>| -> BTreeMap<String, Prepared> {
        texts.into_iter().filter(|(key, _)| key.starts_with("1-sft-bridged/")).collect()
    };
    let fixed = of_stage(all(&sessions));
    let size = all::<Matched>(&sessions)["1-sft-bridged"];
    let asks = |question: &String| fixed.values().any(|text| text.sample.question == *question);
    assert!(!asks(&bridged[0]) && asks(&bridged[1]));
    let applied = decide(&bridged[1]);
    assert!(
        applied.notes.iter().any(|note| note.starts_with("1-sft-bridged has trained on it")),
        "{:?}",
        applied.notes
    );
    let run = resume(&sessions, "run", &recipe);
    for _ in &run.events {}
    assert_eq!(run.handle.join().unwrap(), Outcome::Done);
    assert_eq!(of_stage(all(&sessions)), fixed);
    assert_eq!(all::<Matched>(&sessions)["1-sft-bridged"], size);
}

#[test]
fn a_run_that_stands_still_anywhere_hears_what_is_decided() {
    let home = tempfile::tempdir().unwrap();
    let sessions = Sessions::at(home.path());
    // In a stage of teacher's products, in one of samples, and in a step of GRPO.
    let places = ["1-bridge", "1-rollouts", "1-grpo"];
    let run = begin(&sessions, "run", &recipe(SEED, &[("iterations", "1")]), 2);
    let next = || run.events.recv_timeout(std::time::Duration::from_secs(100)).unwrap();
    for place in places {
        while !matches!(next(), Event::StageStarted { stage, .. } if stage.key() == place) {}
        run.commands.send(Command::Pause).unwrap();
        while !matches!(next(), Event::Paused) {}
        let trace = all::<Trace>(&sessions).into_iter().find(|(_, trace)| trace.status.may_train()).unwrap().0;
        tell(&run, "ada", reject(Kind::Trace, &trace));
        while !matches!(next(), Event::Decided { .. }) {}
        assert!(!all::<Trace>(&sessions)[&trace].status.may_train());
        run.commands.send(Command::Resume).unwrap();
    }
    run.commands.send(Command::Cancel).unwrap();
    assert_eq!(crate::pipeline::runs::outcome(run), Outcome::Cancelled);
}
