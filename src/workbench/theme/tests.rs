#![allow(clippy::unwrap_used)]

use ratatui::style::{Color, Modifier, Style};

use super::meanings::File;
use super::vision::{Eyes, contrast, distance};
use super::*;

/// Meanings that are lines and are not read as text: they want less contrast.
const LINES: [&str; 2] = ["raw", "mark"];
/// What says nothing where it stands, and wants none.
const FAINT: &str = "track";
/// What stands on the background only; everything else may be selected.
const ON_GROUND: [&str; 2] = ["raw", "series"];
/// Meanings that stand beside each other and must not be mixed up.
const APART: [&[&str]; 7] = [
    &["keep", "compress", "expand", "drop", "localize"],
    &["simple", "medium", "hard"],
    &["good", "warn", "bad"],
    &["proposed", "approved", "edited", "rejected", "review"],
    &["added", "removed"],
    &["running", "warn", "bad"],
    &["bar", "warn"],
];

fn file(name: &str) -> File {
    read(source(name).unwrap(), name).unwrap()
}

fn load(text: &str) -> Result<Theme, ThemeError> {
    read(text, "mine.toml").map(|file| Theme::of(&file, ColourLevel::True))
}

fn style(theme: &Theme, name: &str) -> Style {
    theme.meanings().into_iter().find(|meaning| meaning.name == name).unwrap().styles[0]
}

#[test]
fn every_built_in_theme_sets_every_meaning_for_every_terminal() {
    assert_eq!(names(), BUILT_IN.map(|(name, _)| name));
    for name in names() {
        let file = file(name);
        assert_eq!(file.missing(), Vec::<&str>::new(), "{name}");
        assert!(!file.about.clone().unwrap_or_default().is_empty(), "{name}");
        for (meaning, ink) in file.inks() {
            assert!(ink.is_twofold(), "{name}: {meaning} has rgb without ansi, or the other way round");
        }
    }
}

#[test]
fn text_is_read_on_the_background_and_on_the_selected_row() {
    for name in names() {
        let file = file(name);
        let least = if *name == "contrast" { 7.0 } else { 4.5 };
        let (ground, front) = (file.background.unwrap(), file.foreground.unwrap());
        let selected = file.selected.unwrap().on.unwrap();
        assert!(contrast(front, ground) >= 7.0 && contrast(front, selected) >= 7.0, "{name}: text");
        for (meaning, ink) in file.inks() {
            let least = match meaning {
                FAINT => continue,
                meaning if LINES.contains(&meaning) => 3.0,
                _ => least,
            };
            let colour = ink.rgb.unwrap_or(front);
            let grounds = match ink.on {
                Some(on) => vec![on],
                None => vec![ground, selected],
            };
            for on in grounds.into_iter().take(if ON_GROUND.contains(&meaning) { 1 } else { 2 }) {
                let reached = contrast(colour, on);
                assert!(reached >= least, "{name}: {meaning} {colour} on {on} has {reached:.2}, not {least}");
            }
        }
    }
}

#[test]
fn meanings_side_by_side_stay_apart_for_any_colour_vision_in_the_safe_themes() {
    for (name, eyes, least) in [
        ("safe", &Eyes::ALL[..], 0.1),
        ("safe-light", &Eyes::ALL[..], 0.1),
        ("dark", &[Eyes::Usual][..], 0.08),
        ("light", &[Eyes::Usual][..], 0.08),
        ("contrast", &[Eyes::Usual][..], 0.08),
    ] {
        let file = file(name);
        let inks = file.inks();
        let series = || inks.iter().filter(|(meaning, _)| *meaning == "series").map(|(_, ink)| ink.rgb.unwrap());
        let groups = APART.iter().map(|group| {
            let of = |name: &&str| inks.iter().find(|(meaning, _)| meaning == name).unwrap().1.rgb.unwrap();
            group.iter().map(of).collect::<Vec<_>>()
        });
        for (group, &eyes) in
            groups.chain([series().collect()]).flat_map(|group| eyes.iter().map(move |e| (group.clone(), e)))
        {
            for (at, &a) in group.iter().enumerate() {
                for &b in &group[at + 1..] {
                    let apart = distance(a, b, eyes);
                    assert!(apart >= least, "{name}: {a} and {b} are {apart:.3} apart for {eyes:?}");
                }
            }
        }
    }
}

/// Curves of other sessions take the other colours of the series.
#[test]
fn the_first_of_the_series_is_the_sessions_own_curve() {
    for name in names() {
        let file = file(name);
        assert_eq!(file.series.unwrap()[0].rgb, file.smooth.unwrap().rgb, "{name}");
    }
}

