//! Carrying out what panes wish for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};

use super::layers::{Body, Layer, Owner, Purpose};
use super::{Asker, Effect, Said, Shell};
use crate::pipeline::begun::recipe_of;
use crate::pipeline::events::{Command, Event, Level};
use crate::pipeline::review::{ProductId, Request, ReviewError, offline};
use crate::session::Sessions;
use crate::workbench::pane::{Ask, PaneId, Target, Wish};
use crate::workbench::state::Phase;
use crate::workbench::text;

/// Products that an event names.
const NAMED: usize = 32;

impl Shell {
    /// Carries out one wish of a pane's.
    pub(super) fn carry(&mut self, from: PaneId, wish: Wish, effects: &mut Vec<Effect>) {
        match wish {
            Wish::Send(command) => self.send(command, effects),
            Wish::Review(number, request) => self.review((from, number), request, effects),
            Wish::Goto(pane, target) => self.goto(pane, target, effects),
            Wish::Point(target) => self.point(from, &target, effects),
            Wish::Say(level, words) => self.note(level, &words),
            Wish::Copy(what, words) => {
                self.note(Level::Info, &format!("copied {what}"));
                effects.push(Effect::Copy(words));
            }
            Wish::Ask(token, ask) => self.ask(Owner::Pane(from, token), ask, effects),
            Wish::Remark(words) => {
                if let Some(Layer { body: Body::Line { remark, .. }, .. }) = self.layers.last_mut() {
                    *remark = words;
                }
            }
            Wish::Save(sheet) => self.save_sheet(sheet),
            Wish::Open(name) if self.at_work() => {
                self.note(Level::Warn, &format!("a run is at work here; {name} can be opened when it has ended"));
            }
            Wish::Open(name) => self.open(&name),
            Wish::Close if self.at_work() => {}
            Wish::Close => self.close_session(),
            Wish::Launch(_) if self.at_work() || self.launching.is_some() => {
                self.note(Level::Warn, "a run is at work here; another can begin when it has ended");
            }
            Wish::Launch(launch) => {
                self.launching = Some("beginning".to_string());
                effects.push(Effect::Launch(launch));
            }
            Wish::Theme(name) => self.theme(&name),
        }
    }

    pub(super) fn ask(&mut self, owner: Owner, ask: Ask, effects: &mut Vec<Effect>) {
        match ask {
            Ask::Editor { text, extension } => {
                self.editing = Some(owner);
                effects.push(Effect::Edit { text, extension });
            }
            ask => self.layers.extend(Layer::of(owner, ask)),
        }
    }

    /// Tells the run. A session that stands still can't be told anything.
    pub(super) fn send(&mut self, command: Command, effects: &mut Vec<Effect>) {
        if self.at_work() {
            if command == Command::Cancel {
                self.run.phase = Phase::Stopping;
                self.run.log.push(self.now, Level::Info, "stopping after the current step");
            }
            effects.push(Effect::Send(command));
        } else {
            self.note(Level::Warn, "no run is at work here");
        }
    }

    /// Shows a pane, and something in it.
    pub(super) fn goto(&mut self, pane: PaneId, target: Option<Target>, effects: &mut Vec<Effect>) {
        let shown = self.tiles.in_sight(pane);
        self.tiles.show(pane);
        if !shown {
            self.show_pane(pane);
        }
        if let Some(target) = target {
            let (_, wishes) = self.with(pane, |pane, cx| pane.aim(&target, cx));
            self.carry_all(vec![(pane, wishes)], effects);
        }
    }

    fn point(&mut self, from: PaneId, target: &Target, effects: &mut Vec<Effect>) {
        // What a pane selects while nobody sees it points at nothing.
        if !self.tiles.in_sight(from) {
            return;
        }
        for id in self.tiles.panes().into_iter().filter(|id| *id != from) {
            let (_, wishes) = self.with(id, |pane, cx| pane.aim(target, cx));
            // What pointing makes a pane point at is not followed, so that two panes can't point at each other forever.
            let wishes = wishes.into_iter().filter(|wish| !matches!(wish, Wish::Point(_))).collect();
            self.carry_all(vec![(id, wishes)], effects);
        }
    }

