//! The prompts pane: the templates of the session, rendered on its questions, and changed for it.

use footbridge::pipeline::prompting::{PromptingError, change, uses};
use footbridge::pipeline::teaching::{asked_of, keep_prompts};
use footbridge::session::records::PromptChange;
use footbridge::session::{Author, Session, SessionError, Sessions};
use footbridge::teacher::{PromptKind, Prompts};
use footbridge::workbench::pane::PaneId;
use footbridge::workbench::shell::{Effect, Msg};

use super::stand::{SMALL, Stand, dark, small_home};

fn file(stand: &Stand, name: &str) -> String {
    let path = stand.home.path().join(SMALL).join("prompts").join(format!("{name}.j2"));
    std::fs::read_to_string(path).unwrap_or_default()
}

fn open(home: &tempfile::TempDir) -> Session {
    Sessions::at(home.path()).open(SMALL).unwrap()
}

#[test]
fn it_shows_the_templates_and_one_of_them_rendered() {
    let mut stand = Stand::pane(PaneId::Prompts);
    stand.keys("G");
    insta::assert_snapshot!("prompts_160x50", stand.screen(160, 50));
    insta::assert_snapshot!("prompts_120x40", stand.screen(120, 40));
    insta::assert_snapshot!("prompts_80x24", stand.screen(80, 24));
    stand.keys("ll");
    assert!(stand.screen(80, 24).contains("[system]"), "{}", stand.screen(80, 24));
}

#[test]
fn it_renders_on_the_chosen_question_what_the_session_knows() {
    let mut stand = Stand::pane(PaneId::Prompts);
    stand.keys("G/train-0011<enter>");
    let shown = stand.screen(160, 50);
    assert!(shown.contains("rendered ─ train-0011 · ") && shown.contains("failure of iteration 1"), "{shown}");
    let (kind, session) = (PromptKind::Diagnosis, stand.session());
    let question = footbridge::pipeline::specimen::question_in(&session, "train-0011").unwrap();
    let specimen = footbridge::pipeline::specimen::Specimen::of_session(&session, question).unwrap();
    let (_, prompts) = asked_of(&session).unwrap();
    let turns = specimen.render(&prompts, kind).unwrap();
    let line = turns[1].content.lines().find(|line| line.len() > 20).unwrap();
    stand.keys("ll");
    (0..30).for_each(|_| drop(stand.keys("j")));
    let shown = stand.screen(160, 90);
    assert!(shown.contains(&line[..20]), "{line} is not in\n{shown}");
}

#[test]
fn a_template_is_changed_in_place_and_put_back() {
    let mut stand = Stand::pane(PaneId::Prompts);
    let (_, before) = asked_of(&stand.session()).unwrap();
    stand.keys("iTask : <ctrl-s>");
    let asked = stand.screen(100, 30);
    assert!(asked.contains("groups of answers") && asked.contains("not comparable"), "{asked}");
    stand.keys("n");
    assert!(stand.session().get::<PromptChange>("question").unwrap().is_none(), "no is no");
    // What was typed is still there.
    stand.keys("i<ctrl-s>y");
    let changed: PromptChange = stand.session().get("question").unwrap().unwrap();
    assert_eq!(changed.before, before.source(PromptKind::Question));
    assert_eq!(changed.text, format!("Task : {}", changed.before));
    assert!(matches!(changed.decided.by, Author::Researcher(_)));
    assert_eq!(file(&stand, "question"), changed.text);
    let (_, after) = asked_of(&stand.session()).unwrap();
    assert_eq!(after.hash(PromptKind::Question), changed.hash);
    assert_ne!(changed.hash, before.hash(PromptKind::Question));
    stand.keys("d");
    let shown = stand.screen(160, 50);
    assert!(
        shown.contains("1 changed") && shown.contains("+ Task : ") && shown.contains("against the built-in"),
        "{shown}"
    );
    stand.keys("R");
    stand.keys("y");
    assert_eq!(file(&stand, "question"), changed.before);
    let entries = stand.session().audit(footbridge::session::AuditFilter::of::<PromptChange>("")).unwrap();
    assert_eq!(entries.count(), 2);
}

