//! A template rewritten so that whatever can make texts larger is counted while it runs.
//!
//! The engine counts steps (fuel), not bytes, and its operators cannot be intercepted: thirty times `x ~ x` are a gigabyte
//! in a few dozen steps. But a filter can stand behind every operand. So `a ~ b` becomes `a|_text ~ b|_text`, and so on,
//! with filters that hand on what they are given and take its size from the render's allowance ([`super::allowance`]).
//! Filters bind tighter than every operator, so nothing else changes, and no line moves.

/// Behind an operand of `~`: its size as text.
pub(super) const TEXT: &str = "_fb_text";
/// Behind an operand of `+`: its size, if it is a text.
pub(super) const SUM: &str = "_fb_sum";
/// Behind calls, filters and slices: the size of what they give.
pub(super) const SIZE: &str = "_fb_size";
/// Behind a factor of `*`: with its place, and whether its value is the whole factor.
pub(super) const FACTOR: &str = "_fb_factor";

/// Words that end an operand and begin none.
const WORDS: [&str; 7] = ["and", "or", "not", "in", "is", "if", "else"];
/// Tags whose own name or call takes no filter behind it.
const BARE: [&str; 10] =
    ["macro", "endmacro", "call", "do", "filter", "block", "endblock", "import", "from", "extends"];

/// Tags with which transformers marks what is trained; they print nothing, and the engine does not know them.
const MARKS: [(&str, &str); 2] = [("generation", "if true"), ("endgeneration", "endif")];

/// What a source turned into.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rewritten {
    /// The template.
    pub source: String,
    /// Bytes of the longest text between two tags.
    pub longest_text: usize,
}

/// Rewrites a template. What is no template is left as it is, for the engine to say so.
pub(super) fn rewrite(source: &str) -> Rewritten {
    let mut out = String::with_capacity(source.len() + source.len() / 4);
    let (mut rest, mut longest_text) = (source, 0);
    while let Some(at) = next_tag(rest) {
        longest_text = longest_text.max(at);
        out.push_str(&rest[..at]);
        let tag = &rest[at..];
        let length = if tag.starts_with("{#") {
            let length = tag.find("#}").map_or(tag.len(), |end| end + 2);
            out.push_str(&tag[..length]);
            length
        } else if let Some((length, text)) = raw_block(tag) {
            longest_text = longest_text.max(text);
            out.push_str(&tag[..length]);
            length
        } else {
            Tag::new(tag, &mut out).run()
        };
        rest = &rest[at + length..];
    }
    longest_text = longest_text.max(rest.len());
    out.push_str(rest);
    Rewritten { source: out, longest_text }
}

fn next_tag(text: &str) -> Option<usize> {
    ["{{", "{%", "{#"].iter().filter_map(|open| text.find(open)).min()
}

/// Length of `{% raw %}…{% endraw %}` at the start of `tag`, and of the text in it.
fn raw_block(tag: &str) -> Option<(usize, usize)> {
    let inside = tag.strip_prefix("{%")?.trim_start_matches(['-', '+']).trim_start();
    let inside = inside.strip_prefix("raw")?.trim_start().trim_start_matches(['-', '+']).strip_prefix("%}")?;
    let text = tag.len() - inside.len();
    let mut from = text;
    loop {
        let end = from + tag[from..].find("{%")?;
        let word = tag[end + 2..].trim_start_matches(['-', '+']).trim_start();
        if let Some(behind) = word.strip_prefix("endraw") {
            let close = tag.len() - behind.len() + behind.find("%}")? + 2;
            return Some((close, end - text));
        }
        from = end + 2;
    }
}

/// An operator that binds an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Tilde,
    Plus,
    Times,
    /// Division, remainder, power: beside `*` they hide the factor.
    Near,
    Other,
}

/// What is open: a tag, a pair of brackets.
#[derive(Debug, Default)]
struct Frame {
    /// The operator before the operand.
    before: Option<Op>,
    /// Where in the output the operand ends; `None` between operands.
    end: Option<usize>,
    /// The operand made something: by a call, a filter, a slice.
    makes: bool,
    /// A colon stood in the brackets.
    colon: bool,
    /// Nothing may stand behind the operand: the name of a test, of a macro.
    bare: bool,
    /// So for the whole frame.
    bare_all: bool,
    /// The brackets continue an operand of the frame around them.
    continues: bool,
    /// They are a call's.
    call: bool,
}

struct Tag<'a> {
    text: &'a str,
    at: usize,
    out: &'a mut String,
    frames: Vec<Frame>,
    /// The word or sign before was `.` or `|`: a name follows that is no operand.
    name_follows: bool,
}

impl<'a> Tag<'a> {
    fn new(text: &'a str, out: &'a mut String) -> Self {
        Self { text, at: 0, out, frames: vec![Frame::default()], name_follows: false }
    }

