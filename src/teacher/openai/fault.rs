//! What can go wrong with one exchange, and what is to be done about it.

use std::time::Duration;

use serde_json::Value;

use crate::domain::strip_control;

/// Longest part of a server's words that is shown, in characters.
const SHOWN: usize = 200;

/// One exchange without a usable answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// What happened, in plain words.
    pub what: String,
    /// What to do.
    pub next: Next,
    /// What the server said it charged: tokens read and written.
    pub charged: Option<(u64, u64)>,
    /// Whether the server may have charged without saying so.
    pub unsaid: bool,
}

/// What to do after a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ask again.
    Again,
    /// Ask again, not before this time has passed where the server names one. The call itself is good: we are too fast.
    Slower(Option<Duration>),
    /// Ask again; nobody answers at the address.
    Unreached,
    /// Asking again would not help this call.
    Lost,
    /// The server does not take the request as it is. The next one may do better, but not where none ever did.
    Refused,
    /// No call can succeed.
    Stop,
}

impl Fault {
    /// A fault that charged nothing.
    pub fn new(next: Next, what: impl Into<String>) -> Self {
        Self { what: what.into(), next, charged: None, unsaid: false }
    }

    /// The server had begun to answer and may have charged for it.
    pub fn broken_off(what: impl Into<String>) -> Self {
        Self { unsaid: true, ..Self::new(Next::Again, what) }
    }
}

/// What a status other than success means. `said` is the body, as far as it was read.
pub fn of_status(status: u16, said: &[u8], wait: Option<Duration>) -> Fault {
    let (code, text) = error_of(said);
    let says = if text.is_empty() { String::new() } else { format!(": {text}") };
    let told = format!("the server answered {status}{}{says}", name(status));
    let next = match status {
        401 | 403 => {
            let advice = "set the variable that teacher.api_key_env names to a key that may use this model";
            return Fault::new(Next::Stop, format!("{told}; {advice}"));
        }
        402 => return Fault::new(Next::Stop, format!("{told}; the account has no credit left")),
        404 => {
            let advice = "check teacher.model, and that teacher.base_url ends as the server wants it (often /v1)";
            return Fault::new(Next::Stop, format!("{told}; {advice}"));
        }
        429 if spent(&code, &text) => {
            return Fault::new(Next::Stop, format!("{told}; the account's quota is used up"));
        }
        429 => Next::Slower(wait),
        // Overloaded, or still loading its model.
        503 | 529 => Next::Slower(wait),
        408 | 409 | 425 | 500..=599 => Next::Again,
        _ if no_such_model(&code, &text) => return Fault::new(Next::Stop, format!("{told}; check teacher.model")),
        400 | 405 | 422 => Next::Refused,
        _ => Next::Lost,
    };
    Fault::new(next, told)
}

/// An error object that came with success; some gateways do that.
pub fn of_object(said: &Value) -> Option<Fault> {
    let error = said.get("error").filter(|error| !error.is_null())?;
    let (code, text) = words(error);
    let status = error.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    let whole = said.to_string();
    match status.filter(|code| (400..600).contains(code)) {
        Some(status) => Some(of_status(status, whole.as_bytes(), None)),
        None if code.contains("rate_limit") => Some(Fault::new(Next::Slower(None), format!("the server said: {text}"))),
        None => Some(Fault::new(Next::Again, format!("the server answered with an error: {text}"))),
    }
}

fn spent(code: &str, text: &str) -> bool {
    code.contains("insufficient_quota") || text.contains("insufficient_quota") || code == "Arrearage"
}

fn no_such_model(code: &str, text: &str) -> bool {
    let text = text.to_lowercase();
    let missing = ["does not exist", "not found", "not exist"].iter().any(|words| text.contains(words));
    code.contains("model_not_found") || (text.contains("model") && missing)
}

/// Code and text of an error body: JSON in one of the usual forms, else whatever it says.
fn error_of(said: &[u8]) -> (String, String) {
    match serde_json::from_slice::<Value>(said) {
        Ok(value) => words(value.get("error").unwrap_or(&value)),
        Err(_) => (String::new(), shown(&String::from_utf8_lossy(said))),
    }
}

fn words(error: &Value) -> (String, String) {
    let word = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
    let code = if word("code").is_empty() { word("type") } else { word("code") };
    let text = match error {
        Value::String(text) => text.clone(),
        _ => match [word("message"), word("detail"), code].into_iter().find(|text| !text.is_empty()) {
            Some(text) => text.to_owned(),
            None => error.to_string(),
        },
    };
    (code.to_owned(), shown(&text))
}

/// A server's words on one line, shortened, fit for a terminal.
pub fn shown(text: &str) -> String {
    let text = strip_control(text);
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match flat.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &flat[..end]),
        None => flat,
    }
}

fn name(status: u16) -> String {
    let known = reqwest::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    known.map(|name| format!(" ({name})")).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_consequence() {
        let soon = Some(Duration::from_secs(3));
        for (status, said, next) in [
            (400, r#"{"error":{"message":"maximum context length is 4096 tokens"}}"#, Next::Refused),
            (400, r#"{"error":{"message":"The model `x` does not exist","code":"model_not_found"}}"#, Next::Stop),
            (401, r#"{"error":{"message":"bad key"}}"#, Next::Stop),
            (402, "", Next::Stop),
            (403, "<html>no</html>", Next::Stop),
            (404, r#"{"detail":"Not Found"}"#, Next::Stop),
            (408, "", Next::Again),
            (413, "", Next::Lost),
            (422, r#"{"detail":[{"msg":"top_p"}]}"#, Next::Refused),
            (429, r#"{"error":{"code":"rate_limit_exceeded","message":"slow down"}}"#, Next::Slower(soon)),
            (429, r#"{"error":{"code":"insufficient_quota","message":"pay"}}"#, Next::Stop),
            (500, "", Next::Again),
            (503, "", Next::Slower(soon)),
            (599, "", Next::Again),
        ] {
            let fault = of_status(status, said.as_bytes(), soon);
            assert_eq!(fault.next, next, "{fault:?}");
            assert!(fault.what.contains(&status.to_string()));
        }
        assert_eq!(of_status(503, b"", None).next, Next::Slower(None));
    }

    #[test]
    fn error_objects_with_success_are_faults_too() {
        let read = |text: &str| of_object(&serde_json::from_str(text).unwrap());
        assert_eq!(read(r#"{"choices":[],"error":null}"#), None);
        assert_eq!(read(r#"{"error":"overloaded"}"#).unwrap().next, Next::Again);
        assert_eq!(read(r#"{"error":{"code":429,"message":"slow"}}"#).unwrap().next, Next::Slower(None));
        assert_eq!(read(r#"{"error":{"code":401,"message":"key"}}"#).unwrap().next, Next::Stop);
        assert_eq!(read(r#"{"error":{"type":"rate_limit_error"}}"#).unwrap().next, Next::Slower(None));
    }

    #[test]
    fn a_servers_words_are_short_and_harmless() {
        let fault = of_status(500, format!("\u{1b}[2Jboo\n\n{}", "x".repeat(9000)).as_bytes(), None);
        assert!(fault.what.starts_with("the server answered 500 (Internal Server Error): boo xxx"), "{}", fault.what);
        assert!(fault.what.chars().count() < 300 && !fault.what.contains(char::is_control));
    }
}
