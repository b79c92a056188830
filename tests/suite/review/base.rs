//! Sessions that stand at a gate, made once and copied for each test.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use footbridge::data::world::World;
use footbridge::pipeline::events::{Command, Event};
use footbridge::pipeline::material::world_of;
use footbridge::pipeline::review::{Act, Applied, Desk, Kind, Product, ProductId, Request, ReviewError, apply};
use footbridge::recipe::Recipe;
use footbridge::session::records::{BridgedTrace, Recycled, Scores, Trace};
use footbridge::session::{AuditFilter, Session, Sessions};
use footbridge::teacher::RuleTeacher;
use tempfile::TempDir;

use crate::pipeline::runs::{SEED, begin, recipe};

/// The recipe of the sessions here: both gates wait.
pub static RECIPE: LazyLock<Recipe> =
    LazyLock::new(|| recipe(SEED, &[("gates.bridge", "review"), ("gates.diagnosis", "review")]));

static WORLD: LazyLock<World> = LazyLock::new(|| world_of(&RECIPE).unwrap());

/// Stands at the gate behind the bridge: traces, scores and bridged traces, nothing decided.
static AT_BRIDGE: LazyLock<TempDir> = LazyLock::new(|| stopped_at(1));

/// Stands at the gate behind the diagnoses; the first gate was passed.
static AT_RECYCLE: LazyLock<TempDir> = LazyLock::new(|| stopped_at(2));

/// Runs to the n-th gate, passing those before it, and stops there.
fn stopped_at(gate: usize) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let run = begin(&Sessions::at(home.path()), "run", &RECIPE, 2);
    let mut gates = 0;
    for event in &run.events {
        if let Event::GateWaiting { .. } = event {
            gates += 1;
            run.commands.send(if gates == gate { Command::Cancel } else { Command::PassGate }).unwrap();
        }
    }
    run.handle.join().unwrap();
    assert_eq!(gates, gate);
    home
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)
        } else {
            let _ = std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A session of a test's own.
pub struct Own {
    pub home: TempDir,
    pub session: Session,
    pub teacher: Option<RuleTeacher>,
}

impl Own {
    /// At the gate behind the bridge, with the rules at hand.
    pub fn at_bridge() -> Self {
        Self::of(&AT_BRIDGE)
    }

    /// At the gate behind the diagnoses, with the rules at hand.
    pub fn at_recycle() -> Self {
        Self::of(&AT_RECYCLE)
    }

    fn of(base: &TempDir) -> Self {
        let home = tempfile::tempdir().unwrap();
        copy(base.path(), home.path());
        let session = Sessions::at(home.path()).open("run").unwrap();
        Self { home, session, teacher: Some(RuleTeacher::new(WORLD.clone(), RECIPE.seed)) }
    }

    /// The same without anybody to ask.
    pub fn alone(self) -> Self {
        Self { teacher: None, ..self }
    }

    /// The session on a desk, with whom there is.
    pub fn desk(&self) -> Desk<'_> {
        let teacher = self.teacher.as_ref().map(|teacher| teacher as _);
        Desk { teacher, ..Desk::new(&self.session, &RECIPE).unwrap() }
    }

    /// Applies a request.
    pub fn ask(&self, request: impl Into<Request>) -> Result<Applied, ReviewError> {
        apply(&self.desk(), &request.into())
    }

    /// Applies what must be accepted.
    pub fn does(&self, act: Act) -> Applied {
        self.ask(act).unwrap()
    }

    /// The refusal of what must not be accepted; nothing is written then.
    pub fn refuses(&self, request: impl Into<Request>) -> String {
        let before = self.session.sequence();
        let why = self.ask(request).unwrap_err().to_string();
        assert_eq!(self.session.sequence(), before, "{why}");
        assert!(!why.contains('\n'), "{why}");
        why
    }

    pub fn trace(&self, question: &str) -> Trace {
        self.session.get(question).unwrap().unwrap()
    }

    pub fn scores(&self, question: &str) -> Scores {
        self.session.get(question).unwrap().unwrap()
    }

    pub fn bridge(&self, question: &str) -> BridgedTrace {
        self.session.get(question).unwrap().unwrap()
    }

    pub fn failures(&self) -> Vec<(ProductId, Recycled)> {
        let all = self.session.scan::<Recycled>("").map(Result::unwrap);
        all.map(|(key, recycled)| (ProductId::new(Kind::Recycled, key), recycled)).collect()
    }

    /// Hard questions with a step that `wanted` likes: question and position.
    pub fn step(&self, wanted: impl Fn(&BridgedTrace, usize) -> bool) -> (String, usize) {
        let mut all = self.session.scan::<BridgedTrace>("").map(Result::unwrap);
        let found = all.find_map(|(id, bridge)| {
            let at = (0..bridge.steps.len()).find(|&at| wanted(&bridge, at))?;
            Some((id, at))
        });
        found.expect("no such step in the small world")
    }

    /// Every product.
    pub fn products(&self) -> BTreeMap<ProductId, Product> {
        Kind::ALL.into_iter().flat_map(|kind| Product::all(&self.session, kind).unwrap()).collect()
    }

    /// Names of the records written after frame `after`, decisions left out.
    pub fn written_after(&self, after: u64) -> Vec<String> {
        let entries = self.session.audit(AuditFilter { after, ..AuditFilter::default() }).unwrap();
        let entries = entries.map(Result::unwrap).filter(|entry| entry.table != "decision");
        entries.map(|entry| format!("{}/{}", entry.table, entry.key)).collect()
    }
}
