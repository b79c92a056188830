//! The order of the stages: iteration t is SFT(t) → rollouts → GRPO(t) → recycle(t), with an evaluation after every
//! sub-stage (reading.md, rows 38 to 40).
//!
//! Control arms (`raw-hard`, `neutral`) end after their SFT has been evaluated: they answer what bridging is worth, and
//! the loop behind it would only blur that.

use super::events::{StageId, StageKind};
use crate::recipe::{Arm, Recipe};

/// Name of the untrained student among the checkpoints.
pub const BASE: &str = "base";

impl StageKind {
    /// The name used in keys, on screen and in reports.
    pub fn name(self) -> &'static str {
        match self {
            StageKind::Difficulty => "difficulty",
            StageKind::Traces => "traces",
            StageKind::Scores => "scores",
            StageKind::Bridge => "bridge",
            StageKind::SftMedium => "sft-medium",
            StageKind::SftBridged => "sft-bridged",
            StageKind::SftRecycled => "sft-recycled",
            StageKind::Rollouts => "rollouts",
            StageKind::Split => "split",
            StageKind::Grpo => "grpo",
            StageKind::Recycle => "recycle",
            StageKind::Evaluate => "evaluate",
        }
    }

    /// Whether it leaves a checkpoint.
    pub fn trains(self) -> bool {
        matches!(self, StageKind::SftMedium | StageKind::SftBridged | StageKind::SftRecycled | StageKind::Grpo)
    }
}

impl StageId {
    /// The key of its records: `1-grpo`, `0-evaluate-base`.
    pub fn key(&self) -> String {
        match self.of.as_str() {
            "" => format!("{}-{}", self.iteration, self.kind.name()),
            of => format!("{}-{}-{of}", self.iteration, self.kind.name()),
        }
    }
}

impl std::fmt::Display for StageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.of.as_str() {
            "" => write!(f, "{} {}", self.iteration, self.kind.name()),
            of => write!(f, "{} {} {of}", self.iteration, self.kind.name()),
        }
    }
}

fn stage(iteration: u32, kind: StageKind) -> StageId {
    StageId { iteration, kind, of: String::new() }
}

fn evaluate(iteration: u32, checkpoint: &str) -> StageId {
    StageId { iteration, kind: StageKind::Evaluate, of: checkpoint.into() }
}

/// Every stage of a run, in order. Without iterations only the student as it is is evaluated.
pub fn plan(recipe: &Recipe) -> Vec<StageId> {
    let mut stages = vec![evaluate(0, BASE)];
    if recipe.iterations == 0 {
        return stages;
    }
    let train = |stages: &mut Vec<StageId>, t: u32, kind: StageKind| {
        let stage = stage(t, kind);
        let checkpoint = stage.key();
        stages.extend([stage, evaluate(t, &checkpoint)]);
    };
    for kind in [StageKind::Difficulty, StageKind::Traces, StageKind::Scores, StageKind::Bridge] {
        stages.push(stage(1, kind));
    }
    for t in 1..=recipe.iterations {
        if t == 1 {
            train(&mut stages, t, StageKind::SftMedium);
            train(&mut stages, t, StageKind::SftBridged);
        } else {
            train(&mut stages, t, StageKind::SftRecycled);
        }
        if recipe.arm != Arm::Bridged {
            return stages;
        }
        stages.extend([stage(t, StageKind::Rollouts), stage(t, StageKind::Split)]);
        train(&mut stages, t, StageKind::Grpo);
        if t < recipe.iterations {
            stages.push(stage(t, StageKind::Recycle));
        }
    }
    stages.push(StageId { iteration: recipe.iterations, kind: StageKind::Rollouts, of: "end".into() });
    stages.push(StageId { iteration: recipe.iterations, kind: StageKind::Difficulty, of: "end".into() });
    stages
}

/// The checkpoint a stage works on: the one the last training stage before it left.
pub fn parent<'a>(stages: &'a [StageId], stage: &StageId) -> Option<&'a StageId> {
    stages.iter().take_while(|s| *s != stage).filter(|s| s.kind.trains()).last()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_iterations_in_the_papers_order() {
        let keys: Vec<_> = plan(&Recipe::default()).iter().map(StageId::key).collect();
        assert_eq!(
            keys,
            [
                "0-evaluate-base",
                "1-difficulty",
                "1-traces",
                "1-scores",
                "1-bridge",
                "1-sft-medium",
                "1-evaluate-1-sft-medium",
                "1-sft-bridged",
                "1-evaluate-1-sft-bridged",
                "1-rollouts",
                "1-split",
                "1-grpo",
                "1-evaluate-1-grpo",
                "1-recycle",
                "2-sft-recycled",
                "2-evaluate-2-sft-recycled",
                "2-rollouts",
                "2-split",
                "2-grpo",
                "2-evaluate-2-grpo",
                "2-rollouts-end",
                "2-difficulty-end",
            ]
        );
    }

    #[test]
    fn control_arms_end_after_their_sft() {
        let recipe = Recipe { arm: Arm::RawHard, ..Recipe::default() };
        assert_eq!(plan(&recipe).last().map(StageId::key).as_deref(), Some("1-evaluate-1-sft-bridged"));
    }

    #[test]
    fn a_stage_works_on_the_last_trained_checkpoint() {
        let stages = plan(&Recipe::default());
        let of = |key: &str| {
            let stage = stages.iter().find(|s| s.key() == key);
            stage.and_then(|s| parent(&stages, s)).map(StageId::key)
        };
        assert_eq!(of("1-difficulty"), None);
        assert_eq!(of("1-rollouts").as_deref(), Some("1-sft-bridged"));
        assert_eq!(of("2-sft-recycled").as_deref(), Some("1-grpo"));
        assert_eq!(of("2-rollouts-end").as_deref(), Some("2-grpo"));
    }
}
