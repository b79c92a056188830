//! Killed at ten random moments, and resumed each time, a run ends as if nothing had been.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::Duration;

use footbridge::pipeline::events::{Event, Outcome, StageId};
use footbridge::pipeline::plan::plan;
use footbridge::session::records::StageDone;
use footbridge::session::{Author, Batch, Sessions};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::runs::{Found, SEED, UNDISTURBED, begin, footbridge, outcome, recipe, reported, resume, small_args, text};

/// When to kill: within a stage, after so many of its updates, and then so long.
struct Moment {
    stage: usize,
    updates: u64,
    wait: Duration,
}

/// Ten moments in order: two in the middle of SFT, two in the middle of GRPO, six in other stages.
fn moments(stages: &[StageId]) -> Vec<Moment> {
    let mut dice = ChaCha8Rng::seed_from_u64(10);
    let at = |key: &str| stages.iter().position(|s| s.key() == key).unwrap();
    // Updates after which a saved state is sure to be there (every 3 of SFT, each of GRPO), and more to come.
    let mut chosen =
        vec![(at("1-sft-bridged"), 1..=3), (at("1-grpo"), 2..=2), (at("2-sft-recycled"), 4..=9), (at("2-grpo"), 1..=1)];
    // Not the last two: the process shall be killed, not have ended.
    let others: Vec<usize> = (0..stages.len() - 2).filter(|i| !stages[*i].kind.trains()).collect();
    chosen.extend(others.choose_multiple(&mut dice, 6).map(|i| (*i, 0..=0)));
    chosen.sort_by_key(|(stage, _)| *stage);
    let mut moment = |(stage, updates): (usize, std::ops::RangeInclusive<u64>)| {
        let seconds = UNDISTURBED.stages[&stages[stage].key()].seconds;
        let share = if updates == (0..=0) { 0.7 } else { 0.05 };
        Moment {
            stage,
            updates: dice.random_range(updates),
            wait: Duration::from_secs_f64(dice.random_range(0.0..=share * seconds)),
        }
    };
    chosen.into_iter().map(&mut moment).collect()
}

/// Reads events until the moment has come. Notes training stages that were continued in the middle.
fn wait_for(child: &mut Child, moment: &Moment, stages: &[StageId], continued: &mut Vec<String>) {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for line in lines {
        let (stage, step) = match serde_json::from_str(&line.unwrap()).unwrap() {
            Event::StageStarted { stage, done, .. } => {
                if stage.kind.trains() && done > 0 {
                    continued.push(stage.key());
                }
                (stage, 0)
            }
            Event::Metric { stage, step, .. } => (stage, step),
            _ => continue,
        };
        let here = stages.iter().position(|s| *s == stage).unwrap();
        if here > moment.stage {
            return;
        }
        if here == moment.stage && step >= moment.updates {
            std::thread::sleep(moment.wait);
            return;
        }
    }
}

#[cfg(unix)]
#[test]
fn ten_kills_change_nothing() {
    use std::os::unix::process::ExitStatusExt;

    let recipe = recipe(SEED, &[]);
    let stages = plan(&recipe);
    let home = tempfile::tempdir().unwrap();
    let mut continued = Vec::new();
    let moments = moments(&stages);
    assert_eq!(moments.len(), 10);
    for (nth, moment) in moments.iter().enumerate() {
        let mut command = if nth == 0 {
            let seed = SEED.to_string();
            let mut command = footbridge(&["demo", "--json", "--session", "killed", "--seed", &seed], home.path());
            command.args(small_args());
            command
        } else {
            footbridge(&["resume", "killed", "--json"], home.path())
        };
        let mut child = command.args(["--threads", "2"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        wait_for(&mut child, moment, &stages, &mut continued);
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(9), "kill {nth} came too late: {status}");
    }
    let last = footbridge(&["resume", "killed", "--plain"], home.path()).output().unwrap();
    assert_eq!(last.status.code(), Some(0), "{}", text(&last.stderr));
    // Both kinds of training went on from a saved state, not from their beginning.
    assert!(continued.iter().any(|s| s.contains("sft")), "{continued:?}");
    assert!(continued.iter().any(|s| s.contains("grpo")), "{continued:?}");
    Found::of(&Sessions::at(home.path()), "killed", &recipe).assert_equals(&UNDISTURBED);
    assert_eq!(reported("killed", home.path()), serde_json::to_value(&UNDISTURBED.results).unwrap());
    let check = footbridge(&["sessions", "check", "killed"], home.path()).output().unwrap();
    assert!(check.status.success(), "{}", text(&check.stdout));
}

/// Between the moment at which a stage's weights are kept, and its saved states go, and the record that it is done, a kill
/// costs nothing: no update is made again.
#[test]
fn a_stage_whose_weights_are_kept_is_not_trained_again() {
    let home = tempfile::tempdir().unwrap();
    let (sessions, recipe) = (Sessions::at(home.path()), recipe(SEED, &[("iterations", "1")]));
    assert_eq!(outcome(begin(&sessions, "run", &recipe, 2)), Outcome::Done);
    let before = Found::of(&sessions, "run", &recipe);
    let session = sessions.open("run").unwrap();
    let mut batch = Batch::new(Author::Pipeline);
    for stage in ["1-sft-bridged", "1-grpo"] {
        batch.delete::<StageDone>(stage);
    }
    session.write(batch).unwrap();
    drop(session);
    let run = resume(&sessions, "run", &recipe);
    let made = run.events.iter().filter(|event| matches!(event, Event::Metric { .. })).count();
    assert_eq!((run.handle.join().unwrap(), made), (Outcome::Done, 0));
    Found::of(&sessions, "run", &recipe).assert_equals(&before);
}
