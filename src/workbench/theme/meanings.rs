//! The table of meanings: what colours stand for, and how each is told where there are none.

use ratatui::style::{Modifier, Style};
use serde::Deserialize;

use super::ink::{Ink, Rgb};
use super::vision;
use crate::workbench::probe::ColourLevel;

/// Nothing, for the table.
const PLAIN: Modifier = Modifier::empty();
const BOLD: Modifier = Modifier::BOLD;
const DIM: Modifier = Modifier::DIM;
const LINED: Modifier = Modifier::UNDERLINED;
const REVERSED: Modifier = Modifier::REVERSED;

/// Steps of [`Theme::heat`] without colours.
const HEAT: [Modifier; 5] = [DIM, PLAIN, LINED, BOLD, REVERSED];
/// Curves of [`Theme::series`] without colours; their marks tell the rest.
const SERIES: [Modifier; 6] = [BOLD, PLAIN, DIM, LINED, BOLD.union(LINED), DIM.union(LINED)];

/// A meaning with its style, for the style page.
#[derive(Clone, Debug)]
pub struct Meaning {
    /// Its name in theme files.
    pub name: &'static str,
    /// What it stands for.
    pub about: &'static str,
    /// Its styles: one, or the steps of `heat` and the curves of `series`.
    pub styles: Vec<Style>,
}

macro_rules! meanings {
    ($($name:ident, $plain:expr, $about:literal;)*) => {
        /// One style per meaning.
        #[derive(Clone, Debug)]
        pub struct Theme {
            $(#[doc = $about] pub $name: Style,)*
            /// Steps from cold to hot, with backgrounds: a token that surprises the student.
            pub heat: [Style; 5],
            /// Curves and sessions side by side.
            pub series: [Style; 6],
            /// The background that the colours are made for, and that of pictures.
            pub background: Rgb,
            /// Text without a colour of its own, in pictures.
            pub foreground: Rgb,
            /// True for light backgrounds.
            pub light: bool,
            /// What it is for, in a few words.
            pub about: String,
        }

        /// A theme as written in a file.
        #[derive(Clone, Debug, Default, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(super) struct File {
            pub extends: Option<String>,
            pub about: Option<String>,
            pub background: Option<Rgb>,
            pub foreground: Option<Rgb>,
            $(pub $name: Option<Ink>,)*
            pub heat: Option<[Ink; 5]>,
            pub series: Option<[Ink; 6]>,
        }

        impl File {
            /// What is set here over what is set in `base`. Heat and series are replaced as a whole.
            pub fn over(self, base: Self) -> Self {
                Self {
                    extends: base.extends,
                    about: self.about.or(base.about),
                    background: self.background.or(base.background),
                    foreground: self.foreground.or(base.foreground),
                    $($name: match (self.$name, base.$name) {
                        (Some(ink), Some(below)) => Some(ink.over(below)),
                        (ink, below) => ink.or(below),
                    },)*
                    heat: self.heat.or(base.heat),
                    series: self.series.or(base.series),
                }
            }

            /// Names of what is not set.
            pub fn missing(&self) -> Vec<&'static str> {
                let mut missing = Vec::new();
                let mut note = |set: bool, name| if !set { missing.push(name) };
                note(self.background.is_some(), "background");
                note(self.foreground.is_some(), "foreground");
                $(note(self.$name.is_some(), stringify!($name));)*
                note(self.heat.is_some(), "heat");
                note(self.series.is_some(), "series");
                missing
            }

            /// Every ink by its name.
            #[cfg(test)]
            pub fn inks(&self) -> Vec<(&'static str, Ink)> {
                let mut inks = Vec::new();
                $(inks.extend(self.$name.map(|ink| (stringify!($name), ink)));)*
                inks.extend(self.heat.iter().flatten().map(|ink| ("heat", *ink)));
                inks.extend(self.series.iter().flatten().map(|ink| ("series", *ink)));
                inks
            }
        }

        impl Theme {
            /// The styles of a file on a terminal with so many colours.
            pub(super) fn of(file: &File, level: ColourLevel) -> Self {
                let background = file.background.unwrap_or(Rgb(0, 0, 0));
                let (heat, series) = (file.heat.unwrap_or_default(), file.series.unwrap_or_default());
                Self {
                    $($name: file.$name.unwrap_or_default().style(level, $plain),)*
                    heat: std::array::from_fn(|at| heat[at].style(level, HEAT[at])),
                    series: std::array::from_fn(|at| series[at].style(level, SERIES[at])),
                    background,
                    light: vision::luminance(background) > 0.5,
                    foreground: file.foreground.unwrap_or(Rgb(255, 255, 255)),
                    about: file.about.clone().unwrap_or_default(),
                }
            }

            /// Every meaning in its style, in the order of the table.
            pub fn meanings(&self) -> Vec<Meaning> {
                let mut meanings = vec![
                    $(Meaning { name: stringify!($name), about: $about, styles: vec![self.$name] },)*
                ];
                let many = [
                    ("heat", "cold to hot, such as tokens that surprise the student", self.heat.to_vec()),
                    ("series", "curves and sessions side by side", self.series.to_vec()),
                ];
                meanings.extend(many.map(|(name, about, styles)| Meaning { name, about, styles }));
                meanings
            }
        }
    };
}

meanings! {
    text, PLAIN, "what is read";
    dim, DIM, "context";
    title, BOLD, "the name of the program, titles";
    focus, BOLD, "what keys act on";
    selected, REVERSED, "the selected row: a background";
    key, BOLD, "a key in the hints";
    running, BOLD, "what is at work";
    good, PLAIN, "complete, correct";
    warn, BOLD.union(LINED), "worth a look";
    bad, BOLD.union(REVERSED), "went wrong";
    bar, PLAIN, "the done part of a progress bar";
    track, DIM, "the part that is left";
    raw, DIM, "a curve as measured";
    smooth, BOLD, "the same smoothed";
    above, PLAIN, "reward above the same prompts' rate before RL";
    mark, DIM, "where an iteration begins, the zero line";
    keep, PLAIN, "the step stays as it is";
    compress, LINED, "the step is said shorter";
    expand, BOLD, "the step is said in smaller steps";
    drop, DIM, "the step is left out";
    localize, BOLD.union(LINED), "the step becomes a lesson of its own";
    simple, DIM, "solved nearly always";
    medium, PLAIN, "solved sometimes";
    hard, BOLD, "solved hardly ever";
    proposed, DIM, "made by the teacher, not decided on";
    approved, PLAIN, "decided: used";
    edited, BOLD, "decided: used as a person changed it";
    rejected, DIM.union(LINED), "decided: not used";
    review, BOLD.union(LINED), "kept for a person to decide, with the reason";
    added, BOLD, "in the new text only";
    removed, DIM.union(LINED), "in the old text only";
}
