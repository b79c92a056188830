//! Runs on files, from the first evaluation to the last.

use footbridge::export::gather;
use footbridge::pipeline::events::{Command, Event, Outcome};
use footbridge::pipeline::plan::plan;
use footbridge::recipe::Recipe;
use footbridge::session::Sessions;
use footbridge::session::records::{
    CheckpointInfo, GrpoStep, Recycled, RolloutGroup, SftUpdate, Sourced, SplitSets, StageDone, Status,
};
use tempfile::tempdir;

use super::made::{begin, data, questions, recipe};
use crate::pipeline::runs::{Found, footbridge, outcome, text};

/// The verifier reads the first thing that looks like a number, so random text may be right by luck; with this question
/// file it is not, and the test says so if that changes.
fn assert_every_stage(found: &Found, recipe: &Recipe) {
    let stages = plan(recipe);
    assert_eq!(found.stages.len(), stages.len());
    for stage in &stages {
        assert!(found.stages.contains_key(&stage.key()), "{stage}");
    }
    assert!(found.all::<RolloutGroup>().values().all(|group| group.correct() == 0), "random weights answered rightly");
    let sets = found.all::<SplitSets>();
    assert!(sets.values().all(|s| s.sets.consolidation.is_empty() && s.sets.failed.len() == 12));
    assert!(found.all::<GrpoStep>().is_empty());
    for t in [1, 2] {
        let said = &found.stages[&format!("{t}-grpo")].summary;
        assert!(said.starts_with("skipped: no training question was solved"), "{said}");
    }
    let checkpoints = found.all::<CheckpointInfo>();
    assert_eq!(checkpoints["1-grpo"].weights, checkpoints["1-sft-bridged"].weights, "skipped, and yet changed");
    assert_ne!(checkpoints["2-sft-recycled"].weights, checkpoints["1-grpo"].weights);
    let recycled = found.all::<Recycled>();
    assert_eq!(recycled.len(), 12);
    let approved = recycled.values().filter(|r| r.status == Status::Approved).count();
    assert!(approved >= 6, "{approved} diagnoses passed their checks");
    let updates = |stage: &str| found.updates(stage).iter().map(|u: &SftUpdate| u.loss).collect::<Vec<_>>();
    assert!(updates("1-sft-medium").is_empty(), "nothing is medium");
    assert!(!updates("1-sft-bridged").is_empty() && !updates("2-sft-recycled").is_empty());
    let kinds: Vec<&str> = found.texts("2-sft-recycled").iter().map(|t| t.sample.kind.as_str()).collect();
    for kind in ["bridged", "diagnose", "repair", "new-trace"] {
        assert!(kinds.contains(&kind), "{kind} is missing");
    }
}

#[test]
fn every_stage_passes_although_every_rollout_fails_and_interruptions_change_nothing() {
    let home = tempdir().unwrap();
    let (train, bench) = (questions(home.path(), "own.jsonl", 0), questions(home.path(), "other.jsonl", 100));
    let recipe = recipe(&train, &[&bench], &[]);
    let sessions = Sessions::at(home.path().join("sessions"));
    assert_eq!(outcome(begin(&sessions, "whole", &recipe)), Outcome::Done);
    let whole = Found::of(&sessions, "whole", &recipe);
    assert_every_stage(&whole, &recipe);

    // Stopped in every training stage and in others, and resumed, it ends the same.
    for wanted in ["1-difficulty", "1-bridge", "1-sft-bridged", "1-recycle", "2-sft-recycled"] {
        let run = begin(&sessions, "stopped", &recipe);
        for event in &run.events {
            let here = match &event {
                Event::StageStarted { stage, .. } if !stage.kind.trains() => stage.key() == wanted,
                Event::Metric { stage, .. } => stage.key() == wanted,
                _ => false,
            };
            if here {
                run.commands.send(Command::Cancel).unwrap();
            }
        }
        assert_eq!(run.handle.join().unwrap(), Outcome::Cancelled, "{wanted}");
    }
    assert_eq!(outcome(begin(&sessions, "stopped", &recipe)), Outcome::Done);
    Found::of(&sessions, "stopped", &recipe).assert_equals(&whole);
}

#[test]
fn the_report_names_every_file_and_breaks_nowhere() {
    let home = tempdir().unwrap();
    let (train, bench) = (questions(home.path(), "own.jsonl", 0), questions(home.path(), "other.jsonl", 100));
    let recipe = recipe(&train, &[&bench], &[("iterations", "1")]);
    let sessions = Sessions::at(home.path().join("sessions"));
    assert_eq!(outcome(begin(&sessions, "run", &recipe)), Outcome::Done);
    let session = sessions.open_read_only("run").unwrap();
    let report = gather(&session, &recipe).unwrap();
    let splits: Vec<&str> = report.results.checkpoints[0].splits.iter().map(|(split, _)| split).collect();
    assert_eq!(splits, ["other", "dev"]);
    let sources: Vec<(&str, usize, usize)> =
        report.results.sources.iter().map(|s| (s.of.split.as_str(), s.of.used, s.of.rows)).collect();
    assert_eq!(sources, [("train", 12, 20), ("dev", 4, 20), ("other", 4, 20)]);
    let sha = session.get::<Sourced>("other").unwrap().unwrap().sha256;
    let text = report.to_string();
    assert!(text.contains(&sha[..12]) && text.contains("other.jsonl") && text.contains("mean@2"), "{text}");
    assert!(!text.contains("test, 4 steps"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100 && line == line.trim_end()), "{text}");
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<footbridge::export::Report>(&json).unwrap(), report);
}

