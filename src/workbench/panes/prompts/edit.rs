//! Changing a template of the session: checked at once, asked about with what was made with the old one, written behind
//! the screen.

use crate::pipeline::events::Level;
use crate::pipeline::prompting::{Use, change, listed, uses};
use crate::session::SessionError;
use crate::teacher::PromptKind;
use crate::teacher::prompts::{check, hash};
use crate::workbench::jobs::Query;
use crate::workbench::pane::{Ask, Cx, Reply};
use crate::workbench::widgets::NO_SESSION;

use super::Prompts;

pub(super) const QUESTION: u32 = 1;
const LINES: u32 = 2;
const EDITOR: u32 = 3;
const SURE: u32 = 4;

/// A new text on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Draft {
    kind: PromptKind,
    text: String,
}

/// What is being changed.
#[derive(Default)]
pub(super) struct Editing {
    /// The template that is open in a text field or an editor.
    kind: Option<PromptKind>,
    /// A text that was not taken yet.
    draft: Option<Draft>,
    /// What was made with the template as it is.
    used: Query<Vec<Use>>,
    /// What became of the change.
    done: Query<String>,
}

/// The error of a query that may be cancelled or fail to read.
struct Told(String);

impl From<SessionError> for Told {
    fn from(error: SessionError) -> Self {
        Self(error.to_string())
    }
}

impl Editing {
    /// Whether something is under way.
    pub fn busy(&self) -> Option<std::time::Duration> {
        self.used.waiting().or(self.done.waiting())
    }

    /// What stays when another session is shown: a change that is being written, so that it is told what became of it.
    pub fn left(self) -> Self {
        Self { done: self.done, ..Self::default() }
    }

    /// Nothing is asked any more; a text that was not taken stays for the next time.
    pub fn give_up(&mut self) {
        self.used.clear();
    }
}

impl Prompts {
    /// Why templates can't be changed now.
    pub(super) fn barred(&self, cx: &Cx<'_>) -> Option<String> {
        match cx.source {
            None => Some(format!("{NO_SESSION}; these are the built-in prompts, which stay as they are")),
            Some(source) if source.is_live() || !cx.run.phase.over() => Some(
                "the run is at work and asks with these prompts to its end; stop it (q), change them, and resume it"
                    .to_string(),
            ),
            Some(_) => None,
        }
    }

    /// Opens the selected template, in place or in the researcher's editor.
    pub(super) fn open(&mut self, in_editor: bool, cx: &mut Cx<'_>) {
        if let Some(why) = self.barred(cx) {
            return cx.say(Level::Warn, why);
        }
        let Some(entry) = self.entry() else { return };
        let (kind, source) = (entry.kind, entry.source.clone());
        let draft = self.editing.draft.as_ref().filter(|draft| draft.kind == kind);
        let text = draft.map_or(source, |draft| draft.text.clone());
        self.editing.kind = Some(kind);
        if in_editor {
            cx.ask(EDITOR, Ask::Editor { text, extension: "j2" });
        } else {
            cx.ask(LINES, Ask::Lines { title: format!("prompt {}", kind.name()), text });
        }
    }

    /// Puts the built-in text back.
    pub(super) fn restore(&mut self, cx: &mut Cx<'_>) {
        if let Some(why) = self.barred(cx) {
            return cx.say(Level::Warn, why);
        }
        let Some(entry) = self.entry() else { return };
        let (kind, text) = (entry.kind, entry.built_in.clone());
        if let Err(error) = self.take(kind, text, cx) {
            cx.say(Level::Error, error);
        }
    }

    /// Takes the answer to something that was asked.
    pub(super) fn answered(&mut self, token: u32, reply: Reply, cx: &mut Cx<'_>) {
        match (token, reply) {
            (QUESTION, Reply::Chosen(at)) => {
                let id = self.questions.value().and_then(|all| all.get(at)).map(|(id, _)| id.clone());
                if let Some(id) = id {
                    self.look_at(id, true, cx);
                }
            }
            (LINES, Reply::Text(text)) => {
                if let Some(kind) = self.editing.kind.take()
                    && let Err(error) = self.take(kind, text.clone(), cx)
                {
                    // Nothing that was typed is lost: the field opens again with what is wrong above it.
                    self.editing.kind = Some(kind);
                    cx.ask(LINES, Ask::Lines { title: error, text });
                }
            }
            (EDITOR, Reply::Text(text)) => {
                if let Some(kind) = self.editing.kind.take()
                    && let Err(error) = self.take(kind, text, cx)
                {
                    cx.say(Level::Error, format!("{error}; E goes on with your text"));
                }
            }
            (SURE, Reply::Yes) => self.write(cx),
            _ => {}
        }
    }

