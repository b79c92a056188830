//! Evaluation of one checkpoint: greedy on every split, n samples and the format control on the reported ones. The dev
//! split is for choosing the checkpoint only (reading.md, rows 7 and 40).

use crate::evaluate::{mean_of_columns, measure};
use crate::pipeline::asking::{Ask, sample_missing};
use crate::pipeline::context::{Context, StageError, Summary, all};
use crate::recipe::SamplingRecipe;
use crate::session::records::RolloutGroup;

/// The split that chooses the checkpoint.
pub const DEV: &str = "dev";

/// Samples what is missing.
pub fn run(cx: &Context) -> Result<Summary, StageError> {
    let recipe = &cx.recipe.evaluate;
    let greedy = SamplingRecipe { temperature: 0.0, top_p: 1.0, max_new_tokens: recipe.max_new_tokens };
    let checkpoint = &cx.stage.of;
    let mut asks = Vec::new();
    for (split, questions) in &cx.material.evaluated {
        let ask = |kind: &str, n: u32, sampling: SamplingRecipe, ban_marker: bool| Ask {
            prefix: format!("{}/{kind}/{split}", cx.stage.key()),
            questions,
            n,
            sampling,
            ban_marker,
        };
        asks.push(ask("greedy", 1, greedy, false));
        if split != DEV {
            if recipe.n > 0 {
                asks.push(ask("sampled", recipe.n, recipe.sampling, false));
            }
            if recipe.format_control {
                asks.push(ask("control", 1, greedy, true));
            }
        }
    }
    let tokens = sample_missing(cx, checkpoint, &asks)?;
    let mut parts = Vec::new();
    let mut columns = Vec::new();
    for (split, _) in &cx.material.evaluated {
        let prefix = format!("{}/greedy/{split}/", cx.stage.key());
        let groups: Vec<RolloutGroup> = all(cx.session, &prefix)?.into_iter().map(|(_, g)| g).collect();
        let accuracy = measure(&groups, &[], &[], recipe.k).accuracy;
        parts.push(format!("{split} {:.1}", 100.0 * accuracy.value));
        if split != DEV {
            columns.push(accuracy);
        }
    }
    let mean = mean_of_columns(&columns);
    Ok(Summary { text: format!("{} · mean {:.1} %", parts.join(" · "), 100.0 * mean.value), tokens })
}
