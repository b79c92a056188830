//! Review: every command accepted and refused, what it touches, undo and redo, decisions of a live run and of one that
//! stands still, and their effect on what is trained.

mod again;
mod base;
mod commands;
mod history;
mod live;
mod shell;
mod steps;
