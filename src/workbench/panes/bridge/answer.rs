//! What the researcher's answers become.

use super::book::Filter;
use super::decide::{Draft, Of, Pending, WRITTEN};
use super::{Bridge, words};
use crate::domain::Action as Operation;
use crate::pipeline::events::Level;
use crate::pipeline::review::{Act, Request, ScoreName};
use crate::workbench::pane::{Ask, Cx, Reply};
use crate::workbench::text;

/// What the judge may say.
pub(super) const GRID: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];
/// Columns that are shown on each side of a cut.
const AROUND: usize = 30;

impl Bridge {
    /// Does what was answered.
    pub(super) fn answered(&mut self, pending: Pending, reply: Reply, cx: &mut Cx<'_>) {
        match (pending, reply) {
            (Pending::Reason(act), Reply::Text(reason)) => self.because(act, &reason, cx),
            (Pending::Text(draft), Reply::Text(text)) => self.written(draft, &text, cx),
            (Pending::Write { question, step, trace, original, editor }, Reply::Chosen(at)) => {
                let draft = match WRITTEN.get(at) {
                    Some(to) => Draft { question, step, of: Of::Becoming(*to), was: original },
                    None => Draft { question, step, of: Of::Trace, was: trace.unwrap_or_default() },
                };
                self.write(draft, editor, cx);
            }
            (Pending::Score { question, step }, Reply::Chosen(at)) => {
                let score = [ScoreName::I, ScoreName::J, ScoreName::D].get(at).copied();
                self.ask_value(question, step, score.unwrap_or(ScoreName::D), cx);
            }
            (Pending::Value { question, step, score }, Reply::Chosen(at)) => {
                if let Some(value) = GRID.get(at).copied() {
                    self.desk.send(Act::SetScore { question, step, score, value }.into(), cx);
                }
            }
            (Pending::Value { question, step, score }, Reply::Text(typed)) => match typed.trim().parse::<f64>() {
                Ok(value) => self.desk.send(Act::SetScore { question, step, score, value }.into(), cx),
                Err(_) => {
                    cx.say(Level::Warn, format!("`{}` is no number; write it like 1.26", text::printable(&typed)))
                }
            },
            (Pending::Cut { question, step, cuts }, Reply::Chosen(at)) => {
                if let Some(at) = cuts.get(at).copied() {
                    self.desk.send(Act::SplitStep { question, step, at }.into(), cx);
                }
            }
            (Pending::One(acts), Reply::Chosen(at)) => {
                if let Some(act) = acts.into_iter().nth(at) {
                    self.desk.send(act.into(), cx);
                }
            }
            (Pending::Sure(request), Reply::Yes) => self.desk.send(*request, cx),
            (Pending::Filter, Reply::Chosen(at)) => {
                self.filter = Filter::ALL.get(at).copied().unwrap_or_default();
                self.first_shown(cx);
            }
            (Pending::Find(ids), Reply::Chosen(at)) => {
                if let Some(id) = ids.into_iter().nth(at) {
                    self.find(Some(id), cx);
                }
            }
            _ => {}
        }
    }

    fn because(&mut self, act: Act, reason: &str, cx: &mut Cx<'_>) {
        let reason = Some(reason.trim().to_string()).filter(|reason| !reason.is_empty());
        if reason.is_none() && matches!(act, Act::Reject { .. }) {
            return cx.say(Level::Warn, "a rejection needs a reason; nothing was done");
        }
        self.desk.send(Request { by: None, reason, act }, cx);
    }

    /// Sends a text, unless it is the one that stood there.
    fn written(&mut self, draft: Draft, text: &str, cx: &mut Cx<'_>) {
        let Draft { question, step, of, was } = draft.clone();
        let same = text.trim() == was.trim();
        let act = match of {
            Of::Step | Of::Trace if same => return cx.say(Level::Info, "the text is as it was; nothing was done"),
            Of::Step => Act::EditStep { question, step, text: text.to_string() },
            Of::Trace => Act::EditTrace { question, text: text.to_string() },
            Of::Becoming(action) => {
                Act::OverrideAction { question, step, action, local: None, text: Some(text.to_string()) }
            }
        };
        self.desk.write(act, draft, text, cx);
    }