    /// Checks a new text; what was made with the old one is asked of the session next.
    fn take(&mut self, kind: PromptKind, text: String, cx: &mut Cx<'_>) -> Result<(), String> {
        let Some(entry) = self.entries.value().and_then(|entries| entries.all.get(kind as usize)) else {
            return Ok(());
        };
        if entry.source == text {
            self.editing.draft = None;
            cx.say(Level::Info, format!("the prompt {} says that already", kind.name()));
            return Ok(());
        }
        let old = entry.hash.clone();
        let checked = check(kind, &text, &format!("{}.j2", kind.name()));
        self.editing.draft = Some(Draft { kind, text });
        checked.map_err(|error| error.to_string())?;
        cx.query(&mut self.editing.used, move |session, cancel| {
            uses(session, kind, &old, || cancel.check().map_err(Told)).map_err(|Told(error)| error)
        });
        self.asked(cx);
        Ok(())
    }

    /// What was made with the old text is known: is the researcher sure?
    pub(super) fn asked(&mut self, cx: &mut Cx<'_>) {
        if self.editing.used.waiting().is_some() {
            return;
        }
        if let Some(error) = self.editing.used.error() {
            cx.say(Level::Error, error.to_string());
            return self.editing.used.clear();
        }
        let (Some(used), Some(draft)) = (self.editing.used.value().cloned(), &self.editing.draft) else { return };
        self.editing.used.clear();
        let kind = draft.kind;
        let old =
            self.entries.value().and_then(|entries| entries.all.get(kind as usize)).map(|entry| entry.hash.clone());
        let mut lines = vec![format!("{} becomes {}.", old.unwrap_or_default(), hash(&draft.text))];
        if used.is_empty() {
            lines.push("Nothing was made with it yet.".into());
        } else {
            lines.push(format!("Made with it: {}.", listed(&used)));
            lines.push("Those stay as they are and name the old hash; what comes after differs from them.".into());
        }
        if matches!(kind, PromptKind::Question | PromptKind::QuestionBoxed | PromptKind::QuestionChoice)
            && !used.is_empty()
        {
            lines.push("Scores under another prompt are other measurements: they are not comparable.".into());
        }
        lines.push("The session's next stages ask with the new text once it is resumed.".into());
        cx.ask(SURE, Ask::Confirm { title: format!("change the prompt {}", kind.name()), lines, yes: "change".into() });
    }

    /// Writes the new text into the session, behind the screen.
    fn write(&mut self, cx: &mut Cx<'_>) {
        let (Some(source), Some(draft)) = (cx.source.cloned(), self.editing.draft.clone()) else { return };
        self.editing.done.ask(cx.jobs, cx.now, move |_| {
            let session = source.sessions().open(source.name()).map_err(|error| error.to_string())?;
            let hash = change(&session, draft.kind, &draft.text, (None, true)).map_err(|error| error.to_string())?;
            drop(session);
            source.refresh().map_err(|error| error.to_string())?;
            Ok(format!("the prompt {} is {hash} from here on", draft.kind.name()))
        });
        self.written(cx);
    }

    /// The change was written, or was not.
    pub(super) fn written(&mut self, cx: &mut Cx<'_>) {
        if let Some(error) = self.editing.done.error() {
            cx.say(Level::Error, error.to_string());
        } else if let Some(line) = self.editing.done.value().cloned() {
            self.editing.draft = None;
            cx.say(Level::Info, line);
            self.read(cx, true);
        } else {
            return;
        }
        self.editing.done.clear();
    }

    pub(super) fn poll_editing(&mut self, cx: &mut Cx<'_>) {
        if cx.poll(&mut self.editing.used) {
            self.asked(cx);
        }
        if cx.poll(&mut self.editing.done) {
            self.written(cx);
        }
    }
}
