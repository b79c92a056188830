#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

/// Four rows with a number that may be missing, words, and texts.
struct Rows {
    fields: Vec<Field>,
}

const RHO: [Option<f64>; 4] = [Some(0.0), Some(0.1), Some(0.9), None];
const STEPS: [f64; 4] = [8.0, 3.0, 5.0, 2.0];
const BAND: [&str; 4] = ["hard", "hard", "simple", ""];
const ACTIONS: [&[&str]; 4] = [&["keep", "localize"], &["drop"], &[], &[]];
const ERRORS: [&[&str]; 4] = [&["Misread the question", "off by one"], &["arithmetic"], &[], &["Über-Fehler"]];
const TEXTS: [&str; 4] = [
    "How many geese are in the pond?",
    "Carla drank three times as much soda minus 6",
    "A train leaves at 3:30, how many geese see it?",
    "日本語の question with sheep",
];

impl Fields for Rows {
    fn fields(&self) -> &[Field] {
        &self.fields
    }

    fn len(&self) -> usize {
        4
    }

    fn number(&self, row: usize, field: usize) -> Option<f64> {
        if field == 0 { RHO[row] } else { Some(STEPS[row]) }
    }

    fn any(&self, row: usize, field: usize, fits: &mut dyn FnMut(&str) -> bool) -> bool {
        match field {
            2 => !BAND[row].is_empty() && fits(BAND[row]),
            3 => ACTIONS[row].iter().any(|text| fits(text)),
            _ => ERRORS[row].iter().any(|text| fits(text)),
        }
    }

    fn text(&self, row: usize) -> &str {
        TEXTS[row]
    }
}

fn rows() -> Rows {
    let fields = vec![
        Field::number("rho"),
        Field::number("steps"),
        Field::words("band", ["simple", "medium", "hard"]),
        Field::words("action", ["keep", "compress", "expand", "drop", "localize"]),
        Field::text("error"),
    ];
    Rows { fields }
}

fn chosen(filter: &str) -> Vec<u32> {
    Filter::parse(filter, &rows()).unwrap().choose(&rows(), &|| true).rows
}

fn fault(filter: &str) -> String {
    Filter::parse(filter, &rows()).unwrap_err().to_string()
}

#[test]
fn filters_choose_what_they_say() {
    for (filter, rows) in [
        ("", vec![0, 1, 2, 3]),
        ("band:hard steps>4 rho<0.1 action:localize error:\"misread\"", vec![0]),
        ("band:hard", vec![0, 1]),
        ("band:simple,hard", vec![0, 1, 2]),
        ("BAND:Hard", vec![0, 1]),
        ("band=ha", vec![]),
        ("band:ha", vec![0, 1]),
        ("band!=hard", vec![2, 3]),
        ("rho<=.1", vec![0, 1]),
        ("rho<10%", vec![0]),
        ("rho=0.1", vec![1]),
        ("rho>=0", vec![0, 1, 2]),
        ("rho!=0.1", vec![0, 2, 3]),
        ("rho:none", vec![3]),
        ("rho!=none", vec![0, 1, 2]),
        ("error:none", vec![2]),
        ("steps:3..5", vec![1, 2]),
        ("steps:..3", vec![1, 3]),
        ("steps:5..", vec![0, 2]),
        ("steps > 2 steps < 8", vec![1, 2]),
        ("steps>-1", vec![0, 1, 2, 3]),
        ("error:\"off by\"", vec![0]),
        ("error=arithmetic", vec![1]),
        ("error:über", vec![3]),
        ("-band:hard", vec![2, 3]),
        ("not band:hard", vec![2, 3]),
        ("--band:hard", vec![0, 1]),
        ("band:simple or rho<.05", vec![0, 2]),
        ("(band:simple or band:hard) -(steps>4)", vec![1]),
        ("band:hard and steps=3 or rho:none", vec![1, 3]),
    ] {
        assert_eq!(chosen(filter), rows, "{filter}");
    }
}

