//! What happened, and what follows from it.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crossterm::event::{KeyEvent, KeyEventKind, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::layers::{Outcome as Closing, Owner};
use super::{Asker, Effect, Pulse, Said, Shell};
use crate::pipeline::events::{Event, Level, Outcome};
use crate::session::{Activity, SessionSummary};
use crate::workbench::action::Action;
use crate::workbench::hear;
use crate::workbench::keymap::Key;
use crate::workbench::pane::{PaneId, Reply, Wish};
use crate::workbench::source::SharedSource;
use crate::workbench::state::Phase;

/// How often it is asked whether the records have changed.
const PULSE: Duration = Duration::from_millis(900);

/// Rounds in which answers that came at once may ask for more.
const ROUNDS: usize = 8;

/// What can happen to the workbench.
#[derive(Clone, Debug)]
pub enum Msg {
    /// The run said something.
    Run(Event),
    /// The run's thread returned.
    Ended(Outcome),
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// Text was pasted.
    Paste(String),
    /// Some answer has come.
    Notice,
    /// The researcher's own editor was closed: the text, or why there is none.
    Edited(Result<String, String>),
    /// Time passed.
    Tick,
}

impl Shell {
    /// Takes in what happened at `now` (time since the screen opened) and says what is to be done.
    pub fn update(&mut self, msg: Msg, now: Duration) -> Vec<Effect> {
        self.now = self.now.max(now);
        self.run.now = self.now;
        if self.note.as_ref().is_some_and(|note| note.until <= self.now) {
            self.note = None;
        }
        let mut effects = Vec::new();
        match msg {
            Msg::Run(event) => {
                let decided = matches!(event, Event::Decided { .. } | Event::Refused { .. });
                let asker = if decided { self.asked.pop_front() } else { None };
                self.hear(event, asker, &mut effects);
            }
            Msg::Ended(outcome) => self.end(outcome, &mut effects),
            Msg::Key(key) if key.kind == KeyEventKind::Release => {}
            Msg::Key(key) => {
                self.read_log();
                self.key(key, &mut effects);
            }
            Msg::Mouse(mouse) => {
                self.read_log();
                self.mouse(mouse, &mut effects);
            }
            Msg::Paste(text) => {
                let drawn = self.layer_drawn();
                if let Some(layer) = self.layers.last_mut().filter(|_| drawn) {
                    let outcome = layer.paste(&text);
                    self.close(outcome, &mut effects);
                }
            }
            Msg::Notice => {}
            Msg::Edited(text) => self.edited(text, &mut effects),
            Msg::Tick => self.look_after(),
        }
        for _ in 0..ROUNDS {
            let done = self.jobs.done_at_once();
            self.poll(&mut effects);
            if self.jobs.done_at_once() == done {
                break;
            }
        }
        effects
    }

    /// Somebody is at the screen: what of the log was drawn counts as read.
    fn read_log(&mut self) {
        for (id, _) in &self.areas {
            self.run.log.read(self.panes[id.index()].log_lines());
        }
    }

    /// Something was said, in answer to the request of `asker` where there is one.
    fn hear(&mut self, event: Event, asker: Option<Asker>, effects: &mut Vec<Effect>) {
        match &event {
            Event::Decided { .. } | Event::Refused { .. } => self.note_outcome("", &event),
            Event::RunFinished { .. } => self.asked.clear(),
            Event::Log { level: Level::Error, message } => self.note(Level::Error, &message.clone()),
            _ => {}
        }
        hear::hear(&mut self.run, event.clone(), self.now);
        self.answers = asker;
        let wishes = self.each(|pane, cx| pane.hear(&event, cx));
        self.answers = None;
        self.carry_all(wishes, effects);
        if let Event::Decided { .. } | Event::StageFinished { .. } = event {
            self.refresh(effects);
        }
        if self.run.phase.over() && self.leaving {
            effects.push(Effect::Leave);
        }
    }

    /// Says what a decision came to, and what the researcher should know about it.
    fn note_outcome(&mut self, before: &str, event: &Event) {
        match event {
            Event::Decided { line, notes, .. } if notes.is_empty() => {
                self.note(Level::Info, &format!("{before}{line}"))
            }
            Event::Decided { line, notes, .. } => {
                self.note(Level::Warn, &format!("{before}{line}; {}", notes.join("; ")));
            }
            Event::Refused { reason } => self.note(Level::Warn, &format!("{before}refused: {reason}")),
            _ => {}
        }
    }

