//! The chat template: how a conversation becomes one text (Hugging Face's Jinja dialect, through minijinja).
//!
//! Deviation from the reference: `strftime_now` formats a fixed day (26 July 2024, the day Llama 3.2's own template
//! falls back to) rather than today, so that a run resumed tomorrow asks with the same prompt.
//!
//! A template is a program out of a download. It has no files, no network and no clock; its steps are counted by the
//! engine, what it makes by `allowance`.

mod allowance;
mod rewrite;

use std::ops::Range;

use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, Error, ErrorKind, context};

use super::error::StudentError;
use crate::domain::Message;

const NAME: &str = "chat";
/// Steps that a conversation may take: some hundred thousand turns of an ordinary template, and a second or so of one that
/// has no end.
const STEPS: u64 = 10_000_000;

/// Bytes that the texts between a template's tags may make in all: its steps are limited so that they cannot make more.
const TEXTS: usize = 256 << 20;
/// Longest template in bytes.
const LONGEST: usize = 1 << 20;
/// Deepest indentation of JSON.
const DEEPEST: usize = 100;

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
    steps: u64,
}

impl ChatTemplate {
    /// Compiles `source`. `bos` and `eos` are the names of the begin and end tokens, empty where there is none.
    ///
    /// # Errors
    /// [`StudentError::Template`] with the line of a syntax error.
    pub fn new(source: &str, bos: &str, eos: &str) -> Result<Self, StudentError> {
        if source.len() > LONGEST {
            return Err(StudentError::Template(format!("it has {} bytes; no template has {LONGEST}", source.len())));
        }
        let rewritten = rewrite::rewrite(source);
        let steps = STEPS.min((TEXTS / rewritten.longest_text.max(1)) as u64);
        let mut environment = Environment::new();
        allowance::install(&mut environment);
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_fuel(Some(steps));
        environment.add_function("raise_exception", raise_exception);
        environment.add_function("strftime_now", strftime_now);
        environment.add_filter("tojson", to_json);
        environment.add_filter("trim", trim);
        environment.add_template_owned(NAME, rewritten.source).map_err(|e| fault(&e, steps))?;
        Ok(Self { environment, bos: bos.to_owned(), eos: eos.to_owned(), source: source.to_owned(), steps })
    }

