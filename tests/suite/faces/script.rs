//! A scripted run: the events of a small demo, without any training.

use footbridge::pipeline::events::{Event, Level, Outcome, StageId, StageKind};

use crate::workbench::stand::{Stand, dark};

pub fn stage(iteration: u32, kind: StageKind, of: &str) -> StageId {
    StageId { iteration, kind, of: of.to_string() }
}

/// The stages of the demo.
pub fn stages() -> Vec<StageId> {
    use StageKind::{
        Bridge, Difficulty, Evaluate, Grpo, Recycle, Rollouts, Scores, SftBridged, SftMedium, SftRecycled, Split,
        Traces,
    };
    [
        (0, Evaluate, "base"),
        (1, Difficulty, ""),
        (1, Traces, ""),
        (1, Scores, ""),
        (1, Bridge, ""),
        (1, SftMedium, ""),
        (1, Evaluate, "1-sft-medium"),
        (1, SftBridged, ""),
        (1, Evaluate, "1-sft-bridged"),
        (1, Rollouts, ""),
        (1, Split, ""),
        (1, Grpo, ""),
        (1, Evaluate, "1-grpo"),
        (1, Recycle, ""),
        (2, SftRecycled, ""),
        (2, Evaluate, "2-sft-recycled"),
        (2, Rollouts, ""),
        (2, Split, ""),
        (2, Grpo, ""),
        (2, Evaluate, "2-grpo"),
    ]
    .map(|(iteration, kind, of)| stage(iteration, kind, of))
    .to_vec()
}

/// A number that wobbles without chance, in ±1.
fn wobble(step: u64) -> f64 {
    ((step * 7919) % 97) as f64 / 48.5 - 1.0
}

fn items(kind: StageKind) -> (u64, &'static str) {
    match kind {
        StageKind::Grpo => (16, "updates"),
        StageKind::SftMedium | StageKind::SftBridged | StageKind::SftRecycled => (60, "updates"),
        StageKind::Traces | StageKind::Bridge | StageKind::Scores => (340, "traces"),
        _ => (600, "questions"),
    }
}

fn summary(kind: StageKind) -> &'static str {
    match kind {
        StageKind::Difficulty => "simple 240, medium 84, hard 276",
        StageKind::Bridge => "keep 512, compress 301, expand 122, drop 77, localize 198",
        StageKind::Evaluate => "test .598 [.554, .640], pass@8 .719",
        StageKind::Split => "consolidation 439, failed 161 (all-zero .269)",
        StageKind::Recycle => "108 lessons: calculation error 41, missing step 37, wrong operation 30",
        StageKind::Grpo => "reward .58 to .66",
        _ => "",
    }
}

/// Every event of one stage with the seconds that pass before it; `upto` of its items.
pub fn stage_events(id: &StageId, upto: f64) -> Vec<(f64, Event)> {
    let (total, unit) = items(id.kind);
    let mut events = vec![(0.1, Event::StageStarted { stage: id.clone(), done: 0, total, unit: unit.to_string() })];
    let parts = 8;
    for part in 1..=parts {
        let done = total * part / parts;
        if done as f64 > upto * total as f64 {
            return events;
        }
        for step in total * (part - 1) / parts + 1..=done {
            events.extend(metrics(id, step).into_iter().map(|event| (0.0, event)));
        }
        let progress = Event::StageProgress { stage: id.clone(), done, total, tokens: done * 900, rate: 14_200.0 };
        events.push((1.0, progress));
    }
    let finished =
        Event::StageFinished { stage: id.clone(), summary: summary(id.kind).into(), seconds: 8.1, tokens: total * 900 };
    events.push((0.0, finished));
    events
}

fn metrics(id: &StageId, step: u64) -> Vec<Event> {
    let metric = |name: &str, value: f64| Event::Metric { stage: id.clone(), step, name: name.to_string(), value };
    let (t, iteration) = (step as f64 / 16.0, f64::from(id.iteration));
    match id.kind {
        StageKind::Grpo => vec![
            metric("reward", 0.48 + 0.08 * iteration + 0.08 * t + 0.09 * wobble(step + id.iteration as u64)),
            metric("reward-above-before", 0.06 * t + 0.03 * wobble(step + 3)),
            metric("kl", 0.002 + 0.006 * t),
            metric("length", 61.0 + 4.0 * wobble(step)),
            metric("all-zero", 0.27 - 0.05 * t + 0.04 * wobble(step + 5)),
            metric("entropy", 0.41 - 0.04 * t),
        ],
        StageKind::SftMedium | StageKind::SftBridged | StageKind::SftRecycled => {
            vec![metric("loss", 0.9 * (-2.0 * step as f64 / 60.0).exp() + 0.05 * wobble(step))]
        }
        _ => vec![],
    }
}

/// The run up to a share of the stage at this index.
pub fn run_until(index: usize, upto: f64) -> Vec<(f64, Event)> {
    let all = stages();
    let mut events = vec![(0.2, Event::RunStarted { session: "demo-1".into(), seed: 7, stages: all.clone() })];
    for id in &all[..index] {
        events.extend(stage_events(id, 1.0));
    }
    if let Some(id) = all.get(index) {
        events.extend(stage_events(id, upto));
    }
    if index > 4 {
        let message = "3 traces went to review: a step had no importance score after 2 retries".to_string();
        events.push((0.0, Event::Log { level: Level::Warn, message }));
    }
    events
}

pub fn ended(outcome: Outcome, seconds: f64) -> (f64, Event) {
    (0.1, Event::RunFinished { outcome, seconds })
}

/// The workbench after these events.
pub fn played(events: Vec<(f64, Event)>) -> Stand {
    Stand::live(dark()).play(events)
}
