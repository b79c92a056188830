//! The bridge pane: what it says of a question, and that keys really decide.

use crossterm::event::{KeyModifiers, MouseEvent, MouseEventKind};
use footbridge::domain::Action;
use footbridge::pipeline::events::{Command, Event};
use footbridge::session::records::{BridgedTrace, ReviewDecision, Scores, Status};
use footbridge::session::{Author, Batch, Sessions};
use footbridge::workbench::pane::PaneId;
use footbridge::workbench::shell::{Effect, Msg};

use super::stand::{SMALL, Stand, ascii, dark, small_home};

/// The first question that waits in the small session.
const WAITS: &str = "train-0019";

fn bridge(stand: &Stand, id: &str) -> BridgedTrace {
    stand.session().get(id).unwrap().unwrap()
}

fn scores(stand: &Stand, id: &str) -> Scores {
    stand.session().get(id).unwrap().unwrap()
}

fn actions(stand: &Stand, id: &str) -> Vec<Action> {
    bridge(stand, id).steps.iter().map(|step| step.action).collect()
}

fn statuses(stand: &Stand) -> Vec<(String, Status)> {
    let all = stand.session().scan::<BridgedTrace>("").map(|item| item.unwrap()).collect::<Vec<_>>();
    all.into_iter().map(|(id, bridge)| (id, bridge.status)).collect()
}

fn decisions(stand: &Stand) -> Vec<ReviewDecision> {
    stand.session().scan::<ReviewDecision>("").map(|item| item.unwrap().1).collect()
}

/// Keys, and then the answer of the review desk.
fn decide(stand: &mut Stand, keys: &str) {
    stand.keys(keys);
    stand.tell(Msg::Notice);
}

#[test]
fn a_question_is_shown_with_scores_reason_losses_and_texts() {
    let mut stand = Stand::pane(PaneId::Bridge);
    stand.keys("JJ");
    insta::assert_snapshot!("bridge_80x24", stand.screen(80, 24));
    insta::assert_snapshot!("bridge_120x40", stand.screen(120, 40));
    insta::assert_snapshot!("bridge_200x50", stand.screen(200, 50));
    let mut plain = Stand::with(small_home(), ascii());
    plain.shell.open(super::stand::SMALL);
    plain.tell(Msg::Notice);
    plain.goto(PaneId::Bridge);
    plain.keys("JJ");
    let shown = plain.screen(80, 24);
    assert!(shown.is_ascii(), "{shown}");
    insta::assert_snapshot!("bridge_ascii_80x24", shown);
}

#[test]
fn losses_lie_on_the_tokens_that_were_measured() {
    let mut stand = Stand::pane(PaneId::Bridge);
    assert!(stand.screen(120, 40).contains("token by token"));
    assert!(stand.screen(120, 40).contains("57 tokens, was 155"));
    assert_eq!(scores(&stand, WAITS).trace_tokens, 155);
}

#[test]
fn an_override_changes_the_record_and_is_undone_and_redone() {
    let mut stand = Stand::pane(PaneId::Bridge);
    let before = bridge(&stand, WAITS);
    assert_eq!(before.steps[2].action, Action::Localize);
    stand.keys("JJk");
    assert_eq!(stand.shell.depth(), 1);
    decide(&mut stand, "they know this<enter>");
    let after = bridge(&stand, WAITS);
    assert_eq!((after.steps[2].action, after.steps[2].overruled), (Action::Keep, Some(false)));
    assert_eq!(after.status, Status::Edited);
    assert!(!after.bridged.locals.iter().any(|local| local.step == 2));
    assert_eq!(after.decided.unwrap().reason.as_deref(), Some("they know this"));
    let shown = stand.screen(120, 40);
    assert!(shown.contains("you chose keep at ") && shown.contains("they know this"), "{shown}");
    assert!(shown.contains("→ localize)") && shown.contains("edited"), "{shown}");
    decide(&mut stand, "u");
    assert_eq!(bridge(&stand, WAITS), before);
    assert!(stand.screen(120, 40).contains("D .94 > .57 → localize"));
    decide(&mut stand, "<ctrl-r>");
    assert_eq!(actions(&stand, WAITS)[2], Action::Keep);
    // Leaving the reason leaves the step.
    let known = decisions(&stand).len();
    decide(&mut stand, "l<esc>");
    assert_eq!((actions(&stand, WAITS)[2], decisions(&stand).len()), (Action::Keep, known));
}

