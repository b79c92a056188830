//! Evaluation of one checkpoint: greedy on every split, n samples and the format control on the reported ones. The dev
//! split is for choosing the checkpoint only (reading.md, rows 7 and 40).

use crate::evaluate::{Tally, mean_of_columns};
use crate::pipeline::asking::{Ask, sample_missing};
use crate::pipeline::context::{Context, StageError, Summary};
use crate::pipeline::events::{Level, StageId, StageKind};
use crate::pipeline::material::{DEV, Split};
use crate::recipe::SamplingRecipe;

/// A fall of the dev split by more than this, in shares, is worth a warning.
pub const FALL: f64 = 0.02;

/// Samples what is missing.
pub fn run(cx: &Context) -> Result<Summary, StageError> {
    let recipe = &cx.recipe.evaluate;
    let greedy = SamplingRecipe { temperature: 0.0, top_p: 1.0, max_new_tokens: recipe.max_new_tokens };
    let checkpoint = &cx.stage.of;
    let mut asks = Vec::new();
    for Split { name: split, questions, verifier } in &cx.material.evaluated {
        let ask = |kind: &str, n: u32, sampling: SamplingRecipe, ban_marker: bool| Ask {
            prefix: format!("{}/{kind}/{split}", cx.stage.key()),
            questions,
            n,
            sampling,
            ban_marker,
            verifier: *verifier,
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
    warn_of_a_fall(cx)?;
    let mut parts = Vec::new();
    let mut columns = Vec::new();
    for Split { name: split, .. } in &cx.material.evaluated {
        let prefix = format!("{}/greedy/{split}/", cx.stage.key());
        let mut tally = Tally::default();
        for entry in cx.session.rollout_briefs(&prefix) {
            tally.greedy(&entry?.1);
        }
        let accuracy = tally.figures(&[]).accuracy;
        parts.push(format!("{split} {:.1}", 100.0 * accuracy.value));
        if split != DEV {
            columns.push(accuracy);
        }
    }
    let text = match parts.join(" · ") {
        parts if columns.is_empty() => format!("{parts} %"),
        parts => format!("{parts} · mean {:.1} %", 100.0 * mean_of_columns(&columns).value),
    };
    Ok(Summary { text, tokens })
}

/// Greedy accuracy on the dev split, as one evaluation measured it; `None` where it did not.
fn dev_accuracy(cx: &Context, evaluation: &StageId) -> Result<Option<f64>, StageError> {
    let mut tally = Tally::default();
    for entry in cx.session.rollout_briefs(&format!("{}/greedy/{DEV}/", evaluation.key())) {
        tally.greedy(&entry?.1);
    }
    let figures = tally.figures(&[]);
    Ok((figures.questions > 0).then_some(figures.accuracy.value))
}

/// Warns where a stage lowered the dev split (reading.md, row 40).
fn warn_of_a_fall(cx: &Context) -> Result<(), StageError> {
    let earlier = cx.stages.iter().take_while(|stage| *stage != cx.stage);
    let Some(before) = earlier.filter(|stage| stage.kind == StageKind::Evaluate).last() else { return Ok(()) };
    if let (Some(was), Some(is)) = (dev_accuracy(cx, before)?, dev_accuracy(cx, cx.stage)?)
        && was - is > FALL
    {
        let text = format!("{} lowered the dev split from {:.1} to {:.1} %", cx.stage.of, 100.0 * was, 100.0 * is);
        cx.emit.log(Level::Warn, text);
    }
    Ok(())
}
