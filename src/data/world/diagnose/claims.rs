//! The equations a line of text claims, and the answer it states. The text is a student's: anything may stand in it.

use std::sync::LazyLock;

use regex::Regex;

use crate::data::world::Op;

/// `a op b`, and what it is said to be; `None` inside brackets, where nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Operation.
    pub op: Op,
    /// First operand.
    pub a: i64,
    /// Second operand.
    pub b: i64,
    /// The stated result.
    pub result: Option<i64>,
}

/// A left side of two operands, one of which may be a bracket of two, and its right side.
const EQUATION: &str = concat!(
    r"(?:\(\s*(?P<la>\d+)\s*(?P<lop>[-+*/])\s*(?P<lb>\d+)\s*\)|(?P<a>\d+))",
    r"\s*(?P<op>[-+*/])\s*",
    r"(?:\(\s*(?P<ra>\d+)\s*(?P<rop>[-+*/])\s*(?P<rb>\d+)\s*\)|(?P<b>\d+))",
    r"\s*=\s*(?P<r>\d+)",
);

static EQUATIONS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(EQUATION).ok());

/// The claims of a line in reading order, brackets before what they stand in. Numbers too long to be meant are skipped.
pub fn claims_of(line: &str) -> Vec<Claim> {
    let Some(pattern) = EQUATIONS.as_ref() else { return Vec::new() };
    let mut claims = Vec::new();
    for found in pattern.captures_iter(line) {
        let number = |name: &str| found.name(name).and_then(|m| m.as_str().parse::<i64>().ok());
        let op = |name: &str| found.name(name).and_then(|m| Op::from_symbol(m.as_str()));
        let mut side = |plain: &str, a: &str, op_name: &str, b: &str| -> Option<i64> {
            if let Some(value) = number(plain) {
                return Some(value);
            }
            let inner = Claim { op: op(op_name)?, a: number(a)?, b: number(b)?, result: None };
            claims.push(inner);
            inner.op.apply(inner.a, inner.b)
        };
        let (a, b) = (side("a", "la", "lop", "lb"), side("b", "ra", "rop", "rb"));
        if let (Some(a), Some(b), Some(op), Some(result)) = (a, b, op("op"), number("r")) {
            claims.push(Claim { op, a, b, result: Some(result) });
        }
    }
    claims
}

/// What follows `####` where a line begins with it.
pub fn final_answer(line: &str) -> Option<&str> {
    line.trim().strip_prefix("####").map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(a: i64, op: Op, b: i64, result: Option<i64>) -> Claim {
        Claim { op, a, b, result }
    }

    #[test]
    fn equations_are_read_with_and_without_brackets() {
        assert_eq!(claims_of("Ada has 3 + 4 = 7 nuts."), vec![claim(3, Op::Add, 4, Some(7))]);
        assert_eq!(
            claims_of("Ada has ( 3 + 4 ) * 2 = 15 nuts."),
            vec![claim(3, Op::Add, 4, None), claim(7, Op::Multiply, 2, Some(15))]
        );
        assert_eq!(
            claims_of("The change is 50 - ( 4 * 5 ) = 30 dollars."),
            vec![claim(4, Op::Multiply, 5, None), claim(50, Op::Subtract, 20, Some(30))]
        );
    }

    #[test]
    fn nonsense_claims_nothing() {
        for text in ["", "Ada has nuts.", "3 + = 4", "####", "99999999999999999999 + 1 = 2", "( 7 / 0 ) + 1 = 2 ("] {
            assert!(claims_of(text).iter().all(|claim| claim.result.is_none()), "{text}");
        }
    }

    #[test]
    fn answers_follow_their_marker() {
        assert_eq!(final_answer(" #### 12 "), Some("12"));
        assert_eq!(final_answer("12"), None);
    }
}
