//! Which other sessions are laid over, and which of them is the baseline.

use super::beside::{Beside, MOST, free_letter};
use super::{Do, Rewards};
use crate::pipeline::events::Level;
use crate::workbench::pane::{Ask, Cx};
use crate::workbench::text;

/// Tokens of what the researcher is asked.
const OVERLAY: u32 = 0;
const BASELINE: u32 = 1;

impl Rewards {
    /// One of the names was chosen.
    pub(super) fn chosen(&mut self, token: u32, at: usize, cx: &mut Cx<'_>) {
        if let Some(name) = self.choices().get(at).cloned() {
            self.toggle(&name, token == BASELINE, cx);
        }
    }

    /// Asks for the names of the sessions there are.
    pub(super) fn ask_names(&mut self, action: Do, cx: &mut Cx<'_>) {
        self.choosing = Some(action);
        let sessions = cx.house.sessions.clone();
        let own = cx.source.map(|source| source.name().to_string()).unwrap_or_default();
        self.names.ask(cx.jobs, cx.now, move |_| {
            let names = sessions.names().map_err(|e| e.to_string())?;
            Ok(names.into_iter().filter(|name| *name != own).collect())
        });
    }

    /// Names of the sessions there are to choose from.
    fn choices(&self) -> &[String] {
        self.names.value().map_or(&[], Vec::as_slice)
    }

    /// The names have come: one is chosen.
    pub(super) fn choose(&mut self, cx: &mut Cx<'_>) {
        let Some(action) = self.choosing.take() else { return };
        if let Some(error) = self.names.error() {
            return cx.say(Level::Error, error.to_string());
        }
        let names = self.choices();
        if names.is_empty() {
            return cx.say(Level::Warn, "there is no other session to lay over this one");
        }
        let drawn = |name: &String| self.beside.iter().find(|beside| beside.name == *name);
        let said = |name: &String| match drawn(name) {
            Some(beside) if beside.baseline => format!("{name}  (baseline)"),
            Some(_) => format!("{name}  (laid over)"),
            None => name.clone(),
        };
        let items = names.iter().map(|name| text::printable(&said(name))).collect();
        let (token, title) = match action {
            Do::Baseline => (BASELINE, "baseline: the session that others are held against"),
            _ => (OVERLAY, "lay over: another session, aligned by step"),
        };
        cx.ask(token, Ask::Choose { title: title.to_string(), items, at: 0 });
    }

    /// Lays a session over, or takes it away; the same for the baseline.
    fn toggle(&mut self, name: &str, baseline: bool, cx: &mut Cx<'_>) {
        let at = self.beside.iter().position(|beside| beside.name == name);
        match at {
            Some(at) if !baseline || self.beside[at].baseline => drop(self.beside.remove(at)),
            Some(at) => self.pin(at),
            None if self.beside.len() >= MOST => {
                cx.say(Level::Warn, format!("{MOST} sessions lie over this one already; take one away first"));
            }
            None => {
                self.beside.push(Beside::new(name, free_letter(&self.beside), self.view.smoothing(), cx));
                if baseline {
                    self.pin(self.beside.len() - 1);
                }
            }
        }
    }

    fn pin(&mut self, at: usize) {
        self.beside.iter_mut().enumerate().for_each(|(index, beside)| beside.baseline = index == at);
    }
}
