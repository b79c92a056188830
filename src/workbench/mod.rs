//! The terminal workbench: it knows the pipeline's events and commands and the session's read side, never a tensor.
//!
//! `Msg` → [`Shell::update`](shell::Shell::update) → [`Effect`](shell::Effect)s, and [`Shell::draw`](shell::Shell::draw)
//! fills cells: neither touches a terminal, so both are tested without one. `live` is the only part that does. A pane
//! ([`pane::Pane`]) takes actions and answers, asks the session through [`jobs::Query`], and wishes for what it can't do
//! itself.

pub mod action;
pub mod ascii;
pub mod curves;
pub mod editor;
pub mod filter;
pub mod handle;
pub mod hear;
pub mod history;
pub mod house;
pub mod jobs;
pub mod keymap;
pub mod live;
pub mod log;
pub mod look;
pub mod pacer;
pub mod pane;
pub mod panes;
pub mod probe;
pub mod sheet;
pub mod shell;
pub mod shot;
pub mod signals;
pub mod source;
pub mod stages;
pub mod state;
pub mod terminal;
pub mod text;
pub mod theme;
pub mod training;
pub mod widgets;
