//! How one meaning is drawn, as a theme file writes it, and what becomes of it on terminals with fewer colours.

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use crate::workbench::probe::ColourLevel;

/// A style as written in a file. What is not set keeps the terminal's own.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Ink {
    /// Colour of the text, for 256 colours and more.
    pub rgb: Option<Rgb>,
    /// Colour of the text, for sixteen.
    ansi: Option<AnsiName>,
    /// Background, for 256 colours and more.
    pub on: Option<Rgb>,
    /// Background, for sixteen; where only `on` is set, text and background change places there.
    on_ansi: Option<AnsiName>,
    bold: Option<bool>,
    underline: Option<bool>,
}

impl Ink {
    /// What is set here, else what is set in `base`.
    pub fn over(self, base: Self) -> Self {
        Self {
            rgb: self.rgb.or(base.rgb),
            ansi: self.ansi.or(base.ansi),
            on: self.on.or(base.on),
            on_ansi: self.on_ansi.or(base.on_ansi),
            bold: self.bold.or(base.bold),
            underline: self.underline.or(base.underline),
        }
    }

    /// True where both kinds of terminals are served: a colour for 256 has one for sixteen beside it.
    #[cfg(test)]
    pub fn is_twofold(&self) -> bool {
        self.rgb.is_some() == self.ansi.is_some() && (self.on_ansi.is_none() || self.on.is_some())
    }

    /// The style on a terminal with so many colours; `plain` stands for it where there are none.
    pub fn style(&self, level: ColourLevel, plain: Modifier) -> Style {
        let modifiers = [(self.bold, Modifier::BOLD), (self.underline, Modifier::UNDERLINED)];
        let modifiers: Modifier =
            modifiers.into_iter().filter(|(set, _)| *set == Some(true)).map(|(_, modifier)| modifier).collect();
        let (front, back, modifiers) = match level {
            ColourLevel::None => (None, None, plain),
            ColourLevel::Ansi16 if self.on.is_some() && self.on_ansi.is_none() => {
                (self.ansi.map(Color::from), None, modifiers | Modifier::REVERSED)
            }
            ColourLevel::Ansi16 => (self.ansi.map(Color::from), self.on_ansi.map(Color::from), modifiers),
            ColourLevel::Ansi256 => {
                let indexed = |rgb: Rgb| Color::Indexed(nearest_256(rgb));
                (self.rgb.map(indexed), self.on.map(indexed), modifiers)
            }
            ColourLevel::True => (self.rgb.map(Color::from), self.on.map(Color::from), modifiers),
        };
        Style { fg: front, bg: back, add_modifier: modifiers, ..Style::new() }
    }
}

/// `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Rgb(pub u8, pub u8, pub u8);

impl TryFrom<String> for Rgb {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.strip_prefix('#').and_then(|digits| hex::decode(digits).ok()).as_deref() {
            Some(&[r, g, b]) => Ok(Rgb(r, g, b)),
            _ => Err(format!("`{text}` is no colour; write it like \"#56b4e9\"")),
        }
    }
}

impl From<Rgb> for Color {
    fn from(Rgb(r, g, b): Rgb) -> Self {
        Color::Rgb(r, g, b)
    }
}

impl std::fmt::Display for Rgb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
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

/// Steps of a channel in the 6×6×6 cube of the 256-colour palette.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The nearest colour of the cube and the grey ramp of the 256-colour palette.
fn nearest_256(Rgb(r, g, b): Rgb) -> u8 {
    let near = |value: u8| {
        let away = |at: &usize| (i32::from(CUBE[*at]) - i32::from(value)).abs();
        (0..CUBE.len()).min_by_key(away).unwrap_or(0)
    };
    let apart = |other: [u8; 3]| -> i32 {
        [r, g, b].iter().zip(other).map(|(&a, b)| (i32::from(a) - i32::from(b)).pow(2)).sum()
    };
    let (ri, gi, bi) = (near(r), near(g), near(b));
    let cube = (16 + 36 * ri + 6 * gi + bi) as u8;
    let cube_error = apart([CUBE[ri], CUBE[gi], CUBE[bi]]);
    let grey = (0..24u8).min_by_key(|&step| apart([8 + 10 * step; 3])).unwrap_or(0);
    if apart([8 + 10 * grey; 3]) < cube_error { 232 + grey } else { cube }
}

