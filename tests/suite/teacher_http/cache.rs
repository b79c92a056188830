//! Nothing is paid for twice.

use footbridge::pipeline::answers::{SessionAnswers, spending};
use footbridge::teacher::{AnswerStore, CacheSettings, Cached, Completion, Meter};

use super::*;

fn cached(server: &Server, store: Arc<dyn AnswerStore>, settings: CacheSettings) -> Cached<OpenAi> {
    Cached::new(client(super::settings(server)), store, settings, Arc::new(Meter::default()))
}

fn counting() -> Server {
    Server::start(|call| Reply::says(&format!("{} #{}", call.prompt(), call.tries)))
}

#[test]
fn an_answer_is_kept_in_the_session_with_what_it_took() {
    let (_folder, sessions) = sessions();
    let server = counting();
    let first = {
        let store = Arc::new(SessionAnswers::open(create(&sessions)).unwrap());
        store.at("1-traces");
        let chat = cached(&server, store, CacheSettings::default());
        let first = chat.complete(&ask("a")).unwrap();
        assert_eq!(chat.complete(&ask("a")).unwrap(), Completion { cached: true, ..first.clone() });
        let usage = chat.meter().by_purpose()["trace"];
        assert_eq!((usage.calls, usage.cached, server.counts.asked()), (1, 1, 1));
        first
    };
    let session = Arc::new(sessions.open("s").unwrap());
    let store = Arc::new(SessionAnswers::open(session.clone()).unwrap());
    let (read, written) = server.counts.tokens();
    assert_eq!((store.spent().prompt_tokens, store.spent().completion_tokens), (read, written));
    store.at("2-recycle");
    let chat = cached(&server, store, CacheSettings::default());
    assert_eq!(chat.complete(&ask("a")).unwrap(), Completion { cached: true, ..first });
    chat.complete(&ask("b")).unwrap();
    assert_eq!(server.counts.asked(), 2);
    let spent = spending(&session).unwrap();
    let calls = |key: &str| (spent[key].calls, spent[key].cached);
    assert_eq!((calls("1-traces/trace"), calls("2-recycle/trace"), spent.len()), ((1, 1), (1, 1), 2));
}

#[test]
fn whatever_decides_over_an_answer_is_part_of_its_key() {
    let (_folder, sessions) = sessions();
    let server = counting();
    let store = Arc::new(SessionAnswers::open(create(&sessions)).unwrap());
    let chat = cached(&server, store.clone(), CacheSettings::default());
    let base = ask("a");
    let others = [
        ChatRequest { sample: 1, ..base.clone() },
        ChatRequest { temperature: 0.8, ..base.clone() },
        ChatRequest { top_p: 1.0, ..base.clone() },
        ChatRequest { max_tokens: 65, ..base.clone() },
        ChatRequest { messages: vec![Message::user("a")], ..base.clone() },
    ];
    let mut keys: Vec<_> = others.iter().chain([&base]).map(|request| chat.key(request)).collect();
    assert_eq!(chat.key(&ChatRequest { purpose: "importance", ..base.clone() }), chat.key(&base));
    let extra = CacheSettings { parameters: "{\"n\":1}".into(), ..CacheSettings::default() };
    keys.push(cached(&server, store.clone(), extra).key(&base));
    let other = client(Settings { model: "other".into(), ..settings(&server) });
    keys.push(Cached::new(other, store, CacheSettings::default(), Arc::new(Meter::default())).key(&base));
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 8);
    assert!(keys.iter().all(|key| key.len() == 64));
}

#[test]
fn equal_calls_under_way_are_one_call() {
    let (_folder, sessions) = sessions();
    let server = Server::start(|call| match call.prompt().as_str() {
        "bad" => Reply::status(400, "no"),
        _ => Reply::Says("4".into(), Duration::from_millis(50)),
    });
    let store = Arc::new(SessionAnswers::open(create(&sessions)).unwrap());
    let chat = cached(&server, store.clone(), CacheSettings::default());
    let all = |prompt: &str| -> Vec<_> {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(|| chat.complete(&ask(prompt)))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    };
    let good = all("good");
    assert!(good.iter().all(|outcome| outcome.as_ref().is_ok_and(|said| said.text == "4")));
    assert_eq!(good.iter().flatten().filter(|said| !said.cached).count(), 1);
    assert_eq!((server.counts.asked(), store.spent().calls), (1, 1));
    assert!(all("bad").iter().all(Result::is_err));
    assert!(server.counts.asked() <= 17, "an error is not kept");
}

#[test]
fn a_refresh_asks_each_call_anew_once() {
    let (_folder, sessions) = sessions();
    let server = counting();
    let store = Arc::new(SessionAnswers::open(create(&sessions)).unwrap());
    let text = |chat: &Cached<OpenAi>| chat.complete(&ask("a")).unwrap().text;
    assert_eq!(text(&cached(&server, store.clone(), CacheSettings::default())), "a #0");
    let refresh = CacheSettings { refresh: true, ..CacheSettings::default() };
    let chat = cached(&server, store.clone(), refresh);
    assert_eq!([text(&chat), text(&chat)], ["a #1", "a #1"]);
    drop(chat);
    assert_eq!(text(&cached(&server, store.clone(), CacheSettings::default())), "a #1");
    assert_eq!((server.counts.asked(), store.spent().calls), (2, 2));
}

#[test]
fn an_answer_that_cannot_be_kept_stops_the_run() {
    struct Full;
    impl AnswerStore for Full {
        fn get(&self, _: &str) -> Result<Option<footbridge::teacher::Stored>, String> {
            Ok(None)
        }
        fn put(&self, _: &str, _: &footbridge::teacher::Stored, _: Usage) -> Result<(), String> {
            Err("the disk is full".into())
        }
        fn charge(&self, _: &str, _: Usage) -> Result<(), String> {
            Ok(())
        }
    }
    let server = counting();
    let error = cached(&server, Arc::new(Full), CacheSettings::default()).complete(&ask("a")).unwrap_err();
    assert!(error.stops_the_run() && error.to_string().contains("the disk is full"), "{error}");
}
