//! The terminal screen: it knows the pipeline's events and commands, never a tensor.
//!
//! `Msg` → [`update`](update::update) → [`State`](state::State) → [`draw`](view::draw): the first and the last are pure,
//! so both are tested without a terminal. `live` is the only part that touches one.

pub mod action;
pub mod curves;
pub mod handle;
pub mod live;
pub mod log;
pub mod look;
pub mod pacer;
pub mod probe;
pub mod shot;
pub mod signals;
pub mod stages;
pub mod state;
pub mod terminal;
pub mod text;
pub mod theme;
pub mod update;
pub mod view;
