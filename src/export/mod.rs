//! What a run leaves for others: its report as data, as text, as JSON.
//!
//! | file | idea |
//! |---|---|
//! | `report` | the report as data |
//! | `gather` | a session into a report: the checkpoints and what differs between them |
//! | `training` | the rest of it: questions, texts, SFT and GRPO |
//! | `sources` | the files the questions come from |
//! | `lineage` | the way back from a training text |
//! | `preview` | training texts as they are rendered, and their mix |
//! | `marks` | trained tokens between marks, told from a text's own |
//! | `beside` | other sessions at its side |
//! | `weights`, `dataset` | checkpoints and training texts for other programs |
//! | `evaluation` | one student on benchmarks, without a run |
//! | `text` | tables for a terminal of 100 columns |

mod beside;
mod dataset;
mod evaluation;
mod gather;
pub mod lineage;
pub mod marks;
pub mod preview;
mod report;
mod sources;
mod text;
mod training;
mod weights;

pub use beside::{Beside, BesideError, BesideRow, BesideSession, beside, side};
pub use dataset::dataset;
pub use evaluation::{BenchmarkRow, Evaluation, evaluation};
pub use gather::{Examined, gather, standings};
pub use report::{AllZero, Bands, CheckpointRow, Comparison, Grpo, Report, Results, SampleCount, Sft, Timing};
pub use sources::Source;
pub(crate) use text::{Table, wrapped};
pub use weights::{ExportError, weights};
