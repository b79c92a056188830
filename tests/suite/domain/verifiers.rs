//! How answers are read and held against gold, in small tables.

use footbridge::domain::{Verifier, gold_from_solution};

#[test]
fn verifier_names_are_read_back() {
    for verifier in Verifier::ALL {
        assert_eq!(verifier.name().parse(), Ok(verifier));
        assert_eq!(serde_json::to_value(verifier).unwrap(), verifier.name());
    }
    let error = "gsm8k".parse::<Verifier>().unwrap_err().to_string();
    assert!(error.contains("`gsm8k`") && error.contains("gsm8k-strict"), "{error}");
}

#[test]
fn gold_answers_are_normalised_for_their_rule() {
    let table = [
        (Verifier::Gsm8kStrict, "He sold 24.\n#### 1,234", "1234"),
        (Verifier::Gsm8kStrict, "24.0", "24"),
        (Verifier::Gsm8kStrict, " $5.50. ", "5.50"),
        (Verifier::Numeric, "-1/2", "-1/2"),
        (Verifier::Math, "so \\boxed{\\frac{1}{2}}.", "\\frac{1}{2}"),
        (Verifier::Math, "(1, 2)", "(1, 2)"),
    ];
    for (verifier, answer, gold) in table {
        assert_eq!(verifier.normalise_gold(answer), gold, "{verifier} on {answer:?}");
    }
    assert_eq!(gold_from_solution("a #### b\nc\n#### 1,234 \n"), "1,234");
    assert_eq!(gold_from_solution(" 7 "), "7");
}

#[test]
fn the_last_line_must_be_the_gold_answer() {
    assert!(Verifier::Gsm8kStrict.ends_with_gold("so\n#### 1,234\n", "1234"));
    assert!(Verifier::Numeric.ends_with_gold("#### 0.50", "1/2"));
    assert!(Verifier::Math.ends_with_gold("#### \\frac12", "\\frac{1}{2}"));
    for text in ["#### 1234\nWait.", "so #### 1234", "#### 123", "####", ""] {
        assert!(!Verifier::Gsm8kStrict.ends_with_gold(text, "1234"), "{text:?}");
    }
    assert!(!Verifier::Gsm8kStrict.ends_with_gold("####", ""), "nothing is no answer");
}

#[test]
fn the_math_rule_reads_markers_only_without_boxes() {
    assert_eq!(Verifier::Math.judge("so\n#### \\frac{1}{2}", "\\frac12").answer.as_deref(), Some("\\frac{1}{2}"));
    assert!(Verifier::Math.judge("so\n#### \\frac{1}{2}", "\\frac12").correct);
    assert_eq!(Verifier::Math.judge("\\boxed{7\n#### 7", "7").answer, None);
    assert!(Verifier::Math.judge("\\boxed{\\sqrt3}", "\\sqrt{3}").correct);
    assert!(Verifier::Math.judge("\\boxed{3/4}", "\\dfrac{3}{4}").correct);
    assert!(!Verifier::Hendrycks.judge("\\boxed{03/4}", "\\dfrac{3}{4}").correct, "spellings, not values");
}

#[test]
fn a_number_of_any_length_is_compared_exactly() {
    let long = "9".repeat(5_000);
    assert!(Verifier::Numeric.judge(&format!("#### 0{long}.0"), &long).correct);
    assert!(!Verifier::Numeric.judge(&format!("#### {long}8"), &format!("{long}9")).correct);
    assert!(Verifier::Numeric.judge("#### 2/4", "0.5").correct);
    assert!(Verifier::Numeric.judge("#### -0.0", "0").correct);
}

#[test]
fn the_numeric_rule_does_not_guess() {
    for unclear in
        ["3-4", "7 + 2 = 9", "7 = 7", "1e5", "2^10", "12:30", "1.2.3", "1,2345", "x", "3 1/2", "2020-01-02", "5 * 3"]
    {
        let verdict = Verifier::Numeric.judge(&format!("#### {unclear}"), "7");
        assert_eq!(verdict.answer, None, "{unclear}");
    }
    for (clear, read) in [
        ("72.", "72"),
        ("5km", "5"),
        ("-$5", "-5"),
        ("5 - as said", "5"),
        ("1,234,567.80", "1234567.8"),
        ("10 or 20", "10"),
    ] {
        assert_eq!(Verifier::Numeric.judge(&format!("#### {clear}"), "0").answer.as_deref(), Some(read), "{clear}");
    }
}

#[test]
fn nesting_costs_no_more_than_its_length() {
    let begun = std::time::Instant::now();
    for (open, close) in [("\\sin(", ")"), ("\\sin((1+", ")^{9})"), ("(1+", ")^{t}")] {
        for times in 1..24 {
            let answer = format!("\\boxed{{{}t{}}}", open.repeat(times), close.repeat(times));
            assert!(Verifier::Math.judge(&answer, &Verifier::Math.normalise_gold(&answer)).correct, "{answer}");
            let other = answer.replace('t', "z");
            assert!(!Verifier::Math.judge(&other, &Verifier::Math.normalise_gold(&answer)).correct, "{answer}");
        }
    }
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}