#[test]
fn a_text_that_is_no_template_is_told_with_its_line_and_kept() {
    let mut stand = Stand::pane(PaneId::Prompts);
    stand.keys("GiSo. <ctrl-s>");
    let shown = stand.screen(120, 40);
    assert!(shown.contains("diagnosis.j2:13: there is text above the first turn"), "{shown}");
    assert!(shown.contains("So. {# system #}"), "{shown}");
    stand.keys("<esc>g");
    assert!(matches!(&stand.keys("E")[..], [Effect::Edit { extension: "j2", .. }]));
    stand.tell(Msg::Edited(Ok("{{ question }}\n{{ gold }}\n".into())));
    let shown = stand.screen(120, 40);
    assert!(shown.contains("question.j2:2: there is no variable `gold`"), "{shown}");
    assert!(matches!(&stand.keys("E")[..], [Effect::Edit { text, .. }] if text.contains("gold")));
    stand.tell(Msg::Edited(Ok("no question at all".into())));
    assert!(stand.screen(120, 40).contains("never uses `question`"), "{}", stand.screen(120, 40));
    assert!(stand.session().count::<PromptChange>("").unwrap() == 0);
}

#[test]
fn lessons_follow_the_prompt_from_then_on() {
    let mut stand = Stand::pane(PaneId::Prompts);
    let down = PromptKind::NewTrace as usize;
    stand.keys(&"j".repeat(down));
    stand.keys("iShort : <ctrl-s>y");
    stand.goto(PaneId::Recycle);
    stand.keys("lll");
    (0..40).for_each(|_| drop(stand.keys("j")));
    assert!(stand.screen(120, 60).contains("Short : "), "{}", stand.screen(120, 60));
}

#[test]
fn without_a_session_and_beside_a_run_nothing_is_changed() {
    let mut stand = Stand::empty();
    stand.goto(PaneId::Prompts);
    let shown = stand.screen(160, 50);
    assert!(shown.contains("everything made up") && shown.contains("built in"), "{shown}");
    stand.keys("i");
    assert_eq!(stand.shell.depth(), 0);
    assert!(stand.screen(160, 50).contains("no session is open"), "{}", stand.screen(160, 50));
    let mut live = Stand::live(dark());
    live.goto(PaneId::Prompts);
    live.keys("i");
    assert_eq!(live.shell.depth(), 0);
    assert!(live.screen(160, 50).contains("the run is at work"), "{}", live.screen(160, 50));
}

#[test]
fn a_change_of_what_was_used_must_be_confirmed() {
    let home = small_home();
    let session = open(&home);
    let kind = PromptKind::Question;
    let old = Prompts::world().unwrap();
    let text = format!("Task : {}", old.source(kind));
    let used = uses(&session, kind, &old.hash(kind), || Ok::<(), SessionError>(())).unwrap();
    assert!(used.iter().any(|used| used.what == "groups of answers" && used.count > 10), "{used:?}");
    let refused = change(&session, kind, &text, (Some("ada"), false)).unwrap_err();
    assert!(matches!(refused, PromptingError::Used { .. }) && refused.to_string().contains("confirm"), "{refused}");
    assert!(matches!(change(&session, kind, old.source(kind), (None, true)), Err(PromptingError::Same("question"))));
    assert!(change(&session, kind, "{{ nope }}", (None, true)).unwrap_err().to_string().contains(":1: "));
    assert_eq!(session.count::<PromptChange>("").unwrap(), 0);
    let hash = change(&session, kind, &text, (Some("ada"), true)).unwrap();
    assert_eq!(asked_of(&session).unwrap().1.hash(kind), hash);
    let unused = uses(&session, kind, &hash, || Ok::<(), SessionError>(())).unwrap();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn a_change_that_was_cut_off_is_put_in_place_with_the_next_run() {
    let home = small_home();
    let session = open(&home);
    let kind = PromptKind::NewTrace;
    let before = Prompts::world().unwrap().source(kind).to_string();
    change(&session, kind, &format!("Short : {before}"), (None, true)).unwrap();
    let folder = session.dir().join("prompts");
    // As a kill between journal and file leaves it.
    std::fs::rename(folder.join("new-trace.j2"), folder.join(".new-trace.j2.new")).unwrap();
    std::fs::write(folder.join("new-trace.j2"), &before).unwrap();
    // A text that never came into the journal is left alone.
    std::fs::write(folder.join(".repair.j2.new"), "{{ never }}").unwrap();
    let kept = keep_prompts(&session, Prompts::world().unwrap()).unwrap();
    assert!(kept.source(kind).starts_with("Short : "));
    assert_eq!(kept.source(PromptKind::Repair), Prompts::world().unwrap().source(PromptKind::Repair));
}
