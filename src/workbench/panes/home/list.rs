//! The list of sessions and presets: what is in it, what is selected and marked, what was found of each session.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::digest::{self, Digest};
use super::rows::{self, Known, Row};
use crate::recipe::preset_names;
use crate::workbench::jobs::Query;
use crate::workbench::pane::Cx;

/// How often the list is read anew while it is in sight.
const FRESH: Duration = Duration::from_secs(3);
/// A list that was drawn so lately is in sight.
const IN_SIGHT: Duration = Duration::from_millis(2500);

/// What can be selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A session, by its name.
    Session(String),
    /// A preset, by its name.
    Preset(&'static str),
}

/// A result with the change of the session it was read at.
type Found = (u64, Result<Digest, String>);

/// The list.
#[derive(Default)]
pub struct List {
    rows: Query<Vec<Row>>,
    known: Known,
    asked: Option<Duration>,
    /// When it was last drawn.
    pub drawn: Option<Duration>,
    selected: Option<Item>,
    /// Sessions that are marked for comparing.
    pub marked: BTreeSet<String>,
    /// Only sessions and presets whose name holds this.
    pub filter: String,
    found: HashMap<String, Found>,
    finding: Query<Digest>,
    /// The session whose results are being read, and the change it was at.
    sought: Option<(String, u64)>,
}

impl List {
    /// The sessions, once they are known.
    pub fn rows(&self) -> Option<&[Row]> {
        self.rows.value().map(Vec::as_slice)
    }

    /// Why there are none.
    pub fn error(&self) -> Option<&str> {
        self.rows.error()
    }

    /// Since when they are waited for.
    pub fn waiting(&self) -> Option<Duration> {
        self.rows.waiting()
    }

    /// A session of the list.
    pub fn row(&self, name: &str) -> Option<&Row> {
        self.rows()?.iter().find(|row| row.name() == name)
    }

    /// What was found in a session.
    pub fn digest(&self, name: &str) -> Option<&Result<Digest, String>> {
        self.found.get(name).map(|(_, found)| found)
    }

    /// Whether what was found in a session is being read.
    pub fn is_finding(&self) -> bool {
        self.finding.waiting().is_some()
    }

    /// Whether it is known that there is no session yet.
    pub fn is_first_start(&self) -> bool {
        self.rows().is_some_and(<[Row]>::is_empty)
    }

    /// Everything that fits the filter, sessions first.
    pub fn items(&self) -> Vec<Item> {
        let fits = |name: &str| self.filter.is_empty() || name.to_lowercase().contains(&self.filter.to_lowercase());
        let sessions = self.rows().unwrap_or_default().iter().map(|row| row.name().to_string());
        let sessions = sessions.filter(|name| fits(name)).map(Item::Session);
        sessions.chain(preset_names().filter(|name| fits(name)).map(Item::Preset)).collect()
    }

    /// Place of the selected item; the first where it is gone.
    pub fn at(&self) -> usize {
        let items = self.items();
        self.selected.as_ref().and_then(|item| items.iter().position(|other| other == item)).unwrap_or(0)
    }

    /// The selected item.
    pub fn selected(&self) -> Option<Item> {
        self.items().into_iter().nth(self.at())
    }

    /// The selected session.
    pub fn session(&self) -> Option<&Row> {
        match self.selected()? {
            Item::Session(name) => self.row(&name),
            Item::Preset(_) => None,
        }
    }

    /// Selects what is `by` further.
    pub fn step(&mut self, by: isize) {
        let items = self.items();
        let to = self.at().saturating_add_signed(by).min(items.len().saturating_sub(1));
        self.selected = items.into_iter().nth(to);
    }

    /// Selects by place.
    pub fn select(&mut self, at: usize) {
        self.selected = self.items().into_iter().nth(at);
    }

    /// Selects by name.
    pub fn select_session(&mut self, name: &str) {
        self.selected = Some(Item::Session(name.to_string()));
    }

    /// Marks or unmarks the selected session.
    pub fn mark(&mut self) {
        let Some(name) = self.session().map(|row| row.name().to_string()) else { return };
        if !self.marked.remove(&name) {
            self.marked.insert(name);
        }
    }

    /// Reads the list anew.
    pub fn refresh(&mut self, cx: &Cx<'_>) {
        self.asked = Some(cx.now);
        let (sessions, known) = (cx.house.sessions.clone(), Known::clone(&self.known));
        self.rows.refresh(cx.jobs, cx.now, move |cancel| rows::read(&sessions, &known, cancel));
    }

    /// Takes what has come; asks again when it is old and in sight.
    pub fn poll(&mut self, cx: &Cx<'_>) {
        if cx.poll(&mut self.rows) {
            let names: BTreeSet<String> =
                self.rows().unwrap_or_default().iter().map(|row| row.name().to_string()).collect();
            self.marked.retain(|name| names.contains(name));
            self.found.retain(|name, _| names.contains(name));
        }
        if cx.poll(&mut self.finding)
            && let Some((name, changed)) = self.sought.take()
        {
            let found = self.finding.value().cloned().ok_or_else(|| self.finding.error().unwrap_or("").to_string());
            self.found.insert(name, (changed, found));
        }
        if self.drawn.is_none_or(|drawn| cx.now.saturating_sub(drawn) > IN_SIGHT) {
            return;
        }
        if self.asked.is_none_or(|asked| cx.now.saturating_sub(asked) >= FRESH) {
            self.refresh(cx);
        }
        self.find(cx);
    }

    /// Looks for what one session found: the selected one first, then those that are complete. A run at work is left
    /// alone: what it found is on the screen once its session is open.
    fn find(&mut self, cx: &Cx<'_>) {
        if self.finding.waiting().is_some() {
            return;
        }
        let unknown = |row: &&Row| {
            row.holder().is_none() && self.found.get(row.name()).is_none_or(|(at, _)| *at != row.summary.changed)
        };
        let done = self.rows().unwrap_or_default().iter().filter(|row| row.activity() == "done");
        let Some(row) = self.session().into_iter().chain(done).find(unknown) else { return };
        let (sessions, name, changed) = (cx.house.sessions.clone(), row.name().to_string(), row.summary.changed);
        self.sought = Some((name.clone(), changed));
        self.finding.ask(cx.jobs, cx.now, move |cancel| digest::read(&sessions, &name, cancel));
    }

    /// Gives up what is under way.
    pub fn give_up(&mut self) {
        self.rows.cancel();
        self.finding.cancel();
    }
}
