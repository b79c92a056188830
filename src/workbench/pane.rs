//! What a pane is to the workbench: it says which actions it has, takes them, asks the session in the background, and
//! draws itself into any area. It never touches the terminal, the clock or a channel: what it wants done is a [`Wish`].
//!
//! Order of things: the shell calls `session` when another session is shown; `show` when the pane comes into sight;
//! `refresh` while it is in sight and the records have changed (at most about once a second); `poll` when some answer
//! has come. Drawing changes nothing but what follows from the size, such as where a list is scrolled.

use std::time::Duration;

use crossterm::event::MouseEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::action::{Action, Bound};
use super::house::House;
use super::jobs::{Cancel, Jobs, Query};
use super::look::Look;
use super::sheet::Sheet;
use super::source::SharedSource;
use super::state::State;
use crate::pipeline::events::{Command, Event, Level};
use crate::pipeline::review::{ProductId, Request};
use crate::session::Session;

/// The panes, in the order of their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "`title` says what each is")]
pub enum PaneId {
    Home,
    Run,
    Questions,
    Bridge,
    Recycle,
    Rewards,
    Rollouts,
    Evaluation,
    DataSets,
    Prompts,
}

impl PaneId {
    /// All of them; `1` is the key of the first and `0` of the tenth.
    pub const ALL: [PaneId; 10] = [
        PaneId::Home,
        PaneId::Run,
        PaneId::Questions,
        PaneId::Bridge,
        PaneId::Recycle,
        PaneId::Rewards,
        PaneId::Rollouts,
        PaneId::Evaluation,
        PaneId::DataSets,
        PaneId::Prompts,
    ];

    /// Its name, as keymaps and `footbridge shot` write it.
    pub fn name(self) -> &'static str {
        match self {
            PaneId::Home => "home",
            PaneId::Run => "run",
            PaneId::Questions => "questions",
            PaneId::Bridge => "bridge",
            PaneId::Recycle => "recycle",
            PaneId::Rewards => "rewards",
            PaneId::Rollouts => "rollouts",
            PaneId::Evaluation => "evaluation",
            PaneId::DataSets => "data-sets",
            PaneId::Prompts => "prompts",
        }
    }

    /// Its name where there is little room.
    pub fn short(self) -> &'static str {
        match self {
            PaneId::Questions => "quest",
            PaneId::Rollouts => "rolls",
            PaneId::Evaluation => "eval",
            PaneId::DataSets => "data",
            other => other.name(),
        }
    }

    /// What it shows, in a few words.
    pub fn about(self) -> &'static str {
        match self {
            PaneId::Home => "sessions and presets",
            PaneId::Run => "the loop, stage by stage",
            PaneId::Questions => "who finds what hard",
            PaneId::Bridge => "a hard trace, step by step",
            PaneId::Recycle => "failures and their lessons",
            PaneId::Rewards => "curves of training",
            PaneId::Rollouts => "groups as they are sampled",
            PaneId::Evaluation => "what was learned",
            PaneId::DataSets => "what is trained on",
            PaneId::Prompts => "what is asked",
        }
    }

    /// Its place in [`PaneId::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }
}

/// Something that a pane can be asked to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A question, by its id.
    Question(String),
    /// A step of its trace, from 1.
    Step(String, usize),
    /// A teacher's product.
    Product(ProductId),
    /// A training text, by its id.
    Sample(String),
    /// The rollouts of a GRPO step: key of the stage, and the step from 1.
    RlStep(String, u64),
    /// A checkpoint.
    Checkpoint(String),
}

