//! The workbench as a whole: which session is shown, which panes are in sight, what lies over them, and what becomes of
//! keys, events and wishes. It touches no terminal: [`Shell::update`] takes what happened and gives what is to be done,
//! [`Shell::draw`] fills cells.

mod act;
mod carry;
mod draw;
mod help;
pub mod layers;
pub mod picker;
pub mod tiles;
mod update;
mod windows;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use ratatui::layout::Rect;

use super::history::Past;
use super::house::{House, Launch};
use super::jobs::{Jobs, Query};
use super::keymap::Keymap;
use super::look::Look;
use super::pane::{Cx, Pane, PaneId, Target, Wish};
use super::panes;
use super::source::{SharedSource, Source};
use super::state::{Phase, State};
use crate::pipeline::events::{Command, Event, Level};
use crate::session::Session;
use layers::{Layer, Owner};
use tiles::Tiles;

pub use draw::{LEAST_COLUMNS, LEAST_ROWS};
pub use update::Msg;

/// What the workbench wants done to the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Tell the run.
    Send(Command),
    /// Close the screen.
    Leave,
    /// Forget what is on the terminal and draw everything.
    Redraw,
    /// Put this onto the clipboard.
    Copy(String),
    /// Let the researcher edit this in a program of their own; [`Msg::Edited`] follows.
    Edit {
        /// What stands there at first.
        text: String,
        /// What the file ends in.
        extension: &'static str,
    },
    /// Begin a run; [`Shell::attach`] or [`Shell::not_launched`] follows.
    Launch(Launch),
}

/// How a session that is shown lives.
#[derive(Clone, Debug, PartialEq)]
struct Pulse {
    /// Number of its last frame.
    beat: u64,
    /// The process that runs it, where it is not this one.
    holder: Option<String>,
}

/// Who asked for a decision: the pane, and its own number of the request.
type Asker = (PaneId, u32);

/// What was done behind the screen came to.
struct Said {
    event: Event,
    /// Of a decision: the session that it was made on, and who asked for it.
    of: Option<(SharedSource, Asker)>,
}

/// A line below the panes for a moment.
struct Note {
    level: Level,
    text: String,
    until: Duration,
}

/// Size of a screen that was never drawn.
const NEVER: (u16, u16) = (0, 0);

/// The workbench.
pub struct Shell {
    run: State,
    look: Look,
    house: House,
    source: Option<SharedSource>,
    panes: Vec<Box<dyn Pane>>,
    tiles: Tiles,
    layers: Vec<Layer>,
    keymap: Keymap,
    jobs: Jobs,
    now: Duration,
    note: Option<Note>,
    /// What was said so far, of a session that is not at work here.
    history: Query<Vec<Event>>,
    /// What was read for it before.
    past: Arc<Mutex<Past>>,
    /// Lines of the log that the history said; those behind them were said here.
    told: usize,
    /// Number of the session's last frame, and who runs it elsewhere.
    pulse: Query<Pulse>,
    beat: u64,
    /// The process that runs the session that is shown, where it is not this one.
    holder: Option<String>,
    /// When the pulse was last felt.
    felt: Duration,
    /// What was done behind the screen came to, from the thread that did it.
    outbox: Arc<Mutex<Vec<Said>>>,
    /// Requests that the run at work here has not answered, in order: it answers them so.
    asked: VecDeque<Asker>,
    /// Whose request is answered by the event that is told.
    answers: Option<Asker>,
    /// Held by the decision that is being made on a session that stands still.
    deciding: Arc<Mutex<()>>,
    /// Who waits for the researcher's own editor.
    editing: Option<Owner>,
    /// Where each pane was last drawn.
    areas: Vec<(PaneId, Rect)>,
    /// Size of the screen as last drawn.
    size: (u16, u16),
    /// Leave when the run has stopped.
    leaving: bool,
    /// A run is being begun.
    launching: Option<String>,
    /// The table that is being saved.
    saving: Option<super::sheet::Sheet>,
}

impl Shell {
    /// A workbench that shows no session yet.
    pub fn new(house: House, look: Look, keymap: Keymap, jobs: Jobs) -> Self {
        let mut run = State::new("", "");
        run.phase = Phase::Idle;
        let mut shell = Self {
            run,
            look,
            house,
            source: None,
            panes: PaneId::ALL.map(panes::make).into(),
            tiles: Tiles::new(PaneId::Home),
            layers: Vec::new(),
            keymap,
            jobs,
            now: Duration::ZERO,
            note: None,
            history: Query::default(),
            past: Arc::default(),
            told: 0,
            pulse: Query::default(),
            beat: 0,
            holder: None,
            felt: Duration::ZERO,
            outbox: Arc::default(),
            asked: VecDeque::new(),
            answers: None,
            deciding: Arc::default(),
            editing: None,
            areas: Vec::new(),
            size: NEVER,
            leaving: false,
            launching: None,
            saving: None,
        };
        shell.show_pane(PaneId::Home);
        shell
    }

