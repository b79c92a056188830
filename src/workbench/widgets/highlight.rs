//! Highlighting of JSON, Markdown and templates: `syntect` reads the text, and a few of its scopes become the inks of a
//! [`Page`](super::page::Page), so that colours follow the theme and its levels down to none.
//!
//! To be called behind the screen: the first call unpacks the syntaxes. What is highlighted is cut nowhere; texts and
//! lines too long to be read quickly stay plain.

use std::sync::OnceLock;

use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};
use syntect::util::LinesWithEndings;

use super::page::{Ink, Piece, plain};
use crate::workbench::text::printable_lines;

/// Longest text that is highlighted, in bytes.
const LONGEST: usize = 128 << 10;
/// Longest line that is highlighted, in bytes.
const LONGEST_LINE: usize = 8 << 10;

/// What a text is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// JSON.
    Json,
    /// Markdown, as models write.
    Markdown,
    /// A prompt template.
    Template,
    /// TOML, as recipes are.
    Toml,
}

impl Language {
    fn syntax(self, set: &'static SyntaxSet) -> Option<&'static SyntaxReference> {
        set.find_syntax_by_name(match self {
            Language::Json => "JSON",
            Language::Markdown => "Markdown",
            Language::Template => "Jinja2",
            Language::Toml => "TOML",
        })
    }
}

/// The language of an answer: JSON where it is an object or a list, else Markdown.
pub fn spoken(text: &str) -> Language {
    let text = text.trim_start();
    let json = text.starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    if json { Language::Json } else { Language::Markdown }
}

/// The printable lines of a text, in inks.
pub fn highlight(text: &str, language: Language) -> Vec<Vec<Piece>> {
    let text = printable_lines(text).replace('\t', "    ");
    let set = syntaxes();
    match language.syntax(set).filter(|_| text.len() <= LONGEST) {
        Some(syntax) => read(&text, syntax, set),
        None => plain(&text, Ink::Text),
    }
}

fn syntaxes() -> &'static SyntaxSet {
    static SET: OnceLock<SyntaxSet> = OnceLock::new();
    SET.get_or_init(two_face::syntax::extra_newlines)
}

fn read(text: &str, syntax: &SyntaxReference, set: &SyntaxSet) -> Vec<Vec<Piece>> {
    let (mut state, mut stack) = (ParseState::new(syntax), ScopeStack::new());
    let mut lines = Vec::new();
    for line in LinesWithEndings::from(text) {
        let parsed = if line.len() <= LONGEST_LINE { state.parse_line(line, set).ok() } else { None };
        let (mut pieces, mut at) = (Vec::new(), 0);
        for (place, change) in parsed.unwrap_or_default() {
            push(&mut pieces, ink(&stack), line.get(at..place).unwrap_or_default());
            at = place;
            // A change that does not fit the stack leaves it as it is: only colours depend on it.
            let _ = stack.apply(&change);
        }
        push(&mut pieces, ink(&stack), line.get(at..).unwrap_or_default());
        lines.push(pieces);
    }
    // As `split` counts: a text that ends in a line break ends in an empty line.
    if text.is_empty() || text.ends_with('\n') {
        lines.push(Vec::new());
    }
    lines
}

fn push(pieces: &mut Vec<Piece>, ink: Ink, text: &str) {
    let text = text.trim_end_matches('\n');
    match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some((last, before)) if *last == ink => before.push_str(text),
        _ => pieces.push((ink, text.to_string())),
    }
}

/// The first of these that is anywhere on the stack decides.
const MEANINGS: [(&str, Ink); 17] = [
    ("comment", Ink::Dim),
    ("meta.mapping.key", Ink::Name),
    ("meta.structure.dictionary.key", Ink::Name),
    ("constant.character.escape", Ink::Literal),
    ("markup.heading", Ink::Heading),
    ("entity.name.section", Ink::Heading),
    ("constant.numeric", Ink::Literal),
    ("punctuation", Ink::Dim),
    ("constant", Ink::Literal),
    ("keyword", Ink::Word),
    ("storage", Ink::Word),
    ("variable", Ink::Name),
    ("entity.name.tag", Ink::Name),
    ("markup.bold", Ink::Strong),
    ("markup.italic", Ink::Strong),
    ("markup.raw", Ink::Name),
    ("string", Ink::Text),
];

