//! Questions: the table, its filter and order, one question, the way to other panes.

use footbridge::workbench::pane::PaneId;
use footbridge::workbench::shell::{Effect, Msg};

use super::stand::{SMALL, Stand, ascii, dark, small_home};

/// The pane over the small session.
fn questions() -> Stand {
    Stand::pane(PaneId::Questions)
}

fn line<'a>(screen: &'a str, with: &str) -> &'a str {
    screen.lines().find(|line| line.contains(with)).unwrap_or_else(|| panic!("no line with {with:?} in\n{screen}"))
}

/// How many questions the pane says it shows, and how many there are.
fn shown(stand: &mut Stand) -> (usize, usize) {
    let screen = stand.screen(120, 40);
    let words: Vec<&str> = screen.lines().flat_map(str::split_whitespace).collect();
    let of = words.windows(3).find_map(|w| Some((w[0].parse().ok()?, w[2].parse().ok()?)).filter(|_| w[1] == "of"));
    of.unwrap_or_else(|| panic!("it is not said how many are shown:\n{screen}"))
}

/// The first cells of the rows, top to bottom.
fn ids(screen: &str) -> Vec<String> {
    let rows = screen.lines().skip_while(|line| !line.trim_start().starts_with("id"));
    let ids = rows.skip(1).map(|line| line.trim_start_matches(['▌', ' ']).split(' ').next().unwrap_or("").to_string());
    ids.take_while(|id| id.starts_with("train")).collect()
}

#[test]
fn who_finds_what_hard() {
    let mut stand = questions();
    insta::assert_snapshot!("questions_80x24", stand.screen(80, 24));
    insta::assert_snapshot!("questions_120x40", stand.screen(120, 40));
    insta::assert_snapshot!("questions_200x50", stand.screen(200, 50));
    let mut plain = Stand::with(small_home(), ascii());
    plain.shell.open(SMALL);
    plain.goto(PaneId::Questions);
    let shown = plain.screen(80, 24);
    assert!(shown.is_ascii(), "{shown}");
}

#[test]
fn the_filter_chooses_while_it_is_typed_and_says_what_is_wrong_with_it() {
    let mut stand = questions();
    let all = ids(&stand.screen(120, 40));
    assert!(all.len() > 3, "{all:?}");
    stand.keys("/band:hard");
    let hard = shown(&mut stand);
    assert!(hard.0 > 0 && hard.0 < hard.1, "{hard:?}");
    stand.keys(" bnad:hard");
    let screen = stand.screen(120, 40);
    assert!(screen.contains("column 11: there is no field `bnad`; did you mean `band`?"), "{screen}");
    stand.keys("<esc>");
    assert_eq!(ids(&stand.screen(120, 40)), all, "a filter that was left changes nothing");
    stand.keys("/band:hard<enter>");
    assert_eq!((stand.shell.depth(), shown(&mut stand)), (0, hard));
    insta::assert_snapshot!("questions_filtered_80x24", stand.screen(80, 24));
    stand.keys("<esc>");
    assert_eq!(ids(&stand.screen(120, 40)), all);
    stand.keys("/xylophone<enter>");
    assert!(stand.screen(80, 24).contains("no question fits the filter"));
}

#[test]
fn rows_are_sorted_and_the_selected_question_stays_selected() {
    let mut stand = questions();
    stand.keys("jj");
    let selected = ids(&stand.screen(120, 40))[2].clone();
    let marked = |screen: &str| line(screen, "▌").to_string();
    assert!(marked(&stand.screen(120, 40)).contains(&selected));
    stand.keys("S");
    stand.keys("k/n<enter>");
    let screen = stand.screen(120, 40);
    assert!(screen.contains("sorted by k/n") && marked(&screen).contains(&selected), "{screen}");
    let right = |screen: &str| -> Vec<u32> {
        let rows = screen.lines().filter(|line| line.contains("train-"));
        let cells = rows.filter_map(|row| row.split_whitespace().find(|cell| cell.contains('/')));
        cells.filter_map(|cell| cell.split('/').next()?.parse().ok()).collect()
    };
    let up = right(&screen);
    assert!(up.len() > 3 && up.is_sorted(), "{up:?}\n{screen}");
    stand.keys("rg");
    let down = right(&stand.screen(120, 40));
    assert!(down.len() > 3 && down.iter().rev().is_sorted(), "{down:?}");
}

