//! The settings of LoRA.

use serde::{Deserialize, Serialize};

/// Low-rank adapters that are trained in place of the weights, by SFT and GRPO alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoraRecipe {
    /// Rank of an adapter; 0 trains every weight.
    pub rank: usize,
    /// An adapter's product is scaled by this over the rank.
    pub alpha: f64,
    /// Which linear maps of every layer have one.
    pub targets: Vec<LoraTarget>,
}

impl LoraRecipe {
    /// Whether adapters are trained.
    pub fn on(&self) -> bool {
        self.rank > 0 && !self.targets.is_empty()
    }
}

/// A linear map of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoraTarget {
    /// Queries.
    QProj,
    /// Keys.
    KProj,
    /// Values.
    VProj,
    /// Output of attention.
    OProj,
    /// Gate of the feed-forward part.
    GateProj,
    /// Its upward map.
    UpProj,
    /// Its downward map.
    DownProj,
}

impl LoraTarget {
    /// All of them.
    pub const ALL: [LoraTarget; 7] = [
        LoraTarget::QProj,
        LoraTarget::KProj,
        LoraTarget::VProj,
        LoraTarget::OProj,
        LoraTarget::GateProj,
        LoraTarget::UpProj,
        LoraTarget::DownProj,
    ];

    /// The map's name in checkpoints and recipes.
    pub fn name(self) -> &'static str {
        match self {
            LoraTarget::QProj => "q_proj",
            LoraTarget::KProj => "k_proj",
            LoraTarget::VProj => "v_proj",
            LoraTarget::OProj => "o_proj",
            LoraTarget::GateProj => "gate_proj",
            LoraTarget::UpProj => "up_proj",
            LoraTarget::DownProj => "down_proj",
        }
    }
}
