//! Model teachers: what of a model's words becomes a product and what does not; recordings and their replay; a local model.

mod local;
mod read;
mod replay;
mod scripted;
mod stages;
