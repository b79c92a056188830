//! What holds for all panes: layers, tiles, palette, themes, saving, deciding behind the screen.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent};
use footbridge::session::Sessions;
use footbridge::session::records::{BridgedTrace, Status};
use footbridge::workbench::house::House;
use footbridge::workbench::jobs::Jobs;
use footbridge::workbench::keymap::Keymap;
use footbridge::workbench::pane::PaneId;
use footbridge::workbench::shell::{Effect, Msg, Shell};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::stand::{SMALL, Stand, ascii, copy, dark, small_home};

#[test]
fn the_small_session_opens_with_its_history() {
    let mut stand = Stand::pane(PaneId::Run);
    let run = stand.shell.run();
    assert!(run.stages.len() > 15 && run.complete() == run.stages.len(), "{} stages", run.stages.len());
    assert!(run.curves.all().iter().any(|curve| curve.name == "reward"));
    insta::assert_snapshot!("run_of_the_past_120x40", stand.screen(120, 40));
}

#[test]
fn every_pane_is_one_key_away_and_draws_at_every_size() {
    for look in [dark(), ascii()] {
        let mut stand = Stand::with(small_home(), look);
        for open in [false, true] {
            if open {
                stand.shell.open(super::stand::SMALL);
            }
            for pane in PaneId::ALL {
                stand.goto(pane);
                for (columns, rows) in [(1, 1), (12, 2), (40, 10), (41, 16), (80, 24), (200, 50)] {
                    let shown = stand.screen(columns, rows);
                    assert!(!shown.trim().is_empty(), "{} draws nothing at {columns}x{rows}", pane.name());
                }
            }
        }
    }
}

#[test]
fn panes_share_the_screen_and_give_it_back() {
    let mut stand = Stand::pane(PaneId::Run);
    stand.keys("|");
    let split = stand.screen(160, 40);
    assert_ne!(stand.shell.focus(), PaneId::Run);
    assert!(split.lines().nth(5).unwrap().contains('│'), "{split}");
    stand.keys("<tab>");
    assert_eq!(stand.shell.focus(), PaneId::Run);
    stand.keys("z");
    assert!(!stand.screen(160, 40).lines().nth(12).unwrap().contains("│"));
    stand.keys("z<ctrl-x>");
    assert_ne!(stand.shell.focus(), PaneId::Run);
}

#[test]
fn the_palette_finds_an_action_and_does_it() {
    let mut stand = Stand::pane(PaneId::Run);
    stand.keys(":evaluation");
    insta::assert_snapshot!("palette_80x24", stand.screen(80, 24));
    stand.keys("<enter>");
    assert_eq!((stand.shell.focus(), stand.shell.depth()), (PaneId::Evaluation, 0));
}

#[test]
fn the_help_is_made_of_the_tables() {
    let mut stand = Stand::pane(PaneId::Run);
    stand.keys("?");
    insta::assert_snapshot!("help_120x40", stand.screen(120, 40));
    stand.keys("<esc>");
    assert_eq!(stand.shell.depth(), 0);
}

#[test]
fn a_text_at_its_end_moves_up_with_the_first_key() {
    let mut stand = Stand::pane(PaneId::Run);
    stand.keys("?G");
    let end = stand.screen(80, 24);
    assert!(!end.contains("more below"), "{end}");
    stand.keys("k");
    assert!(stand.screen(80, 24).contains("1 more below"));
}

#[test]
fn what_a_decision_came_to_stays_in_the_log_when_the_history_is_read_again() {
    let mut stand = Stand::pane(PaneId::Bridge);
    let lines =
        |stand: &Stand| stand.shell.run().log.upwards().map(|(_, entry)| entry.text.clone()).collect::<Vec<_>>();
    let before = lines(&stand).len();
    stand.keys("a");
    stand.tell(Msg::Notice);
    stand.wait(3);
    stand.keys("u");
    stand.tell(Msg::Notice);
    stand.wait(3);
    let after = lines(&stand);
    assert_eq!(after.len(), before + 2, "{after:#?}");
    assert!(after[1].contains("approved") && after[0].contains("took back"), "{after:#?}");
}

#[test]
fn esc_brings_back_the_filter_there_was() {
    for (pane, first, more) in [
        (PaneId::Home, "sma", "xq"),
        (PaneId::Run, "sft", "xq"),
        (PaneId::Questions, "band:hard", " geese"),
        (PaneId::Recycle, "status:proposed", " xq"),
        (PaneId::DataSets, "kind:local", " xq"),
    ] {
        let mut stand = Stand::pane(pane);
        let open = stand.screen(120, 40);
        stand.keys(&format!("/{first}<enter>"));
        let narrowed = stand.screen(120, 40);
        assert_ne!(narrowed, open, "{} has no filter", pane.name());
        stand.keys(&format!("/{more}"));
        assert_ne!(stand.screen(120, 40), narrowed, "{} does not show what is typed", pane.name());
        stand.keys("<esc>");
        assert_eq!((stand.screen(120, 40), stand.shell.depth()), (narrowed, 0), "{}", pane.name());
    }
}

