//! Training with less: layers computed again on the way back, and adapters in place of the weights.

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use footbridge::recipe::{AdamWRecipe, GrpoRecipe, LoraRecipe, LoraTarget, SftLoss};
use footbridge::student::lora::ADAPTER_WEIGHTS;
use footbridge::student::workers::Workers;
use footbridge::student::{Parameter, Student};
use footbridge::train::batch::Sequence;
use footbridge::train::gradients::Gradients;
use footbridge::train::{LogProbs, MiniBatch, Trainer};

use super::{chats, checkpoints, ids, json, trainer};

fn lora(rank: usize) -> LoraRecipe {
    LoraRecipe { rank, alpha: 8.0, ..LoraRecipe::default() }
}

fn adapted(folder: &Path, lora: &LoraRecipe) -> Trainer {
    let student = Student::load(folder, &Device::flex()).unwrap().with_adapters(lora, 7);
    let settings = AdamWRecipe { weight_decay: 0.0, ..AdamWRecipe::default() };
    Trainer::new(student, settings, 200, Arc::new(Workers::new(2)))
}

/// Logits of a few tokens.
fn logits(student: &Student) -> Vec<f32> {
    let ids = Tensor::from_data(TensorData::new(vec![5i64, 17, 3, 250, 9, 1], [1, 6]), &Device::flex());
    let model = &student.model;
    let data = model.logits(model.hidden(ids, &student.rope(6))).into_data();
    data.try_to_vec::<f32>().unwrap()
}

fn trained(trainer: &Trainer) -> Vec<(String, Vec<f32>)> {
    let parameters = trainer.student().model.trained_parameters();
    parameters.iter().map(|p| (p.name.clone(), p.value.to_vec().unwrap())).collect()
}

fn farthest(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// The same bits, but for a tied embedding, whose two parts, of either end of the model, are added in another order.
fn assert_same(trainer: &Trainer, want: &Gradients, got: &Gradients, what: &str) {
    assert!(want.global_norm() > 0.0, "{what}");
    let parameters = trainer.student().model.trained_parameters();
    for ((parameter, want), got) in parameters.iter().zip(want.parts()).zip(got.parts()) {
        let what = format!("{what}, {}", parameter.name);
        if trainer.student().config.tied && parameter.name == "model.embed_tokens.weight" {
            let largest = want.iter().fold(0.0f32, |m, x| m.max(x.abs()));
            assert!(farthest(want, got) <= 1e-6 * largest, "{what}: {}", farthest(want, got));
        } else {
            assert!(want == got, "{what}");
        }
    }
}

#[test]
fn layers_computed_again_give_the_same_gradients() {
    for folder in checkpoints() {
        let what = folder.display().to_string();
        let expected = json(&folder.join("expected.json"));
        for make in [(|f| trainer(f, AdamWRecipe::default(), 200, 2)) as fn(&Path) -> Trainer, |f| adapted(f, &lora(3))]
        {
            let (plain, again) = (make(&folder), make(&folder).checkpointing(true));
            let batch = chats(&plain, &expected);
            let (want, loss) = plain.sft_gradient(&batch, SftLoss::SampleMean).unwrap();
            let (got, loss_again) = again.sft_gradient(&batch, SftLoss::SampleMean).unwrap();
            assert_eq!(loss.to_bits(), loss_again.to_bits(), "{what}");
            assert_same(&plain, &want, &got, &what);
        }
    }
}

#[test]
fn so_does_grpo() {
    let folder = checkpoints().remove(0);
    let all = json(&super::fixtures().join("grpo.json"));
    let part = &all[folder.file_name().unwrap().to_str().unwrap()];
    let prompt = ids(&part["prompt"]["ids"]);
    let responses = part["responses"].as_array().unwrap().iter().map(|r| Sequence::response(&prompt, &ids(&r["ids"])));
    let sequences: Vec<Sequence> = responses.collect();
    let advantages = (0..sequences.len()).map(|i| if i == 1 { 1.5 } else { -0.5 }).collect();
    let mini_batch = MiniBatch { sequences, advantages };
    let gradient = |trainer: &Trainer| {
        let reference = trainer.student().model.clone();
        let reference = LogProbs::Model(&reference);
        trainer.grpo_gradient(&mini_batch, LogProbs::Current, reference, &GrpoRecipe::default()).unwrap()
    };
    let plain = trainer(&folder, AdamWRecipe::default(), 128, 2);
    let again = trainer(&folder, AdamWRecipe::default(), 128, 2).checkpointing(true);
    let ((want, shown), (got, shown_again)) = (gradient(&plain), gradient(&again));
    assert_eq!(shown, shown_again);
    assert_same(&plain, &want, &got, "GRPO");
}

#[test]
fn a_fresh_adapter_changes_no_output_and_training_moves_only_its_factors() {
    for folder in checkpoints() {
        let base = Student::load(&folder, &Device::flex()).unwrap();
        let recipe = LoraRecipe { targets: vec![LoraTarget::QProj, LoraTarget::DownProj], ..lora(4) };
        let mut trainer = adapted(&folder, &recipe);
        assert_eq!(logits(trainer.student()), logits(&base));
        let names: Vec<String> = trained(&trainer).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), 2 * 2 * base.config.layers);
        assert_eq!(names[0], "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight");
        assert_eq!(names[3], "base_model.model.model.layers.0.mlp.down_proj.lora_B.weight");

        let batch = chats(&trainer, &json(&folder.join("expected.json")));
        let losses: Vec<f64> =
            (0..8).map(|_| trainer.sft_step(&batch, SftLoss::SampleMean, 2e-2).unwrap().loss).collect();
        assert!(losses[7] < losses[0] - 0.05, "{losses:?}");
        let moved = |name: &str| {
            let of = |s: &Student| {
                let all = s.model.named_parameters();
                all.iter().find(|p| p.name == name).unwrap().value.to_vec().unwrap()
            };
            farthest(&of(trainer.student()), &of(&base))
        };
        assert!(moved("model.layers.0.self_attn.q_proj.weight") > 1e-3, "adapted: the map itself shows the change");
        for frozen in ["model.layers.0.self_attn.k_proj.weight", "model.embed_tokens.weight", "model.norm.weight"] {
            assert_eq!(moved(frozen), 0.0, "{frozen}");
        }
    }
}

