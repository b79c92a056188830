//! Every fault on its own: mended by asking again where that can help, lost or the end of the run where it cannot.

use std::time::Instant;

use serde_json::json;

use super::*;

/// What comes of a call to a server that does `fault` to the first `times` tries; what it took; calls the server saw.
fn outcome(fault: Reply, times: u64) -> (Result<String, TeacherError>, Usage, u64) {
    let stalls = matches!(fault, Reply::Stalls(_));
    let handler = move |call: &server::Call| if call.tries < times { fault.clone() } else { Reply::says("4") };
    let server = Server::start(handler);
    let timeout = if stalls { Duration::from_millis(200) } else { Duration::from_secs(10) };
    let (outcome, took) = client(Settings { timeout, ..settings(&server) }).ask(&ask("2+2?"));
    (outcome.map(|completion| completion.text), took, server.counts.asked())
}

fn passing() -> Vec<(&'static str, Reply)> {
    let status = |status| Reply::status(status, "trouble");
    let asked = |wait: &str| {
        let body = json!({ "error": { "message": "slow down", "code": "rate_limit_exceeded" } }).to_string();
        Reply::Status(429, vec![("Retry-After", wait.to_owned())], body)
    };
    let choice = |message, finish| {
        Reply::body(json!({ "choices": [{ "message": message, "finish_reason": finish }], "usage": null }))
    };
    vec![
        ("answered 429 (Too Many Requests): slow down", asked("0")),
        ("answered 429", asked("Fri, 01 Jan 2021 00:00:00 GMT")),
        ("answered 429", status(429)),
        ("answered 500 (Internal Server Error): trouble", status(500)),
        ("answered 502", Reply::Status(502, vec![], "<html>Bad Gateway</html>".into())),
        ("answered 503", status(503)),
        ("answered 408", status(408)),
        ("connection broke off", Reply::Hangs),
        ("answer broke off", Reply::Truncated(r#"{"choices":[{"mess"#.into())),
        ("no answer began within 0.2 s", Reply::Stalls(String::new())),
        ("stood still for 0.2 s", Reply::Stalls(r#"{"choices":[{"mess"#.into())),
        ("not JSON: \"<html>busy</html>\"", Reply::body("<html>busy</html>")),
        ("not JSON: \"\"", Reply::body("")),
        ("not JSON", Reply::body(r#"{"choices":[{"message":{"content":"4"#)),
        ("no choices", Reply::body(r#"{"choices":[]}"#)),
        ("an error: overloaded", Reply::body(r#"{"error":{"message":"overloaded"}}"#)),
        ("answer is empty", choice(json!({ "content": "" }), "stop")),
        ("answer is empty", choice(json!({ "content": null }), "stop")),
        ("the model refused: I can't", choice(json!({ "content": null, "refusal": "I can't" }), "stop")),
        ("withheld the answer (content_filter)", choice(json!({ "content": "" }), "content_filter")),
        ("unfinished reasoning", choice(json!({ "content": "", "reasoning_content": "hm" }), "length")),
    ]
}

#[test]
fn a_passing_fault_is_mended_by_asking_again() {
    for (what, fault) in passing() {
        let (outcome, took, asked) = outcome(fault, 2);
        assert_eq!(outcome.as_deref(), Ok("4"), "{what}");
        assert_eq!((took.calls, took.retries, took.failed, asked), (1, 2, 0, 3), "{what}");
        let tokens = (server::charge("2+2?"), server::charge("4"));
        assert_eq!((took.prompt_tokens, took.completion_tokens), tokens, "{what}");
    }
}

#[test]
fn a_lasting_fault_loses_the_call_with_its_reason() {
    for (what, fault) in passing() {
        let slower = what.contains("429") || what.contains("503");
        let (outcome, took, asked) = outcome(fault, u64::MAX);
        let Err(TeacherError::Unanswered(reason)) = outcome else { panic!("{what}: {outcome:?}") };
        assert!(reason.contains(what), "{what}: {reason}");
        let tries = if slower { 13 } else { 4 };
        assert!(reason.starts_with(&format!("tiny was asked {tries} times without a usable answer: ")), "{reason}");
        assert_eq!((took.calls, took.retries, took.failed, asked), (0, tries - 1, 1, tries), "{what}");
    }
}

#[test]
fn what_no_call_can_mend_stops_the_run_and_says_what_to_set() {
    for (fault, advice) in [
        (Reply::status(401, "bad key"), "teacher.api_key_env"),
        (Reply::status(403, "not yours"), "teacher.api_key_env"),
        (Reply::status(402, "pay"), "no credit"),
        (Reply::status(404, "model `tiny` not found"), "teacher.model"),
        (Reply::Status(404, vec![], "404 page not found".into()), "teacher.base_url"),
        (Reply::status(400, "The model `tiny` does not exist"), "teacher.model"),
        (
            Reply::Status(307, vec![("Location", "http://localhost:1/v2?token=x".into())], String::new()),
            "localhost:1/v2;",
        ),
    ] {
        let (outcome, took, asked) = outcome(fault, u64::MAX);
        let Err(TeacherError::Unusable(reason)) = &outcome else { panic!("{advice}: {outcome:?}") };
        assert!(reason.contains(advice) && !reason.contains("token"), "{reason}");
        assert_eq!((took.retries, asked), (0, 1));
    }
}

#[test]
fn what_is_wrong_with_one_call_loses_that_call_at_once() {
    for (fault, words) in [
        (Reply::status(400, "maximum context length is 2048 tokens"), "maximum context length"),
        (Reply::status(413, "too large"), "413"),
        (Reply::Endless, "larger than 1024 KB"),
        (Reply::body("x".repeat((1 << 20) + 1)), "larger than 1024 KB"),
    ] {
        let (outcome, took, asked) = outcome(fault, u64::MAX);
        let Err(TeacherError::Unanswered(reason)) = &outcome else { panic!("{words}: {outcome:?}") };
        assert!(reason.contains(words) && reason.starts_with("tiny was asked once "), "{reason}");
        assert_eq!((took.failed, took.retries, asked), (1, 0, 1));
    }
}

#[test]
fn a_server_that_takes_no_request_at_all_stops_the_run() {
    let server = Server::start(|_| Reply::status(400, "unknown field top_p"));
    let chat = client(settings(&server));
    let outcomes: Vec<_> = (0..8).map(|n| chat.complete(&ask(&n.to_string())).unwrap_err()).collect();
    assert!(outcomes[..7].iter().all(|error| !error.stops_the_run()));
    assert!(outcomes[7].stops_the_run() && outcomes[7].to_string().contains("unknown field top_p"), "{}", outcomes[7]);

    let server =
        Server::start(|call| if call.prompt() == "good" { Reply::says("4") } else { Reply::status(400, "no") });
    let chat = client(settings(&server));
    chat.complete(&ask("good")).unwrap();
    for n in 0..20 {
        assert!(!chat.complete(&ask(&n.to_string())).unwrap_err().stops_the_run(), "it has answered before");
    }
}

#[test]
fn nobody_at_the_address_stops_a_run_that_never_reached_it_and_loses_calls_of_one_that_did() {
    let server = Server::start(|_| Reply::says("4"));
    let (reached, fresh) = (client(settings(&server)), client(settings(&server)));
    reached.complete(&ask("2+2?")).unwrap();
    drop(server);
    let error = fresh.complete(&ask("2+2?")).unwrap_err();
    assert!(error.stops_the_run() && error.to_string().contains("start the server"), "{error}");
    assert!(matches!(reached.complete(&ask("2+2?")), Err(TeacherError::Unanswered(_))));
}

#[test]
fn a_stop_ends_every_kind_of_waiting_at_once() {
    let late = Reply::Status(429, vec![("Retry-After", "300".into())], String::new());
    const LONG: Duration = Duration::from_secs(300);
    let slow = |settings: &mut Settings| settings.backoff = Backoff { first: LONG, longest: LONG, longest_asked: LONG };
    let stalls = |settings: &mut Settings| settings.timeout = LONG;
    let paced = |settings: &mut Settings| settings.tokens_per_minute = 1;
    type Change = fn(&mut Settings);
    let cases: [(Reply, Change); 4] =
        [(Reply::status(500, ""), slow), (late, slow), (Reply::Stalls(String::new()), stalls), (Reply::Hangs, paced)];
    for (fault, change) in cases {
        let server = Server::start(move |_| fault.clone());
        let mut settings = settings(&server);
        change(&mut settings);
        let (stop, switch) = switch();
        let chat = OpenAi::new(settings, stop, &Usage::default()).unwrap();
        let begun = Instant::now();
        std::thread::scope(|scope| {
            let call = scope.spawn(|| chat.complete(&ask("2+2?")));
            std::thread::sleep(Duration::from_millis(60));
            assert!(!call.is_finished());
            switch.store(true, Ordering::Relaxed);
            assert_eq!(call.join().unwrap(), Err(TeacherError::Cancelled));
        });
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        let asked = server.counts.asked();
        assert_eq!(chat.complete(&ask("3+3?")), Err(TeacherError::Cancelled));
        assert_eq!(server.counts.asked(), asked, "nothing is sent after a stop");
    }
}

#[test]
fn an_answer_under_way_at_a_stop_is_waited_for() {
    let server = Server::start(|_| Reply::Says("4".into(), Duration::from_millis(150)));
    let (stop, switch) = switch();
    let settings = Settings { grace: Duration::from_secs(10), ..settings(&server) };
    let chat = OpenAi::new(settings, stop, &Usage::default()).unwrap();
    std::thread::scope(|scope| {
        let call = scope.spawn(|| chat.complete(&ask("2+2?")));
        while server.counts.asked() == 0 {
            std::thread::sleep(Duration::from_millis(2));
        }
        switch.store(true, Ordering::Relaxed);
        assert_eq!(call.join().unwrap().unwrap().text, "4");
    });
}

#[test]
fn everybody_waits_for_the_servers_retry_after() {
    let server = Server::start(|call| match call.tries {
        0 if call.prompt() == "first" => Reply::Status(429, vec![("Retry-After", "0.25".into())], String::new()),
        _ => Reply::says("4"),
    });
    let chat = client(settings(&server));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| chat.complete(&ask("first")));
        while server.counts.asked() == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(50));
        chat.complete(&ask("second")).unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(250), "{:?}", begun.elapsed());
        first.join().unwrap().unwrap();
    });
}

#[test]
fn what_is_sent_is_what_every_server_knows() {
    let server = Server::start(|call| Reply::says(&call.body.to_string()));
    let said = client(settings(&server)).complete(&ask("2+2?")).unwrap().text;
    let messages = json!([{ "role": "system", "content": "Be brief." }, { "role": "user", "content": "2+2?" }]);
    let expected = json!({ "model": "tiny", "messages": messages, "temperature": 0.7, "top_p": 0.9, "max_tokens": 64,
        "stream": false });
    assert_eq!(serde_json::from_str::<serde_json::Value>(&said).unwrap(), expected);
}