#[test]
fn one_is_approved_and_one_rejected_with_its_reason_only() {
    let mut stand = Stand::pane(PaneId::Bridge);
    decide(&mut stand, "a");
    assert_eq!(bridge(&stand, WAITS).status, Status::Approved);
    decide(&mut stand, "r<enter>");
    assert!(stand.screen(120, 40).contains("a rejection needs a reason"));
    assert_eq!(bridge(&stand, WAITS).status, Status::Approved);
    decide(&mut stand, "rtoo long<enter>");
    assert_eq!(bridge(&stand, WAITS).status, Status::Rejected { reason: "too long".into() });
    assert!(stand.screen(120, 40).contains("too long"));
}

#[test]
fn all_that_wait_are_approved_after_a_question_that_counts_them() {
    let mut stand = Stand::pane(PaneId::Bridge);
    let waiting = statuses(&stand).iter().filter(|(_, status)| *status == Status::Proposed).count();
    stand.keys("A");
    assert!(stand.screen(120, 40).contains(&format!("{waiting} bridged traces that are proposed")));
    decide(&mut stand, "n");
    assert!(statuses(&stand).iter().any(|(_, status)| *status == Status::Proposed));
    decide(&mut stand, "Ay");
    assert!(!statuses(&stand).iter().any(|(_, status)| *status == Status::Proposed));
    // One decision, taken back at once.
    decide(&mut stand, "U");
    let back = statuses(&stand).iter().filter(|(_, status)| *status == Status::Proposed).count();
    assert_eq!(back, waiting);
}

#[test]
fn what_comes_to_wait_while_it_is_asked_is_not_approved() {
    let mut stand = Stand::pane(PaneId::Bridge);
    let (late, _) = statuses(&stand).into_iter().find(|(_, status)| *status == Status::Approved).unwrap();
    let waiting = statuses(&stand).iter().filter(|(_, status)| *status == Status::Proposed).count();
    stand.keys("A");
    let mut batch = Batch::new(Author::Pipeline);
    batch.put(&late, &BridgedTrace { status: Status::Proposed, ..bridge(&stand, &late) });
    Sessions::at(stand.home.path()).open(SMALL).unwrap().write(batch).unwrap();
    decide(&mut stand, "y");
    assert_eq!(bridge(&stand, &late).status, Status::Proposed);
    assert_eq!(decisions(&stand).pop().unwrap().changes.len(), waiting);
}

#[test]
fn texts_are_written_here_or_in_an_editor() {
    let mut stand = Stand::pane(PaneId::Bridge);
    decide(&mut stand, "JJiSo <ctrl-s>");
    let text = "So Hana has 8 + 55 = 63 beads.";
    assert_eq!(bridge(&stand, WAITS).steps[2].text, text);
    assert!(bridge(&stand, WAITS).bridged.text.contains(text));
    // A text that is refused is kept for another try.
    let refused = "Eine\n#### 7\n".to_string();
    let edit = stand.keys("KKE<down><down><down><enter>");
    assert!(matches!(edit.last(), Some(Effect::Edit { .. })), "{edit:?}");
    stand.tell(Msg::Edited(Ok(refused.clone())));
    stand.tell(Msg::Notice);
    assert!(stand.screen(160, 40).contains("your text is kept"), "{}", stand.screen(160, 40));
    let edit = stand.keys("E<down><down><down><enter>");
    assert!(matches!(edit.last(), Some(Effect::Edit { text, .. }) if *text == refused), "{edit:?}");
    stand.tell(Msg::Edited(Err("closed".into())));
    stand.keys("JJ");
    // Untouched text is no decision.
    let known = decisions(&stand).len();
    decide(&mut stand, "i<ctrl-s>");
    assert_eq!(decisions(&stand).len(), known);
    // A kept step becomes what its new text is for.
    decide(&mut stand, "KKi<enter>Look: <ctrl-s>");
    let step = bridge(&stand, WAITS).steps.remove(0);
    assert_eq!((step.action, step.text.as_str()), (Action::Expand, "Look: Finn has 54 - 46 = 8 beads."));
    let edit = stand.keys("JJE");
    let Some(Effect::Edit { text, extension: "md" }) = edit.last() else { panic!("no editor: {edit:?}") };
    let written = text.replace("So Hana", "Then Hana");
    stand.tell(Msg::Edited(Ok(written.clone())));
    stand.tell(Msg::Notice);
    assert_eq!(bridge(&stand, WAITS).steps[2].text, written);
}

