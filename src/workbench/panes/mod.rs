//! The panes, a folder each, and the table of all actions.

pub mod bridge;
pub mod datasets;
pub mod evaluation;
pub mod home;
pub mod prompts;
pub mod questions;
pub mod recycle;
pub mod rewards;
pub mod rollouts;
pub mod run;

use super::action::Bound;
use super::pane::{Pane, PaneId};

/// A new pane.
pub fn make(id: PaneId) -> Box<dyn Pane> {
    match id {
        PaneId::Home => Box::new(home::Home::default()),
        PaneId::Run => Box::new(run::Run::default()),
        PaneId::Questions => Box::new(questions::Questions::default()),
        PaneId::Bridge => Box::new(bridge::Bridge::default()),
        PaneId::Recycle => Box::new(recycle::Recycle::default()),
        PaneId::Rewards => Box::new(rewards::Rewards::default()),
        PaneId::Rollouts => Box::new(rollouts::Rollouts::default()),
        PaneId::Evaluation => Box::new(evaluation::Evaluation::default()),
        PaneId::DataSets => Box::new(datasets::DataSets::default()),
        PaneId::Prompts => Box::new(prompts::Prompts::default()),
    }
}

/// The table of a pane's own actions.
pub fn bindings(id: PaneId) -> &'static [Bound] {
    match id {
        PaneId::Home => home::BINDINGS,
        PaneId::Run => run::BINDINGS,
        PaneId::Questions => questions::BINDINGS,
        PaneId::Bridge => bridge::BINDINGS,
        PaneId::Recycle => recycle::BINDINGS,
        PaneId::Rewards => rewards::BINDINGS,
        PaneId::Rollouts => rollouts::BINDINGS,
        PaneId::Evaluation => evaluation::BINDINGS,
        PaneId::DataSets => datasets::BINDINGS,
        PaneId::Prompts => prompts::BINDINGS,
    }
}
