//! What the screen knows of each stage: how far it is, how fast it goes, how long it will take.

use std::time::Duration;

use super::text;
use crate::pipeline::events::{StageId, StageKind};

/// Time over which the speed of a stage is smoothed, in seconds.
const RATE_HORIZON: f64 = 15.0;

/// Where a stage stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageState {
    /// Its turn has not come.
    Waiting,
    /// At work since this time of the screen's clock.
    Running(Duration),
    /// Complete, after this much work.
    Done(Duration),
    /// The run ended while it was at work; it goes on there when resumed.
    Stopped,
    /// It failed.
    Failed,
}

/// One line of the stage list.
#[derive(Clone, Debug)]
pub struct StageRow {
    /// Which stage.
    pub id: StageId,
    /// Where it stands.
    pub state: StageState,
    /// Items complete.
    pub done: u64,
    /// Items in all; 0 while unknown.
    pub total: u64,
    /// What an item is.
    pub unit: String,
    /// Tokens sampled or trained.
    pub tokens: u64,
    /// Tokens per second of wall time.
    pub rate: f64,
    /// What came out, once it is complete.
    pub summary: String,
    speed: Speed,
}

/// Items per second over about [`RATE_HORIZON`]: items and seconds both fade, so that a slow first item weighs no more
/// than the time it took.
#[derive(Clone, Copy, Debug, Default)]
struct Speed {
    at: Duration,
    done: u64,
    items: f64,
    seconds: f64,
}

impl Speed {
    fn observe(&mut self, done: u64, now: Duration) {
        let seconds = now.saturating_sub(self.at).as_secs_f64();
        if seconds <= 0.0 || done <= self.done {
            return;
        }
        let kept = (-seconds / RATE_HORIZON).exp();
        self.items = self.items * kept + (done - self.done) as f64;
        self.seconds = self.seconds * kept + seconds;
        (self.at, self.done) = (now, done);
    }

    fn per_second(&self) -> Option<f64> {
        (self.seconds > 0.0).then(|| self.items / self.seconds)
    }
}

impl StageRow {
    /// A stage whose turn has not come.
    pub fn waiting(id: StageId) -> Self {
        Self {
            id,
            state: StageState::Waiting,
            done: 0,
            total: 0,
            unit: String::new(),
            tokens: 0,
            rate: 0.0,
            summary: String::new(),
            speed: Speed::default(),
        }
    }

    /// It begins, or goes on where it stopped.
    pub fn start(&mut self, done: u64, total: u64, unit: &str, now: Duration) {
        self.state = StageState::Running(now);
        (self.done, self.total, self.unit) = (done, total, text::printable(unit));
        self.speed = Speed { at: now, done, ..Speed::default() };
    }

    /// It came further.
    pub fn progress(&mut self, done: u64, total: u64, tokens: u64, rate: f64, now: Duration) {
        if !matches!(self.state, StageState::Running(_)) {
            self.start(done, total, "", now);
        }
        (self.done, self.total, self.tokens) = (done, total, tokens);
        self.rate = if rate.is_finite() { rate.max(0.0) } else { 0.0 };
        self.speed.observe(done, now);
    }

    /// It is complete.
    pub fn finish(&mut self, summary: &str, seconds: f64, tokens: u64) {
        self.state = StageState::Done(text::seconds(seconds));
        (self.summary, self.tokens, self.done) = (text::printable(summary), tokens, self.done.max(self.total));
        self.rate = if seconds > 0.0 { tokens as f64 / seconds } else { 0.0 };
    }

    /// Standing still is over after this long: it counts neither as work nor as being slow.
    pub fn skip_pause(&mut self, stood: Duration) {
        if let StageState::Running(since) = &mut self.state {
            *since += stood;
            self.speed.at += stood;
        }
    }

    /// Share complete, 0 to 1.
    pub fn share(&self) -> f64 {
        match self.total {
            0 => 0.0,
            total => (self.done as f64 / total as f64).min(1.0),
        }
    }

