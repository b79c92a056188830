//! How traces are cut.

use footbridge::domain::steps::separator_of;
use footbridge::domain::{count_steps, split_answer, split_steps};

fn cut(trace: &str) -> Vec<&str> {
    split_steps(trace, 64).iter().map(|span| span.of(trace)).collect()
}

#[test]
fn world_traces_have_a_step_per_line() {
    let trace = "Tom has 3 * 4 = 12 apples.\nTom has 12 - 5 = 7 apples.\n#### 7";
    let (body, answer) = split_answer(trace);
    assert_eq!(answer, Some("#### 7"));
    assert_eq!(cut(body), ["Tom has 3 * 4 = 12 apples.", "Tom has 12 - 5 = 7 apples."]);
    assert_eq!(separator_of(body, &split_steps(body, 9)), "\n");
    assert_eq!(cut(trace).last(), Some(&"#### 7"), "an answer line left in is a step of its own");
    assert_eq!((cut(trace).len(), count_steps(trace)), (3, 2));
}

#[test]
fn headings_come_before_paragraphs_and_lines() {
    let trace =
        "Let us see.\n\n### Step 1: half\nHalf of 30 is 15.\n\nGood.\n### Step 2: add\n15 + 6 = 21 ✓\n\n#### 21";
    let steps = ["Let us see.", "### Step 1: half\nHalf of 30 is 15.\n\nGood.", "### Step 2: add\n15 + 6 = 21 ✓"];
    assert_eq!(cut(split_answer(trace).0), steps);
    assert_eq!(cut("**Step 1:** one\nmore\n**Step 2:** two"), ["**Step 1:** one\nmore", "**Step 2:** two"]);
    assert_eq!(cut("Steps are\nStep by step"), ["Steps are", "Step by step"], "words, not headings");
}

#[test]
fn paragraphs_come_before_lines() {
    let trace = "First we add:\n3 + 4 = 7\n\n\nThen we double:\n7 * 2 = 14\n\n#### 14";
    let body = split_answer(trace).0;
    assert_eq!(cut(body), ["First we add:\n3 + 4 = 7", "Then we double:\n7 * 2 = 14"]);
    assert_eq!(separator_of(body, &split_steps(body, 9)), "\n\n");
    assert_eq!(cut("one\ntwo\n\n#### 14"), ["one", "two", "#### 14"], "the blank line before the answer is none");
}

#[test]
fn displayed_formulas_stay_with_their_words() {
    assert_eq!(
        cut("The total is\n\\[\n3 + 4 = 7\n\\]\nSo half is"),
        ["The total is\n\\[\n3 + 4 = 7\n\\]", "So half is"]
    );
    assert_eq!(cut("The total is:\n\n$$ 3 + 4 $$\n\nand so on"), ["The total is:\n\n$$ 3 + 4 $$", "and so on"]);
    assert_eq!(cut("It is\n\\[ 3\n\none\n\ntwo"), ["It is\n\\[ 3", "one", "two"], "a blank line ends an open formula");
}

#[test]
fn a_long_line_is_cut_into_sentences() {
    let trace = "Mr. Lee earns $12.50 an hour at the shop on the corner of the street. He works 8 hours a day, i.e. he earns \
                 12.50 * 8 = 100 dollars every single day. Yes. After 5 days he has 5 * 100 = 500 dollars in his pocket, \
                 which is much more than he needs! So he buys a bicycle for 300 dollars and keeps 500 - 300 = 200 dollars.";
    let steps = cut(trace);
    assert_eq!(steps.len(), 4, "{steps:#?}");
    assert!(steps[0].starts_with("Mr. Lee") && steps[0].ends_with("street."));
    assert!(steps[1].contains("i.e. he") && steps[1].contains("12.50 * 8"));
    assert!(steps[2].starts_with("Yes. After") && steps[3].starts_with("So he buys"));
    assert_eq!(cut(&trace[..200]).len(), 1, "short lines stay whole");
}

#[test]
fn the_cap_joins_neighbours_evenly() {
    let trace = (1..=10).map(|i| format!("step {i}")).collect::<Vec<_>>().join("\n");
    let steps = split_steps(&trace, 4);
    let first_lines: Vec<&str> = steps.iter().map(|s| s.of(&trace).lines().next().unwrap()).collect();
    assert_eq!(first_lines, ["step 1", "step 3", "step 6", "step 8"]);
    assert_eq!(split_steps(&trace, 0).len(), 1);
    assert_eq!(count_steps(&trace), 10);
}

#[test]
fn separators_belong_to_the_step_behind() {
    let trace = " \n one\n\n two \n\n";
    let steps = split_steps(trace, 9);
    let parts: Vec<(usize, usize, usize)> = steps.iter().map(|s| (s.start, s.text, s.end)).collect();
    assert_eq!(parts, [(0, 3, 6), (6, 9, trace.len())]);
    assert_eq!(steps[1].of(trace), "two");
    assert!(split_steps(" \n\t\n", 9).is_empty());
}
