//! Equality of final answers beyond their spelling: lists, tuples, intervals, matrices, units, per cent, words; at the
//! bottom exact values.
//!
//! Stricter is better: two answers are equal here only where every reading that is possible makes them equal. Order
//! matters in brackets and not in plain lists or sets. A unit that only one side names is left out, as in the public
//! rule; two units must be the same.

use super::{algebra::Value, latex};

/// The longest answer that is looked into, in bytes.
const LONGEST: usize = 600;
/// Most items of a list.
const ITEMS: usize = 24;

/// Whether two answers mean the same.
pub(super) fn equal(one: &str, other: &str) -> bool {
    if one.len() > LONGEST || other.len() > LONGEST {
        return false;
    }
    same(&clean(one), &clean(other), 4)
}

fn same(one: &str, other: &str, depth: usize) -> bool {
    let (one, other) = (one.trim(), other.trim());
    if one.is_empty() || other.is_empty() || depth == 0 {
        return false;
    }
    if spelling(one) == spelling(other) {
        return true;
    }
    if let (Some(one), Some(other)) = (words(one), words(other)) {
        return one == other;
    }
    if let Some(equal) = percents(one, other, depth) {
        return equal;
    }
    if let Some(equal) = units(one, other, depth) {
        return equal;
    }
    if let Some(equal) = equations(one, other, depth) {
        return equal;
    }
    if let Some(equal) = thousands(one, other, depth) {
        return equal;
    }
    if let (Some(one), Some(other)) = (matrix(one), matrix(other)) {
        return one.len() == other.len() && one.iter().zip(&other).all(|(a, b)| in_order(a, b, depth));
    }
    if let (Some((open, inner, close)), Some((opens, inside, closes))) = (bracketed(one), bracketed(other)) {
        return (open, close) == (opens, closes) && in_order(&inner, &inside, depth);
    }
    let (many, more) = (several(one), several(other));
    if many.len() > 1 || more.len() > 1 {
        return unordered(&many, &more, depth);
    }
    // A set of one is not its member.
    if many != [one] || more != [other] {
        return many != [one] && more != [other] && same(&many[0], &more[0], depth - 1);
    }
    match (latex::value(one), latex::value(other)) {
        (Some(one), Some(other)) => one.equals(&other) == Some(true),
        _ => false,
    }
}

/// Without dollars, spacing and sizes; one spelling for what has several.
fn clean(text: &str) -> String {
    const OUT: [&str; 20] = [
        "\\left",
        "\\right",
        "\\displaystyle",
        "\\!",
        "\\,",
        "\\;",
        "\\:",
        "\\quad",
        "\\$",
        "$",
        "\\(",
        "\\)",
        "\\[",
        "\\]",
        "^{\\circ}",
        "^\\circ",
        "°",
        "\\degree",
        "\\limits",
        "\\bigl",
    ];
    const TURN: [(&str, &str); 12] = [
        ("{,}", ","),
        ("dfrac", "frac"),
        ("tfrac", "frac"),
        ("\\cdot", "*"),
        ("\\times", "*"),
        ("×", "*"),
        ("·", "*"),
        ("\\div", "/"),
        ("−", "-"),
        ("π", "\\pi "),
        ("~", " "),
        ("∞", "\\infty "),
    ];
    // A line break of a matrix is no spacing before a bracket.
    let mut out = text.replace("\\\\", "\u{1}").replace('\n', " ").replace("\\ ", " ");
    OUT.iter().for_each(|word| out = out.replace(word, ""));
    TURN.iter().for_each(|(from, to)| out = out.replace(from, to));
    let out = out.trim();
    out.strip_suffix('.').unwrap_or(out).trim().to_owned()
}

