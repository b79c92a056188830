//! The questions of a run from files: training questions with a dev split carved out of them, and the benchmarks that it
//! is measured on. The dev split is never taken from a benchmark (reading.md, row 7).

use std::collections::HashSet;

use rand::SeedableRng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

use super::context::StageError;
use super::material::{DEV, Material, Split, TRAIN};
use super::seeds::stream;
use crate::data::source::{Source, SourceSpec, open};
use crate::domain::Question;
use crate::recipe::{DataRecipe, Recipe};
use crate::session::records::Sourced;

/// Reads the files that the recipe names. Without iterations there is nothing to train on, and only the benchmarks are
/// read.
///
/// # Errors
/// A file that cannot be used, a benchmark named twice, nothing to train or to measure on.
pub fn material(recipe: &Recipe) -> Result<Material, StageError> {
    let (mut train, mut dev, mut sources) = (Vec::new(), None, Vec::new());
    if recipe.iterations > 0 {
        let source = open(&SourceSpec::training(&recipe.data)?)?;
        let of = |split: &str, used: usize| sourced(split, &source, used);
        let (left, held) = carve(&source, &recipe.data)?;
        train = left;
        sources.push(of(TRAIN, train.len()));
        if !held.is_empty() {
            sources.push(of(DEV, held.len()));
            dev = Some(Split { name: DEV.into(), questions: held, verifier: source.verifier });
        }
    }
    let mut evaluated: Vec<Split> = Vec::new();
    for what in &recipe.evaluate.bench {
        let mut source = open(&SourceSpec::benchmark(what, &recipe.data))?;
        let name = split_name(&source.name);
        if evaluated.iter().any(|split| split.name == name) {
            return Err(StageError::Recipe(format!("evaluate.bench names {name} twice; name it once")));
        }
        trained_on(&train, &mut source);
        if recipe.evaluate.limit > 0 {
            source.questions.truncate(recipe.evaluate.limit);
        }
        sources.push(sourced(&name, &source, source.questions.len()));
        evaluated.push(Split { name, questions: source.questions, verifier: source.verifier });
    }
    evaluated.extend(dev);
    if evaluated.is_empty() {
        let text = "there is nothing to measure on: data.dev is 0 and evaluate.bench is empty; set one of them";
        return Err(StageError::Recipe(text.into()));
    }
    (0..).zip(&mut sources).for_each(|(place, source)| source.place = place);
    Ok(Material::new(train, evaluated, sources))
}

/// Training questions and the dev split. Which questions are held out depends on the file and `data.seed` alone, so that
/// runs with fewer training questions choose their checkpoints on the same ones; both keep the order of the file.
fn carve(source: &Source, data: &DataRecipe) -> Result<(Vec<Question>, Vec<Question>), StageError> {
    let all = source.questions.len();
    if data.dev >= all {
        return Err(StageError::Recipe(format!(
            "data.dev is {}, and {} holds {all} questions; leave some to train on, for example data.dev = {}",
            data.dev,
            source.path.display(),
            all / 5
        )));
    }
    let mut dice = ChaCha8Rng::seed_from_u64(stream(data.seed, "dev", &source.name));
    let held: HashSet<usize> = sample(&mut dice, all, data.dev).into_iter().collect();
    let (mut train, mut dev) = (Vec::with_capacity(all - data.dev), Vec::with_capacity(data.dev));
    for (at, question) in source.questions.iter().enumerate() {
        if held.contains(&at) { dev.push(question.clone()) } else { train.push(question.clone()) }
    }
    if data.train > 0 {
        train.truncate(data.train);
    }
    Ok((train, dev))
}

/// Says where a benchmark holds questions that are trained on.
fn trained_on(train: &[Question], source: &mut Source) {
    let known: HashSet<&str> = train.iter().map(|question| question.text.trim()).collect();
    let shared = source.questions.iter().filter(|question| known.contains(question.text.trim())).count();
    if shared > 0 {
        source.notes.push(format!("{shared} of its questions are trained on"));
    }
}

