//! The bodies of a chat call, as every server that calls itself OpenAI-compatible reads and writes them.
//!
//! Servers differ: `content` may be null or a list of parts, reasoning may stand in a field of its own or in front of the
//! answer between `<think>` tags, usage may be missing. Reasoning is not part of the answer. It is taken for one only where a
//! server that sorts it out wrongly puts the whole, finished text there.

use serde_json::{Map, Value, json};

use super::fault::{Fault, Next, of_object, shown};
use super::stream::joined;
use crate::domain::Role;
use crate::teacher::ChatRequest;

/// What a server said.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// The answer.
    pub text: String,
    /// Tokens read and written, where the server counts them.
    pub tokens: Option<(u64, u64)>,
    /// Whether the answer was cut off at its longest length.
    pub cut: bool,
}

/// The body of a call. `extra` replaces and adds fields; a null takes one out.
pub fn request(model: &str, request: &ChatRequest, extra: &Map<String, Value>) -> Value {
    let turn = |role| match role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    let messages: Vec<Value> =
        request.messages.iter().map(|m| json!({ "role": turn(m.role), "content": m.content })).collect();
    let mut body = Map::new();
    body.insert("model".into(), model.into());
    body.insert("messages".into(), messages.into());
    body.insert("temperature".into(), request.temperature.into());
    body.insert("top_p".into(), request.top_p.into());
    body.insert("max_tokens".into(), request.max_tokens.into());
    body.insert("stream".into(), false.into());
    for (name, value) in extra {
        match value {
            Value::Null => drop(body.remove(name)),
            value => drop(body.insert(name.clone(), value.clone())),
        }
    }
    body.into()
}

/// Reads the body of a successful answer.
///
/// # Errors
/// No JSON, an error object, no choice, a refusal, an empty answer.
pub fn answer(body: &[u8]) -> Result<Said, Fault> {
    let Some(value) = serde_json::from_slice::<Value>(body).ok().or_else(|| joined(body)) else {
        let start = shown(&String::from_utf8_lossy(body.get(..body.len().min(400)).unwrap_or_default()));
        return Err(Fault::broken_off(format!("the answer is not JSON: \"{start}\"")));
    };
    if let Some(fault) = of_object(&value) {
        return Err(fault);
    }
    let tokens = tokens(&value);
    let charged = |what: String| Fault { charged: tokens, unsaid: tokens.is_none(), ..Fault::new(Next::Again, what) };
    let Some(choice) = value.pointer("/choices/0") else {
        return Err(charged("the answer has no choices".into()));
    };
    let message = choice.get("message").unwrap_or(&Value::Null);
    let finish = choice.get("finish_reason").and_then(Value::as_str).unwrap_or_default();
    if let Some(why) = refusal(message, finish) {
        return Err(charged(why));
    }
    let cut = matches!(finish, "length" | "max_tokens");
    let reasoning = ["reasoning_content", "reasoning"].iter().map(|name| text_of(message.get(*name)));
    let reasoning = reasoning.into_iter().find(|text| !text.trim().is_empty());
    let whole = text_of(message.get("content"));
    let text = match (without_thoughts(&whole), reasoning) {
        (Some(text), _) if !text.trim().is_empty() => text.to_owned(),
        (Some(_), Some(reasoning)) if !cut => reasoning,
        (Some(_), None) => return Err(charged("the answer is empty".into())),
        _ => return Err(charged("the answer is nothing but unfinished reasoning; raise teacher.max_tokens".into())),
    };
    Ok(Said { text, tokens, cut })
}

/// Tokens of the prompt and of the answer. No call has more than 32 bits of them: whatever a server says, sums stay sums.
fn tokens(value: &Value) -> Option<(u64, u64)> {
    let usage = value.get("usage")?;
    let count = |name: &str| usage.get(name).and_then(Value::as_u64).map(|count| count.min(u64::from(u32::MAX)));
    count("prompt_tokens").zip(count("completion_tokens"))
}

fn refusal(message: &Value, finish: &str) -> Option<String> {
    let words = text_of(message.get("refusal"));
    match finish {
        _ if !words.trim().is_empty() => Some(format!("the model refused: {}", shown(&words))),
        "content_filter" | "refusal" | "sensitive" => Some(format!("the server withheld the answer ({finish})")),
        _ => None,
    }
}

/// Plain text, or the texts of a list of parts.
fn text_of(content: Option<&Value>) -> String {
    match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            parts.iter().filter_map(|part| part.as_str().or_else(|| part.get("text")?.as_str())).collect()
        }
        _ => String::new(),
    }
}

