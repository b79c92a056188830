//! Small sessions with made-up answers: everything a report reads, nothing that takes time.

use std::collections::BTreeMap;
use std::path::Path;

use footbridge::domain::{
    Action, Bridged, Diagnosis, Finish, Message, Provenance, Question, Rollout, SampleKind, SftSample,
};
use footbridge::pipeline::events::{StageId, StageKind};
use footbridge::pipeline::plan::{BASE, parent, plan};
use footbridge::recipe::{Arm, Recipe, SamplingRecipe};
use footbridge::session::records::{
    Asked, BridgedStep, BridgedTrace, GrpoStep, Prepared, Recycled, RolloutGroup, SftUpdate, StageDone, Status,
};
use footbridge::session::{Author, Batch, NewSession, Session, Sessions};

/// Evaluated splits with their sizes.
const SPLITS: [(&str, usize); 4] = [("b", 10), ("c", 10), ("dev", 20), ("test", 40)];
const TRAIN: usize = 20;

/// What a session is made of.
pub struct Made {
    pub name: &'static str,
    pub arm: Arm,
    pub seed: u64,
    /// Of 40 test questions, how many each checkpoint solves, in order of training; other splits in proportion.
    pub right: &'static [usize],
    /// Complete stages; the plan's length for all.
    pub stages: usize,
    pub prompt: &'static str,
    /// A word that stands in every question.
    pub world: &'static str,
    /// Tokens of one SFT update.
    pub tokens: u64,
}

impl Default for Made {
    fn default() -> Self {
        Self {
            name: "small",
            arm: Arm::Bridged,
            seed: 5,
            right: &[16, 17, 26, 27, 28, 32],
            stages: usize::MAX,
            prompt: "0123456789ab",
            world: "apples",
            tokens: 300,
        }
    }
}

impl Made {
    pub fn recipe(&self) -> Recipe {
        let mut recipe = Recipe::preset("demo").unwrap();
        (recipe.arm, recipe.seed) = (self.arm, self.seed);
        (recipe.evaluate.n, recipe.evaluate.k) = (4, 2);
        recipe
    }

    /// Writes the session under `root`.
    pub fn write(&self, root: &Path) -> Session {
        let recipe = self.recipe();
        let new = NewSession { recipe: &recipe.to_toml(), seed: self.seed };
        let session = Sessions::at(root).create(self.name, &new).unwrap();
        let mut batch = Batch::new(Author::Pipeline);
        if self.stages > 0 {
            for (split, n) in SPLITS.into_iter().chain([("train", TRAIN)]) {
                for question in (0..n).map(|i| self.question(split, i)) {
                    batch.put(&format!("{split}/{}", question.id), &Asked { split: split.into(), question });
                }
            }
        }
        let stages = plan(&recipe);
        for (at, stage) in stages.iter().take(self.stages).enumerate() {
            let checkpoint = parent(&stages, stage).map_or_else(|| BASE.into(), StageId::key);
            self.stage(&mut batch, &recipe, stage, &checkpoint);
            let summary = match stage.kind {
                StageKind::Scores => "9 hard traces, τ_D 0.576 (mean over 22342 tokens of 9 hard traces)".to_string(),
                _ => format!("{} came out", stage.kind.name()),
            };
            let tokens = if stage.kind == StageKind::Split { 0 } else { 1000 * at as u64 };
            batch.put(&stage.key(), &StageDone { summary, seconds: 0.5 * at as f64, tokens });
        }
        session.write(batch).unwrap();
        session
    }

    fn question(&self, split: &str, i: usize) -> Question {
        let text = format!("{i} {} of {split}?", self.world);
        let steps = Some(1 + i as u32 % 5);
        Question { id: format!("{split}-{i:04}"), text, gold: i.to_string(), steps, ..Question::default() }
    }

    fn stage(&self, batch: &mut Batch, recipe: &Recipe, stage: &StageId, checkpoint: &str) {
        let key = stage.key();
        let level = |checkpoint: &str| {
            let trained = plan(recipe).into_iter().filter(|s| s.kind.trains()).map(|s| s.key());
            let at = trained.into_iter().position(|id| id == checkpoint).map_or(0, |at| at + 1);
            self.right[at] as f64 / 40.0
        };
        match stage.kind {
            StageKind::Evaluate => {
                let (at, n) = (level(&stage.of), recipe.evaluate.n);
                for (split, size) in SPLITS {
                    let mut write = |kind: &str, n: u32, sampling: SamplingRecipe| {
                        // With the marker banned every checkpoint but the base loses some.
                        let at = if kind == "control" && stage.of != BASE { at - 0.1 } else { at };
                        for i in 0..size {
                            let group = self.group(&stage.of, split, (i, size), at, n, sampling);
                            batch.put(&format!("{key}/{kind}/{split}/{}", group.question), &group);
                        }
                    };
                    let greedy = SamplingRecipe { temperature: 0.0, top_p: 1.0, max_new_tokens: 180 };
                    write("greedy", 1, greedy);
                    if split != "dev" {
                        write("sampled", n, recipe.evaluate.sampling);
                        write("control", 1, greedy);
                    }
                }
            }
            StageKind::Difficulty | StageKind::Rollouts => {
                let (n, sampling) = match stage.kind {
                    StageKind::Difficulty => (recipe.difficulty.n, recipe.difficulty.sampling),
                    _ => (recipe.rollouts.group, recipe.rollouts.sampling),
                };
                for i in 0..TRAIN {
                    let group = self.group(checkpoint, "train", (i, TRAIN), level(checkpoint), n, sampling);
                    batch.put(&format!("{key}/{}", group.question), &group);
                }
            }
            StageKind::Bridge => bridge(batch),
            StageKind::SftMedium | StageKind::SftBridged | StageKind::SftRecycled => self.sft(batch, recipe, stage),
            StageKind::Grpo => self.grpo(batch, recipe, &key, checkpoint),
            StageKind::Recycle => recycle(batch, stage.iteration),
            StageKind::Traces | StageKind::Scores | StageKind::Split => {}
        }
    }

