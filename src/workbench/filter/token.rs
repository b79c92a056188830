//! A line of text cut into words, quotations and signs, each with the column where it begins.

use super::Fault;

/// A piece of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// Letters without blanks or signs.
    Word(String),
    /// What stood between quotation marks.
    Quoted(String),
    /// `:` or a comparison.
    Sign(Sign),
    /// `-` before a term.
    Minus,
    /// `(`.
    Open,
    /// `)`.
    Close,
}

/// What stands between a field and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Has,
    Is,
    IsNot,
    Less,
    LessOrIs,
    More,
    MoreOrIs,
}

impl Sign {
    /// As it is written.
    pub(super) fn written(self) -> &'static str {
        match self {
            Sign::Has => ":",
            Sign::Is => "=",
            Sign::IsNot => "!=",
            Sign::Less => "<",
            Sign::LessOrIs => "<=",
            Sign::More => ">",
            Sign::MoreOrIs => ">=",
        }
    }
}

/// A token, where it begins, and where it ends.
pub(super) type Placed = (Token, std::ops::Range<usize>);

/// Cuts a line into tokens. Columns count characters, from 0.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, Fault> {
    let letters: Vec<char> = text.chars().collect();
    let (mut found, mut at) = (Vec::<Placed>::new(), 0);
    while let Some(&letter) = letters.get(at) {
        let begin = at;
        let next = letters.get(at + 1).copied();
        let after_sign = matches!(found.last(), Some((Token::Sign(_), range)) if range.end == begin);
        let token = match letter {
            c if c.is_whitespace() => {
                at += 1;
                continue;
            }
            '"' => Token::Quoted(quoted(&letters, &mut at)?),
            '(' => single(&mut at, Token::Open),
            ')' => single(&mut at, Token::Close),
            ':' => single(&mut at, Token::Sign(Sign::Has)),
            '=' => sign(&mut at, next == Some('='), Sign::Is, Sign::Is),
            '<' => sign(&mut at, next == Some('='), Sign::Less, Sign::LessOrIs),
            '>' => sign(&mut at, next == Some('='), Sign::More, Sign::MoreOrIs),
            '!' if next == Some('=') => sign(&mut at, true, Sign::IsNot, Sign::IsNot),
            '-' if !after_sign && next.is_some_and(|c| !c.is_whitespace()) => single(&mut at, Token::Minus),
            _ => Token::Word(word(&letters, &mut at)),
        };
        found.push((token, begin..at));
    }
    Ok(found)
}

fn single(at: &mut usize, token: Token) -> Token {
    *at += 1;
    token
}

fn sign(at: &mut usize, two: bool, one_letter: Sign, two_letters: Sign) -> Token {
    *at += if two { 2 } else { 1 };
    Token::Sign(if two { two_letters } else { one_letter })
}

/// Up to the closing mark; `\"` stands for a mark inside.
fn quoted(letters: &[char], at: &mut usize) -> Result<String, Fault> {
    let begin = *at;
    let mut text = String::new();
    *at += 1;
    while let Some(&letter) = letters.get(*at) {
        *at += 1;
        match letter {
            '"' => return Ok(text),
            '\\' if letters.get(*at) == Some(&'"') => {
                text.push('"');
                *at += 1;
            }
            other => text.push(other),
        }
    }
    Err(Fault::new(begin, "this quotation has no end; close it with \""))
}

fn word(letters: &[char], at: &mut usize) -> String {
    let begin = *at;
    let ends = |at: usize| match letters[at] {
        '"' | '(' | ')' | ':' | '=' | '<' | '>' => true,
        '!' => letters.get(at + 1) == Some(&'='),
        c => c.is_whitespace(),
    };
    *at += 1;
    while *at < letters.len() && !ends(*at) {
        *at += 1;
    }
    letters[begin..*at].iter().collect()
}