/// The text after reasoning between tags at its start; `None` where that never ends.
fn without_thoughts(text: &str) -> Option<&str> {
    match text.trim_start().strip_prefix("<think>") {
        None => Some(text),
        Some(thoughts) => thoughts.split_once("</think>").map(|(_, answer)| answer.trim_start()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::domain::Message;

    fn read(message: Value, finish: &str) -> Result<Said, Fault> {
        let usage = json!({ "prompt_tokens": 5, "completion_tokens": 7 });
        let choice = json!({ "message": message, "finish_reason": finish });
        answer(json!({ "choices": [choice], "usage": usage }).to_string().as_bytes())
    }

    #[test]
    fn content_comes_in_many_forms() {
        let said = |text: &str, cut| Ok(Said { text: text.into(), tokens: Some((5, 7)), cut });
        assert_eq!(read(json!({ "content": " 4\n" }), "stop"), said(" 4\n", false));
        assert_eq!(read(json!({ "content": "4" }), "length"), said("4", true));
        let parts = json!([{ "type": "text", "text": "a" }, { "type": "image" }, "b"]);
        assert_eq!(read(json!({ "content": parts }), "stop"), said("ab", false));
        assert_eq!(read(json!({ "content": "4", "reasoning_content": "hm" }), "stop"), said("4", false));
        assert_eq!(read(json!({ "content": null, "reasoning_content": "so 4" }), "stop"), said("so 4", false));
        assert_eq!(read(json!({ "content": "<think>\nhm</think>\n\n4" }), "stop"), said("4", false));
        assert_eq!(read(json!({ "content": "a <think> b" }), "stop"), said("a <think> b", false));
    }

    #[test]
    fn counts_beyond_all_bounds_are_cut_so_that_sums_hold() {
        let choice = json!({ "message": { "content": "4" }, "finish_reason": "stop" });
        let usage = json!({ "prompt_tokens": u64::MAX, "completion_tokens": u64::MAX - 1 });
        let said = answer(json!({ "choices": [choice], "usage": usage }).to_string().as_bytes()).unwrap();
        assert_eq!(said.tokens, Some((u64::from(u32::MAX), u64::from(u32::MAX))));
    }

    #[test]
    fn what_is_no_answer_is_asked_again_and_charged_as_the_server_says() {
        for (message, finish, words) in [
            (json!({ "content": "" }), "stop", "empty"),
            (json!({ "content": null }), "stop", "empty"),
            (json!({}), "stop", "empty"),
            (json!(null), "stop", "empty"),
            (json!({ "content": null, "reasoning_content": "hm" }), "length", "unfinished reasoning"),
            (json!({ "content": "<think> hm" }), "length", "unfinished reasoning"),
            (json!({ "content": "no", "refusal": "I\u{1b}[2J can't" }), "stop", "refused: I can't"),
            (json!({ "content": "" }), "content_filter", "withheld"),
        ] {
            let fault = read(message, finish).unwrap_err();
            assert!(fault.what.contains(words), "{}", fault.what);
            assert_eq!((fault.next, fault.charged, fault.unsaid), (Next::Again, Some((5, 7)), false));
        }
    }

    #[test]
    fn other_bodies_are_faults_and_usage_may_be_missing() {
        for body in ["", "<html>busy</html>", "{\"choices\": [", "[1]", "{}", "{\"choices\":[]}", "\u{0}", "null"] {
            assert_eq!(answer(body.as_bytes()).unwrap_err().next, Next::Again, "{body}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(answer(deep.as_bytes()).unwrap_err().next, Next::Again);
        let bare = answer(br#"{"choices":[{"message":{"content":"4"}}],"usage":null}"#).unwrap();
        assert_eq!(bare, Said { text: "4".into(), tokens: None, cut: false });
    }

    #[test]
    fn extra_fields_replace_add_and_take_out() {
        let call = ChatRequest {
            purpose: "trace",
            messages: vec![Message::user("2+2?")],
            temperature: 0.7,
            top_p: 0.9,
            max_tokens: 64,
            sample: 0,
        };
        let extra = json!({ "max_tokens": null, "max_completion_tokens": 64, "top_p": 1.0 });
        let body = request("m", &call, extra.as_object().unwrap());
        let messages = json!([{ "role": "user", "content": "2+2?" }]);
        let expected = json!({ "model": "m", "messages": messages, "temperature": 0.7, "top_p": 1.0, "stream": false,
            "max_completion_tokens": 64 });
        assert_eq!(body, expected);
    }
}
