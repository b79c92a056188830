//! Tests of the teacher behind an API: every fault on its own, many calls with some of each, budget, cache, secrets.

mod cache;
mod faults;
mod many;
mod money;
mod secrets;
mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use footbridge::domain::Message;
use footbridge::recipe::TeacherRecipe;
use footbridge::session::{NewSession, Session, Sessions};
use footbridge::teacher::openai::{Backoff, Settings, Stop};
use footbridge::teacher::{Chat, ChatRequest, OpenAi, TeacherError, Usage};

use server::{Reply, Server};

/// Settings with short waits between tries for a server of these tests.
fn settings(server: &Server) -> Settings {
    settings_at(&server.url)
}

fn settings_at(url: &str) -> Settings {
    let millis = Duration::from_millis;
    let recipe = TeacherRecipe {
        base_url: url.to_owned(),
        model: "tiny".into(),
        price_in: 2.0,
        price_out: 8.0,
        ..TeacherRecipe::default()
    };
    Settings {
        timeout: Duration::from_secs(10),
        backoff: Backoff { first: millis(1), longest: millis(4), longest_asked: millis(300) },
        grace: Duration::ZERO,
        concurrency: 64,
        ..Settings::of(&recipe).unwrap()
    }
}

fn never() -> Stop {
    Arc::new(|| false)
}

/// A stop, and the switch that sets it.
fn switch() -> (Stop, Arc<AtomicBool>) {
    let switch = Arc::new(AtomicBool::new(false));
    let read = switch.clone();
    (Arc::new(move || read.load(Ordering::Relaxed)), switch)
}

fn client(settings: Settings) -> OpenAi {
    OpenAi::new(settings, never(), &Usage::default()).unwrap()
}

fn ask(prompt: &str) -> ChatRequest {
    ChatRequest {
        purpose: "trace",
        messages: vec![Message::system("Be brief."), Message::user(prompt)],
        temperature: 0.7,
        top_p: 0.9,
        max_tokens: 64,
        sample: 0,
    }
}

fn sessions() -> (tempfile::TempDir, Sessions) {
    let folder = tempfile::tempdir().unwrap();
    let sessions = Sessions::at(folder.path().join("sessions"));
    (folder, sessions)
}

fn create(sessions: &Sessions) -> Arc<Session> {
    Arc::new(sessions.create("s", &NewSession { recipe: "seed = 7\n", seed: 7 }).unwrap())
}
