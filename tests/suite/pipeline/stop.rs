//! Stopping and pausing: after the step, with everything kept, and with an end to the events.

use std::io::{BufRead, BufReader};
use std::process::{Command as Shell, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use footbridge::pipeline::events::{Command, Event, Outcome};
use footbridge::pipeline::spent::Spent;
use footbridge::session::Sessions;
use footbridge::session::records::StageDone;

use super::runs::{Found, SEED, UNDISTURBED, begin, footbridge, outcome, recipe, reported, resume, small_args, text};

#[cfg(unix)]
#[test]
fn interrupted_is_130_and_resume_completes() {
    let home = tempfile::tempdir().unwrap();
    let seed = SEED.to_string();
    let mut first = footbridge(&["demo", "--plain", "--session", "stopped", "--seed", &seed], home.path());
    first.args(small_args());
    let second = footbridge(&["resume", "stopped", "--plain"], home.path());
    for (mut command, stage) in [(first, "sft bridged (iteration 1)"), (second, "grpo (iteration 1)")] {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.contains(stage)), "{stage} never came");
        Shell::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        let rest: Vec<String> = lines.collect();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:#?}");
        assert!(rest.last().unwrap().starts_with("go on with: footbridge resume stopped"), "{rest:#?}");
    }
    let last = footbridge(&["resume", "stopped", "--plain"], home.path()).output().unwrap();
    assert_eq!(last.status.code(), Some(0), "{}", text(&last.stderr));
    Found::of(&Sessions::at(home.path()), "stopped", &recipe(SEED, &[])).assert_equals(&UNDISTURBED);
    assert_eq!(reported("stopped", home.path()), serde_json::to_value(&UNDISTURBED.results).unwrap());
}

#[test]
fn a_cancel_saves_the_state_and_counts_what_was_spent() {
    let home = tempfile::tempdir().unwrap();
    let sessions = Sessions::at(home.path());
    // Nothing is saved by itself, so what is kept was kept by the cancel.
    let recipe = recipe(SEED, &[("grpo.save_every", "1000"), ("sft.save_every", "1000")]);
    let run = begin(&sessions, "run", &recipe, 2);
    for event in &run.events {
        if matches!(&event, Event::Metric { stage, step: 2, name, .. } if stage.key() == "1-grpo" && name == "reward") {
            run.commands.send(Command::Cancel).unwrap();
        }
    }
    assert_eq!(run.handle.join().unwrap(), Outcome::Cancelled);
    let session = sessions.open("run").unwrap();
    let (at, _) = session.checkpoints().latest_partial("1-grpo").unwrap().expect("no state was saved");
    assert!(at >= 2, "{at}");
    assert!(session.get::<Spent>("1-grpo").unwrap().unwrap().tokens > 0);
    assert_eq!(session.get::<StageDone>("1-grpo").unwrap(), None);
    drop(session);

    let run = resume(&sessions, "run", &recipe);
    let mut began = None;
    for event in &run.events {
        match event {
            Event::StageStarted { stage, done, .. } if stage.key() == "1-grpo" => began = Some(done),
            _ => {}
        }
    }
    assert_eq!(run.handle.join().unwrap(), Outcome::Done);
    assert_eq!(began, Some(at));
    let found = Found::of(&sessions, "run", &recipe);
    assert_eq!(found.results, UNDISTURBED.results);
    let tokens = |found: &Found| found.stages["1-grpo"].tokens;
    assert_eq!(tokens(&found), tokens(&UNDISTURBED));
}

#[test]
fn paused_means_that_work_stands_still() {
    let home = tempfile::tempdir().unwrap();
    let sessions = Sessions::at(home.path());
    let run = begin(&sessions, "run", &recipe(SEED, &[]), 2);
    let until = |wanted: &dyn Fn(&Event) -> bool| run.events.iter().any(|event| wanted(&event));
    assert!(until(&|event| matches!(event, Event::StageStarted { stage, .. } if stage.key() == "1-difficulty")));
    run.commands.send(Command::Pause).unwrap();
    assert!(until(&|event| *event == Event::Paused));
    let frames = || sessions.open_read_only("run").unwrap().sequence();
    // The events of the last item may still follow; then there is silence, and nothing is written.
    while run.events.recv_timeout(Duration::from_millis(100)).is_ok() {}
    let before = frames();
    assert_eq!(run.events.recv_timeout(Duration::from_millis(300)), Err(RecvTimeoutError::Timeout));
    assert_eq!(frames(), before);
    run.commands.send(Command::Resume).unwrap();
    assert_eq!(run.events.recv().unwrap(), Event::Resumed);
    assert!(until(&|event| matches!(event, Event::StageStarted { stage, .. } if stage.key() == "1-sft-medium")));
    run.commands.send(Command::Pause).unwrap();
    run.commands.send(Command::Cancel).unwrap();
    assert_eq!(outcome(run), Outcome::Cancelled);
}

#[test]
fn the_last_event_is_the_last_although_commands_stay_open() {
    let home = tempfile::tempdir().unwrap();
    let run = begin(&Sessions::at(home.path()), "run", &recipe(SEED, &[]), 2);
    run.commands.send(Command::Cancel).unwrap();
    let events: Vec<Event> = run.events.iter().collect();
    assert!(matches!(events.last(), Some(Event::RunFinished { outcome: Outcome::Cancelled, .. })), "{events:?}");
    drop(run.commands);
}
