//! What the surroundings can show: colours, characters, a terminal at all. Reading them and judging them are apart, so
//! that the judgement can be tested.

use std::env;
use std::io::IsTerminal;
use std::path::PathBuf;

/// How many colours the terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColourLevel {
    /// None: bold and dim only.
    None,
    /// The sixteen named ones.
    Ansi16,
    /// The 256-colour palette.
    Ansi256,
    /// 24 bits.
    True,
}

/// What the environment says.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Keys can be read.
    pub stdin_terminal: bool,
    /// The screen can be drawn.
    pub stdout_terminal: bool,
    /// Columns and rows, where known.
    pub size: Option<(u16, u16)>,
    /// `TERM`.
    pub term: String,
    /// `COLORTERM`.
    pub colorterm: String,
    /// `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// `LC_ALL`, `LC_CTYPE` or `LANG`, the first that is set.
    pub locale: String,
    /// `COLORFGBG`: some terminals tell their colours here.
    pub colorfgbg: String,
    /// `FOOTBRIDGE_THEME`.
    pub theme: String,
    /// `FOOTBRIDGE_KEYS`.
    pub keys: String,
    /// The user's folder of settings: `XDG_CONFIG_HOME`, or `.config` at home.
    pub settings: Option<PathBuf>,
    /// `FOOTBRIDGE_REDUCED_MOTION` is set and not empty.
    pub reduced_motion: bool,
}

impl Surroundings {
    /// Reads them.
    pub fn read() -> Self {
        let text = |name: &str| env::var(name).unwrap_or_default();
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(text).into_iter().find(|value| !value.is_empty());
        Self {
            stdin_terminal: std::io::stdin().is_terminal(),
            stdout_terminal: std::io::stdout().is_terminal(),
            size: crossterm::terminal::size().ok().filter(|&(columns, rows)| columns > 0 && rows > 0),
            term: text("TERM"),
            colorterm: text("COLORTERM"),
            no_color: !text("NO_COLOR").is_empty(),
            locale: locale.unwrap_or_default(),
            colorfgbg: text("COLORFGBG"),
            theme: text("FOOTBRIDGE_THEME"),
            keys: text("FOOTBRIDGE_KEYS"),
            settings: settings(&text("XDG_CONFIG_HOME"), &text("HOME")),
            reduced_motion: !text("FOOTBRIDGE_REDUCED_MOTION").is_empty(),
        }
    }

    /// True where a screen can be drawn and keys can be read.
    pub fn interactive(&self) -> bool {
        self.stdin_terminal && self.stdout_terminal && self.size.is_some() && self.term != "dumb"
    }

    /// How many colours to use.
    pub fn colours(&self) -> ColourLevel {
        if self.no_color || self.term == "dumb" {
            ColourLevel::None
        } else if matches!(self.colorterm.as_str(), "truecolor" | "24bit") || self.term.ends_with("-direct") {
            ColourLevel::True
        } else if self.term.contains("256color") {
            ColourLevel::Ansi256
        } else {
            ColourLevel::Ansi16
        }
    }

    /// True where braille and block characters can't be expected: the Linux console, and locales that are not UTF-8.
    pub fn ascii_only(&self) -> bool {
        let locale = self.locale.to_ascii_lowercase();
        let utf8 = locale.contains("utf-8") || locale.contains("utf8");
        self.term == "linux" || matches!(locale.as_str(), "c" | "posix") || (locale.contains('.') && !utf8)
    }

    /// True where the terminal says that its background is light.
    pub fn light_background(&self) -> bool {
        let background = self.colorfgbg.rsplit(';').next().and_then(|value| value.parse::<u8>().ok());
        matches!(background, Some(7 | 9..=15))
    }
}

/// The folder that the XDG directories name: absolute, or it does not count.
fn settings(xdg: &str, home: &str) -> Option<PathBuf> {
    let absolute = |path: PathBuf| Some(path).filter(|path| path.is_absolute());
    absolute(PathBuf::from(xdg)).or_else(|| absolute(PathBuf::from(home)).map(|home| home.join(".config")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(term: &str, colorterm: &str, no_color: bool) -> Surroundings {
        Surroundings { term: term.into(), colorterm: colorterm.into(), no_color, ..Surroundings::default() }
    }

    #[test]
    fn colours_follow_the_environment() {
        let cases = [
            (with("xterm-256color", "truecolor", false), ColourLevel::True),
            (with("xterm-256color", "", false), ColourLevel::Ansi256),
            (with("xterm", "", false), ColourLevel::Ansi16),
            (with("dumb", "truecolor", false), ColourLevel::None),
            (with("xterm-256color", "truecolor", true), ColourLevel::None),
        ];
        for (surroundings, level) in cases {
            assert_eq!(surroundings.colours(), level, "{surroundings:?}");
        }
    }

    #[test]
    fn ascii_where_more_cannot_be_expected() {
        for (term, locale, ascii) in [
            ("xterm", "en_GB.UTF-8", false),
            ("xterm", "", false),
            ("xterm", "C", true),
            ("xterm", "C.utf8", false),
            ("xterm", "de_DE.ISO-8859-1", true),
            ("linux", "en_GB.UTF-8", true),
        ] {
            let surroundings = Surroundings { term: term.into(), locale: locale.into(), ..Surroundings::default() };
            assert_eq!(surroundings.ascii_only(), ascii, "{term} {locale}");
        }
    }

    #[test]
    fn a_light_background_is_believed_when_told() {
        for (told, light) in [("0;15", true), ("15;0", false), ("0;default;7", true), ("", false), ("0;8", false)] {
            let surroundings = Surroundings { colorfgbg: told.into(), ..Surroundings::default() };
            assert_eq!(surroundings.light_background(), light, "{told}");
        }
    }

    #[test]
    fn settings_lie_where_the_xdg_directories_say() {
        for (xdg, home, folder) in [
            ("/x", "/home/a", Some("/x")),
            ("", "/home/a", Some("/home/a/.config")),
            ("relative", "/home/a", Some("/home/a/.config")),
            ("", "", None),
        ] {
            assert_eq!(settings(xdg, home), folder.map(PathBuf::from), "{xdg} {home}");
        }
    }
}
