//! One template: text, variables, and `if`. Checked when it is loaded, so that a wrong one is told with file and line
//! before anything is asked, and never in the middle of a run.
//!
//! Less than Jinja, on purpose. A template can't loop, set, call, include or import, so it reads no file, ends at once,
//! and is never much longer than what it is given. A file may hold two turns: what stands below a line `{# system #}` is
//! the instructions, what stands below `{# user #}` the user's turn; without these lines all of it is the user's.

use std::collections::BTreeMap;

use minijinja::{Environment, Error, UndefinedBehavior, Value};

use super::PromptError;
use super::kind::PromptKind;
use crate::domain::{Message, Role};

/// Longest template in bytes.
const LONGEST: usize = 64 << 10;
/// Longest rendered turn in bytes.
const LONGEST_RENDERED: usize = 2 << 20;
/// First words of a block that are understood.
const BLOCKS: [&str; 4] = ["if", "elif", "else", "endif"];
/// Words of the language itself in expressions.
const WORDS: [&str; 8] = ["if", "elif", "else", "endif", "and", "or", "not", "in"];
/// Signs that may stand in a tag outside quotes.
const SIGNS: &str = "=!<>-";

/// A template that passed its checks.
#[derive(Debug)]
pub(super) struct Template {
    /// What it was made from.
    pub source: String,
    /// Where it came from.
    pub place: String,
    turns: Vec<(Role, Environment<'static>)>,
}

/// Where one turn begins: who speaks, the line (from 0), the text.
type Turn<'a> = (Role, usize, &'a str);

impl Template {
    /// Checks and compiles `source`; `place` is named in errors.
    pub fn new(kind: PromptKind, source: String, place: String) -> Result<Self, PromptError> {
        let at = |line: usize, reason: String| PromptError { place: format!("{place}:{line}"), reason };
        if source.len() > LONGEST {
            return Err(at(1, format!("the file has {} bytes; a prompt has at most {LONGEST}", source.len())));
        }
        let mut used = Vec::new();
        let mut turns = Vec::new();
        for (role, first, text) in split(&source).map_err(|(line, reason)| at(line, reason))? {
            if role == Role::System && !kind.is_teachers() {
                return Err(at(first, "what the student is asked has no system turn".into()));
            }
            for tag in tags(text).map_err(|(line, reason)| at(first + line, reason))? {
                for name in tag.names {
                    if kind.variables().all(|(known, _)| known != name) {
                        return Err(at(first + tag.line, unknown(kind, &name)));
                    }
                    used.push(name);
                }
            }
            let mut environment = Environment::empty();
            environment.set_undefined_behavior(UndefinedBehavior::Strict);
            environment.set_trim_blocks(true);
            environment.set_lstrip_blocks(true);
            environment
                .add_template_owned(kind.name(), text.to_owned())
                .map_err(|error| at(first + error.line().unwrap_or(1), said(&error)))?;
            turns.push((role, environment));
        }
        if let Some((name, _)) = kind.variables().find(|(name, must)| *must && used.iter().all(|u| u != name)) {
            let reason = format!("the template never uses `{name}`; write {{{{ {name} }}}} where it belongs");
            return Err(at(1, reason));
        }
        let template = Self { source, place, turns };
        // What the checks above let through and the engine does not.
        for sample in ["a", ""] {
            template.render(kind, &samples(kind, sample))?;
        }
        Ok(template)
    }

    /// The turns with these values in place; whatever stands in a value is text.
    pub fn render(&self, kind: PromptKind, values: &Value) -> Result<Vec<Message>, PromptError> {
        let fault = |reason: String| PromptError { place: self.place.clone(), reason };
        let mut messages = Vec::with_capacity(self.turns.len());
        for (role, environment) in &self.turns {
            let template = environment.get_template(kind.name()).map_err(|error| fault(said(&error)))?;
            let content = template.render(values).map_err(|error| fault(said(&error)))?;
            if content.len() > LONGEST_RENDERED {
                return Err(fault(format!("the prompt has {} bytes; {LONGEST_RENDERED} is the most", content.len())));
            }
            messages.push(Message { role: *role, content });
        }
        Ok(messages)
    }
}

/// Every variable of a purpose with this value.
fn samples(kind: PromptKind, value: &str) -> Value {
    let mut values: BTreeMap<&str, Value> = BTreeMap::new();
    let mut fields: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for (name, _) in kind.variables() {
        match name.split_once('.') {
            Some((object, field)) => drop(fields.entry(object).or_default().insert(field, value)),
            None => drop(values.insert(name, Value::from(value))),
        }
    }
    values.extend(fields.into_iter().map(|(name, fields)| (name, Value::from_serialize(fields))));
    Value::from_serialize(values)
}

