//! The plain face: what happens, as lines for stderr. A pure function from events to lines, so that what a log file
//! will hold is tested without a run.

use std::collections::HashMap;
use std::time::Duration;

use crate::pipeline::events::{Event, Level, Outcome, StageId};
use crate::workbench::stages::StageRow;
use crate::workbench::text;

/// Least time between two progress lines.
const GAP: Duration = Duration::from_secs(5);

/// What the plain face remembers.
#[derive(Debug, Default)]
pub struct Plain {
    stages: Vec<StageRow>,
    rewards: HashMap<StageId, f64>,
    last_progress: Option<Duration>,
    /// Since when the run stands still.
    paused: Option<Duration>,
}

impl Plain {
    /// The lines an event is worth, at `now` since the start; most events are worth none.
    pub fn lines(&mut self, event: &Event, now: Duration) -> Vec<String> {
        match event {
            Event::RunStarted { session, seed, stages } => {
                self.stages = stages.iter().cloned().map(StageRow::waiting).collect();
                vec![format!(
                    "{}: seed {seed}, {} {}",
                    text::printable(session),
                    stages.len(),
                    if stages.len() == 1 { "stage" } else { "stages" }
                )]
            }
            Event::StageStarted { stage, done, total, unit } => {
                let at = self.at(stage);
                self.stages[at].start(*done, *total, unit, now);
                self.last_progress = Some(now);
                vec![format!("{} {}", self.place(at), self.started(at, *done))]
            }
            Event::StageProgress { stage, done, total, tokens, rate } => {
                let at = self.at(stage);
                self.stages[at].progress(*done, *total, *tokens, *rate, now);
                if self.last_progress.is_some_and(|last| now.saturating_sub(last) < GAP) {
                    return vec![];
                }
                self.last_progress = Some(now);
                vec![format!("{} {}", self.place(at), self.progress(at, now))]
            }
            Event::StageFinished { stage, summary, seconds, tokens } => {
                let at = self.at(stage);
                self.stages[at].finish(summary, *seconds, *tokens);
                vec![format!("{} {}", self.place(at), self.finished(at, *seconds))]
            }
            Event::Metric { stage, name, value, .. } => {
                if name == "reward" {
                    self.rewards.insert(stage.clone(), *value);
                }
                vec![]
            }
            Event::Log { level: Level::Info, message } => vec![text::printable(message)],
            Event::Log { level: Level::Warn, message } => vec![format!("warning: {}", text::printable(message))],
            Event::Log { level: Level::Error, message } => vec![format!("error: {}", text::printable(message))],
            Event::GateWaiting { stage, pending } => {
                let at = self.at(stage);
                vec![format!("{} {}: {} wait for approval", self.place(at), self.name(at), text::count(*pending))]
            }
            Event::Decided { decision, line, notes, .. } => {
                let notes = notes.iter().map(|note| format!("warning: {}", text::printable(note)));
                std::iter::once(format!("decision {decision}: {}", text::printable(line))).chain(notes).collect()
            }
            Event::Refused { reason } => vec![format!("refused: {}", text::printable(reason))],
            Event::Paused => {
                self.paused.get_or_insert(now);
                vec!["paused".to_string()]
            }
            Event::Resumed => {
                let stood = self.paused.take().map_or(Duration::ZERO, |since| now.saturating_sub(since));
                self.stages.iter_mut().for_each(|row| row.skip_pause(stood));
                vec!["going on".to_string()]
            }
            Event::RunFinished { outcome, seconds } => vec![ending(outcome, *seconds)],
        }
    }

    fn at(&mut self, stage: &StageId) -> usize {
        self.stages.iter().position(|row| row.id == *stage).unwrap_or_else(|| {
            self.stages.push(StageRow::waiting(stage.clone()));
            self.stages.len() - 1
        })
    }

    /// `[ 7/22]`
    fn place(&self, at: usize) -> String {
        let all = self.stages.len().to_string();
        format!("[{:>width$}/{all}]", at + 1, width = all.len())
    }

    fn name(&self, at: usize) -> String {
        let row = &self.stages[at];
        match row.id.iteration {
            0 => row.name(),
            iteration => format!("{} (iteration {iteration})", row.name()),
        }
    }

    fn started(&self, at: usize, done: u64) -> String {
        let row = &self.stages[at];
        let mut line = self.name(at);
        if row.total > 0 {
            line += &format!(": {} {}", text::count(row.total), row.unit);
        }
        if done > 0 {
            line += &format!(", {} already done", text::count(done));
        }
        line
    }

