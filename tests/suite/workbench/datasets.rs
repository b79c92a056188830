//! What is trained on: sets, members, exact texts, the way back, and what a stage that has not begun would train on.

use std::path::Path;

use footbridge::session::records::{Prepared, SftUpdate, StageDone};
use footbridge::session::{Author, Batch, Sessions};
use footbridge::workbench::pane::PaneId;
use footbridge::workbench::shell::{Effect, Msg};

use super::stand::{SMALL, Stand, ascii, dark, small_home};

fn data_sets() -> Stand {
    Stand::pane(PaneId::DataSets)
}

fn line<'a>(screen: &'a str, with: &str) -> &'a str {
    screen.lines().find(|line| line.contains(with)).unwrap_or_else(|| panic!("no line with {with:?} in\n{screen}"))
}

fn copied(effects: &[Effect]) -> &str {
    let copies = effects.iter().find_map(|effect| if let Effect::Copy(text) = effect { Some(text) } else { None });
    copies.map(String::as_str).expect("something was copied")
}

/// Takes a stage's training out of a session, as if it had not begun.
fn not_begun(home: &Path, stage: &str) {
    let session = Sessions::at(home).open(SMALL).unwrap();
    let mut batch = Batch::new(Author::Pipeline);
    let prefix = format!("{stage}/");
    for key in session.keys::<SftUpdate>(&prefix) {
        batch.delete::<SftUpdate>(&key.unwrap());
    }
    for key in session.keys::<Prepared>(&prefix) {
        batch.delete::<Prepared>(&key.unwrap());
    }
    batch.delete::<StageDone>(stage);
    session.write(batch).unwrap();
}

fn opened(home: tempfile::TempDir) -> Stand {
    let mut stand = Stand::with(home, dark());
    stand.shell.open(SMALL);
    stand.tell(Msg::Notice);
    stand.goto(PaneId::DataSets);
    stand
}

#[test]
fn sets_members_and_texts() {
    let mut stand = data_sets();
    insta::assert_snapshot!("datasets_80x24", stand.screen(80, 24));
    insta::assert_snapshot!("datasets_120x40", stand.screen(120, 40));
    insta::assert_snapshot!("datasets_200x50", stand.screen(200, 50));
    stand.keys("j<enter><enter>");
    insta::assert_snapshot!("datasets_text_120x40", stand.screen(120, 40));
    stand.keys("v");
    insta::assert_snapshot!("datasets_lineage_120x40", stand.screen(120, 40));
    insta::assert_snapshot!("datasets_lineage_80x24", stand.screen(80, 24));
}

#[test]
fn counts_are_those_of_the_records() {
    let mut stand = data_sets();
    let session = stand.session();
    let screen = stand.screen(160, 50);
    for stage in ["1-sft-medium", "1-sft-bridged", "2-sft-recycled"] {
        let texts: Vec<Prepared> = session.scan::<Prepared>(&format!("{stage}/")).map(|item| item.unwrap().1).collect();
        let tokens: u64 = texts.iter().map(|text| u64::from(text.tokens)).sum();
        let shown = line(&screen, &format!(" {stage} ")).replace(',', "");
        assert!(shown.contains(&format!(" {} ", texts.len())) && shown.contains(&format!(" {tokens} ")), "{shown}");
    }
    assert!(screen.contains("1-split consolidation") && screen.contains("1-split failed"));
}

#[test]
fn the_exact_text_is_shown_and_copied() {
    let mut stand = data_sets();
    stand.keys("j<enter>");
    let effects = stand.keys("y");
    let text = copied(&effects).to_string();
    let session = stand.session();
    let (_, first) = session.scan::<Prepared>("1-sft-bridged/").next().unwrap().unwrap();
    for message in &first.sample.messages {
        assert!(text.contains(&message.content), "{text}\n---\n{}", message.content);
    }
    let screen = stand.screen(200, 50);
    assert!(screen.contains(&first.sample.id) && screen.contains('⟦') && screen.contains('⟧'), "{screen}");
    assert!(screen.contains(&format!("{} trained tokens", first.tokens)));
}

#[test]
fn members_are_narrowed_down_by_kind_question_and_words() {
    let mut stand = data_sets();
    stand.keys("j<enter>f");
    let bridged = stand.screen(120, 40);
    assert!(line(&bridged, "kind:bridged").contains(" of "), "{bridged}");
    stand.keys("f");
    assert!(stand.screen(120, 40).contains("kind:local"));
    stand.keys("f");
    let all = stand.screen(120, 40);
    assert!(!all.contains("kind:"), "{all}");
    // A word of the text, typed while the list follows.
    let session = stand.session();
    let texts: Vec<Prepared> = session.scan::<Prepared>("1-sft-bridged/").map(|item| item.unwrap().1).collect();
    let question = texts.last().unwrap().sample.question.clone();
    let of_question = texts.iter().filter(|text| text.sample.question == question).count();
    stand.keys(&format!("/question:{question}<enter>"));
    let screen = stand.screen(120, 40);
    assert!(screen.contains(&format!("{of_question} of {}", texts.len())), "{screen}");
    stand.keys("/");
    for _ in 0..40 {
        stand.keys("<backspace>");
    }
    stand.keys("zebra-that-nobody-wrote<enter>");
    assert!(stand.screen(120, 40).contains("nothing fits"));
    stand.keys("a/band:hard");
    assert!(stand.screen(120, 40).contains("no field"), "{}", stand.screen(120, 40));
}