fn ink(stack: &ScopeStack) -> Ink {
    static SCOPES: OnceLock<Vec<(Scope, Ink)>> = OnceLock::new();
    let scopes = SCOPES.get_or_init(|| {
        MEANINGS.iter().filter_map(|(name, ink)| Scope::new(name).ok().map(|scope| (scope, *ink))).collect()
    });
    let found = scopes.iter().find(|(scope, _)| stack.scopes.iter().any(|on| scope.is_prefix_of(*on)));
    found.map_or(Ink::Text, |(_, ink)| *ink)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn text_of(lines: &[Vec<Piece>]) -> String {
        let line = |pieces: &Vec<Piece>| pieces.iter().map(|(_, text)| text.as_str()).collect::<String>();
        lines.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    fn ink_of(lines: &[Vec<Piece>], part: &str) -> Ink {
        let found = lines.iter().flatten().find(|(_, text)| text.contains(part));
        found.unwrap_or_else(|| panic!("{part} is in no piece of {lines:?}")).0
    }

    #[test]
    fn every_language_is_known() {
        for language in [Language::Json, Language::Markdown, Language::Template, Language::Toml] {
            assert!(language.syntax(syntaxes()).is_some(), "{language:?}");
        }
    }

    #[test]
    fn json_has_names_numbers_and_texts() {
        let lines = highlight("{\n  \"error_type\": \"slip\",\n  \"n\": 3.5\n}", Language::Json);
        assert_eq!(lines.len(), 4);
        assert_eq!(ink_of(&lines, "error_type"), Ink::Name);
        assert_eq!(ink_of(&lines, "slip"), Ink::Text);
        assert_eq!(ink_of(&lines, "3.5"), Ink::Literal);
    }

    #[test]
    fn templates_have_variables_and_words() {
        let lines =
            highlight("{# system #}\nYou are {{ question }}.\n{% if prefix %}\nx\n{% endif %}", Language::Template);
        assert_eq!(ink_of(&lines, "system"), Ink::Dim);
        assert_eq!(ink_of(&lines, "question"), Ink::Name);
        assert_eq!(ink_of(&lines, "if"), Ink::Word);
        assert_eq!(ink_of(&lines, "You are"), Ink::Text);
    }

    #[test]
    fn markdown_has_headings_and_emphasis() {
        let lines = highlight("# Step 1\nso **12** eggs\n\n#### 220\n", Language::Markdown);
        assert_eq!(ink_of(&lines, "Step 1"), Ink::Heading);
        assert_eq!(ink_of(&lines, "12"), Ink::Strong);
        assert_eq!(ink_of(&lines, "220"), Ink::Heading);
    }

    #[test]
    fn whatever_the_text_nothing_is_lost_and_nothing_acts() {
        let odd = ["", "\n", "a\n\nb", "{{", "```json\n{\"a\": 1", "*_* `\\(4 \\times 3\\)` \t x", "日本 **語"];
        for text in odd {
            for language in [Language::Json, Language::Markdown, Language::Template] {
                assert_eq!(text_of(&highlight(text, language)), text.replace('\t', "    "), "{language:?}");
            }
        }
        assert_eq!(text_of(&highlight("a\u{1b}[31mb\u{202e}", Language::Markdown)), "ab");
        let long = "x ".repeat(LONGEST);
        assert_eq!(text_of(&highlight(&long, Language::Markdown)).len(), long.len());
    }

    #[test]
    fn json_is_told_from_words() {
        assert_eq!(spoken(" {\"a\": 1}"), Language::Json);
        assert_eq!(spoken("{a} is set"), Language::Markdown);
        assert_eq!(spoken("Kind of error: slip"), Language::Markdown);
    }
}