    /// The template's text; its hash is the prompt id of a score.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Renders a conversation; with `prompt` the header of the student's next turn follows.
    ///
    /// # Errors
    /// [`StudentError::Template`] if the template refuses the messages, takes more than ten million steps, or makes more
    /// than it is allowed.
    pub fn render(&self, messages: &[Message], prompt: bool) -> Result<String, StudentError> {
        let template = self.environment.get_template(NAME).map_err(|e| fault(&e, self.steps))?;
        let values = context! {
            messages => messages,
            add_generation_prompt => prompt,
            bos_token => self.bos,
            eos_token => self.eos,
        };
        allowance::begin(messages.iter().map(|message| message.content.len()).sum());
        template.render(values).map_err(|e| fault(&e, self.steps))
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

fn fault(error: &Error, steps: u64) -> StudentError {
    let detail = match error.kind() {
        ErrorKind::OutOfFuel => {
            format!("no end after {steps} steps; a template that loops for ever is broken or hostile: take another")
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
    let mut out = Limited(Vec::new(), 0);
    match indent {
        Some(width) if width > DEEPEST => return Err(allowance::refused(format!("tojson indents by {width}"))),
        Some(width) => {
            let spaces = vec![b' '; width];
            let formatter = serde_json::ser::PrettyFormatter::with_indent(&spaces);
            let mut writer = serde_json::Serializer::with_formatter(&mut out, formatter);
            serde::Serialize::serialize(&value, &mut writer).map_err(wrong)?;
        }
        None => {
            let mut writer = serde_json::Serializer::with_formatter(&mut out, Spaced);
            serde::Serialize::serialize(&value, &mut writer).map_err(wrong)?;
        }
    }
    Ok(String::from_utf8_lossy(&out.0).into_owned())
}

/// JSON no longer than what the rendering may still make.
struct Limited(Vec<u8>, u64);

impl std::io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.1 += allowance::piece(bytes.len());
        if self.1 > allowance::left() {
            return Err(std::io::Error::other("tojson makes more than a template may"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
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

    /// Each ends within its allowance, with a line that says so.
    #[test]
    fn a_template_that_grows_without_end_is_stopped_and_told() {
        let doubled = "{% set x = 'ab' %}".to_owned() + &"{% set x = x ~ x %}".repeat(40);
        let added = "{% set x = 'ab' %}".to_owned() + &"{% set x = x + x %}".repeat(40);
        let lists = "{% set x = [1] %}".to_owned() + &"{% set x = x + x %}".repeat(40) + "{{ x|list|length }}";
        let nested = "{% set x = [1] %}".to_owned() + &"{% set x = [x, x] %}".repeat(40);
        let joined = "{% set x = 'a' %}".to_owned() + &"{% set x = [x, x]|join(x) %}".repeat(40);
        let long = "z".repeat(1000);
        for source in [
            "{{ 'a' * 10**9 }}",
            "{{ 'a' * 100000000 }}",
            "{{ 100000000 * 'a' }}",
            "{{ 2 * 'a' * 50000000 }}",
            "{{ 'a' * 1000000000000 }}",
            "{% set n = 99999999 %}{{ 'a' * n }}",
            "{% for i in range(1000) %}{% set x = 'a' * 1000000 %}{% endfor %}",
            "{{ ([0] * 1000000000)|list|length }}",
            "{{ range(10**9)|list }}",
            &doubled,
            &added,
            &lists,
            &(nested.clone() + "{{ x }}"),
            &(nested.clone() + "{{ x ~ '' }}"),
            &(nested.clone() + "{{ x|pprint|length }}"),
            &(nested + "{{ x|tojson|length }}"),
            &joined,
            "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
            "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x.join([ns.x, ns.x]) %}{% endfor %}",
            "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x.replace('a', ns.x) %}{% endfor %}",
            "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x|replace('a', ns.x) %}{% endfor %}",
            "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = '{0}{0}'.format(ns.x) %}{% endfor %}",
            "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = '%s%s'|format(ns.x, ns.x) %}{% endfor %}",
            "{% set x = 'a' * 1000000 %}{% for i in range(1000) %}{% set y = x|upper %}{% endfor %}",
            "{% set x = 'a' * 1000000 %}{% for i in range(1000) %}{% set y = x[1:] %}{% endfor %}",
            "{% set x = 'a' * 1000000 %}{{ ([x] * 1000)|map('upper')|list|length }}",
            "{% set x = 'a' * 1000000 %}{% for i in range(1000) %}{{ x }}{% endfor %}",
            "{% set x = 'a' * 1000000 %}{% set y %}{% for i in range(1000) %}{{ x }}{% endfor %}{% endset %}",
            "{% macro m(x) %}{{ x }}{{ x }}{% endmacro %}{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = m(ns.x) %}{% endfor %}",
            "{% macro m(x, n) %}{{ m(x ~ x, n - 1) if n else x }}{% endmacro %}{{ m('ab', 60) }}",
            "{{ 'a'|indent(10**12, true) }}",
            "{{ 'a'|indent(width=10**12, first=true) }}",
            "{{ [1]|batch(10**12, 0)|list }}",
            "{{ [1]|slice(10**12, 0)|list }}",
            "{{ '{:>1000000000}'.format(1) }}",
            "{{ '%1000000000d'|format(1) }}",
            "{{ messages|tojson(indent=10**12) }}",
            &format!(
                "{{% set y %}}{{% for i in range(99999) %}}{{% for j in range(99999) %}}{long}{{% endfor %}}{{% endfor %}}{{% endset %}}"
            ),
        ] {
            let begun = std::time::Instant::now();
            let template = ChatTemplate::new(source, "", "").unwrap();
            let outcome = template.render(&[Message::user("Hello")], true);
            let Err(error) = outcome else { panic!("{source:.200} made {} bytes", outcome.unwrap().len()) };
            let said = error.to_string();
            assert!(said.contains("line 1: ") && !said.contains('\n'), "{source:.200}: {said}");
            assert!(begun.elapsed().as_secs() < 20, "{source:.200}: {:?}", begun.elapsed());
        }
        let huge = ChatTemplate::new(&"{{ 1 }}".repeat(200_000), "", "").unwrap_err().to_string();
        assert!(huge.contains("1400000 bytes"), "{huge}");
    }

    /// As the engine renders them by itself.
    #[test]
    fn what_is_counted_is_rendered_as_it_is() {
        let messages =
            [Message::system("  Be brief. "), Message::user("1 + 1?"), Message::assistant("<think>x</think>2")];
        for source in [
            "{{ '=' * 5 }}{{ 2 * 3 * 4 }}{{ 2 ** 3 * 2 }}{{ 7 // 2 * 3 }}{{ ([1, 2] * 2)|list }}{{ -2 * 3 }}{{ 1.5 * 2 }}",
            "{{ 1 + 2 - 3 }}{{ [1] + [2] }}{{ 'a' + 'b' ~ 3 ~ [1, 'x'] ~ none }}{{ {'a': 1 + 1} }}{{ (1 + 2) * 3 }}",
            "{% for m in messages[::-1] %}{{ loop.index0 ~ m['role'] + ': ' + m.content|trim }}\n{% endfor %}",
            "{% set ns = namespace(n=0, l=[]) %}{% for m in messages if m.role != 'system' %}{% set ns.n = ns.n + 1 %}{% set ns.l = ns.l + [m.role] %}{% endfor %}{{ ns.n }}{{ ns.l|join(', ') }}",
            "{{ messages[2].content.split('</think>')[-1].lstrip('\n') ~ '!' if '</think>' in messages[2].content else 'none' }}",
            "{% macro f(a, b='x' ~ 'y') %}{{ a ~ b }}{% endmacro %}{{ f(1) }}{{ f(b=2 + 3, a='z'|upper) }}",
            "{{ messages|tojson }}{{ messages|tojson(indent=2) }}{{ messages|map(attribute='role')|join('/') }}",
            "{%- if messages[0].role is string and messages|length is divisibleby 3 -%} yes {%- endif -%}",
            "{% raw %}{{ a ~ b }}{% endraw %}{# {{ c ~ d }} #}{{ \"it's\" ~ 'a \\'b\\' }}' }}",
            "{{ '%s is %d'|format('x', 3) }}{{ 'a-b'.replace('-', '+') }}{{ 'a\nb'|indent(2) }}{{ range(3)|list }}{{ 'abc'|list }}",
            "{{ 'x' if not messages else messages[-1]['content'][:3] }}{{ undefined_thing ~ 'a' }}{{ missing is not defined }}",
            "{% set x %}{{ 'a' ~ 'b' }}{% endset %}{{ x|upper ~ x }}{% filter upper %}abc{% endfilter %}",
            "{% call(u) wrap('a' ~ 'b') %}{{ u }}{% endcall %}{% macro wrap(x) %}{{ caller(x ~ 'c') }}{% endmacro %}",
        ] {
            let mut plain = Environment::new();
            plain.set_trim_blocks(true);
            plain.set_lstrip_blocks(true);
            plain.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
            plain.add_filter("tojson", to_json);
            plain.add_filter("trim", trim);
            allowance::begin(0);
            let as_it_is = plain.render_str(source, context! { messages => messages }).map_err(|e| e.kind());
            let counted = ChatTemplate::new(source, "", "").unwrap().render(&messages, false);
            match as_it_is {
                Ok(text) => assert_eq!(counted.unwrap(), text, "{source}"),
                Err(kind) => assert!(counted.is_err(), "{source}: {kind:?}"),
            }
        }
    }

    #[test]
    fn a_long_conversation_is_none() {
        let plain = "{% for m in messages %}{{ m.role + ': ' + m.content | trim }}\n{% endfor %}";
        let template = ChatTemplate::new(plain, "", "").unwrap();
        let messages: Vec<Message> = (0..20_000).map(|n| Message::user(format!(" turn {n}"))).collect();
        assert!(template.render(&messages, true).unwrap().ends_with("user: turn 19999\n"));
    }
}
