//! The rule of Hendrycks' MATH: the last box, compared after a fixed string normalisation.
//!
//! `hendrycks` follows the public rule as lm-evaluation-harness and verl carry it. It compares spellings, not values:
//! `1,234` is not `1234` and `2^{10}` is not `1024`. `math` accepts that rule's pairs, except where it runs digits
//! together across a blank, and what is equal exactly ([`answer`]). One addition to both (reading.md, row 9): where a text
//! has no box at all, what follows its last `####` is the answer, because bridged traces end so.

use super::{Verdict, answer};

pub(super) fn judge(output: &str, gold: &str, same: fn(&str, &str) -> bool) -> Verdict {
    let answer = match boxed(output) {
        Some(answer) => Some(answer),
        None if output.contains("\\boxed") || output.contains("\\fbox") => None,
        None => after_marker(output),
    };
    let correct = answer.as_deref().is_some_and(|answer| same(answer, gold));
    Verdict { answer, correct }
}

fn after_marker(output: &str) -> Option<String> {
    let at = output.rfind("####")?;
    let line = output[at + 4..].trim().lines().next()?.trim().trim_matches('$');
    (!line.is_empty()).then(|| line.to_string())
}

/// The contents of the last box. `\boxed 5` reaches to the next dollar or the end; braces must balance; `\fbox` is found
/// but, as in the public rule, never opened.
pub(super) fn boxed(text: &str) -> Option<String> {
    if let Some(at) = text.rfind("\\boxed ") {
        let rest = &text[at + "\\boxed ".len()..];
        return Some(rest.split('$').next().unwrap_or(rest).to_string());
    }
    let at = text.rfind("\\boxed")?;
    let rest = text[at + "\\boxed".len()..].strip_prefix('{')?;
    let mut depth = 1_usize;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(rest[..at].to_string());
        }
    }
    None
}

/// Equal by the public rule or by value.
pub(super) fn equal(one: &str, other: &str) -> bool {
    (equivalent(one, other) && apart(one) == apart(other)) || answer::equal(one, other)
}

/// Digits with only a blank between them: `3 1/2`, which the public rule runs together into 31/2.
fn apart(text: &str) -> bool {
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    let mut before = words.next().unwrap_or_default();
    words.any(|word| {
        let glued = before.ends_with(|c: char| c.is_ascii_digit()) && word.starts_with(|c: char| c.is_ascii_digit());
        before = word;
        glued
    })
}

/// Whether a gold answer is one line with its braces in pairs.
pub(super) fn reads(gold: &str) -> bool {
    let mut depth = 0_i64;
    let paired = gold.bytes().all(|byte| {
        depth += i64::from(byte == b'{') - i64::from(byte == b'}');
        depth >= 0
    });
    paired && depth == 0 && !gold.trim().is_empty() && !gold.contains("\n\n")
}

/// Equal after normalisation; where one side cannot be normalised, equal as written.
pub(super) fn equivalent(one: &str, other: &str) -> bool {
    match (normalise(one), normalise(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

/// The public normalisation, step by step; `None` where it would stumble.
fn normalise(text: &str) -> Option<String> {
    let mut text = text.replace('\n', "").replace("\\!", "").replace("\\\\", "\\");
    for (from, to) in [("tfrac", "frac"), ("dfrac", "frac"), ("\\left", ""), ("\\right", "")] {
        text = text.replace(from, to);
    }
    text = text.replace("^{\\circ}", "").replace("^\\circ", "").replace("\\$", "");
    text = without_unit(&text)?;
    text = text.replace("\\%", "").replace(" .", " 0.").replace("{.", "{0.");
    if text.is_empty() {
        return Some(text);
    }
    if text.starts_with('.') {
        text.insert(0, '0');
    }
    text = brace_roots(&without_name(text))?.replace(' ', "");
    text = brace_fractions(&text)?;
    if text == "0.5" {
        text = "\\frac{1}{2}".to_string();
    }
    Some(slash_to_fraction(text))
}

/// Cuts a unit such as `\text{ cm}`; two of them are too many.
fn without_unit(text: &str) -> Option<String> {
    let mut pieces = text.split("\\text{ ");
    let first = pieces.next()?.to_string();
    pieces.next();
    pieces.next().is_none().then_some(first)
}

/// `x = 5` is 5, for names of at most two characters.
fn without_name(text: String) -> String {
    let mut sides = text.split('=');
    match (sides.next(), sides.next(), sides.next()) {
        (Some(name), Some(value), None) if name.chars().count() <= 2 => value.to_string(),
        _ => text,
    }
}

/// `\sqrt3` becomes `\sqrt{3}`.
fn brace_roots(text: &str) -> Option<String> {
    let mut pieces = text.split("\\sqrt");
    let mut out = pieces.next()?.to_string();
    for piece in pieces {
        let first = piece.chars().next()?;
        out.push_str("\\sqrt");
        if first == '{' {
            out.push_str(piece);
        } else {
            let (radicand, rest) = piece.split_at(first.len_utf8());
            out.extend(["{", radicand, "}", rest]);
        }
    }
    Some(out)
}

/// `\frac12` becomes `\frac{1}{2}`; a fraction of one character leaves the whole text as it was.
fn brace_fractions(text: &str) -> Option<String> {
    let mut pieces = text.split("\\frac");
    let mut out = pieces.next()?.to_string();
    for piece in pieces {
        out.push_str("\\frac");
        let mut chars = piece.chars();
        let top = chars.next()?;
        if top == '{' {
            out.push_str(piece);
            continue;
        }
        let Some(bottom) = chars.next() else { return Some(text.to_string()) };
        out.extend(['{', top, '}']);
        if bottom == '{' {
            out.push(bottom);
        } else {
            out.extend(['{', bottom, '}']);
        }
        out.push_str(chars.as_str());
    }
    Some(out)
}

/// `3/4` becomes `\frac{3}{4}`, where both are plain integers.
fn slash_to_fraction(text: String) -> String {
    let plain = |side: &str| {
        let digits = side.strip_prefix('-').unwrap_or(side);
        let canonical = digits == "0" && digits == side || !digits.starts_with('0');
        !digits.is_empty() && canonical && digits.bytes().all(|b| b.is_ascii_digit())
    };
    match text.split_once('/') {
        Some((top, bottom)) if plain(top) && plain(bottom) => format!("\\frac{{{top}}}{{{bottom}}}"),
        _ => text,
    }
}
