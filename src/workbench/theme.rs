//! Colours by meaning, read from TOML (`themes/`), brought down to what the terminal shows.

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use super::probe::ColourLevel;

const DARK: &str = include_str!("../../themes/dark.toml");
const LIGHT: &str = include_str!("../../themes/light.toml");

/// A theme that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// The file can't be read.
    #[error("theme {path}: {source}; built in are `dark` and `light`")]
    Unreadable {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no theme.
    #[error("theme {path}:{line}: {message}")]
    Malformed {
        /// Which file.
        path: String,
        /// Which line, from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
}

/// One style per meaning; the TOML files say what each is for.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each field is explained where it is set, in themes/dark.toml")]
pub struct Theme {
    pub text: Style,
    pub dim: Style,
    pub title: Style,
    pub focus: Style,
    pub key: Style,
    pub running: Style,
    pub good: Style,
    pub warn: Style,
    pub bad: Style,
    pub bar: Style,
    pub track: Style,
    pub raw: Style,
    pub smooth: Style,
    pub above: Style,
    pub mark: Style,
    /// True for light backgrounds; pictures need a background of their own.
    pub light: bool,
}

/// A style as written in a file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Ink {
    rgb: Option<Rgb>,
    ansi: Option<AnsiName>,
    bold: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    text: Ink,
    dim: Ink,
    title: Ink,
    focus: Ink,
    key: Ink,
    running: Ink,
    good: Ink,
    warn: Ink,
    bad: Ink,
    bar: Ink,
    track: Ink,
    raw: Ink,
    smooth: Ink,
    above: Ink,
    mark: Ink,
}

/// `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Rgb(u8, u8, u8);

impl TryFrom<String> for Rgb {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.strip_prefix('#').and_then(|digits| hex::decode(digits).ok()).as_deref() {
            Some(&[r, g, b]) => Ok(Rgb(r, g, b)),
            _ => Err(format!("`{text}` is no colour; write it like \"#56b4e9\"")),
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum AnsiName {
    Black,
    Red,
    Green,
    Yellow,
    Blue,
    Magenta,
    Cyan,
    Gray,
    DarkGray,
    LightRed,
    LightGreen,
    LightYellow,
    LightBlue,
    LightMagenta,
    LightCyan,
    White,
}

impl From<AnsiName> for Color {
    fn from(name: AnsiName) -> Self {
        match name {
            AnsiName::Black => Color::Black,
            AnsiName::Red => Color::Red,
            AnsiName::Green => Color::Green,
            AnsiName::Yellow => Color::Yellow,
            AnsiName::Blue => Color::Blue,
            AnsiName::Magenta => Color::Magenta,
            AnsiName::Cyan => Color::Cyan,
            AnsiName::Gray => Color::Gray,
            AnsiName::DarkGray => Color::DarkGray,
            AnsiName::LightRed => Color::LightRed,
            AnsiName::LightGreen => Color::LightGreen,
            AnsiName::LightYellow => Color::LightYellow,
            AnsiName::LightBlue => Color::LightBlue,
            AnsiName::LightMagenta => Color::LightMagenta,
            AnsiName::LightCyan => Color::LightCyan,
            AnsiName::White => Color::White,
        }
    }
}

/// Names of the built-in themes.
pub fn names() -> &'static [&'static str] {
    &["dark", "light"]
}

impl Theme {
    /// The theme for dark backgrounds.
    pub fn dark(level: ColourLevel) -> Self {
        Self::from_file(&toml::from_str(DARK).unwrap_or_default(), level, false)
    }

    /// The theme for light backgrounds.
    pub fn light(level: ColourLevel) -> Self {
        Self::from_file(&toml::from_str(LIGHT).unwrap_or_default(), level, true)
    }

    /// `dark`, `light`, or the path of a TOML file like `themes/dark.toml`.
    ///
    /// # Errors
    /// When the file can't be read, or is no theme (with the line).
    pub fn load(name: &str, level: ColourLevel) -> Result<Self, ThemeError> {
        match name {
            "dark" => return Ok(Self::dark(level)),
            "light" => return Ok(Self::light(level)),
            _ => {}
        }
        let text = std::fs::read_to_string(name)
            .map_err(|source| ThemeError::Unreadable { path: name.to_string(), source })?;
        let file: File = toml::from_str(&text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let line = text.get(..at).unwrap_or(&text).matches('\n').count() + 1;
            ThemeError::Malformed { path: name.to_string(), line, message: error.message().to_string() }
        })?;
        Ok(Self::from_file(&file, level, false))
    }

