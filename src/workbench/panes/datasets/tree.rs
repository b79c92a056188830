//! The way back from a training text as a tree: each branch a record, with where it is decided on.

use crate::export::lineage::{Lineage, Standing};
use crate::pipeline::review::ProductId;
use crate::session::show_time;
use crate::workbench::look::Look;
use crate::workbench::pane::{PaneId, Target};
use crate::workbench::text::printable;
use crate::workbench::widgets::page::{Ink, Piece};

/// Digits of a long hash that are shown.
const DIGITS: usize = 12;

/// A branch.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// How deep it stands, from 0.
    pub depth: usize,
    /// What is said.
    pub pieces: Vec<Piece>,
    /// Where more of it is seen.
    pub target: Option<(PaneId, Target)>,
}

/// The tree of a text.
pub fn tree(found: &Lineage) -> Vec<Branch> {
    let mut tree = Tree(Vec::new());
    let question = |pane| Some((pane, Target::Question(found.question.as_ref().map(|q| q.id.clone())?)));
    let text = &found.text;
    let trained = format!("{}, {} trained tokens, of {}", text.kind, text.tokens, text.stage);
    tree.add(0, &text.id, &trained, Ink::Text, None);
    if let Some(of) = &found.question {
        tree.add(1, "question", &format!("{}: {}", of.id, of.text), Ink::Text, question(PaneId::Questions));
        tree.add(2, "gold", &of.gold, Ink::Good, None);
    }
    for group in &found.rollouts {
        let band = group.band.as_ref().map_or(String::new(), |band| format!(", so it is {band}"));
        let right = format!("{} of {} right{band}", group.correct, group.n);
        tree.add(1, &group.key, &right, Ink::Text, question(PaneId::Rollouts));
        let measured = format!("checkpoint {}, verifier {}, prompt {}", group.checkpoint, group.verifier, group.prompt);
        tree.add(2, "measured", &measured, Ink::Dim, None);
    }
    let product = |key: &str| key.parse::<ProductId>().ok().map(Target::Product);
    if let Some(trace) = &found.trace {
        let by = format!("by {}, attempt {}", trace.teacher, trace.attempts);
        let target = product(&trace.key).map(|target| (PaneId::Bridge, target));
        tree.add(1, &trace.key, &by, Ink::Text, target);
        tree.standing(2, &trace.standing);
    }
    tree.steps(found);
    tree.failure(found);
    tree.ends(found);
    tree.0
}

struct Tree(Vec<Branch>);

impl Tree {
    fn add(&mut self, depth: usize, name: &str, words: &str, ink: Ink, target: Option<(PaneId, Target)>) {
        let pieces = vec![(Ink::Name, format!("{} ", printable(name))), (ink, printable(words))];
        self.0.push(Branch { depth, pieces, target });
    }

    fn standing(&mut self, depth: usize, standing: &Standing) {
        if standing.status.is_empty() {
            return;
        }
        let ink = match standing.status.as_str() {
            "approved" | "edited" => Ink::Good,
            "rejected" => Ink::Bad,
            _ => Ink::Warn,
        };
        let reason = standing.reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
        self.add(depth, "stands", &format!("{}{reason}", standing.status), ink, None);
    }

    fn steps(&mut self, found: &Lineage) {
        let Some(steps) = &found.steps else { return };
        let id = found.question.as_ref().map(|question| question.id.clone());
        let tau_d = steps.tau_d.map_or_else(|| "not fixed".to_string(), |tau| format!("{tau:.2}"));
        let edges = format!("thresholds I {} J {} D {tau_d}, D under {}", steps.tau_i, steps.tau_j, steps.checkpoint);
        let target = id.clone().map(|id| (PaneId::Bridge, Target::Question(id)));
        self.add(1, "steps", &edges, Ink::Text, target);
        self.standing(2, &steps.standing);
        let score = |score: Option<f64>| score.map_or_else(|| "?".to_string(), |score| format!("{score:.2}"));
        for (at, step) in steps.steps.iter().enumerate() {
            let scores = format!("I {} J {} D {:.2}", score(step.importance), score(step.jumpiness), step.difficulty);
            let action = step.action.as_deref().map_or(String::new(), |action| format!(" {action}"));
            let local = if step.local { ", local" } else { "" };
            let target = id.clone().map(|id| (PaneId::Bridge, Target::Step(id, at + 1)));
            let words = format!("{scores}{action}{local}: {}", step.text);
            self.add(2, &format!("step {}", at + 1), &words, Ink::Text, target);
            if let Some(reason) = &step.reason {
                self.add(3, "why", reason, Ink::Dim, None);
            }
            if let Some(edited) = step.edited.as_ref().filter(|edited| **edited != step.text) {
                let edited = if edited.is_empty() { "nothing is left of it" } else { edited };
                self.add(3, "became", edited, Ink::Text, None);
            }
        }
    }