/// What the researcher is asked for, on a layer of its own. The answer comes to [`Pane::reply`] with the pane's token.
#[derive(Clone, Debug)]
pub enum Ask {
    /// A yes or a no. Esc and no come as [`Reply::Dismissed`].
    Confirm {
        /// A few words above.
        title: String,
        /// What it is about.
        lines: Vec<String>,
        /// What yes does, for the hint: `delete`.
        yes: String,
    },
    /// A line of text.
    Line {
        /// A few words above.
        title: String,
        /// What stands there at first.
        text: String,
        /// Whether every change is told as [`Reply::Typing`]; the pane may answer with [`Wish::Remark`]. Left with Esc,
        /// the first text is told so once more.
        live: bool,
    },
    /// Several lines of text, edited in place.
    Lines {
        /// A few words above.
        title: String,
        /// What stands there at first.
        text: String,
    },
    /// One of several.
    Choose {
        /// A few words above.
        title: String,
        /// What there is to choose from; typed text narrows it down.
        items: Vec<String>,
        /// The one that is chosen at first.
        at: usize,
    },
    /// Text to read and scroll, such as lineage; nothing is answered but that it was closed.
    Read {
        /// A few words above.
        title: String,
        /// The text.
        lines: Vec<Vec<ratatui::text::Span<'static>>>,
    },
    /// Text in `$EDITOR`; answered by [`Reply::Text`] or [`Reply::Failed`].
    Editor {
        /// What stands there at first.
        text: String,
        /// What the file ends in, such as `md`.
        extension: &'static str,
    },
}

/// What the researcher answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Yes.
    Yes,
    /// The text, complete.
    Text(String),
    /// The text so far.
    Typing(String),
    /// Index of the chosen item.
    Chosen(usize),
    /// Nothing; the layer was closed.
    Dismissed,
    /// It could not be asked, and why.
    Failed(String),
}

/// What a pane wants done.
#[derive(Debug)]
pub enum Wish {
    /// Tell the run.
    Send(Command),
    /// Decide on products: through the run where one is at work here, else on the session as it stands. Answered by
    /// [`Event::Decided`] or [`Event::Refused`], with the pane's own number of the request in [`Cx::answers`].
    Review(u32, Request),
    /// Show another pane, and something in it.
    Goto(PaneId, Option<Target>),
    /// Show this in the other panes that are in sight.
    Point(Target),
    /// A line below the panes for a moment.
    Say(Level, String),
    /// Onto the clipboard (OSC 52); the words say what was copied.
    Copy(String, String),
    /// Ask the researcher; the pane's own token comes back with the answer.
    Ask(u32, Ask),
    /// A remark under the text that is being typed, such as what is wrong with it; empty takes it away.
    Remark(String),
    /// Save a table; where and as what is asked.
    Save(Sheet),
    /// Show another session, reading it only.
    Open(String),
    /// Show no session, because the one that is shown is gone.
    Close,
    /// Begin or continue a run.
    Launch(super::house::Launch),
    /// Use another theme.
    Theme(String),
}

/// What a pane may read and wish for while it takes an action.
pub struct Cx<'a> {
    /// What is known of the run: stages, curves, log.
    pub run: &'a State,
    /// Time since the screen opened.
    pub now: Duration,
    /// The session that is shown.
    pub source: Option<&'a SharedSource>,
    /// Where work is done.
    pub jobs: &'a Jobs,
    /// Sessions, presets, and how runs are begun.
    pub house: &'a House,
    /// How it looks.
    pub look: &'a Look,
    /// Number of the pane's own request that is answered by the event it hears.
    pub answers: Option<u32>,
    /// What is wished for.
    pub wishes: &'a mut Vec<Wish>,
}

impl Cx<'_> {
    /// Wishes for something.
    pub fn wish(&mut self, wish: Wish) {
        self.wishes.push(wish);
    }

    /// Says something for a moment.
    pub fn say(&mut self, level: Level, words: impl Into<String>) {
        self.wish(Wish::Say(level, words.into()));
    }

    /// Asks the researcher.
    pub fn ask(&mut self, token: u32, ask: Ask) {
        self.wish(Wish::Ask(token, ask));
    }

    /// Asks the session something else than before. Without a session nothing is asked.
    pub fn query<T: Send + 'static>(
        &self,
        query: &mut Query<T>,
        work: impl FnOnce(&Session, &Cancel) -> Result<T, String> + Send + 'static,
    ) {
        if let Some(source) = self.source.cloned() {
            query.ask(self.jobs, self.now, move |cancel| read(&source, cancel, work));
        }
    }

    /// Asks the session the same again.
    pub fn requery<T: Send + 'static>(
        &self,
        query: &mut Query<T>,
        work: impl FnOnce(&Session, &Cancel) -> Result<T, String> + Send + 'static,
    ) {
        if let Some(source) = self.source.cloned() {
            query.refresh(self.jobs, self.now, move |cancel| read(&source, cancel, work));
        }
    }

    /// Takes an answer that has come. True when there is a new one.
    pub fn poll<T: Send + 'static>(&self, query: &mut Query<T>) -> bool {
        query.poll(self.jobs, self.now)
    }
}

