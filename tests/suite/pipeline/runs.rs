//! Small runs, through the library and through the program, and what they left.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use footbridge::export::{Results, gather};
use footbridge::pipeline::events::Outcome;
use footbridge::pipeline::run::{Ground, Run, start};
use footbridge::recipe::Recipe;
use footbridge::session::records::{Prepared, SftUpdate, StageDone};
use footbridge::session::{AuditFilter, NewSession, Record, Sessions};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The seed that the tests share.
pub const SEED: u64 = 3;

/// A world of a few dozen questions: a run takes about two CPU-seconds.
const SMALL: [(&str, &str); 15] = [
    ("data.train", "40"),
    ("data.dev", "20"),
    ("data.test", "20"),
    ("data.ood", "10"),
    ("difficulty.n", "4"),
    ("rollouts.group", "4"),
    ("grpo.group", "4"),
    ("grpo.prompts", "8"),
    ("grpo.mini_batch", "4"),
    ("grpo.steps", "[3,2]"),
    ("sft.save_every", "3"),
    ("grpo.save_every", "1"),
    ("evaluate.n", "2"),
    ("evaluate.k", "2"),
    ("iterations", "2"),
];

/// The small recipe with further settings.
pub fn recipe(seed: u64, more: &[(&str, &str)]) -> Recipe {
    let set: Vec<(String, String)> =
        SMALL.iter().chain(more).map(|(key, value)| (key.to_string(), value.to_string())).collect();
    let mut recipe = Recipe::preset("demo").unwrap().with(&set).unwrap();
    recipe.seed = seed;
    recipe
}

/// `--set key=value` for every small setting.
pub fn small_args() -> Vec<String> {
    SMALL.iter().flat_map(|(key, value)| ["--set".to_string(), format!("{key}={value}")]).collect()
}

/// The program with arguments and a folder of sessions, not yet started.
pub fn footbridge(args: &[&str], sessions: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_footbridge"));
    command.args(args).arg("--sessions-dir").arg(sessions).stdin(Stdio::null());
    command
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What `report --json` calls the results.
pub fn reported(name: &str, sessions: &Path) -> Value {
    let Output { status, stdout, stderr } = footbridge(&["report", name, "--json"], sessions).output().unwrap();
    assert!(status.success(), "{}", text(&stderr));
    serde_json::from_slice::<Value>(&stdout).unwrap()["results"].take()
}

/// Starts the run of a new session.
pub fn begin(sessions: &Sessions, name: &str, recipe: &Recipe, threads: usize) -> Run {
    let new = NewSession { recipe: &recipe.to_toml(), seed: recipe.seed };
    let ground = Ground::lay(recipe, threads).unwrap();
    start(sessions.create(name, &new).unwrap(), recipe.clone(), ground)
}

/// Continues the run of a session.
pub fn resume(sessions: &Sessions, name: &str, recipe: &Recipe) -> Run {
    start(sessions.open(name).unwrap(), recipe.clone(), Ground::lay(recipe, 2).unwrap())
}

/// Hears a run to the end of its events, with its commands still open.
pub fn outcome(run: Run) -> Outcome {
    for _ in run.events {}
    run.handle.join().unwrap()
}

/// Everything a session holds.
#[derive(Clone, Debug)]
pub struct Found {
    pub results: Results,
    /// `table/key` to the record, but for what time has a part in.
    pub records: BTreeMap<String, Value>,
    pub stages: BTreeMap<String, StageDone>,
    /// Folder of a checkpoint to the SHA-256 of its weights.
    pub weights: BTreeMap<String, String>,
}

impl Found {
    /// Reads a session.
    pub fn of(sessions: &Sessions, name: &str, recipe: &Recipe) -> Self {
        let session = sessions.open_read_only(name).unwrap();
        let mut records = BTreeMap::new();
        for entry in session.audit(AuditFilter::default()).unwrap() {
            let entry = entry.unwrap();
            if entry.table != "stage" && entry.table != "spent" {
                records.insert(format!("{}/{}", entry.table, entry.key), entry.after.unwrap().json());
            }
        }
        let stages = session.scan::<StageDone>("").collect::<Result<_, _>>().unwrap();
        let mut weights = BTreeMap::new();
        for folder in std::fs::read_dir(session.dir().join("checkpoints")).unwrap() {
            let folder = folder.unwrap();
            let bytes = std::fs::read(folder.path().join("model.safetensors")).unwrap_or_default();
            weights.insert(folder.file_name().into_string().unwrap(), hex::encode(Sha256::digest(bytes)));
        }
        Self { results: gather(&session, recipe).unwrap().results, records, stages, weights }
    }

    /// The records of one table, by key.
    pub fn all<R: Record>(&self) -> BTreeMap<String, R> {
        let of = |(key, value): (&String, &Value)| {
            let key = key.strip_prefix(R::TABLE)?.strip_prefix('/')?;
            Some((key.to_string(), serde_json::from_value(value.clone()).unwrap()))
        };
        self.records.iter().filter_map(of).collect()
    }

    /// The texts of a stage.
    pub fn texts(&self, stage: &str) -> Vec<Prepared> {
        let prefix = format!("{stage}/");
        self.all::<Prepared>().into_iter().filter(|(key, _)| key.starts_with(&prefix)).map(|(_, text)| text).collect()
    }

    /// The updates of a stage.
    pub fn updates(&self, stage: &str) -> Vec<SftUpdate> {
        let prefix = format!("{stage}/");
        self.all::<SftUpdate>().into_iter().filter(|(key, _)| key.starts_with(&prefix)).map(|(_, u)| u).collect()
    }

    /// Fails with the first difference; time may differ.
    pub fn assert_equals(&self, other: &Self) {
        assert_eq!(self.results, other.results);
        assert_eq!(self.records.keys().collect::<Vec<_>>(), other.records.keys().collect::<Vec<_>>());
        for (key, record) in &self.records {
            assert_eq!(record, &other.records[key], "{key}");
        }
        assert_eq!(self.weights, other.weights);
        let said = |found: &Self| found.stages.iter().map(|(k, s)| (k.clone(), s.summary.clone())).collect::<Vec<_>>();
        assert_eq!(said(self), said(other));
    }
}

/// The run of the shared seed that nothing disturbed, on two threads.
pub static UNDISTURBED: LazyLock<Found> = LazyLock::new(|| finished(&recipe(SEED, &[]), 2));

/// Runs a recipe to its end.
pub fn finished(recipe: &Recipe, threads: usize) -> Found {
    let home = tempfile::tempdir().unwrap();
    let sessions = Sessions::at(home.path());
    assert_eq!(outcome(begin(&sessions, "run", recipe, threads)), Outcome::Done);
    Found::of(&sessions, "run", recipe)
}
