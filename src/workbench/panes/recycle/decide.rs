//! What the researcher decides: asked for, sent as requests, and kept where a refusal would lose a text.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::{Do, Recycle, rows};
use crate::pipeline::events::{Event, Level};
use crate::pipeline::review::{Act, FIELDS, ProductId, Request, Which};
use crate::workbench::pane::{Ask, Cx, Reply, Wish};

pub(super) const FILTER: u32 = 1;
const STANDING: u32 = 2;
const ERROR: u32 = 3;
const SHOWN: u32 = 4;
const REASON: u32 = 5;
const FIELD: u32 = 6;
const TEXT: u32 = 7;
const JSON: u32 = 8;

/// Standings to choose from; the first takes the filter away.
const STANDINGS: [&str; 6] = ["any", "proposed", "approved", "edited", "rejected", "review"];

/// A text that was not accepted yet.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Draft {
    product: ProductId,
    /// Which field; the whole diagnosis without.
    field: Option<usize>,
    text: String,
    /// Number of the request that carries it; `None` where it could not be sent.
    by: Option<u32>,
}

/// What is being decided.
#[derive(Default)]
pub(super) struct Deciding {
    /// The product that is asked about, which stays the same while rows move.
    product: Option<ProductId>,
    /// Those of a decision on many.
    many: Vec<ProductId>,
    /// Index of the field that was edited last.
    field: usize,
    draft: Option<Draft>,
    /// What was sent and is not answered yet: the number of the request, what it asks for, and when it was sent.
    sent: Vec<(u32, &'static str, Duration)>,
    /// Number of the last request.
    last: u32,
}

impl Deciding {
    /// Takes in what became of a request.
    pub fn hear(&mut self, event: &Event, cx: &mut Cx<'_>) {
        if let Event::RunFinished { .. } = event {
            self.sent.clear();
        }
        // What other panes decide is no answer to what was sent from here.
        let Some(number) = cx.answers else { return };
        self.sent.retain(|(sent, ..)| *sent != number);
        if self.draft.as_ref().is_some_and(|draft| draft.by == Some(number)) {
            match event {
                Event::Refused { reason } => {
                    cx.say(Level::Warn, format!("your text is kept, edit again to go on with it; refused: {reason}"));
                }
                _ => self.draft = None,
            }
        }
    }

    /// What is not answered yet, and since when.
    pub fn waiting(&self) -> Option<(&'static str, Duration)> {
        self.sent.first().map(|(_, what, since)| (*what, *since))
    }

    fn drafted(&self, product: &ProductId, field: Option<usize>) -> Option<String> {
        let draft = self.draft.as_ref()?;
        (draft.product == *product && draft.field == field).then(|| draft.text.clone())
    }
}

impl Recycle {
    /// Begins a decision, or a choice of what is shown.
    pub(super) fn decide(&mut self, action: Do, cx: &mut Cx<'_>) {
        let product = self.row().map(rows::Row::product);
        match (action, product) {
            (Do::Undo, _) => self.send("undo", Act::Undo { of: None }, None, cx),
            (Do::Redo, _) => self.send("redo", Act::Redo { of: None }, None, cx),
            (Do::ApproveShown, _) => self.ask_shown(cx),
            (Do::Standing, _) => {
                let items = STANDINGS.map(String::from).to_vec();
                cx.ask(STANDING, Ask::Choose { title: "standing".into(), items, at: 0 });
            }
            (Do::Error, _) => {
                let counted = self.errors.iter().map(|(error, count)| format!("{error}  {count}"));
                let items = std::iter::once("any".to_string()).chain(counted).collect();
                cx.ask(ERROR, Ask::Choose { title: "error type".into(), items, at: 0 });
            }
            (Do::Approve, Some(id)) => self.send("approve", Act::Approve { what: Which::Ids(vec![id]) }, None, cx),
            (Do::UndoThis, Some(id)) => self.send("undo", Act::Undo { of: Some(id) }, None, cx),
            (Do::Again, Some(id)) => {
                self.send("ask the teacher", Act::AskAgain { product: id, step: None }, None, cx);
            }
            (Do::Reject, Some(id)) => {
                let title = format!("reject {id}: why?");
                self.deciding.product = Some(id);
                cx.ask(REASON, Ask::Line { title, text: String::new(), live: false });
            }
            (Do::Edit, Some(id)) => {
                let title = format!("which field of {id}?");
                self.deciding.product = Some(id);
                let items = FIELDS.map(|name| name.replace('_', " ")).to_vec();
                cx.ask(FIELD, Ask::Choose { title, items, at: self.deciding.field });
            }
            (Do::Editor, Some(id)) => self.ask_json(id, cx),
            _ => {}
        }
    }

