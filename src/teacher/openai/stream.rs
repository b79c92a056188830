//! An answer that comes as a stream of events, though it was asked for whole; some servers know no other way.

use serde_json::{Value, json};

/// The events of a stream joined to the body of a whole answer; `None` where it is no stream, or one that does not end.
pub fn joined(body: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(body).ok()?;
    let first = text.trim_start();
    if !["data:", "event:", ":"].iter().any(|start| first.starts_with(start)) {
        return None;
    }
    let (mut content, mut reasoning, mut finish) = (String::new(), String::new(), Value::Null);
    let (mut usage, mut error, mut ended) = (Value::Null, Value::Null, false);
    for data in text.lines().filter_map(|line| line.strip_prefix("data:")) {
        if data.trim() == "[DONE]" {
            ended = true;
            break;
        }
        let event: Value = serde_json::from_str(data).ok()?;
        let part = |name: &str| event.pointer(&format!("/choices/0/delta/{name}")).and_then(Value::as_str);
        content.push_str(part("content").unwrap_or_default());
        reasoning.push_str(part("reasoning_content").or_else(|| part("reasoning")).unwrap_or_default());
        for (name, into) in [("/choices/0/finish_reason", &mut finish), ("/usage", &mut usage), ("/error", &mut error)]
        {
            match event.pointer(name) {
                None | Some(Value::Null) => {}
                Some(value) => *into = value.clone(),
            }
        }
    }
    if !ended && finish.is_null() && error.is_null() {
        return None;
    }
    let message = json!({ "content": content, "reasoning_content": reasoning });
    Some(json!({ "choices": [{ "message": message, "finish_reason": finish }], "usage": usage, "error": error }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    const STREAM: &str = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"2+2\"},\"finish_reason\":null}]}\n\n\
                          data: {\"choices\":[{\"delta\":{\"content\":\"=4\"},\"finish_reason\":\"stop\"}]}\n\n\
                          data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\ndata: [DONE]\n\n";

    #[test]
    fn events_are_joined_to_a_whole_answer() {
        let whole = joined(STREAM.as_bytes()).unwrap();
        assert_eq!(whole.pointer("/choices/0/message/content").unwrap(), "2+2=4");
        assert_eq!(whole.pointer("/choices/0/finish_reason").unwrap(), "stop");
        assert_eq!(whole.pointer("/usage/completion_tokens").unwrap(), 4);
    }

    #[test]
    fn what_is_no_whole_stream_is_not_joined() {
        let torn = STREAM.split("data: {\"choices\":[{\"delta\":{\"content\":\"=4").next().unwrap();
        for body in ["{\"choices\":[]}", "", "data: {\"choices\":", torn] {
            assert_eq!(joined(body.as_bytes()), None, "{body}");
        }
    }
}
