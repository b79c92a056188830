//! Text that strangers wrote, made fit for a terminal.

use std::borrow::Cow;

/// Whether a character acts on the terminal or on how a line reads, instead of being read itself: control characters, line
/// and paragraph separators, marks that turn the direction of writing around (by which a line can be made to look like
/// another one), and those that take no room (by which two texts that look the same differ). The joiners U+200C and U+200D are none of
/// them: pictures and several scripts are written with them.
pub fn acts(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Leaves out characters that act ([`acts`]) and terminal escape sequences, except line feeds and tabs; line and paragraph
/// separators become line feeds.
///
/// Whatever came from a model, a file or the network passes through here before it is drawn or printed. A sequence is
/// left out with its parameters; one that never ends loses only its first characters, so nothing can hide the rest of a
/// text. Linear in the text.
pub fn strip_control(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unwanted) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        rest = match first {
            '\u{1b}' => after_escape(after),
            '\u{9b}' => after_control_sequence(after),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => after_string(after),
            '\u{2028}' | '\u{2029}' => {
                out.push('\n');
                after
            }
            c if is_unwanted(c) => after,
            c => {
                out.push(c);
                after
            }
        };
    }
    Cow::Owned(out)
}

fn is_unwanted(c: char) -> bool {
    acts(c) && c != '\n' && c != '\t'
}

/// What follows an escape character and the sequence it opens.
fn after_escape(text: &str) -> &str {
    match text.as_bytes().first() {
        Some(b'[') => after_control_sequence(&text[1..]),
        Some(b']' | b'P' | b'X' | b'^' | b'_') => after_string(&text[1..]),
        // Two-byte sequences, with intermediates such as `ESC ( B`.
        Some(0x20..=0x2f) => {
            let end = text.bytes().take_while(|b| (0x20..=0x2f).contains(b)).count();
            let finals = text.as_bytes().get(end).is_some_and(|b| (0x30..=0x7e).contains(b));
            &text[end + usize::from(finals)..]
        }
        Some(0x30..=0x7e) => &text[1..],
        _ => text,
    }
}

/// What follows `CSI`: parameters, intermediates, one final byte.
fn after_control_sequence(text: &str) -> &str {
    let end = text.bytes().take_while(|b| (0x20..=0x3f).contains(b)).count();
    match text.as_bytes().get(end) {
        Some(0x40..=0x7e) => &text[end + 1..],
        // Not a sequence after all.
        _ => text,
    }
}

/// What follows a command string (`OSC`, `DCS`, …) that ends at BEL or ST. One that meets another control character
/// first is no string, and its text stays.
fn after_string(text: &str) -> &str {
    let Some((at, end)) = text.char_indices().find(|(_, c)| c.is_control()) else { return text };
    match end {
        '\u{7}' | '\u{9c}' => &text[at + end.len_utf8()..],
        '\u{1b}' if text[at + 1..].starts_with('\\') => &text[at + 2..],
        _ => text,
    }
}
