//! Tokens to a tree. Between two terms stands an `and` that need not be written; `or` binds looser, `not` tighter.

use super::Fault;
use super::token::{Placed, Sign, Token};

/// A filter as it was written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tree {
    All(Vec<Tree>),
    Any(Vec<Tree>),
    Not(Box<Tree>),
    /// A field held against a value.
    Field {
        name: String,
        at: usize,
        sign: Sign,
        value: Value,
    },
    /// A word or a quotation on its own.
    Word {
        text: String,
        exact: bool,
    },
}

/// A value as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub text: String,
    /// Where it begins.
    pub at: usize,
    /// Whether it stood between quotation marks, so that nothing in it means anything.
    pub quoted: bool,
}

/// Brackets inside brackets that are followed; a filter with more is no filter that somebody wrote.
const DEEPEST: usize = 64;

/// Builds the tree; `None` without tokens.
pub(super) fn parse(tokens: &[Placed]) -> Result<Option<Tree>, Fault> {
    if tokens.is_empty() {
        return Ok(None);
    }
    let mut parser = Parser { tokens, at: 0 };
    let tree = parser.any(0)?;
    match parser.tokens.get(parser.at) {
        Some((_, range)) => Err(Fault::new(range.start, "this bracket closes none that is open")),
        None => Ok(Some(tree)),
    }
}

struct Parser<'a> {
    tokens: &'a [Placed],
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    /// The column of the next token, or the one behind the last.
    fn column(&self) -> usize {
        let last = self.tokens.last().map_or(0, |(_, range)| range.end);
        self.tokens.get(self.at).map_or(last, |(_, range)| range.start)
    }

    /// Whether the next token is this word, without a sign behind it that would make it a field.
    fn keyword(&self, word: &str) -> bool {
        let is_word = matches!(self.peek(), Some(Token::Word(text)) if text.eq_ignore_ascii_case(word));
        is_word && !matches!(self.tokens.get(self.at + 1), Some((Token::Sign(_), _)))
    }

    fn any(&mut self, depth: usize) -> Result<Tree, Fault> {
        let mut parts = vec![self.all(depth)?];
        while self.keyword("or") {
            self.at += 1;
            parts.push(self.all(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Tree::Any(parts) })
    }

    fn all(&mut self, depth: usize) -> Result<Tree, Fault> {
        let mut parts = vec![self.term(depth)?];
        loop {
            let named = self.keyword("and");
            if named {
                self.at += 1;
            } else if self.keyword("or") || matches!(self.peek(), None | Some(Token::Close)) {
                break;
            }
            parts.push(self.term(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Tree::All(parts) })
    }

    fn term(&mut self, depth: usize) -> Result<Tree, Fault> {
        let column = self.column();
        if depth > DEEPEST {
            return Err(Fault::new(column, "this is nested too deep"));
        }
        if self.keyword("not") || self.peek() == Some(&Token::Minus) {
            self.at += 1;
            return Ok(Tree::Not(Box::new(self.term(depth + 1)?)));
        }
        if self.keyword("or") || self.keyword("and") {
            return Err(Fault::new(
                column,
                "something has to stand before this; put it in quotation marks to search for it",
            ));
        }
        let Some((token, _)) = self.tokens.get(self.at) else {
            return Err(Fault::new(column, "something is missing here"));
        };
        self.at += 1;
        match token {
            Token::Open => {
                let inner = self.any(depth + 1)?;
                if self.peek() != Some(&Token::Close) {
                    return Err(Fault::new(column, "this bracket is not closed"));
                }
                self.at += 1;
                Ok(inner)
            }
            Token::Word(text) => match self.peek() {
                Some(&Token::Sign(sign)) => self.field(text.clone(), column, sign),
                _ => Ok(Tree::Word { text: text.clone(), exact: false }),
            },
            Token::Quoted(text) => Ok(Tree::Word { text: text.clone(), exact: true }),
            Token::Sign(sign) => {
                Err(Fault::new(column, format!("the name of a field belongs before `{}`", sign.written())))
            }
            Token::Minus | Token::Close => Err(Fault::new(column, "something is missing here")),
        }
    }

    fn field(&mut self, name: String, at: usize, sign: Sign) -> Result<Tree, Fault> {
        let behind = self.tokens.get(self.at).map_or(0, |(_, range)| range.end);
        self.at += 1;
        let (text, quoted) = match self.peek() {
            Some(Token::Word(text)) => (text.clone(), false),
            Some(Token::Quoted(text)) => (text.clone(), true),
            _ => return Err(Fault::new(behind, format!("a value belongs behind `{name}{}`", sign.written()))),
        };
        let value = Value { text, at: self.column(), quoted };
        self.at += 1;
        Ok(Tree::Field { name, at, sign, value })
    }
}