    /// Time left, while it is at work and its speed is known.
    pub fn eta(&self, now: Duration) -> Option<Duration> {
        let speed = self.speed.per_second().filter(|&s| s > 0.0)?;
        let StageState::Running(_) = self.state else { return None };
        let left = self.total.saturating_sub(self.speed.done) as f64 / speed;
        Some(text::seconds(left.min(1e9)).saturating_sub(now.saturating_sub(self.speed.at)))
    }

    /// Its name on the screen, such as `sft bridged` or `evaluate grpo`; the iteration stands beside it.
    pub fn name(&self) -> String {
        let kind = kind_name(self.id.kind);
        let prefix = format!("{}-", self.id.iteration);
        let of = text::printable(self.id.of.strip_prefix(&prefix).unwrap_or(&self.id.of));
        if of.is_empty() { kind.to_string() } else { format!("{kind} {of}") }
    }
}

/// The name of a kind of stage.
pub fn kind_name(kind: StageKind) -> &'static str {
    match kind {
        StageKind::Difficulty => "difficulty",
        StageKind::Traces => "traces",
        StageKind::Scores => "scores",
        StageKind::Bridge => "bridge",
        StageKind::SftMedium => "sft medium",
        StageKind::SftBridged => "sft bridged",
        StageKind::SftRecycled => "sft recycled",
        StageKind::Rollouts => "rollouts",
        StageKind::Split => "split",
        StageKind::Grpo => "grpo",
        StageKind::Recycle => "recycle",
        StageKind::Evaluate => "evaluate",
    }
}

/// What a kind of stage usually costs beside the others, as seen in runs of the demo (seconds). Only used to guess the
/// time of stages that were never seen in this run.
fn usual_cost(kind: StageKind) -> f64 {
    match kind {
        StageKind::Difficulty | StageKind::Rollouts => 2.0,
        StageKind::Traces | StageKind::Bridge | StageKind::Split | StageKind::Recycle => 0.1,
        StageKind::Scores => 0.4,
        StageKind::SftMedium => 0.7,
        StageKind::SftBridged => 2.5,
        StageKind::SftRecycled => 7.5,
        StageKind::Grpo => 16.0,
        StageKind::Evaluate => 4.0,
    }
}

/// Time left for the whole run: measured where the same kind of stage was seen, guessed from the usual costs and this
/// machine's speed elsewhere. `None` until something was measured.
pub fn overall_eta(rows: &[StageRow], now: Duration) -> Option<Duration> {
    let machine = machine_scale(rows, now)?;
    let mut left = 0.0;
    for row in rows {
        match row.state {
            StageState::Waiting => left += expected(rows, row.id.kind, machine),
            StageState::Running(since) => {
                let guess = expected(rows, row.id.kind, machine) - now.saturating_sub(since).as_secs_f64();
                left += row.eta(now).map_or(guess.max(0.0), |eta| eta.as_secs_f64());
            }
            StageState::Done(_) | StageState::Stopped | StageState::Failed => {}
        }
    }
    Some(text::seconds(left))
}

/// Seconds a stage of this kind takes: the mean of those seen, else its usual cost on this machine.
fn expected(rows: &[StageRow], kind: StageKind, machine: f64) -> f64 {
    let (mut sum, mut seen) = (0.0, 0.0);
    for row in rows.iter().filter(|row| row.id.kind == kind) {
        if let StageState::Done(took) = row.state {
            (sum, seen) = (sum + took.as_secs_f64(), seen + 1.0);
        }
    }
    if seen > 0.0 { sum / seen } else { usual_cost(kind) * machine }
}

/// Whether a kind of stage computes with the student, so that it tells how fast this machine is. What a teacher takes, or
/// a look at the records, says nothing about the rest of the run.
fn tells_speed(kind: StageKind) -> bool {
    !matches!(kind, StageKind::Traces | StageKind::Bridge | StageKind::Split | StageKind::Recycle)
}

