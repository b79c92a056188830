//! A model of this machine as teacher: its words are a function of what it is asked, and a tiny random one, whose words are
//! nothing, leaves every product to the researcher without stopping the run.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::tensor::Device;
use footbridge::domain::Message;
use footbridge::pipeline::engine::EngineError;
use footbridge::pipeline::local_teacher::{GoOn, LocalChat, LocalSettings};
use footbridge::recipe::LoraRecipe;
use footbridge::session::records::{Scores, Status, Trace};
use footbridge::student::Student;
use footbridge::teacher::{Chat, ChatRequest, TeacherError};

use crate::pipeline::runs::{SEED, finished, recipe};

const TINY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/qwen2-tiny");

fn open(slots: usize) -> LocalChat {
    opened(TINY, slots).unwrap()
}

fn opened(word: &str, slots: usize) -> Result<LocalChat, EngineError> {
    LocalChat::open(word, LocalSettings { slots, threads: 2, seed: 5 }, &mut |_| ())
}

fn request(text: &str, sample: u32) -> ChatRequest {
    let messages = vec![Message::system("Be short."), Message::user(text)];
    ChatRequest { purpose: "trace", messages, temperature: 1.0, top_p: 1.0, max_tokens: 12, sample }
}

#[test]
fn answers_do_not_depend_on_what_else_is_asked() {
    let (alone, crowded) = (open(1), open(16));
    let requests: Vec<ChatRequest> = (0..24).map(|i| request(&format!("How much is {}?", i / 2), i % 2)).collect();
    let together = std::thread::scope(|scope| {
        let threads: Vec<_> =
            requests.iter().map(|request| scope.spawn(|| crowded.complete(request).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    for (request, answer) in requests.iter().zip(&together) {
        assert_eq!(&alone.complete(request).unwrap(), answer);
        assert!(answer.prompt_tokens > 0 && (1..=12).contains(&answer.completion_tokens));
        assert!(!answer.cut || answer.completion_tokens == 12);
    }
    assert_ne!(together[0].text, together[1].text, "another sample number is another answer");
    assert_eq!((crowded.name(), crowded.concurrency()), ("qwen2-tiny", 16));
}

/// A teacher is found as students are: an adapter, and the built-in student.
#[test]
fn an_adapter_and_the_built_in_student_can_teach() {
    let base = Student::load(Path::new(TINY), &Device::flex()).unwrap();
    let lora = LoraRecipe { rank: 2, ..LoraRecipe::default() };
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("fresh-adapter");
    fs::create_dir(&folder).unwrap();
    for (name, bytes) in base.with_adapters(&lora, 0).adapter_files(&lora, TINY).unwrap() {
        fs::write(folder.join(name), bytes).unwrap();
    }
    let adapted = opened(folder.to_str().unwrap(), 2).unwrap();
    let asked = request("How much is 3 + 4?", 1);
    assert_eq!(adapted.complete(&asked).unwrap(), open(2).complete(&asked).unwrap(), "fresh adapters change nothing");
    assert_eq!(adapted.name(), "fresh-adapter");
    assert!(opened("world", 1).unwrap().complete(&asked).unwrap().completion_tokens > 0);
    let missing = opened("no/such/folder", 1).unwrap_err().to_string();
    assert!(missing.starts_with("student folder not found: no/such/folder"), "{missing}");
}

/// Heard between two tokens, by the call under way and by those that wait for their turn.
#[test]
fn a_cancel_is_heard_in_the_middle_of_an_answer() {
    let asked = request("How much is 3 + 4?", 1);
    let whole = open(1).complete(&asked).unwrap().completion_tokens as usize;
    assert!(whole > 4, "{whole}");
    let looks = Arc::new(AtomicUsize::new(0));
    let seen = looks.clone();
    let go_on: GoOn = Arc::new(move || seen.fetch_add(1, Ordering::Relaxed) < 4);
    let chat = open(1).while_wanted(go_on);
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..3).map(|_| scope.spawn(|| chat.complete(&asked))).collect();
        for call in calls {
            assert_eq!(call.join().unwrap(), Err(TeacherError::Cancelled));
        }
    });
    let looks = looks.load(Ordering::Relaxed);
    assert!((5..whole + 5).contains(&looks), "{looks} looks, {whole} tokens");
}

#[test]
fn a_question_beyond_its_context_is_lost_alone() {
    let chat = open(4);
    let long = request(&"many words ".repeat(20_000), 0);
    match chat.complete(&long) {
        Err(TeacherError::Unanswered(reason)) => assert!(reason.contains("tokens"), "{reason}"),
        other => panic!("{other:?}"),
    }
    assert!(chat.complete(&request("Still there?", 0)).is_ok());
}

#[test]
fn a_teacher_that_knows_nothing_leaves_everything_to_the_researcher() {
    let local = [
        ("teacher.kind", "local"),
        ("teacher.path", TINY),
        ("teacher.max_retries", "1"),
        ("teacher.max_tokens", "6"),
        ("iterations", "1"),
    ];
    let found = finished(&recipe(SEED, &local), 2);
    let traces = found.all::<Trace>();
    assert!(traces.len() > 10 && traces.values().all(|trace| trace.teacher == "qwen2-tiny"));
    for (id, trace) in &traces {
        let Status::Review { reason } = &trace.status else { panic!("{id}: {:?}", trace.status) };
        assert!(reason.starts_with("trace: ") && trace.text.is_empty(), "{reason}");
        assert_eq!(trace.prompts.keys().collect::<Vec<_>>(), ["trace"]);
    }
    assert!(found.all::<Scores>().is_empty());
    assert!(found.records.keys().any(|key| key.starts_with("answer/")), "its answers are kept");
    assert!(found.records.keys().any(|key| key.starts_with("usage/1-traces/trace")), "what they took is counted");
}
