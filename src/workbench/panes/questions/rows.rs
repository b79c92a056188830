//! Every training question as a row, read from what the session keeps for lists: briefs, never the texts of rollouts.

use std::collections::{BTreeMap, HashMap};

use crate::domain::{Action, Band, BandEdges, split_answer, split_steps};
use crate::pipeline::begun::recipe_of;
use crate::pipeline::events::StageKind;
use crate::pipeline::plan::{BASE, parent, plan};
use crate::pipeline::stages::difficulty;
use crate::recipe::Recipe;
use crate::session::Session;
use crate::session::records::{Asked, BridgedTrace, Recycled, Scores, Status, Trace};
use crate::workbench::filter::Field;
use crate::workbench::jobs::Cancel;
use crate::workbench::text::{printable, width};

/// A stage that sampled training questions, in the order of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sampled {
    /// Key of the stage: `1-difficulty`.
    pub key: String,
    /// What it is called in a column: after what the student had last learned from.
    pub name: String,
    /// The checkpoint that answered, or will.
    pub checkpoint: String,
}

/// Right answers among so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Right ones, k.
    pub k: u32,
    /// All, n.
    pub n: u32,
}

impl Count {
    /// ρ of eq. 3.
    pub fn rho(self) -> f64 {
        f64::from(self.k) / f64::from(self.n.max(1))
    }
}

/// What is to be known of a question at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    /// No right answer when the difficulty was measured.
    Zero,
    /// A product of it waits to be approved.
    Proposed,
    /// A product of it needs a look.
    Review,
    /// A researcher changed one.
    Edited,
    /// A researcher does not want one.
    Rejected,
    /// A researcher chose the operation of a step.
    Overruled,
}

impl Flag {
    /// In the order in which they are shown.
    pub const ALL: [Flag; 6] =
        [Flag::Zero, Flag::Proposed, Flag::Review, Flag::Edited, Flag::Rejected, Flag::Overruled];

    /// Its word in a filter.
    pub fn name(self) -> &'static str {
        match self {
            Flag::Zero => "zero",
            Flag::Proposed => "proposed",
            Flag::Review => "review",
            Flag::Edited => "edited",
            Flag::Rejected => "rejected",
            Flag::Overruled => "overruled",
        }
    }

    /// Its letter in the table.
    pub fn letter(self) -> &'static str {
        match self {
            Flag::Zero => "0",
            Flag::Proposed => "p",
            Flag::Review => "R",
            Flag::Edited => "E",
            Flag::Rejected => "X",
            Flag::Overruled => "O",
        }
    }

    fn of(status: &Status) -> Option<Self> {
        match status {
            Status::Proposed => Some(Flag::Proposed),
            Status::Approved => None,
            Status::Edited => Some(Flag::Edited),
            Status::Rejected { .. } => Some(Flag::Rejected),
            Status::Review { .. } => Some(Flag::Review),
        }
    }
}

/// A training question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// Its text, on one printable line.
    pub text: String,
    /// Its gold answer, printable.
    pub gold: String,
    /// Its band, as the run's first difficulty stage measured it.
    pub band: Option<Band>,
    /// What each sampling stage measured, by the stages of the [`Model`].
    pub counts: Vec<Option<Count>>,
    /// Steps of its trace; of the known solution where there is no trace.
    pub steps: Option<u32>,
    /// Steps by what the bridge did with them, in the order of [`Action::ALL`].
    pub actions: [u32; 5],
    /// Kinds of error that were diagnosed, oldest first; `no diagnosis` where none was usable.
    pub errors: Vec<String>,
    /// What is to be known at a glance, sorted.
    pub flags: Vec<Flag>,
}

/// Name of a band, as in filters.
pub fn band_name(band: Band) -> &'static str {
    match band {
        Band::Simple => "simple",
        Band::Medium => "medium",
        Band::Hard => "hard",
    }
}

