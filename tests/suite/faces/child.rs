//! A process that shows a scripted run: this test binary started again, with the scenario in an environment variable.

use std::sync::Weak;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use footbridge::cli::args::FaceArgs;
use footbridge::cli::face::{self, Face};
use footbridge::pipeline::events::{Command, Event, Outcome, StageKind};
use footbridge::session::{NewSession, Sessions};
use footbridge::workbench::handle::RunHandle;
use footbridge::workbench::house::House;
use footbridge::workbench::probe::Surroundings;
use footbridge::workbench::terminal::Screen;
use ratatui::style::Style;

use super::script::{ended, run_until, stage};

/// Names the scenario; without it, [`entry`] is not a child and does nothing.
pub const SCENARIO: &str = "FOOTBRIDGE_TEST_SCENARIO";
/// What every scripted run prints as its table.
pub const TABLE: &str = "stage | test\nbase  | .526\n";

/// Arguments that start the child from this binary.
pub const ARGS: [&str; 4] = ["faces::child::entry", "--exact", "--nocapture", "--test-threads=1"];

/// The child's way in.
#[test]
fn entry() {
    let Ok(scenario) = std::env::var(SCENARIO) else { return };
    if scenario == "panic" {
        let mut screen = Screen::open().unwrap();
        screen.show(|buf| buf.set_string(0, 0, "drawn", Style::new())).unwrap();
        panic!("deliberate panic of the screen");
    }
    let args =
        FaceArgs { json: scenario.starts_with("json"), plain: scenario.starts_with("plain"), ..FaceArgs::default() };
    let code = match face::choose(&args, &Surroundings::read()) {
        Ok(face) => shown(&face, &scenario),
        Err(failure) => failed(&failure),
    };
    std::process::exit(code.into());
}

fn shown(face: &Face, scenario: &str) -> u8 {
    let home = tempfile::tempdir().unwrap();
    let recipe = footbridge::recipe::Recipe::preset("demo").unwrap().to_toml();
    let sessions = Sessions::at(home.path());
    drop(sessions.create("demo-1", &NewSession { recipe: &recipe, seed: 7 }).unwrap());
    let house = House::new(sessions, None);
    match face::watch(face, scripted(scenario), &house, &|_| Ok(TABLE.to_string())) {
        Ok(exit) => exit.code(),
        Err(failure) => failed(&failure),
    }
}

fn failed(failure: &footbridge::cli::Failure) -> u8 {
    footbridge::cli::out::stderr(&format!("error: {failure}"));
    failure.exit.code()
}

/// A run that plays the script and does what it is told.
fn scripted(scenario: &str) -> RunHandle {
    let (say, events) = mpsc::channel();
    let (commands, told) = mpsc::channel();
    let scenario = scenario.to_string();
    let thread = thread::spawn(move || play(&scenario, &say, &told));
    let resume = "footbridge resume demo-1".into();
    RunHandle { session: "demo-1".into(), resume, device: "cpu".into(), live: Weak::new(), events, commands, thread }
}

fn play(scenario: &str, say: &Sender<Event>, told: &Receiver<Command>) -> Outcome {
    let mut script = run_until(20, 0.0);
    if scenario.ends_with("gate") {
        script.truncate(40);
        script.push((0.0, Event::GateWaiting { stage: stage(1, StageKind::Bridge, ""), pending: 3 }));
    }
    let endless = scenario.ends_with("endless") || scenario.ends_with("gate");
    for (after, event) in script {
        if scenario.ends_with("engine-panic") && matches!(event, Event::Metric { .. }) {
            panic!("deliberate panic of the engine");
        }
        drop(say.send(event));
        if let Some(outcome) = obeyed(say, told, Duration::from_secs_f64(after / 200.0)) {
            return outcome;
        }
    }
    if endless {
        loop {
            if let Some(outcome) = obeyed(say, told, Duration::from_millis(20)) {
                return outcome;
            }
        }
    }
    let outcome = match scenario.ends_with("fail") {
        true => Outcome::Failed { reason: "questions.jsonl:3: no `answer`".into() },
        false => Outcome::Done,
    };
    drop(say.send(ended(outcome.clone(), 3.0).1));
    outcome
}

/// Waits, doing what is told meanwhile; an outcome when it is time to end.
fn obeyed(say: &Sender<Event>, told: &Receiver<Command>, wait: Duration) -> Option<Outcome> {
    match told.recv_timeout(wait) {
        Ok(Command::Cancel) => {
            drop(say.send(ended(Outcome::Cancelled, 1.0).1));
            Some(Outcome::Cancelled)
        }
        Ok(Command::Pause) => {
            drop(say.send(Event::Paused));
            loop {
                match told.recv() {
                    Ok(Command::Resume) => break drop(say.send(Event::Resumed)),
                    Ok(Command::Cancel) | Err(_) => return Some(Outcome::Cancelled),
                    Ok(_) => {}
                }
            }
            None
        }
        Ok(_) | Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => Some(Outcome::Cancelled),
    }
}
