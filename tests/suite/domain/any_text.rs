//! Whatever the text: nothing panics, nothing takes longer than in proportion to the text, and what must hold, holds.

use std::fmt::Write as _;

use footbridge::domain::steps::{in_code_points, separator_of};
use footbridge::domain::{
    Action, EditedStep, MatchKind, Verifier, assemble, count_steps, find_excerpt, gold_from_solution, parse_diagnosis,
    prefix_before, repeats_itself, split_answer, split_steps, strip_control,
};
use proptest::prelude::*;

/// Pieces that the rules react to, so that random texts reach every branch.
const PIECES: [&str; 58] = [
    "#### ",
    "####",
    "###",
    "# ",
    "\n",
    "\n\n",
    "\r\n",
    " ",
    "\t",
    "7",
    "72",
    "1,234",
    "1,23",
    ".5",
    "72.",
    "-",
    "−",
    "$",
    "€",
    "%",
    "/",
    "1/2",
    "0",
    "**",
    "\\boxed{",
    "\\boxed ",
    "\\fbox{",
    "{",
    "}",
    "\\frac",
    "\\sqrt",
    "\\text{ ",
    "=",
    "x=",
    "Step 1: ",
    "**Step 2:**",
    "\\[",
    "\\]",
    "$$",
    "The bags hold 3 * 4 = 12 apples. ",
    "Mr. Lee has 5. ",
    "e.g. ",
    "。",
    "\u{1b}[31m",
    "\u{1b}]0;x\u{7}",
    "\u{1b}]",
    "\u{9b}",
    "\u{1b}",
    "\u{202e}",
    "\u{200b}",
    "ß",
    "İ",
    "é",
    "e\u{301}",
    "👩‍🚀",
    "١٢",
    "\u{0}",
    "|",
];

fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => prop::sample::select(&PIECES[..]).prop_map(str::to_string),
        2 => any::<char>().prop_map(String::from),
        1 => "[a-z ]{0,40}",
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn verifiers_take_any_text(output in any_text(), gold in any_text()) {
        for verifier in Verifier::ALL {
            let verdict = verifier.judge(&output, &gold);
            prop_assert!(verdict.answer.is_some() || !verdict.correct, "{verifier}: right without an answer");
            verifier.ends_with_gold(&output, &gold);
            let normal = verifier.normalise_gold(&gold);
            if !matches!(verifier, Verifier::Math | Verifier::Hendrycks) {
                prop_assert!(!normal.contains("####"));
            }
        }
    }

    #[test]
    fn a_plain_answer_line_is_right_for_every_number_rule(before in "[a-zA-Z .\n]{0,80}", n in -99_999_i64..99_999, off in 1_i64..50) {
        let output = format!("{before}\n#### {n}");
        for verifier in Verifier::ALL.into_iter().filter(|verifier| *verifier != Verifier::Choice) {
            prop_assert!(verifier.judge(&output, &n.to_string()).correct, "{verifier} on {output:?}");
            prop_assert!(!verifier.judge(&output, &(n + off).to_string()).correct, "{verifier} on {output:?}");
            prop_assert!(verifier.ends_with_gold(&output, &n.to_string()));
            prop_assert!(!verifier.ends_with_gold(&output, &(n + off).to_string()));
        }
    }

    #[test]
    fn the_numeric_rule_knows_a_number_in_any_dress(n in 0_u32..2_000_000, hundredths in 0_u32..100, negative: bool) {
        let mut grouped = String::new();
        for (i, digit) in n.to_string().chars().enumerate() {
            if i > 0 && (n.to_string().len() - i) % 3 == 0 {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        let sign = if negative { "-" } else { "" };
        let gold = format!("{sign}{n}.{hundredths:02}");
        let cents = i64::from(n) * 100 + i64::from(hundredths);
        for dressed in [
            format!("#### {sign}{grouped}.{hundredths:02}00"),
            format!("#### **{sign}${n}.{hundredths:02}** dollars"),
            format!("####\n {sign} 0{n}.{hundredths:02}."),
            format!("#### {sign}{cents}/100"),
        ] {
            prop_assert!(Verifier::Numeric.judge(&dressed, &gold).correct, "{dressed:?} against {gold}");
        }
        let other = format!("#### {sign}{}/100", cents + 1);
        prop_assert!(!Verifier::Numeric.judge(&other, &gold).correct);
    }

    #[test]
    fn steps_cover_the_text_in_order(trace in any_text(), max in 0_usize..9) {
        let steps = split_steps(&trace, max);
        prop_assert!(steps.len() <= max.max(1));
        prop_assert_eq!(steps.is_empty(), trace.trim().is_empty());
        let mut rebuilt = String::new();
        for step in &steps {
            prop_assert_eq!(step.start, rebuilt.len());
            prop_assert!(trace[step.start..step.text].trim().is_empty(), "a separator is blank");
            prop_assert!(!step.of(&trace).is_empty() && step.of(&trace) == step.of(&trace).trim());
            write!(rebuilt, "{}", &trace[step.start..step.end]).unwrap();
        }
        prop_assert!(steps.is_empty() || rebuilt == trace);
        for (bytes, points) in steps.iter().zip(in_code_points(&trace, &steps)) {
            let count = |end: usize| trace[..end].chars().count();
            prop_assert_eq!((points.start, points.text, points.end), (count(bytes.start), count(bytes.text), count(bytes.end)));
        }
        prop_assert_eq!(split_steps(&trace, max), steps);
    }

    #[test]
    fn answer_lines_come_off_whole(trace in any_text()) {
        let (body, answer) = split_answer(&trace);
        prop_assert!(trace.starts_with(body));
        match answer {
            Some(line) => {
                prop_assert!(line.starts_with("####") && !line.contains('\n'));
                prop_assert!(trace.trim_end().ends_with(line) && body.len() + line.len() <= trace.len());
            }
            None => prop_assert_eq!(body, trace.as_str()),
        }
        count_steps(&trace);
        gold_from_solution(&trace);
        repeats_itself(&trace);
        let _ = parse_diagnosis(&trace);
    }

    #[test]
    fn a_bridged_trace_ends_with_the_answer(
        texts in prop::collection::vec((any_text(), prop::sample::select(&Action::ALL[..]), any::<bool>(), prop::option::of(any_text())), 0..6),
        gold in "-?[0-9]{1,6}",
    ) {
        let steps: Vec<EditedStep> = texts.iter()
            .map(|(original, action, local, edited)| EditedStep { original, action: *action, local_sample: *local, edited: edited.as_deref() })
            .collect();
        let bridged = assemble(&steps, "\n", &gold);
        let answer = format!("#### {gold}");
        prop_assert_eq!(bridged.text.lines().last(), Some(answer.as_str()));
        for local in &bridged.locals {
            prop_assert!(bridged.text.starts_with(&local.prefix) && bridged.text.contains(&local.target));
            prop_assert!(!local.target.trim().is_empty());
        }
    }

    #[test]
    fn any_piece_of_an_answer_is_found_in_it(answer in any_text(), from: prop::sample::Index, length in 1_usize..120) {
        let points: Vec<char> = answer.chars().collect();
        prop_assume!(!points.is_empty());
        let from = from.index(points.len());
        let piece: String = points[from..].iter().take(length).collect();
        let found = find_excerpt(&answer, &piece);
        prop_assert_eq!(found.is_none(), piece.trim().is_empty());
        if let Some(found) = found {
            prop_assert_eq!(found.kind, MatchKind::Exact);
            prop_assert_eq!(&answer[found.start..found.end], piece.trim());
            let prefix = prefix_before(&answer, &found);
            prop_assert!(answer.starts_with(prefix) && prefix.len() <= found.start);
        }
    }

    #[test]
    fn any_excerpt_may_be_asked_for(answer in any_text(), excerpt in any_text()) {
        if let Some(found) = find_excerpt(&answer, &excerpt) {
            prop_assert!(found.start < found.end && answer.get(found.start..found.end).is_some());
        }
    }

    #[test]
    fn nothing_that_steers_a_terminal_is_left(text in any_text()) {
        let clean = strip_control(&text);
        prop_assert!(clean.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()));
        prop_assert_eq!(strip_control(&clean), clean.as_ref());
        let plain: String = text.chars().filter(|c| c.is_ascii_graphic()).collect();
        prop_assert_eq!(strip_control(&plain), plain.as_str());
    }
}

/// A megabyte of one thing after the other. Work that grows with the square would take hours here, and be seen by that.
#[test]
fn a_megabyte_of_anything_is_got_through() {
    let more = [
        "(",
        "a",
        "\u{9b}0",
        "\u{1b}]x",
        "Step 1\n",
        "a. A",
        "\\[\n",
        "#### \n",
        "#### 7\n",
        "12 ",
        "👩‍🚀",
        "- ",
        "1,234,",
        "x=/",
    ];
    for piece in PIECES.iter().chain(&more) {
        let long = piece.repeat(1_000_000 / piece.len());
        let texts = [long.clone(), format!("#### {long}"), format!("\\boxed{{{long}}}\n#### 7")];
        for text in &texts {
            for verifier in Verifier::ALL {
                verifier.judge(text, "7");
                verifier.judge("#### 7", text);
                verifier.ends_with_gold(text, text);
            }
            let steps = split_steps(text, 1_000);
            in_code_points(text, &steps);
            separator_of(text, &steps);
            count_steps(text);
            strip_control(text);
            repeats_itself(text);
            let original = EditedStep { original: text, action: Action::Keep, local_sample: true, edited: None };
            assemble(&[original], "\n", "7");
        }
        find_excerpt(&piece.repeat(100_000 / piece.len()), "a piece that is not in the text at all");
    }
}