#[test]
fn heat_rises_evenly_in_the_safe_themes() {
    for name in ["safe", "safe-light"] {
        let file = file(name);
        let grounds: Vec<_> = file.heat.unwrap().iter().map(|ink| ink.on.unwrap_or(file.background.unwrap())).collect();
        for (a, b) in grounds.iter().zip(&grounds[1..]) {
            for eyes in Eyes::ALL {
                assert!(distance(*a, *b, eyes) >= 0.08, "{name}: {a} {b} for {eyes:?}");
            }
        }
        let lights: Vec<f64> = grounds.iter().map(|&ground| vision::luminance(ground)).collect();
        let rises = lights.is_sorted() || lights.iter().rev().is_sorted();
        assert!(rises, "{name}: {lights:?}");
    }
}

#[test]
fn meanings_side_by_side_differ_on_every_terminal() {
    for name in names() {
        for level in [ColourLevel::None, ColourLevel::Ansi16, ColourLevel::Ansi256, ColourLevel::True] {
            let theme = Theme::load(name, level).unwrap();
            let groups = APART.iter().map(|group| group.iter().map(|name| style(&theme, name)).collect());
            for group in groups.chain([theme.heat.to_vec(), theme.series.to_vec()]) {
                for (at, a) in group.iter().enumerate() {
                    assert!(!group[at + 1..].contains(a), "{name} {level:?}: {a:?} stands twice");
                }
            }
        }
    }
}

#[test]
fn without_colours_there_are_none_and_the_selected_row_still_shows() {
    for name in names() {
        let theme = Theme::load(name, ColourLevel::None).unwrap();
        for meaning in theme.meanings() {
            assert!(meaning.styles.iter().all(|style| style.fg.is_none() && style.bg.is_none()), "{}", meaning.name);
        }
        assert!(theme.selected.add_modifier.contains(Modifier::REVERSED));
        let sixteen = Theme::load(name, ColourLevel::Ansi16).unwrap().selected;
        assert!(sixteen.bg.is_some() || sixteen.add_modifier.contains(Modifier::REVERSED), "{name}");
    }
}

#[test]
fn colours_come_down_to_what_the_terminal_shows() {
    assert_eq!(Theme::dark(ColourLevel::True).smooth.fg, Some(Color::Rgb(0xe6, 0x9f, 0)));
    assert_eq!(Theme::dark(ColourLevel::Ansi256).smooth.fg, Some(Color::Indexed(178)));
    assert_eq!(Theme::dark(ColourLevel::Ansi16).smooth.fg, Some(Color::Yellow));
    let plain = Theme::dark(ColourLevel::None);
    assert_eq!(plain.smooth.fg, None);
    assert!(plain.raw.add_modifier.contains(Modifier::DIM) && plain.smooth.add_modifier.contains(Modifier::BOLD));
    assert!(Theme::light(ColourLevel::True).light && !Theme::dark(ColourLevel::True).light);
}

#[test]
fn the_style_page_tells_every_meaning_and_every_theme() {
    let page = include_str!("../../../themes/README.md");
    for meaning in Theme::dark(ColourLevel::None).meanings() {
        assert!(page.contains(&format!("| `{}`", meaning.name)) || page.contains(&format!(", `{}`", meaning.name)));
        let told = matches!(meaning.name, "simple" | "medium" | "hard" | "added" | "removed" | "bar" | "track")
            || matches!(meaning.name, "raw" | "smooth" | "heat" | "series");
        assert!(told || page.contains(&format!("| {} |", meaning.about)), "{}", meaning.name);
    }
    assert!(names().iter().all(|name| page.contains(&format!("`{name}`"))));
}

#[test]
fn a_users_theme_may_change_a_built_in_one() {
    let theme = load("extends = \"light\"\nbackground = \"#fdf6e3\"\n[keep]\nrgb = \"#123456\"\n").unwrap();
    assert_eq!(theme.keep.fg, Some(Color::Rgb(0x12, 0x34, 0x56)));
    assert_eq!((theme.drop, theme.background), (Theme::light(ColourLevel::True).drop, Rgb(0xfd, 0xf6, 0xe3)));
    let file = read("extends = \"dark\"\n[localize]\nrgb = \"#123456\"\nbold = false\n", "mine.toml").unwrap();
    let sixteen = Theme::of(&file, ColourLevel::Ansi16).localize;
    assert_eq!(sixteen, Style::new().fg(Color::LightMagenta));
}

#[test]
fn a_bad_theme_is_named_with_its_line() {
    let words = |text: &str| load(text).unwrap_err().to_string();
    for (text, wanted) in [
        ("[dim]\nrgb = \"grey\"\n", "mine.toml:2: `grey` is no colour"),
        ("\n[kept]\n", "mine.toml:2: unknown field `kept`"),
        ("extends = \"darker\"\n", "extends `darker`, which is not built in; built in are `dark`, `light`, "),
        ("[dim]\n", "`background`, `foreground`, `text`, `title`, "),
        ("heat = []\n", "mine.toml:1: invalid length 0, expected an array of length 5"),
    ] {
        assert!(words(text).contains(wanted), "{}", words(text));
    }
    let absent = Theme::load("none.toml", ColourLevel::True).unwrap_err().to_string();
    assert!(absent.contains("none.toml") && absent.ends_with("`safe-light` and `contrast`"), "{absent}");
}
