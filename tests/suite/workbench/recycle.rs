//! The recycle pane: what it shows of failed questions, and that its keys decide on them.

use footbridge::domain::Diagnosis;
use footbridge::pipeline::lessons::Failure;
use footbridge::pipeline::review::{Filter, Kind, list};
use footbridge::pipeline::teaching::asked_of;
use footbridge::recipe::Recipe;
use footbridge::session::records::{Asked, Prepared, Recycled, Status};
use footbridge::session::{NewSession, Sessions};
use footbridge::workbench::pane::PaneId;
use footbridge::workbench::shell::{Effect, Msg};

use super::stand::{Stand, ascii, dark, small_home};

fn recycled(stand: &Stand, id: &str) -> Recycled {
    stand.session().get(&format!("1/{id}")).unwrap().unwrap()
}

fn status(stand: &Stand, id: &str) -> Status {
    recycled(stand, id).status
}

fn diagnosis(stand: &Stand, id: &str) -> Diagnosis {
    recycled(stand, id).diagnosis.unwrap()
}

/// Failed questions that stand so.
fn standing(stand: &Stand, name: &str) -> usize {
    let filter = Filter { kind: Some(Kind::Recycled), status: Some(name.into()), ..Filter::default() };
    list(&stand.session(), &filter).unwrap().len()
}

/// The first failed question that waits, which `n` goes to.
const WAITING: &str = "train-0015";

#[test]
fn it_shows_failures_with_their_errors_and_lessons() {
    let mut stand = Stand::pane(PaneId::Recycle);
    insta::assert_snapshot!("recycle_160x50", stand.screen(160, 50));
    insta::assert_snapshot!("recycle_120x40", stand.screen(120, 40));
    stand.keys("nll");
    insta::assert_snapshot!("recycle_80x24", stand.screen(80, 24));
    stand.keys("lv");
    let json = stand.screen(80, 40);
    assert!(json.contains("\"kind\": \"diagnose\"") && json.contains(WAITING), "{json}");
    let mut plain = Stand::with(small_home(), ascii());
    plain.shell.open(super::stand::SMALL);
    plain.goto(PaneId::Recycle);
    let shown = plain.screen(80, 24);
    assert!(shown.is_ascii() && shown.contains("< first error"), "{shown}");
}

#[test]
fn rejecting_asks_why_and_changes_the_record_until_it_is_undone() {
    let mut stand = Stand::pane(PaneId::Recycle);
    stand.keys("nr");
    assert!(stand.screen(80, 24).contains("reject recycled/1/train-0015: why?"));
    stand.keys("<enter>");
    assert_eq!(status(&stand, WAITING), Status::Proposed, "a rejection needs a reason");
    stand.keys("rnot the first error<enter>");
    assert_eq!(status(&stand, WAITING), Status::Rejected { reason: "not the first error".into() });
    let shown = stand.screen(120, 40);
    assert!(shown.contains("rejected: not the first error") && shown.contains("2 rejected"), "{shown}");
    assert!(shown.contains("not trained on while rejected"), "{shown}");
    stand.keys("u");
    assert_eq!(status(&stand, WAITING), Status::Proposed);
    stand.keys("<ctrl-r>");
    assert_eq!(status(&stand, WAITING).name(), "rejected");
    stand.keys("U");
    assert_eq!(status(&stand, WAITING), Status::Proposed);
}

#[test]
fn one_is_approved_and_then_all_that_are_shown() {
    let mut stand = Stand::pane(PaneId::Recycle);
    let waiting = standing(&stand, "proposed");
    stand.keys("na");
    assert_eq!((status(&stand, WAITING), standing(&stand, "proposed")), (Status::Approved, waiting - 1));
    stand.keys("/error:misread status:pending<enter>A");
    let asked = stand.screen(80, 24);
    assert!(asked.contains("passed their checks"), "{asked}");
    stand.keys("n");
    assert_eq!(standing(&stand, "proposed"), waiting - 1, "no is no");
    stand.keys("Ay");
    let left = standing(&stand, "proposed");
    assert!(left < waiting - 2 && left > 0, "{left} of {waiting}");
    let session = stand.session();
    for item in session.scan::<Recycled>("") {
        let (key, record) = item.unwrap();
        let misread = record.diagnosis.unwrap().error_type == "misread the question";
        assert!(!misread || record.status != Status::Proposed, "{key} still waits");
    }
    let shown = stand.screen(80, 24);
    assert!(shown.contains("nothing fits the filter"), "{shown}");
    stand.keys("<esc>");
    assert!(!stand.screen(80, 24).contains("nothing fits"));
}

