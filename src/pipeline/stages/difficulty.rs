//! Difficulty: n samples per training question (eqs. 1 to 3), under the student as it stands. The band follows from k
//! and n. At the end of a run it is measured once more, so that before and after can be compared.

use crate::domain::{Band, BandEdges, Question};
use crate::pipeline::asking::{Ask, sample_missing};
use crate::pipeline::context::{Context, StageError, Summary};
use crate::pipeline::material::Material;
use crate::session::Session;

/// The stage that bands the questions of a run.
pub const FIRST: &str = "1-difficulty";

/// Samples what is missing.
pub fn run(cx: &Context) -> Result<Summary, StageError> {
    let ask = Ask {
        prefix: cx.stage.key(),
        questions: &cx.material.train,
        n: cx.recipe.difficulty.n,
        sampling: cx.recipe.difficulty.sampling,
        ban_marker: false,
        verifier: cx.verifier,
    };
    let tokens = sample_missing(cx, &cx.checkpoint(), &[ask])?;
    let mut counts = [0; 3];
    for (_, band) in bands(cx.session, &cx.stage.key(), &edges(cx.recipe))? {
        counts[band as usize] += 1;
    }
    let [simple, medium, hard] = counts;
    Ok(Summary { text: format!("{simple} simple, {medium} medium, {hard} hard"), tokens })
}

/// The band edges of a recipe.
pub fn edges(recipe: &crate::recipe::Recipe) -> BandEdges {
    BandEdges { medium_from: recipe.difficulty.medium_from, simple_from: recipe.difficulty.simple_from }
}

/// Question and band, in the order of the ids, as one difficulty stage measured them. Reads briefs, never the texts.
pub fn bands(session: &Session, stage: &str, edges: &BandEdges) -> Result<Vec<(String, Band)>, StageError> {
    let briefs = session.rollout_briefs(&format!("{stage}/"));
    let banded = briefs.map(|item| item.map(|(_, b)| (b.question, Band::of(b.correct, b.n, edges))));
    Ok(banded.collect::<Result<_, _>>()?)
}

/// The questions of one band, as the run's first difficulty stage measured it.
pub fn questions_of<'a>(cx: &Context<'a>, band: Band) -> Result<Vec<&'a Question>, StageError> {
    banded(cx.session, cx.recipe, cx.material, band)
}

/// As [`questions_of`], outside a stage.
pub fn banded<'a>(
    session: &Session,
    recipe: &crate::recipe::Recipe,
    material: &'a Material,
    band: Band,
) -> Result<Vec<&'a Question>, StageError> {
    let bands = bands(session, FIRST, &edges(recipe))?;
    let chosen = bands.into_iter().filter(|(_, b)| *b == band);
    Ok(chosen.filter_map(|(id, _)| material.find(&id)).collect())
}