/// Of `W + s A B` with B = 0 the gradient of B is s Aᵀ dW and that of A is 0, where dW is what training every weight sees.
#[test]
fn the_gradient_of_a_factor_follows_from_that_of_the_map() {
    let folder = checkpoints().remove(0);
    let recipe = lora(4);
    let (full, low) = (trainer(&folder, AdamWRecipe::default(), 200, 1), adapted(&folder, &recipe));
    let batch = chats(&full, &json(&folder.join("expected.json")));
    let (whole, _) = full.sft_gradient(&batch, SftLoss::SampleMean).unwrap();
    let (factors, _) = low.sft_gradient(&batch, SftLoss::SampleMean).unwrap();
    let parameters = full.student().model.named_parameters();
    let map = "model.layers.1.self_attn.o_proj";
    let at = parameters.iter().position(|p| p.name == format!("{map}.weight")).unwrap();
    let names: Vec<String> = trained(&low).into_iter().map(|(name, _)| name).collect();
    let a_at = names.iter().position(|n| *n == format!("base_model.model.{map}.lora_A.weight")).unwrap();
    let (Parameter::Matrix(a), Parameter::Matrix(w)) =
        (&low.student().model.trained_parameters()[a_at].value, &parameters[at].value)
    else {
        panic!("matrices");
    };
    let dw: Tensor<2> = Tensor::from_data(TensorData::new(whole.parts()[at].clone(), w.dims()), &Device::flex());
    let want = a.clone().transpose().matmul(dw).mul_scalar(8.0 / 4.0).into_data().try_to_vec::<f32>().unwrap();
    let largest = want.iter().fold(0.0f32, |m, x| m.max(x.abs()));
    assert!(largest > 0.0 && farthest(&factors.parts()[a_at + 1], &want) < 1e-4 * largest);
    assert!(factors.parts()[a_at].iter().all(|g| *g == 0.0));
}

#[test]
fn an_adapter_comes_back_from_its_folder_and_merges_into_a_student_of_its_own() {
    for folder in checkpoints() {
        let recipe = lora(2);
        let mut trainer = adapted(&folder, &recipe);
        let batch = chats(&trainer, &json(&folder.join("expected.json")));
        for _ in 0..3 {
            trainer.sft_step(&batch, SftLoss::SampleMean, 1e-2).unwrap();
        }
        let student = trainer.student();
        let files = student.adapter_files(&recipe, "some/base").unwrap();
        let (_, weights) = files.iter().find(|(name, _)| name == ADAPTER_WEIGHTS).unwrap();
        let base = Student::load(&folder, &Device::flex()).unwrap();
        let back = base.with_adapter_weights(&recipe, weights).unwrap();
        assert_eq!(logits(&back), logits(student));

        let merged = tempfile::tempdir().unwrap();
        for (name, bytes) in back.to_files().unwrap() {
            std::fs::write(merged.path().join(name), bytes).unwrap();
        }
        let merged = Student::load(merged.path(), &Device::flex()).unwrap();
        assert!(!merged.model.adapted());
        assert_eq!(logits(&merged), logits(student));

        let damaged = base.with_adapter_weights(&recipe, &weights[..weights.len() / 2]);
        assert!(damaged.unwrap_err().to_string().contains(ADAPTER_WEIGHTS));
        let other = base.with_adapter_weights(&lora(5), weights).unwrap_err().to_string();
        assert!(other.contains("shape"), "{other}");
    }
}

#[test]
fn training_an_adapter_goes_on_from_its_state_to_the_last_bit() {
    let folder = checkpoints().remove(0);
    let recipe = lora(4);
    let (mut through, mut stopped) = (adapted(&folder, &recipe), adapted(&folder, &recipe));
    let batch = chats(&through, &json(&folder.join("expected.json")));
    let go = |trainer: &mut Trainer, n: usize| {
        for _ in 0..n {
            trainer.sft_step(&batch, SftLoss::SampleMean, 1e-2).unwrap();
        }
    };
    go(&mut through, 4);
    go(&mut stopped, 2);
    let state = stopped.state().unwrap();
    let fresh = Student::load(&folder, &Device::flex()).unwrap().with_adapters(&recipe, 99);
    let settings = AdamWRecipe { weight_decay: 0.0, ..AdamWRecipe::default() };
    let mut resumed = Trainer::restore(fresh, settings, 200, Arc::new(Workers::new(1)), Cursor::new(state)).unwrap();
    go(&mut resumed, 2);
    assert!(trained(&resumed) == trained(&through));
}