    fn failure(&mut self, found: &Lineage) {
        let Some(failure) = &found.failure else { return };
        let target = failure.key.parse::<ProductId>().ok().map(|id| (PaneId::Recycle, Target::Product(id)));
        let near = format!("near-miss {}, score {:.2}", failure.near_miss + 1, failure.score);
        self.add(1, &failure.key, &near, Ink::Text, target);
        self.standing(2, &failure.standing);
        self.add(2, "response", &failure.response, Ink::Text, None);
        match &failure.diagnosis {
            Some(diagnosis) => {
                let error = format!("{}: {}", diagnosis.error_type, diagnosis.first_error);
                self.add(2, "diagnosis", &error, Ink::Text, None);
                self.add(3, "why", &diagnosis.why_wrong, Ink::Dim, None);
            }
            None => self.add(2, "diagnosis", "none that could be used", Ink::Warn, None),
        }
    }

    fn ends(&mut self, found: &Lineage) {
        if !found.decisions.is_empty() {
            self.add(1, "decisions", "", Ink::Text, None);
        }
        for decision in &found.decisions {
            let reason = decision.reason.as_ref().map_or(String::new(), |reason| format!(", because: {reason}"));
            let words = format!("{} {}: {}{reason}", decision.record, decision.by, decision.what);
            let ink = if decision.by_researcher { Ink::Strong } else { Ink::Text };
            self.add(2, &show_time(decision.millis), &words, ink, None);
        }
        if !found.prompts.is_empty() {
            self.add(1, "prompts", "", Ink::Text, None);
        }
        for prompt in &found.prompts {
            let recorded = if prompt.recorded { "" } else { " (this program's wording; not recorded by the run)" };
            self.add(2, &prompt.hash, &format!("{}{recorded}", prompt.of), Ink::Text, None);
        }
        let none = if found.checkpoints.is_empty() { "none yet: the stage has not ended" } else { "" };
        self.add(1, "checkpoints", none, Ink::Dim, None);
        let short = |hash: &str| hash.chars().take(DIGITS).collect::<String>();
        for checkpoint in &found.checkpoints {
            let hashes = if checkpoint.weights.is_empty() {
                String::new()
            } else {
                let [weights, recipe, data] =
                    [&checkpoint.weights, &checkpoint.recipe, &checkpoint.data].map(|h| short(h));
                format!("weights {weights}, recipe {recipe}, data {data}")
            };
            let target = (PaneId::Evaluation, Target::Checkpoint(checkpoint.id.clone()));
            self.add(2, &checkpoint.id, &hashes, Ink::Text, Some(target));
        }
        for missing in &found.missing {
            self.add(
                1,
                "missing",
                &format!("{missing} is named by the text, the session does not have it"),
                Ink::Bad,
                None,
            );
        }
    }
}

/// The lines left of a branch.
pub fn gutter(branches: &[Branch], at: usize, look: &Look) -> String {
    let depth = branches[at].depth;
    let [one, last, past] = look.glyphs.branch;
    let goes_on = |level: usize| {
        let after = branches[at + 1..].iter().map(|branch| branch.depth);
        after.take_while(|depth| *depth >= level).any(|depth| depth == level)
    };
    let mut lines = String::new();
    for level in 1..=depth {
        let glyph = match (level == depth, goes_on(level)) {
            (true, true) => one,
            (true, false) => last,
            (false, true) => past,
            (false, false) => "   ",
        };
        lines.push_str(glyph);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_joins_what_belongs_together() {
        let branch = |depth| Branch { depth, pieces: Vec::new(), target: None };
        let branches: Vec<Branch> = [0, 1, 2, 2, 1, 2].map(branch).into();
        let look = Look::picture();
        let lines: Vec<String> = (0..branches.len()).map(|at| gutter(&branches, at, &look)).collect();
        assert_eq!(lines, ["", "├─ ", "│  ├─ ", "│  └─ ", "└─ ", "   └─ "]);
    }
}
