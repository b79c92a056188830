//! The researcher's say: which keys become which requests, and what is asked on the way.

use super::answer::{GRID, around, cuts, past};
use super::book::Filter;
use super::page::{Page, Step};
use super::tune::Turn;
use super::{Bridge, Do, detail, words};
use crate::domain::Action as Operation;
use crate::domain::bridging::needs_text;
use crate::pipeline::events::Level;
use crate::pipeline::review::{Act, Chosen, Kind, ProductId, Request, ScoreName, Which};
use crate::session::records::Status;
use crate::workbench::pane::{Ask, Cx};
use crate::workbench::text;

/// Operations with a text of their own, in the order in which they are offered.
pub(super) const WRITTEN: [Operation; 3] = [Operation::Expand, Operation::Localize, Operation::Compress];

/// What was asked of the researcher.
pub(super) enum Pending {
    /// Why; then this is sent. A reason that must be given is asked for by the review desk itself.
    Reason(Act),
    /// The text of something.
    Text(Draft),
    /// As which operation a step gets a text of its own; behind them the whole trace.
    Write { question: String, step: usize, trace: Option<String>, original: String, editor: bool },
    /// Which score.
    Score { question: String, step: usize },
    /// Its value.
    Value { question: String, step: usize, score: ScoreName },
    /// Where to cut.
    Cut { question: String, step: usize, cuts: Vec<usize> },
    /// One of these.
    One(Vec<Act>),
    /// Whether all of this shall be done.
    Sure(Box<Request>),
    /// Which questions are shown.
    Filter,
    /// One of these questions.
    Find(Vec<String>),
    /// Nothing; it was only to be read.
    Read,
}

/// A text that is being written.
#[derive(Clone)]
pub(super) struct Draft {
    /// Of which question.
    pub question: String,
    /// Which step, from 1.
    pub step: usize,
    /// What it is the text of.
    pub of: Of,
    /// What stood there.
    pub was: String,
}

/// What a text is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// The text of a step that has one.
    Step,
    /// The text of a step that becomes this.
    Becoming(Operation),
    /// The whole trace.
    Trace,
}

impl Bridge {
    /// Whether a decision makes sense on what is shown.
    pub(super) fn can(&self, what: Do) -> bool {
        let Some(page) = self.shown() else { return false };
        let (bridged, scored) = (page.bridge.is_some(), page.scores.is_some());
        match what {
            Do::Choose(_) => bridged && !page.steps.is_empty(),
            Do::Edit | Do::Editor => page.trace.is_some(),
            Do::Score | Do::Split => scored && !page.steps.is_empty(),
            Do::Merge => scored && self.step + 1 < page.steps.len(),
            Do::Approve => page.product().is_some_and(|(_, status, _)| !status.may_train()),
            Do::Reject => page.product().is_some_and(|(_, status, _)| !matches!(status, Status::Rejected { .. })),
            Do::Undo | Do::Redo => page.product().is_some_and(|(.., decided)| decided.is_some()) || what == Do::Redo,
            Do::ApproveShown => self.book.value().is_some(),
            _ => page.product().is_some(),
        }
    }

    /// Does what a key asks for.
    pub(super) fn take(&mut self, what: Do, cx: &mut Cx<'_>) {
        match what {
            Do::StepDown => self.step_by(1, cx),
            Do::StepUp => self.step_by(-1, cx),
            Do::Next => self.turn(1, cx),
            Do::Previous => self.turn(-1, cx),
            Do::Waiting => self.find(None, cx),
            Do::Filter => self.ask_filter(cx),
            Do::Find => self.ask_which(cx),
            Do::UndoLast => self.desk.send(Act::Undo { of: None }.into(), cx),
            Do::Apply => self.ask_apply(cx),
            Do::ApproveShown => self.ask_approve(cx),
            Do::View | Do::List | Do::Shares | Do::Tune | Do::NudgeUp | Do::NudgeDown | Do::Reset => self.look_at(what),
            _ => {
                if let Some(page) = self.shown().cloned() {
                    self.on_page(what, &page, cx);
                }
            }
        }
    }

    pub(super) fn ask(&mut self, pending: Pending, ask: Ask, cx: &mut Cx<'_>) {
        self.pending = Some(pending);
        cx.ask(0, ask);
    }