    fn progress(&self, at: usize, now: Duration) -> String {
        let row = &self.stages[at];
        let mut line = format!("{}: {}/{} {}", self.name(at), text::count(row.done), text::count(row.total), row.unit);
        if let Some(reward) = self.rewards.get(&row.id) {
            line += &format!(", reward {}", text::figure(*reward));
        }
        if row.rate > 0.0 {
            line += &format!(", {} tok/s", text::short(row.rate));
        }
        if let Some(left) = row.eta(now) {
            line += &format!(", {} left", text::clock(left));
        }
        line
    }

    fn finished(&self, at: usize, seconds: f64) -> String {
        let row = &self.stages[at];
        let mut line = format!("{}: done in {}", self.name(at), text::clock(text::seconds(seconds)));
        if row.tokens > 0 && row.rate.is_finite() && row.rate > 0.0 {
            line += &format!(", {} tok/s", text::short(row.rate));
        }
        if !row.summary.is_empty() {
            line += &format!(", {}", row.summary);
        }
        line
    }
}

fn ending(outcome: &Outcome, seconds: f64) -> String {
    let took = text::clock(text::seconds(seconds));
    match outcome {
        Outcome::Done => format!("done in {took}"),
        Outcome::Cancelled => format!("stopped after {took}"),
        Outcome::Failed { .. } => format!("failed after {took}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::events::StageKind;

    fn stage(kind: StageKind) -> StageId {
        StageId { iteration: 1, kind, of: String::new() }
    }

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn progress(done: u64) -> Event {
        Event::StageProgress { stage: stage(StageKind::Grpo), done, total: 16, tokens: 9_000, rate: 11_400.0 }
    }

    fn begun() -> Plain {
        let mut face = Plain::default();
        let stages = vec![stage(StageKind::Difficulty), stage(StageKind::Grpo)];
        face.lines(&Event::RunStarted { session: "demo-1".into(), seed: 7, stages }, s(0));
        let unit = "updates".to_string();
        face.lines(&Event::StageStarted { stage: stage(StageKind::Grpo), done: 0, total: 16, unit }, s(0));
        face
    }

    #[test]
    fn the_start_names_session_seed_and_stages() {
        let started = Event::RunStarted { session: "d\u{1b}[2J".into(), seed: 7, stages: vec![stage(StageKind::Grpo)] };
        assert_eq!(Plain::default().lines(&started, s(0)), ["d: seed 7, 1 stage"]);
    }

    #[test]
    fn progress_is_told_every_few_seconds_with_rate_reward_and_time_left() {
        let mut face = begun();
        face.lines(&Event::Metric { stage: stage(StageKind::Grpo), step: 1, name: "reward".into(), value: 0.61 }, s(1));
        let told: Vec<String> = (1..=12).flat_map(|t| face.lines(&progress(t), s(t))).collect();
        assert_eq!(
            told,
            [
                "[2/2] grpo (iteration 1): 5/16 updates, reward .610, 11.4k tok/s, 0:11 left",
                "[2/2] grpo (iteration 1): 10/16 updates, reward .610, 11.4k tok/s, 0:06 left",
            ]
        );
    }

    #[test]
    fn a_pause_is_no_work() {
        let mut face = begun();
        face.lines(&progress(5), s(5));
        assert_eq!(face.lines(&Event::Paused, s(6)), ["paused"]);
        assert_eq!(face.lines(&Event::Resumed, s(1_006)), ["going on"]);
        assert_eq!(
            face.lines(&progress(10), s(1_010)),
            ["[2/2] grpo (iteration 1): 10/16 updates, 11.4k tok/s, 0:06 left"]
        );
    }

    #[test]
    fn ends_say_what_came_out() {
        let mut face = begun();
        let finished = Event::StageFinished {
            stage: stage(StageKind::Grpo),
            summary: "reward .58 to .66".into(),
            seconds: 38.0,
            tokens: 433_200,
        };
        assert_eq!(
            face.lines(&finished, s(38)),
            ["[2/2] grpo (iteration 1): done in 0:38, 11.4k tok/s, reward .58 to .66"]
        );
        let over = Event::RunFinished { outcome: Outcome::Done, seconds: 178.0 };
        assert_eq!(face.lines(&over, s(178)), ["done in 2:58"]);
    }

    #[test]
    fn warnings_and_errors_are_marked() {
        let mut face = Plain::default();
        let log = |level, message: &str| Event::Log { level, message: message.into() };
        assert_eq!(face.lines(&log(Level::Warn, "a\nb"), s(0)), ["warning: a b"]);
        assert_eq!(face.lines(&log(Level::Error, "disk full"), s(0)), ["error: disk full"]);
    }
}
