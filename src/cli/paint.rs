//! Styles as escape codes, for pages that are printed rather than drawn.

use ratatui::style::{Color, Modifier, Style};

use crate::workbench::text;

/// Pieces of text in their styles, as a terminal takes them. A piece without a style has no escape code around it, and
/// those inside pieces are left out.
pub fn painted(pieces: &[(String, Style)]) -> String {
    let mut page = String::new();
    for (piece, style) in pieces {
        let (codes, piece) = (codes(style), text::printable_lines(piece));
        if codes.is_empty() {
            page.push_str(&piece);
        } else {
            page.push_str(&format!("\u{1b}[{}m{piece}\u{1b}[0m", codes.join(";")));
        }
    }
    page
}

/// The SGR parameters of a style.
fn codes(style: &Style) -> Vec<String> {
    let modifiers = [
        (Modifier::BOLD, "1"),
        (Modifier::DIM, "2"),
        (Modifier::ITALIC, "3"),
        (Modifier::UNDERLINED, "4"),
        (Modifier::REVERSED, "7"),
    ];
    let set = modifiers.into_iter().filter(|(modifier, _)| style.add_modifier.contains(*modifier));
    let mut codes: Vec<String> = set.map(|(_, code)| code.to_string()).collect();
    codes.extend(style.fg.and_then(|colour| colour_code(colour, 30)));
    codes.extend(style.bg.and_then(|colour| colour_code(colour, 40)));
    codes
}

/// The parameter of a colour; `base` is 30 for text and 40 for the background.
fn colour_code(colour: Color, base: u8) -> Option<String> {
    let named = [
        [Color::Black, Color::Red, Color::Green, Color::Yellow, Color::Blue, Color::Magenta, Color::Cyan, Color::Gray],
        [
            Color::DarkGray,
            Color::LightRed,
            Color::LightGreen,
            Color::LightYellow,
            Color::LightBlue,
            Color::LightMagenta,
            Color::LightCyan,
            Color::White,
        ],
    ];
    match colour {
        Color::Reset => None,
        Color::Rgb(r, g, b) => Some(format!("{};2;{r};{g};{b}", base + 8)),
        Color::Indexed(index) => Some(format!("{};5;{index}", base + 8)),
        named_colour => named.iter().zip([base, base + 60]).find_map(|(row, base)| {
            row.iter().position(|known| *known == named_colour).map(|at| (usize::from(base) + at).to_string())
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_become_escape_codes_and_plain_text_none() {
        let pieces = [
            ("a\u{1b}[5m".to_string(), Style::new()),
            ("b".to_string(), Style::new().fg(Color::Rgb(1, 2, 3)).add_modifier(Modifier::BOLD)),
            ("c".to_string(), Style::new().fg(Color::LightRed).bg(Color::Indexed(7))),
            ("d".to_string(), Style::new().fg(Color::White).bg(Color::Blue).add_modifier(Modifier::REVERSED)),
        ];
        let painted = painted(&pieces);
        assert_eq!(painted, "a\u{1b}[1;38;2;1;2;3mb\u{1b}[0m\u{1b}[91;48;5;7mc\u{1b}[0m\u{1b}[7;97;44md\u{1b}[0m");
    }
}
