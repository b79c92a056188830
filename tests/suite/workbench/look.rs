//! How the screen looks: every pane in every theme on every kind of terminal, in ASCII, and as pictures from the shell.

use std::collections::HashSet;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent};
use footbridge::session::Sessions;
use footbridge::workbench::house::House;
use footbridge::workbench::jobs::Jobs;
use footbridge::workbench::keymap::Keymap;
use footbridge::workbench::look::{Glyphs, Look};
use footbridge::workbench::pane::PaneId;
use footbridge::workbench::probe::ColourLevel;
use footbridge::workbench::shell::{Msg, Shell};
use footbridge::workbench::theme::{self, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;

use super::stand::{SMALL, Stand, ascii, small_home};

const LEVELS: [ColourLevel; 4] = [ColourLevel::None, ColourLevel::Ansi16, ColourLevel::Ansi256, ColourLevel::True];

fn cells(stand: &mut Stand, columns: u16, rows: u16) -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, columns, rows));
    stand.shell.draw(&mut buf);
    buf
}

fn opened(look: Look) -> Stand {
    let mut stand = Stand::with(small_home(), look);
    stand.shell.open(SMALL);
    stand.tell(Msg::Notice);
    stand
}

fn lines(buf: &Buffer) -> Vec<String> {
    let row = |y| (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect();
    (0..buf.area.height).map(row).collect()
}

#[test]
fn panes_draw_in_the_themes_colours_and_no_others() {
    let mut stand = opened(ascii());
    for name in theme::names() {
        for level in LEVELS {
            let theme = Theme::load(name, level).unwrap();
            let styles: Vec<_> = theme.meanings().into_iter().flat_map(|meaning| meaning.styles).collect();
            let mut known: HashSet<Color> = styles.iter().flat_map(|style| [style.fg, style.bg]).flatten().collect();
            known.insert(Color::Reset);
            assert!(level != ColourLevel::None || known.len() == 1, "{name} has colours where there are none");
            stand.shell.update(Msg::Tick, stand.now);
            let look = Look { level, theme_name: name.to_string(), ..Look::new(theme, false) };
            stand.shell.wear(look);
            for pane in PaneId::ALL {
                stand.goto(pane);
                let buf = cells(&mut stand, 120, 40);
                for cell in &buf.content {
                    for colour in [cell.fg, cell.bg] {
                        assert!(known.contains(&colour), "{name} {level:?}: {} draws {colour:?}", pane.name());
                    }
                }
            }
        }
    }
}

#[test]
fn a_theme_is_another_picture_of_the_same_screen() {
    let mut stand = opened(ascii());
    stand.goto(PaneId::Run);
    let mut pictures = HashSet::new();
    let mut words = HashSet::new();
    for name in theme::names() {
        stand.shell.wear(Look::new(Theme::load(name, ColourLevel::True).unwrap(), false));
        let picture = stand.shell.picture(100, 30);
        let background = Theme::load(name, ColourLevel::True).unwrap().background.to_string();
        assert!(picture.contains(&format!("rx=\"8\" fill=\"{background}\"")), "{name}");
        assert!(pictures.insert(picture), "{name} looks like another theme");
        words.insert(lines(&cells(&mut stand, 100, 30)));
    }
    assert_eq!(words.len(), 1);
}

/// The glyphs of ASCII mode without the net beneath them.
fn unguarded() -> Look {
    let look = ascii();
    Look { glyphs: Glyphs { ascii: false, ..look.glyphs }, ..look }
}

#[test]
fn the_ascii_glyphs_leave_nothing_to_be_caught() {
    let mut stand = opened(unguarded());
    let mut caught = Vec::new();
    for pane in PaneId::ALL {
        stand.goto(pane);
        for layer in ["", "?", ":", "<ctrl-t>", "<ctrl-o>", "j<enter>", "j<esc>"] {
            stand.keys(layer);
            for line in lines(&cells(&mut stand, 120, 40)) {
                // The mark of words that were cut knows no glyphs: it is the one thing that is left to be caught.
                if !line.replace('…', "").is_ascii() {
                    caught.push(format!("{} after {layer:?}: {line}", pane.name()));
                }
            }
            while stand.shell.depth() > 0 {
                stand.keys("<esc>");
            }
            stand.goto(pane);
        }
    }
    assert!(caught.is_empty(), "{caught:#?}");
}

#[test]
fn ascii_mode_lets_nothing_else_through() {
    let mut stand = opened(ascii());
    stand.goto(PaneId::Run);
    stand.keys(":");
    stand.tell(Msg::Paste("日本 é τ".into()));
    let shown = lines(&cells(&mut stand, 80, 24)).join("\n");
    assert!(shown.is_ascii() && shown.contains("> ? ?  e t"), "{shown}");
}

#[test]
fn a_keymap_file_changes_keys_and_hints_alike() {
    let keymap = Keymap::parse("[everywhere]\nhelp = \"f2\"\nzoom = \"?\"\n", "keys.toml").unwrap();
    let home = small_home();
    let house = House::new(Sessions::at(home.path()), None);
    let mut shell = Shell::new(house, ascii(), keymap, Jobs::at_once());
    let mut buf = Buffer::empty(Rect::new(0, 0, 100, 24));
    shell.draw(&mut buf);
    let hints = lines(&buf).pop().unwrap();
    assert!(hints.trim_end().ends_with("F2 help"), "{hints}");
    shell.update(Msg::Key(KeyEvent::from(KeyCode::Char('?'))), Duration::ZERO);
    assert_eq!(shell.depth(), 0);
    shell.update(Msg::Key(KeyEvent::from(KeyCode::F(2))), Duration::ZERO);
    assert_eq!(shell.depth(), 1);
}

fn footbridge(home: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_footbridge"));
    command.env("XDG_CONFIG_HOME", home).env_remove("FOOTBRIDGE_KEYS").current_dir(home);
    command.args(args).stdin(Stdio::null()).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_shot_draws_a_pane_from_a_session_and_changes_nothing() {
    let home = small_home();
    let journal = || Sessions::at(home.path()).open_read_only(SMALL).unwrap().journal_bytes();
    let before = journal();
    let shot = |more: &[&str]| {
        let args = [&["shot", "run", "--session", SMALL, "--sessions-dir", "."], more].concat();
        footbridge(home.path(), &args)
    };
    let text = shot(&["--text", "--size", "80x24", "--ascii"]);
    assert_eq!(text.status.code(), Some(0), "{}", said(&text));
    let shown = said(&text);
    assert!(shown.is_ascii() && shown.lines().count() == 24 && shown.contains(SMALL), "{shown}");
    let light = shot(&["--theme", "light", "--keys", "?<esc>4A<enter>y5A<enter>y", "-o", "run.svg"]);
    assert_eq!((light.status.code(), said(&light)), (Some(0), String::new()));
    let svg = std::fs::read_to_string(home.path().join("run.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("fill=\"#ffffff\"") && svg.ends_with("</svg>\n"));
    assert!(said(&shot(&["--text", "--keys", "?"])).contains("moving about"));
    assert_eq!(journal(), before);
}

#[test]
fn a_shot_that_cannot_be_drawn_says_why() {
    let home = small_home();
    for (args, wanted) in [
        (&["shot", "brige"][..], "bridge"),
        (&["shot", "run", "--session", "none", "--sessions-dir", "."], "none"),
        (&["shot", "run", "--session", SMALL, "--sessions-dir", ".", "--question", "train-"], "; the nearest is "),
        (&["shot", "run", "--size", "80"], "120x40"),
        (&["shot", "run", "--keys", "<nothing>"], "--keys: `nothing` is no key"),
        (&["shot", "run", "--theme", "drak"], "`dark`, `light`, `safe`"),
    ] {
        let output = footbridge(home.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty() && said(&output).contains(wanted), "{}", said(&output));
    }
}

#[test]
fn keymaps_are_listed_checked_and_found_in_their_usual_place() {
    let home = tempfile::tempdir().unwrap();
    let list = |more: &[&str]| said(&footbridge(home.path(), &[&["keys", "list"], more].concat()));
    let usual = list(&["--toml"]);
    std::fs::create_dir(home.path().join("footbridge")).unwrap();
    let file = home.path().join("footbridge/keys.toml");
    std::fs::write(&file, usual.replace("quit = [\"q\", \"ctrl-c\"]", "quit = [\"ctrl-q\"]")).unwrap();
    assert!(list(&["--pane", "run"]).lines().any(|line| line.starts_with("quit ") && line.contains(" ctrl-q  ")));
    let check = |text: &str| {
        std::fs::write(&file, text).unwrap();
        footbridge(home.path(), &["keys", "check", "footbridge/keys.toml"])
    };
    assert!(said(&check(&usual)).contains("the same as the built-in"));
    assert!(said(&check("[everywhere]\nquit = \"ctrl-q\"\n")).contains("[everywhere] quit: ctrl-q, was q ctrl-c"));
    let wrong = check("[everywhere]\nquitt = \"x\"\nhelp = []\n");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(said(&wrong).contains("footbridge/keys.toml:2: ") && said(&wrong).contains(":3: help must have a key"));
}

#[test]
fn themes_are_listed_and_shown_in_plain_words_to_a_pipe() {
    let home = tempfile::tempdir().unwrap();
    let themes = |args: &[&str]| footbridge(home.path(), &[&["themes"], args].concat());
    let list = said(&themes(&["list"]));
    assert!(theme::names().iter().all(|name| list.lines().any(|line| line.starts_with(name))), "{list}");
    let shown = said(&themes(&["show", "safe"]));
    assert!(shown.contains("localize") && !shown.contains('\u{1b}'), "{shown}");
    std::fs::write(home.path().join("mine.toml"), said(&themes(&["show", "dark", "--toml"]))).unwrap();
    assert_eq!(themes(&["show", "mine.toml"]).status.code(), Some(0));
    std::fs::write(home.path().join("mine.toml"), "extends = \"dark\"\n[kept]\n").unwrap();
    let wrong = themes(&["show", "mine.toml"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(said(&wrong).contains("mine.toml:2: unknown field `kept`"), "{}", said(&wrong));
}