fn said(error: &Error) -> String {
    error.detail().map_or_else(|| error.kind().to_string(), str::to_owned)
}

fn unknown(kind: PromptKind, name: &str) -> String {
    let known: Vec<String> = kind.variables().map(|(name, _)| format!("`{name}`")).collect();
    format!("there is no variable `{name}` in the prompt `{}`; it has {}", kind.name(), known.join(", "))
}

/// The turns of a file.
fn split(source: &str) -> Result<Vec<Turn<'_>>, (usize, String)> {
    let mut marks: Vec<(Role, usize, usize, usize)> = Vec::new();
    let mut at = 0;
    for (index, line) in source.split_inclusive('\n').enumerate() {
        let role = match line.trim() {
            "{# system #}" => Some(Role::System),
            "{# user #}" => Some(Role::User),
            _ => None,
        };
        if let Some(role) = role {
            marks.push((role, index + 1, at, at + line.len()));
        }
        at += line.len();
    }
    let Some((_, line, begin, _)) = marks.first() else { return Ok(vec![(Role::User, 0, source)]) };
    if !source[..*begin].trim().is_empty() {
        return Err((*line, "there is text above the first turn; begin with {# system #} or {# user #}".into()));
    }
    let roles: Vec<Role> = marks.iter().map(|mark| mark.0).collect();
    if roles != [Role::User] && roles != [Role::System, Role::User] {
        return Err((*line, "a prompt has one {# user #} turn, and before it at most one {# system #} turn".into()));
    }
    let ends = marks.iter().skip(1).map(|mark| mark.2).chain([source.len()]);
    Ok(marks
        .iter()
        .zip(ends)
        .map(|((role, line, _, begin), end)| (*role, *line, source[*begin..end].trim_end()))
        .collect())
}

/// A `{{ … }}` or `{% … %}`: the line it begins on, counted from 1, and the variables it names.
struct Tag {
    line: usize,
    names: Vec<String>,
}

/// Every tag of a text, or the line and reason of the first that is not understood.
fn tags(text: &str) -> Result<Vec<Tag>, (usize, String)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find('{').map(|open| at + open) {
        let line = 1 + text[..open].matches('\n').count();
        let fail = |reason: String| (line, reason);
        let (close, block) = match text.as_bytes().get(open + 1) {
            Some(b'{') => ("}}", false),
            Some(b'%') => ("%}", true),
            Some(b'#') => {
                let end = text[open..].find("#}").ok_or_else(|| fail("a comment {# is never closed".into()))?;
                at = open + end + 2;
                continue;
            }
            _ => {
                at = open + 1;
                continue;
            }
        };
        let (names, end) = inside(&text[open + 2..], close, block).map_err(fail)?;
        found.push(Tag { line, names });
        at = open + 2 + end;
    }
    Ok(found)
}

/// Reads a tag up to its `close`: the variables in it, and where it ends.
fn inside(text: &str, close: &str, block: bool) -> Result<(Vec<String>, usize), String> {
    let (mut names, mut word, mut first) = (Vec::new(), String::new(), true);
    let mut rest = text.char_indices();
    while let Some((at, c)) = rest.next() {
        let closed = text[at..].starts_with(close);
        if !closed && (c.is_ascii_alphanumeric() || c == '_' || c == '.') {
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            let word = std::mem::take(&mut word);
            let allowed = !block || !std::mem::take(&mut first) || BLOCKS.contains(&word.as_str());
            if !allowed {
                return Err(format!("`{word}` is not for prompts; they have variables and if, elif, else, endif"));
            }
            if !WORDS.contains(&word.as_str()) && !word.starts_with(|c: char| c.is_ascii_digit()) {
                names.push(word);
            }
        }
        if closed {
            return Ok((names, at + close.len()));
        }
        if c == '"' || c == '\'' {
            if rest.by_ref().find(|(_, other)| *other == c || *other == '\\').is_none_or(|(_, end)| end == '\\') {
                return Err("a text in quotes is not closed, or holds a backslash".into());
            }
        } else if !c.is_whitespace() && !SIGNS.contains(c) {
            return Err(format!("`{c}` is not for prompts; they have variables, comparisons and and, or, not"));
        }
    }
    Err(format!("a tag is never closed by {close}"))
}
