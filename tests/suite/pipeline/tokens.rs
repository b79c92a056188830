//! What is kept of the tokens of GRPO's rollouts: it fits the texts, and it says what the trainer says.

use footbridge::session::records::{GrpoStep, RolloutGroup};
use footbridge::session::token_logs::{StepTokens, TokenLog, nats};

use super::runs::UNDISTURBED;

/// Groups of one update of the small recipe.
const MINI_BATCH: usize = 4;

#[test]
fn every_rollout_of_grpo_has_its_tokens_with_their_places() {
    let (steps, logs) = (UNDISTURBED.all::<GrpoStep>(), UNDISTURBED.all::<StepTokens>());
    assert!(!steps.is_empty());
    assert_eq!(steps.keys().collect::<Vec<_>>(), logs.keys().collect::<Vec<_>>());
    for (key, step) in &steps {
        for (group, tokens) in step.groups.iter().zip(&logs[key].groups) {
            assert_eq!(group.rollouts.len(), tokens.len(), "{key}");
            for (rollout, log) in group.rollouts.iter().zip(tokens) {
                assert_eq!(log.surprise.len(), rollout.tokens as usize, "{key}");
                let pieces = log.cut(&rollout.text).unwrap();
                assert_eq!(pieces.iter().map(|(piece, _)| *piece).collect::<String>(), rollout.text, "{key}");
            }
        }
    }
}

#[test]
fn the_samplers_log_probs_are_the_trainers() {
    let logs = UNDISTURBED.all::<StepTokens>();
    for (key, step) in UNDISTURBED.all::<GrpoStep>() {
        let trained: Vec<(&RolloutGroup, &Vec<TokenLog>)> =
            step.groups.iter().zip(&logs[&key].groups).filter(|(group, _)| group.correct() > 0).collect();
        let updates = trained.len().div_ceil(MINI_BATCH);
        if updates == 0 {
            continue;
        }
        let mean = |groups: &[(&RolloutGroup, &Vec<TokenLog>)]| {
            let tokens: Vec<u8> =
                groups.iter().flat_map(|(_, logs)| logs.iter().flat_map(|log| log.surprise.clone())).collect();
            tokens.iter().map(|token| f64::from(nats(*token))).sum::<f64>() / tokens.len() as f64
        };
        let of =
            |update: usize| mean(&trained[update * trained.len() / updates..(update + 1) * trained.len() / updates]);
        let sampled = (0..updates).map(of).sum::<f64>() / updates as f64;
        let entropy = step.metrics.iter().find(|(name, _)| name == "entropy").unwrap().1;
        // The second update of a step sees a policy that has moved a little; log-probs are kept to a sixteenth of a nat.
        assert!((sampled - entropy).abs() < 0.03, "{key}: sampled {sampled}, trained {entropy}");
    }
}
