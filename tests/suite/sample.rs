//! Tests of generation: what a sample depends on, and what it must not.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::tensor::{Device, Int, Tensor, TensorData};
use footbridge::domain::Finish;
use footbridge::sample::{Finished, Group, SampleError, SamplerSettings, generate, generate_while};
use footbridge::student::Student;
use footbridge::student::workers::Workers;

/// A student of the bundled set: these tests are about generation, not about parity, so any shape will do.
fn student(name: &str) -> Student {
    let bundled = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    Student::load(&bundled.join(name), &Device::flex()).unwrap()
}

fn settings(temperature: f64, top_p: f64) -> SamplerSettings {
    SamplerSettings { temperature, top_p, max_new_tokens: 24, slots: 16, banned_first: Vec::new(), log_probs: true }
}

/// Prompts of different lengths with different numbers of samples.
fn groups(student: &Student) -> Vec<Group> {
    let vocab = student.config.vocab_size as u32;
    (0..9_u32)
        .map(|g| Group {
            prompt: (0..3 + 11 * g).map(|i| (i * 7 + g * 13 + 5) % vocab).collect(),
            stream: u64::from(g) * 1_000_003,
            samples: 0..1 + g % 4,
        })
        .collect()
}

/// All samples in order of group and number.
fn draw(student: &Student, threads: usize, groups: &[Group], settings: &SamplerSettings) -> Vec<Finished> {
    let mut all = Vec::new();
    generate(student, &Workers::new(threads), groups, settings, &mut |finished| {
        all.push(finished);
        ControlFlow::Continue(())
    })
    .unwrap();
    all.sort_by_key(|f| (f.group, f.sample));
    all
}

#[test]
fn a_sample_is_the_same_in_every_batch_order_and_number_of_threads() {
    for name in ["qwen2-tiny", "llama3-tiny"] {
        let student = student(name);
        let groups = groups(&student);
        for settings in [settings(1.0, 1.0), settings(0.7, 0.9), settings(0.0, 1.0)] {
            let expected = draw(&student, 1, &groups, &settings);
            assert_eq!(expected.len(), groups.iter().map(|g| g.samples.len()).sum::<usize>());
            for (threads, slots) in [(1, 1), (1, 3), (2, 16), (3, 7)] {
                let settings = SamplerSettings { slots, ..settings.clone() };
                assert_eq!(draw(&student, threads, &groups, &settings), expected, "{threads} threads, {slots} slots");
            }
            for found in draw(&student, 2, &groups, &SamplerSettings { log_probs: false, ..settings.clone() }) {
                let twin = expected.iter().find(|f| (f.group, f.sample) == (found.group, found.sample)).unwrap();
                assert_eq!((&found.ids, found.log_probs.len()), (&twin.ids, 0));
                assert_eq!(twin.log_probs.len(), twin.ids.len());
            }
            let mut shuffled: Vec<usize> = (0..groups.len()).collect();
            shuffled.rotate_left(4);
            shuffled.reverse();
            let mixed: Vec<Group> = shuffled.iter().map(|g| groups[*g].clone()).collect();
            for found in draw(&student, 2, &mixed, &settings) {
                let group = shuffled[found.group];
                let twin = expected.iter().find(|f| (f.group, f.sample) == (group, found.sample)).unwrap();
                assert_eq!((&found.ids, found.finish), (&twin.ids, twin.finish));
            }
            for wanted in &expected {
                let mut alone = groups[wanted.group].clone();
                alone.samples = wanted.sample..wanted.sample + 1;
                let found = draw(&student, 1, &[alone], &settings);
                assert_eq!((found.len(), &found[0].ids), (1, &wanted.ids));
            }
        }
    }
}

