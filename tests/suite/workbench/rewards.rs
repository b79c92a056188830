//! The curves of training: charts, cursor, smoothing, zoom, other sessions.

use footbridge::session::records::GrpoStep;
use footbridge::session::{Author, Batch, Sessions};
use footbridge::workbench::pane::PaneId;
use footbridge::workbench::shell::Msg;

use super::stand::{SMALL, Stand, ascii, dark, small_home};

/// The pane over the small session.
fn rewards() -> Stand {
    Stand::pane(PaneId::Rewards)
}

/// The pane with a copy of the small session beside it, under another name.
pub fn with_another(change: impl FnOnce(&std::path::Path)) -> Stand {
    let mut stand = Stand::with(small_home(), dark());
    let other = stand.home.path().join("other");
    super::stand::copy(&stand.home.path().join(SMALL), &other);
    change(&other);
    stand.shell.open(SMALL);
    stand.tell(Msg::Notice);
    stand.goto(PaneId::Rewards);
    stand
}

fn line<'a>(screen: &'a str, with: &str) -> &'a str {
    screen.lines().find(|line| line.contains(with)).unwrap_or_else(|| panic!("no line with {with:?} in\n{screen}"))
}

#[test]
fn the_course_of_rl() {
    let mut stand = rewards();
    insta::assert_snapshot!("rewards_80x24", stand.screen(80, 24));
    insta::assert_snapshot!("rewards_120x40", stand.screen(120, 40));
    stand.keys("c");
    insta::assert_snapshot!("rewards_groups_120x40", stand.screen(120, 40));
}

#[test]
fn without_braille() {
    let mut stand = Stand::with(small_home(), ascii());
    stand.shell.open(SMALL);
    stand.goto(PaneId::Rewards);
    let shown = stand.screen(80, 24);
    assert!(!shown.chars().any(|c| ('\u{2800}'..'\u{2900}').contains(&c)), "{shown}");
    insta::assert_snapshot!("rewards_ascii_80x24", shown);
}

#[test]
fn the_cursor_moves_through_all_charts_at_once() {
    let mut stand = rewards();
    let newest = stand.screen(120, 40);
    assert!(line(&newest, "─ rewards").contains("(newest)"), "{newest}");
    stand.keys("<left>");
    let before = stand.screen(120, 40);
    assert!(!line(&before, "─ rewards").contains("(newest)"));
    assert_ne!(line(&newest, "entropy"), line(&before, "entropy"), "the small charts follow the cursor");
    stand.keys("G");
    assert_eq!(stand.screen(120, 40), newest);
    stand.keys("g");
    assert!(line(&stand.screen(120, 40), "─ rewards").contains("step 1 of"));
}

#[test]
fn smoothing_and_the_logarithmic_axis_are_said() {
    let mut stand = rewards();
    stand.keys("SSS");
    let rough = stand.screen(120, 40);
    assert!(line(&rough, "─ rewards").contains("ema 0"), "{rough}");
    stand.keys("sssss");
    let smooth = stand.screen(120, 40);
    assert_ne!(line(&rough, "smoothed"), line(&smooth, "smoothed"));
    stand.keys("L");
    assert!(line(&stand.screen(120, 40), "─ rewards").contains("log axis"));
    // The reward above before is negative somewhere, or 0: such values are left out, and said to be.
    stand.keys("cc");
    let above = stand.screen(120, 40);
    assert!(above.contains("left out") || !above.contains("reward above"), "{above}");
}

#[test]
fn zoom_and_the_other_family() {
    let mut stand = rewards();
    let all = stand.screen(120, 40);
    stand.keys("+");
    let near = stand.screen(120, 40);
    assert_ne!(line(&all, "steps 1-"), line(&near, " to "), "{near}");
    stand.keys("r");
    assert_eq!(stand.screen(120, 40), all);
    stand.keys("f");
    let sft = stand.screen(120, 40);
    assert!(line(&sft, "─ rewards").contains("SFT") && sft.contains("loss"), "{sft}");
    insta::assert_snapshot!("rewards_sft_120x40", sft);
}

