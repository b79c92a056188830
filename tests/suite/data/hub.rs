//! The hub's client against a hub of our own on this machine.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use footbridge::data::hub::{Hub, HubError, Kind, Step, Wanted, fetch};
use sha2::{Digest, Sha256};

use super::*;

const TOKEN: &str = "hf_secret_of_the_test";

/// A repository `owner/set` with two files, or `owner/gated` that wants the token.
#[derive(Clone, Default)]
struct Mock {
    /// Path, range and authorization of each request.
    seen: Arc<Mutex<Vec<(String, String, String)>>>,
    /// Sends other bytes than announced.
    lies: bool,
}

fn bytes() -> Vec<u8> {
    (0..50_000_u32).flat_map(|i| i.to_le_bytes()).collect()
}

async fn answer(State(mock): State<Mock>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let header = |name: header::HeaderName| {
        request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let (range, authorization) = (header(header::RANGE), header(header::AUTHORIZATION));
    mock.seen.lock().unwrap().push((path.clone(), range.clone(), authorization.clone()));
    if path.contains("gated") && authorization != format!("Bearer {TOKEN}") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if path.contains("broken") {
        return (StatusCode::FOUND, "").into_response();
    }
    if path.starts_with("/api/datasets/") {
        let listed = r#"{"siblings": [{"rfilename": "data/test-0.parquet"}, {"rfilename": "../../x"}, {"rfilename": "README.md"}], "sha": "abc"}"#;
        return ([(header::CONTENT_TYPE, "application/json")], listed).into_response();
    }
    if !path.ends_with("data/test-0.parquet") {
        return StatusCode::NOT_FOUND.into_response();
    }
    let body = bytes();
    let etag = hex::encode(Sha256::digest(&body));
    let from: usize = range.trim_start_matches("bytes=").split('-').next().unwrap_or("0").parse().unwrap_or(0);
    let to = if range.ends_with("-0") { 1 } else { body.len() };
    let mut part = body[from.min(to)..to].to_vec();
    if mock.lies {
        part.iter_mut().for_each(|byte| *byte ^= 1);
    }
    Response::builder()
        .status(StatusCode::PARTIAL_CONTENT)
        .header("x-repo-commit", "abc")
        .header(header::ETAG, format!("\"{etag}\""))
        .header(header::CONTENT_RANGE, format!("bytes {from}-{}/{}", to - 1, body.len()))
        .body(Body::from(part))
        .unwrap()
}

/// Serves the mock while `test` runs.
fn serving(mock: &Mock, test: impl FnOnce(&str)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let app = axum::Router::new().fallback(answer).with_state(mock.clone());
    runtime.spawn(async move { axum::serve(listener, app).await });
    test(&endpoint);
}

fn parquet(hub: &Hub, repo: &str) -> Result<Vec<PathBuf>, HubError> {
    let accepts = |name: &str| name.ends_with(".parquet");
    fetch(hub, repo, Kind::Dataset, Wanted::Matching(&accepts), &mut |_| ())
}

fn hub(endpoint: &str, cache: &Path, token: bool) -> Hub {
    Hub { token: token.then(|| TOKEN.to_owned().into()), ..Hub::at(endpoint, cache) }
}

#[test]
fn a_file_comes_once_with_progress_and_no_token() {
    let (mock, cache) = (Mock::default(), tempfile::tempdir().unwrap());
    serving(&mock, |endpoint| {
        let hub = hub(endpoint, cache.path(), true);
        let mut steps = Vec::new();
        let mut tell = |step: Step<'_>| steps.push((step.file.to_owned(), step.done, step.total));
        let names = ["data/test-0.parquet"];
        let paths = fetch(&hub, "owner/set", Kind::Dataset, Wanted::Files(&names), &mut tell).unwrap();
        assert_eq!(std::fs::read(&paths[0]).unwrap(), bytes());
        assert_eq!(steps.last(), Some(&("data/test-0.parquet".to_owned(), 200_000, 200_000)));
        let requests = mock.seen.lock().unwrap().len();
        assert_eq!(fetch(&hub, "owner/set", Kind::Dataset, Wanted::Files(&names), &mut |_| ()).unwrap(), paths);
        assert_eq!(mock.seen.lock().unwrap().len(), requests, "what is in the cache is not asked for");
        assert_eq!(parquet(&hub, "owner/set").unwrap(), paths, "found in the list of files");
        assert!(mock.seen.lock().unwrap().iter().all(|(.., token)| token.is_empty()), "nobody asked for the token");
    });
}

#[test]
fn a_transfer_that_broke_off_is_taken_up_where_it_was() {
    for kept in [120_000, 200_000, 300_000] {
        let (mock, cache) = (Mock::default(), tempfile::tempdir().unwrap());
        let blobs = cache.path().join("datasets--owner--set/blobs");
        std::fs::create_dir_all(&blobs).unwrap();
        let etag = hex::encode(Sha256::digest(bytes()));
        let begun: Vec<u8> = bytes().into_iter().chain([0; 100_000]).take(kept).collect();
        std::fs::write(blobs.join(format!("{etag}.part")), begun).unwrap();
        serving(&mock, |endpoint| {
            let paths = parquet(&hub(endpoint, cache.path(), false), "owner/set").unwrap();
            assert_eq!(std::fs::read(&paths[0]).unwrap(), bytes());
            let asked = mock.seen.lock().unwrap().iter().any(|(_, range, _)| range == "bytes=120000-");
            assert_eq!(asked, kept == 120_000);
        });
    }
}

#[test]
fn a_damaged_file_is_thrown_away() {
    let (mock, cache) = (Mock { lies: true, ..Mock::default() }, tempfile::tempdir().unwrap());
    serving(&mock, |endpoint| {
        let error = parquet(&hub(endpoint, cache.path(), false), "owner/set").unwrap_err();
        assert!(matches!(error, HubError::Damaged { .. }), "{error}");
        let offline = Hub { offline: true, ..hub(endpoint, cache.path(), false) };
        let names = ["data/test-0.parquet"];
        let error = fetch(&offline, "owner/set", Kind::Dataset, Wanted::Files(&names), &mut |_| ()).unwrap_err();
        assert!(matches!(error, HubError::Offline { .. }), "nothing of it is left: {error}");
    });
}

#[test]
fn a_gate_opens_to_the_token_and_no_message_shows_it() {
    let (mock, cache) = (Mock::default(), tempfile::tempdir().unwrap());
    serving(&mock, |endpoint| {
        let shut = parquet(&hub(endpoint, cache.path(), false), "owner/gated").unwrap_err();
        assert!(matches!(shut, HubError::Refused { token: false, .. }), "{shut}");
        assert!(shut.to_string().contains("set HF_TOKEN"), "{shut}");
        let open = hub(endpoint, cache.path(), true);
        assert!(parquet(&open, "owner/gated").is_ok());
        let with = |repo: &str| parquet(&open, repo).unwrap_err().to_string();
        let names = ["no.json"];
        let missing = fetch(&open, "owner/set", Kind::Dataset, Wanted::Files(&names), &mut |_| ()).unwrap_err();
        assert!(matches!(missing, HubError::Missing { .. }), "{missing}");
        for line in [missing.to_string(), with("owner/broken"), with("../x"), format!("{open:?}")] {
            assert!(!line.contains(TOKEN) && !line.contains('\n'), "{line}");
        }
    });
}

#[test]
fn without_a_network_there_is_one_line_with_file_and_folder() {
    let cache = tempfile::tempdir().unwrap();
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let dead = format!("http://127.0.0.1:{port}");
    let error = parquet(&hub(&dead, cache.path(), true), "owner/set").unwrap_err();
    assert!(matches!(error, HubError::Unreachable { .. }), "{error}");
    let output = Command::new(env!("CARGO_BIN_EXE_footbridge"))
        .args(["data", "fetch", "svamp", "--to", "bench"])
        .env("HF_ENDPOINT", &dead)
        .env("HF_HOME", cache.path())
        .env("HF_TOKEN", TOKEN)
        .output()
        .unwrap();
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), line.lines().count()), (Some(1), 1), "{line}");
    assert!(line.contains("cannot be reached") && line.contains("ChilleD/SVAMP"), "{line}");
    assert!(line.contains("bench/svamp/SVAMP.json") && !line.contains(TOKEN), "{line}");
}
