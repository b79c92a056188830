//! The whole loop on a small world: that a run is a function of recipe and seed, whatever interrupts it; that the
//! control arms are comparable; that nothing unapproved is trained on; that bad input is told in one line.

mod arms;
mod engine;
mod gates;
mod input;
mod kill;
mod lineage;
mod lora;
mod repeat;
pub mod runs;
mod stop;
mod tokens;
mod why;