    fn on_page(&mut self, what: Do, page: &Page, cx: &mut Cx<'_>) {
        let (question, at) = (page.id.clone(), self.step);
        let of = page.product().map(|(id, ..)| id);
        match (what, of, page.steps.get(at)) {
            (Do::Choose(action), _, Some(_)) => {
                let title = format!("why {} step {}? (empty: no reason)", action.as_str(), at + 1);
                let act = Act::OverrideAction { question, step: at + 1, action, local: None, text: None };
                self.ask(Pending::Reason(act), Ask::Line { title, text: String::new(), live: false }, cx);
            }
            (Do::Edit, _, step) => self.ask_text(page, step, false, cx),
            (Do::Editor, _, step) => self.ask_text(page, step, true, cx),
            (Do::Score, _, Some(step)) => self.ask_score(question, at, step, cx),
            (Do::Split, _, Some(step)) => self.ask_cut(question, at, &step.text, cx),
            (Do::Merge, _, Some(_)) => self.desk.send(Act::MergeSteps { question, step: at + 1 }.into(), cx),
            (Do::Again, _, step) => self.ask_again(page, step, cx),
            (Do::Reject, Some(id), _) => {
                let title = format!("why is {id} rejected?");
                let act = Act::Reject { what: Which::Ids(vec![id]) };
                self.ask(Pending::Reason(act), Ask::Line { title, text: String::new(), live: false }, cx);
            }
            (Do::Approve, Some(id), _) => self.desk.send(Act::Approve { what: Which::Ids(vec![id]) }.into(), cx),
            (Do::Undo, of @ Some(_), _) => self.desk.send(Act::Undo { of }.into(), cx),
            (Do::Redo, of @ Some(_), _) => self.desk.send(Act::Redo { of }.into(), cx),
            (Do::Lineage, ..) => {
                let lines = detail::lineage(page, self.heat.value(), cx.look);
                self.ask(Pending::Read, Ask::Read { title: format!("{question}, from the beginning"), lines }, cx);
            }
            _ => {}
        }
    }

    /// The text of a step that has one of its own; else it is asked what becomes of the step, or the whole trace is meant.
    fn ask_text(&mut self, page: &Page, step: Option<&Step>, editor: bool, cx: &mut Cx<'_>) {
        let (question, at) = (page.id.clone(), self.step + 1);
        let trace = page.trace.as_ref().map(|trace| trace.text.clone());
        match step.map(|step| (step, step.action)) {
            Some((step, Some(action))) if needs_text(action) => {
                let draft = Draft { question, step: at, of: Of::Step, was: step.after.clone() };
                self.write(draft, editor, cx);
            }
            Some((step, Some(action))) => {
                let mut items: Vec<String> =
                    WRITTEN.iter().map(|to| format!("{} step {at} with a text of yours", to.as_str())).collect();
                items.push("the whole trace".to_string());
                let title = format!("step {at} is {}: what do you write?", past(action));
                let original = step.text.clone();
                self.ask(
                    Pending::Write { question, step: at, trace, original, editor },
                    Ask::Choose { title, items, at: 0 },
                    cx,
                );
            }
            _ => {
                if let Some(was) = trace {
                    self.write(Draft { question, step: at, of: Of::Trace, was }, editor, cx);
                }
            }
        }
    }

    pub(super) fn write(&mut self, draft: Draft, editor: bool, cx: &mut Cx<'_>) {
        let text = self.desk.begun(&draft);
        let title = match draft.of {
            Of::Trace => format!("trace of {}", draft.question),
            _ => format!("step {} of {}", draft.step, draft.question),
        };
        let ask = if editor { Ask::Editor { text, extension: "md" } } else { Ask::Lines { title, text } };
        self.ask(Pending::Text(draft), ask, cx);
    }

    fn ask_score(&mut self, question: String, at: usize, step: &Step, cx: &mut Cx<'_>) {
        let told = |value: Option<f64>| value.map_or("open".to_string(), words::figure);
        let scores = step.scores.as_ref();
        let items = vec![
            format!("I importance, now {}", told(scores.and_then(|s| s.importance))),
            format!("J jumpiness, now {}", told(scores.and_then(|s| s.jumpiness))),
            format!("D difficulty, now {}", told(scores.map(|s| s.difficulty))),
        ];
        let title = format!("which score of step {}?", at + 1);
        self.ask(Pending::Score { question, step: at + 1 }, Ask::Choose { title, items, at: 0 }, cx);
    }

    pub(super) fn ask_value(&mut self, question: String, step: usize, score: ScoreName, cx: &mut Cx<'_>) {
        let title = format!("{score:?} of step {step}");
        let ask = match score {
            ScoreName::D => {
                let title = format!("{title}, in nats per token");
                Ask::Line { title, text: String::new(), live: false }
            }
            _ => Ask::Choose { title, items: GRID.map(words::figure).to_vec(), at: 2 },
        };
        self.ask(Pending::Value { question, step, score }, ask, cx);
    }

