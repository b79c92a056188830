//! Rollouts of GRPO steps and of single questions.

use footbridge::domain::advantages;
use footbridge::recipe::Loaded;
use footbridge::session::records::GrpoStep;
use footbridge::session::token_logs::{StepTokens, TokenLog};
use footbridge::session::{Author, Batch, Session, Sessions};
use footbridge::workbench::pane::PaneId;
use footbridge::workbench::shell::{Effect, Msg};

use super::stand::{SMALL, Stand, ascii, dark, small_home};

fn rollouts() -> Stand {
    Stand::pane(PaneId::Rollouts)
}

/// The last step of GRPO, with its key.
fn newest(session: &Session) -> (String, GrpoStep) {
    session.scan::<GrpoStep>("").map(Result::unwrap).last().unwrap()
}

/// The small session with a token log of its last step: tokens of three bytes, every fourth unlikely.
pub fn with_logs() -> Stand {
    let home = small_home();
    let sessions = Sessions::at(home.path());
    let session = sessions.open(SMALL).unwrap();
    let (key, step) = newest(&session);
    let log = |text: &str| {
        let mut bytes: Vec<u16> = text.as_bytes().chunks(3).map(|chunk| chunk.len() as u16).collect();
        bytes.push(0);
        let surprise = (0..bytes.len()).map(|at| if at % 4 == 3 { 80 } else { 0 }).collect();
        TokenLog { surprise, bytes }
    };
    let groups = step.groups.iter().map(|g| g.rollouts.iter().map(|r| log(&r.text)).collect()).collect();
    let mut batch = Batch::new(Author::Pipeline);
    batch.put(&key, &StepTokens { groups });
    session.write(batch).unwrap();
    drop(session);
    let mut stand = Stand::with(home, dark());
    stand.shell.open(SMALL);
    stand.tell(Msg::Notice);
    stand.goto(PaneId::Rollouts);
    stand
}

#[test]
fn the_newest_step_is_followed() {
    let mut stand = rollouts();
    let (key, step) = newest(&stand.session());
    let shown = stand.screen(120, 40);
    let (stage, number) = key.rsplit_once('/').unwrap();
    assert!(shown.contains(&format!("{stage} step {} · following", number.parse::<u64>().unwrap())), "{shown}");
    assert!(step.groups.iter().all(|group| shown.contains(&group.question)), "{shown}");
    assert!(shown.contains("no log-probs were kept"), "{shown}");
    insta::assert_snapshot!("rollouts_120x40", shown);
    insta::assert_snapshot!("rollouts_80x24", stand.screen(80, 24));
    insta::assert_snapshot!("rollouts_50x16", stand.screen(50, 16));
}

#[test]
fn without_unicode() {
    let mut stand = Stand::with(small_home(), ascii());
    stand.shell.open(SMALL);
    stand.goto(PaneId::Rollouts);
    let shown = stand.screen(100, 30);
    assert!(shown.is_ascii(), "{shown}");
}

#[test]
fn advantages_are_the_trainers() {
    let mut stand = rollouts();
    let session = stand.session();
    let (text, path) = session.recipe().unwrap();
    let recipe = Loaded::parse(&text, &path.display().to_string()).unwrap().recipe.grpo;
    let (_, step) = newest(&session);
    // Down to the first group whose rewards differ.
    let mixed = step.groups.iter().position(|g| g.correct() > 0 && g.correct() < g.n()).unwrap();
    stand.keys("<right>");
    stand.keys(&"j".repeat(mixed));
    let rewards: Vec<f64> =
        step.groups[mixed].rollouts.iter().map(|rollout| f64::from(u8::from(rollout.correct))).collect();
    let expected = advantages(&rewards, recipe.advantage, recipe.advantage_eps);
    let shown = stand.screen(120, 40);
    for value in expected {
        let figure = footbridge::workbench::text::figure(value);
        assert!(shown.contains(&figure), "no {figure} in\n{shown}");
    }
    assert!(shown.contains("sample deviation, n-1"), "{shown}");
}

#[test]
fn any_step_can_be_chosen_and_the_newest_followed_again() {
    let mut stand = rollouts();
    let newest = stand.screen(120, 40);
    stand.keys("g");
    let first = stand.screen(120, 40);
    assert!(first.contains("1-grpo step 1 ") && first.contains(" newer") && !first.contains("following"), "{first}");
    stand.keys("n");
    assert!(stand.screen(120, 40).contains("1-grpo step 2 "));
    stand.keys("f");
    assert_eq!(stand.screen(120, 40), newest);
}

#[test]
fn the_way_out_is_hinted_at_whatever_is_done() {
    let mut stand = rollouts();
    for keys in ["", "g", "<right>", "<right><right>", "o", "s"] {
        stand.keys(keys);
        for (columns, rows) in [(80, 24), (40, 10)] {
            let shown = stand.screen(columns, rows);
            let hints = shown.lines().last().unwrap();
            assert!(hints.contains("q leave") && hints.contains("? help"), "{keys}: {shown}");
        }
    }
}

