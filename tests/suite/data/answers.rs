//! The math and choice verifiers: what is equal, what only looks so, and any text at all.

use proptest::prelude::*;

use super::*;

fn equal(one: &str, other: &str) -> bool {
    let judge = |output: &str, gold: &str| Verifier::Math.judge(&format!("so \\boxed{{{output}}}"), gold).correct;
    let (there, back) = (judge(one, other), judge(other, one));
    assert_eq!(there, back, "{one} and {other}");
    there
}

#[test]
fn equal_answers_in_other_spellings() {
    for (one, other) in [
        ("\\frac{1}{2}", "0.50"),
        ("\\dfrac34", "\\frac{3}{4}"),
        ("\\frac{2}{4}", "\\frac12"),
        ("3\\frac{1}{2}", "\\frac{7}{2}"),
        ("0.\\overline{3}", "\\frac13"),
        ("-\\frac{1}{3}", "\\frac{-1}{3}"),
        ("\\sqrt{12}", "2\\sqrt{3}"),
        ("\\frac{1}{\\sqrt{3}}", "\\frac{\\sqrt{3}}{3}"),
        ("\\sqrt[3]{16}", "2\\sqrt[3]{2}"),
        ("\\frac{\\pi}{2}", "0.5\\pi"),
        ("p-q", "-q+p"),
        ("(x+1)^2", "x^2+2x+1"),
        ("2^{10}", "1024"),
        ("5!", "120"),
        ("1{,}234", "1234"),
        ("\\$1,234.50", "1234.5"),
        ("50\\%", "0.5"),
        ("50\\%", "50\\text{ percent}"),
        ("5\\text{ cm}", "5"),
        ("12\\,\\mathrm{cm}^2", "12"),
        ("7 \\text{ inches}", "7\\text{ inch}"),
        ("10 square feet", "10"),
        ("90^\\circ", "90"),
        ("x=5", "5.0"),
        ("y = 2x+3", "y = 3+2x"),
        ("x^2+y^2=4", "x^2+y^2-4=0"),
        ("\\left( 3, \\frac{\\pi}{2} \\right)", "(3,\\pi/2)"),
        ("[0.5,1)", "\\left[\\frac12,1\\right)"),
        ("(-\\infty,2)\\cup(3,\\infty)", "(3,\\infty) \\cup (-\\infty, 2)"),
        ("2,1", "1,2"),
        ("1 \\text{ and } 2", "2, 1"),
        ("\\{1,2\\}", "\\{2,1\\}"),
        ("1 \\pm \\sqrt{2}", "1-\\sqrt2, 1+\\sqrt2"),
        ("\\begin{pmatrix} 1/5 \\\\ -18/5 \\end{pmatrix}", "\\begin{pmatrix} 0.2 \\\\ -3.6 \\end{pmatrix}"),
        ("Evelyn", "\\text{Evelyn}"),
        ("\\text{(C)}", "C"),
        ("\\sin(2x)", "\\sin (x+x)"),
        ("\\log_2 8", "\\log_{2}{8}"),
    ] {
        assert!(equal(one, other), "{one} is {other}");
    }
}

#[test]
fn unequal_answers_that_look_alike() {
    for (one, other) in [
        ("0.333", "\\frac13"),
        ("0.3333333333333333", "\\frac13"),
        ("1.4142135623730951", "\\sqrt2"),
        ("3.14159265358979", "\\pi"),
        ("\\frac{1}{2}", "\\frac{2}{1}"),
        ("2\\sqrt3", "3\\sqrt2"),
        ("x^2", "2x"),
        ("p-q", "q-p"),
        ("(1,2)", "(2,1)"),
        ("(1,2)", "[1,2]"),
        ("(1,2)", "(1,2]"),
        ("1,2", "1,2,3"),
        ("1,1,2", "1,2,2"),
        ("\\{1\\}", "2"),
        ("1,234", "1,2,3,4"),
        ("123,456", "456,123"),
        ("50\\%", "5"),
        ("0.5\\%", "50"),
        ("5\\,\\mathrm{cm}", "5\\,\\mathrm{m}"),
        ("5\\text{ million}", "6"),
        ("3\\text{ dozen}", "3\\,"),
        ("1011_2", "1011"),
        ("1011_2", "1011_3"),
        ("cat", "act"),
        ("ab", "ac"),
        ("\\text{no}", "on"),
        ("f(2x)", "2f(x)"),
        ("\\sin 2x", "2\\sin x"),
        ("sin(2x)", "2sin(x)"),
        ("\\sin^{-1} x", "\\frac{1}{\\sin x}"),
        ("y=2x", "y=3x"),
        ("x \\le 3", "x < 3"),
        ("2^n", "2n"),
        ("\\infty", "-\\infty"),
        ("\\frac{1}{0}", "\\frac{2}{0}"),
        ("\\sqrt{-4}", "2"),
        ("1/2x", "2x"),
        ("3 1/2", "\\frac{31}{2}"),
        ("\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}", "\\begin{pmatrix} 2 \\\\ 1 \\end{pmatrix}"),
        ("A", "B"),
        ("", "0"),
        ("99999999999999999999999999999999999999999", "99999999999999999999999999999999999999998"),
        ("2^{999}", "2^{998}"),
    ] {
        assert!(!equal(one, other), "{one} is not {other}");
    }
}