    fn ask_cut(&mut self, question: String, at: usize, step: &str, cx: &mut Cx<'_>) {
        let cuts = cuts(step);
        if cuts.is_empty() {
            return cx.say(Level::Warn, format!("step {} is one word; there is nothing to cut", at + 1));
        }
        let items = cuts.iter().map(|cut| around(step, *cut)).collect();
        let middle = step.chars().count() / 2;
        let nearest = (0..cuts.len()).min_by_key(|i| cuts[*i].abs_diff(middle)).unwrap_or(0);
        let title = format!("where is step {} cut?", at + 1);
        self.ask(Pending::Cut { question, step: at + 1, cuts }, Ask::Choose { title, items, at: nearest }, cx);
    }

    fn ask_again(&mut self, page: &Page, step: Option<&Step>, cx: &mut Cx<'_>) {
        let at = self.step + 1;
        let mut offers: Vec<(String, Kind, Option<usize>)> = Vec::new();
        if step.and_then(|step| step.action).is_some_and(needs_text) {
            offers.push((format!("write step {at} once more"), Kind::Bridge, Some(at)));
        }
        if page.steps.iter().any(|step| step.unanswered.is_some()) {
            offers.push(("write every step that has no edit".to_string(), Kind::Bridge, None));
        }
        if page.scores.is_some() {
            offers.push((format!("judge I and J of step {at} once more"), Kind::Scores, Some(at)));
        }
        if page.scores.as_ref().is_some_and(|scores| !scores.unanswered.is_empty()) {
            offers.push(("judge every step that is open".to_string(), Kind::Scores, None));
        }
        if page.trace.is_some() {
            offers.push(("write the whole trace once more".to_string(), Kind::Trace, None));
        }
        let again = |kind, step| Act::AskAgain { product: ProductId::new(kind, page.id.clone()), step };
        let acts = offers.iter().map(|(_, kind, step)| again(*kind, *step)).collect();
        let items = offers.into_iter().map(|(words, ..)| words).collect();
        self.ask(Pending::One(acts), Ask::Choose { title: "ask the teacher to".to_string(), items, at: 0 }, cx);
    }

    fn ask_approve(&mut self, cx: &mut Cx<'_>) {
        let kind = match self.filter {
            Filter::All | Filter::Pending => "proposed",
            other => other.name(),
        };
        let Some(book) = self.book.value() else { return };
        let meant = book.rows.iter().filter(|row| row.kind == Kind::Bridge && row.status.name() == kind);
        // Those that are counted, not those that will fit once the answer is given.
        let ids: Vec<ProductId> = meant.map(|row| ProductId::new(Kind::Bridge, row.id.clone())).collect();
        let count = ids.len();
        if count == 0 || matches!(self.filter, Filter::Approved | Filter::Edited) {
            return cx.say(Level::Info, "nothing that is shown waits for approval");
        }
        let lines = vec![format!(
            "{} bridged traces that are {kind} may be trained on then. Those that fail a check stay as they are, and are \
             named.",
            text::count(count as u64)
        )];
        let what = Which::Ids(ids);
        let ask = Ask::Confirm { title: "approve all shown?".to_string(), lines, yes: "approve".to_string() };
        self.ask(Pending::Sure(Box::new(Act::Approve { what }.into())), ask, cx);
    }

    fn ask_apply(&mut self, cx: &mut Cx<'_>) {
        let (Some(then), Some((_, thresholds))) = (self.outcome.value(), &self.weighed) else { return };
        let count = then.turns.len();
        let questions = then.turns.chunk_by(|a, b| a.question == b.question).count();
        let tau = [('I', thresholds.tau_i), ('J', thresholds.tau_j), ('D', thresholds.tau_d)];
        let tau = tau.map(|(name, value)| format!("{}{name} {}", cx.look.glyphs.tau, words::figure(value))).join(", ");
        let lines = vec![
            format!("{count} steps of {questions} questions get the operation that {tau} gives them, chosen by you."),
            "The thresholds of the recipe stay as they are. What changes counts as edited, so it may be trained on; \
             where a text is needed, the teacher is asked."
                .to_string(),
            "A question whose texts cannot be had stays as it is.".to_string(),
        ];
        let chosen = |turn: &Turn| {
            let Turn { question, step, to, local, .. } = turn.clone();
            Chosen { question, step, action: to, local: Some(local) }
        };
        let act = Act::OverrideActions { steps: then.turns.iter().map(chosen).collect() };
        let request = Request { by: None, reason: Some(format!("as with {tau}")), act };
        let title = format!("choose the operation of {count} steps?");
        self.ask(Pending::Sure(Box::new(request)), Ask::Confirm { title, lines, yes: "choose them".to_string() }, cx);
    }
}
