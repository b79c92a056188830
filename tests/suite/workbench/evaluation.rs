//! What was learned: the table, its measures, the chosen cell, sessions at the side.

use footbridge::workbench::pane::PaneId;
use footbridge::workbench::shell::{Effect, Msg};

use super::stand::{SMALL, Stand, ascii, copy, small_home};

fn evaluation() -> Stand {
    Stand::pane(PaneId::Evaluation)
}

/// The pane, with a copy of the small session beside it that `change` has changed.
pub fn with_other(change: impl FnOnce(&std::path::Path)) -> Stand {
    let stand = evaluation();
    let other = stand.home.path().join("other");
    copy(&stand.home.path().join(SMALL), &other);
    change(&other);
    stand
}

fn copied(effects: &[Effect]) -> &str {
    let copies = effects.iter().find_map(|effect| if let Effect::Copy(text) = effect { Some(text) } else { None });
    copies.map(String::as_str).expect("something was copied")
}

fn line<'a>(screen: &'a str, with: &str) -> &'a str {
    screen.lines().find(|line| line.contains(with)).unwrap_or_else(|| panic!("no line with {with:?} in\n{screen}"))
}

#[test]
fn checkpoints_and_splits_with_their_intervals() {
    let mut stand = evaluation();
    insta::assert_snapshot!("evaluation_80x24", stand.screen(80, 24));
    insta::assert_snapshot!("evaluation_120x40", stand.screen(120, 40));
    insta::assert_snapshot!("evaluation_200x50", stand.screen(200, 50));
    stand.keys("vv");
    insta::assert_snapshot!("evaluation_notes_80x24", stand.screen(80, 24));
}

#[test]
fn the_table_says_what_the_report_says() {
    let mut stand = evaluation();
    let session = stand.session();
    let (text, path) = session.recipe().unwrap();
    let recipe = footbridge::recipe::Loaded::parse(&text, &path.display().to_string()).unwrap().recipe;
    let report = footbridge::export::gather(&session, &recipe).unwrap();
    let screen = stand.screen(200, 50);
    for row in &report.results.checkpoints {
        let shown = line(&screen, &format!(" {} ", row.checkpoint));
        for (_, measure) in row.splits.iter() {
            assert!(shown.contains(&format!("{:.1} ", 100.0 * measure.accuracy.value)), "{shown}");
        }
    }
    let effects = stand.keys("y");
    let markdown = copied(&effects);
    assert_eq!(markdown.lines().count(), 2 + report.results.checkpoints.len());
    let best = report.results.best.unwrap();
    assert!(markdown.lines().any(|line| line.contains(&format!("| {best} | true |"))), "{markdown}");
}

#[test]
fn other_measures_of_the_same_checkpoints() {
    let mut stand = evaluation();
    let accuracy = stand.screen(120, 40);
    assert!(accuracy.contains("greedy accuracy, %"));
    let mut seen = vec![accuracy];
    for name in ["mean@", "pass@", "parse rate, %"] {
        stand.keys("m");
        let screen = stand.screen(120, 40);
        assert!(line(&screen, "─ evaluation ─").contains(name), "{screen}");
        assert!(!seen.contains(&screen));
        seen.push(screen);
    }
    stand.keys("m");
    assert_eq!(stand.screen(120, 40), seen[0]);
}

#[test]
fn a_cell_says_what_it_was_measured_with_and_what_changed() {
    let mut stand = evaluation();
    let last = stand.screen(120, 40);
    assert!(last.contains("verifier gsm8k-strict") && last.contains("wrong → right"), "{last}");
    stand.keys("g");
    let base = stand.screen(120, 40);
    assert!(base.contains("─ base on test") && base.contains("nothing before it to compare with"), "{base}");
    // Compared with the base from now on, whichever is chosen.
    stand.keys("bG");
    assert!(stand.screen(120, 40).contains("base → 2-grpo"), "{}", stand.screen(120, 40));
    stand.keys("lll");
    let average = stand.screen(200, 50);
    assert!(average.contains("on average") && average.contains("the plain mean of test, b, c; dev is no part of it"));
    // The question that changed opens among the questions; its answers are read where they are.
    stand.keys("hhh<enter>");
    let list = stand.screen(120, 40);
    let marked = line(&list, " > ").to_string();
    stand.keys("a");
    assert_eq!(stand.shell.depth(), 1);
    let reading = stand.screen(120, 40);
    assert!(reading.contains("gold ") && reading.contains("base: read"), "{reading}");
    let id = marked.split_whitespace().find(|word| word.starts_with("test-")).unwrap();
    assert!(reading.contains(id), "{id}\n{reading}");
    stand.keys("<esc>j");
    assert_ne!(line(&stand.screen(120, 40), " > "), marked);
    stand.keys("<enter>");
    assert_eq!(stand.shell.focus(), PaneId::Questions);
}