#[test]
fn a_text_on_its_way_is_kept_whatever_other_panes_decide() {
    let mut stand = Stand::with(small_home(), dark());
    stand.shell.attach(SMALL, std::sync::Weak::new(), "footbridge resume small", "cpu");
    let asked = |effects: &[Effect]| effects.iter().any(|effect| matches!(effect, Effect::Send(Command::Review(_))));
    stand.goto(PaneId::Recycle);
    assert!(asked(&stand.keys("na")));
    stand.goto(PaneId::Bridge);
    assert!(asked(&stand.keys("JJiMine: <ctrl-s>")));
    assert!(stand.screen(120, 40).contains("deciding"));
    // The run answers in order: what came first was the other pane's.
    let line = "approved recycled/1/train-0015".to_string();
    let decided = Event::Decided { decision: 9, line, count: 1, products: vec![], notes: vec![] };
    stand.tell(Msg::Run(decided.clone()));
    assert!(stand.screen(120, 40).contains("deciding"));
    stand.tell(Msg::Run(Event::Refused { reason: "the answer is another one".into() }));
    let shown = stand.screen(120, 40);
    assert!(shown.contains("your text is kept") && !shown.contains("deciding"), "{shown}");
    stand.keys("i");
    assert!(stand.screen(120, 40).contains("Mine: "), "{}", stand.screen(120, 40));
    stand.keys("<ctrl-s>");
    stand.tell(Msg::Run(decided));
    stand.keys("i");
    assert!(!stand.screen(120, 40).contains("Mine: "), "it was accepted");
}

#[test]
fn a_score_is_changed_and_the_operation_follows() {
    let mut stand = Stand::pane(PaneId::Bridge);
    // J of step 2 from .75 to .25: low, smooth and learnable is compressed.
    decide(&mut stand, "Js<down><enter><up><enter>");
    assert_eq!(scores(&stand, WAITS).steps[1].scores.jumpiness, Some(0.25));
    assert_eq!(actions(&stand, WAITS)[1], Action::Compress);
    // D of step 1 above the threshold: localized.
    decide(&mut stand, "Ks<down><down><enter>1.5<enter>");
    assert_eq!(scores(&stand, WAITS).steps[0].scores.difficulty, 1.5);
    assert_eq!(actions(&stand, WAITS)[0], Action::Localize);
    decide(&mut stand, "s<down><down><enter>much<enter>");
    assert!(stand.screen(120, 40).contains("`much` is no number"));
}

#[test]
fn steps_are_cut_and_joined() {
    let mut stand = Stand::pane(PaneId::Bridge);
    let steps = scores(&stand, WAITS).steps.len();
    decide(&mut stand, "m");
    assert_eq!(scores(&stand, WAITS).steps.len(), steps - 1);
    decide(&mut stand, "u");
    stand.keys("x");
    assert!(stand.screen(120, 40).contains("Finn has 54 // - 46 = 8 beads."));
    decide(&mut stand, "<enter>");
    assert_eq!(scores(&stand, WAITS).steps.len(), steps + 1);
}

#[test]
fn the_teacher_is_asked_again_and_refusals_are_said() {
    let mut stand = Stand::pane(PaneId::Bridge);
    decide(&mut stand, "gtrace<enter>");
    let (said, shown) = (decisions(&stand).len(), stand.screen(120, 40));
    assert!(shown.contains("asked again for trace/") || shown.contains("refused"), "{said} {shown}");
    assert!(!shown.contains("deciding"), "{shown}");
}

