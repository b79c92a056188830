//! A screen in plain ASCII, whatever was drawn: for fonts, terminals and locales that show nothing else. The glyph sets
//! of [`look`](super::look) draw in ASCII by themselves; this catches what comes from texts, words and numbers.

use ratatui::buffer::Buffer;

use super::look::Glyphs;

/// The ASCII character that stands for a symbol; `?` where there is none.
fn plain(symbol: &str) -> &'static str {
    match symbol.chars().next().unwrap_or(' ') {
        '·' | '•' | '–' | '—' | '−' | '‐'..='‒' | '─' | '━' => "-",
        '…' => "~",
        '×' | '✗' | '✘' => "x",
        '÷' => "/",
        '“' | '”' | '„' | '«' | '»' => "\"",
        '‘' | '’' | '‚' | '′' => "'",
        '→' | '▸' | '▶' | '›' => ">",
        '←' | '◂' | '◀' | '‹' => "<",
        '↑' | '▲' => "^",
        '↓' | '▼' => "v",
        '≤' => "<",
        '≥' => ">",
        '≈' => "~",
        '≠' => "!",
        '±' | '✓' | '✔' => "+",
        '°' => "o",
        '│' | '┃' | '┊' | '┆' | '▌' | '▐' => "|",
        '\u{2500}'..='\u{257f}' => "+",
        '\u{2580}'..='\u{259f}' => "#",
        '\u{2801}'..='\u{28ff}' => ".",
        'τ' => "t",
        'ρ' => "p",
        'ε' => "e",
        'σ' => "s",
        'μ' | 'µ' => "u",
        'Δ' => "D",
        'π' => "P",
        '½' => "h",
        'à'..='å' => "a",
        'À'..='Å' => "A",
        'ç' => "c",
        'è'..='ë' => "e",
        'È'..='Ë' => "E",
        'ì'..='ï' => "i",
        'ñ' => "n",
        'ò'..='ö' | 'ø' => "o",
        'Ò'..='Ö' | 'Ø' => "O",
        'ù'..='ü' => "u",
        'Ù'..='Ü' => "U",
        'ß' => "s",
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' => " ",
        _ => "?",
    }
}

/// Words from records, which may hold a `·` or a `τ`, as the screen writes them.
pub fn words(text: &str, glyphs: &Glyphs) -> String {
    if !glyphs.dot.is_ascii() {
        return text.to_string();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_ascii() => out.push(c),
            'τ' => out.push_str("tau"),
            c => out.push_str(plain(c.encode_utf8(&mut [0; 4]))),
        }
    }
    out
}

/// Takes everything that is not ASCII out of a screen. A character that is two columns wide becomes `?` and a space.
pub fn enforce(buf: &mut Buffer) {
    for cell in &mut buf.content {
        if !cell.symbol().is_ascii() {
            let symbol = plain(cell.symbol());
            cell.set_symbol(symbol);
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    #[test]
    fn nothing_but_ascii_is_left_and_columns_stay() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 12, 1));
        buf.set_string(0, 0, "τ·≤ 日本é⠓│x", Style::new());
        enforce(&mut buf);
        let shown: String = buf.content.iter().map(|cell| cell.symbol()).collect();
        assert_eq!(shown, "t-< ? ? e.|x");
    }
}
