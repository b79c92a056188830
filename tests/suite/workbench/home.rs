//! Home: the list, what is done to sessions, and the form of a new run.

use footbridge::pipeline::plan::plan;
use footbridge::recipe::{Arm, Loaded, Recipe};
use footbridge::session::{NewSession, Sessions};
use footbridge::workbench::house::Launch;
use footbridge::workbench::pane::PaneId;
use footbridge::workbench::shell::{Effect, Msg};
use regex::Regex;

use super::stand::{SMALL, Stand, copy, dark, small_home};

/// The small session and one that was stopped before its first stage.
pub fn stand() -> Stand {
    let home = small_home();
    let mut recipe = Recipe::preset("demo").unwrap();
    (recipe.arm, recipe.seed, recipe.grpo.lr) = (Arm::RawHard, 9, 2e-4);
    let sessions = Sessions::at(home.path());
    drop(sessions.create("other", &NewSession { recipe: &recipe.to_toml(), seed: 9 }).unwrap());
    let mut stand = Stand::with(home, dark());
    stand.screen(120, 40);
    stand.wait(4);
    stand
}

impl Stand {
    fn sessions(&self) -> Sessions {
        Sessions::at(self.home.path())
    }

    /// Time passes, and the screen is looked at.
    fn watch(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.screen(80, 24);
            self.wait(1);
        }
    }

    /// Selects a session by searching for it.
    pub fn find(&mut self, name: &str) {
        self.keys(&format!("<esc>/{name}<enter>g"));
    }
}

/// The screen with times and sizes that no two runs of the test share put aside.
fn steady(screen: &str) -> String {
    let time = Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ").unwrap();
    let size = Regex::new(r" +\d+\.\d [KM]iB").unwrap();
    size.replace_all(&time.replace_all(screen, "<time>"), " <size>").into_owned()
}

fn launches(effects: &[Effect]) -> Vec<Launch> {
    let launch = |effect: &Effect| match effect {
        Effect::Launch(launch) => Some(launch.clone()),
        _ => None,
    };
    effects.iter().filter_map(launch).collect()
}

#[test]
fn the_first_start_offers_the_demo_in_one_key() {
    for key in ["d", "<enter>"] {
        let mut stand = Stand::empty();
        stand.tell(Msg::Notice);
        insta::assert_snapshot!("first_start_80x24", stand.screen(80, 24));
        let effects = stand.keys(key);
        let [Launch::New { recipe, name }] = &launches(&effects)[..] else { panic!("{effects:?}") };
        assert_eq!((name.as_deref(), &**recipe), (Some("demo-1"), &Recipe::preset("demo").unwrap()));
    }
}

#[test]
fn the_list_says_what_each_session_is_and_found() {
    let mut stand = stand();
    stand.find("");
    stand.keys("jk");
    insta::assert_snapshot!("list_80x24", steady(&stand.screen(80, 24)));
    insta::assert_snapshot!("list_120x40", steady(&stand.screen(120, 40)));
    insta::assert_snapshot!("list_40x10", steady(&stand.screen(40, 10)));
    stand.find(SMALL);
    let shown = stand.screen(120, 40);
    assert!(shown.contains("greedy accuracy, %: base") && shown.contains("best on dev"), "{shown}");
}

#[test]
fn a_session_is_opened_and_one_that_runs_elsewhere_is_said_to() {
    let mut stand = stand();
    let held = stand.sessions().open("other").unwrap();
    stand.watch(5);
    stand.find("other");
    let shown = stand.screen(120, 40);
    assert!(shown.contains("running") && shown.contains("it can be looked at and not changed"), "{shown}");
    for (key, words) in [("x", "can't be deleted"), ("R", "keeps its name")] {
        stand.keys(key);
        assert!(stand.shell.depth() == 0 && stand.screen(120, 40).contains(words));
    }
    assert!(launches(&stand.keys("r")).is_empty());
    stand.keys("<enter>");
    assert_eq!((stand.shell.session(), stand.shell.focus()), (Some("other"), PaneId::Run));
    assert!(stand.screen(120, 40).contains("other is at work in process"));
    drop(held);
}

#[test]
fn a_stopped_session_goes_on_and_a_complete_one_does_not() {
    let mut stand = stand();
    stand.find("other");
    let effects = stand.keys("r");
    assert!(matches!(&launches(&effects)[..], [Launch::Resume { name }] if name == "other"), "{effects:?}");
    stand.find(SMALL);
    assert!(launches(&stand.keys("r")).is_empty());
}

#[test]
fn a_session_gets_another_name_and_stays_open_under_it() {
    let mut stand = stand();
    stand.find("other");
    stand.keys("<enter>1R<ctrl-u>small");
    assert!(stand.screen(80, 24).contains("there is a session `small` already"));
    stand.keys("<enter>");
    assert!(stand.sessions().contains("other"));
    stand.keys("R<ctrl-u>third<enter>");
    assert_eq!(stand.sessions().names().unwrap(), [SMALL, "third"]);
    assert_eq!(stand.shell.session(), Some("third"));
    assert!(stand.screen(120, 40).contains("other is called third now"));
}

