//! What the list and the distribution need of all hard questions at once: where each stands, its steps' scores and
//! operations, no texts but the beginning of the question.

use crate::domain::bridging::unscored;
use crate::domain::{Action, Band, StepScores, Thresholds};
use crate::pipeline::begun::recipe_of;
use crate::pipeline::review::Kind;
use crate::pipeline::stages::difficulty::{FIRST, edges};
use crate::recipe::Recipe;
use crate::session::Session;
use crate::session::records::{Asked, BridgedTrace, Scores, Status, TauD, Trace};
use crate::workbench::jobs::Cancel;
use crate::workbench::text;

/// Characters of a question that a list shows at most.
const LEAD: usize = 120;

/// The thresholds in force and what the run leaves out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ground {
    /// τ_I, τ_J, τ_D; `None` before the stage scores has fixed τ_D.
    pub thresholds: Option<Thresholds>,
    /// Where τ_D comes from.
    pub source: String,
    /// Operations that act as keep.
    pub removed: Vec<Action>,
    /// Longest number of steps a trace is cut into.
    pub max_steps: usize,
}

/// One step, as lists and distributions see it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Brief {
    /// Its scores.
    pub scores: StepScores,
    /// What was decided; `None` before it was bridged.
    pub action: Option<Action>,
    /// It is also a local sample.
    pub local: bool,
    /// A researcher chose its operation.
    pub fixed: bool,
}

impl Brief {
    /// Nobody decided over it: it lacks a score, and no researcher chose.
    pub fn open(&self) -> bool {
        !self.fixed && unscored(&self.scores)
    }
}

/// One hard question.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// Right answers among its samples.
    pub k: u32,
    /// Its samples.
    pub n: u32,
    /// How it begins, printable.
    pub lead: String,
    /// The product that is furthest: bridge, else scores, else trace.
    pub kind: Kind,
    /// Where that stands.
    pub status: Status,
    /// Its steps; empty before they are scored.
    pub steps: Vec<Brief>,
}

impl Row {
    /// Whether somebody should look at it.
    pub fn waits(&self) -> bool {
        matches!(self.status, Status::Proposed | Status::Review { .. })
    }
}

/// All hard questions of which there is a trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Book {
    /// What the rule goes by.
    pub ground: Ground,
    /// In order of their ids.
    pub rows: Vec<Row>,
}

/// The thresholds in force.
///
/// # Errors
/// In words.
pub fn ground(session: &Session, recipe: &Recipe) -> Result<Ground, String> {
    let tau = session.get::<TauD>("tau-d").map_err(|e| e.to_string())?;
    let of = &recipe.bridge;
    let thresholds = tau.as_ref().map(|tau| Thresholds { tau_i: of.tau_i, tau_j: of.tau_j, tau_d: tau.value });
    let source = tau.map_or(String::new(), |tau| tau.source);
    Ok(Ground { thresholds, source, removed: of.without.clone(), max_steps: of.max_steps })
}

impl Book {
    /// Reads it.
    ///
    /// # Errors
    /// In words; when it was cancelled.
    pub fn read(session: &Session, cancel: &Cancel) -> Result<Self, String> {
        let recipe = recipe_of(session)?;
        let edges = edges(&recipe);
        let mut book = Self { ground: ground(session, &recipe)?, rows: Vec::new() };
        for brief in session.rollout_briefs(&format!("{FIRST}/")) {
            cancel.check()?;
            let (_, brief) = brief.map_err(|e| e.to_string())?;
            if Band::of(brief.correct, brief.n, &edges) == Band::Hard {
                let row = Self::row(session, &brief.question, (brief.correct, brief.n));
                book.rows.extend(row.map_err(|e| e.to_string())?);
            }
        }
        Ok(book)
    }

    fn row(session: &Session, id: &str, (k, n): (u32, u32)) -> crate::session::Result<Option<Row>> {
        let scores = session.get::<Scores>(id)?;
        let bridge = session.get::<BridgedTrace>(id)?;
        let (kind, status) = match (&bridge, &scores) {
            (Some(bridge), _) => (Kind::Bridge, bridge.status.clone()),
            (None, Some(scores)) => (Kind::Scores, scores.status.clone()),
            (None, None) => match session.get::<Trace>(id)? {
                Some(trace) => (Kind::Trace, trace.status),
                None => return Ok(None),
            },
        };
        let asked = session.get::<Asked>(&format!("train/{id}"))?;
        let lead = asked.map_or(String::new(), |asked| asked.question.text.chars().take(LEAD).collect());
        let steps = scores.map_or(Vec::new(), |scores| briefs(&scores, bridge.as_ref()));
        Ok(Some(Row { id: id.into(), k, n, lead: text::printable(&lead), kind, status, steps }))
    }

    /// Place of a question.
    pub fn at(&self, id: &str) -> Option<usize> {
        self.rows.binary_search_by(|row| row.id.as_str().cmp(id)).ok()
    }
}

fn briefs(scores: &Scores, bridge: Option<&BridgedTrace>) -> Vec<Brief> {
    let steps = scores.steps.iter().enumerate();
    let brief = |(at, scored): (usize, &crate::session::records::ScoredStep)| {
        let step = bridge.and_then(|bridge| bridge.steps.get(at));
        Brief {
            scores: scored.scores,
            action: step.map(|step| step.action),
            local: bridge.is_some_and(|bridge| bridge.bridged.locals.iter().any(|local| local.step == at)),
            fixed: step.is_some_and(|step| step.overruled.is_some()),
        }
    };
    steps.map(brief).collect()
}

/// Which questions the list shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// All.
    #[default]
    All,
    /// Those that wait for the gate.
    Pending,
    /// Those that failed a check.
    Review,
    /// As the teacher wrote them.
    Approved,
    /// Changed by a researcher.
    Edited,
    /// Not wanted.
    Rejected,
}

impl Filter {
    /// All of them.
    pub const ALL: [Filter; 6] =
        [Filter::All, Filter::Pending, Filter::Review, Filter::Approved, Filter::Edited, Filter::Rejected];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Filter::All => "all",
            Filter::Pending => "proposed",
            Filter::Review => "review",
            Filter::Approved => "approved",
            Filter::Edited => "edited",
            Filter::Rejected => "rejected",
        }
    }

    /// Whether a question is shown.
    pub fn fits(self, row: &Row) -> bool {
        self == Filter::All || row.status.name() == self.name()
    }
}
