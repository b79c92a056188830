//! Difficulty bands: simple, medium, hard by the share of correct samples (eq. 3, section 3.1).

use std::fmt;

use serde::{Deserialize, Serialize};

/// How hard a question is for one student.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Band {
    /// ρ in [0.75, 1].
    Simple,
    /// ρ in [0.25, 0.75).
    Medium,
    /// ρ in [0, 0.25).
    Hard,
}

/// Where bands begin; each band contains its lower edge (reading.md, row 1).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BandEdges {
    /// Medium starts at this share of correct samples.
    pub medium_from: f64,
    /// Simple starts at this share.
    pub simple_from: f64,
}

impl Default for BandEdges {
    fn default() -> Self {
        Self { medium_from: 0.25, simple_from: 0.75 }
    }
}

impl Band {
    /// All bands, easiest first.
    pub const ALL: [Band; 3] = [Band::Simple, Band::Medium, Band::Hard];

    /// The band of a question with `k` correct answers among `n`. Without samples nothing was solved: hard.
    pub fn of(k: u32, n: u32, edges: &BandEdges) -> Self {
        // A quotient of small integers is the double nearest to it, and so is an edge written as a decimal: they meet.
        let rho = if n == 0 { 0.0 } else { f64::from(k) / f64::from(n) };
        if n > 0 && rho >= edges.simple_from {
            Band::Simple
        } else if n > 0 && rho >= edges.medium_from {
            Band::Medium
        } else {
            Band::Hard
        }
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Band::Simple => "simple",
            Band::Medium => "medium",
            Band::Hard => "hard",
        }
    }
}

impl fmt::Display for Band {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