#[test]
fn a_field_is_edited_in_place_and_a_refused_text_is_kept() {
    let mut stand = Stand::pane(PaneId::Recycle);
    let before = diagnosis(&stand, WAITING);
    stand.keys("niwhy<enter>Look: <ctrl-s>");
    assert_eq!(diagnosis(&stand, WAITING).why_wrong, format!("Look: {}", before.why_wrong));
    assert_eq!(status(&stand, WAITING), Status::Edited);
    stand.keys("ifirst error<enter>zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz<ctrl-s>");
    assert_eq!(diagnosis(&stand, WAITING).first_error, before.first_error, "it is nowhere in the answer");
    stand.keys("ifirst error<enter>");
    assert!(stand.screen(80, 24).contains("zzzzzzzzzzz"), "what was typed is gone");
    stand.keys("<esc>");
    assert_eq!(stand.shell.depth(), 0);
}

#[test]
fn the_whole_diagnosis_goes_through_the_editor() {
    let mut stand = Stand::pane(PaneId::Recycle);
    let effects = stand.keys("nE");
    let text = effects.iter().find_map(|effect| match effect {
        Effect::Edit { text, extension: "json" } => Some(text.clone()),
        _ => None,
    });
    let mut diagnosis = diagnosis(&stand, WAITING);
    assert_eq!(serde_json::from_str::<Diagnosis>(&text.unwrap()).unwrap(), diagnosis);
    stand.tell(Msg::Edited(Ok("{ \"error_type\": 3 }".into())));
    assert!(stand.screen(120, 40).contains("`error_type` must be a text"), "{}", stand.screen(120, 40));
    assert_eq!(status(&stand, WAITING), Status::Proposed);
    let effects = stand.keys("E");
    assert!(matches!(&effects[..], [Effect::Edit { text, .. }] if text.contains("3 }")), "the text is kept");
    diagnosis.minimal_fix = "Read it again.".into();
    stand.tell(Msg::Edited(Ok(serde_json::to_string(&diagnosis).unwrap())));
    stand.tell(Msg::Notice);
    assert_eq!(status(&stand, WAITING), Status::Edited);
    assert_eq!(self::diagnosis(&stand, WAITING), diagnosis);
}

#[test]
fn the_lessons_shown_are_those_that_sft_trained_on() {
    let stand = Stand::small();
    let session = stand.session();
    let (_, prompts) = asked_of(&session).unwrap();
    let mut compared = 0;
    for item in session.scan::<Prepared>("") {
        let (_, text) = item.unwrap();
        if !text.sample.kind.is_recycled() {
            continue;
        }
        let key = format!("1/{}", text.sample.question);
        let record: Recycled = session.get(&key).unwrap().unwrap();
        let asked: Asked = session.get(&format!("train/{}", record.question)).unwrap().unwrap();
        let failure = Failure { iteration: 1, key: &key, question: &asked.question, record: &record };
        let lessons = failure.lessons(&prompts, 2).unwrap().unwrap();
        assert!(lessons.contains(&text.sample), "{} is not among {lessons:?}", text.sample.id);
        compared += 1;
    }
    assert!(compared >= 3, "{compared} lessons compared");
}

#[test]
fn rows_are_chosen_by_mouse_and_narrowed_down_by_choice() {
    let mut stand = Stand::pane(PaneId::Recycle);
    stand.screen(120, 40);
    stand.click(10, 6);
    assert_eq!(stand.shell.focus(), PaneId::Recycle);
    assert!(stand.screen(120, 40).contains("near-miss ─ train-0005"), "{}", stand.screen(120, 40));
    stand.keys("srejected<enter>");
    let shown = stand.screen(120, 40);
    assert!(shown.contains("1 shown ") && shown.contains("train-0011"), "{shown}");
    stand.keys("sany<enter>fextra<enter>");
    let shown = stand.screen(120, 40);
    assert!(shown.contains("filter error:\"extra step\"") && !shown.contains("train-0004"), "{shown}");
    stand.keys("<esc>t");
    assert!(stand.screen(120, 40).contains("all iterations"));
}

#[test]
fn it_says_why_there_is_nothing() {
    let home = tempfile::tempdir().unwrap();
    let recipe = Recipe::preset("demo").unwrap().to_toml();
    drop(Sessions::at(home.path()).create("new", &NewSession { recipe: &recipe, seed: 1 }).unwrap());
    let mut stand = Stand::with(home, dark());
    stand.goto(PaneId::Recycle);
    assert!(stand.screen(80, 24).contains("no session is open"));
    stand.shell.open("new");
    stand.keys("aAiErgnNtsfvuU");
    assert_eq!(stand.shell.depth(), 0);
    assert!(stand.screen(80, 24).contains("nothing has failed yet"));
}
