//! What the researcher is asked, what the answers do, and the tables that can be saved.

use serde_json::{Value, json};

use super::form::{Form, limit_of};
use super::list::List;
use super::{Front, Home};
use crate::pipeline::events::Level;
use crate::recipe::{FIELDS, Takes, field};
use crate::session::SessionName;
use crate::workbench::pane::{Ask, Cx, Reply, Wish};
use crate::workbench::sheet::Sheet;

/// The tokens of this pane's questions.
pub const SEARCH: u32 = 0;
pub const OFFER: u32 = 1;
pub const FILE: u32 = 2;
pub const RENAME: u32 = 3;
pub const DELETE: u32 = 4;
pub const NAME: u32 = 5;
pub const LIMIT: u32 = 6;
pub const WORD: u32 = 7;
pub const VALUE: u32 = 8;
pub const SAVE: u32 = 9;

/// What a new run can stand on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offer {
    /// The form that was left.
    Left,
    /// A preset.
    Preset(&'static str),
    /// A file; which is asked.
    File,
    /// The recipe of a session.
    Session(String),
}

impl Home {
    pub(super) fn replied(&mut self, token: u32, reply: Reply, cx: &mut Cx<'_>) {
        match (token, reply) {
            (SEARCH, Reply::Typing(text) | Reply::Text(text)) => match (self.front, &mut self.form) {
                (Front::Form, Some(form)) => form.search = text,
                _ => self.list.filter = text,
            },
            (OFFER, Reply::Chosen(at)) => self.chosen(at, cx),
            (FILE, Reply::Text(path)) => {
                let taken =
                    self.list.rows().unwrap_or_default().iter().map(|row| row.name().to_string()).collect::<Vec<_>>();
                let place = cx.house.file(&path);
                self.reading.ask(cx.jobs, cx.now, move |_| Form::file(&place, &taken));
            }
            (RENAME, Reply::Typing(name)) => {
                let remark = if name == self.about { None } else { self.name_fault(&name) };
                cx.wish(Wish::Remark(remark.unwrap_or_default()));
            }
            (RENAME, Reply::Text(name)) if name != self.about => match self.name_fault(&name) {
                Some(why) => cx.say(Level::Warn, why),
                None => self.chores.rename(&self.about, &name, cx),
            },
            (DELETE, Reply::Yes) => self.chores.remove(&self.about, cx),
            (token @ (NAME | LIMIT | WORD | VALUE | SAVE), reply) => self.filled(token, reply, cx),
            _ => {}
        }
    }

    /// What is wrong with another name for a session.
    fn name_fault(&self, name: &str) -> Option<String> {
        match SessionName::new(name) {
            Err(error) => Some(error.to_string()),
            Ok(_) => self.list.row(name).map(|_| format!("there is a session `{name}` already")),
        }
    }

    fn chosen(&mut self, at: usize, cx: &mut Cx<'_>) {
        let taken: Vec<String> =
            self.list.rows().unwrap_or_default().iter().map(|row| row.name().to_string()).collect();
        match self.offered.get(at).cloned() {
            Some(Offer::Left) => self.front = Front::Form,
            Some(Offer::Preset(name)) => self.form_on(Form::preset(name, &taken), cx),
            Some(Offer::File) => {
                let title = "the recipe file (.toml)".to_string();
                cx.ask(FILE, Ask::Line { title, text: String::new(), live: false });
            }
            Some(Offer::Session(name)) => {
                if let Some(Ok(made)) = self.list.row(&name).map(|row| row.made.clone()) {
                    self.form_on(Form::again(&name, &made.recipe, &taken), cx);
                }
            }
            None => {}
        }
    }

    /// An answer to a question of the form.
    fn filled(&mut self, token: u32, reply: Reply, cx: &mut Cx<'_>) {
        let Some(form) = &mut self.form else { return };
        let remark = |cx: &mut Cx<'_>, words: Option<String>| cx.wish(Wish::Remark(words.unwrap_or_default()));
        match (token, reply) {
            (NAME, Reply::Typing(name)) => remark(cx, form.name_fault(name.trim())),
            (NAME, Reply::Text(name)) => form.call(&name),
            (LIMIT, Reply::Typing(text)) => remark(cx, limit_of(&text).err()),
            (LIMIT, Reply::Text(text)) => {
                if let Err(why) = form.limit(&text) {
                    cx.say(Level::Warn, why);
                }
            }
            (WORD, Reply::Chosen(at)) => {
                let words = match field(&self.about).map(|field| field.takes) {
                    Some(Takes::OneOf(words)) => words,
                    _ => &[],
                };
                if let Some(word) = words.get(at) {
                    form.set(&self.about, word);
                }
            }
            (VALUE, Reply::Typing(text)) => remark(cx, form.draft.would_fault(&self.about, &text)),
            (VALUE, Reply::Text(text)) => form.set(&self.about, &text),
            (SAVE, Reply::Text(path)) => {
                if let Some(content) = form.draft.to_toml() {
                    self.chores.save(&path, content, cx);
                }
            }
            _ => {}
        }
    }
}

/// The settings of a form as a table.
pub fn form_sheet(form: &Form) -> Sheet {
    let columns = ["setting", "value", "preset", "differs", "about", "fault"].map(String::from).to_vec();
    let row = |field: &crate::recipe::Field| -> Vec<Value> {
        vec![
            json!(field.key),
            json!(form.draft.text(field.key)),
            json!(form.draft.base_text(field.key)),
            json!(form.draft.differs(field.key)),
            json!(field.about),
            json!(form.fault(field.key).map(|fault| fault.text.as_str())),
        ]
    };
    Sheet { name: "recipe".into(), columns, rows: FIELDS.iter().map(row).collect() }
}

/// The sessions as a table.
pub fn list_sheet(list: &List) -> Option<Sheet> {
    let columns = ["session", "activity", "state", "recipe", "arm", "seed", "result", "bytes", "changed"];
    let row = |row: &super::rows::Row| -> Vec<Value> {
        let made = row.made.as_ref().ok();
        let found = list.digest(row.name()).and_then(|found| found.as_ref().ok());
        vec![
            json!(row.name()),
            json!(row.activity()),
            json!(row.summary.line),
            json!(made.map(|made| made.of())),
            json!(made.map(|made| made.recipe.arm.name())),
            json!(made.map(|made| made.recipe.seed)),
            json!(found.and_then(|digest| digest.headline())),
            json!(row.summary.bytes),
            json!(row.summary.changed),
        ]
    };
    let rows = list.rows()?.iter().map(row).collect();
    Some(Sheet { name: "sessions".into(), columns: columns.map(String::from).to_vec(), rows })
}
