//! `footbridge themes`: the built-in themes, and every meaning of one in its style.

use ratatui::style::Style;

use super::args::ThemesVerb;
use super::exit::{Exit, Failure};
use super::out;
use crate::workbench::probe::{ColourLevel, Surroundings};
use crate::workbench::theme::{self, Meaning, Theme, ink, vision};

/// Does what was asked.
pub fn run(verb: &ThemesVerb) -> Result<Exit, Failure> {
    match verb {
        ThemesVerb::List => {
            let lines: Vec<String> = theme::names().iter().map(|name| described(name)).collect();
            let _ = out::stdout(&lines.join("\n"))?;
        }
        ThemesVerb::Show { theme, toml: true } => {
            let built_in = theme::source(theme).map(str::to_string);
            let read = || std::fs::read_to_string(theme).map_err(|error| Failure::usage(format!("{theme}: {error}")));
            let text = built_in.map_or_else(read, Ok)?;
            let _ = out::stdout(&text)?;
        }
        ThemesVerb::Show { theme, toml: false } => {
            let around = Surroundings::read();
            // A pipe gets the words alone.
            let level = around.stdout_terminal.then(|| around.colours());
            let _ = out::styled(&page(theme, level)?)?;
        }
    }
    Ok(Exit::Done)
}

fn described(name: &str) -> String {
    let about = Theme::load(name, ColourLevel::None).map_or_else(|error| error.to_string(), |theme| theme.about);
    format!("{name:12}{about}")
}

/// A line per meaning: its name in its style, how it contrasts with the theme's background, what it stands for. `None` is
/// without any style.
fn page(name: &str, level: Option<ColourLevel>) -> Result<Vec<(String, Style)>, Failure> {
    let load = |level| Theme::load(name, level).map_err(Failure::usage);
    let (full, shown) = (load(ColourLevel::True)?, level.map(load).transpose()?);
    let heading = format!("{name}: {} (made for a background of {})\n\n", full.about, full.background);
    let mut pieces = vec![(heading, Style::new())];
    let styled = shown.map(|theme| theme.meanings());
    for (at, meaning) in full.meanings().iter().enumerate() {
        let style = |step: usize| styled.as_ref().map_or(Style::new(), |all| all[at].styles[step]);
        if let [_] = meaning.styles[..] {
            pieces.push((meaning.name.to_string(), style(0)));
        } else {
            let steps = 0..meaning.styles.len();
            pieces.push((format!("{} ", meaning.name), Style::new()));
            pieces.extend(steps.map(|step| ((step + 1).to_string(), style(step))));
        }
        let wide: usize = if meaning.styles.len() > 1 { meaning.styles.len() + 1 } else { 0 };
        let pad = 14_usize.saturating_sub(meaning.name.len() + wide);
        pieces.push((format!("{}{:>5}  {}\n", " ".repeat(pad), contrast(&full, meaning), meaning.about), Style::new()));
    }
    Ok(pieces)
}

/// The least contrast of a meaning's styles, 1 to 21.
fn contrast(theme: &Theme, meaning: &Meaning) -> String {
    let colour = |colour: Option<_>, own| colour.and_then(ink::shown).unwrap_or(own);
    let of = |style: &Style| vision::contrast(colour(style.fg, theme.foreground), colour(style.bg, theme.background));
    let least = meaning.styles.iter().map(of).fold(f64::INFINITY, f64::min);
    format!("{least:.1}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_meaning_has_a_line_with_its_contrast() {
        for name in theme::names() {
            let text: String = page(name, None).unwrap().into_iter().map(|(text, _)| text).collect();
            let meanings = Theme::load(name, ColourLevel::True).unwrap().meanings();
            assert_eq!(text.lines().count(), meanings.len() + 2, "{text}");
            assert!(text.lines().any(|line| line.starts_with("localize") && line.ends_with("a lesson of its own")));
            assert!(described(name).len() > 20);
        }
        let coloured = page("dark", Some(ColourLevel::True)).unwrap();
        let keep = coloured.iter().find(|(text, _)| text == "keep").unwrap();
        assert_eq!(keep.1, Theme::dark(ColourLevel::True).keep);
        assert_eq!(page("nothing", None).unwrap_err().exit, Exit::Usage);
    }
}