#[test]
fn another_session_is_laid_over_and_pinned_as_baseline() {
    let mut stand = with_another(|_| ());
    stand.keys("o");
    assert_eq!(stand.shell.depth(), 1);
    stand.keys("<enter>");
    let over = stand.screen(120, 40);
    assert!(line(&over, "a other").contains("a other ."), "{over}");
    stand.keys("b<enter>");
    let pinned = stand.screen(120, 40);
    assert!(line(&pinned, "baseline other").contains("(0)"), "the same session differs by nothing: {pinned}");
    insta::assert_snapshot!("rewards_baseline_120x40", pinned);
    stand.keys("x");
    assert!(!stand.screen(120, 40).contains("baseline other"));
}

#[test]
fn the_curves_are_saved_and_the_values_copied() {
    let mut stand = rewards();
    let effects = stand.keys("y");
    let footbridge::workbench::shell::Effect::Copy(text) = &effects[0] else { panic!("{effects:?}") };
    assert!(text.starts_with("step\t") && text.contains("reward\t"), "{text}");
    stand.keys("<ctrl-s>");
    (0..20).for_each(|_| drop(stand.keys("<backspace>")));
    let path = stand.home.path().join("steps.csv");
    stand.tell(Msg::Paste(path.display().to_string()));
    stand.keys("<enter>");
    let table = std::fs::read_to_string(path).unwrap();
    assert!(table.starts_with("step,stage,step of the stage,reward,reward smoothed,"), "{table}");
    assert_eq!(table.lines().nth(1).unwrap().split(',').next(), Some("1"));
}

#[test]
fn the_step_under_the_cursor_leads_to_its_rollouts_and_back() {
    let mut stand = rewards();
    stand.keys("g<right><enter>");
    assert_eq!(stand.shell.focus(), PaneId::Rollouts);
    assert!(stand.screen(120, 40).contains("1-grpo step 2 "), "{}", stand.screen(120, 40));
    // Side by side each shows the step of the other.
    stand.goto(PaneId::Rewards);
    stand.keys("|");
    stand.goto(PaneId::Rollouts);
    stand.keys("n");
    let both = stand.screen(200, 50);
    assert!(both.contains("1-grpo step 3 ") && both.contains("step 3 of 24"), "{both}");
    stand.keys("<tab><right>");
    let both = stand.screen(200, 50);
    assert!(both.contains("1-grpo step 4 ") && both.contains("step 4 of 24"), "{both}");
}

#[test]
fn the_mouse_puts_the_cursor_and_picks_a_chart() {
    let mut stand = rewards();
    let shown = stand.screen(120, 40);
    let chart = shown.lines().position(|line| line.contains("iteration 1")).unwrap() as u16;
    stand.click(8, chart - 3);
    assert!(line(&stand.screen(120, 40), "─ rewards").contains("step 1 of"));
    let entropy = shown.lines().position(|line| line.contains("entropy")).unwrap() as u16;
    stand.click(80, entropy);
    assert!(line(&stand.screen(120, 40), "smoothed").contains("entropy"));
}

#[test]
fn a_session_that_was_judged_otherwise_is_not_drawn_as_one() {
    let mut stand = with_another(|other| {
        let sessions = Sessions::at(other.parent().unwrap());
        let session = sessions.open("other").unwrap();
        let mut batch = Batch::new(Author::Pipeline);
        let steps: Vec<(String, GrpoStep)> = session.scan::<GrpoStep>("").map(Result::unwrap).collect();
        for (key, mut step) in steps {
            step.groups.iter_mut().for_each(|group| group.provenance.prompt = "another".into());
            batch.put(&key, &step);
        }
        session.write(batch).unwrap();
    });
    stand.keys("o<enter>");
    let shown = stand.screen(120, 40);
    assert!(shown.contains("a other has another prompt: not drawn as one"), "{shown}");
    stand.keys("ccc");
    let kl = stand.screen(120, 40);
    assert!(line(&kl, "smoothed").contains("kl") && !kl.contains("not drawn as one"), "{kl}");
}

#[test]
fn no_key_does_harm_before_anything_was_measured() {
    for mut stand in [Stand::empty(), Stand::live(dark())] {
        stand.goto(PaneId::Rewards);
        for size in [(120, 40), (40, 10), (1, 1)] {
            stand.keys("<left><right><up><down><pageup><pagedown>gG+-=,.rsSLcCfobxy<enter><esc>");
            stand.keys("<esc><esc>");
            stand.screen(size.0, size.1);
        }
    }
}