fn read<T>(
    source: &super::source::Source,
    cancel: &Cancel,
    work: impl FnOnce(&Session, &Cancel) -> Result<T, String>,
) -> Result<T, String> {
    source.read(|session| work(session, cancel)).unwrap_or_else(|error| Err(error.to_string()))
}

/// What a pane may read while it draws.
pub struct Seen<'a> {
    /// How it looks.
    pub look: &'a Look,
    /// What is known of the run.
    pub run: &'a State,
    /// Name of the session that is shown.
    pub session: Option<&'a str>,
    /// Time since the screen opened.
    pub now: Duration,
    /// Whether keys come to this pane.
    pub focused: bool,
}

/// A mark that a pane uses, for its help: the mark, what it means, how it is drawn.
pub type Mark = (String, &'static str, Style);

/// One pane.
pub trait Pane: Send {
    /// Which it is.
    fn id(&self) -> PaneId;

    /// Its own actions with their keys; moving about and the shell's come beside them.
    fn bindings(&self) -> &'static [Bound];

    /// Whether an action makes sense now; what does not is neither hinted at nor done.
    fn available(&self, _action: Action, _run: &State) -> bool {
        true
    }

    /// What an action is called now, where that depends.
    fn label(&self, _action: Action, _run: &State) -> Option<&'static str> {
        None
    }

    /// Takes one of its own actions, or a [`super::action::Move`].
    fn act(&mut self, action: Action, cx: &mut Cx<'_>);

    /// Another session is shown, or none: everything known is of the past.
    fn session(&mut self, cx: &mut Cx<'_>);

    /// It came into sight.
    fn show(&mut self, _cx: &mut Cx<'_>) {}

    /// It is in sight and the records have changed.
    fn refresh(&mut self, _cx: &mut Cx<'_>) {}

    /// What it asks of the session takes too long: it gives up what is under way.
    fn give_up(&mut self, _cx: &mut Cx<'_>) {}

    /// Some answer has come, perhaps one of its own.
    fn poll(&mut self, _cx: &mut Cx<'_>) {}

    /// The run said something. Told to every pane, in sight or not.
    fn hear(&mut self, _event: &Event, _cx: &mut Cx<'_>) {}

    /// It shall show this.
    fn aim(&mut self, _target: &Target, _cx: &mut Cx<'_>) {}

    /// The answer to an [`Ask`] of its own.
    fn reply(&mut self, _token: u32, _reply: Reply, _cx: &mut Cx<'_>) {}

    /// The mouse did something inside `area`, in which the pane was last drawn.
    fn mouse(&mut self, _event: MouseEvent, _area: Rect, _cx: &mut Cx<'_>) {}

    /// Warnings and errors of the log that it showed when it was last drawn, by their numbers.
    fn log_lines(&self) -> &[usize] {
        &[]
    }

    /// What it shows as a table, where it shows one.
    fn sheet(&self) -> Option<Sheet> {
        None
    }

    /// What copying takes: the words for it, and the text.
    fn copied(&self) -> Option<(String, String)> {
        None
    }

    /// Marks that its help explains.
    fn marks(&self, _look: &Look) -> Vec<Mark> {
        Vec::new()
    }

    /// Draws itself; the first row of `area` is its header's. Any area, also none at all.
    fn draw(&mut self, area: Rect, buf: &mut Buffer, seen: &Seen<'_>);
}
