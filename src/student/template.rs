//! The chat template: how a conversation becomes one text (Hugging Face's Jinja dialect, through minijinja).
//!
//! Deviation from the reference: `strftime_now` formats a fixed day (26 July 2024, the day Llama 3.2's own template
//! falls back to) rather than today, so that a run resumed tomorrow asks with the same prompt.

use std::ops::Range;

use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, Error, ErrorKind, context};

use super::error::StudentError;
use crate::domain::Message;

const NAME: &str = "chat";
/// Steps that a conversation may take: some hundred thousand turns of an ordinary template, and a second or so of one that
/// has no end.
const STEPS: u64 = 10_000_000;

/// A rendered conversation, and where each message's content stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The text.
    pub text: String,
    /// Byte range of each message's content, in order.
    pub contents: Vec<Range<usize>>,
    /// Code points that the template cut off the front of each content.
    pub trimmed: Vec<usize>,
}

/// A compiled chat template with the names of its begin and end tokens.
#[derive(Debug)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    bos: String,
    eos: String,
    source: String,
}

impl ChatTemplate {
    /// Compiles `source`. `bos` and `eos` are the names of the begin and end tokens, empty where there is none.
    ///
    /// # Errors
    /// [`StudentError::Template`] with the line of a syntax error.
    pub fn new(source: &str, bos: &str, eos: &str) -> Result<Self, StudentError> {
        let mut environment = Environment::new();
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_fuel(Some(STEPS));
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", raise_exception);
        environment.add_function("strftime_now", strftime_now);
        environment.add_filter("tojson", to_json);
        environment.add_filter("trim", trim);
        environment.add_template_owned(NAME, source.to_owned()).map_err(|e| fault(&e))?;
        Ok(Self { environment, bos: bos.to_owned(), eos: eos.to_owned(), source: source.to_owned() })
    }

    /// The template's text; its hash is the prompt id of a score.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Renders a conversation; with `prompt` the header of the student's next turn follows.
    ///
    /// # Errors
    /// [`StudentError::Template`] if the template refuses the messages, or takes more than ten million steps.
    pub fn render(&self, messages: &[Message], prompt: bool) -> Result<String, StudentError> {
        let template = self.environment.get_template(NAME).map_err(|e| fault(&e))?;
        let values = context! {
            messages => messages,
            add_generation_prompt => prompt,
            bos_token => self.bos,
            eos_token => self.eos,
        };
        template.render(values).map_err(|e| fault(&e))
    }

    /// Renders a conversation and finds each message's content in it.
    ///
    /// The template is rendered a second time with marks in place of contents; what stands around the marks is the
    /// template's own text, and the contents are what stands between.
    ///
    /// # Errors
    /// [`StudentError::Template`], or [`StudentError::ContentNotFound`] if the template changes a content by more than
    /// trimming it, or leaves it out.
    pub fn locate(&self, messages: &[Message], prompt: bool) -> Result<Rendered, StudentError> {
        let text = self.render(messages, prompt)?;
        let marks: Vec<String> = (0..messages.len()).map(|i| format!("\u{E000}{i}\u{E001}")).collect();
        let marked: Vec<Message> =
            messages.iter().zip(&marks).map(|(m, mark)| Message { role: m.role, content: mark.clone() }).collect();
        let frame = self.render(&marked, prompt)?;
        let mut found = Rendered { text, contents: Vec::new(), trimmed: Vec::new() };
        let (mut frame_at, mut text_at) = (0, 0);
        for (index, (message, mark)) in messages.iter().zip(&marks).enumerate() {
            let lost = || StudentError::ContentNotFound { index, role: message.role.as_str() };
            let before = &frame[frame_at..];
            let width = before.find(mark.as_str()).ok_or_else(lost)?;
            if !found.text[text_at..].starts_with(&before[..width]) {
                return Err(lost());
            }
            text_at += width;
            frame_at += width + mark.len();
            let after = &frame[frame_at..];
            let after = marks.get(index + 1).and_then(|next| after.find(next.as_str())).map_or(after, |n| &after[..n]);
            let (length, cut) = content_at(&found.text[text_at..], &message.content, after).ok_or_else(lost)?;
            found.contents.push(text_at..text_at + length);
            found.trimmed.push(cut);
            text_at += length;
        }
        if found.text[text_at..] != frame[frame_at..] {
            let last = messages.len().saturating_sub(1);
            let role = messages.last().map_or("none", |m| m.role.as_str());
            return Err(StudentError::ContentNotFound { index: last, role });
        }
        Ok(found)
    }
}

