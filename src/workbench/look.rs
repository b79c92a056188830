//! How the screen looks on this terminal: theme, characters, and how restless it may be.

use super::probe::{ColourLevel, Surroundings};
use super::theme::{Theme, ThemeError};

/// The characters that draw; a set in plain ASCII stands in where fonts lack the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyphs {
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
    /// Border of a layer: corners clockwise from top left, then horizontal and vertical.
    pub border: [&'static str; 6],
}

const UNICODE: Glyphs = Glyphs {
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
    border: ["╭", "╮", "╯", "╰", "─", "│"],
};

const ASCII: Glyphs = Glyphs {
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
    border: ["+", "+", "+", "+", "-", "|"],
};

/// How the screen looks on this terminal.
#[derive(Clone, Debug)]
pub struct Look {
    /// Colours.
    pub theme: Theme,
    /// Characters.
    pub glyphs: Glyphs,
    /// Redraw at most once a second.
    pub reduced_motion: bool,
}

impl Look {
    /// A look with the given colours, in Unicode or ASCII.
    pub fn new(theme: Theme, ascii: bool) -> Self {
        Self { theme, glyphs: if ascii { ASCII } else { UNICODE }, reduced_motion: false }
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
        let theme = match asked {
            Some(name) => Theme::load(name, around.colours())?,
            None if around.light_background() => Theme::light(around.colours()),
            None => Theme::dark(around.colours()),
        };
        let look = Self::new(theme, ascii || around.ascii_only());
        Ok(Self { reduced_motion: reduced_motion || around.reduced_motion, ..look })
    }

    /// The look of pictures: all colours, all characters.
    pub fn picture() -> Self {
        Self::new(Theme::dark(ColourLevel::True), false)
    }
}