    /// Where the open question does not fit the filter, the first that does is shown.
    fn first_shown(&mut self, cx: &mut Cx<'_>) {
        let fits = |book: &super::book::Book| {
            let open = self.at.as_ref().and_then(|id| book.at(id)).and_then(|at| book.rows.get(at));
            open.is_some_and(|row| self.filter.fits(row))
        };
        let Some(book) = self.book.value().filter(|book| !fits(book)) else { return };
        match book.rows.iter().find(|row| self.filter.fits(row)).map(|row| row.id.clone()) {
            Some(id) => self.find(Some(id), cx),
            None => cx.say(Level::Info, format!("no question is {}", self.filter.name())),
        }
    }

    /// Asks which questions are shown.
    pub(super) fn ask_filter(&mut self, cx: &mut Cx<'_>) {
        let item = |filter: &Filter| format!("{} ({})", filter.name(), text::count(self.fitting(*filter) as u64));
        let items = Filter::ALL.iter().map(item).collect();
        let at = Filter::ALL.iter().position(|filter| *filter == self.filter).unwrap_or(0);
        self.ask(Pending::Filter, Ask::Choose { title: "show questions that are".to_string(), items, at }, cx);
    }

    /// Asks for a question.
    pub(super) fn ask_which(&mut self, cx: &mut Cx<'_>) {
        let Some(book) = self.book.value() else { return };
        let item = |row: &super::book::Row| {
            let actions: String = row.steps.iter().filter_map(|step| step.action).map(words::letter).collect();
            format!("{}  {}/{}  {}  {actions}  {}", row.id, row.k, row.n, row.status.name(), row.lead)
        };
        let rows = self.rows(book);
        let at = rows.iter().position(|row| Some(&row.id) == self.at.as_ref()).unwrap_or(0);
        let (items, ids) = rows.iter().map(|row| (item(row), row.id.clone())).unzip();
        self.ask(Pending::Find(ids), Ask::Choose { title: "which question?".to_string(), items, at }, cx);
    }
}

/// Where a step can be cut: before every word but the first, in characters.
pub(super) fn cuts(step: &str) -> Vec<usize> {
    let mut cuts = Vec::new();
    let mut before = None;
    for (at, c) in step.chars().enumerate() {
        if before.is_some_and(char::is_whitespace) && !c.is_whitespace() && at > 0 {
            cuts.push(at);
        }
        before = Some(c);
    }
    let blank = |cut: &usize| step.chars().take(*cut).all(char::is_whitespace);
    cuts.retain(|cut| !blank(cut));
    cuts
}

/// What stands around a cut.
pub(super) fn around(step: &str, cut: usize) -> String {
    let before: String = step.chars().skip(cut.saturating_sub(AROUND)).take(cut.min(AROUND)).collect();
    let after: String = step.chars().skip(cut).take(AROUND).collect();
    format!("{} // {}", text::printable(&before).trim(), text::printable(&after).trim())
}

/// What a step with this operation is.
pub(super) fn past(action: Operation) -> &'static str {
    match action {
        Operation::Keep => "kept",
        Operation::Compress => "compressed",
        Operation::Expand => "expanded",
        Operation::Drop => "dropped",
        Operation::Localize => "localized",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_cut_before_its_words() {
        let step = "Solve: 4w = 60,\n w = 15 é x";
        let cuts = cuts(step);
        let words: Vec<char> = cuts.iter().filter_map(|cut| step.chars().nth(*cut)).collect();
        assert_eq!(words.iter().collect::<String>(), "4=6w=1éx");
        assert_eq!(around(step, cuts[3]), "Solve: 4w = 60, // w = 15 é x");
        assert!(super::cuts("word").is_empty() && super::cuts("  word ").is_empty() && super::cuts("").is_empty());
    }
}
