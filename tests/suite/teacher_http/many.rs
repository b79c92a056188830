//! Many calls at once with faults among them, and a run that dies in the middle.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use footbridge::pipeline::answers::SessionAnswers;
use footbridge::pipeline::control::{Cancelled, Control};
use footbridge::pipeline::parallel::parallel;
use footbridge::teacher::{CacheSettings, Cached, Meter};

use super::*;

/// Long enough for a busy machine to answer in, short enough to sit out the stalls.
fn patient(url: &str) -> Settings {
    Settings { timeout: Duration::from_secs(1), ..settings_at(url) }
}

#[derive(Debug)]
enum End {
    Cancelled,
    Teacher(TeacherError),
}

impl From<Cancelled> for End {
    fn from(_: Cancelled) -> Self {
        End::Cancelled
    }
}

fn prompt(n: usize) -> String {
    format!("question {n}")
}

fn right(prompt: &str) -> String {
    format!("the answer to {prompt}")
}

/// A number below 1000 that belongs to a try of a prompt.
fn dice(prompt: &str, tries: u64) -> u64 {
    let mut state = tries.wrapping_add(0x9e37_79b9_7f4a_7c15);
    for byte in prompt.bytes() {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    (state ^ (state >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32 & 0xffff_ffff
}

/// Whether no try of it ever succeeds.
fn hopeless(prompt: &str) -> bool {
    dice(prompt, 99) % 1000 < 2
}

/// Five in a hundred exchanges go wrong, each in one of nine ways; a few prompts always do. `broken` counts the exchanges
/// that the server broke off.
fn unreliable(broken: Arc<AtomicU64>) -> Server {
    Server::start(move |call| {
        let prompt = call.prompt();
        let roll = dice(&prompt, call.tries) % 1000;
        if hopeless(&prompt) {
            return Reply::status(500, "always");
        }
        let torn = |reply| {
            broken.fetch_add(1, Ordering::SeqCst);
            reply
        };
        match roll {
            0..10 => Reply::status(500, "trouble"),
            10..18 => Reply::Status(429, vec![("Retry-After", "0".into())], String::new()),
            18..26 => Reply::status(503, "busy"),
            26..32 => torn(Reply::Hangs),
            32..37 => torn(Reply::Truncated("{\"choices\":".into())),
            37..39 => torn(Reply::Stalls(String::new())),
            39..41 => torn(Reply::Stalls("{\"choi".into())),
            41..45 => torn(Reply::body("<html>busy</html>")),
            45..50 => torn(Reply::body(serde_json::json!({ "choices": [{ "message": { "content": " " } }] }))),
            _ => Reply::says(&right(&prompt)),
        }
    })
}

#[test]
fn ten_thousand_calls_with_faults_end_answered_or_lost_once_each_and_are_counted_right() {
    const CALLS: usize = 10_000;
    let broken = Arc::new(AtomicU64::new(0));
    let server = unreliable(broken.clone());
    let (_folder, sessions) = sessions();
    let store = Arc::new(SessionAnswers::open(create(&sessions)).unwrap());
    let meter = Arc::new(Meter::default());
    let chat = Cached::new(client(patient(&server.url)), store.clone(), CacheSettings::default(), meter.clone());
    let items: Vec<usize> = (0..CALLS).collect();
    let mut ends = BTreeMap::new();
    let work = |n: &usize| match chat.complete(&ask(&prompt(*n))) {
        Err(error) if error.stops_the_run() => Err(End::Teacher(error)),
        outcome => Ok(outcome),
    };
    let each = |done: Option<(&usize, _)>| {
        if let Some((n, outcome)) = done {
            assert!(ends.insert(*n, outcome).is_none(), "{n} ended twice");
        }
        Ok::<_, End>(())
    };
    parallel(&items, chat.concurrency(), &Control::new(), work, each).unwrap();
    assert_eq!(ends.len(), CALLS);
    let mut lost = 0;
    for (n, outcome) in &ends {
        let prompt = prompt(*n);
        match outcome {
            Ok(said) => assert_eq!(said.text, right(&prompt)),
            Err(error) => {
                lost += 1;
                assert!(error.to_string().contains("without a usable answer: "), "{error}");
            }
        }
        assert!(outcome.is_err() || !hopeless(&prompt));
    }
    let hopeless = items.iter().filter(|n| hopeless(&prompt(**n))).count() as u64;
    assert!(hopeless > 0 && lost >= hopeless && lost < hopeless + 10, "{lost} lost, {hopeless} hopeless");

    let usage = store.spent();
    assert_eq!(usage, meter.total(), "what is in memory is what is kept");
    assert_eq!((usage.calls, usage.failed, usage.cached), (CALLS as u64 - lost, lost, 0));
    assert_eq!(usage.calls, server.counts.said());
    assert_eq!((usage.prompt_tokens, usage.completion_tokens), server.counts.tokens());
    assert_eq!(usage.calls + usage.failed + usage.retries, server.counts.asked());
    assert_eq!((usage.unsaid, usage.estimated), (broken.load(Ordering::SeqCst), 0));
    let (read, written) = server.counts.tokens();
    assert!((usage.cost - (read as f64 * 2.0 + written as f64 * 8.0) / 1e6).abs() < 1e-6);
}

/// Asks all prompts of a run of `CALLS`; each answer that was handed out is told to `acknowledge`. Ends when `stop` says so.
fn part(url: &str, session: Session, stop: Stop, acknowledge: impl Fn(String) + Sync) -> Usage {
    let store = Arc::new(SessionAnswers::open(Arc::new(session)).unwrap());
    let api = OpenAi::new(patient(url), stop, &store.spent()).unwrap();
    let chat = Cached::new(api, store.clone(), CacheSettings::default(), Arc::default());
    let items: Vec<usize> = (0..CALLS).collect();
    let work = |n: &usize| {
        let prompt = prompt(*n);
        match chat.complete(&ask(&prompt)) {
            Ok(said) => {
                assert_eq!(said.text, right(&prompt));
                acknowledge(prompt);
                Ok(())
            }
            Err(error) if error.stops_the_run() => Err(End::Teacher(error)),
            Err(_) => Ok(()),
        }
    };
    let end = parallel(&items, 16, &Control::new(), work, |_| Ok::<_, End>(()));
    assert!(matches!(end, Ok(()) | Err(End::Teacher(TeacherError::Cancelled))), "{end:?}");
    store.spent()
}

/// Prompts of a run that dies.
const CALLS: usize = 600;

/// Goes on with a run that died after `known` were acknowledged, and holds what it asks against that.
fn goes_on(server: &Server, sessions: &Sessions, known: &BTreeSet<String>) {
    assert!(known.len() < CALLS);
    let asked_before = server.counts.prompts.lock().unwrap().clone();
    let all = Mutex::new(BTreeSet::new());
    let session = sessions.open("s").unwrap();
    let usage = part(&server.url, session, never(), |prompt| all.lock().unwrap().extend([prompt]));
    let asked = server.counts.prompts.lock().unwrap();
    for prompt in known {
        assert_eq!(asked[prompt], asked_before[prompt], "{prompt} was paid for and asked again");
    }
    let all = all.into_inner().unwrap();
    assert!((0..CALLS).all(|n| all.contains(&prompt(n)) != hopeless(&prompt(n))));
    // The server may have answered a few whose answers nobody was left to hear.
    let unheard = server.counts.said() - usage.calls;
    assert!(usage.calls == all.len() as u64 && unheard <= 64, "{} kept, {unheard} unheard", usage.calls);
    assert!(usage.cached >= known.len() as u64);
}

#[test]
fn a_run_that_breaks_off_and_goes_on_repeats_no_call_that_was_acknowledged() {
    for dies_at in [1, 300] {
        let server = unreliable(Arc::default());
        let (_folder, sessions) = sessions();
        drop(create(&sessions));
        let known = Mutex::new(BTreeSet::new());
        // Calls on the wire are dropped as they are: the settings leave them no grace.
        let counts = server.counts.clone();
        let dying: Stop = Arc::new(move || counts.said() >= dies_at);
        let session = sessions.open("s").unwrap();
        part(&server.url, session, dying, |prompt| known.lock().unwrap().extend([prompt]));
        goes_on(&server, &sessions, &known.into_inner().unwrap());
    }
}

const KILLED: &str = "FOOTBRIDGE_TEST_TEACHER";

#[test]
fn a_killed_process_paid_for_nothing_that_is_paid_again() {
    if let Some((root, url)) = std::env::var(KILLED).ok().as_deref().and_then(|place| place.split_once('\n')) {
        let say = |prompt: String| {
            let mut out = std::io::stdout().lock();
            out.write_all(format!("ack {prompt}\n").as_bytes()).unwrap();
            out.flush().unwrap();
        };
        part(url, Sessions::at(root).open("s").unwrap(), never(), say);
        return;
    }
    let server = unreliable(Arc::default());
    let (_folder, sessions) = sessions();
    drop(create(&sessions));
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "teacher_http::many::a_killed_process_paid_for_nothing_that_is_paid_again", "--nocapture"])
        .env(KILLED, format!("{}\n{}", sessions.root().display(), server.url))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut known = BTreeSet::new();
    for line in lines {
        known.extend(line.split_once("ack ").map(|(_, prompt)| prompt.to_owned()));
        if known.len() == 150 {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(known.len() >= 150, "{} acknowledged", known.len());
    goes_on(&server, &sessions, &known);
}