impl Row {
    fn flag(&mut self, flag: Flag) {
        if let Err(at) = self.flags.binary_search(&flag) {
            self.flags.insert(at, flag);
        }
    }
}

/// Every training question, and what can be said over all of them.
#[derive(Debug, Default)]
pub struct Model {
    /// Stages that sampled training questions or will.
    pub stages: Vec<Sampled>,
    /// In the order of their ids.
    pub rows: Vec<Row>,
    /// What they can be filtered by.
    pub fields: Vec<Field>,
    /// Stages that have sampled something, by their indices.
    pub measured: Vec<usize>,
    /// Questions of each band, in the order of [`Band::ALL`].
    pub banded: [usize; 3],
    /// Questions without a right answer in each stage.
    pub zero: Vec<usize>,
    /// How many questions have which ρ in each stage, in bins of equal width; 1 belongs to the last.
    pub histograms: Vec<[usize; BINS]>,
    /// Columns that the widest id takes.
    pub id_width: usize,
}

/// Bins of the histogram of ρ.
pub const BINS: usize = 8;

impl Model {
    /// Counts what is shown above the rows, and names what they can be filtered by.
    pub fn sum_up(&mut self) {
        self.banded = Band::ALL.map(|band| self.rows.iter().filter(|row| row.band == Some(band)).count());
        self.zero = vec![0; self.stages.len()];
        self.histograms = vec![[0; BINS]; self.stages.len()];
        for (stage, count) in self.rows.iter().flat_map(|row| row.counts.iter().enumerate()) {
            let Some(count) = count else { continue };
            self.zero[stage] += usize::from(count.k == 0);
            self.histograms[stage][((count.rho() * BINS as f64) as usize).min(BINS - 1)] += 1;
        }
        let any = |stage: &usize| self.histograms[*stage].iter().any(|n| *n > 0);
        self.measured = (0..self.stages.len()).filter(any).collect();
        self.id_width = self.rows.iter().map(|row| width(&row.id)).max().unwrap_or(0);
        self.fields = super::fields::fields(self);
    }

    /// Index of a question.
    pub fn find(&self, id: &str) -> Option<usize> {
        self.rows.binary_search_by(|row| row.id.as_str().cmp(id)).ok()
    }
}

/// The stages of a recipe that sample training questions.
pub fn sampling(recipe: &Recipe) -> Vec<Sampled> {
    let stages = plan(recipe);
    let sampling = stages.iter().filter(|stage| matches!(stage.kind, StageKind::Difficulty | StageKind::Rollouts));
    let named = sampling.map(|stage| {
        let trained = parent(&stages, stage);
        let name = match (stage.kind, trained.map(|stage| (stage.kind, stage.iteration))) {
            (StageKind::Difficulty, Some(_)) => "end".to_string(),
            (_, None) => BASE.to_string(),
            (_, Some((StageKind::Grpo, iteration))) => format!("RL{iteration}"),
            (_, Some((_, iteration))) => format!("SFT{iteration}"),
        };
        Sampled { key: stage.key(), name, checkpoint: trained.map_or(BASE.to_string(), |stage| stage.key()) }
    });
    named.collect()
}

/// Reads all questions.
///
/// # Errors
/// In words, when the session or its recipe can't be read; when it was cancelled.
pub fn read(session: &Session, cancel: &Cancel) -> Result<Model, String> {
    let recipe = recipe_of(session)?;
    let mut model = Model { stages: sampling(&recipe), ..Model::default() };
    for item in session.scan::<Asked>("train/") {
        let (_, Asked { question, .. }) = item.map_err(|error| error.to_string())?;
        let (id, counts) = (question.id, vec![None; model.stages.len()]);
        let (text, gold) = (printable(&question.text), printable(&question.gold));
        model.rows.push(Row { id, text, gold, counts, steps: question.steps, ..Row::default() });
        if model.rows.len().is_multiple_of(512) {
            cancel.check()?;
        }
    }
    model.rows.sort_by(|a, b| a.id.cmp(&b.id));
    let mut reading = Reading {
        at: model.rows.iter().enumerate().map(|(at, row)| (row.id.clone(), at)).collect(),
        model,
        session,
        cancel,
    };
    reading.counts(&difficulty::edges(&recipe))?;
    reading.traces(recipe.bridge.max_steps)?;
    reading.bridges()?;
    reading.failures()?;
    let mut model = reading.model;
    model.sum_up();
    Ok(model)
}

