//! `footbridge data`: what a file of questions holds, and benchmarks from the hub.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::args::{DataVerb, ReadingArgs};
use super::exit::{Exit, Failure};
use super::out;
use crate::data::check::Seen;
use crate::data::hub::{self, Hub, HubError, Kind, Step, Wanted};
use crate::data::{Benchmark, SourceSpec, open};
use crate::domain::Verifier;
use crate::recipe::{MapRecipe, Recipe, RecipeError};

/// How often a download says how far it is.
const TELL: Duration = Duration::from_secs(2);

/// Does what is asked of data.
pub fn run(verb: &DataVerb) -> Result<Exit, Failure> {
    match verb {
        DataVerb::Check { what, verifier, reading, json } => check(what, verifier.as_deref(), reading, *json),
        DataVerb::Fetch { name, to } => fetch(&Hub::from_env(), name, to),
    }
}

/// What the command line says of a source.
pub(super) fn spec(what: &str, reading: &ReadingArgs, verifier: Option<Verifier>) -> Result<SourceSpec, Failure> {
    let spec = SourceSpec::new(what);
    Ok(SourceSpec {
        folder: reading.folder.clone(),
        map: mapped(&reading.map)?,
        svamp: reading.svamp.clone(),
        verifier,
        ..spec
    })
}

/// What `--map` says, checked like a recipe's `data.map`.
pub(super) fn mapped(given: &[(String, String)]) -> Result<MapRecipe, Failure> {
    let keys = given.iter().map(|(key, value)| (format!("data.map.{key}"), value.clone()));
    // Only the mapping of this recipe is used.
    let recipe = Recipe::preset("demo").and_then(|recipe| recipe.with(&keys.collect::<Vec<_>>()));
    Ok(recipe.map_err(|error| Failure::usage(one_line(&error)))?.data.map)
}

fn one_line(error: &RecipeError) -> String {
    error.to_string().replace("--set: ", "--map: ").replace('\n', "; ")
}

fn check(what: &str, verifier: Option<&str>, reading: &ReadingArgs, json: bool) -> Result<Exit, Failure> {
    let verifier: Option<Verifier> = verifier.map(str::parse).transpose().map_err(Failure::usage)?;
    let source = open(&spec(what, reading, verifier)?).map_err(Failure::usage)?;
    let seen = Seen::of(&source);
    let _ = if json {
        out::json_line(&serde_json::to_string(&seen).map_err(Failure::failed)?)?
    } else {
        out::stdout(&seen.table())?
    };
    Ok(Exit::Done)
}

/// Brings a benchmark into a folder, in place only when it was read whole and its count is right.
fn fetch(hub: &Hub, name: &str, to: &Path) -> Result<Exit, Failure> {
    let Some(benchmark) = Benchmark::named(name) else {
        return Err(Failure::usage(format!("there is no benchmark `{name}`; there are {}", Benchmark::names())));
    };
    let on_hub = benchmark.hub;
    let accepts = |file: &str| file.starts_with(on_hub.begins) && file.ends_with(on_hub.ends);
    let mut told: Option<Instant> = None;
    let mut tell = |step: Step<'_>| {
        if step.done >= step.total || told.is_none_or(|at| at.elapsed() >= TELL) {
            told = Some(Instant::now());
            out::stderr(&format!("{}  {} of {} kB", step.file, step.done.div_ceil(1000), step.total.div_ceil(1000)));
        }
    };
    let files = hub::fetch(hub, on_hub.repo, Kind::Dataset, Wanted::Matching(&accepts), &mut tell);
    let files = files.map_err(|error| by_hand(&error, benchmark, to))?;
    let [file] = files.as_slice() else {
        return Err(Failure::failed(format!("{} has {} files for {name}; one was expected", on_hub.repo, files.len())));
    };
    let ending = file.extension().map(|ending| ending.to_string_lossy().into_owned()).unwrap_or_default();
    let split = if benchmark.name.ends_with("-train") { "train" } else { "test" };
    let folder = to.join(benchmark.name);
    let target = folder.join(format!("{split}.{ending}"));
    place(file, &folder, &target, benchmark)?;
    let _ = out::stdout(&format!("{}\n", target.display()))?;
    Ok(Exit::Done)
}

/// Copies the file beside its place, looks at it, then gives it its name.
fn place(file: &Path, folder: &Path, target: &Path, benchmark: &'static Benchmark) -> Result<(), Failure> {
    let cannot = |path: &Path, error: std::io::Error| Failure::failed(format!("{}: {error}", path.display()));
    fs::create_dir_all(folder).map_err(|error| cannot(folder, error))?;
    let ending = target.extension().unwrap_or_default();
    let fresh: PathBuf = target.with_extension(format!("fresh.{}", ending.to_string_lossy()));
    fs::copy(file, &fresh).map_err(|error| cannot(&fresh, error))?;
    let spec = SourceSpec { verifier: Some(benchmark.verifier), ..SourceSpec::new(fresh.to_string_lossy()) };
    let keep = MapRecipe { duplicates: "keep".into(), ..spec.map.clone() };
    let read = open(&SourceSpec { map: keep, ..spec });
    let found = match read {
        Ok(source) if benchmark.published.is_none_or(|n| n == source.rows) => source,
        Ok(source) => {
            drop(fs::remove_file(&fresh));
            let published = benchmark.published.unwrap_or_default();
            let line = format!(
                "{} on the hub has {} rows, and {} has {published}; it was not kept (reading.md, row 5)",
                benchmark.hub.repo, source.rows, benchmark.title
            );
            return Err(Failure::failed(line));
        }
        Err(error) => {
            drop(fs::remove_file(&fresh));
            return Err(Failure::failed(format!("what {} sent was not kept: {error}", benchmark.hub.repo)));
        }
    };
    fs::rename(&fresh, target).map_err(|error| cannot(target, error))?;
    out::stderr(&format!("{}: N = {}, sha256 {}", benchmark.title, found.rows, found.sha256));
    Ok(())
}

/// Why the hub gave nothing, with the file and the folder that do without it.
fn by_hand(error: &HubError, benchmark: &Benchmark, to: &Path) -> Failure {
    let OnHand { file, repo } = OnHand::of(benchmark);
    let target = benchmark.files.first().map_or(file.clone(), |known| known.path.to_owned());
    let line = format!(
        "{error}. Without it: get {file} of the data set {repo}, or the original file, and put it in as {}",
        to.join(target).display()
    );
    match error {
        HubError::Name { .. } => Failure::usage(line),
        _ => Failure::failed(line),
    }
}

struct OnHand {
    file: String,
    repo: &'static str,
}

impl OnHand {
    fn of(benchmark: &Benchmark) -> Self {
        let hub = benchmark.hub;
        let file = if hub.begins.ends_with('-') {
            format!("{}*{}", hub.begins, hub.ends)
        } else {
            format!("{}{}", hub.begins, hub.ends)
        };
        Self { file, repo: hub.repo }
    }
}
