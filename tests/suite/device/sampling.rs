//! Generation by tensor operations beside generation by the CPU's kernels.

use std::ops::ControlFlow;
use std::path::PathBuf;

use burn::tensor::Device;
use footbridge::domain::Finish;
use footbridge::sample::{Finished, Group, SampleError, SamplerSettings, generate};
use footbridge::student::workers::Workers;
use footbridge::student::{Precision, Student};

use super::elsewhere;

/// A bundled student that computes by tensor operations, and as it is.
fn pair(name: &str) -> (Student, Student) {
    let plain = plain(name);
    (elsewhere(plain.clone(), Precision::F32).unwrap(), plain)
}

fn plain(name: &str) -> Student {
    let bundled = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    Student::load(&bundled.join(name), &Device::flex()).unwrap()
}

fn settings(temperature: f64, top_p: f64, slots: usize) -> SamplerSettings {
    SamplerSettings { temperature, top_p, max_new_tokens: 60, slots, banned_first: Vec::new(), log_probs: false }
}

/// Prompts of different lengths with different numbers of samples.
fn groups(student: &Student) -> Vec<Group> {
    let vocab = student.config.vocab_size as u32;
    let group = |g: u32| Group {
        prompt: (0..3 + 17 * (g % 6)).map(|i| (i * 7 + g * 13 + 5) % vocab).collect(),
        stream: u64::from(g) * 1_000_003,
        samples: 0..1 + g % 4,
    };
    (0..10).map(group).collect()
}

fn draw(student: &Student, groups: &[Group], settings: &SamplerSettings) -> Vec<Finished> {
    let mut all = Vec::new();
    let mut take = |finished| {
        all.push(finished);
        ControlFlow::Continue(())
    };
    generate(student, &Workers::new(1), groups, settings, &mut take).unwrap();
    all.sort_by_key(|f| (f.group, f.sample));
    all
}

/// How many samples are the same in both, the log-probs aside: those of a device stay there.
fn same(a: &[Finished], b: &[Finished]) -> usize {
    assert_eq!(a.len(), b.len());
    let drawn = |f: &Finished| (f.group, f.sample, f.ids.clone(), f.finish);
    a.iter().zip(b).filter(|(a, b)| drawn(a) == drawn(b)).count()
}

/// Slots that are taken over, a block that grows and one that is written over from its beginning, batches that shrink: all
/// of it leaves the samples those of the CPU's kernels.
#[test]
fn samples_are_those_of_the_kernels() {
    for name in ["qwen2-tiny", "llama3-tiny"] {
        let (device, plain) = pair(name);
        let groups = groups(&plain);
        for (temperature, slots) in [(0.0, 5), (1.0, 3), (0.8, 24)] {
            let settings = settings(temperature, 1.0, slots);
            let (wanted, found) = (draw(&plain, &groups, &settings), draw(&device, &groups, &settings));
            // A share that falls just between two tokens may be rounded to either side, and takes the rest along.
            let different = wanted.len() - same(&wanted, &found);
            let allowed = if temperature > 0.0 { wanted.len() / 4 } else { 1 };
            assert!(different <= allowed, "{different} at temperature {temperature}, {slots} slots, {name}");
        }
    }
}

#[test]
fn with_a_nucleus_samples_do_not_depend_on_their_company() {
    let (device, plain) = pair("qwen2-tiny");
    let mut groups = groups(&plain);
    let wanted = draw(&device, &groups, &settings(0.7, 0.9, 16));
    for found in &wanted {
        let room = if found.finish == Finish::Length { 60 } else { found.ids.len() };
        assert_eq!(found.ids.len(), room);
        assert!(found.ids.iter().all(|id| (*id as usize) < plain.config.vocab_size));
    }
    assert!(same(&wanted, &draw(&device, &groups, &settings(0.7, 0.9, 4))) + 2 >= wanted.len());
    let different = draw(&device, &groups, &settings(1.3, 1.0, 16));
    assert!(same(&wanted, &different) < wanted.len() / 2);
    // Sample 2 of a group is the same whether or not 0 and 1 are drawn.
    groups.truncate(4);
    groups.iter_mut().for_each(|group| group.samples.start = group.samples.end - 1);
    for found in draw(&device, &groups, &settings(0.7, 0.9, 16)) {
        let twin = wanted.iter().find(|f| (f.group, f.sample) == (found.group, found.sample)).unwrap();
        assert_eq!(found.ids, twin.ids);
    }
}