/// Rows that are being filled.
struct Reading<'a> {
    model: Model,
    at: HashMap<String, usize>,
    session: &'a Session,
    cancel: &'a Cancel,
}

impl Reading<'_> {
    fn row(&mut self, id: &str) -> Option<&mut Row> {
        self.at.get(id).and_then(|at| self.model.rows.get_mut(*at))
    }

    fn counts(&mut self, edges: &BandEdges) -> Result<(), String> {
        for stage in 0..self.model.stages.len() {
            let key = self.model.stages[stage].key.clone();
            for item in self.session.rollout_briefs(&format!("{key}/")) {
                self.cancel.check()?;
                let (_, brief) = item.map_err(|error| error.to_string())?;
                let count = Count { k: brief.correct, n: brief.n };
                let Some(row) = self.row(&brief.question) else { continue };
                row.counts[stage] = Some(count);
                if key == difficulty::FIRST {
                    row.band = Some(Band::of(count.k, count.n, edges));
                    if count.k == 0 {
                        row.flag(Flag::Zero);
                    }
                }
            }
        }
        Ok(())
    }

    fn traces(&mut self, max_steps: usize) -> Result<(), String> {
        for item in self.session.scan::<Trace>("") {
            self.cancel.check()?;
            let (_, trace) = item.map_err(|error| error.to_string())?;
            let Some(row) = self.row(&trace.question) else { continue };
            row.steps = Some(split_steps(split_answer(&trace.text).0, max_steps).len() as u32);
            Flag::of(&trace.status).into_iter().for_each(|flag| row.flag(flag));
        }
        Ok(())
    }

    /// Bridges hold a step for each of the trace's. Scores are read only where there is no bridge: it is they, then, that
    /// may need a look.
    fn bridges(&mut self) -> Result<(), String> {
        let mut bridged = BTreeMap::new();
        for item in self.session.scan::<BridgedTrace>("") {
            self.cancel.check()?;
            let (key, bridge) = item.map_err(|error| error.to_string())?;
            bridged.insert(key, ());
            let Some(row) = self.row(&bridge.question) else { continue };
            row.steps = Some(bridge.steps.len() as u32);
            for step in &bridge.steps {
                row.actions[Action::ALL.iter().position(|action| *action == step.action).unwrap_or(0)] += 1;
            }
            if bridge.steps.iter().any(|step| step.overruled.is_some()) {
                row.flag(Flag::Overruled);
            }
            Flag::of(&bridge.status).into_iter().for_each(|flag| row.flag(flag));
        }
        for key in self.session.keys::<Scores>("") {
            let key = key.map_err(|error| error.to_string())?;
            if bridged.contains_key(&key) {
                continue;
            }
            self.cancel.check()?;
            let scores = self.session.get::<Scores>(&key).map_err(|error| error.to_string())?;
            if let (Some(scores), Some(row)) = (scores, self.row(&key)) {
                Flag::of(&scores.status).into_iter().for_each(|flag| row.flag(flag));
            }
        }
        Ok(())
    }

    fn failures(&mut self) -> Result<(), String> {
        for item in self.session.scan::<Recycled>("") {
            self.cancel.check()?;
            let (_, failure) = item.map_err(|error| error.to_string())?;
            let Some(row) = self.row(&failure.question) else { continue };
            let error = failure.diagnosis.as_ref().map_or("no diagnosis", |diagnosis| diagnosis.error_type.trim());
            row.errors.push(printable(error));
            Flag::of(&failure.status).into_iter().for_each(|flag| row.flag(flag));
        }
        Ok(())
    }
}