#[test]
fn a_file_that_changed_is_refused_on_resume() {
    let home = tempdir().unwrap();
    let (train, bench) = (questions(home.path(), "own.jsonl", 0), questions(home.path(), "other.jsonl", 100));
    let recipe = recipe(&train, &[&bench], &[]);
    let sessions = Sessions::at(home.path().join("sessions"));
    let run = begin(&sessions, "run", &recipe);
    for event in &run.events {
        if matches!(event, Event::StageStarted { .. }) {
            run.commands.send(Command::Cancel).unwrap();
        }
    }
    assert_eq!(run.handle.join().unwrap(), Outcome::Cancelled);
    questions(home.path(), "other.jsonl", 101);
    let ground = footbridge::pipeline::run::Ground::with_teacher(&recipe, 1, Box::new(super::made::Solutions)).unwrap();
    let refused = ground.fits(&sessions.open_read_only("run").unwrap()).unwrap_err().to_string();
    assert!(refused.contains("other.jsonl is not the file"), "{refused}");
}

/// The published questions, with their own solutions as the teacher's traces.
#[test]
fn twelve_questions_of_gsm8k_through_both_iterations() {
    let (Some(train), Some(svamp)) = (data("gsm8k/train.jsonl"), data("svamp/SVAMP.json")) else { return };
    let (Some(platinum), Some(logiqa)) =
        (data("gsm8k_platinum/gsm8k_platinum_test.jsonl"), data("logiqa/AGIEval_v1_logiqa-en.jsonl"))
    else {
        return;
    };
    let Some(math) = data("math500/test.jsonl") else { return };
    let home = tempdir().unwrap();
    let limit = [("evaluate.limit", "2"), ("data.dev", "2"), ("evaluate.n", "1"), ("evaluate.k", "1")];
    let recipe = recipe(&train, &[&platinum, &svamp, &math, &logiqa], &limit);
    let sessions = Sessions::at(home.path());
    assert_eq!(outcome(begin(&sessions, "run", &recipe)), Outcome::Done);
    let session = sessions.open_read_only("run").unwrap();
    assert_eq!(session.count::<StageDone>("").unwrap(), plan(&recipe).len() as u64);
    let report = gather(&session, &recipe).unwrap();
    let verifiers: Vec<(&str, &str, usize)> =
        report.results.sources.iter().map(|s| (s.of.split.as_str(), s.of.verifier.as_str(), s.of.rows)).collect();
    assert_eq!(
        verifiers,
        [
            ("train", "gsm8k-strict", 7473),
            ("dev", "gsm8k-strict", 7473),
            ("gsm8k-platinum", "numeric", 1209),
            ("svamp", "numeric", 1000),
            ("math-500", "math", 500),
            ("logiqa", "choice", 651)
        ]
    );
    let prompts: std::collections::BTreeSet<&str> =
        report.results.sources.iter().map(|s| s.prompt.as_str()).filter(|p| !p.is_empty()).collect();
    assert_eq!(prompts.len(), 3, "numbers, boxes and choices are asked for differently: {prompts:?}");
    let recycled = session.scan::<Recycled>("").filter(|r| r.as_ref().unwrap().1.status == Status::Approved).count();
    assert!(recycled >= 6, "{recycled} diagnoses passed their checks");
}

/// What one teacher said is recorded, and the program's own replay of it gives the same run.
#[test]
fn a_recording_replayed_by_the_program_gives_the_same_run() {
    let home = tempdir().unwrap();
    let (train, bench) = (questions(home.path(), "own.jsonl", 0), questions(home.path(), "other.jsonl", 100));
    let mut recipe = recipe(&train, &[&bench], &[]);
    recipe.teacher.record = home.path().join("said.jsonl").display().to_string();
    let sessions = Sessions::at(home.path().join("sessions"));
    assert_eq!(outcome(begin(&sessions, "recorded", &recipe)), Outcome::Done);
    let recorded = gather(&sessions.open_read_only("recorded").unwrap(), &recipe).unwrap();

    (recipe.teacher.kind, recipe.teacher.replay) = ("replay".into(), std::mem::take(&mut recipe.teacher.record));
    std::fs::write(home.path().join("my.toml"), recipe.to_toml()).unwrap();
    let run = ["run", "my.toml", "--plain", "--session", "replayed"];
    let output = footbridge(&run, sessions.root()).current_dir(home.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with("replayed · complete"));
    let replayed = gather(&sessions.open_read_only("replayed").unwrap(), &recipe).unwrap();
    assert_eq!(replayed.results, recorded.results);
    assert!(!replayed.results.samples.is_empty() && replayed.results.errors.len() == 1);
}
