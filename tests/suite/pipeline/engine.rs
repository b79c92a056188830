//! The engine thread: stops when nobody wants its work any more, and survives what panics on it.

use footbridge::domain::Message;
use footbridge::pipeline::control::Control;
use footbridge::pipeline::engine::{Asking, Engine, EngineError};
use footbridge::pipeline::events::Command;
use footbridge::recipe::{SamplingRecipe, SftLoss, StudentRecipe};

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

#[test]
fn a_step_without_a_training_run_is_refused() {
    let engine = engine();
    assert!(matches!(engine.sft_step(vec![], 1e-4, SftLoss::default()), Err(EngineError::NotTraining)));
    assert!(matches!(engine.write_state(Vec::new()), Err(EngineError::NotTraining)));
}