/// A colour as pictures draw it; `None` for the terminal's own. The sixteen named ones are those of common terminals.
pub fn shown(colour: Color) -> Option<Rgb> {
    Some(match colour {
        Color::Rgb(r, g, b) => Rgb(r, g, b),
        Color::Black | Color::Indexed(0) => Rgb(0, 0, 0),
        Color::Red | Color::Indexed(1) => Rgb(0xcd, 0x31, 0x31),
        Color::Green | Color::Indexed(2) => Rgb(0x0d, 0xbc, 0x79),
        Color::Yellow | Color::Indexed(3) => Rgb(0xc8, 0xa0, 0x10),
        Color::Blue | Color::Indexed(4) => Rgb(0x24, 0x72, 0xc8),
        Color::Magenta | Color::Indexed(5) => Rgb(0xbc, 0x3f, 0xbc),
        Color::Cyan | Color::Indexed(6) => Rgb(0x11, 0xa8, 0xcd),
        Color::Gray | Color::Indexed(7) => Rgb(0xc8, 0xc8, 0xc8),
        Color::DarkGray | Color::Indexed(8) => Rgb(0x80, 0x80, 0x80),
        Color::LightRed | Color::Indexed(9) => Rgb(0xf1, 0x6c, 0x4c),
        Color::LightGreen | Color::Indexed(10) => Rgb(0x23, 0xd1, 0x8b),
        Color::LightYellow | Color::Indexed(11) => Rgb(0xf5, 0xf5, 0x43),
        Color::LightBlue | Color::Indexed(12) => Rgb(0x5c, 0x9c, 0xf0),
        Color::LightMagenta | Color::Indexed(13) => Rgb(0xd6, 0x70, 0xd6),
        Color::LightCyan | Color::Indexed(14) => Rgb(0x29, 0xb8, 0xdb),
        Color::White | Color::Indexed(15) => Rgb(0xff, 0xff, 0xff),
        Color::Indexed(grey @ 232..) => Rgb(8 + 10 * (grey - 232), 8 + 10 * (grey - 232), 8 + 10 * (grey - 232)),
        Color::Indexed(at) => {
            let at = usize::from(at - 16);
            Rgb(CUBE[at / 36], CUBE[at / 6 % 6], CUBE[at % 6])
        }
        Color::Reset => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn palette_knows_greys_and_corners() {
        for (rgb, index) in [(Rgb(0, 0, 0), 16), (Rgb(255, 255, 255), 231), (Rgb(0x8a, 0x8a, 0x8a), 245)] {
            assert_eq!(nearest_256(rgb), index);
            assert_eq!(shown(Color::Indexed(index)), Some(rgb));
        }
        assert_eq!(shown(Color::Indexed(178)), Some(Rgb(215, 175, 0)));
        assert_eq!(shown(Color::Reset), None);
    }

    #[test]
    fn a_background_alone_is_reversed_on_sixteen_colours() {
        let ink = Ink { on: Some(Rgb(1, 2, 3)), ..Ink::default() };
        assert_eq!(ink.style(ColourLevel::True, Modifier::BOLD).bg, Some(Color::Rgb(1, 2, 3)));
        assert_eq!(ink.style(ColourLevel::Ansi16, Modifier::BOLD), Style::new().add_modifier(Modifier::REVERSED));
        assert_eq!(ink.style(ColourLevel::None, Modifier::BOLD), Style::new().add_modifier(Modifier::BOLD));
    }
}