#[test]
fn a_question_that_is_not_drawn_is_not_answered_but_can_be_left() {
    let mut stand = Stand::pane(PaneId::Bridge);
    let waiting = |stand: &Stand| {
        let all = stand.session().scan::<BridgedTrace>("").map(|item| item.unwrap().1).collect::<Vec<_>>();
        all.iter().filter(|bridge| bridge.status == Status::Proposed).count()
    };
    let before = waiting(&stand);
    stand.keys("A");
    stand.screen(39, 20);
    stand.keys("y<enter>");
    stand.tell(Msg::Paste("y".into()));
    assert_eq!((stand.shell.depth(), waiting(&stand)), (1, before));
    stand.keys("q");
    assert_eq!(stand.shell.depth(), 0);
    // Nor does a pane that is not drawn take decisions.
    stand.keys("a");
    assert_eq!(waiting(&stand), before);
    stand.screen(80, 24);
    stand.keys("Ay");
    stand.tell(Msg::Notice);
    assert_eq!(waiting(&stand), 0);
    // Whether the run shall stop is asked where there is room for these words.
    let mut live = Stand::live(dark());
    live.screen(30, 3);
    live.keys("q");
    let asked = live.screen(30, 3);
    assert!(asked.starts_with("stop this run? y, n"), "{asked}");
    live.screen(10, 3);
    assert!(live.keys("y").is_empty());
    live.screen(30, 3);
    assert!(matches!(live.keys("y")[..], [Effect::Send(_)]));
}

#[test]
fn a_decision_that_ends_behind_another_session_is_told_with_the_name_of_its_own() {
    let home = small_home();
    copy(&home.path().join(SMALL), &home.path().join("other"));
    let house = House { files: home.path().into(), ..House::new(Sessions::at(home.path()), None) };
    let mut shell = Shell::new(house, dark(), Keymap::default(), Jobs::threads(Arc::new(|| {})));
    let began = Instant::now();
    let until = |shell: &mut Shell, what: &str| {
        let shown = |shell: &mut Shell| {
            let mut buf = Buffer::empty(Rect::new(0, 0, 120, 40));
            shell.draw(&mut buf);
            buf.content.iter().map(|cell| cell.symbol()).collect::<String>()
        };
        while !shown(shell).contains(what) {
            assert!(began.elapsed().as_secs() < 60, "{what} is never shown: {}", shown(shell));
            std::thread::sleep(Duration::from_millis(5));
            shell.update(Msg::Notice, began.elapsed());
        }
    };
    shell.open(SMALL);
    shell.show(PaneId::Bridge, None);
    until(&mut shell, "token by token");
    shell.update(Msg::Key(KeyEvent::from(KeyCode::Char('a'))), began.elapsed());
    shell.open("other");
    until(&mut shell, "small: approved bridge/train-0019");
    let log: Vec<&str> = shell.run().log.upwards().map(|(_, entry)| entry.text.as_str()).collect();
    assert!(!log.iter().any(|line| line.starts_with("approved")), "{log:?}");
}

#[test]
fn a_theme_is_switched_live() {
    let mut stand = Stand::pane(PaneId::Run);
    let before = stand.shell.look().theme_name.clone();
    stand.keys("<ctrl-t>light<enter>");
    assert_eq!((before.as_str(), stand.shell.look().theme_name.as_str()), ("dark", "light"));
    assert_ne!(stand.shell.look().theme.smooth, dark().theme.smooth);
}

#[test]
fn a_screen_is_saved_as_svg_and_nothing_is_overwritten() {
    let mut stand = Stand::pane(PaneId::Run);
    stand.screen(80, 24);
    let path = stand.home.path().join("run.svg");
    for said in ["saved", "nothing was saved"] {
        stand.keys("<ctrl-o>");
        (0..40).for_each(|_| drop(stand.keys("<backspace>")));
        stand.tell(Msg::Paste(path.display().to_string()));
        stand.keys("<enter>");
        stand.tell(Msg::Notice);
        let log: Vec<String> = stand.shell.run().log.upwards().map(|(_, entry)| entry.text.clone()).collect();
        assert!(log[0].contains(said), "{log:?}");
    }
    assert!(std::fs::read_to_string(path).unwrap().starts_with("<svg"));
}

#[test]
fn leaving_asks_nothing_where_no_run_is_at_work() {
    let mut stand = Stand::pane(PaneId::Questions);
    assert!(matches!(stand.keys("q")[..], [Effect::Leave]));
}

#[test]
fn a_session_that_another_process_runs_is_watched_and_it_is_said_who_has_it() {
    let mut stand = Stand::with(small_home(), dark());
    let held = footbridge::session::Sessions::at(stand.home.path()).open(super::stand::SMALL).unwrap();
    stand.shell.open(super::stand::SMALL);
    stand.tell(Msg::Notice);
    let shown = stand.screen(120, 40);
    assert!(shown.contains("small is at work in process"), "{shown}");
    drop(held);
    stand.wait(12);
    assert!(stand.screen(120, 40).contains("no run at work here"), "{}", stand.screen(120, 40));
}