#[test]
fn the_public_rule_is_never_narrowed() {
    for (one, other) in [("10\\%", "10"), ("x=5", "5"), ("0.5", "\\frac{1}{2}"), ("\\text{a} b c", "\\text{a} b c")] {
        assert!(Verifier::Hendrycks.judge(&format!("\\boxed{{{one}}}"), other).correct && equal(one, other), "{one}");
    }
}

/// Pieces that answers are made of, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let words = [
        "\\frac",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "1",
        "2.5",
        "0",
        "x",
        "y_",
        "^",
        "\\sqrt",
        "\\pi",
        "+",
        "-",
        "*",
        "/",
        ",",
        "=",
        "\\text{",
        " cm",
        "\\%",
        "!",
        "\\pm",
        "\\cup",
        "\\begin{pmatrix}",
        "\\end{pmatrix}",
        "\\\\",
        "&",
        "\\sin",
        "é",
        "∞",
        "####",
        "\\boxed{",
        "answer is ",
        "B",
        " or ",
        ".",
        "\\overline{",
        "\\{",
        "\\}",
        "999999999999",
    ];
    proptest::collection::vec(proptest::sample::select(words.to_vec()), 0..24).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text_is_judged_without_a_panic(one in "\\PC{0,60}", other in "\\PC{0,60}") {
        for verifier in [Verifier::Math, Verifier::Choice, Verifier::Hendrycks] {
            verifier.judge(&one, &other);
            verifier.judge(&format!("\\boxed{{{one}}}"), &other);
            verifier.reads_gold(&verifier.normalise_gold(&one));
        }
    }

    #[test]
    fn pieces_of_answers_are_judged_the_same_both_ways(one in pieces(), other in pieces()) {
        equal_or_not(&one, &other);
    }

    #[test]
    fn fractions_are_equal_by_cross_multiplication(a in -60_i64..60, b in 1_i64..60, c in -60_i64..60, d in 1_i64..60) {
        let one = format!("\\frac{{{a}}}{{{b}}}");
        let other = format!("\\frac{{{c}}}{{{d}}}");
        prop_assert_eq!(equal(&one, &other), a * d == b * c);
    }

    #[test]
    fn letters_are_found_behind_any_thoughts(thoughts in "[a-z ,.]{0,200}", at in 0..5_usize) {
        let letter = ["A", "B", "C", "D", "E"][at];
        for text in [format!("{thoughts}\n#### {letter}"), format!("{thoughts}\nThe answer is ({letter}).")] {
            let verdict = Verifier::Choice.judge(&text, letter);
            prop_assert!(verdict.correct, "{:?}", verdict);
        }
    }
}

fn equal_or_not(one: &str, other: &str) {
    let judge = |output: &str, gold: &str| Verifier::Math.judge(output, gold).correct;
    judge(one, other);
    judge(&format!("#### {one}"), other);
    judge(&format!("\\boxed{{{one}}}"), other);
}

#[test]
fn texts_of_any_size_take_time_in_proportion() {
    for piece in ["\\boxed{", "(", "\\frac", "{}", "\\sqrt", "#### ", "answer is ", "x^", "1,", "\\text{"] {
        let long = piece.repeat(200_000 / piece.len());
        for verifier in Verifier::ALL {
            verifier.judge(&long, "1");
            verifier.judge(&format!("{long}\\boxed{{{long}}}"), &long);
        }
    }
}
