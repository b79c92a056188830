//! What a recipe may ask of this version. Recipes can say more than is built; better no run than one that does something
//! else than its recipe says.

use super::context::StageError;
use crate::recipe::{Recipe, ScoreOn, TeacherRecipe};

/// Refuses what this version would not honour, before anything begins.
///
/// # Errors
/// [`StageError::Recipe`] with the setting and what to write instead.
pub fn supported(recipe: &Recipe) -> Result<(), StageError> {
    let refuse = |text: String| Err(StageError::Recipe(text));
    if recipe.data.source != "world" {
        return refuse(format!(
            "data.source is \"{}\", and a run on a file of questions needs a model teacher, which this version does not \
             have; set data.source = \"world\"",
            recipe.data.source
        ));
    }
    if recipe.bridge.score_on == ScoreOn::Processed {
        return refuse(
            "bridge.score_on is \"processed\", which this version does not have; set it to \"original\" (the default)"
                .into(),
        );
    }
    let TeacherRecipe { temperature, top_p, .. } = TeacherRecipe::default();
    if (recipe.teacher.temperature, recipe.teacher.top_p) != (temperature, top_p) {
        return refuse(format!(
            "teacher.temperature and teacher.top_p are for a model teacher, and this version has the rules only; leave them \
             at {temperature} and {top_p}"
        ));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_runs_and_what_is_not_built_is_refused_by_name() {
        let demo = Recipe::preset("demo").unwrap();
        supported(&demo).unwrap();
        let (mut file, mut processed, mut warm) = (demo.clone(), demo.clone(), demo);
        file.data.source = "questions.jsonl".into();
        processed.bridge.score_on = ScoreOn::Processed;
        warm.teacher.temperature = 1.0;
        for (recipe, setting) in [(file, "data.source"), (processed, "bridge.score_on"), (warm, "teacher.temperature")]
        {
            assert!(supported(&recipe).unwrap_err().to_string().starts_with(setting));
        }
    }
}
