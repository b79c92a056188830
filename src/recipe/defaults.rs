//! The paper's settings (Tables 5 and 6, sections 3 and C, `reading.md`) as the defaults of every field.
//!
//! Not carried over: the settings of Tables 5 and 6 that describe the authors' cluster rather than the method (number
//! of GPUs, sharding, tensor parallel size, memory share, number format and caching of the rollout engine, micro-batches
//! per GPU). `student.slots` and `student.micro_batch_tokens` stand in their place; neither changes the outcome.
//! Table 5 looks at its validation set every 100 updates; here the dev split is measured after every sub-stage.
//! Table 6 never saves during training; a run here must survive a kill, so `grpo.save_every` is 10.
//! The paper's student and questions are no defaults: a recipe names its own.

use super::types::*;

impl Default for Recipe {
    fn default() -> Self {
        Self {
            seed: 1111,
            iterations: 2,
            arm: Arm::Bridged,
            student: StudentRecipe::default(),
            data: DataRecipe::default(),
            difficulty: DifficultyRecipe::default(),
            teacher: TeacherRecipe::default(),
            prompts: PromptsRecipe::default(),
            bridge: BridgeRecipe::default(),
            sft: SftRecipe::default(),
            rollouts: RolloutsRecipe::default(),
            grpo: GrpoRecipe::default(),
            recycle: RecycleRecipe::default(),
            evaluate: EvaluateRecipe::default(),
            gates: GatesRecipe::default(),
        }
    }
}

impl Default for StudentRecipe {
    fn default() -> Self {
        Self {
            path: "world".into(),
            device: "auto".into(),
            compute: ComputeChoice::Auto,
            slots: 64,
            micro_batch_tokens: 4096,
            checkpointing: false,
            lora: LoraRecipe::default(),
        }
    }
}

impl Default for LoraRecipe {
    fn default() -> Self {
        Self { rank: 0, alpha: 32.0, targets: LoraTarget::ALL.to_vec() }
    }
}

impl Default for DataRecipe {
    fn default() -> Self {
        Self {
            source: "world".into(),
            folder: "data".into(),
            verifier: "gsm8k-strict".into(),
            train: 0,
            dev: 256,
            test: 0,
            ood: 0,
            seed: 1,
            svamp: "all".into(),
            map: MapRecipe::default(),
        }
    }
}

impl Default for MapRecipe {
    fn default() -> Self {
        let auto = || "auto".to_owned();
        Self {
            question: auto(),
            answer: auto(),
            solution: auto(),
            choices: auto(),
            id: auto(),
            filter: "none".into(),
            rows: "all".into(),
            ask: auto(),
            duplicates: "refuse".into(),
        }
    }
}

impl Default for SamplingRecipe {
    /// Table 6.
    fn default() -> Self {
        Self { temperature: 0.7, top_p: 0.9, max_new_tokens: 1024 }
    }
}

impl Default for DifficultyRecipe {
    fn default() -> Self {
        Self { n: 64, medium_from: 0.25, simple_from: 0.75, sampling: SamplingRecipe::default() }
    }
}

impl Default for TeacherRecipe {
    fn default() -> Self {
        Self {
            kind: "rules".into(),
            path: String::new(),
            replay: String::new(),
            record: String::new(),
            base_url: String::new(),
            model: String::new(),
            api_key_env: String::new(),
            max_retries: 3,
            temperature: 0.7,
            top_p: 0.9,
            max_tokens: 2048,
            concurrency: 16,
            requests_per_minute: 0,
            tokens_per_minute: 0,
            timeout: 120.0,
            budget: None,
            budget_tokens: 0,
            price_in: 0.0,
            price_out: 0.0,
            allow_http: false,
            extra_body: String::new(),
        }
    }
}

impl Default for BridgeRecipe {
    fn default() -> Self {
        Self {
            tau_i: 0.5,
            tau_j: 0.5,
            tau_d: TauD::Mean(MeanWord::Mean),
            score_on: ScoreOn::Original,
            difficulty_under: DifficultyUnder::Base,
            without: Vec::new(),
            max_steps: 64,
        }
    }
}

impl Default for AdamWRecipe {
    /// Table 5.
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.95, eps: 1e-8, weight_decay: 0.1, clip_norm: 1.0 }
    }
}

impl Default for SftRecipe {
    /// Table 5.
    fn default() -> Self {
        Self {
            lr_medium: 2e-5,
            lr_bridged: 2e-5,
            lr_recycled: 2e-5,
            batch: 8,
            epochs: 1,
            warmup_ratio: 0.2,
            min_lr_ratio: 0.1,
            loss: SftLoss::SampleMean,
            max_tokens: 1536,
            adamw: AdamWRecipe::default(),
            save_every: 100,
        }
    }
}

impl Default for RolloutsRecipe {
    fn default() -> Self {
        Self { group: 8, sampling: SamplingRecipe::default(), candidates: Candidates::All }
    }
}

impl Default for GrpoRecipe {
    /// Table 6; the optimizer is that of its framework (betas .9 and .999, decay .01).
    fn default() -> Self {
        Self {
            lr: 1e-6,
            warmup_steps: 0,
            final_lr_ratio: 1.0,
            prompts: 16,
            group: 8,
            mini_batch: 8,
            steps: Vec::new(),
            epochs: 1,
            max_prompt_tokens: 1024,
            clip_low: 0.2,
            clip_high: 0.2,
            dual_clip: None,
            log_ratio_clamp: 20.0,
            kl_clamp: 10.0,
            beta: 0.001,
            agg: Aggregation::SeqMeanTokenMean,
            norm_len: 1024,
            advantage: AdvantageScale::Std,
            advantage_eps: 1e-6,
            sampling: SamplingRecipe::default(),
            adamw: AdamWRecipe { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.01, clip_norm: 1.0 },
            save_every: 10,
        }
    }
}

impl Default for RecycleRecipe {
    fn default() -> Self {
        Self { tau_len: None, tau_steps: None, weights: [1.0; 3], max_excerpt: 120, start_from: StartFrom::Policy }
    }
}

impl Default for EvaluateRecipe {
    fn default() -> Self {
        Self {
            bench: Vec::new(),
            limit: 0,
            n: 64,
            k: 8,
            sampling: SamplingRecipe::default(),
            max_new_tokens: 1024,
            format_control: false,
        }
    }
}