/// A benchmark's name as the name of a split; those of the training file's own splits are taken.
fn split_name(name: &str) -> String {
    let name: String = name.chars().map(|c| if c == '/' || c.is_control() { '-' } else { c }).collect();
    if name == TRAIN || name == DEV { format!("{name}-file") } else { name }
}

fn sourced(split: &str, source: &Source, used: usize) -> Sourced {
    Sourced {
        split: split.into(),
        place: 0,
        name: source.name.clone(),
        path: source.path.display().to_string(),
        sha256: source.sha256.clone(),
        rows: source.rows,
        used,
        verifier: source.verifier.name().into(),
        notes: if split == DEV { Vec::new() } else { source.notes.clone() },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn file(rows: usize) -> (tempfile::TempDir, Recipe) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("own.jsonl");
        let row = |n: usize| format!("{{\"question\":\"What is {n} and one?\",\"answer\":\"#### {}\"}}\n", n + 1);
        std::fs::write(&path, (0..rows).map(row).collect::<String>()).unwrap();
        let mut recipe = Recipe::default();
        recipe.data.source = path.display().to_string();
        (home, recipe)
    }

    fn ids(questions: &[Question]) -> Vec<&str> {
        questions.iter().map(|q| q.id.as_str()).collect()
    }

    #[test]
    fn the_dev_split_is_seeded_held_out_and_independent_of_how_much_is_trained_on() {
        let (_home, mut recipe) = file(40);
        recipe.data.dev = 10;
        let whole = material(&recipe).unwrap();
        let dev = &whole.evaluated[0];
        assert_eq!((dev.name.as_str(), dev.questions.len(), whole.train.len()), (DEV, 10, 30));
        assert!(dev.questions.iter().all(|q| whole.find(&q.id).is_none()));
        assert!(whole.train.is_sorted_by(|a, b| a.id < b.id));
        let used: Vec<(&str, usize, usize)> =
            whole.sources.iter().map(|s| (s.split.as_str(), s.used, s.rows)).collect();
        assert_eq!(used, [(TRAIN, 30, 40), (DEV, 10, 40)]);
        recipe.data.train = 5;
        let part = material(&recipe).unwrap();
        assert_eq!(ids(&part.train), ids(&whole.train)[..5]);
        assert_eq!(ids(&part.evaluated[0].questions), ids(&dev.questions));
        recipe.data.seed += 1;
        assert_ne!(ids(&material(&recipe).unwrap().evaluated[0].questions), ids(&dev.questions));
    }

    #[test]
    fn what_leaves_nothing_is_refused_and_what_is_trained_on_is_told() {
        let (_home, mut recipe) = file(4);
        assert!(material(&recipe).unwrap_err().to_string().contains("data.dev is 256, and"));
        recipe.data.dev = 0;
        assert!(material(&recipe).unwrap_err().to_string().contains("nothing to measure on"));
        recipe.evaluate.bench = vec![recipe.data.source.clone()];
        let found = material(&recipe).unwrap();
        assert_eq!((found.evaluated[0].name.as_str(), found.sources[1].used), ("own", 4));
        assert!(found.sources[1].notes.iter().any(|note| note == "4 of its questions are trained on"));
        recipe.evaluate.limit = 3;
        assert_eq!(material(&recipe).unwrap().evaluated[0].questions.len(), 3);
        recipe.evaluate.bench.push(recipe.data.source.clone());
        assert!(material(&recipe).unwrap_err().to_string().contains("own twice"));
        (recipe.iterations, recipe.evaluate.bench) = (0, vec![recipe.data.source.clone()]);
        recipe.data.source = "none".into();
        let only = material(&recipe).unwrap();
        assert_eq!((only.train.len(), only.sources.len(), only.evaluated.len()), (0, 1, 1));
    }
}