fn spelling(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The words of an answer that is nothing else, in small letters; a single capital keeps its case, as it may be a
/// variable.
fn words(text: &str) -> Option<String> {
    let mut plain = text.to_owned();
    let mut told = false;
    for command in ["\\text{", "\\textbf{", "\\textit{", "\\mathrm{", "\\mbox{", "\\text {"] {
        while let Some(at) = plain.find(command) {
            let end = at + plain[at..].find('}')?;
            plain.remove(end);
            plain.replace_range(at..at + command.len(), "");
            told = true;
        }
    }
    let plain = plain.trim();
    let inside = plain.strip_prefix('(').and_then(|p| p.strip_suffix(')')).filter(|p| p.len() == 1).unwrap_or(plain);
    let fits = |c: char| c.is_alphabetic() || matches!(c, ' ' | '-' | '\'');
    if inside.is_empty() || !inside.chars().all(fits) || !inside.contains(char::is_alphabetic) {
        return None;
    }
    let single = inside.chars().count() == 1;
    // Up to two bare letters are a product; a lone one is also the word `\text{C}`.
    if inside.chars().count() == 2 && !told {
        return None;
    }
    let joined = inside.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(if single || !told && joined.len() == 3 { joined } else { joined.to_lowercase() })
}

/// A per cent sign on one side: a hundredth of its number. On both: the numbers.
fn percents(one: &str, other: &str, depth: usize) -> Option<bool> {
    let cut = |text: &str| {
        let text = text.trim_end();
        let rest = text.strip_suffix("\\%").or_else(|| text.strip_suffix('%'));
        rest.or_else(|| text.strip_suffix("\\text{ percent}"))
            .or_else(|| text.strip_suffix(" percent"))
            .map(str::to_owned)
    };
    let hundredth = |percent: &str, plain: &str| {
        let value = latex::value(percent)?.over(&Value::whole(100))?;
        value.equals(&latex::value(plain)?)
    };
    match (cut(one), cut(other)) {
        (Some(one), Some(other)) => Some(same(&one, &other, depth - 1)),
        (Some(percent), None) => Some(hundredth(&percent, other) == Some(true)),
        (None, Some(percent)) => Some(hundredth(&percent, one) == Some(true)),
        (None, None) => None,
    }
}

/// Units that may stand without `\text`.
const BARE: [&str; 34] = [
    "cm", "mm", "km", "kg", "inch", "inches", "feet", "foot", "ft", "yard", "yards", "mile", "miles", "meter",
    "meters", "second", "seconds", "minute", "minutes", "hour", "hours", "day", "days", "week", "weeks", "year",
    "years", "dollar", "dollars", "cents", "degrees", "units", "square", "cubic",
];
/// Words behind a number that are part of it.
const COUNTING: [&str; 10] =
    ["hundred", "thousand", "million", "billion", "trillion", "dozen", "percent", "half", "or", "and"];

/// The number and the unit behind it.
fn with_unit(text: &str) -> Option<(&str, String)> {
    for command in ["\\text{", "\\mathrm{", "\\mbox{", "\\textrm{"] {
        let Some(at) = text.rfind(command) else { continue };
        let (unit, power) = text[at + command.len()..].split_once('}')?;
        let known = |c: char| c.is_alphabetic() || matches!(c, ' ' | '.' | '/');
        let counting = unit.split_whitespace().any(|word| COUNTING.contains(&word.to_lowercase().as_str()));
        let power = power.trim().trim_start_matches('^').trim_matches(['{', '}']);
        if !unit.chars().all(known) || counting || unit.trim().is_empty() || !matches!(power, "" | "2" | "3") {
            return None;
        }
        return Some((text[..at].trim_end(), unit_name(&format!("{unit} {power}"))));
    }
    let mut end = text.trim_end();
    while let Some((before, word)) = end.rsplit_once(' ') {
        if !BARE.contains(&word.to_lowercase().as_str()) {
            break;
        }
        end = before.trim_end();
    }
    (end.len() < text.trim_end().len()).then(|| (end, unit_name(&text[end.len()..])))
}

fn unit_name(unit: &str) -> String {
    let words = unit.split_whitespace().map(|word| word.to_lowercase().trim_end_matches(['.', 's']).to_owned());
    words.collect::<Vec<_>>().join(" ")
}

fn units(one: &str, other: &str, depth: usize) -> Option<bool> {
    match (with_unit(one), with_unit(other)) {
        (None, None) => None,
        (Some((one, unit)), Some((other, units))) => Some(unit == units && same(one, other, depth - 1)),
        (Some((one, _)), None) => Some(same(one, other, depth - 1)),
        (None, Some((other, _))) => Some(same(one, other, depth - 1)),
    }
}

/// `x = 5` on one side only is 5; two equations are equal where the differences of their sides are, up to sign.
fn equations(one: &str, other: &str, depth: usize) -> Option<bool> {
    let sides = |text: &str| {
        let mut sides = text.split('=').map(|side| side.trim().to_owned());
        match (sides.next(), sides.next(), sides.next()) {
            (Some(left), Some(right), None) => Some((left, right)),
            _ => None,
        }
    };
    let named = |(left, right): (String, String)| (left.chars().count() <= 2).then_some(right);
    match (one.contains('='), other.contains('=')) {
        (false, false) => None,
        _ if one.contains(',') || other.contains(',') => None,
        (true, false) => Some(sides(one).and_then(named).is_some_and(|value| same(&value, other, depth - 1))),
        (false, true) => Some(sides(other).and_then(named).is_some_and(|value| same(one, &value, depth - 1))),
        (true, true) => {
            let difference = |text: &str| {
                let (left, right) = sides(text)?;
                latex::value(&left)?.add(&latex::value(&right)?.negative()?)
            };
            let (Some(one), Some(other)) = (difference(one), difference(other)) else { return Some(false) };
            let turned = other.negative().and_then(|turned| one.equals(&turned));
            Some(one.equals(&other) == Some(true) || turned == Some(true))
        }
    }
}

/// `1,234` beside a number without commas, or beside another such number.
fn thousands(one: &str, other: &str, depth: usize) -> Option<bool> {
    let grouped = |text: &str| {
        let digits = text.trim().strip_prefix('-').unwrap_or(text.trim());
        let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
        let number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let mut groups = whole.split(',').map(str::trim_end);
        let first = groups.next().is_some_and(|group| (1..=3).contains(&group.len()) && number(group));
        let rest: Vec<&str> = groups.collect();
        first && !rest.is_empty() && rest.iter().all(|group| group.len() == 3 && number(group)) && number(part)
    };
    let bare = |text: &str| text.replace(',', "");
    match (grouped(one), grouped(other)) {
        (true, true) => Some(same(&bare(one), &bare(other), depth - 1)),
        (true, false) if !other.contains(',') => Some(same(&bare(one), other, depth - 1)),
        (false, true) if !one.contains(',') => Some(same(one, &bare(other), depth - 1)),
        _ => None,
    }
}

/// The rows of a matrix, each its cells.
fn matrix(text: &str) -> Option<Vec<Vec<String>>> {
    let kind = ["pmatrix", "bmatrix"].into_iter().find(|kind| text.starts_with(&format!("\\begin{{{kind}}}")))?;
    let inner = text.strip_prefix(&format!("\\begin{{{kind}}}"))?.trim().strip_suffix(&format!("\\end{{{kind}}}"))?;
    let inner = inner.trim().trim_end_matches('\u{1}');
    Some(inner.split('\u{1}').map(|row| row.split('&').map(|cell| cell.trim().to_owned()).collect()).collect())
}

/// Brackets around at least two items: a tuple or an interval.
fn bracketed(text: &str) -> Option<(char, Vec<String>, char)> {
    let (open, close) = (text.chars().next()?, text.chars().last()?);
    if !matches!(open, '(' | '[') || !matches!(close, ')' | ']') {
        return None;
    }
    let items = split(&text[1..text.len() - 1], &[","])?;
    (items.len() > 1).then_some((open, items, close))
}

/// The items of a list, a set or a union, or both values of ±; else the text itself.
fn several(text: &str) -> Vec<String> {
    let alone = || vec![text.to_owned()];
    let set = text.strip_prefix("\\{").and_then(|text| text.strip_suffix("\\}"));
    if set.is_none() && text.contains("\\cup") {
        return split(text, &["\\cup"]).unwrap_or_else(alone);
    }
    let list = ["\\text{ and }", "\\text{ or }", "\\text{and}", "\\text{or}", " and ", " or "];
    let text_with_commas = list.iter().fold(set.unwrap_or(text).to_owned(), |text, word| text.replace(word, ","));
    let items = split(&text_with_commas.replace(",,", ","), &[",", ";"]).unwrap_or_else(alone);
    let both = items.into_iter().flat_map(|item| match item.split_once("\\pm") {
        Some((left, right)) if !right.contains("\\pm") => vec![format!("{left}+{right}"), format!("{left}-{right}")],
        _ => vec![item],
    });
    both.collect()
}

/// Cuts at separators that stand outside of all brackets; `None` where brackets don't pair.
fn split(text: &str, at: &[&str]) -> Option<Vec<String>> {
    let (mut items, mut item, mut depth) = (Vec::new(), String::new(), 0_i32);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return None;
        }
        if let Some(separator) = at.iter().find(|separator| depth == 0 && rest.starts_with(**separator)) {
            items.push(std::mem::take(&mut item).trim().to_owned());
            rest = &rest[separator.len()..];
            continue;
        }
        item.push(c);
        rest = &rest[c.len_utf8()..];
    }
    items.push(item.trim().to_owned());
    (depth == 0 && items.len() <= ITEMS).then_some(items)
}

fn in_order(one: &[String], other: &[String], depth: usize) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other, depth - 1))
}

/// The same items in any order, each used once.
fn unordered(one: &[String], other: &[String], depth: usize) -> bool {
    let mut left: Vec<&String> = other.iter().collect();
    one.len() == other.len()
        && one.iter().all(|item| {
            let found = left.iter().position(|other| same(item, other, depth - 1));
            found.map(|at| left.swap_remove(at)).is_some()
        })
}
