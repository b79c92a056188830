//! Words for the screen: control characters out, widths kept, numbers and times short.
//!
//! Text from models and files may hold escape codes that would move the cursor, recolour or retitle the terminal, and
//! marks that reverse the reading direction. None of them passes here.

use std::time::Duration;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::domain::{acts, strip_control};

/// One printable line: line breaks and tabs become a space, what acts instead of being read vanishes.
pub fn printable(text: &str) -> String {
    strip_control(text).chars().map(|c| if matches!(c, '\n' | '\t') { ' ' } else { c }).collect()
}

/// As [`printable`], with the line breaks and tabs kept.
pub fn printable_lines(text: &str) -> String {
    strip_control(text).into_owned()
}

/// A JSON document on one line, with every acting character inside its strings written as an escape.
pub fn escape_json_line(json: &str) -> String {
    let mut line = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\n' | '\r' | '\t' => line.push(' '),
            c if acts(c) => {
                c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| line.push_str(&format!("\\u{unit:04x}")))
            }
            c => line.push(c),
        }
    }
    line
}

/// As [`escape_json_line`], with the line breaks kept: a document over several lines, or a document a line.
pub fn escape_json(json: &str) -> String {
    json.split('\n').map(escape_json_line).collect::<Vec<_>>().join("\n")
}

/// Columns a text takes on the terminal.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text cut to `columns`, with `ellipsis` where something is missing.
pub fn fit(text: &str, columns: usize, ellipsis: &str) -> String {
    if width(text) <= columns {
        return text.to_string();
    }
    let (mut kept, mut used) = (String::new(), width(ellipsis));
    if used > columns {
        return String::new();
    }
    for cluster in text.graphemes(true) {
        used += width(cluster);
        if used > columns {
            break;
        }
        kept.push_str(cluster);
    }
    kept + ellipsis
}

/// The text broken into lines of at most `columns`, at spaces where there are any. Never empty.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let (mut lines, mut line, mut used) = (Vec::new(), String::new(), 0);
    for word in text.split_inclusive(' ') {
        if used > 0 && used + width(word.trim_end()) > columns {
            lines.push(std::mem::take(&mut line).trim_end().to_string());
            used = 0;
        }
        for cluster in word.graphemes(true) {
            if used > 0 && used + width(cluster) > columns {
                if cluster == " " {
                    continue;
                }
                lines.push(std::mem::take(&mut line).trim_end().to_string());
                used = 0;
            }
            line.push_str(cluster);
            used += width(cluster);
        }
    }
    if !line.trim().is_empty() || lines.is_empty() {
        lines.push(line.trim_end().to_string());
    }
    lines
}

/// The first of some lines; where there are more, the last of them ends with `ellipsis`, in at most `columns`.
pub fn few(mut lines: Vec<String>, most: usize, columns: usize, ellipsis: &str) -> Vec<String> {
    let more = lines.len() > most;
    lines.truncate(most);
    if let Some(last) = lines.last_mut().filter(|_| more) {
        let kept = columns.saturating_sub(width(ellipsis));
        *last = fit(last, kept, "") + ellipsis;
    }
    lines
}

/// `0:07`, `12:40`, `3:02:11`.
pub fn clock(time: Duration) -> String {
    let s = time.as_secs();
    let (h, m, s) = (s / 3600, s / 60 % 60, s % 60);
    if h > 0 { format!("{h}:{m:02}:{s:02}") } else { format!("{m}:{s:02}") }
}

/// A span of time in one unit: `59 s`, `12 min`, `2.0 h`, `2.3 d`; `·` for next to none, `?` where it isn't known.
pub fn span(seconds: f64) -> String {
    match seconds {
        s if !s.is_finite() => "?".into(),
        s if s < 0.5 => "·".into(),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7_200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3_600.0),
        s => format!("{:.1} d", s / 86_400.0),
    }
}

/// Seconds that came from elsewhere as a duration: nonsense becomes zero.
pub fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or_default()
}

/// `950`, `14.2k`, `3.1M`, `2.0G`, `5e12`: three figures are enough to watch.
pub fn short(value: f64) -> String {
    match value {
        v if !v.is_finite() => "?".to_string(),
        v if v.abs() >= 9.9995e11 => format!("{v:.0e}"),
        v if v.abs() >= 9.9995e8 => format!("{:.1}G", v / 1e9),
        v if v.abs() >= 999_950.0 => format!("{:.1}M", v / 1e6),
        v if v.abs() >= 9_999.5 => format!("{:.1}k", v / 1e3),
        v => format!("{v:.0}"),
    }
}