/// Seconds of this machine per unit of usual cost.
fn machine_scale(rows: &[StageRow], now: Duration) -> Option<f64> {
    let (mut took, mut usual) = (0.0, 0.0);
    for row in rows.iter().filter(|row| tells_speed(row.id.kind)) {
        let whole = match row.state {
            StageState::Done(time) => time.as_secs_f64(),
            StageState::Running(since) => match row.eta(now) {
                Some(left) => (left + now.saturating_sub(since)).as_secs_f64(),
                None => continue,
            },
            _ => continue,
        };
        (took, usual) = (took + whole, usual + usual_cost(row.id.kind));
    }
    (usual > 0.0).then_some(took / usual)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn row(kind: StageKind) -> StageRow {
        StageRow::waiting(StageId { iteration: 1, kind, of: String::new() })
    }

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn time_left_follows_speed_and_counts_down_between_reports() {
        let mut stage = row(StageKind::Difficulty);
        stage.start(0, 600, "questions", s(10));
        assert_eq!(stage.eta(s(10)), None);
        stage.progress(100, 600, 5_000, 1_000.0, s(20));
        assert_eq!(stage.eta(s(20)), Some(s(50)));
        assert_eq!(stage.eta(s(25)), Some(s(45)));
        assert_eq!(stage.eta(s(500)), Some(s(0)));
    }

    #[test]
    fn a_stage_that_goes_on_is_not_credited_with_what_was_there() {
        let mut stage = row(StageKind::Rollouts);
        stage.start(500, 600, "questions", s(0));
        stage.progress(510, 600, 0, f64::NAN, s(10));
        assert_eq!(stage.eta(s(10)), Some(s(90)));
        assert_eq!(stage.rate, 0.0);
    }

    #[test]
    fn a_slow_first_item_does_not_set_the_speed() {
        let mut stage = row(StageKind::Evaluate);
        stage.start(0, 1_000, "questions", s(0));
        stage.progress(1, 1_000, 0, 0.0, s(1));
        stage.progress(101, 1_000, 0, 0.0, s(2));
        let left = stage.eta(s(2)).unwrap();
        assert!(left < s(19), "{left:?}");
    }

    #[test]
    fn a_pause_is_not_slowness() {
        let mut stage = row(StageKind::Grpo);
        stage.start(0, 10, "updates", s(0));
        stage.progress(1, 10, 0, 0.0, s(2));
        stage.skip_pause(s(998));
        stage.progress(2, 10, 0, 0.0, s(1_002));
        assert_eq!(stage.eta(s(1_002)), Some(s(16)));
        assert_eq!(stage.state, StageState::Running(s(998)), "the time at work leaves it out");
    }

    #[test]
    fn a_slow_teacher_says_nothing_about_the_speed_of_the_machine() {
        let mut rows = vec![row(StageKind::Evaluate), row(StageKind::Bridge), row(StageKind::Grpo)];
        rows[0].start(0, 10, "questions", s(0));
        rows[0].finish("", 4.0, 0);
        let before = overall_eta(&[rows[0].clone(), rows[2].clone()], s(4));
        rows[1].start(0, 10, "traces", s(4));
        rows[1].finish("", 3_600.0, 0);
        assert_eq!(overall_eta(&rows, s(3_604)), before);
    }

    #[test]
    fn the_whole_is_guessed_from_what_was_measured() {
        let mut rows = vec![row(StageKind::Difficulty), row(StageKind::Rollouts), row(StageKind::Rollouts)];
        assert_eq!(overall_eta(&rows, s(0)), None);
        rows[0].start(0, 10, "questions", s(0));
        rows[0].finish("", 20.0, 0);
        // Ten times the usual cost so far, so 2 becomes 20 for each of the two.
        assert_eq!(overall_eta(&rows, s(20)), Some(s(40)));
        rows[1].start(0, 10, "questions", s(30));
        rows[1].finish("", 10.0, 0);
        // A rollout stage was measured now: the other takes as long.
        assert_eq!(overall_eta(&rows, s(40)), Some(s(10)));
    }
}