/// The fixtures' greedy continuations, for every checkpoint of the set.
#[test]
fn greedy_continuations_are_those_of_the_fixtures() {
    for folder in crate::student::fixtures::checkpoints() {
        let expected = crate::student::fixtures::expected(&folder);
        let student = elsewhere(crate::student::fixtures::student(&folder), Precision::F32).unwrap();
        let prompts = expected["prompts"].as_array().unwrap();
        let ids = crate::student::fixtures::ids;
        let groups: Vec<Group> =
            prompts.iter().map(|p| Group { prompt: ids(&p["ids"]), stream: 0, samples: 0..2 }).collect();
        let wanted: Vec<Vec<u32>> = prompts.iter().map(|p| ids(&p["greedy"]["ids"])).collect();
        let longest = wanted.iter().map(Vec::len).max().unwrap();
        let settings = SamplerSettings { max_new_tokens: longest, ..settings(0.0, 1.0, 16) };
        let found = draw(&student, &groups, &settings);
        assert_eq!(found.len(), 2 * prompts.len());
        for one in found {
            assert_eq!(one.ids[..wanted[one.group].len()], wanted[one.group], "{}", folder.display());
        }
    }
}

/// bf16 rounds at the third digit: most greedy continuations of a few tokens survive it, and all are of valid tokens.
#[test]
fn half_precision_stays_near() {
    let plain = plain("qwen2-tiny");
    let Some(device) = elsewhere(plain.clone(), Precision::Bf16) else { return };
    let groups = groups(&plain);
    let settings = SamplerSettings { max_new_tokens: 4, ..settings(0.0, 1.0, 16) };
    let (wanted, found) = (draw(&plain, &groups, &settings), draw(&device, &groups, &settings));
    assert!(same(&wanted, &found) * 2 > wanted.len(), "{} of {}", same(&wanted, &found), wanted.len());
}

#[test]
fn limits_and_bans_hold_and_breaking_off_ends_it() {
    let (device, plain) = pair("qwen2-tiny");
    let groups = groups(&plain);
    for max_new_tokens in [0, 1, 2, 8, 9] {
        let settings = SamplerSettings { max_new_tokens, ..settings(1.0, 1.0, 5) };
        let found = draw(&device, &groups, &settings);
        assert_eq!(same(&draw(&plain, &groups, &settings), &found), found.len(), "{max_new_tokens} tokens");
    }
    let first: Vec<u32> = draw(&device, &groups, &settings(0.0, 1.0, 5)).iter().map(|f| f.ids[0]).collect();
    let banned = SamplerSettings { banned_first: first.clone(), ..settings(0.0, 1.0, 5) };
    assert!(draw(&device, &groups, &banned).iter().all(|f| !first.contains(&f.ids[0])));
    let mut seen = 0;
    let mut take = |_| {
        seen += 1;
        if seen == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    generate(&device, &Workers::new(1), &groups, &settings(1.0, 1.0, 2), &mut take).unwrap();
    assert_eq!(seen, 3);
}

#[test]
fn weights_that_are_no_numbers_are_refused_with_their_place() {
    let (device, _) = pair("qwen2-tiny");
    let mut broken = device.clone();
    broken.model = broken.model.map_parameters(|name, value| match value {
        footbridge::student::Parameter::Vector(t) if name == "model.norm.weight" => {
            footbridge::student::Parameter::Vector(t * f32::NAN)
        }
        other => other,
    });
    let group = Group { prompt: vec![1, 2, 3], stream: 0, samples: 0..1 };
    let mut take = |_| ControlFlow::Continue(());
    let error = generate(&broken, &Workers::new(1), &[group], &settings(1.0, 1.0, 2), &mut take).unwrap_err();
    assert!(matches!(error, SampleError::NotFinite { group: 0, sample: 0, position: 3 }), "{error}");
}