    fn copy(&mut self, bytes: usize) {
        self.out.push_str(&self.text[self.at..self.at + bytes]);
        self.at += bytes;
    }

    fn frame(&mut self) -> &mut Frame {
        if self.frames.is_empty() {
            self.frames.push(Frame::default());
        }
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    /// Copies the tag; gives its length.
    fn run(mut self) -> usize {
        let close = if self.text.starts_with("{{") { "}}" } else { "%}" };
        self.copy(2);
        let mut first = close == "%}";
        loop {
            let rest = &self.text[self.at..];
            let Some(c) = rest.chars().next() else { return self.at };
            let closing = rest.strip_prefix(['-', '+']).unwrap_or(rest).starts_with(close);
            if closing && self.frames.len() == 1 && (rest.starts_with(close) || self.at > 2) {
                self.ends(None);
                let length = if rest.starts_with(close) { 2 } else { 3 };
                self.copy(length);
                return self.at;
            }
            if c.is_whitespace() {
                self.copy(c.len_utf8());
            } else if c == '\'' || c == '"' {
                self.operand(string(rest));
            } else if c.is_alphanumeric() || c == '_' {
                let digits = c.is_ascii_digit();
                let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || (digits && c == '.')));
                let word = &rest[..length.unwrap_or(rest.len())];
                if std::mem::take(&mut first) {
                    self.frame().bare_all = BARE.contains(&word);
                    match MARKS.iter().find(|(mark, _)| *mark == word) {
                        Some((_, instead)) => {
                            self.out.push_str(instead);
                            self.at += word.len();
                        }
                        None => self.copy(word.len()),
                    }
                } else {
                    self.word(word);
                }
            } else {
                self.sign(rest);
            }
        }
    }

    fn word(&mut self, word: &str) {
        if WORDS.contains(&word) && !self.name_follows {
            self.ends(Some(Op::Other));
            self.copy(word.len());
            if word == "is" {
                self.frame().bare = true;
            } else if word != "not" {
                self.frame().bare = false;
            }
        } else {
            self.operand(word.len());
        }
    }

    /// A literal or a name; a name behind `.` or `|` continues its operand.
    fn operand(&mut self, length: usize) {
        if !std::mem::take(&mut self.name_follows) {
            if self.frame().end.is_some() {
                // Two operands in a row: the argument of a test, a word of a tag.
                self.ends(None);
                self.frame().bare = true;
            }
            self.frame().makes = false;
        }
        self.copy(length);
        let end = self.out.len();
        self.frame().end = Some(end);
    }

    fn sign(&mut self, rest: &str) {
        let c = rest.chars().next().unwrap_or(' ');
        let two = rest.get(..2).unwrap_or("");
        match c {
            '(' | '[' | '{' => self.open(c),
            ')' | ']' | '}' => self.close(),
            '.' | '|' => {
                self.frame().makes |= c == '|';
                self.name_follows = true;
                self.copy(1);
            }
            _ if matches!(two, "**" | "//") => self.operator(Op::Near, 2),
            _ if matches!(two, "==" | "!=" | "<=" | ">=") => self.operator(Op::Other, 2),
            '~' => self.operator(Op::Tilde, 1),
            '+' => self.operator(Op::Plus, 1),
            '*' => self.operator(Op::Times, 1),
            '/' | '%' => self.operator(Op::Near, 1),
            // A target, or a parameter's name.
            '=' => {
                (self.frame().end, self.frame().before, self.frame().bare) = (None, None, false);
                self.copy(1);
            }
            _ => {
                self.frame().colon |= c == ':';
                let op = if matches!(c, '-' | '<' | '>') { Some(Op::Other) } else { None };
                self.ends(op);
                self.frame().bare = false;
                self.copy(c.len_utf8());
            }
        }
    }

    fn operator(&mut self, op: Op, length: usize) {
        // Without an operand before it, it is a sign or spreads arguments.
        let op = if self.frame().end.is_some() { op } else { Op::Other };
        self.ends(Some(op));
        self.frame().bare = false;
        self.copy(length);
    }

    fn open(&mut self, bracket: char) {
        let continues = self.frame().end.is_some() && bracket != '{';
        if !continues {
            self.frame().makes = false;
        }
        self.name_follows = false;
        self.copy(1);
        self.frames.push(Frame { continues, call: continues && bracket == '(', ..Frame::default() });
    }

    fn close(&mut self) {
        self.ends(None);
        self.copy(1);
        if self.frames.len() < 2 {
            return;
        }
        let Some(inner) = self.frames.pop() else { return };
        let end = self.out.len();
        let frame = self.frame();
        frame.end = Some(end);
        frame.makes |= inner.continues && (inner.call || inner.colon);
    }

    /// The operand ends before `next`: puts the filter behind it that counts.
    fn ends(&mut self, next: Option<Op>) {
        self.name_follows = false;
        let frame = self.frame();
        let (before, makes) = (frame.before, frame.makes);
        let bare = frame.bare || frame.bare_all;
        let end = frame.end.take();
        (frame.before, frame.makes) = (next.filter(|op| *op != Op::Other), false);
        let Some(end) = end else { return };
        let filter = match (before, next) {
            _ if bare => return,
            (Some(Op::Times), _) | (_, Some(Op::Times)) => {
                let place = match (before, next) {
                    (Some(Op::Times), Some(Op::Times)) => 1,
                    (Some(Op::Times), _) => 2,
                    _ => 0,
                };
                let whole = before != Some(Op::Near) && next != Some(Op::Near);
                format!("|{FACTOR}({place}, {whole})")
            }
            (Some(Op::Tilde), _) | (_, Some(Op::Tilde)) => format!("|{TEXT}"),
            (Some(Op::Plus), _) | (_, Some(Op::Plus)) => format!("|{SUM}"),
            _ if makes => format!("|{SIZE}"),
            _ => return,
        };
        self.out.insert_str(end, &filter);
    }
}

