//! Training by tensor operations beside training by the CPU's kernels.

use std::path::PathBuf;
use std::sync::Arc;

use burn::tensor::Device;
use footbridge::recipe::{AdamWRecipe, GrpoRecipe, LoraRecipe, SftLoss};
use footbridge::student::workers::Workers;
use footbridge::student::{ChatTokens, Compute, Precision, Student};
use footbridge::train::{Group, Trainer};

use super::elsewhere;

const PORTABLE: Compute = Compute::Portable(Precision::F32);

fn student(name: &str, compute: Compute) -> Student {
    let bundled = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let student = Student::load(&bundled.join(name), &Device::flex()).unwrap();
    match compute {
        Compute::Portable(precision) => elsewhere(student, precision).unwrap(),
        Compute::Kernels => student,
    }
}

fn trainer(student: Student) -> Trainer {
    Trainer::new(student, AdamWRecipe::default(), 64, Arc::new(Workers::new(2)))
}

/// Conversations of different lengths.
fn chats(vocab: usize) -> Vec<ChatTokens> {
    let chat = |i: usize| {
        let length = 7 + 9 * i;
        ChatTokens {
            text: String::new(),
            ids: (0..length).map(|t| ((t * 31 + i * 7 + 3) % vocab) as u32).collect(),
            offsets: Vec::new(),
            trained: (2 + i..length).collect(),
            contents: Vec::new(),
        }
    };
    (0..5).map(chat).collect()
}

fn groups(vocab: usize) -> Vec<Group> {
    let tokens = |n: usize, seed: usize| (0..n).map(|t| ((t * 17 + seed * 5 + 1) % vocab) as u32).collect();
    let group = |g: usize| Group {
        prompt: tokens(4 + g, g),
        responses: (0..4).map(|r| tokens(3 + 2 * r, g * 4 + r)).collect(),
        rewards: (0..4).map(|r| (r % 2) as f64).collect(),
    };
    (0..3).map(group).collect()
}

/// The largest difference, as a share of the largest number.
fn off(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let largest = a.iter().fold(0.0f32, |m, x| m.max(x.abs()));
    let difference = a.iter().zip(b).fold(0.0f32, |m, (x, y)| m.max((x - y).abs()));
    f64::from(difference) / f64::from(largest).max(1e-30)
}

fn weights(student: &Student) -> Vec<f32> {
    student.model.named_parameters().iter().flat_map(|p| p.value.to_vec().unwrap()).collect()
}

#[test]
fn losses_and_gradients_are_those_of_the_kernels() {
    for name in ["qwen2-tiny", "llama3-tiny"] {
        let (plain, device) = (trainer(student(name, Compute::Kernels)), trainer(student(name, PORTABLE)));
        let chats = chats(plain.student().config.vocab_size);
        let (wanted, loss) = plain.sft_gradient(&chats, SftLoss::SampleMean).unwrap();
        for checkpointing in [false, true] {
            let device = trainer(student(name, PORTABLE)).checkpointing(checkpointing);
            let (found, same) = device.sft_gradient(&chats, SftLoss::SampleMean).unwrap();
            assert!(found.parts().is_empty(), "they stay on the device");
            assert!(
                (loss - same).abs() < 1e-5 * loss && (found.global_norm() / wanted.global_norm() - 1.0).abs() < 1e-4
            );
            for (a, b) in wanted.parts().iter().zip(found.on_host().parts()) {
                assert!(off(a, b) < 1e-3, "{name}: {}", off(a, b));
            }
        }
        let scores = [plain.student(), device.student()].map(|s| s.score(&chats).unwrap().concat());
        assert!(off(&scores[0], &scores[1]) < 1e-5);
    }
}

