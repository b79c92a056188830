//! Reading products out of any text.

use footbridge::domain::{Action, check_edit, parse_diagnosis};
use footbridge::teacher::model::read::{edit, score, trace, without_thoughts};
use proptest::prelude::*;

#[test]
fn only_the_five_numbers_are_scores() {
    for (text, value) in [
        ("0", 0.0),
        (" 0.25\n", 0.25),
        (".5", 0.5),
        ("0.50", 0.5),
        ("Score: 0.75", 0.75),
        ("score:1", 1.0),
        ("1.0", 1.0),
    ] {
        assert_eq!(score(text), Ok(value), "{text}");
    }
    for text in [
        "",
        "0.3",
        "0.250",
        "2",
        "-0",
        "+1",
        "1.",
        "0,5",
        "1e0",
        "0.5 or 0.75",
        "0.5.",
        "**0.5**",
        "I: 0.5",
        "NaN",
        "inf",
        "0.5\n0.5",
        "score: high",
        "0.2 5",
        "½",
        "٠",
    ] {
        assert!(score(text).is_err(), "{text}");
    }
}

/// Any text, and text made of what parsers look for.
fn any_words() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "####",
        "#### 6",
        "\n",
        "```",
        "```json\n",
        "<think>",
        "</think>",
        "score:",
        "0.5",
        "1",
        "{",
        "}",
        "\"",
        "“",
        "”",
        "NOTHING",
        "Step:",
        "**",
        ":",
        " ",
        "=",
        "6",
        "é",
        "\u{1b}[2J",
        "\u{202e}",
        "\u{0}",
        "𝔸",
    ]);
    prop_oneof![any::<String>(), prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())]
}

proptest! {
    #[test]
    fn no_text_is_misread_or_panics(text in any_words(), step in any_words()) {
        if let Ok(value) = score(&text) {
            prop_assert!([0.0, 0.25, 0.5, 0.75, 1.0].contains(&value));
            prop_assert!(text.trim().len() <= 32);
        }
        if let Ok(read) = trace(&text) {
            prop_assert_eq!(read.matches("####").count(), read.lines().last().unwrap_or("").matches("####").count());
            prop_assert!(read.lines().count() > 1);
        }
        for may_vanish in [true, false] {
            if let Ok(read) = edit(&text, may_vanish) {
                prop_assert!(may_vanish || !read.is_empty());
                prop_assert!(text.contains(&read));
            }
        }
        if let Ok(answer) = without_thoughts(&text) {
            prop_assert!(text.contains(answer));
        }
        for action in Action::ALL {
            let _ = check_edit(action, &step, &text);
        }
        let _ = parse_diagnosis(&text);
    }
}