    fn from_file(file: &File, level: ColourLevel, light: bool) -> Self {
        let style = |ink: &Ink| style_of(ink, level);
        // Without colours, dim and bold still tell context and curves apart.
        let plain = |ink: &Ink, extra: Modifier| match level {
            ColourLevel::None => style(ink).add_modifier(extra),
            _ => style(ink),
        };
        Self {
            text: style(&file.text),
            dim: plain(&file.dim, Modifier::DIM),
            title: style(&file.title),
            focus: style(&file.focus),
            key: style(&file.key),
            running: style(&file.running),
            good: style(&file.good),
            warn: plain(&file.warn, Modifier::BOLD),
            bad: plain(&file.bad, Modifier::REVERSED),
            bar: style(&file.bar),
            track: plain(&file.track, Modifier::DIM),
            raw: plain(&file.raw, Modifier::DIM),
            smooth: style(&file.smooth),
            above: style(&file.above),
            mark: plain(&file.mark, Modifier::DIM),
            light,
        }
    }
}

fn style_of(ink: &Ink, level: ColourLevel) -> Style {
    let colour = match level {
        ColourLevel::None => None,
        ColourLevel::Ansi16 => ink.ansi.map(Color::from),
        ColourLevel::Ansi256 => ink.rgb.map(|rgb| Color::Indexed(nearest_256(rgb))),
        ColourLevel::True => ink.rgb.map(|Rgb(r, g, b)| Color::Rgb(r, g, b)),
    };
    let style = if ink.bold { Style::new().add_modifier(Modifier::BOLD) } else { Style::new() };
    colour.map_or(style, |colour| style.fg(colour))
}

/// The nearest colour of the 6×6×6 cube and the grey ramp of the 256-colour palette.
fn nearest_256(Rgb(r, g, b): Rgb) -> u8 {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let near = |value: u8| {
        let away = |at: &usize| (i32::from(LEVELS[*at]) - i32::from(value)).abs();
        (0..LEVELS.len()).min_by_key(away).unwrap_or(0)
    };
    let apart = |other: [u8; 3]| -> i32 {
        [r, g, b].iter().zip(other).map(|(&a, b)| (i32::from(a) - i32::from(b)).pow(2)).sum()
    };
    let (ri, gi, bi) = (near(r), near(g), near(b));
    let cube = (16 + 36 * ri + 6 * gi + bi) as u8;
    let cube_error = apart([LEVELS[ri], LEVELS[gi], LEVELS[bi]]);
    let grey = (0..24u8).min_by_key(|&step| apart([8 + 10 * step; 3])).unwrap_or(0);
    if apart([8 + 10 * grey; 3]) < cube_error { 232 + grey } else { cube }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn built_in_themes_parse_and_name_every_colour_twice() {
        for text in [DARK, LIGHT] {
            let file: File = toml::from_str(text).unwrap();
            for ink in [&file.dim, &file.title, &file.good, &file.bad, &file.bar, &file.raw, &file.smooth, &file.mark] {
                assert!(ink.rgb.is_some() && ink.ansi.is_some());
            }
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
    }

    #[test]
    fn palette_knows_greys_and_corners() {
        assert_eq!(nearest_256(Rgb(0, 0, 0)), 16);
        assert_eq!(nearest_256(Rgb(255, 255, 255)), 231);
        assert_eq!(nearest_256(Rgb(0x8a, 0x8a, 0x8a)), 245);
    }

    #[test]
    fn a_bad_theme_is_named_with_its_line() {
        let folder = std::env::temp_dir().join(format!("footbridge-theme-{}", std::process::id()));
        std::fs::write(&folder, "[dim]\nrgb = \"grey\"\n").unwrap();
        let message = Theme::load(&folder.to_string_lossy(), ColourLevel::True).unwrap_err().to_string();
        std::fs::remove_file(&folder).unwrap();
        assert!(message.contains(":2: ") && message.contains("`grey` is no colour"), "{message}");
        assert!(Theme::load("none.toml", ColourLevel::True).unwrap_err().to_string().contains("`dark` and `light`"));
    }
}
