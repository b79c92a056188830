//! What is spent is what the server says, and never more than the budget.

use footbridge::teacher::openai::Limits;
use serde_json::json;

use super::*;

#[test]
fn money_is_tokens_times_prices() {
    let server = Server::start(|_| Reply::says("four"));
    let (outcome, took) = client(settings(&server)).ask(&ask("2+2?"));
    let (read, written) = server.counts.tokens();
    let completion = outcome.unwrap();
    assert_eq!((completion.prompt_tokens, completion.completion_tokens), (read, written));
    assert_eq!((took.prompt_tokens, took.completion_tokens, took.estimated), (read, written, 0));
    assert!((took.cost - (read as f64 * 2.0 + written as f64 * 8.0) / 1e6).abs() < 1e-12);
}

#[test]
fn tokens_that_a_server_does_not_count_are_estimated_and_marked() {
    let server = Server::start(|_| Reply::body(json!({ "choices": [{ "message": { "content": "forty-two" } }] })));
    let (outcome, took) = client(settings(&server)).ask(&ask("2+2?"));
    // 9 and 4 characters asked, 9 answered, four to a token.
    assert_eq!((took.prompt_tokens, took.completion_tokens, took.estimated), (4, 3, 1));
    assert_eq!(outcome.unwrap().completion_tokens, 3);
}

#[test]
fn an_unusable_answer_that_the_server_charges_for_is_counted() {
    let empty = json!({ "choices": [{ "message": { "content": "" } }],
        "usage": { "prompt_tokens": 10, "completion_tokens": 5 } });
    let server = Server::start(move |_| Reply::body(&empty));
    let (outcome, took) = client(settings(&server)).ask(&ask("2+2?"));
    assert!(outcome.is_err());
    assert_eq!((took.failed, took.prompt_tokens, took.completion_tokens, took.unsaid), (1, 40, 20, 0));
}

#[test]
fn exchanges_that_broke_off_are_counted_apart() {
    let server = Server::start(|_| Reply::Truncated("{".into()));
    let (_, took) = client(settings(&server)).ask(&ask("2+2?"));
    assert_eq!((took.unsaid, took.tokens(), took.cost), (4, 0, 0.0));
}

/// Asks until the budget stops it, on many threads; gives the answers and the errors.
fn spend(chat: &OpenAi, calls: usize) -> (Vec<String>, Vec<TeacherError>) {
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let ask_one = |n: usize| chat.complete(&ask(&format!("question {n:03}"))).map(|said| said.text);
        let threads: Vec<_> = (0..calls).map(|n| scope.spawn(move || ask_one(n))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (said, errors): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    (said.into_iter().map(Result::unwrap).collect(), errors.into_iter().map(Result::unwrap_err).collect())
}

#[test]
fn the_budget_stops_new_calls_lets_those_under_way_finish_and_goes_on_when_raised() {
    let server = Server::start(|_| Reply::Says("four".into(), Duration::from_millis(5)));
    for limits in [Limits { tokens: Some(700), money: None }, Limits { tokens: None, money: Some(0.0026) }] {
        let before = (server.counts.said(), server.counts.tokens());
        let settings = Settings { limits, ..settings(&server) };
        let chat = client(settings.clone());
        let (said, errors) = spend(&chat, 60);
        let (read, written) = server.counts.tokens();
        let (read, written) = (read - before.1.0, written - before.1.1);
        assert_eq!(said.len() as u64, server.counts.said() - before.0, "what the server answered was handed out");
        assert!(said.len() > 5 && !errors.is_empty(), "{} answered", said.len());
        assert!(errors.iter().all(|error| matches!(error, TeacherError::BudgetSpent(_))), "{errors:?}");
        assert!(errors[0].to_string().contains("raise teacher.budget"), "{}", errors[0]);
        let cost = (read as f64 * 2.0 + written as f64 * 8.0) / 1e6;
        assert!(limits.tokens.is_none_or(|most| read + written <= most), "{read} + {written}");
        assert!(limits.money.is_none_or(|most| cost <= most), "{cost}");

        // A later part of the session knows what was spent: nothing more passes until the budget is raised.
        let earlier = Usage { prompt_tokens: read, completion_tokens: written, cost, ..Usage::default() };
        let again = OpenAi::new(settings.clone(), never(), &earlier).unwrap();
        assert!(matches!(again.complete(&ask("more")), Err(TeacherError::BudgetSpent(_))));
        let raised = Limits { tokens: limits.tokens.map(|n| n * 10), money: limits.money.map(|n| n * 10.0) };
        let again = OpenAi::new(Settings { limits: raised, ..settings }, never(), &earlier).unwrap();
        again.complete(&ask("more")).unwrap();
    }
}

#[test]
fn a_budget_of_nothing_asks_nothing() {
    let server = Server::start(|_| Reply::says("four"));
    let chat = client(Settings { limits: Limits { money: Some(0.0), tokens: None }, ..settings(&server) });
    assert!(matches!(chat.complete(&ask("2+2?")), Err(TeacherError::BudgetSpent(_))));
    assert_eq!(server.counts.asked(), 0);
}

#[test]
fn calls_begin_no_faster_than_allowed() {
    let server = Server::start(|_| Reply::says("four"));
    let chat = client(Settings { requests_per_minute: 1200, ..settings(&server) });
    let begun = std::time::Instant::now();
    let (said, _) = spend(&chat, 30);
    // 20 at once, then one each 50 ms.
    assert!(said.len() == 30 && begun.elapsed() > Duration::from_millis(450), "{:?}", begun.elapsed());
}