#[test]
fn other_thresholds_are_seen_before_they_are_applied() {
    let mut stand = Stand::pane(PaneId::Bridge);
    let all = |stand: &Stand| -> Vec<(String, Vec<Action>)> {
        statuses(stand).into_iter().map(|(id, _)| (id.clone(), actions(stand, &id))).collect()
    };
    let before = all(&stand);
    stand.keys("t<down><down>");
    assert!(stand.screen(120, 40).contains("nothing would change"));
    stand.keys(&"<left>".repeat(10));
    let shown = stand.screen(120, 40);
    assert!(shown.contains("10 steps of 9 questions would change"), "{shown}");
    insta::assert_snapshot!("bridge_what_if_80x24", stand.screen(80, 24));
    insta::assert_snapshot!("bridge_what_if_120x40", shown);
    assert_eq!(all(&stand), before);
    stand.keys("<enter>");
    assert!(stand.screen(120, 40).contains("10 steps of 9 questions get the operation"));
    decide(&mut stand, "y");
    let after = all(&stand);
    let flat = |all: &[(String, Vec<Action>)]| all.iter().flat_map(|(_, steps)| steps.clone()).collect::<Vec<_>>();
    assert_eq!(flat(&before).iter().zip(flat(&after)).filter(|(was, is)| *was != is).count(), 10);
    let last = decisions(&stand).pop().unwrap();
    assert_eq!((last.changes.len(), last.decided.reason.as_deref()), (9, Some("as with τI .50, τJ .50, τD .47")));
    assert!(stand.screen(120, 40).contains("nothing would change"));
    decide(&mut stand, "U");
    assert_eq!(all(&stand), before);
    stand.keys("=<esc>");
    assert!(stand.screen(120, 40).contains("surprise"));
}

#[test]
fn operations_are_counted_over_all_steps() {
    let mut stand = Stand::pane(PaneId::Bridge);
    stand.keys("D");
    insta::assert_snapshot!("bridge_operations_120x40", stand.screen(120, 40));
    stand.keys("<esc>v");
    assert!(stand.screen(120, 40).contains("whole trace"));
    stand.keys("v");
    assert!(stand.screen(120, 40).contains("trained:"));
    stand.keys("o");
    let shown = stand.screen(120, 40);
    assert!(shown.contains("mean over 2578 tokens of 24 hard"), "{shown}");
    stand.keys("<esc>");
    assert_eq!(stand.shell.depth(), 0);
}

#[test]
fn questions_are_found_filtered_and_walked_through() {
    let mut stand = Stand::pane(PaneId::Bridge);
    stand.keys("n");
    assert!(stand.screen(120, 40).contains("─ train-0023 ·"));
    stand.keys("w");
    assert!(stand.screen(120, 40).contains("─ train-0039 ·"));
    stand.keys("N");
    assert!(stand.screen(120, 40).contains("─ train-0038 ·"));
    stand.keys("/0060<enter>");
    assert!(stand.screen(120, 40).contains("─ train-0060 ·"));
    stand.keys("frejected<enter>");
    let shown = stand.screen(120, 40);
    assert!(shown.contains("─ train-0023 ·") && shown.contains("only rejected"), "{shown}");
    assert!(!shown.contains("train-0060"), "{shown}");
    stand.keys("fall<enter>L");
    let shown = stand.screen(120, 40);
    assert!(!shown.contains("train-0001"), "{shown}");
}

#[test]
fn the_mouse_selects_and_scrolls() {
    let mut stand = Stand::pane(PaneId::Bridge);
    let line = |stand: &mut Stand, words: &str| -> u16 {
        let shown = stand.screen(120, 40);
        shown.lines().position(|line| line.contains(words)).unwrap() as u16
    };
    let row = line(&mut stand, "train-0041");
    stand.click(4, row);
    assert!(stand.screen(120, 40).contains("─ train-0041 ·"));
    let row = line(&mut stand, "    3 ");
    stand.click(60, row);
    assert!(stand.screen(120, 40).lines().nth(usize::from(row)).unwrap().contains("▌  3"));
    let wheel = MouseEvent { kind: MouseEventKind::ScrollUp, column: 60, row, modifiers: KeyModifiers::NONE };
    stand.tell(Msg::Mouse(wheel));
    assert!(stand.screen(120, 40).lines().nth(usize::from(row) - 1).unwrap().contains("▌  2"));
}

#[test]
fn nothing_is_drawn_as_something_and_every_size_is_drawn() {
    let mut none = Stand::empty();
    none.goto(PaneId::Bridge);
    assert!(none.screen(80, 24).contains("no session is open"));
    let mut young = Stand::live(dark());
    young.goto(PaneId::Bridge);
    assert!(!young.screen(80, 24).contains("surprise"));
    let mut stand = Stand::pane(PaneId::Bridge);
    for keys in ["", "v", "v", "D", "Dt", "<left>"] {
        stand.keys(keys);
        for (columns, rows) in [(1, 1), (3, 2), (20, 5), (41, 11), (60, 12), (79, 9), (119, 6), (250, 80)] {
            stand.screen(columns, rows);
        }
    }
}
