//! Everything that is known of one question's bridge, gathered for the screen.

use super::book::{Ground, ground};
use crate::domain::diff::{self, Piece};
use crate::domain::{Action, Band, Question, StepScores, split_answer, split_steps};
use crate::pipeline::begun::recipe_of;
use crate::pipeline::review::history::author;
use crate::pipeline::review::{Kind, ProductId};
use crate::pipeline::stages::difficulty::{FIRST, edges};
use crate::session::records::{
    Asked, BridgedStep, BridgedTrace, Decided, ReviewDecision, RolloutGroup, Scores, Status, Trace,
};
use crate::session::{Author, RolloutBrief, Session, SessionError};
use crate::workbench::jobs::Cancel;

/// Who decided over a step.
#[derive(Clone, Debug, PartialEq)]
pub enum By {
    /// Nobody yet.
    Nobody,
    /// Algorithm 1.
    Rule,
    /// A researcher.
    Person {
        /// `you`, or the name.
        name: String,
        /// When, in unix milliseconds.
        at: u64,
        /// Why, where that was said.
        reason: Option<String>,
    },
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its own text.
    pub text: String,
    /// I, J and D.
    pub scores: Option<StepScores>,
    /// Loss of each of its tokens, nats.
    pub losses: Vec<f32>,
    /// The operation; `None` before it was bridged.
    pub action: Option<Action>,
    /// Its text after the edit; empty where it is left out.
    pub after: String,
    /// Why there is no edit although the operation needs one.
    pub unanswered: Option<String>,
    /// It is also a local sample.
    pub local: bool,
    /// A researcher chose the operation.
    pub fixed: bool,
    /// Who decided.
    pub by: By,
    /// What differs between the text and its edit; empty before it was bridged.
    pub diff: Vec<Piece>,
}

impl Step {
    /// A step of which only the text is known.
    pub fn blank(text: &str) -> Self {
        Self {
            text: text.to_string(),
            scores: None,
            losses: Vec::new(),
            action: None,
            after: String::new(),
            unanswered: None,
            local: false,
            fixed: false,
            by: By::Nobody,
            diff: Vec::new(),
        }
    }
}

/// What is known of one question.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// Its id.
    pub id: String,
    /// The question.
    pub question: Option<Question>,
    /// Right answers among samples, and how hard that is; `None` before they were sampled.
    pub measured: Option<(u32, u32, Band)>,
    /// The teacher's trace.
    pub trace: Option<Trace>,
    /// Its scores.
    pub scores: Option<Scores>,
    /// The bridged trace.
    pub bridge: Option<BridgedTrace>,
    /// The steps.
    pub steps: Vec<Step>,
    /// The thresholds in force.
    pub ground: Ground,
    /// What differs between the trace and the bridged text; empty before it was bridged.
    pub whole: Vec<Piece>,
}

impl Page {
    /// Reads it.
    ///
    /// # Errors
    /// In words; when it was cancelled.
    pub fn read(session: &Session, id: &str, cancel: &Cancel) -> Result<Self, String> {
        let recipe = recipe_of(session)?;
        let ground = ground(session, &recipe)?;
        let words = |error: SessionError| error.to_string();
        let asked = session.get::<Asked>(&format!("train/{id}")).map_err(words)?;
        let brief = brief(session, id).map_err(words)?;
        let band = |b: &RolloutBrief| Band::of(b.correct, b.n, &edges(&recipe));
        let trace = session.get::<Trace>(id).map_err(words)?;
        let scores = session.get::<Scores>(id).map_err(words)?;
        let bridge = session.get::<BridgedTrace>(id).map_err(words)?;
        cancel.check()?;
        let decisions = match &bridge {
            Some(bridge) if bridge.steps.iter().any(|step| step.overruled.is_some()) => decisions(session, id, cancel)?,
            _ => Vec::new(),
        };
        let mut page = Self {
            id: id.to_string(),
            question: asked.map(|asked| asked.question),
            measured: brief.map(|b| (b.correct, b.n, band(&b))),
            trace,
            scores,
            bridge,
            steps: Vec::new(),
            ground,
            whole: Vec::new(),
        };
        page.steps = page.gathered(&decisions, &author(None));
        if let (Some(trace), Some(bridge)) = (&page.trace, &page.bridge) {
            page.whole = diff::words(trace.text.trim_end(), &bridge.bridged.text);
        }
        Ok(page)
    }

    /// The product that is furthest: bridge, else scores, else trace.
    pub fn product(&self) -> Option<(ProductId, &Status, Option<&Decided>)> {
        let id = |kind| ProductId::new(kind, self.id.clone());
        match (&self.bridge, &self.scores, &self.trace) {
            (Some(bridge), ..) => Some((id(Kind::Bridge), &bridge.status, bridge.decided.as_ref())),
            (_, Some(scores), _) => Some((id(Kind::Scores), &scores.status, scores.decided.as_ref())),
            (.., Some(trace)) => Some((id(Kind::Trace), &trace.status, trace.decided.as_ref())),
            _ => None,
        }
    }

    /// The text as it was before: the trace without its answer line.
    pub fn body(&self) -> &str {
        self.trace.as_ref().map_or("", |trace| split_answer(&trace.text).0)
    }