#[test]
fn some_updates_end_at_the_same_weights_and_a_saved_state_goes_on() {
    let mut plain = trainer(student("qwen2-tiny", Compute::Kernels));
    let mut device = trainer(student("qwen2-tiny", PORTABLE));
    let vocab = plain.student().config.vocab_size;
    let recipe = GrpoRecipe { mini_batch: 2, ..GrpoRecipe::default() };
    for trainer in [&mut plain, &mut device] {
        for _ in 0..3 {
            trainer.sft_step(&chats(vocab), SftLoss::SampleMean, 1e-4).unwrap();
        }
        let reference = trainer.student().model.clone();
        let shown = trainer.grpo_step(&groups(vocab), &reference, &recipe, 1e-4).unwrap();
        assert_eq!((shown.updates.len(), shown.updates[0].kl, trainer.updates()), (2, 0.0, 5));
    }
    assert!(off(&weights(plain.student()), &weights(device.student())) < 1e-3);
    // A state saved on one goes on on the other: that is what a resumed run on another device does.
    let state = device.state().unwrap();
    let restored = |compute| {
        let fresh = student("qwen2-tiny", compute);
        Trainer::restore(fresh, AdamWRecipe::default(), 64, Arc::new(Workers::new(1)), std::io::Cursor::new(&state))
            .unwrap()
    };
    for mut again in [restored(PORTABLE), restored(Compute::Kernels)] {
        assert_eq!(again.state().unwrap(), state);
        again.sft_step(&chats(vocab), SftLoss::SampleMean, 1e-4).unwrap();
        plain.sft_step(&[], SftLoss::SampleMean, 1e-4).unwrap();
        assert_eq!(again.updates(), 6);
    }
}

#[test]
fn half_precision_keeps_masters_in_single_precision_and_learns() {
    let half = Compute::Portable(Precision::Bf16);
    if elsewhere(student("qwen2-tiny", Compute::Kernels), Precision::Bf16).is_none() {
        return;
    }
    let plain = trainer(student("qwen2-tiny", Compute::Kernels));
    let mut device = trainer(student("qwen2-tiny", half));
    let chats = chats(plain.student().config.vocab_size);
    let (wanted, loss) = plain.sft_gradient(&chats, SftLoss::SampleMean).unwrap();
    let (found, near) = device.sft_gradient(&chats, SftLoss::SampleMean).unwrap();
    assert!((near / loss - 1.0).abs() < 0.01 && near != loss, "{near} beside {loss}");
    assert!((found.global_norm() / wanted.global_norm() - 1.0).abs() < 0.1);
    let mut losses = Vec::new();
    for _ in 0..6 {
        losses.push(device.sft_step(&chats, SftLoss::SampleMean, 2e-3).unwrap().loss);
    }
    assert!(losses[5] < losses[0] - 0.1, "{losses:?}");
    // An update smaller than a step of bf16 is not lost.
    let before = weights(device.student());
    device.sft_step(&chats, SftLoss::SampleMean, 1e-6).unwrap();
    let moved = before.iter().zip(weights(device.student())).filter(|(a, b)| *a != b).count();
    assert!(moved * 2 > before.len(), "{moved} of {}", before.len());
    // And it is the masters that are saved.
    let files = device.student().to_files().unwrap();
    let (_, saved) = files.iter().find(|(name, _)| name == "model.safetensors").unwrap();
    let stored = footbridge::student::folder::stored_in_bytes("model.safetensors", saved).unwrap();
    assert_eq!(stored.keys().collect::<Vec<_>>(), ["F32"]);
}

#[test]
fn adapters_are_trained_too() {
    let lora = LoraRecipe { rank: 4, ..LoraRecipe::default() };
    let make = |compute| trainer(student("qwen2-tiny", compute).with_adapters(&lora, 1));
    let (mut plain, mut device) = (make(Compute::Kernels), make(PORTABLE));
    let chats = chats(plain.student().config.vocab_size);
    for trainer in [&mut plain, &mut device] {
        for _ in 0..3 {
            trainer.sft_step(&chats, SftLoss::TokenMean, 1e-3).unwrap();
        }
    }
    let trained = |t: &Trainer| -> Vec<f32> {
        t.student().model.trained_parameters().iter().flat_map(|p| p.value.to_vec().unwrap()).collect()
    };
    assert!(off(&trained(&plain), &trained(&device)) < 1e-2);
}