/// The fixtures' greedy continuations through prefill, cache and sampler, for every checkpoint of the set.
#[test]
fn greedy_continuations_hold_with_the_cache() {
    for folder in crate::student::fixtures::checkpoints() {
        let expected = crate::student::fixtures::expected(&folder);
        let student = crate::student::fixtures::student(&folder);
        let prompts = expected["prompts"].as_array().unwrap();
        let ids = crate::student::fixtures::ids;
        let groups: Vec<Group> =
            prompts.iter().map(|p| Group { prompt: ids(&p["ids"]), stream: 0, samples: 0..2 }).collect();
        let wanted: Vec<Vec<u32>> = prompts.iter().map(|p| ids(&p["greedy"]["ids"])).collect();
        let longest = wanted.iter().map(Vec::len).max().unwrap();
        let found = draw(&student, 2, &groups, &SamplerSettings { max_new_tokens: longest, ..settings(0.0, 1.0) });
        assert_eq!(found.len(), 2 * prompts.len());
        for one in found {
            assert_eq!(one.ids[..wanted[one.group].len()], wanted[one.group], "{}", folder.display());
        }
    }
}

#[test]
fn greedy_follows_the_decoder_run_from_the_start() {
    for name in ["qwen2-tiny", "llama3-tiny"] {
        let student = student(name);
        let groups = groups(&student);
        let rope = student.rope(256);
        for found in draw(&student, 2, &groups, &settings(0.0, 1.0)) {
            let mut ids = groups[found.group].prompt.clone();
            for token in found.ids {
                let values: Vec<i64> = ids.iter().map(|id| i64::from(*id)).collect();
                let input = Tensor::<2, Int>::from_data(TensorData::new(values, [1, ids.len()]), &Device::flex());
                let hidden = student.model.hidden(input, &rope).narrow(0, ids.len() - 1, 1);
                let logits = student.model.logits(hidden).into_data().try_to_vec::<f32>().unwrap();
                let best = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                assert!(best - logits[token as usize] < 1e-4, "token {token} after {} tokens", ids.len());
                ids.push(token);
            }
        }
    }
}

#[test]
fn a_greedy_sample_is_the_likeliest_whatever_its_number_and_samples_differ_when_drawn() {
    let student = student("qwen2-tiny");
    let group = Group { samples: 0..6, ..groups(&student)[2].clone() };
    let greedy = draw(&student, 2, std::slice::from_ref(&group), &settings(0.0, 1.0));
    assert!(greedy.iter().all(|f| f.ids == greedy[0].ids));
    let drawn = draw(&student, 2, &[group], &settings(1.5, 1.0));
    assert!(drawn.iter().any(|f| f.ids != drawn[0].ids));
}

#[test]
fn ends_are_where_they_should_be() {
    let student = student("qwen2-tiny");
    let groups = groups(&student);
    for found in draw(&student, 2, &groups, &settings(1.5, 1.0)) {
        let ends = |id: &u32| student.end_of_turn.contains(id);
        assert!(!found.ids[..found.ids.len() - 1].iter().any(ends));
        match found.finish {
            Finish::EndOfTurn => assert!(ends(&found.ids[found.ids.len() - 1])),
            Finish::Length => assert!(found.ids.len() == 24 && !ends(&found.ids[23])),
        }
    }
    let none = SamplerSettings { max_new_tokens: 0, ..settings(1.0, 1.0) };
    assert!(draw(&student, 2, &groups, &none).iter().all(|f| f.ids.is_empty() && f.finish == Finish::Length));
}

#[test]
fn a_context_that_is_full_ends_the_answer() {
    let mut student = student("qwen2-tiny");
    student.config.max_positions = 20;
    student.model.config.max_positions = 20;
    student.end_of_turn = vec![u32::MAX];
    let group = Group { prompt: vec![3; 15], stream: 1, samples: 0..2 };
    let found = draw(&student, 1, &[group], &settings(1.0, 1.0));
    assert!(found.iter().all(|f| f.ids.len() == 5 && f.finish == Finish::Length));
}

#[test]
fn banned_tokens_do_not_come_first() {
    let student = student("qwen2-tiny");
    let groups = groups(&student);
    let free = draw(&student, 1, &groups, &settings(0.0, 1.0));
    let banned: Vec<u32> = free.iter().map(|f| f.ids[0]).collect();
    let settings = SamplerSettings { banned_first: banned.clone(), ..settings(0.0, 1.0) };
    for found in draw(&student, 1, &groups, &settings) {
        assert!(!banned.contains(&found.ids[0]));
    }
}

