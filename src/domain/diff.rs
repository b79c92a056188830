//! What differs between two texts, word by word: the original beside its bridged form.

/// A piece of two texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// In both.
    Same(String),
    /// In the first only.
    Gone(String),
    /// In the second only.
    New(String),
}

/// Above this product of word counts the texts are told apart as wholes: the table would take too much memory.
const MOST_CELLS: usize = 4_000_000;

/// The longest common sequence of words of `before` and `after`, with what is between. White space belongs to the word
/// before it; the pieces of one kind put together give each text back.
pub fn words(before: &str, after: &str) -> Vec<Piece> {
    between(before, after, cut)
}

/// As [`words`], line by line; a line break belongs to the line before it.
pub fn lines(before: &str, after: &str) -> Vec<Piece> {
    between(before, after, |text| text.split_inclusive('\n').collect())
}

fn between(before: &str, after: &str, cut: impl Fn(&str) -> Vec<&str>) -> Vec<Piece> {
    let (a, b) = (cut(before), cut(after));
    if a.len().saturating_mul(b.len()) > MOST_CELLS {
        return [Piece::Gone(before.into()), Piece::New(after.into())].into();
    }
    // length[i][j]: longest common sequence of a[i..] and b[j..].
    let width = b.len() + 1;
    let mut length = vec![0_u32; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            length[i * width + j] = if a[i] == b[j] {
                length[(i + 1) * width + j + 1] + 1
            } else {
                length[(i + 1) * width + j].max(length[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pieces = Vec::new();
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            push(&mut pieces, Piece::Same(a[i].into()));
            (i, j) = (i + 1, j + 1);
        } else if j == b.len() || (i < a.len() && length[(i + 1) * width + j] >= length[i * width + j + 1]) {
            push(&mut pieces, Piece::Gone(a[i].into()));
            i += 1;
        } else {
            push(&mut pieces, Piece::New(b[j].into()));
            j += 1;
        }
    }
    pieces
}

/// Words with the white space behind them.
fn cut(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut begin, mut space) = (0, false);
    for (at, c) in text.char_indices() {
        if space && !c.is_whitespace() {
            words.push(&text[begin..at]);
            begin = at;
        }
        space = c.is_whitespace();
    }
    if begin < text.len() {
        words.push(&text[begin..]);
    }
    words
}

/// Adds a piece, joined with the last where they are of one kind.
fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    match (pieces.last_mut(), &piece) {
        (Some(Piece::Same(last)), Piece::Same(text))
        | (Some(Piece::Gone(last)), Piece::Gone(text))
        | (Some(Piece::New(last)), Piece::New(text)) => last.push_str(text),
        _ => pieces.push(piece),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_common_stays_together() {
        let pieces = words("2 apples cost 4 coins now", "2 pears cost 4 coins");
        let gone = |text: &str| Piece::Gone(text.into());
        let expected = [
            Piece::Same("2 ".into()),
            gone("apples "),
            Piece::New("pears ".into()),
            Piece::Same("cost 4 ".into()),
            gone("coins now"),
            Piece::New("coins".into()),
        ];
        assert_eq!(pieces, expected);
        assert!(words("", "").is_empty());
    }

    #[test]
    fn lines_stay_whole() {
        let pieces = lines("one\ntwo\nthree\n", "one\n2\nthree\n");
        let expected = [
            Piece::Same("one\n".into()),
            Piece::Gone("two\n".into()),
            Piece::New("2\n".into()),
            Piece::Same("three\n".into()),
        ];
        assert_eq!(pieces, expected);
    }

    proptest! {
        #[test]
        fn both_texts_come_back(before in "[a-c \n]{0,40}", after in "[a-c \n]{0,40}") {
            let (mut a, mut b) = (String::new(), String::new());
            for piece in words(&before, &after) {
                match piece {
                    Piece::Same(text) => { a.push_str(&text); b.push_str(&text); }
                    Piece::Gone(text) => a.push_str(&text),
                    Piece::New(text) => b.push_str(&text),
                }
            }
            prop_assert_eq!((a, b), (before, after));
        }
    }
}