    /// Decides on products: through the run that is at work here, else on the session as it stands, behind the screen.
    fn review(&mut self, asker: Asker, request: Request, effects: &mut Vec<Effect>) {
        if self.at_work() {
            self.asked.push_back(asker);
            return effects.push(Effect::Send(Command::Review(request)));
        }
        let Some(source) = self.source.clone() else { return };
        if self.house.looking {
            return self.note(Level::Warn, "nothing is decided in a picture");
        }
        let (outbox, one) = (Arc::clone(&self.outbox), Arc::clone(&self.deciding));
        let sessions = source.sessions().clone();
        self.jobs.errand(move || {
            // One after the other: each decision opens the session for itself.
            let alone = one.lock().unwrap_or_else(PoisonError::into_inner);
            let decided = catch_unwind(AssertUnwindSafe(|| decide(&sessions, source.name(), &request)));
            let event = decided.unwrap_or_else(|_| Event::Refused {
                reason: "a defect in footbridge ended this decision; please report it".to_string(),
            });
            // Read again what the decision wrote.
            drop(source.refresh());
            drop(alone);
            let said = Said { event, of: Some((source, asker)) };
            outbox.lock().unwrap_or_else(PoisonError::into_inner).push(said);
        });
    }

    pub(super) fn theme(&mut self, name: &str) {
        match self.look.with_theme(name) {
            Ok(look) => self.look = look,
            Err(error) => self.note(Level::Error, &error.to_string()),
        }
    }

    pub(super) fn save_sheet(&mut self, sheet: crate::workbench::sheet::Sheet) {
        let name = self.house.free_file(&sheet.name, "csv");
        self.saving = Some(sheet);
        let title = "save the table as (.csv, .md or .json)".to_string();
        let ask = Ask::Line { title, text: name, live: false };
        self.layers.extend(Layer::of(Owner::Shell(Purpose::SaveTable), ask));
    }

    /// Writes a file behind the screen, and says so. What is there already is not overwritten.
    pub(super) fn write_file(&mut self, name: &str, content: String) {
        if self.house.looking {
            return self.note(Level::Warn, "no file is written in a picture");
        }
        let (path, outbox) = (self.house.file(name), Arc::clone(&self.outbox));
        self.jobs.errand(move || {
            let written = std::fs::File::create_new(&path)
                .and_then(|mut file| std::io::Write::write_all(&mut file, content.as_bytes()));
            let whole = std::path::absolute(&path).unwrap_or(path);
            let path = whole.display();
            let event = match written {
                Ok(()) => Event::Log { level: Level::Info, message: format!("saved {path}") },
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                    let message = format!("{path} is there already; nothing was saved: choose another name");
                    Event::Log { level: Level::Warn, message }
                }
                Err(error) => {
                    Event::Log { level: Level::Error, message: format!("{path}: {error}; nothing was saved") }
                }
            };
            outbox.lock().unwrap_or_else(PoisonError::into_inner).push(Said { event, of: None });
        });
    }
}

/// Decides on the products of a session that no run holds.
fn decide(sessions: &Sessions, name: &str, request: &Request) -> Event {
    let refused = |reason: String| Event::Refused { reason };
    let session = match sessions.open(name) {
        Ok(session) => session,
        Err(error) => return refused(error.to_string()),
    };
    let applied = recipe_of(&session)
        .map_err(String::from)
        .and_then(|recipe| offline::decide(&session, &recipe, request).map_err(|error: ReviewError| error.to_string()));
    match applied {
        Ok(applied) => {
            let products = applied.products.iter().take(NAMED).map(ProductId::to_string).collect();
            let count = applied.products.len() as u64;
            Event::Decided { decision: applied.decision, line: applied.line, count, products, notes: applied.notes }
        }
        Err(reason) => refused(text::printable(&reason)),
    }
}