#[test]
fn a_click_selects_opens_and_sorts() {
    let mut stand = questions();
    let screen = stand.screen(120, 40);
    let row = screen.lines().position(|line| line.contains(&ids(&screen)[2])).unwrap() as u16;
    stand.click(30, row);
    assert!(line(&stand.screen(120, 40), "▌").contains(&ids(&screen)[2]));
    stand.click(30, row);
    assert!(stand.screen(120, 40).contains("rollouts of"));
    stand.keys("<esc>");
    let head = screen.lines().position(|line| line.trim_start().starts_with("id")).unwrap() as u16;
    stand.click(3, head);
    assert!(stand.screen(120, 40).contains("sorted by id"));
}

#[test]
fn one_question_with_every_rollout_of_every_stage() {
    let mut stand = questions();
    stand.screen(120, 40);
    stand.keys("<enter>");
    let first = stand.screen(120, 40);
    insta::assert_snapshot!("questions_rollouts_120x40", first);
    assert!(first.contains("rollouts of 1-difficulty") && first.contains("tokens, "), "{first}");
    stand.keys("<right>");
    assert!(!stand.screen(120, 40).contains("rollouts of 1-difficulty"));
    stand.keys("<left>G");
    assert_ne!(stand.screen(120, 12), first);
    stand.keys("<esc>");
    assert!(stand.screen(120, 40).contains("questions"));
}

#[test]
fn why_tells_what_the_session_knows() {
    let mut stand = questions();
    stand.keys("/flag:zero<enter>w");
    let screen = stand.screen(120, 40);
    assert_eq!(stand.shell.depth(), 1);
    for word in ["gold", "base", "hard", "trace", "trained as"] {
        assert!(screen.contains(word), "{word}\n{screen}");
    }
}

#[test]
fn keys_lead_to_the_bridge_and_to_the_failure_and_back() {
    let mut stand = questions();
    stand.keys("/localize>0<enter>b");
    assert_eq!(stand.shell.focus(), PaneId::Bridge);
    let mut stand = questions();
    stand.keys("/not error:none<enter>");
    let id = ids(&stand.screen(120, 40))[0].clone();
    stand.keys("f");
    assert_eq!(stand.shell.focus(), PaneId::Recycle);
    assert!(stand.screen(120, 40).contains(&id));
}

#[test]
fn the_table_is_saved_and_a_question_copied() {
    let mut stand = questions();
    let id = ids(&stand.screen(120, 40))[0].clone();
    let effects = stand.keys("y");
    let Effect::Copy(text) = &effects[0] else { panic!("{effects:?}") };
    assert!(text.starts_with(&id) && text.contains("\n#### "), "{text}");
    stand.keys("/band:hard<enter>");
    let hard = shown(&mut stand).0;
    stand.keys("<ctrl-s>");
    (0..20).for_each(|_| drop(stand.keys("<backspace>")));
    let path = stand.home.path().join("hard.csv");
    stand.tell(Msg::Paste(path.display().to_string()));
    stand.keys("<enter>");
    let table = std::fs::read_to_string(path).unwrap();
    assert!(table.starts_with("id,band,k,n,rho base,"), "{table}");
    assert_eq!(table.lines().count(), hard + 1);
}

#[test]
fn no_key_does_harm_anywhere() {
    for mut stand in [Stand::empty(), Stand::live(dark()), questions()] {
        stand.goto(PaneId::Questions);
        for (columns, rows) in [(120, 40), (40, 10), (12, 3), (1, 1)] {
            stand.screen(columns, rows);
            for key in
                ["j", "G", "s", "r", "d", "w", "<esc>", "<enter>", "<right>", "G", "n", "N", "<esc>", "<esc>", "l"]
            {
                stand.keys(key);
                stand.screen(columns, rows);
            }
            stand.keys("/band:hard (<enter><esc>S<esc>");
        }
    }
}
