//! Arguments of the verbs about the screen: `shot`, `themes`, `keys`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, ValueEnum};

use super::SessionsDir;
use crate::workbench::pane::PaneId;
use crate::workbench::probe::ColourLevel;

/// The names of the panes.
fn panes() -> PossibleValuesParser {
    PossibleValuesParser::new(PaneId::ALL.map(PaneId::name))
}

/// How many colours a picture has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Colours {
    #[default]
    #[value(name = "true")]
    True,
    #[value(name = "256")]
    Indexed,
    #[value(name = "16")]
    Named,
    None,
}

impl From<Colours> for ColourLevel {
    fn from(colours: Colours) -> Self {
        match colours {
            Colours::True => ColourLevel::True,
            Colours::Indexed => ColourLevel::Ansi256,
            Colours::Named => ColourLevel::Ansi16,
            Colours::None => ColourLevel::None,
        }
    }
}

/// Arguments of `shot`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  footbridge shot rewards --session demo-1 -o rewards.svg\n  footbridge shot bridge \
                        --session demo-1 --question train-0042 --theme light\n  footbridge shot questions --session \
                        demo-1 --keys 'jj<enter>' --text"
)]
pub struct ShotArgs {
    /// Which pane
    #[arg(value_parser = panes())]
    pub pane: String,
    /// The session it shows; without one the pane is as the workbench opens it
    #[arg(long, value_name = "NAME")]
    pub session: Option<String>,
    /// Show this question
    #[arg(long, value_name = "ID", requires = "session")]
    pub question: Option<String>,
    /// Columns and rows
    #[arg(long, value_name = "WxH", default_value = "120x40", value_parser = size)]
    pub size: (u16, u16),
    /// A built-in theme, or a theme file
    #[arg(long, value_name = "NAME|FILE", default_value = "dark")]
    pub theme: String,
    /// Draw in ASCII alone
    #[arg(long)]
    pub ascii: bool,
    /// How many colours
    #[arg(long, value_enum, value_name = "HOW-MANY", default_value_t)]
    pub colours: Colours,
    /// Press these keys first: letters, and others in angle brackets, as in `3jj<enter>`; decisions and files are held back
    #[arg(long, value_name = "KEYS")]
    pub keys: Option<String>,
    /// The characters alone, without colours
    #[arg(long)]
    pub text: bool,
    /// Write to this file, which is replaced, instead of stdout
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Where the session is kept.
    #[command(flatten)]
    pub sessions: SessionsDir,
}

/// `120x40`.
fn size(text: &str) -> Result<(u16, u16), String> {
    let wrong = || "expected columns and rows, from 1x1 to 500x200, for example 120x40".to_string();
    let (columns, rows) = text.split_once('x').ok_or_else(wrong)?;
    match (columns.parse(), rows.parse()) {
        (Ok(columns @ 1..=500), Ok(rows @ 1..=200)) => Ok((columns, rows)),
        _ => Err(wrong()),
    }
}

/// Arguments of `themes`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  footbridge themes show safe\n  footbridge themes show dark --toml > mine.toml\n  \
                        footbridge --theme mine.toml"
)]
pub struct ThemesArgs {
    /// What to do.
    #[command(subcommand)]
    pub verb: ThemesVerb,
}

/// What can be done with themes.
#[derive(Debug, Subcommand)]
pub enum ThemesVerb {
    /// The built-in themes
    List,
    /// Every meaning of a theme in its style, with its contrast; for a theme file this checks it, too
    Show {
        /// A built-in theme, or a theme file
        #[arg(value_name = "NAME|FILE")]
        theme: String,
        /// The theme's file instead, to begin one of your own
        #[arg(long)]
        toml: bool,
    },
}

/// Arguments of `keys`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  footbridge keys list --pane bridge\n  footbridge keys list --toml > \
                        ~/.config/footbridge/keys.toml\n  footbridge keys check my-keys.toml")]
pub struct KeysArgs {
    /// What to do.
    #[command(subcommand)]
    pub verb: KeysVerb,
}

/// What can be done with keymaps.
#[derive(Debug, Subcommand)]
pub enum KeysVerb {
    /// Every action with its name, its keys and what it does
    List {
        /// Only what can be done in this pane
        #[arg(long, value_name = "PANE", value_parser = panes())]
        pane: Option<String>,
        /// As a complete keymap file
        #[arg(long, conflicts_with = "pane")]
        toml: bool,
        /// The keymap of this file, instead of your own
        #[arg(long, value_name = "FILE")]
        keys: Option<PathBuf>,
    },
    /// Say what is wrong in a keymap file, and what it changes
    Check {
        /// The file
        file: PathBuf,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_columns_by_rows() {
        assert_eq!(size("120x40"), Ok((120, 40)));
        for wrong in ["120", "0x4", "x", "9999x9", "12x"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