#[test]
fn the_way_back_leads_to_other_panes() {
    let mut stand = data_sets();
    stand.keys("j<enter><enter>v");
    let tree = stand.screen(160, 50);
    for word in ["question", "trace/", "steps", "decisions", "checkpoints", "1-sft-bridged", "base"] {
        assert!(tree.contains(word), "{word}\n{tree}");
    }
    stand.keys("gj<enter>");
    assert_eq!(stand.shell.focus(), PaneId::Questions);
}

#[test]
fn a_stage_that_has_not_begun_shows_what_it_would_train_on() {
    let home = small_home();
    let before: Vec<Prepared> = {
        let session = Sessions::at(home.path()).open_read_only(SMALL).unwrap();
        session.scan::<Prepared>("2-sft-recycled/").map(|item| item.unwrap().1).collect()
    };
    not_begun(home.path(), "2-sft-recycled");
    let mut stand = opened(home);
    let screen = stand.screen(160, 50);
    let row = line(&screen, "2-sft-recycled").to_string();
    let tokens: u64 = before.iter().map(|text| u64::from(text.tokens)).sum();
    assert!(row.contains("would train now"), "{row}");
    assert!(row.replace(',', "").contains(&format!(" {} ", before.len())), "{row}");
    assert!(row.replace(',', "").contains(&tokens.to_string()), "{row}");
    insta::assert_snapshot!("datasets_planned_120x40", {
        stand.keys("G");
        while !stand.screen(120, 40).contains("─ 2-sft-recycled ─") {
            stand.keys("k");
        }
        stand.keys("<enter>");
        stand.screen(120, 40)
    });
    // The text that would be trained on is the one that was.
    let effects = stand.keys("y");
    assert!(copied(&effects).contains(&before[0].sample.messages[1].content));
}

#[test]
fn without_the_student_the_messages_are_shown_and_why() {
    let home = small_home();
    let path = home.path().join(SMALL).join("recipe.toml");
    let recipe = std::fs::read_to_string(&path).unwrap();
    let changed = recipe.replacen("path = \"world\"", "path = \"no-such-student\"", 1);
    assert_ne!(changed, recipe);
    std::fs::write(&path, changed).unwrap();
    let mut stand = opened(home);
    stand.keys("<enter>");
    let screen = stand.screen(160, 50);
    assert!(screen.contains("not rendered:") && screen.contains("no-such-student"), "{screen}");
    assert!(screen.contains("assistant"));
}

#[test]
fn every_size_and_state_is_drawn() {
    let mut empty = Stand::empty();
    empty.goto(PaneId::DataSets);
    assert!(empty.screen(80, 24).contains("no session is open"));
    let mut fresh = Stand::live(dark());
    fresh.goto(PaneId::DataSets);
    assert!(fresh.screen(80, 24).contains("data sets"));
    let mut stand = data_sets();
    for keys in ["", "j<enter>", "<enter>", "v"] {
        stand.keys(keys);
        for (columns, rows) in [(1, 1), (2, 9), (9, 2), (20, 6), (39, 11), (80, 12), (101, 16), (250, 70)] {
            stand.screen(columns, rows);
            stand.keys("jk<pagedown><pageup>");
        }
    }
}

#[test]
fn nothing_but_ascii_of_our_own_in_ascii() {
    let mut stand = Stand::with(small_home(), ascii());
    stand.shell.open(SMALL);
    stand.tell(Msg::Notice);
    stand.goto(PaneId::DataSets);
    for keys in ["", "<enter><enter>"] {
        stand.keys(keys);
        let screen = stand.screen(120, 40);
        let odd: Vec<&str> = screen.lines().filter(|line| !line.is_ascii()).collect();
        assert!(odd.is_empty(), "{odd:#?}");
    }
}

#[test]
fn the_mouse_chooses_sets_and_members() {
    let mut stand = data_sets();
    let screen = stand.screen(120, 40);
    let row = screen.lines().position(|line| line.contains("1-sft-bridged ")).unwrap() as u16;
    stand.click(6, row);
    let after = stand.screen(120, 40);
    assert!(after.contains("─ 1-sft-bridged ─"), "{after}");
    let head = after.lines().position(|line| line.contains("kind ") && line.contains(" tokens id ")).unwrap();
    stand.click(6, head as u16 + 3);
    let chosen = stand.screen(120, 40);
    let third = after.lines().nth(head + 3).unwrap().split_whitespace().nth(3).unwrap().to_string();
    assert!(line(&chosen, "trained tokens ─").contains(&third), "{third}\n{chosen}");
    // The name of a column orders by it.
    let x = chosen.lines().nth(head).unwrap().find("tokens").unwrap() as u16;
    stand.click(x, head as u16);
    let ordered = stand.screen(120, 40);
    assert!(ordered.lines().nth(head).unwrap().contains("tokens▼"), "{ordered}");
    assert!(line(&ordered, "trained tokens ─").contains(&third), "the chosen one stays chosen");
}
