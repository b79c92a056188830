//! Other sessions at the side of one: its control arms, or other seeds. They share the questions, so differences are
//! paired; where verifier, prompt, questions, way of evaluating or base differ, nothing is drawn (reading.md, row 3).

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::gather::{Examined, examine};
use super::report::{CheckpointRow, Comparison, Report, Sft};
use crate::evaluate::changes;
use crate::pipeline::plan::BASE;
use crate::recipe::Recipe;
use crate::session::{Session, SessionError};

/// Trained tokens may differ by this share and still be called equal: a control arm stops at the first whole text over.
const SAME_TOKENS: f64 = 0.02;

/// Why sessions can't be shown together.
#[derive(Debug, Error)]
pub enum BesideError {
    /// A session could not be read.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Their figures are no figures of the same thing.
    #[error(
        "`{other}` cannot stand beside `{this}`: its {what} is {theirs}, there it is {ours}; figures with different \
         provenance are never drawn as one"
    )]
    Differs {
        /// The session that is reported.
        this: String,
        /// The one beside it.
        other: String,
        /// Verifier, prompt, questions, …
        what: &'static str,
        /// Of this session.
        ours: String,
        /// Of the other.
        theirs: String,
    },
    /// Nothing to compare.
    #[error(
        "`{other}` has no evaluated checkpoint in common with `{this}` yet; `footbridge resume {other}` takes it further"
    )]
    NothingShared {
        /// The session that is reported.
        this: String,
        /// The one beside it.
        other: String,
    },
    /// A session beside itself.
    #[error("`{0}` is asked for twice; name other sessions after --beside")]
    Twice(String),
}

/// Sessions side by side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Beside {
    /// The reported one first, each with the checkpoints it shares with another.
    pub sessions: Vec<BesideSession>,
    /// What the reported session has over each other one at the same checkpoint: `before` is the other, `after` is it.
    pub differences: Vec<Comparison>,
    /// Where training was not equal in updates, tokens or rate.
    pub notes: Vec<String>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BesideSession {
    /// Its name.
    pub session: String,
    /// Seed of its run.
    pub seed: u64,
    /// Its arm.
    pub arm: String,
    /// Its rows.
    pub rows: Vec<BesideRow>,
}

/// One checkpoint, and the SFT that led to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BesideRow {
    /// Its figures.
    pub row: CheckpointRow,
    /// Updates, tokens and rate; `None` where no SFT led to it.
    pub sft: Option<Sft>,
}

/// The report of a session with others beside it.
pub fn beside(this: (&Session, &Recipe), others: &[(Session, Recipe)]) -> Result<Report, BesideError> {
    let ours = examine(this.0, this.1)?;
    let mut theirs: Vec<(Examined, &Recipe)> = Vec::new();
    for (session, recipe) in others {
        let name = session.name();
        if name == this.0.name() || theirs.iter().any(|(e, _)| e.report.session == name) {
            return Err(BesideError::Twice(name.into()));
        }
        theirs.push((examine(session, recipe)?, recipe));
    }
    let theirs: Vec<(&Examined, &Recipe)> = theirs.iter().map(|(examined, recipe)| (examined, *recipe)).collect();
    let side = side((&ours, this.1), &theirs)?;
    Ok(Report { beside: Some(side), ..ours.report })
}

/// Sessions side by side, from what was found of each.
///
/// # Errors
/// Where figures are no figures of the same thing, or there is nothing to compare.
pub fn side(ours: (&Examined, &Recipe), theirs: &[(&Examined, &Recipe)]) -> Result<Beside, BesideError> {
    for other in theirs {
        refuse_other_provenance(ours, *other)?;
    }
    let ours = ours.0;
    let mut side = Beside { sessions: Vec::new(), differences: Vec::new(), notes: Vec::new() };
    side.sessions.push(rows(ours, |checkpoint| theirs.iter().any(|(e, _)| e.answers.contains_key(checkpoint))));
    for (other, _) in theirs {
        let shared = rows(other, |checkpoint| ours.answers.contains_key(checkpoint));
        for row in &shared.rows {
            let checkpoint = row.row.checkpoint.as_str();
            note_unequal(&side.sessions[0], row, &shared, &mut side.notes);
            if checkpoint != BASE
                && let (Some(after), Some(before)) = (ours.answers.get(checkpoint), other.answers.get(checkpoint))
            {
                side.differences.push(Comparison {
                    what: format!("{} over {}", ours.report.session, shared.session),
                    before: format!("{}:{checkpoint}", shared.session),
                    after: checkpoint.into(),
                    changes: changes(before, after, &ours.steps),
                });
            }
        }
        side.sessions.push(shared);
    }
    Ok(side)
}