    fn end(&mut self, outcome: Outcome, effects: &mut Vec<Effect>) {
        hear::end(&mut self.run, outcome, None);
        self.layers.retain(|layer| !matches!(layer.owner, Owner::Shell(super::layers::Purpose::Stop)));
        self.refresh(effects);
        if self.leaving {
            effects.push(Effect::Leave);
        }
    }

    /// The panes in sight read the records again.
    fn refresh(&mut self, effects: &mut Vec<Effect>) {
        for id in PaneId::ALL.into_iter().filter(|id| self.tiles.in_sight(*id)).collect::<Vec<_>>() {
            let (_, wishes) = self.with(id, |pane, cx| pane.refresh(cx));
            self.carry_all(vec![(id, wishes)], effects);
        }
    }

    /// Asks now and then whether the records have changed.
    fn look_after(&mut self) {
        if self.now.saturating_sub(self.felt) >= PULSE {
            self.feel();
        }
    }

    /// Asks whether the records have changed, and who runs the session.
    pub(super) fn feel(&mut self) {
        self.felt = self.now;
        let Some(source) = self.source.clone() else { return };
        self.pulse.refresh(&self.jobs, self.now, move |_| {
            let beat = source.refresh().map_err(|error| error.to_string())?;
            let summary = (!source.is_live()).then(|| source.sessions().summary(source.name()));
            let holder = match summary {
                Some(Ok(SessionSummary { activity: Activity::Running(who), .. })) => Some(who),
                _ => None,
            };
            Ok(Pulse { beat, holder })
        });
    }

    /// Takes the answers that have come.
    fn poll(&mut self, effects: &mut Vec<Effect>) {
        if self.history.poll(&self.jobs, self.now) {
            self.take_history();
        }
        if self.pulse.poll(&self.jobs, self.now)
            && let Some(Pulse { beat, holder }) = self.pulse.value().cloned()
        {
            self.held_by(holder);
            if beat != std::mem::replace(&mut self.beat, beat) {
                self.refresh(effects);
                if self.run.phase == Phase::Idle {
                    self.ask_history();
                }
            }
        }
        let said = std::mem::take(&mut *self.outbox.lock().unwrap_or_else(PoisonError::into_inner));
        for Said { event, of } in said {
            if let Event::Log { level, message } = &event {
                self.note(*level, &message.clone());
            }
            let shown = |of: &SharedSource| self.source.as_ref().is_some_and(|source| Arc::ptr_eq(source, of));
            match of {
                // Another session is shown by now: its panes asked for nothing.
                Some((of, _)) if !shown(&of) => self.note_outcome(&format!("{}: ", of.name()), &event),
                of => self.hear(event, of.map(|(_, asker)| asker), effects),
            }
        }
        let wishes = self.each(|pane, cx| pane.poll(cx));
        self.carry_all(wishes, effects);
    }

    /// Says once who runs the session elsewhere, so that nobody wonders why decisions are refused.
    fn held_by(&mut self, holder: Option<String>) {
        if let (Some(who), Some(name)) = (&holder, self.session().map(str::to_string))
            && self.holder != holder
            && !self.at_work()
        {
            self.note(
                Level::Warn,
                &format!("{name} is at work in {who}: it can be watched here, and decided on there"),
            );
        }
        self.holder = holder;
    }

    /// Asks what the session's run has said so far.
    pub(super) fn ask_history(&mut self) {
        if let Some(source) = self.source.clone() {
            let past = Arc::clone(&self.past);
            self.history.refresh(&self.jobs, self.now, move |cancel| {
                let mut past = past.lock().unwrap_or_else(PoisonError::into_inner);
                source.read(|session| past.events(session, cancel)).unwrap_or_else(|error| Err(error.to_string()))
            });
        }
    }

    /// Puts what was said in the past before what is said now.
    fn take_history(&mut self) {
        if let Some(error) = self.history.error().map(str::to_string) {
            return self.note(Level::Error, &error);
        }
        let Some(past) = self.history.value_mut().map(std::mem::take) else { return };
        let live = self.run.phase != Phase::Idle;
        let mut known = crate::workbench::state::State::new(&self.run.session, &self.run.device);
        (known.phase, known.now) = (Phase::Idle, Duration::ZERO);
        // The past has no clock: what it said is dated by the work that was done by then.
        let mut worked = Duration::ZERO;
        for event in past {
            if let Event::StageFinished { seconds, .. } = &event {
                worked += Duration::try_from_secs_f64(*seconds).unwrap_or_default();
            }
            // A run at work here says itself what there is to do and what is complete.
            if !live || matches!(event, Event::Metric { .. }) {
                hear::hear(&mut known, event, worked);
            }
        }
        if live {
            self.run.curves.precede(known.curves);
        } else {
            (known.resume, known.now) = (self.run.resume.clone(), self.now);
            // What was said here stays, such as what a decision came to.
            let before = std::mem::replace(&mut self.told, known.log.said());
            known.log.follow(&self.run.log, before);
            self.run = known;
        }
    }

