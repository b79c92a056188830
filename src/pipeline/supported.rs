//! What a recipe may ask of this version. Recipes can say more than is built; better no run than one that does something
//! else than its recipe says.

use super::context::StageError;
use super::material::{NONE, WORLD};
use crate::recipe::{Arm, Recipe, TeacherRecipe};

/// Refuses a teacher that cannot teach what the recipe trains on.
///
/// # Errors
/// As [`supported`].
pub fn supported_teacher(recipe: &Recipe) -> Result<(), StageError> {
    if recipe.data.source != WORLD && recipe.iterations > 0 && recipe.teacher.kind == "rules" {
        return Err(StageError::Recipe(format!(
            "data.source is \"{}\", and teacher.kind is \"rules\", which know the generated world only; set teacher.kind \
             to a model (`footbridge recipe show` lists them)",
            recipe.data.source
        )));
    }
    let TeacherRecipe { temperature, top_p, .. } = TeacherRecipe::default();
    if recipe.teacher.kind == "rules" && (recipe.teacher.temperature, recipe.teacher.top_p) != (temperature, top_p) {
        return Err(StageError::Recipe(format!(
            "teacher.temperature and teacher.top_p are for a model teacher, and this one is the rules; leave them at \
             {temperature} and {top_p}"
        )));
    }
    Ok(())
}

/// Refuses what this version would not honour, before anything begins.
///
/// # Errors
/// [`StageError::Recipe`] with the setting and what to write instead.
pub fn supported(recipe: &Recipe) -> Result<(), StageError> {
    let refuse = |text: String| Err(StageError::Recipe(text));
    let world = recipe.data.source == WORLD;
    if recipe.data.source == NONE && recipe.iterations > 0 {
        return refuse(
            "data.source is \"none\", and a run with iterations needs questions to train on; name a benchmark \
                       or a file (`footbridge data check FILE` says what is in it)"
                .into(),
        );
    }
    if world && !recipe.evaluate.bench.is_empty() {
        return refuse(
            "evaluate.bench is for questions from files; the generated world brings its own, so leave it empty \
                       or set data.source"
                .into(),
        );
    }
    if !world && recipe.iterations > 0 && recipe.arm == Arm::Neutral {
        return refuse(format!(
            "arm is \"neutral\", and data.source is \"{}\"; that arm needs the generated world, whose pre-training \
             texts are known; set arm to bridged or raw-hard",
            recipe.data.source
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
        supported_teacher(&demo).unwrap();
        let (mut none, mut bench, mut neutral) = (demo.clone(), demo.clone(), demo.clone());
        none.data.source = NONE.into();
        bench.evaluate.bench = vec!["svamp".into()];
        (neutral.data.source, neutral.arm) = ("gsm8k-train".into(), Arm::Neutral);
        for (recipe, setting) in [(&none, "data.source"), (&bench, "evaluate.bench"), (&neutral, "arm")] {
            assert!(supported(recipe).unwrap_err().to_string().starts_with(setting), "{setting}");
        }
        none.iterations = 0;
        supported(&none).unwrap();
        supported_teacher(&none).unwrap();
        let (mut file, mut warm) = (demo.clone(), demo);
        file.data.source = "questions.jsonl".into();
        warm.teacher.temperature = 1.0;
        for (recipe, setting) in [(file, "data.source"), (warm, "teacher.temperature")] {
            assert!(supported_teacher(&recipe).unwrap_err().to_string().starts_with(setting), "{setting}");
        }
    }
}