#[test]
fn deleting_asks_and_is_done_once() {
    let mut stand = stand();
    stand.find("other");
    stand.keys("<enter>1x");
    insta::assert_snapshot!("delete_80x24", steady(&stand.screen(80, 24)));
    stand.keys("n");
    assert!(stand.sessions().contains("other"));
    stand.keys("xy");
    assert_eq!(stand.sessions().names().unwrap(), [SMALL]);
    assert_eq!(stand.shell.session(), None);
    assert!(stand.screen(120, 40).contains("other is removed"));
}

#[test]
fn sessions_are_compared_with_the_marked_one() {
    let home = small_home();
    copy(&home.path().join(SMALL), &home.path().join("twin"));
    let mut stand = Stand::with(home, dark());
    stand.screen(120, 40);
    stand.wait(4);
    stand.find("twin");
    stand.keys("c");
    assert!(stand.screen(120, 40).contains("mark another session with m"));
    stand.keys("m");
    stand.find(SMALL);
    stand.keys("c");
    let shown = stand.screen(100, 30);
    assert!(shown.contains("small beside twin") && shown.contains("+0.0 [+0.0, +0.0]"), "{shown}");
    insta::assert_snapshot!("compare_100x30", shown);
    stand.keys("<esc>");
    assert!(stand.screen(100, 30).contains("1 marked"));
}

#[test]
fn a_form_holds_every_change_at_once_and_begins_the_run_when_all_holds() {
    let mut stand = stand();
    stand.keys("n<enter>");
    insta::assert_snapshot!("form_80x24", stand.screen(80, 24));
    insta::assert_snapshot!("form_40x10", stand.screen(40, 10));
    stand.keys("/mini_batch<enter><enter><ctrl-u>5");
    assert!(stand.screen(100, 30).contains("must divide grpo.prompts"), "{}", stand.screen(100, 30));
    stand.keys("<enter><esc>");
    insta::assert_snapshot!("form_fault_120x40", stand.screen(120, 40));
    assert!(launches(&stand.keys("S")).is_empty());
    assert!(stand.screen(120, 40).contains("grpo.mini_batch is 5"));
    // The setting is selected now, and gets the preset's value back.
    stand.keys("u/seed<enter>g<enter><ctrl-u>77<enter><esc>");
    let effects = stand.keys("S");
    let [Launch::New { recipe, name }] = &launches(&effects)[..] else { panic!("{}", stand.screen(120, 40)) };
    assert_eq!((recipe.seed, name.as_deref()), (77, Some("demo-1")));
    assert_eq!(**recipe, Recipe { seed: 77, ..Recipe::preset("demo").unwrap() });
}

#[test]
fn words_and_switches_are_chosen_and_only_what_differs_is_shown() {
    let mut stand = stand();
    stand.keys("n<enter>/arm<enter>");
    stand.keys("<enter>neutral<enter><esc>/format_control<enter><enter><esc>o");
    let shown = stand.screen(100, 30);
    assert!(
        shown.contains("was bridged") && shown.contains("was true") && shown.contains("2 settings differ"),
        "{shown}"
    );
    assert!(!shown.contains("warmup"), "{shown}");
}

#[test]
fn a_form_is_saved_as_a_file_from_which_another_form_begins() {
    let mut stand = stand();
    stand.find("other");
    stand.keys("D");
    let shown = stand.screen(120, 40);
    assert!(shown.contains("session other") && shown.contains("other-raw-hard-1"), "{shown}");
    stand.keys("s<ctrl-u>mine.toml<enter>");
    let path = stand.home.path().join("mine.toml");
    let loaded = Loaded::read(&path).unwrap();
    assert_eq!((loaded.extends, loaded.named, loaded.recipe.seed), (Some("demo"), 3, 9));
    stand.keys("s<ctrl-u>mine.toml<enter>");
    assert!(stand.screen(120, 40).contains("nothing was saved"));
    stand.keys("<esc>nTOML<enter>mine.toml<enter>");
    let shown = stand.screen(120, 40);
    assert!(shown.contains("mine.toml") && shown.contains("3 settings differ from demo"), "{shown}");
    let effects = stand.keys("S");
    let [Launch::New { recipe, name }] = &launches(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!((&**recipe, name.as_deref()), (&loaded.recipe, Some("mine-raw-hard-1")));
    assert!(!plan(recipe).is_empty());
}

#[test]
fn a_file_that_is_no_recipe_says_why() {
    let mut stand = stand();
    std::fs::write(stand.home.path().join("bad.toml"), "grpo.lrr = 1\n").unwrap();
    stand.keys("nTOML<enter>bad.toml<enter>");
    assert!(stand.screen(120, 40).contains("there is no setting grpo.lrr"), "{}", stand.screen(120, 40));
}

#[test]
fn a_plan_that_cannot_be_made_here_says_so_and_goes_back() {
    let mut stand = stand();
    stand.keys("n<enter>p");
    assert!(stand.screen(100, 30).contains("can't be said here"));
    stand.keys("<esc>");
    assert!(stand.screen(100, 30).contains("start this run"));
}

#[test]
fn a_click_selects_and_a_second_one_opens() {
    let mut stand = stand();
    let shown = stand.screen(120, 40);
    let row = shown.lines().position(|line| line.contains("raw-hard")).unwrap() as u16;
    stand.click(10, row);
    assert!(stand.screen(120, 40).lines().nth(row.into()).unwrap().starts_with('▌'));
    stand.click(10, row);
    assert_eq!(stand.shell.session(), Some("other"));
}