#[test]
fn free_words_are_found_as_written_or_nearly_so() {
    for (filter, rows) in [
        ("geese", vec![0, 2]),
        ("GEESE", vec![0, 2]),
        ("geise", vec![0, 2]),
        ("gese", vec![0, 2]),
        ("\"geise\"", vec![]),
        ("\"3:30, how\"", vec![2]),
        ("geese soda", vec![]),
        ("geese or soda", vec![0, 1, 2]),
        ("-geese", vec![1, 3]),
        ("pod", vec![]),
        ("日本", vec![3]),
        ("\"\"", vec![0, 1, 2, 3]),
        ("xylophone", vec![]),
    ] {
        assert_eq!(chosen(filter), rows, "{filter}");
    }
    let found = Filter::parse("goose or geese", &rows()).unwrap().choose(&rows(), &|| true);
    assert_eq!(found.rows.len(), found.nearness.len());
}

#[test]
fn faults_name_the_column_and_what_would_be_right() {
    for (filter, words) in [
        ("steps>4 bnad:hard", "column 9: there is no field `bnad`; did you mean `band`?"),
        ("zzzzzzz:1", "column 1: there is no field `zzzzzzz`; there are rho, steps, band, action, error"),
        ("band:hrad", "column 6: `band` is never `hrad`; did you mean `hard`? it may be simple, medium, hard"),
        ("band>hard", "column 1: `band` is no number, so `>` says nothing of it; write `band:hard`"),
        ("steps>x", "column 7: `steps` is held against a number, such as `steps>4` or `steps:3..5`; `x` is none"),
        ("error:\"mis", "column 7: this quotation has no end; close it with \""),
        ("日本 (steps>4", "column 4: this bracket is not closed"),
        ("steps>4)", "column 8: this bracket closes none that is open"),
        ("steps>", "column 7: a value belongs behind `steps>`"),
        ("a or", "column 5: something is missing here"),
        ("or a", "column 1: something has to stand before this; put it in quotation marks to search for it"),
        (">4", "column 1: the name of a field belongs before `>`"),
        ("()", "column 2: something is missing here"),
    ] {
        assert_eq!(fault(filter), words, "{filter}");
    }
    assert!(fault(&"(".repeat(5000)).contains("nested too deep"));
    assert!(fault(&"-(".repeat(5000)).contains("nested too deep"));
}

#[test]
fn a_choice_that_is_no_longer_wanted_ends_early() {
    assert_eq!(Filter::parse("geese", &rows()).unwrap().choose(&rows(), &|| false).rows, Vec::<u32>::new());
}

proptest! {
    #[test]
    fn any_text_is_a_filter_or_a_fault_inside_it(text in "\\PC*") {
        match Filter::parse(&text, &rows()) {
            Ok(filter) => prop_assert!(filter.choose(&rows(), &|| true).rows.len() <= 4),
            Err(fault) => prop_assert!(fault.column >= 1 && fault.column <= text.chars().count() + 1),
        }
    }

    #[test]
    fn pieces_of_filters_in_any_order_are_read(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "band", ":", "hard", " ", "<", ">=", "!=", "-", "(", ")", "or", " or ", "not ", "\"", "4", "..", "none",
                "rho", ",", "é", "\u{202e}", "\\", "%",
            ]),
            0..24,
        )
    ) {
        let text = pieces.concat();
        match Filter::parse(&text, &rows()) {
            Ok(filter) => {
                let all = filter.choose(&rows(), &|| true).rows;
                let negated = Filter::parse(&format!("not ({text})"), &rows());
                if let (false, Ok(negated)) = (filter.is_empty(), negated) {
                    let rest = negated.choose(&rows(), &|| true).rows;
                    prop_assert_eq!(all.len() + rest.len(), 4);
                }
            }
            Err(fault) => prop_assert!(fault.column >= 1 && fault.column <= text.chars().count() + 1),
        }
    }

    #[test]
    fn comparisons_agree_with_arithmetic(at in -2.0f64..12.0) {
        let expected: Vec<u32> = (0..4u32).filter(|&row| STEPS[row as usize] > at).collect();
        prop_assert_eq!(chosen(&format!("steps>{at}")), expected);
    }
}