/// A step behind the last one, with its groups.
fn one_more_step(stand: &mut Stand) -> u64 {
    let session = Sessions::at(stand.home.path()).open(SMALL).unwrap();
    let (key, step) = newest(&session);
    let (stage, number) = key.rsplit_once('/').unwrap();
    let next = number.parse::<u64>().unwrap() + 1;
    let mut batch = Batch::new(Author::Pipeline);
    batch.put(&format!("{stage}/{next:0wide$}", wide = number.len()), &step);
    session.write(batch).unwrap();
    drop(session);
    stand.wait(2);
    next
}

#[test]
fn the_newest_is_followed_only_while_nothing_else_is_read() {
    let mut stand = rollouts();
    let step = one_more_step(&mut stand);
    assert!(stand.screen(120, 40).contains(&format!("step {step} · following")), "{}", stand.screen(120, 40));
    // On to the groups: the step stays while newer ones come, also while one is back in the list.
    stand.keys("<right>");
    assert!(stand.screen(120, 40).contains(&format!("step {step} · the newest")), "{}", stand.screen(120, 40));
    one_more_step(&mut stand);
    let last = one_more_step(&mut stand);
    for keys in ["", "<right>j", "<left><left>"] {
        stand.keys(keys);
        assert!(stand.screen(120, 40).contains(&format!("step {step} · 2 newer")), "{}", stand.screen(120, 40));
    }
    // Down to the newest it is followed again.
    stand.keys("jj");
    assert!(stand.screen(120, 40).contains(&format!("step {last} · following")), "{}", stand.screen(120, 40));
    let last = one_more_step(&mut stand);
    assert!(stand.screen(120, 40).contains(&format!("step {last} · following")));
}

#[test]
fn the_samples_and_their_text_are_reached_by_keys_and_mouse() {
    let mut stand = rollouts();
    let (_, step) = newest(&stand.session());
    stand.keys("<right><right>j");
    let shown = stand.screen(120, 40);
    assert!(shown.contains("text of sample 1"), "{shown}");
    let row = shown.lines().position(|line| line.contains(&step.groups[1].question)).unwrap();
    stand.click(6, row as u16);
    let clicked = stand.screen(120, 40);
    assert!(clicked.contains("text of sample 0"), "another group begins with its first sample: {clicked}");
    let effects = stand.keys("y");
    let Some(Effect::Copy(text)) = effects.first() else { panic!("{effects:?}") };
    assert_eq!(*text, step.groups[1].rollouts[0].text);
}

#[test]
fn the_rollouts_of_a_question_in_other_stages() {
    let mut stand = rollouts();
    stand.keys("o");
    let shown = stand.screen(120, 40);
    assert!(shown.contains("1-difficulty") && shown.contains("1-rollouts"), "{shown}");
    insta::assert_snapshot!("rollouts_question_120x40", shown);
    stand.keys("s");
    assert!(stand.screen(120, 40).contains("following"));
    stand.keys("/");
    (0..20).for_each(|_| drop(stand.keys("<backspace>")));
    stand.keys("nobody<enter>");
    assert!(stand.screen(120, 40).contains("no stage outside of GRPO has"), "{}", stand.screen(120, 40));
    stand.keys("<esc><esc>");
    assert!(stand.screen(120, 40).contains("following"));
}

#[test]
fn tokens_are_coloured_by_log_prob_where_it_was_kept() {
    let mut stand = with_logs();
    let shown = stand.screen(120, 40);
    assert!(shown.contains("-log p, nats") && !shown.contains("no log-probs"), "{shown}");
    let underlined = |stand: &mut Stand| {
        let parser = stand.terminal(120, 40);
        let screen = parser.screen();
        let cells = (4..38).flat_map(|row| (49..118).filter_map(move |column| screen.cell(row, column)));
        cells.filter(|cell| cell.underline()).count()
    };
    assert!(underlined(&mut stand) > 3);
    stand.keys("t");
    assert!(stand.screen(120, 40).contains("t colours by log-prob"));
    assert_eq!(underlined(&mut stand), 0);
}

#[test]
fn the_rollouts_are_saved() {
    let mut stand = rollouts();
    let (_, step) = newest(&stand.session());
    stand.keys("<ctrl-s>");
    (0..20).for_each(|_| drop(stand.keys("<backspace>")));
    let path = stand.home.path().join("rollouts.json");
    stand.tell(Msg::Paste(path.display().to_string()));
    stand.keys("<enter>");
    let table: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let rows: usize = step.groups.iter().map(|group| group.rollouts.len()).sum();
    assert_eq!(table.as_array().unwrap().len(), rows);
    assert_eq!(table[0]["text"], step.groups[0].rollouts[0].text);
}

#[test]
fn no_key_does_harm_where_there_is_nothing() {
    for mut stand in [Stand::empty(), Stand::live(dark())] {
        stand.goto(PaneId::Rollouts);
        for size in [(120, 40), (40, 10), (1, 1)] {
            stand.keys("<left><right><up><down><pageup><pagedown>gGnNftos<enter><enter><enter>jk/x<enter><esc>e<esc>");
            stand.screen(size.0, size.1);
            stand.goto(PaneId::Rollouts);
        }
    }
}