/// A value of a curve in at most seven characters: `.612`, `-.03`, `187`, `1e-4`.
pub fn figure(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "?".to_string()
    } else if size == 0.0 {
        "0".to_string()
    } else if size >= 9_999.5 {
        short(value)
    } else if size >= 99.5 {
        format!("{value:.0}")
    } else if size >= 0.9995 {
        format!("{value:.2}")
    } else if size >= 0.0005 {
        format!("{value:.3}").replacen("0.", ".", 1)
    } else {
        format!("{value:.0e}")
    }
}

/// `1,988`: whole numbers that a person counts with.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_acts_on_a_terminal_passes() {
        let hostile = "a\u{1b}[31mred\u{1b}]0;title\u{7}\r\nb\tc\u{9b}2J\u{202e}d\u{7f}";
        assert_eq!(printable(hostile), "ared b cd");
        assert_eq!(printable_lines("x\u{1b}[2J\ny\r\u{61c}"), "x\ny");
        // Nor what turns lines around, takes no room, or breaks a line unseen.
        let unseen = "a\u{61c}\u{200b}\u{2060}\u{2063}\u{206a}\u{206f}\u{180e}\u{feff}\u{ad}\u{e0061}b";
        assert_eq!((printable(unseen), printable_lines(unseen)), ("ab".to_string(), "ab".to_string()));
        assert_eq!((printable("a\u{2028}b").as_str(), printable_lines("a\u{2029}b").as_str()), ("a b", "a\nb"));
    }

    #[test]
    fn json_keeps_its_meaning_when_escaped() {
        let value = serde_json::json!({"message": "a\u{9b}b\u{7f}\u{1b}c\u{202e}\u{e0061}"});
        let line = escape_json_line(&value.to_string());
        assert!(!line.chars().any(acts));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), value);
        let page = escape_json(&format!("{value:#}\n"));
        assert!(!page.chars().any(|c| c != '\n' && acts(c)) && page.lines().count() == 3 && page.ends_with('\n'));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&page).unwrap(), value);
    }

    #[test]
    fn fits_by_columns_not_by_bytes() {
        assert_eq!(fit("abcdef", 6, "…"), "abcdef");
        assert_eq!(fit("abcdefg", 6, "…"), "abcde…");
        assert_eq!(fit("日本語", 5, "…"), "日本…");
        assert_eq!(fit("日本語", 4, "…"), "日…");
        assert_eq!(fit("ab", 0, "…"), "");
    }

    #[test]
    fn wraps_at_spaces_and_cuts_long_words() {
        assert_eq!(wrap("the tall bridge", 8), ["the tall", "bridge"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("pass@8 .719 and more", 11), ["pass@8 .719", "and more"]);
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("日本", 1), ["日", "本"]);
    }

    #[test]
    fn lines_that_are_left_out_leave_a_sign() {
        let lines = || vec!["one two".to_string(), "three".to_string(), "four".to_string()];
        assert_eq!(few(lines(), 3, 9, "…"), lines());
        assert_eq!(few(lines(), 2, 9, "…"), ["one two", "three…"]);
        assert_eq!(few(lines(), 1, 7, "…"), ["one tw…"]);
        assert!(few(lines(), 0, 7, "…").is_empty());
    }

    #[test]
    fn times_and_numbers_are_short() {
        for (s, text) in [(7, "0:07"), (760, "12:40"), (10_931, "3:02:11")] {
            assert_eq!(clock(Duration::from_secs(s)), text);
        }
        assert_eq!(clock(seconds(f64::NAN)), "0:00");
        let spans = [0.0, 59.6, 600.0, 7_300.0, 200_000.0, f64::INFINITY].map(span);
        assert_eq!(spans, ["·", "60 s", "10 min", "2.0 h", "2.3 d", "?"]);
        for (v, text) in [
            (950.4, "950"),
            (14_213.0, "14.2k"),
            (3_140_000.0, "3.1M"),
            (f64::INFINITY, "?"),
            (2.04e9, "2.0G"),
            (-5e30, "-5e30"),
        ] {
            assert_eq!(short(v), text);
        }
        for (v, text) in
            [(0.6123, ".612"), (-0.031, "-.031"), (187.2, "187"), (1e-4, "1e-4"), (0.0, "0"), (1.0, "1.00")]
        {
            assert_eq!(figure(v), text);
        }
        for (v, text) in [(7, "7"), (988, "988"), (1_988, "1,988"), (1_234_567, "1,234,567")] {
            assert_eq!(count(v), text);
        }
    }
}
