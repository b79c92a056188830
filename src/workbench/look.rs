//! How the screen looks on this terminal: theme, characters, and how restless it may be.

use super::probe::{ColourLevel, Surroundings};
use super::theme::{self, Theme, ThemeError};

/// The characters that draw; a set in plain ASCII stands in where fonts lack the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyphs {
    /// Nothing but ASCII may reach the screen.
    pub ascii: bool,
    /// Curves from braille dots; from `.` and `*` otherwise.
    pub braille: bool,
    /// A complete stage.
    pub done: &'static str,
    /// The stage at work.
    pub running: &'static str,
    /// A stage whose turn has not come.
    pub waiting: &'static str,
    /// A stage that was stopped.
    pub stopped: &'static str,
    /// What failed.
    pub failed: &'static str,
    /// A warning.
    pub warn: &'static str,
    /// Between facts on one line.
    pub dot: &'static str,
    /// Rule of a pane's header.
    pub rule: &'static str,
    /// Where text was cut.
    pub ellipsis: &'static str,
    /// Where an iteration begins.
    pub mark: &'static str,
    /// Sample of a raw curve in a legend.
    pub raw: &'static str,
    /// Sample of a smoothed curve in a legend.
    pub smooth: &'static str,
    /// Progress bar by eighths, empty first.
    pub bar: &'static [&'static str],
    /// The part of a bar that is left.
    pub track: &'static str,
    /// Little curves, lowest first.
    pub spark: &'static [&'static str],
    /// The arrow keys: up, down, left, right.
    pub arrows: [&'static str; 4],
    /// The keys up and down in one.
    pub up_down: &'static str,
    /// Where the cursor of a chart stands.
    pub cursor: &'static str,
    /// The curve that others are held against.
    pub baseline: &'static str,
    /// Three parts of a whole, told apart without colours: all-zero, mixed, all-one.
    pub shades: [&'static str; 3],
    /// What becomes of something: `keep → drop`.
    pub arrow: &'static str,
    /// Not above.
    pub at_most: &'static str,
    /// A threshold.
    pub tau: &'static str,
    /// The share of right answers.
    pub rho: &'static str,
    /// The best of all.
    pub star: &'static str,
    /// The highest of a column.
    pub highest: &'static str,
    /// Half of an interval.
    pub plus_minus: &'static str,
    /// Branches of a tree: one among several, the last, and past those above.
    pub branch: [&'static str; 3],
    /// Around what is trained on where colour alone would say it.
    pub trained: [&'static str; 2],
    /// Border of a layer: corners clockwise from top left, then horizontal and vertical.
    pub border: [&'static str; 6],
    /// What is spoken of stands left of this.
    pub here: &'static str,
    /// Before the selected row of a table.
    pub selected: &'static str,
    /// A column that rows are sorted by, least first.
    pub ascending: &'static str,
    /// A column that rows are sorted by, greatest first.
    pub descending: &'static str,
}

const UNICODE: Glyphs = Glyphs {
    ascii: false,
    braille: true,
    done: "✓",
    running: "▸",
    waiting: "·",
    stopped: "‖",
    failed: "✗",
    warn: "!",
    dot: "·",
    rule: "─",
    ellipsis: "…",
    mark: "┊",
    raw: "⠂⠁",
    smooth: "━━",
    bar: &[" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
    track: "─",
    spark: &["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    arrows: ["↑", "↓", "←", "→"],
    up_down: "↑↓",
    cursor: "│",
    baseline: "▪",
    shades: ["▓", "▒", "░"],
    arrow: "→",
    at_most: "≤",
    tau: "τ",
    rho: "ρ",
    star: "★",
    highest: "▴",
    plus_minus: "±",
    branch: ["├─ ", "└─ ", "│  "],
    trained: ["⟦", "⟧"],
    border: ["╭", "╮", "╯", "╰", "─", "│"],
    here: "◀",
    selected: "▌",
    ascending: "▲",
    descending: "▼",
};

const ASCII: Glyphs = Glyphs {
    ascii: true,
    braille: false,
    done: "+",
    running: ">",
    waiting: ".",
    stopped: "=",
    failed: "x",
    warn: "!",
    dot: "-",
    rule: "-",
    ellipsis: "~",
    mark: "|",
    raw: "..",
    smooth: "**",
    bar: &[" ", "#"],
    track: "-",
    spark: &["_", ".", "-", "=", "*", "#"],
    arrows: ["Up", "Down", "Left", "Right"],
    up_down: "Up/Down",
    cursor: ":",
    baseline: "o",
    shades: ["#", "+", "."],
    arrow: "->",
    at_most: "<=",
    tau: "tau_",
    rho: "rho",
    star: "*",
    highest: "^",
    plus_minus: "+-",
    branch: ["|- ", "`- ", "|  "],
    trained: ["[[", "]]"],
    border: ["+", "+", "+", "+", "-", "|"],
    here: "<",
    selected: ">",
    ascending: "^",
    descending: "v",
};

/// How the screen looks on this terminal.
#[derive(Clone, Debug)]
pub struct Look {
    /// Colours.
    pub theme: Theme,
    /// Name of the theme, or path of its file.
    pub theme_name: String,
    /// A theme of the user's own, by the path of its file: it can be chosen beside the built-in ones.
    pub own_theme: Option<String>,
    /// How many colours the terminal shows.
    pub level: ColourLevel,
    /// Characters.
    pub glyphs: Glyphs,
    /// Redraw at most once a second.
    pub reduced_motion: bool,
}

impl Look {
    /// A look with the given colours, in Unicode or ASCII.
    pub fn new(theme: Theme, ascii: bool) -> Self {
        let (theme_name, level) = ("dark".to_string(), ColourLevel::True);
        let glyphs = if ascii { ASCII } else { UNICODE };
        Self { theme, theme_name, own_theme: None, level, glyphs, reduced_motion: false }
    }

    /// The themes to choose from.
    pub fn themes(&self) -> Vec<String> {
        theme::names().iter().map(ToString::to_string).chain(self.own_theme.clone()).collect()
    }

    /// The same in other colours: a built-in theme or a file.
    ///
    /// # Errors
    /// When a theme file is named and can't be used.
    pub fn with_theme(&self, name: &str) -> Result<Self, ThemeError> {
        let theme = Theme::load(name, self.level)?;
        Ok(Self { theme, theme_name: name.to_string(), ..self.clone() })
    }

    /// The look for these surroundings; what was asked for on the command line comes first.
    ///
    /// # Errors
    /// When a theme file is named and can't be used.
    pub fn choose(
        around: &Surroundings,
        theme: Option<&str>,
        ascii: bool,
        reduced_motion: bool,
    ) -> Result<Self, ThemeError> {
        let asked = theme.or(Some(around.theme.as_str()).filter(|name| !name.is_empty()));
        let usual = if around.light_background() { "light" } else { "dark" };
        let (name, level) = (asked.unwrap_or(usual), around.colours());
        let look = Self { level, ..Self::new(Theme::load(name, level)?, ascii || around.ascii_only()) };
        let reduced_motion = reduced_motion || around.reduced_motion;
        let own_theme = Some(name.to_string()).filter(|name| !theme::names().contains(&name.as_str()));
        Ok(Self { theme_name: name.to_string(), own_theme, reduced_motion, ..look })
    }

    /// The look of pictures: all colours, all characters.
    pub fn picture() -> Self {
        Self::new(Theme::dark(ColourLevel::True), false)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_comes_before_what_the_surroundings_say() {
        let around = Surroundings { theme: "safe".into(), colorfgbg: "0;15".into(), ..Surroundings::default() };
        let name = |around: &Surroundings, asked| Look::choose(around, asked, false, false).unwrap().theme_name;
        assert_eq!(name(&around, Some("contrast")), "contrast");
        assert_eq!(name(&around, None), "safe");
        assert_eq!(name(&Surroundings { theme: String::new(), ..around.clone() }, None), "light");
        assert_eq!(name(&Surroundings::default(), None), "dark");
    }

    #[test]
    fn a_theme_of_ones_own_can_be_chosen_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml").display().to_string();
        std::fs::write(&path, "extends = \"dark\"\n").unwrap();
        let look = Look::choose(&Surroundings::default(), Some(&path), false, false).unwrap();
        let look = look.with_theme("light").unwrap();
        assert_eq!((look.themes().last(), look.theme_name.as_str()), (Some(&path), "light"));
        assert_eq!(look.with_theme(&path).unwrap().theme_name, path);
    }

    #[test]
    fn the_ascii_set_is_ascii() {
        let glyphs = ASCII;
        let one = [glyphs.done, glyphs.running, glyphs.waiting, glyphs.stopped, glyphs.failed, glyphs.warn, glyphs.dot];
        let more = [glyphs.rule, glyphs.ellipsis, glyphs.mark, glyphs.raw, glyphs.smooth, glyphs.track, glyphs.up_down];
        let all = one.iter().chain(&more).chain(glyphs.bar).chain(glyphs.spark).chain(&glyphs.border);
        assert!(all.chain(&glyphs.arrows).all(|glyph| glyph.is_ascii()));
    }
}
