//! A run as typed TOML: every number of the paper is a field with its default.
//!
//! A recipe file may extend a preset and names only what differs; what it says wrongly is answered with file, line and
//! the nearest valid name.
//!
//! ```toml
//! extends = "demo"
//!
//! [grpo]
//! lr = 5e-5
//! ```

mod defaults;
mod device;
mod draft;
mod error;
mod fields;
mod limit;
mod load;
mod lora;
mod nearest;
mod presets;
mod rules;
mod set;
mod settings;
mod takes;
pub mod training;
pub mod types;
mod words;
mod write;

pub use device::DeviceChoice;
pub use draft::{Draft, Fault};
pub use error::{Problem, RecipeError};
pub use fields::{FIELDS, Field, TEACHERS, VERIFIERS, field};
pub use load::Loaded;
pub use presets::{about as preset_about, names as preset_names};
pub use takes::{Range, Takes};
pub use types::*;