#[test]
fn breaking_ends_generation() {
    let student = student("qwen2-tiny");
    let many: Vec<Group> = (0..200).map(|i| Group { prompt: vec![5, 6], stream: i, samples: 0..4 }).collect();
    let mut seen = 0;
    generate(&student, &Workers::new(2), &many, &settings(1.0, 1.0), &mut |_| {
        seen += 1;
        if seen == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .unwrap();
    assert_eq!(seen, 3);
}

/// Asked between two tokens, so that nothing need be finished for a cancel to be heard.
#[test]
fn generation_goes_on_only_while_it_is_wanted() {
    let student = student("qwen2-tiny");
    let one = [Group { prompt: vec![5, 6], stream: 1, samples: 0..1 }];
    let whole = draw(&student, 1, &one, &settings(1.0, 1.0));
    assert!(whole[0].ids.len() > 6, "{whole:?}");
    for allowed in [0, 5] {
        let (looks, mut finished) = (AtomicUsize::new(0), 0);
        let go_on = || looks.fetch_add(1, Ordering::Relaxed) < allowed;
        generate_while(&student, &Workers::new(1), &one, &settings(1.0, 1.0), &go_on, &mut |_| {
            finished += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!((looks.into_inner(), finished), (allowed + 1, 0));
    }
    let mut all = Vec::new();
    generate_while(&student, &Workers::new(2), &one, &settings(1.0, 1.0), &|| true, &mut |done| {
        all.push(done);
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(all, whole);
}

#[test]
fn what_cannot_be_sampled_is_said() {
    let student = student("qwen2-tiny");
    let ask = |prompt: Vec<u32>, settings: &SamplerSettings| {
        let group = Group { prompt, stream: 1, samples: 0..1 };
        generate(&student, &Workers::new(1), &[group], settings, &mut |_| ControlFlow::Continue(())).unwrap_err()
    };
    let good = settings(1.0, 1.0);
    assert!(matches!(ask(Vec::new(), &good), SampleError::EmptyPrompt { group: 0 }));
    assert!(matches!(ask(vec![u32::MAX], &good), SampleError::UnknownToken { token: u32::MAX, .. }));
    let long = vec![1; student.config.max_positions];
    assert!(matches!(ask(long, &good), SampleError::PromptTooLong { .. }));
    assert!(matches!(ask(vec![1], &settings(f64::NAN, 1.0)), SampleError::Settings(_)));
    assert!(matches!(ask(vec![1], &settings(1.0, 0.0)), SampleError::Settings(_)));
    let mut broken = student.clone();
    broken.model.norm = burn::module::Param::from_tensor(broken.model.norm.val() * f32::NAN);
    let group = Group { prompt: vec![1, 2], stream: 1, samples: 0..1 };
    let error = generate(&broken, &Workers::new(1), &[group], &good, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert!(matches!(error, SampleError::NotFinite { group: 0, sample: 0, position: 2 }), "{error}");
}

#[test]
fn the_hidden_states_of_a_sequence_do_not_depend_on_its_batch() {
    for name in ["qwen2-tiny", "llama3-tiny"] {
        let student = student(name);
        let rope = student.rope(200);
        let hidden = |batch: usize, seq: usize| {
            let id = |i: usize| if i < 37 { (i * 11 % 50) as i64 } else { (i * 17 % 60) as i64 };
            let ids: Vec<i64> = (0..batch * seq).map(id).collect();
            let input = Tensor::<2, Int>::from_data(TensorData::new(ids, [batch, seq]), &Device::flex());
            let rows = student.model.hidden(input, &rope).narrow(0, 0, 37);
            rows.into_data().try_to_vec::<f32>().unwrap()
        };
        let alone = hidden(1, 37);
        for (batch, seq) in [(2, 37), (3, 64), (7, 38), (1, 200)] {
            assert!(alone == hidden(batch, seq), "{name}: {batch} sequences of {seq}");
        }
    }
}
