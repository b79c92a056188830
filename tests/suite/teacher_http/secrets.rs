//! The key goes to the server and nowhere else.

use std::fs;
use std::path::Path;

use footbridge::pipeline::answers::SessionAnswers;
use footbridge::recipe::{Loaded, Recipe};
use footbridge::teacher::{CacheSettings, Cached};
use secrecy::SecretString;

use super::*;

const KEY: &str = "sk-2hWvTq9XnotInAnyFile7";

fn with_key(server: &Server) -> Settings {
    Settings { key: Some(SecretString::from(KEY)), key_env: "SOME_KEY".into(), ..settings(server) }
}

/// Every byte below a folder, packed values and file names included.
fn everything(folder: &Path, into: &mut Vec<u8>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        into.extend(path.to_string_lossy().as_bytes());
        match path.is_dir() {
            true => everything(&path, into),
            false => into.extend(fs::read(&path).unwrap()),
        }
    }
}

fn holds(bytes: &[u8], part: &str) -> bool {
    bytes.windows(part.len()).any(|window| window == part.as_bytes())
}

#[test]
fn the_key_is_in_no_file_error_answer_or_debug_text() {
    // A server that repeats the key wherever it can.
    let server = Server::start(|call| {
        let key = call.headers["authorization"].clone();
        match call.prompt().as_str() {
            "refused" => Reply::status(400, &format!("{} {key}", "x".repeat(180))),
            "denied" => Reply::status(401, &format!("Incorrect API key provided: {key}")),
            "html" => Reply::body(format!("<html>{key}</html>")),
            "moved" => Reply::Status(302, vec![("Location", format!("/{}", key.replace(' ', "/")))], String::new()),
            _ => Reply::says(&format!("your key is {key}, and that is 4")),
        }
    });
    let (folder, sessions) = sessions();
    let session = create(&sessions);
    let mut seen = String::new();
    {
        let store = Arc::new(SessionAnswers::open(session.clone()).unwrap());
        let chat = Cached::new(client(with_key(&server)), store, CacheSettings::default(), Arc::default());
        for prompt in ["good", "refused", "denied", "html", "moved"] {
            let (outcome, took) = chat.ask(&ask(prompt));
            assert_eq!(server.counts.authorization.lock().unwrap().as_deref(), Some(format!("Bearer {KEY}").as_str()));
            assert_eq!(outcome.is_ok(), prompt == "good");
            seen += &format!(
                "{outcome:?} {took:?} {}",
                outcome.as_ref().err().map(ToString::to_string).unwrap_or_default()
            );
        }
        assert!(seen.contains("your key is Bearer [key], and that is 4"), "{seen}");
        seen += &format!("{chat:?} {:?} {:?} {}", chat.inner(), with_key(&server), chat.inner().address());
    }
    drop(session);
    for end in [KEY, &KEY[..8], &KEY[8..]] {
        assert!(!seen.contains(end), "{seen}");
    }
    let mut bytes = Vec::new();
    everything(folder.path(), &mut bytes);
    // Long values are packed, so the records are also read back.
    let session = sessions.open_read_only("s").unwrap();
    for item in session.scan::<footbridge::teacher::Stored>("") {
        bytes.extend(format!("{:?}", item.unwrap()).bytes());
    }
    assert!(holds(&bytes, "and that is 4") && !holds(&bytes, &KEY[..8]));
}

#[test]
fn a_redirect_does_not_carry_the_key_to_another_host() {
    let thief = Server::start(|_| Reply::says("thanks"));
    for status in [301, 302, 303, 307, 308] {
        let to = thief.url.replace("127.0.0.1", "localhost");
        let server = Server::start(move |_| Reply::Status(status, vec![("Location", to.clone())], String::new()));
        let error = client(with_key(&server)).complete(&ask("2+2?")).unwrap_err();
        assert!(error.stops_the_run() && error.to_string().contains("redirects to http://localhost:"), "{error}");
    }
    assert_eq!(thief.counts.asked(), 0);
}

#[test]
fn the_key_comes_from_the_environment_and_its_absence_is_said() {
    let recipe = TeacherRecipe { api_key_env: "FOOTBRIDGE_NO_SUCH_KEY".into(), ..TeacherRecipe::default() };
    let error = Settings::of(&recipe).unwrap_err().to_string();
    assert!(error.contains("FOOTBRIDGE_NO_SUCH_KEY, which is not set"), "{error}");
    // Whatever is set here will do.
    let recipe = TeacherRecipe { api_key_env: "PATH".into(), ..TeacherRecipe::default() };
    let settings = Settings::of(&recipe).unwrap();
    assert!(settings.key.is_some() && !format!("{settings:?}").contains(&std::env::var("PATH").unwrap()));
}

#[test]
fn no_key_no_header() {
    let server = Server::start(|_| Reply::says("4"));
    client(settings(&server)).complete(&ask("2+2?")).unwrap();
    assert_eq!(*server.counts.authorization.lock().unwrap(), None);
    let broken =
        Settings { key: Some(SecretString::from("two\nlines")), key_env: "SOME_KEY".into(), ..settings(&server) };
    let error = OpenAi::new(broken, never(), &Usage::default()).unwrap_err().to_string();
    assert!(error.contains("SOME_KEY") && !error.contains("lines"), "{error}");
}

#[test]
fn a_recipe_with_a_secret_in_it_is_refused_without_repeating_it() {
    let written = |line: &str| format!("extends = \"demo\"\n[teacher]\nkind = \"openai\"\n{line}\n");
    for line in [
        format!("base_url = \"http://localhost/v1\"\nmodel = \"m\"\napi_key_env = \"{KEY}\""),
        format!("base_url = \"https://me:{KEY}@example.com/v1\"\nmodel = \"m\""),
        format!("base_url = \"https://example.com/v1?key={KEY}\"\nmodel = \"m\""),
    ] {
        let error = Loaded::parse(&written(&line), "f").unwrap_err().to_string();
        assert!(error.starts_with("f:") && !error.contains(KEY), "{error}");
    }
    let pairs = [("teacher.api_key_env".to_owned(), KEY.to_owned())];
    let error = Recipe::preset("demo").unwrap().with(&pairs).unwrap_err().to_string();
    assert!(error.contains("never the key itself") && !error.contains(KEY), "{error}");
}

#[test]
fn a_recipe_without_address_or_model_or_price_is_told_so() {
    let problems = |text: &str| Loaded::parse(text, "f").unwrap_err().to_string();
    let empty = problems("extends = \"demo\"\n[teacher]\nkind = \"openai\"\n");
    assert!(
        empty.contains("f:3: teacher.base_url is empty") && empty.contains("f:3: teacher.model is empty"),
        "{empty}"
    );
    assert!(problems("extends = \"demo\"\nteacher.budget = 5\n").contains("f:2: teacher.budget counts money"));
    assert!(problems("extends = \"demo\"\nteacher.extra_body = \"[1]\"\n").contains("must be a JSON object"));
}

#[test]
fn an_https_address_is_spoken_to_in_tls_only() {
    let server = Server::start(|_| Reply::says("4"));
    let base_url = server.url.replace("http://", "https://");
    let error = client(Settings { base_url, ..with_key(&server) }).complete(&ask("2+2?")).unwrap_err();
    assert!(error.to_string().contains("nobody answers at https://"), "{error}");
    assert_eq!(server.counts.asked(), 0);
}
