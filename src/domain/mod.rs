//! The paper's vocabulary: questions, verifiers, bands, steps, bridge decisions, rollouts, diagnoses, data sets.
//!
//! Pure: no I/O, no tensors, no clock, no async. Every rule of the paper is a small function with a table test.

pub mod advantage;
pub mod assemble;
pub mod band;
pub mod bridge;
pub mod bridging;
pub mod diagnosis;
pub mod diff;
pub mod edits;
pub mod excerpt;
pub mod interval;
pub mod near_miss;
pub mod passk;
pub mod repetition;
pub mod samples;
pub mod sets;
pub mod steps;
pub mod text;
pub mod types;
pub mod verify;

pub use advantage::{AdvantageScale, advantages};
pub use assemble::{Bridged, EditedStep, LocalStep, assemble};
pub use band::{Band, BandEdges};
pub use bridge::{Decision, Thresholds, decide};
pub use diagnosis::{DiagnosisFault, check_diagnosis, parse_diagnosis, prefix_before};
pub use edits::{EditFault, check_edit};
pub use excerpt::{Excerpt, MatchKind, find_excerpt};
pub use near_miss::{NearMiss, NearMissScore, NearMissSettings, choose_near_miss};
pub use passk::pass_at_k;
pub use repetition::repeats_itself;
pub use sets::{GroupOutcome, Partition};
pub use steps::{StepSpan, count_steps, split_answer, split_steps};
pub use text::{acts, strip_control};
pub use types::*;
pub use verify::{Verdict, Verifier, gold_from_solution};