    /// Shows a pane, and something in it.
    pub fn show(&mut self, pane: PaneId, target: Option<Target>) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.goto(pane, target, &mut effects);
        effects
    }

    /// Shows a session that is not at work here.
    pub fn open(&mut self, name: &str) {
        let source = Source::new(self.house.sessions.clone(), name, Weak::new());
        self.adopt(Arc::new(source), State::new(name, ""));
        self.run.phase = Phase::Idle;
    }

    /// Shows a session that has been opened already.
    pub fn open_source(&mut self, source: SharedSource) {
        let state = State::new(source.name(), "");
        self.adopt(source, state);
        self.run.phase = Phase::Idle;
    }

    /// Shows no session.
    fn close_session(&mut self) {
        self.source = None;
        (self.run, self.beat, self.told) = (State::new("", ""), 0, 0);
        (self.run.phase, self.run.now) = (Phase::Idle, self.now);
        self.history.clear();
        self.past = Arc::default();
        self.pulse.clear();
        self.layers.clear();
        self.asked.clear();
        self.each(|pane, cx| pane.session(cx));
    }

    /// Shows the session of a run that has begun in this process.
    pub fn attach(&mut self, name: &str, live: Weak<Session>, resume: &str, device: &str) {
        let source = Source::new(self.house.sessions.clone(), name, live);
        self.attach_source(Arc::new(source), resume, device);
    }

    /// As [`Shell::attach`], by the read side of its session.
    pub fn attach_source(&mut self, source: SharedSource, resume: &str, device: &str) {
        self.launching = None;
        let mut state = State::new(source.name(), device);
        state.resume = super::text::printable(resume);
        self.adopt(source, state);
        if self.tiles.focus() == PaneId::Home {
            self.tiles.show(PaneId::Run);
            self.show_pane(PaneId::Run);
        }
    }

    /// A run could not be begun.
    pub fn not_launched(&mut self, why: &str) {
        self.launching = None;
        self.note(Level::Error, why);
    }

    /// How far the beginning of a run has come.
    pub fn launching(&mut self, words: &str) {
        self.launching = Some(super::text::printable(words));
    }

    fn adopt(&mut self, source: SharedSource, state: State) {
        let now = self.now;
        self.source = Some(source);
        (self.run, self.beat, self.leaving, self.holder) = (state, 0, false, None);
        self.told = 0;
        self.run.now = now;
        self.history.clear();
        self.past = Arc::default();
        self.pulse.clear();
        self.layers.clear();
        self.asked.clear();
        self.each(|pane, cx| pane.session(cx));
        for pane in self.tiles.panes() {
            self.show_pane(pane);
        }
        self.ask_history();
        self.feel();
    }

    /// Who begins runs.
    pub fn launcher(&self) -> Option<Arc<dyn super::house::Launcher>> {
        self.house.launcher.clone()
    }

    /// What is known of the run.
    pub fn run(&self) -> &State {
        &self.run
    }

    /// How it looks.
    pub fn look(&self) -> &Look {
        &self.look
    }

    /// Another look, from the next drawing on.
    pub fn wear(&mut self, look: Look) {
        self.look = look;
    }

    /// The pane that keys go to.
    pub fn focus(&self) -> PaneId {
        self.tiles.focus()
    }

    /// Layers over the panes.
    pub fn depth(&self) -> usize {
        self.layers.len()
    }

    /// The session that is shown.
    pub fn session(&self) -> Option<&str> {
        self.source.as_deref().map(Source::name)
    }

    /// Whether a run is at work in this process.
    pub fn at_work(&self) -> bool {
        !self.run.phase.over()
    }

    /// Whether a pane is in sight that shows what changes without a session of its own: the list of all of them.
    pub fn watches_sessions(&self) -> bool {
        self.tiles.in_sight(PaneId::Home)
    }

    /// Whether something is asked of which the answer has not come.
    pub fn busy(&self) -> bool {
        self.history.waiting().is_some() || self.launching.is_some()
    }

    /// A pane with what it may read and wish for; its wishes wait to be carried out.
    fn with<T>(&mut self, id: PaneId, work: impl FnOnce(&mut dyn Pane, &mut Cx<'_>) -> T) -> (T, Vec<Wish>) {
        let mut wishes = Vec::new();
        let Self { run, look, house, source, panes, jobs, now, answers, .. } = self;
        let answers = answers.filter(|(pane, _)| *pane == id).map(|(_, number)| number);
        let mut cx = Cx { run, now: *now, source: source.as_ref(), jobs, house, look, answers, wishes: &mut wishes };
        let done = work(panes[id.index()].as_mut(), &mut cx);
        (done, wishes)
    }

    /// Every pane in turn.
    fn each(&mut self, mut work: impl FnMut(&mut dyn Pane, &mut Cx<'_>)) -> Vec<(PaneId, Vec<Wish>)> {
        PaneId::ALL.into_iter().map(|id| (id, self.with(id, &mut work).1)).collect()
    }

    fn show_pane(&mut self, id: PaneId) {
        self.with(id, |pane, cx| pane.show(cx));
    }

    fn note(&mut self, level: Level, words: &str) {
        let stay = if level == Level::Info { 4 } else { 10 };
        let text = super::text::printable(words);
        self.note = Some(Note { level, text, until: self.now + Duration::from_secs(stay) });
    }
}
