//! The charts of a family: one per measured value, and one of the three kinds of groups.

use crate::workbench::curves::Family;
use crate::workbench::training::{Book, RATE};

/// Parts of the groups of a step, as they are measured: they add up to 1.
pub const SHARES: [&str; 3] = ["all-zero", "mixed", "all-one"];
/// Name of the chart that shows them together.
pub const GROUPS: &str = "groups";
/// Reward minus the same prompts' rate before RL.
pub const ABOVE: &str = "reward-above-before";

/// What says most, first.
const RL: [&str; 13] = [
    "reward",
    GROUPS,
    ABOVE,
    "kl",
    "clip-fraction",
    "entropy",
    "length",
    "grad-norm",
    "lr",
    RATE,
    "loss",
    "policy",
    "all-zero",
];
const SFT: [&str; 5] = ["loss", "grad-norm", "lr", RATE, "tokens"];

/// Names of the charts there is something for, what says most first.
pub fn charts(book: &Book, family: Family) -> Vec<String> {
    let measured = book.names(family);
    let mut names: Vec<String> = measured.iter().map(ToString::to_string).collect();
    if SHARES.iter().all(|share| measured.contains(share)) {
        names.retain(|name| name != "mixed" && name != "all-one");
        names.push(GROUPS.to_string());
    }
    let order: &[&str] = if family == Family::Sft { &SFT } else { &RL };
    names.sort_by_key(|name| (order.iter().position(|known| known == name).unwrap_or(order.len()), name.clone()));
    names
}

/// Whether a value depends on verifier and prompt, so that it can't be held against one that was measured otherwise.
pub fn judged(name: &str) -> bool {
    name == "reward" || name == ABOVE || name == GROUPS || SHARES.contains(&name)
}

/// What a chart is called.
pub fn title(name: &str) -> &str {
    match name {
        GROUPS => "groups of a step",
        ABOVE => "reward above before RL",
        other => other,
    }
}

/// The same where there is little room.
pub fn short(name: &str) -> &str {
    match name {
        ABOVE => "above before",
        other => other,
    }
}

/// The family that says most.
pub fn telling(book: &Book) -> Family {
    if book.steps(Family::Rl) > 0 || book.steps(Family::Sft) == 0 { Family::Rl } else { Family::Sft }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workbench::training::tests::addition;

    #[test]
    fn what_says_most_comes_first_and_the_three_shares_are_one_chart() {
        let mut book = Book::default();
        let mut step = addition(1, 0, &[0.5]);
        let more = ["zebra", "lr", "all-zero", "mixed", "all-one", "kl"];
        step.rows[0].values.extend(more.map(|name| (name.to_string(), 0.1)));
        book.merge(vec![step]);
        assert_eq!(charts(&book, Family::Rl), ["reward", "groups", "kl", "lr", "all-zero", "zebra"]);
        assert!(charts(&book, Family::Sft).is_empty());
        assert_eq!(telling(&book), Family::Rl);
        assert!(judged("reward") && judged(GROUPS) && !judged("kl"));
    }
}