    fn gathered(&self, decisions: &[ReviewDecision], me: &Author) -> Vec<Step> {
        let Some(scores) = &self.scores else { return self.unscored() };
        let people = self.bridge.as_ref().map_or(Vec::new(), |bridge| people(&bridge.steps, decisions, me));
        let steps = scores.steps.iter().enumerate().map(|(at, scored)| {
            let step =
                Step { scores: Some(scored.scores), losses: scored.token_nll.clone(), ..Step::blank(&scored.text) };
            let Some((bridge, made)) = self.bridge.as_ref().and_then(|b| Some((b, b.steps.get(at)?))) else {
                return step;
            };
            Step {
                action: Some(made.action),
                after: made.text.clone(),
                unanswered: made.unanswered.clone(),
                local: bridge.bridged.locals.iter().any(|local| local.step == at),
                fixed: made.overruled.is_some(),
                by: people.get(at).cloned().flatten().unwrap_or(By::Rule),
                diff: diff::words(&scored.text, &made.text),
                ..step
            }
        });
        steps.collect()
    }

    /// The steps of a trace that has no scores, as they would be cut.
    fn unscored(&self) -> Vec<Step> {
        let body = self.body();
        let spans = split_steps(body, self.ground.max_steps);
        spans.iter().map(|span| Step::blank(span.of(body))).collect()
    }
}

/// The samples of a question by which it was banded.
fn brief(session: &Session, id: &str) -> Result<Option<RolloutBrief>, SessionError> {
    let key = format!("{FIRST}/{id}");
    if let Some(brief) = session.get::<RolloutBrief>(&key)? {
        return Ok(Some(brief));
    }
    Ok(session.get::<RolloutGroup>(&key)?.map(|group| RolloutBrief::of(&group)))
}

/// The decisions on a question's bridge, the last one first.
fn decisions(session: &Session, id: &str, cancel: &Cancel) -> Result<Vec<ReviewDecision>, String> {
    let product = ProductId::new(Kind::Bridge, id).to_string();
    let mut found = Vec::new();
    for item in session.scan::<ReviewDecision>("") {
        cancel.check()?;
        let (_, mut decision) = item.map_err(|e| e.to_string())?;
        decision.changes.retain(|change| change.product == product);
        if !decision.changes.is_empty() {
            found.push(decision);
        }
    }
    found.reverse();
    Ok(found)
}

/// Who chose the operation of each step, from the ways back of the decisions: the last one that changed the choice. `None`
/// for steps that nobody chose, and where the steps were cut or joined since.
fn people(now: &[BridgedStep], decisions: &[ReviewDecision], me: &Author) -> Vec<Option<By>> {
    let mut by: Vec<Option<By>> = vec![None; now.len()];
    let mut after: Vec<BridgedStep> = now.to_vec();
    for decision in decisions {
        let Some(change) = decision.changes.first() else { continue };
        let Some(steps) = change.before.get("steps") else { continue };
        let Ok(before) = serde_json::from_value::<Vec<BridgedStep>>(steps.clone()) else { break };
        if before.len() != now.len() {
            break;
        }
        let chosen = |step: &BridgedStep| (step.action, step.overruled, step.reason.clone());
        for (at, (old, new)) in before.iter().zip(&after).enumerate() {
            if by[at].is_none() && now[at].overruled.is_some() && chosen(old) != chosen(new) {
                by[at] = Some(person(&decision.decided, me));
            }
        }
        after = before;
    }
    for (by, step) in by.iter_mut().zip(now) {
        if by.is_none() && step.overruled.is_some() {
            *by = Some(By::Person { name: "by hand".into(), at: 0, reason: None });
        }
    }
    by
}

/// A decision as it is shown.
pub fn person(decided: &Decided, me: &Author) -> By {
    let name = match &decided.by {
        by if by == me => "you".to_string(),
        Author::Researcher(name) => name.clone(),
        other => other.to_string(),
    };
    By::Person { name, at: decided.at, reason: decided.reason.clone().filter(|why| !why.trim().is_empty()) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::session::records::{DecidedChange, DecisionKind};

    fn chosen(action: Action, reason: &str) -> BridgedStep {
        BridgedStep { overruled: Some(false), ..BridgedStep::new(action, reason, "") }
    }

    fn decision(by: &str, at: u64, before: &[BridgedStep]) -> ReviewDecision {
        let decided = Decided { by: Author::Researcher(by.into()), at, reason: Some(format!("{by} says so")) };
        let before = json!({ "steps": before, "status": "proposed" });
        let change = DecidedChange { product: "bridge/q".into(), before, left: String::new() };
        ReviewDecision { decided, line: String::new(), kind: DecisionKind::Made, changes: vec![change] }
    }

    #[test]
    fn each_step_is_told_by_the_last_decision_that_changed_it() {
        let rule = |action| BridgedStep::new(action, "I 1 > 0.5", "");
        let first = [rule(Action::Keep), rule(Action::Drop), rule(Action::Keep)];
        let second = [chosen(Action::Drop, "instead of keep"), first[1].clone(), first[2].clone()];
        let now = [second[0].clone(), chosen(Action::Keep, "instead of drop"), first[2].clone()];
        let decisions = [decision("eve", 2, &second), decision("ada", 1, &first)];
        let by = people(&now, &decisions, &Author::Researcher("ada".into()));
        let names = by.iter().map(|by| match by {
            Some(By::Person { name, at, .. }) => format!("{name} {at}"),
            _ => "-".into(),
        });
        assert_eq!(names.collect::<Vec<_>>(), ["you 1", "eve 2", "-"]);
    }

    #[test]
    fn steps_that_were_cut_since_name_nobody() {
        let now = [chosen(Action::Drop, "x"), chosen(Action::Keep, "y")];
        let by = people(&now, &[decision("ada", 1, &now[..1])], &Author::Pipeline);
        assert!(by.iter().all(|by| matches!(by, Some(By::Person { name, at: 0, .. }) if name == "by hand")));
    }
}