fn refuse_other_provenance(ours: (&Examined, &Recipe), theirs: (&Examined, &Recipe)) -> Result<(), BesideError> {
    let (this, other) = (ours.0.report.session.clone(), theirs.0.report.session.clone());
    if !theirs.0.answers.keys().any(|checkpoint| ours.0.answers.contains_key(checkpoint)) {
        return Err(BesideError::NothingShared { this, other });
    }
    let evaluation = |recipe: &Recipe| {
        let e = &recipe.evaluate;
        let (greedy, sampled) = (e.max_new_tokens, e.sampling.max_new_tokens);
        let (t, p) = (e.sampling.temperature, e.sampling.top_p);
        format!("up to {greedy} tokens, n={} k={} T={t} top-p={p} up to {sampled} tokens", e.n, e.k)
    };
    let of = |(e, recipe): (&Examined, &Recipe)| {
        let results = &e.report.results;
        [
            ("verifier", results.verifier.clone()),
            ("prompt hash", results.prompt.clone()),
            ("data (hash of its questions)", results.data.clone()),
            ("way of evaluating", evaluation(recipe)),
            ("student", recipe.student.path.clone()),
        ]
    };
    for ((what, ours), (_, theirs)) in of(ours).into_iter().zip(of(theirs)) {
        if ours != theirs {
            return Err(BesideError::Differs { this, other, what, ours, theirs });
        }
    }
    let base = |e: &Examined| e.answers.get(BASE).map(|a| a.greedy.clone());
    if let (Some(ours), Some(theirs)) = (base(ours.0), base(theirs.0))
        && ours != theirs
    {
        let right = |e: &crate::evaluate::BySplit<crate::evaluate::Values>| {
            let right: f64 = e.iter().map(|(_, values)| values.values().sum::<f64>()).sum();
            format!("one with {right} right greedy answers")
        };
        let (ours, theirs) = (right(&ours), right(&theirs));
        return Err(BesideError::Differs { this, other, what: "base", ours, theirs });
    }
    Ok(())
}

fn rows(examined: &Examined, shared: impl Fn(&str) -> bool) -> BesideSession {
    let results = &examined.report.results;
    let row = |row: &CheckpointRow| BesideRow {
        row: row.clone(),
        sft: results.sft.iter().find(|s| s.stage == row.checkpoint).cloned(),
    };
    BesideSession {
        session: examined.report.session.clone(),
        seed: results.seed,
        arm: results.arm.clone(),
        rows: results.checkpoints.iter().filter(|r| shared(&r.checkpoint)).map(row).collect(),
    }
}

/// Says where the other's SFT was not of the same size.
fn note_unequal(ours: &BesideSession, theirs: &BesideRow, other: &BesideSession, notes: &mut Vec<String>) {
    let checkpoint = &theirs.row.checkpoint;
    let same = ours.rows.iter().find(|r| r.row.checkpoint == *checkpoint).and_then(|r| r.sft.as_ref());
    let (Some(one), Some(two)) = (same, &theirs.sft) else { return };
    let tokens = (one.tokens as f64 - two.tokens as f64).abs() / one.tokens.max(1) as f64;
    if one.updates != two.updates || (one.lr - two.lr).abs() > 1e-12 || tokens > SAME_TOKENS {
        let size = |s: &Sft| format!("{} tokens in {} updates at {:e}", s.tokens, s.updates, s.lr);
        notes.push(format!(
            "{checkpoint} was not trained equally: {} took {}, {} {}",
            ours.session,
            size(one),
            other.session,
            size(two)
        ));
    }
}
