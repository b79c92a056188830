//! The engine thread: stops when nobody wants its work any more, and survives what panics on it.

use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use footbridge::domain::Message;
use footbridge::pipeline::control::Control;
use footbridge::pipeline::engine::{Asking, Engine, EngineError};
use footbridge::pipeline::events::Command;
use footbridge::pipeline::plan::BASE;
use footbridge::recipe::{AdamWRecipe, SamplingRecipe, SftLoss, StudentRecipe};
use footbridge::session::{NewSession, Sessions};

use super::runs::{SEED, recipe};

fn engine() -> Engine {
    Engine::start(&StudentRecipe { path: "world".into(), ..StudentRecipe::default() }, 2).unwrap()
}

/// Work for many minutes: a test that ends has stopped it.
fn endless() -> Asking {
    let prompts: Vec<Vec<Message>> = (0..400).map(|i| vec![Message::user(format!("Tom has {i} apples ."))]).collect();
    Asking {
        streams: (0..prompts.len() as u64).collect(),
        prompts,
        samples: 4096,
        sampling: SamplingRecipe::default(),
        ban_marker: false,
        log_probs: false,
    }
}

#[test]
fn a_cancelled_generation_stops() {
    let (engine, control) = (engine(), Control::new());
    let mut replies = engine.generate(endless(), &control).unwrap();
    for _ in 0..5 {
        replies.next().unwrap().unwrap();
    }
    control.apply(&Command::Cancel);
    let rest = replies.map(Result::unwrap).count();
    assert!(rest < 100_000, "{rest}");
    assert!(!engine.files().unwrap().is_empty());
}

/// No answer need be finished for a pause to be heard: a run that stands still computes nothing.
#[test]
fn a_paused_generation_stands_still_until_it_goes_on() {
    let (engine, control) = (engine(), Control::new());
    control.apply(&Command::Pause);
    let replies = engine.generate(endless(), &control).unwrap();
    assert!(matches!(replies.within(Duration::from_millis(300)), Err(RecvTimeoutError::Timeout)));
    control.apply(&Command::Resume);
    replies.within(Duration::from_secs(60)).unwrap().unwrap();
    control.apply(&Command::Cancel);
    assert!(replies.count() < 100_000);
}

#[test]
fn a_generation_that_nobody_listens_to_stops() {
    let engine = engine();
    let mut replies = engine.generate(endless(), &Control::new()).unwrap();
    replies.next().unwrap().unwrap();
    drop(replies);
    assert!(!engine.files().unwrap().is_empty());
}

#[test]
fn a_panic_inside_is_an_error_with_its_words_and_the_engine_lives_on() {
    let engine = engine();
    let messages = [Message::user("Tom has 3 apples ."), Message::assistant("#### 3")];
    let sound = engine.text().encode_chat(&messages).unwrap();
    let mut broken = sound.clone();
    broken.trained.push(1_000_000);
    let died = |outcome: Result<(), EngineError>| match outcome {
        Err(EngineError::Died(words)) => assert!(words.contains("1000000"), "{words}"),
        other => panic!("{other:?}"),
    };
    died(engine.score(vec![broken]).map(|_| ()));
    assert_eq!(engine.score(vec![sound.clone()]).unwrap()[0].len(), sound.trained.len());
}

/// Reading a checkpoint of half a billion numbers takes seconds, at every stage.
#[test]
fn a_checkpoint_that_is_in_use_is_not_read_again() {
    let home = tempfile::tempdir().unwrap();
    let made = NewSession { recipe: &recipe(SEED, &[]).to_toml(), seed: SEED };
    let session = Sessions::at(home.path()).create("one", &made).unwrap();
    let engine = engine();
    let files = engine.files().unwrap();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    session.checkpoints().save("1-sft", &files, serde_json::json!({})).unwrap();
    engine.use_checkpoint(&session, "1-sft").unwrap();
    session.checkpoints().remove("1-sft").unwrap();
    engine.begin(AdamWRecipe::default(), None).unwrap();
    engine.use_checkpoint(&session, "1-sft").unwrap();
    assert!(matches!(engine.write_state(Vec::new()), Err(EngineError::NotTraining)), "the training run is over");
    engine.use_checkpoint(&session, BASE).unwrap();
    assert!(engine.use_checkpoint(&session, "1-sft").is_err(), "it was read");
}

#[test]
fn a_step_without_a_training_run_is_refused() {
    let engine = engine();
    assert!(matches!(engine.sft_step(vec![], 1e-4, SftLoss::default()), Err(EngineError::NotTraining)));
    assert!(matches!(engine.write_state(Vec::new()), Err(EngineError::NotTraining)));
}