    fn key(&mut self, key: KeyEvent, effects: &mut Vec<Effect>) {
        let drawn = self.layer_drawn();
        if let Some(layer) = self.layers.last_mut() {
            let outcome = if drawn { layer.key(key) } else { layer.key_unseen(key) };
            return self.close(outcome, effects);
        }
        let focus = self.tiles.focus();
        let action = self.keymap.action(focus, Key::of(&key), |action| self.available(focus, action));
        // Of what is not drawn nothing is changed or decided.
        let seen = |action: &Action| !self.cramped() || matches!(action, Action::Shell(_));
        if let Some(action) = action.filter(seen) {
            self.act(action, effects);
        }
    }

    /// Whether an action makes sense now.
    pub(super) fn available(&self, focus: PaneId, action: Action) -> bool {
        match action {
            Action::Shell(action) => self.shell_available(action),
            Action::Move(_) => true,
            own => self.panes[focus.index()].available(own, &self.run),
        }
    }

    fn mouse(&mut self, mouse: MouseEvent, effects: &mut Vec<Effect>) {
        if !self.layers.is_empty() {
            let by = match mouse.kind {
                MouseEventKind::ScrollDown => crossterm::event::KeyCode::Down,
                MouseEventKind::ScrollUp => crossterm::event::KeyCode::Up,
                _ => return,
            };
            return self.key(KeyEvent::from(by), effects);
        }
        let at = Position { x: mouse.column, y: mouse.row };
        if matches!(mouse.kind, MouseEventKind::Down(_))
            && let Some(pane) = self.tab_at(at)
        {
            return self.goto(pane, None, effects);
        }
        let Some((id, area)) = self.areas.iter().copied().find(|(_, area)| area.contains(at)) else { return };
        if matches!(mouse.kind, MouseEventKind::Down(_)) {
            self.tiles.focus_on(id);
        }
        let (_, wishes) = self.with(id, |pane, cx| pane.mouse(mouse, area, cx));
        self.carry_all(vec![(id, wishes)], effects);
    }

    /// What a key or a paste did to the layer on top.
    fn close(&mut self, outcome: Closing, effects: &mut Vec<Effect>) {
        match outcome {
            Closing::Stay => {}
            Closing::Tell(reply) => {
                let owner = self.layers.last().map(|layer| layer.owner.clone());
                self.answer(owner, reply, effects);
            }
            Closing::Close(reply) => {
                let owner = self.layers.pop().map(|layer| layer.owner);
                self.answer(owner, reply, effects);
            }
            Closing::Restore(first) => {
                let owner = self.layers.last().map(|layer| layer.owner.clone());
                self.answer(owner.clone(), Reply::Typing(first), effects);
                self.layers.pop();
                self.answer(owner, Reply::Dismissed, effects);
            }
            Closing::Do(action) => {
                self.layers.pop();
                if self.available(self.tiles.focus(), action) {
                    self.act(action, effects);
                }
            }
        }
    }

    fn answer(&mut self, owner: Option<Owner>, reply: Reply, effects: &mut Vec<Effect>) {
        match owner {
            Some(Owner::Pane(id, token)) => {
                let (_, wishes) = self.with(id, |pane, cx| pane.reply(token, reply, cx));
                self.carry_all(vec![(id, wishes)], effects);
            }
            Some(Owner::Shell(purpose)) => self.decided(&purpose, reply, effects),
            None => {}
        }
    }

    fn edited(&mut self, text: Result<String, String>, effects: &mut Vec<Effect>) {
        let reply = text.map_or_else(Reply::Failed, Reply::Text);
        if let Reply::Failed(why) = &reply {
            self.note(Level::Error, &why.clone());
        }
        let owner = self.editing.take();
        self.answer(owner, reply, effects);
    }

    /// Carries out what panes wish for, and what that makes them wish for.
    pub(super) fn carry_all(&mut self, wishes: Vec<(PaneId, Vec<Wish>)>, effects: &mut Vec<Effect>) {
        for (id, wishes) in wishes {
            for wish in wishes {
                self.carry(id, wish, effects);
            }
        }
    }
}
