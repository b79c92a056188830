//! How many calls a second the client of a model teacher makes, and what it takes of a core.
//!
//! `cargo run --release --example teacher_throughput` starts a server as a process of its own that answers after 200 ms,
//! and asks it from 64 threads: 320 calls a second are ideal. Once as the client is, once with every answer kept in a
//! session, as a run does it.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use footbridge::domain::Message;
use footbridge::pipeline::answers::SessionAnswers;
use footbridge::recipe::TeacherRecipe;
use footbridge::session::{NewSession, Sessions};
use footbridge::teacher::openai::Settings;
use footbridge::teacher::{CacheSettings, Cached, Chat, ChatRequest, OpenAi, Usage};

const THREADS: usize = 64;
const LATENCY: Duration = Duration::from_millis(200);
const CALLS: usize = THREADS * 50;

type Fault = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Fault> {
    if std::env::args().nth(1).as_deref() == Some("serve") {
        return serve();
    }
    let mut server =
        Command::new(std::env::current_exe()?).arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(server.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    let measured = both(line.trim());
    // The server ends with its input.
    drop(server.stdin.take());
    server.wait()?;
    measured
}

fn both(url: &str) -> Result<(), Fault> {
    let recipe = TeacherRecipe {
        base_url: url.to_owned(),
        model: "tiny".into(),
        concurrency: THREADS,
        ..TeacherRecipe::default()
    };
    let settings = Settings::of(&recipe)?;
    let chat = || OpenAi::new(settings.clone(), Arc::new(|| false), &Usage::default());
    measure("client alone", &chat()?)?;
    let folder = std::env::temp_dir().join(format!("footbridge-throughput-{}", std::process::id()));
    let session = Sessions::at(&folder).create("s", &NewSession { recipe: "seed = 1\n", seed: 1 })?;
    let store = Arc::new(SessionAnswers::open(Arc::new(session))?);
    let measured = measure("kept in a session", &Cached::new(chat()?, store, CacheSettings::default(), Arc::default()));
    std::fs::remove_dir_all(&folder)?;
    measured
}

/// Asks, warm, and says how it went.
fn measure(name: &str, chat: &dyn Chat) -> Result<(), Fault> {
    many(chat, THREADS)?;
    let (begun, before) = (Instant::now(), cpu()?);
    many(chat, CALLS)?;
    let (seconds, cpu) = (begun.elapsed().as_secs_f64(), cpu()? - before);
    let (rate, ideal) = (CALLS as f64 / seconds, THREADS as f64 / LATENCY.as_secs_f64());
    writeln!(
        std::io::stdout(),
        "{name}: {CALLS} calls in {seconds:.2} s, {rate:.1} a second ({:.1} % of {ideal}); {:.1} % of a core, {:.0} µs a \
         call",
        100.0 * rate / ideal,
        100.0 * cpu / seconds,
        1e6 * cpu / CALLS as f64,
    )?;
    Ok(())
}

fn many(chat: &dyn Chat, calls: usize) -> Result<(), Fault> {
    static SAMPLE: AtomicUsize = AtomicUsize::new(0);
    let end = SAMPLE.load(Ordering::Relaxed) + calls;
    let each = || -> Result<(), Fault> {
        loop {
            let sample = SAMPLE.fetch_add(1, Ordering::Relaxed);
            if sample >= end {
                return Ok(());
            }
            chat.complete(&request(u32::try_from(sample)?))?;
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..chat.concurrency()).map(|_| scope.spawn(each)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread died")?)
    })
}

/// About as long as a judge's prompt.
fn request(sample: u32) -> ChatRequest {
    let messages = vec![Message::user("How important is this step of the solution? ".repeat(40))];
    ChatRequest { purpose: "importance", messages, temperature: 0.7, top_p: 0.9, max_tokens: 512, sample }
}

/// Seconds of CPU that this process took.
#[cfg(unix)]
fn cpu() -> Result<f64, Fault> {
    use nix::sys::resource::{UsageWho, getrusage};
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

#[cfg(not(unix))]
fn cpu() -> Result<f64, Fault> {
    Err("CPU time is measured on Unix only".into())
}

/// Answers every call after the latency until standard input ends.
fn serve() -> Result<(), Fault> {
    use axum::{Json, Router, routing::post};
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
    writeln!(std::io::stdout(), "http://{}/v1", listener.local_addr()?)?;
    std::io::stdout().flush()?;
    let answer = || async {
        tokio::time::sleep(LATENCY).await;
        let message = serde_json::json!({ "role": "assistant", "content": "0.75" });
        let usage = serde_json::json!({ "prompt_tokens": 480, "completion_tokens": 3 });
        let choice = serde_json::json!({ "index": 0, "message": message, "finish_reason": "stop" });
        Json(serde_json::json!({ "choices": [choice], "usage": usage }))
    };
    runtime.spawn(async move {
        let _ = axum::serve(listener, Router::new().route("/v1/chat/completions", post(answer))).await;
    });
    std::io::stdin().read_to_end(&mut Vec::new())?;
    runtime.shutdown_background();
    Ok(())
}
