//! Questions, a student and a teacher for runs on files: small enough for a few seconds.

use std::path::{Path, PathBuf};

use footbridge::domain::{Diagnosis, Question};
use footbridge::pipeline::run::{Ground, Run, start};
use footbridge::recipe::Recipe;
use footbridge::session::{NewSession, Sessions};
use footbridge::teacher::{Teacher, TeacherError};
use serde_json::json;

/// The tiny student with random weights and a tokenizer like the published ones.
pub fn student() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/qwen2-tiny")
}

/// A benchmark's file beside the checkout; says so where it is not there.
pub fn data(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("FOOTBRIDGE_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let path = folder.join(name);
    if path.is_file() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
}

/// Twenty questions with worked solutions, in the layout of GSM8K.
pub fn questions(folder: &Path, name: &str, from: usize) -> PathBuf {
    let row = |n: usize| {
        let (bags, each, eaten) = (2 + n % 5, 3 + n % 4, 1 + n % 3);
        let all = bags * each;
        json!({
            "question": format!("Tom {n} has {bags} bags with {each} nuts each and eats {eaten}. How many nuts are left?"),
            "answer": format!(
                "He has {bags} * {each} = <<{bags}*{each}={all}>>{all} nuts.\nHe eats {eaten}, so {all} - {eaten} = \
                 <<{all}-{eaten}={left}>>{left} are left.\n#### {left}",
                left = all - eaten
            ),
        })
        .to_string()
            + "\n"
    };
    let path = folder.join(name);
    std::fs::write(&path, (from..from + 20).map(row).collect::<String>()).unwrap();
    path
}

/// A run on `train`, measured on `bench`, as small as it can be and still pass through everything.
pub fn recipe(train: &Path, bench: &[&Path], more: &[(&str, &str)]) -> Recipe {
    let small = [
        ("data.dev", "4"),
        ("data.train", "12"),
        ("evaluate.limit", "4"),
        ("difficulty.n", "2"),
        ("difficulty.sampling.max_new_tokens", "24"),
        ("rollouts.group", "2"),
        ("rollouts.sampling.max_new_tokens", "24"),
        ("grpo.group", "2"),
        ("grpo.prompts", "4"),
        ("grpo.mini_batch", "2"),
        ("grpo.steps", "[2]"),
        ("grpo.sampling.max_new_tokens", "24"),
        ("sft.save_every", "2"),
        ("grpo.save_every", "1"),
        ("evaluate.n", "2"),
        ("evaluate.k", "2"),
        ("evaluate.max_new_tokens", "24"),
        ("evaluate.sampling.max_new_tokens", "24"),
    ];
    let set: Vec<(String, String)> =
        small.iter().chain(more).map(|(key, value)| (key.to_string(), value.to_string())).collect();
    let mut recipe = Recipe::default().with(&set).unwrap();
    recipe.student.path = student().display().to_string();
    recipe.data.source = train.display().to_string();
    recipe.evaluate.bench = bench.iter().map(|path| path.display().to_string()).collect();
    recipe
}

/// Starts, or continues, a run with the teacher of the solutions.
pub fn begin(sessions: &Sessions, name: &str, recipe: &Recipe) -> Run {
    let ground = Ground::with_teacher(recipe, 2, Box::new(Solutions)).unwrap();
    let session = if sessions.contains(name) {
        let session = sessions.open(name).unwrap();
        ground.fits(&session).unwrap();
        session
    } else {
        sessions.create(name, &NewSession { recipe: &recipe.to_toml(), seed: recipe.seed }).unwrap()
    };
    start(session, recipe.clone(), ground)
}

/// A teacher that knows each question's worked solution and judges by simple rules.
pub struct Solutions;

impl Solutions {
    /// The solution without the calculator's marks.
    fn of(question: &Question) -> Result<String, TeacherError> {
        let solution = question.solution.as_ref().ok_or_else(|| TeacherError::UnknownQuestion(question.id.clone()))?;
        let mut text = String::new();
        for (at, part) in solution.split("<<").enumerate() {
            text.push_str(if at == 0 { part } else { part.split_once(">>").map_or(part, |(_, after)| after) });
        }
        Ok(text)
    }
}

impl Teacher for Solutions {
    fn name(&self) -> &str {
        "solutions"
    }

    fn trace(&self, question: &Question, _attempt: u32) -> Result<String, TeacherError> {
        Self::of(question)
    }

    /// Steps that compute matter.
    fn importance(&self, _: &Question, steps: &[String], index: usize, _: u32) -> Result<f64, TeacherError> {
        Ok(if steps[index].contains('=') { 1.0 } else { 0.25 })
    }

    /// Long steps jump.
    fn jumpiness(&self, _: &Question, steps: &[String], index: usize, _: u32) -> Result<f64, TeacherError> {
        Ok(if steps[index].len() > 60 { 0.75 } else { 0.25 })
    }

    fn compress(&self, _: &Question, _: &str, step: &str, _: u32) -> Result<String, TeacherError> {
        Ok(step.split(['.', ',']).next().unwrap_or(step).to_string())
    }

    fn expand(&self, _: &Question, _: &str, step: &str, _: u32) -> Result<String, TeacherError> {
        Ok(format!("Think of what is asked. {step}"))
    }

    fn localize(&self, _: &Question, _: &str, step: &str, _: u32) -> Result<String, TeacherError> {
        Ok(step.to_string())
    }

    fn diagnose(
        &self,
        question: &Question,
        response: &str,
        _: Option<&str>,
        _: u32,
    ) -> Result<Diagnosis, TeacherError> {
        let first = response.trim().lines().next().unwrap_or_default();
        let solution = Self::of(question)?;
        Ok(Diagnosis {
            first_error: first.chars().take(100).collect(),
            error_type: "no reasoning".into(),
            why_wrong: "Nothing here follows from the question.".into(),
            missing_knowledge: "To compute with the numbers of the question.".into(),
            minimal_fix: "Begin with the first amount.".into(),
            correct_next_step: solution.lines().next().unwrap_or_default().into(),
            short_correct_reasoning: solution,
        })
    }
}
