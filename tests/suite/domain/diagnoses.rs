//! Where an error stands in an answer, and what makes a diagnosis whole.

use footbridge::domain::{
    Diagnosis, DiagnosisFault, MatchKind, Verifier, check_diagnosis, find_excerpt, parse_diagnosis, prefix_before,
};

const ANSWER: &str = "Tom has 3 boxes.\nHe packs  $4 \\times 5 = 25$ apples.\nSo Tom has 25 - 2 = 23 apples.\n#### 23";

#[test]
fn excerpts_are_found_exactly_then_nearly() {
    let text = |excerpt: &str| find_excerpt(ANSWER, excerpt).map(|found| (&ANSWER[found.start..found.end], found.kind));
    assert_eq!(text("So Tom has 25 - 2"), Some(("So Tom has 25 - 2", MatchKind::Exact)));
    let formula = "packs  $4 \\times 5 = 25$ apples.";
    assert_eq!(text("Packs 4 * 5 = 25 apples."), Some((formula, MatchKind::Normalised)));
    assert_eq!(text("packs \\(4 × 5 = 25\\) apples."), Some((formula, MatchKind::Normalised)));
    let (found, kind) = text("so Tom had 25 − 2 = 23 aples").unwrap();
    assert_eq!((found, kind), ("So Tom has 25 - 2 = 23 apples", MatchKind::Fuzzy));
    for missing in ["", "   ", "He eats every one of them", "\\[ \\]", "zzz"] {
        assert_eq!(text(missing), None, "{missing:?}");
    }
    assert_eq!(find_excerpt(&"ab ".repeat(100), &"ab ".repeat(41)), None, "longer than allowed");
}

#[test]
fn the_prefix_ends_before_the_wrong_step() {
    let before = |excerpt: &str| prefix_before(ANSWER, &find_excerpt(ANSWER, excerpt).unwrap());
    assert_eq!(before("= 25$"), "Tom has 3 boxes.");
    assert_eq!(before("3 boxes"), "");
    assert_eq!(
        before("#### 23"),
        "Tom has 3 boxes.\nHe packs  $4 \\times 5 = 25$ apples.\nSo Tom has 25 - 2 = 23 apples."
    );
}

pub(super) fn diagnosis() -> Diagnosis {
    Diagnosis {
        first_error: "$4 \\times 5 = 25$".into(),
        error_type: "calculation error".into(),
        why_wrong: "4 times 5 is 20.".into(),
        missing_knowledge: "multiplication".into(),
        minimal_fix: "Multiply again.".into(),
        correct_next_step: "He packs 4 * 5 = 20 apples.".into(),
        short_correct_reasoning: "4 * 5 = 20\n20 - 2 = 18\n#### 1,018".into(),
    }
}

#[test]
fn diagnoses_pass_only_whole() {
    let found = check_diagnosis(&diagnosis(), ANSWER, "1018", Verifier::Gsm8kStrict, 120).unwrap();
    assert_eq!((&ANSWER[found.start..found.end], found.kind), ("$4 \\times 5 = 25$", MatchKind::Exact));
    let faults = |change: fn(&mut Diagnosis)| {
        let mut changed = diagnosis();
        change(&mut changed);
        check_diagnosis(&changed, ANSWER, "1018", Verifier::Gsm8kStrict, 120).unwrap_err()
    };
    assert_eq!(faults(|d| d.why_wrong = " ".into()), [DiagnosisFault::EmptyField("why_wrong")]);
    assert_eq!(faults(|d| d.first_error = String::new()), [DiagnosisFault::EmptyField("first_error")]);
    assert_eq!(faults(|d| d.first_error = "x".repeat(121)), [DiagnosisFault::LongExcerpt { length: 121, most: 120 }]);
    assert_eq!(faults(|d| d.first_error = "not there at all".into()), [DiagnosisFault::ExcerptNotFound]);
    assert_eq!(faults(|d| d.correct_next_step = d.first_error.clone()), [DiagnosisFault::RepeatsError]);
    assert_eq!(faults(|d| d.short_correct_reasoning.push_str("\nDone.")), [DiagnosisFault::WrongAnswer("1018".into())]);
}

#[test]
fn diagnoses_have_exactly_seven_fields() {
    let json = serde_json::to_string(&diagnosis()).unwrap();
    assert_eq!(parse_diagnosis(&json), Ok(diagnosis()));
    assert_eq!(parse_diagnosis(&format!("```json\n{json}\n```\n")), Ok(diagnosis()));
    let eight = json.replacen('{', "{\"note\":\"x\",", 1);
    let six = json.replacen("\"why_wrong\":\"4 times 5 is 20.\",", "", 1);
    for (bad, word) in
        [(eight.as_str(), "note"), (six.as_str(), "why_wrong"), ("", "EOF"), ("{\"first_error\": 3}", "string")]
    {
        let error = parse_diagnosis(bad).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}