    /// Answers to one question: all right below the level, all wrong well above it, in between half of them.
    fn group(
        &self,
        checkpoint: &str,
        split: &str,
        (i, size): (usize, usize),
        level: f64,
        n: u32,
        sampling: SamplingRecipe,
    ) -> RolloutGroup {
        // A fixed shuffle, so that steps and difficulty are not the same.
        let place = ((i * 7) % size) as f64 / size as f64;
        let right = if place < level {
            n
        } else if place < level + 0.2 {
            n / 2
        } else {
            0
        };
        let rollout = |sample: u32| Rollout {
            text: if sample < right { format!("#### {i}") } else { "nothing".into() },
            tokens: 20 + i as u32 % 7,
            finish: Finish::EndOfTurn,
            answer: (sample < right).then(|| i.to_string()),
            correct: sample < right,
        };
        let provenance =
            Provenance { verifier: "gsm8k-strict".into(), prompt: self.prompt.into(), checkpoint: checkpoint.into() };
        let question = format!("{split}-{i:04}");
        RolloutGroup { question, provenance, sampling, rollouts: (0..n).map(rollout).collect() }
    }

    fn sft(&self, batch: &mut Batch, recipe: &Recipe, stage: &StageId) {
        let key = stage.key();
        let (kinds, lr): (&[SampleKind], f64) = match (stage.kind, self.arm) {
            (StageKind::SftMedium, _) => (&[SampleKind::Medium], recipe.sft.lr_medium),
            (StageKind::SftBridged, Arm::RawHard) => (&[SampleKind::RawHard], recipe.sft.lr_bridged),
            (StageKind::SftBridged, _) => (&[SampleKind::Bridged, SampleKind::Local], recipe.sft.lr_bridged),
            _ => (&[SampleKind::Medium, SampleKind::Diagnose, SampleKind::Repair], recipe.sft.lr_recycled),
        };
        for (at, kind) in kinds.iter().flat_map(|kind| [kind; 4]).enumerate() {
            let messages = vec![Message::user("?"), Message::assistant("!")];
            let id = format!("{key}-{at}");
            let sample = SftSample { id, kind: *kind, question: "train-0000".into(), messages, lineage: Vec::new() };
            batch.put(&format!("{key}/{at:06}"), &Prepared { sample, tokens: 30 + at as u32, prompt: String::new() });
        }
        for update in 1..=8_u32 {
            let loss = 1.0 / f64::from(update);
            let update_lr = lr * f64::from(update) / 8.0;
            let record = SftUpdate { loss, lr: update_lr, grad_norm: 1.0, tokens: self.tokens };
            batch.put(&format!("{key}/{update:05}"), &record);
        }
    }

    fn grpo(&self, batch: &mut Batch, recipe: &Recipe, key: &str, checkpoint: &str) {
        for step in 1..=8_u32 {
            let groups =
                (0..4).map(|i| self.group(checkpoint, "train", (i, TRAIN), 0.4, 8, recipe.grpo.sampling)).collect();
            let reward = 0.5 + 0.01 * f64::from(step);
            let metrics = vec![("kl".to_string(), 0.001 * f64::from(step)), ("clip-fraction".to_string(), 0.0)];
            let record = GrpoStep { groups, reward, reward_above_before: reward - 0.5, metrics, tokens: 640 };
            batch.put(&format!("{key}/{step:05}"), &record);
        }
    }
}

fn bridge(batch: &mut Batch) {
    let all = [Action::Keep, Action::Compress, Action::Expand, Action::Drop, Action::Localize];
    for i in 0..3 {
        let steps = all.iter().take(3 + i).map(|action| BridgedStep::new(*action, "made up", "1 + 1 = 2"));
        let status = if i == 2 { Status::Review { reason: "made up".into() } } else { Status::Approved };
        let bridged = Bridged { text: "1 + 1 = 2\n#### 2".into(), locals: Vec::new(), flagged: None };
        let question = format!("train-{i:04}");
        let steps = steps.collect();
        batch.put(
            &question.clone(),
            &BridgedTrace { question, steps, bridged, prompts: BTreeMap::new(), status, decided: None },
        );
    }
}

fn recycle(batch: &mut Batch, iteration: u32) {
    for (i, error) in ["wrong operation", "misread the question", "misread the question"].into_iter().enumerate() {
        let diagnosis = Diagnosis {
            first_error: "1 + 1 = 3".into(),
            error_type: error.into(),
            why_wrong: "it is 2".into(),
            missing_knowledge: "addition".into(),
            minimal_fix: "count".into(),
            correct_next_step: "1 + 1 = 2".into(),
            short_correct_reasoning: "1 + 1 = 2\n#### 2".into(),
        };
        let question = format!("train-{i:04}");
        let recycled = Recycled {
            question: question.clone(),
            near_miss: 0,
            score: 1.0,
            repetition: false,
            response: "1 + 1 = 3".into(),
            diagnosis: Some(diagnosis),
            excerpt: None,
            reference: None,
            prefix: String::new(),
            prompts: BTreeMap::new(),
            status: Status::Approved,
            decided: None,
        };
        batch.put(&format!("{iteration}/{question}"), &recycled);
    }
}