#[test]
fn another_session_at_the_side() {
    let mut stand = with_other(|_| ());
    stand.keys("s");
    assert_eq!(stand.shell.depth(), 1);
    stand.keys("<enter>");
    let screen = stand.screen(120, 40);
    insta::assert_snapshot!("evaluation_beside_120x40", screen);
    assert_eq!(screen.lines().filter(|line| line.trim_start_matches(['>', ' ', '★']).starts_with("other")).count(), 6);
    // A copy differs in nothing, and that is within noise.
    stand.keys("vv");
    let notes = stand.screen(120, 40);
    assert!(notes.contains("over other at the same checkpoint"), "{notes}");
    assert!(notes.matches("+0.0 [+0.0, +0.0] noise").count() >= 5, "{notes}");
    stand.keys("S");
    assert!(!stand.screen(120, 40).contains("over other"));
}

#[test]
fn a_session_measured_otherwise_is_refused_in_words() {
    let mut stand = with_other(|other| {
        let path = other.join("recipe.toml");
        let recipe = std::fs::read_to_string(&path).unwrap();
        let at = recipe.find("[evaluate]").unwrap();
        let (before, evaluate) = recipe.split_at(at);
        let changed = evaluate.replacen("max_new_tokens = ", "max_new_tokens = 1", 1);
        assert_ne!(changed, evaluate);
        std::fs::write(&path, format!("{before}{changed}")).unwrap();
    });
    stand.keys("s<enter>vv");
    let notes = stand.screen(200, 50);
    assert!(notes.contains("beside other") && notes.contains("way of evaluating"), "{notes}");
    assert!(!notes.contains("over other"));
}

#[test]
fn the_mouse_chooses_cells_and_scrolls() {
    let mut stand = evaluation();
    let screen = stand.screen(120, 40);
    let row = screen.lines().position(|line| line.contains(" 1-sft-bridged ")).unwrap();
    let column = line(&screen, "checkpoint ").chars().count();
    let x = line(&screen, "checkpoint ").find(" dev").unwrap();
    assert!(x < column + 1);
    stand.click(x as u16, row as u16);
    assert!(stand.screen(120, 40).contains("─ 1-sft-bridged on dev"), "{}", stand.screen(120, 40));
}

#[test]
fn every_size_and_state_is_drawn() {
    let mut empty = Stand::empty();
    empty.goto(PaneId::Evaluation);
    assert!(empty.screen(80, 24).contains("no session is open"));
    let mut fresh = Stand::live(super::stand::dark());
    fresh.goto(PaneId::Evaluation);
    let screen = fresh.screen(80, 24);
    assert!(
        screen.contains("nothing is evaluated yet") || screen.contains("error") || screen.contains("x "),
        "{screen}"
    );
    let mut stand = with_other(|_| ());
    stand.keys("s<enter>");
    for keys in ["", "<enter>", "vv", "mG"] {
        stand.keys(keys);
        for (columns, rows) in [(1, 1), (2, 9), (9, 2), (20, 6), (39, 11), (80, 10), (116, 16), (250, 70)] {
            stand.screen(columns, rows);
            stand.keys("jjl<pagedown>G");
        }
    }
}

#[test]
fn nothing_but_ascii_in_ascii() {
    let mut stand = Stand::with(small_home(), ascii());
    stand.shell.open(SMALL);
    stand.tell(Msg::Notice);
    stand.goto(PaneId::Evaluation);
    for keys in ["", "<enter>", "v"] {
        stand.keys(keys);
        let screen = stand.screen(120, 40);
        let odd: Vec<&str> = screen.lines().filter(|line| !line.is_ascii()).collect();
        assert!(odd.is_empty(), "{odd:#?}");
    }
}

#[test]
fn what_lineage_names_is_found_here() {
    // The way from a training text to the checkpoint it led to, and back to the table.
    let mut stand = Stand::pane(PaneId::DataSets);
    stand.keys("<enter><enter>v<enter>G");
    stand.keys("<enter>");
    assert_eq!(stand.shell.focus(), PaneId::Evaluation, "{}", stand.screen(120, 40));
    assert!(stand.screen(120, 40).contains("─ base on test"));
}