/// Byte length of `content` at the start of `text`, as given or trimmed, when `after` follows it; and the code points
/// cut off its front.
fn content_at(text: &str, content: &str, after: &str) -> Option<(usize, usize)> {
    [content, content.trim_matches(is_python_space), content.trim()].into_iter().find_map(|candidate| {
        let rest = text.strip_prefix(candidate)?;
        let front = content.find(candidate).map_or(0, |byte| content[..byte].chars().count());
        rest.starts_with(after).then_some((candidate.len(), front))
    })
}

/// What Python's `strip` takes away: Unicode white space and four control characters.
fn is_python_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// The filter `trim`, with Python's idea of white space.
fn trim(text: String, characters: Option<String>) -> String {
    match characters {
        Some(set) => text.trim_matches(|c| set.contains(c)).to_owned(),
        None => text.trim_matches(is_python_space).to_owned(),
    }
}

fn fault(error: &Error) -> StudentError {
    let detail = match error.kind() {
        ErrorKind::OutOfFuel => {
            format!("no end after {STEPS} steps; a template that loops for ever is broken or hostile: take another")
        }
        kind => error.detail().map_or_else(|| kind.to_string(), str::to_owned),
    };
    StudentError::Template(match error.line() {
        Some(line) => format!("line {line}: {detail}"),
        None => detail,
    })
}

fn raise_exception(message: String) -> Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, message))
}

fn strftime_now(format: &str) -> Result<String, Error> {
    let day = jiff::civil::date(2024, 7, 26).at(0, 0, 0, 0);
    jiff::fmt::strtime::format(format, day).map_err(|e| Error::new(ErrorKind::InvalidOperation, e.to_string()))
}

/// JSON as Python writes it: `", "` and `": "` between items, other scripts unescaped; `indent` as spaces.
fn to_json(value: Value, options: Kwargs) -> Result<String, Error> {
    let indent: Option<usize> = options.get("indent")?;
    let wrong = |e: serde_json::Error| Error::new(ErrorKind::BadSerialization, e.to_string());
    match indent {
        None => {
            let mut out = Vec::new();
            let mut writer = serde_json::Serializer::with_formatter(&mut out, Spaced);
            serde::Serialize::serialize(&value, &mut writer).map_err(wrong)?;
            Ok(String::from_utf8_lossy(&out).into_owned())
        }
        Some(width) => {
            let spaces = vec![b' '; width];
            let mut out = Vec::new();
            let formatter = serde_json::ser::PrettyFormatter::with_indent(&spaces);
            let mut writer = serde_json::Serializer::with_formatter(&mut out, formatter);
            serde::Serialize::serialize(&value, &mut writer).map_err(wrong)?;
            Ok(String::from_utf8_lossy(&out).into_owned())
        }
    }
}

/// One line, with a space after commas and colons.
struct Spaced;

impl serde_json::ser::Formatter for Spaced {
    fn begin_array_value<W: ?Sized + std::io::Write>(&mut self, out: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(&mut self, out: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, out: &mut W) -> std::io::Result<()> {
        out.write_all(b": ")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_template_without_an_end_is_stopped_and_told() {
        let endless = "{% for a in range(90000) %}\n{% for b in range(90000) %}{% endfor %}{% endfor %}";
        let template = ChatTemplate::new(endless, "", "").unwrap();
        let said = template.render(&[Message::user("Hello")], true).unwrap_err().to_string();
        assert!(said.contains("line 2: no end after 10000000 steps;") && !said.contains('\n'), "{said}");
    }

    #[test]
    fn a_long_conversation_is_none() {
        let plain = "{% for m in messages %}{{ m.role + ': ' + m.content | trim }}\n{% endfor %}";
        let template = ChatTemplate::new(plain, "", "").unwrap();
        let messages: Vec<Message> = (0..20_000).map(|n| Message::user(format!(" turn {n}"))).collect();
        assert!(template.render(&messages, true).unwrap().ends_with("user: turn 19999\n"));
    }
}