/// Length of the literal at the start of a text.
fn string(text: &str) -> usize {
    let quote = text.chars().next();
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if Some(c) == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(source: &str) -> String {
        rewrite(source).source.replace(TEXT, "T").replace(SIZE, "S").replace(FACTOR, "F").replace(SUM, "P")
    }

    #[test]
    fn operands_are_counted_and_nothing_else_changes() {
        for (source, rewritten) in [
            ("{{ a ~ 'x' }}", "{{ a|T ~ 'x'|T }}"),
            ("{{- a.b['c'] ~ d[0] -}}", "{{- a.b['c']|T ~ d[0]|T -}}"),
            ("{{ (a ~ b) ~ c }}", "{{ (a|T ~ b|T)|T ~ c|T }}"),
            ("{{ a + b - c }}", "{{ a|P + b|P - c }}"),
            ("{{ a * 2 }}", "{{ a|F(0, true) * 2|F(2, true) }}"),
            ("{{ a * b * c }}", "{{ a|F(0, true) * b|F(1, true) * c|F(2, true) }}"),
            ("{{ 'a' * 10 ** 9 }}", "{{ 'a'|F(0, true) * 10|F(2, false) ** 9 }}"),
            ("{{ m.content | trim }}", "{{ m.content | trim|S }}"),
            ("{{ m.content.split('x')[-1].strip() }}", "{{ m.content.split('x')[-1].strip()|S }}"),
            ("{{ messages[1:] }}", "{{ messages[1:]|S }}"),
            ("{% set x = a ~ b %}", "{% set x = a|T ~ b|T %}"),
            ("{% set ns.x = f(a=b ~ c, d=1) %}", "{% set ns.x = f(a=b|T ~ c|T, d=1)|S %}"),
            ("{% for k, v in d.items() if v is string %}", "{% for k, v in d.items()|S if v is string %}"),
            ("{% if a is not defined or b is divisibleby 3 %}", "{% if a is not defined or b is divisibleby 3 %}"),
            ("{% if 'x' in a.b and not c %}", "{% if 'x' in a.b and not c %}"),
            ("{% macro f(a, b=c ~ d) %}", "{% macro f(a, b=c|T ~ d|T) %}"),
            ("{% call(u) f(a ~ b) %}", "{% call(u) f(a|T ~ b|T) %}"),
            ("{{ f(*a, **b) }}", "{{ f(*a, **b)|S }}"),
            ("{{ '}}' ~ \"a\\\"b\" }}", "{{ '}}'|T ~ \"a\\\"b\"|T }}"),
            ("{{ {'a': {'b': x ~ y}} }}", "{{ {'a': {'b': x|T ~ y|T}} }}"),
            ("{{ a if b else c ~ d }}", "{{ a if b else c|T ~ d|T }}"),
            ("{# a ~ b #}x{% raw %}{{ a ~ b }}{% endraw %}", "{# a ~ b #}x{% raw %}{{ a ~ b }}{% endraw %}"),
            ("{{ a ~ -b }}", "{{ a|T ~ -b }}"),
            ("{%- generation -%}a{% endgeneration %}", "{%- if true -%}a{% endif %}"),
            ("no tag { % }", "no tag { % }"),
            ("{{ open ~ ", "{{ open|T ~ "),
        ] {
            assert_eq!(short(source), rewritten);
        }
    }

    #[test]
    fn the_longest_text_is_found() {
        assert_eq!(rewrite("abc{{ x }}de{% raw %}{{ 12 }}{% endraw %}").longest_text, 8);
        assert_eq!(rewrite("").longest_text, 0);
    }
}
