//! Trained tokens between marks, so that a text that has such marks of its own can still be read.

/// The text of a piece as it stands beside marks of trained tokens, each one character or the same one twice. What could be
/// taken for a mark gets a backslash, and backslashes before such a character or at the end are doubled; all others stay. So
/// a mark is meant as one where an even number of backslashes, or none, stands before it.
pub fn beside_marks(text: &str, marks: [&str; 2]) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut slashes = 0;
    for (at, letter) in letters.iter().enumerate() {
        if let Some(mark) = marks.into_iter().find(|mark| mark.starts_with(*letter)) {
            out.extend(std::iter::repeat_n('\\', slashes));
            let single = mark.chars().nth(1).is_none();
            if single || at == 0 || letters.get(at + 1).is_none_or(|next| next == letter) {
                out.push('\\');
            }
        }
        slashes = if *letter == '\\' { slashes + 1 } else { 0 };
        out.push(*letter);
    }
    out.extend(std::iter::repeat_n('\\', slashes));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_taken_for_a_mark_gets_a_backslash() {
        for (text, single, double) in [
            ("a \\frac b", "a \\frac b", "a \\frac b"),
            ("a ⟦b⟧", "a \\⟦b\\⟧", "a ⟦b⟧"),
            ("x\\⟦y\\", "x\\\\\\⟦y\\\\", "x\\⟦y\\\\"),
            ("[a] b[[c]", "[a] b[[c]", "\\[a] b\\[[c\\]"),
            ("x \\[ y", "x \\[ y", "x \\\\[ y"),
        ] {
            let made = [["⟦", "⟧"], ["[[", "]]"]].map(|marks| beside_marks(text, marks));
            assert_eq!(made, [single, double], "{text}");
        }
    }

    /// Pieces out of a text with marks, each with whether it stood between them.
    fn read(text: &str, marks: [&str; 2]) -> Vec<(bool, String)> {
        let (mut pieces, mut inside, mut rest) = (vec![(false, String::new())], false, text);
        while let Some(next) = rest.chars().next() {
            if let Some(mark) = marks.into_iter().find(|mark| rest.starts_with(mark)) {
                inside = !inside;
                pieces.push((inside, String::new()));
                rest = &rest[mark.len()..];
                continue;
            }
            let escaped = if next == '\\' { rest[1..].chars().next() } else { None };
            let literal = escaped.filter(|c| *c == '\\' && slashes_before_mark(rest, marks) || is_mark(*c, marks));
            let taken = literal.unwrap_or(next);
            if let Some((_, piece)) = pieces.last_mut() {
                piece.push(taken);
            }
            rest = &rest[literal.map_or(next.len_utf8(), |c| 1 + c.len_utf8())..];
        }
        pieces
    }

    fn is_mark(letter: char, marks: [&str; 2]) -> bool {
        marks.iter().any(|mark| mark.starts_with(letter))
    }

    fn slashes_before_mark(text: &str, marks: [&str; 2]) -> bool {
        text.trim_start_matches('\\').chars().next().is_none_or(|letter| is_mark(letter, marks))
    }

    proptest::proptest! {
        #[test]
        fn marked_texts_can_be_read_back(
            pieces in proptest::collection::vec("[ab\\\\⟦⟧\\[\\]]{1,6}", 3),
            ascii in proptest::bool::ANY,
        ) {
            let marks = if ascii { ["[[", "]]"] } else { ["⟦", "⟧"] };
            let [before, trained, after] = [0, 1, 2].map(|at| beside_marks(&pieces[at], marks));
            let told = read(&format!("{before}{}{trained}{}{after}", marks[0], marks[1]), marks);
            let expected: Vec<(bool, String)> =
                pieces.iter().enumerate().map(|(at, piece)| (at == 1, piece.clone())).collect();
            proptest::prop_assert_eq!(told, expected);
        }
    }
}
