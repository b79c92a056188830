//! What is known of the run. It changes in `hear` only, and drawing reads it only.

use std::time::Duration;

use super::curves::{Curves, Family};
use super::log::Log;
use super::stages::{StageRow, StageState, kind_name, overall_eta};
use super::text::count;
use crate::pipeline::events::{Outcome, StageId};

/// Where the run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// No run is at work; what is shown was read from the session.
    Idle,
    /// Nothing was heard yet.
    Starting,
    /// At work.
    Running,
    /// Asked to stand still; the current step goes on to its end.
    Pausing,
    /// Standing still.
    Paused,
    /// Asked to stop; the current step goes on to its end.
    Stopping,
    /// Over.
    Ended(Outcome),
}

impl Phase {
    /// True when nothing more will happen.
    pub fn over(&self) -> bool {
        matches!(self, Phase::Ended(_) | Phase::Idle)
    }

    /// True while time passes for the run, so that the clock on the screen moves.
    pub fn ticking(&self) -> bool {
        matches!(self, Phase::Starting | Phase::Running | Phase::Pausing | Phase::Stopping)
    }
}

/// What is known of the run.
#[derive(Clone, Debug)]
pub struct State {
    /// Session name.
    pub session: String,
    /// The command that goes on with this run.
    pub resume: String,
    /// Seed of the run, once heard.
    pub seed: Option<u64>,
    /// What the run computes on, such as `cpu`; may be empty.
    pub device: String,
    /// Where the run stands.
    pub phase: Phase,
    /// The stages in order.
    pub stages: Vec<StageRow>,
    /// What was measured.
    pub curves: Curves,
    /// What was said.
    pub log: Log,
    /// Time since the screen opened.
    pub now: Duration,
    /// How long the run was at work, once it is over.
    pub ended: Option<Duration>,
    /// A gate that waits for the researcher, and how many products wait there.
    pub gate: Option<(StageId, u64)>,
    /// Since when the run stands still, paused or at a gate.
    pub still: Option<Duration>,
}

impl State {
    /// A run of which nothing was heard.
    pub fn new(session: &str, device: &str) -> Self {
        Self {
            session: super::text::printable(session),
            resume: super::text::printable(&format!("footbridge resume {session}")),
            seed: None,
            device: super::text::printable(device),
            phase: Phase::Starting,
            stages: Vec::new(),
            curves: Curves::default(),
            log: Log::default(),
            now: Duration::ZERO,
            ended: None,
            gate: None,
            still: None,
        }
    }

    /// Index of the stage at work, else of the last one that was.
    pub fn current(&self) -> Option<usize> {
        let running = self.stages.iter().rposition(|row| matches!(row.state, StageState::Running(_)));
        running.or_else(|| self.stages.iter().rposition(|row| row.state != StageState::Waiting))
    }

    /// Stages that are complete.
    pub fn complete(&self) -> usize {
        self.stages.iter().filter(|row| matches!(row.state, StageState::Done(_))).count()
    }

    /// Time at work so far: stops when the run ends.
    pub fn elapsed(&self) -> Duration {
        self.ended.unwrap_or(self.now)
    }

    /// The clock of the work: it stands while the run stands still.
    pub fn at_work(&self) -> Duration {
        self.still.unwrap_or(self.now)
    }

    /// Time left for the whole run, as far as it can be guessed; none while it stands still or is over.
    pub fn eta(&self) -> Option<Duration> {
        if self.stands() { None } else { overall_eta(&self.stages, self.at_work()) }
    }

    /// Time left for a stage; none while the run stands still or is over.
    pub fn stage_eta(&self, row: &StageRow) -> Option<Duration> {
        if self.stands() { None } else { row.eta(self.at_work()) }
    }

    fn stands(&self) -> bool {
        self.phase.over() || self.gate.is_some() || self.phase == Phase::Paused
    }

    /// What a run that stands still waits for.
    pub fn waits(&self) -> Option<String> {
        match &self.gate {
            _ if self.phase.over() || self.phase == Phase::Stopping => None,
            Some((stage, pending)) => {
                Some(format!("waits for you: {} {} to approve", kind_name(stage.kind), count(*pending)))
            }
            None if self.phase == Phase::Paused => Some("paused, and waits for you".to_string()),
            None => None,
        }
    }

    /// The run stands still from now on, or goes on, as its phase and its gate say.
    pub fn stand_or_go(&mut self) {
        let stands = self.gate.is_some() || self.phase == Phase::Paused;
        match self.still {
            None if stands => self.still = Some(self.now),
            Some(since) if !stands => {
                let stood = self.now.saturating_sub(since);
                self.stages.iter_mut().for_each(|row| row.skip_pause(stood));
                self.still = None;
            }
            _ => {}
        }
    }

    /// The curve that says most: the reward, else the loss, else whatever there is.
    pub fn telling_curve(&self) -> Option<(Family, &str)> {
        let telling = [(Family::Rl, "reward"), (Family::Sft, "loss")];
        let found = telling.into_iter().find(|(family, name)| self.curves.get(*family, name).is_some());
        found.or_else(|| self.curves.all().first().map(|curve| (curve.family, curve.name.as_str())))
    }
}