    /// Takes the answer to something that was asked.
    pub(super) fn answered(&mut self, token: u32, reply: Reply, cx: &mut Cx<'_>) {
        match (token, reply) {
            (FILTER, Reply::Text(text) | Reply::Typing(text)) => self.set_filter(text, cx),
            (STANDING, Reply::Chosen(at)) => {
                let value = STANDINGS.get(at).copied().filter(|_| at > 0);
                self.set_filter(rows::with_term(&self.filter_text, "status", value), cx);
            }
            (ERROR, Reply::Chosen(at)) => {
                let value = at.checked_sub(1).and_then(|at| self.errors.get(at)).map(|(error, _)| error.to_lowercase());
                self.set_filter(rows::with_term(&self.filter_text, "error", value.as_deref()), cx);
            }
            (SHOWN, Reply::Yes) => {
                let what = Which::Ids(std::mem::take(&mut self.deciding.many));
                self.send("approve", Act::Approve { what }, None, cx);
            }
            (REASON, Reply::Text(reason)) => {
                if let Some(id) = self.deciding.product.take() {
                    self.send("reject", Act::Reject { what: Which::Ids(vec![id]) }, Some(reason), cx);
                }
            }
            (FIELD, Reply::Chosen(at)) => self.ask_text(at, cx),
            (TEXT, Reply::Text(text)) => {
                if let (Some(id), Some(name)) = (self.deciding.product.take(), FIELDS.get(self.deciding.field)) {
                    let field = Some(self.deciding.field);
                    let fields = BTreeMap::from([((*name).to_string(), text.clone())]);
                    let act = Act::EditDiagnosis { product: id.clone(), fields };
                    self.send_text(id, field, text, act, cx);
                }
            }
            (JSON, Reply::Text(text)) => self.take_json(text, cx),
            _ => {}
        }
    }

    fn send(&mut self, what: &'static str, act: Act, reason: Option<String>, cx: &mut Cx<'_>) {
        let number = self.deciding.last.wrapping_add(1);
        self.deciding.last = number;
        self.deciding.sent.push((number, what, cx.now));
        cx.wish(Wish::Review(number, Request { reason, ..Request::from(act) }));
    }

    /// Sends a text, and keeps it until it is accepted.
    fn send_text(&mut self, id: ProductId, field: Option<usize>, text: String, act: Act, cx: &mut Cx<'_>) {
        self.send("edit", act, None, cx);
        self.deciding.draft = Some(Draft { product: id, field, text, by: Some(self.deciding.last) });
    }

    /// All that are shown and passed their checks; what failed them has to be looked at one by one.
    fn ask_shown(&mut self, cx: &mut Cx<'_>) {
        let all = self.all();
        let of = |name: &str| self.shown.iter().map(|at| &all[*at]).filter(|row| row.status.name() == name).count();
        let (waiting, review) = (of("proposed"), of("review"));
        if waiting == 0 {
            return cx.say(Level::Info, "nothing that is shown waits for approval");
        }
        let mut lines = vec![format!("{waiting} of the {} shown wait and passed their checks.", self.shown.len())];
        if review > 0 {
            lines.push(format!("{review} in review stay there: each needs a look of its own."));
        }
        let proposed = self.shown.iter().map(|at| &all[*at]).filter(|row| row.status.name() == "proposed");
        self.deciding.many = proposed.map(rows::Row::product).collect();
        cx.ask(SHOWN, Ask::Confirm { title: "approve all shown".into(), lines, yes: format!("approve {waiting}") });
    }

    fn ask_text(&mut self, at: usize, cx: &mut Cx<'_>) {
        let (Some(id), Some(name)) = (self.deciding.product.clone(), FIELDS.get(at)) else { return };
        self.deciding.field = at;
        let now = self.known().filter(|known| known.key == id.key).and_then(|known| known.fields.get(at));
        let text = self.deciding.drafted(&id, Some(at)).or_else(|| now.map(|(_, text)| text.clone()));
        let title = format!("{} of {id}", name.replace('_', " "));
        cx.ask(TEXT, Ask::Lines { title, text: text.unwrap_or_default() });
    }

    fn ask_json(&mut self, id: ProductId, cx: &mut Cx<'_>) {
        let Some(known) = self.known() else { return };
        let text = self.deciding.drafted(&id, None).unwrap_or_else(|| known.json());
        self.deciding.product = Some(id);
        cx.ask(JSON, Ask::Editor { text: text + "\n", extension: "json" });
    }

    /// The diagnosis came back from the editor: only the fields that differ are sent, all where there was none.
    fn take_json(&mut self, text: String, cx: &mut Cx<'_>) {
        let Some(id) = self.deciding.product.take() else { return };
        let read: Result<BTreeMap<String, String>, String> = serde_json::from_str::<BTreeMap<String, Value>>(&text)
            .map_err(|error| error.to_string())
            .and_then(|fields| fields.into_iter().map(text_of).collect());
        let known = self.known().filter(|known| known.key == id.key);
        let before: BTreeMap<&str, &str> =
            known.iter().flat_map(|known| &known.fields).map(|(name, text)| (*name, text.as_str())).collect();
        let empty = before.values().all(|text| text.is_empty());
        match read {
            Err(error) => {
                self.deciding.draft = Some(Draft { product: id, field: None, text, by: None });
                cx.say(Level::Error, format!("no diagnosis: {error}; E goes on with your text"));
            }
            Ok(mut fields) => {
                fields.retain(|name, text| empty || before.get(name.as_str()) != Some(&text.as_str()));
                if fields.is_empty() {
                    return cx.say(Level::Info, "nothing was changed");
                }
                let act = Act::EditDiagnosis { product: id.clone(), fields };
                self.send_text(id, None, text, act, cx);
            }
        }
    }
}

fn text_of((name, value): (String, Value)) -> Result<(String, String), String> {
    match value {
        Value::String(text) => Ok((name, text)),
        other => Err(format!("`{name}` must be a text, not {other}")),
    }
}
