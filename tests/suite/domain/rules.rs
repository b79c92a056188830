//! The rules that have no fixture, in small tables.

use footbridge::domain::interval::{mean_interval, paired_bootstrap, wilson};
use footbridge::domain::samples::Origin;
use footbridge::domain::sets::acquisition;
use footbridge::domain::{
    Action, Band, BandEdges, Bridged, Decision, EditedStep, Finish, GroupOutcome, LocalStep, Message, NearMissSettings,
    Partition, Rollout, SampleKind, StepScores, Thresholds, assemble, choose_near_miss, decide, pass_at_k,
    repeats_itself, strip_control,
};

use super::diagnoses::diagnosis;

#[test]
fn bands_contain_their_lower_edge() {
    let edges = BandEdges::default();
    let bands = [
        (0, Band::Hard),
        (15, Band::Hard),
        (16, Band::Medium),
        (47, Band::Medium),
        (48, Band::Simple),
        (64, Band::Simple),
    ];
    for (k, band) in bands {
        assert_eq!(Band::of(k, 64, &edges), band, "{k}/64");
    }
    let tenths = BandEdges { medium_from: 0.1, simple_from: 0.3 };
    assert_eq!((Band::of(1, 10, &tenths), Band::of(3, 10, &tenths)), (Band::Medium, Band::Simple));
    assert_eq!(Band::of(0, 0, &BandEdges { medium_from: 0.0, simple_from: 0.0 }), Band::Hard);
    assert_eq!(serde_json::to_string(&Band::Medium).unwrap(), "\"medium\"");
}

const TAU: Thresholds = Thresholds { tau_i: 0.5, tau_j: 0.5, tau_d: 0.99 };

#[test]
fn an_unscored_step_is_not_decided() {
    let full = StepScores { importance: Some(1.0), jumpiness: Some(0.0), difficulty: 2.0 };
    for scores in [
        StepScores { importance: None, ..full },
        StepScores { jumpiness: None, ..full },
        StepScores { difficulty: f64::NAN, ..full },
        StepScores { importance: Some(f64::NAN), ..full },
    ] {
        assert_eq!(decide(&scores, &TAU), None, "{scores:?}");
    }
    let reason = decide(&full, &TAU).unwrap().reason;
    assert!(
        reason.contains("I 1 > 0.5") && reason.contains("J 0 ≤ 0.5") && reason.contains("D 2.000 > 0.990"),
        "{reason}"
    );
}

#[test]
fn removed_operations_act_as_keep() {
    let full = StepScores { importance: Some(1.0), jumpiness: Some(0.0), difficulty: 2.0 };
    let decision = decide(&full, &TAU).unwrap();
    assert_eq!((decision.action, decision.local_sample), (Action::Localize, true));
    let kept = decision.clone().without(&[Action::Drop, Action::Localize]);
    assert_eq!((kept.action, kept.local_sample), (Action::Keep, false));
    assert!(kept.reason.contains("no localize"), "{}", kept.reason);
    assert_eq!(decision.clone().without(&[Action::Drop]), decision);
    assert!(Decision::overruled(Action::Localize, false, "I say so").local_sample);
    assert!(!Decision::overruled(Action::Drop, true, "I say so").local_sample);
}

fn step<'a>(original: &'a str, action: Action, local_sample: bool, edited: Option<&'a str>) -> EditedStep<'a> {
    EditedStep { original, action, local_sample, edited }
}

#[test]
fn bridged_traces_are_put_together_from_processed_steps() {
    let steps = [
        step("We write down what we know.", Action::Compress, false, Some("")),
        step("3 * 4 = 12", Action::Keep, false, None),
        step("Let us check.", Action::Drop, false, Some("ignored")),
        step("( 12 - 5 ) * 2 = 14", Action::Expand, true, Some("12 - 5 = 7\n7 * 2 = 14\n#### 14")),
        step("14 + 1 = 15", Action::Localize, true, Some("14 + 1 = 15")),
        step("So the answer is 15.\n#### 15", Action::Keep, false, None),
    ];
    let bridged = assemble(&steps, "\n", "15");
    assert_eq!(bridged.text, "3 * 4 = 12\n12 - 5 = 7\n7 * 2 = 14\n14 + 1 = 15\nSo the answer is 15.\n#### 15");
    assert_eq!(bridged.flagged, None);
    let locals = [
        LocalStep { step: 3, prefix: "3 * 4 = 12".into(), target: "12 - 5 = 7\n7 * 2 = 14".into() },
        LocalStep { step: 4, prefix: "3 * 4 = 12\n12 - 5 = 7\n7 * 2 = 14".into(), target: "14 + 1 = 15".into() },
    ];
    assert_eq!(bridged.locals, locals);
}

#[test]
fn nothing_important_vanishes_unseen() {
    let dropped = [step("one", Action::Drop, false, None), step("two\n#### 3", Action::Compress, false, Some(" "))];
    let bridged = assemble(&dropped, "\n\n", "2");
    assert_eq!(bridged.text, "one\n\ntwo\n\n#### 2");
    assert!(bridged.flagged.unwrap().contains("every step was dropped"));
    let unedited = [step("one", Action::Localize, true, None), step("two", Action::Expand, false, Some("#### 2"))];
    let bridged = assemble(&unedited, "\n", "2");
    assert_eq!((bridged.text.as_str(), bridged.locals.len()), ("one\ntwo\n#### 2", 1));
    let flagged = bridged.flagged.unwrap();
    assert!(flagged.contains("step 1") && flagged.contains("step 2"), "{flagged}");
    assert_eq!(assemble(&[], "\n", "2").text, "#### 2");
}

fn rollout(text: &str, tokens: u32, answer: Option<&str>, correct: bool) -> Rollout {
    Rollout { text: text.into(), tokens, finish: Finish::EndOfTurn, answer: answer.map(String::from), correct }
}

#[test]
fn the_near_miss_is_a_wrong_rollout() {
    let settings = NearMissSettings { tau_len: 20.0, tau_steps: 3.0, weights: [1.0; 3] };
    let group = [
        rollout("a\nb\nc\n#### 1", 30, Some("1"), true),
        rollout("a\n#### 2", 10, Some("2"), false),
        rollout("a\nb\nc\n#### 3", 20, Some("3"), false),
        rollout("a\nb\nc\nd\n#### 4", 40, Some("4"), false),
    ];
    let chosen = choose_near_miss(&group, &settings).unwrap();
    assert_eq!((chosen.index, chosen.score.score, chosen.repeats), (2, 3.0, false));
    assert_eq!(choose_near_miss(&group[..1], &settings), None);
}

#[test]
fn loops_are_noticed() {
    assert!(repeats_itself(&"so he has 5 apples\n".repeat(4)));
    assert!(repeats_itself(&"and then he takes one more ".repeat(8)));
    assert!(repeats_itself(&"0".repeat(70)));
    assert!(!repeats_itself(
        "Tom has 3 * 4 = 12 apples.\nTom has 12 - 5 = 7 apples.\nTom has 7 + 2 = 9 apples.\n#### 9"
    ));
    assert!(!repeats_itself(""));
}

#[test]
fn pass_at_k_at_its_edges() {
    assert_eq!([pass_at_k(8, 0, 8), pass_at_k(8, 1, 8), pass_at_k(0, 0, 1), pass_at_k(8, 8, 0)], [0.0, 1.0, 0.0, 0.0]);
    assert!((pass_at_k(2, 1, 1) - 0.5).abs() < 1e-15);
}

#[test]
fn sets_follow_the_rollouts() {
    let outcomes = [
        (0, 8, GroupOutcome::AllZero),
        (1, 8, GroupOutcome::Mixed),
        (7, 8, GroupOutcome::Mixed),
        (8, 8, GroupOutcome::AllOne),
    ];
    for (k, n, outcome) in outcomes {
        assert_eq!(GroupOutcome::of(k, n), Some(outcome));
    }
    assert_eq!(GroupOutcome::of(0, 0), None);
    let group = [rollout("", 1, None, false), rollout("", 1, Some("1"), true)];
    assert_eq!(GroupOutcome::of_rollouts(&group), Some(GroupOutcome::Mixed));
    let parts = Partition::of([("a", GroupOutcome::Mixed), ("b", GroupOutcome::AllZero), ("c", GroupOutcome::AllOne)]);
    assert_eq!(
        (parts.consolidation.join(""), parts.all_one.join(""), parts.failed.join("")),
        ("ac".into(), "c".into(), "b".into())
    );
    assert!((parts.all_zero_ratio() - 1.0 / 3.0).abs() < 1e-15);
    assert_eq!(Partition::default().all_zero_ratio(), 0.0);
    let banded = [("a", Band::Hard), ("b", Band::Simple), ("c", Band::Medium), ("d", Band::Hard)];
    assert_eq!(acquisition(banded), (vec!["c"], vec!["a", "d"]));
}

#[test]
fn samples_carry_their_way_back() {
    let lineage = vec!["trace/train-7".to_string(), "scores/train-7".to_string()];
    let origin = Origin { iteration: 2, question: "train-7", lineage: &lineage };
    let local = LocalStep { step: 2, prefix: "before".into(), target: "the step".into() };
    let bridged = Bridged { text: "whole\n#### 1".into(), locals: vec![local.clone()], flagged: None };
    let samples = [
        origin.medium("q", "t"),
        origin.bridged("q", &bridged),
        origin.local("q before", &local),
        origin.raw_hard("q", "t"),
        origin.diagnose("q", "e"),
        origin.repair("q", &diagnosis()),
        origin.new_trace("q", &diagnosis()),
        origin.neutral("q", "t"),
    ];
    let ids: Vec<&str> = samples.iter().map(|s| s.id.as_str()).collect();
    assert_eq!(ids[..3], ["i2/medium/train-7", "i2/bridged/train-7", "i2/local/train-7/03"]);
    assert_eq!(samples[2].messages, [Message::user("q before"), Message::assistant("the step")]);
    assert_eq!(samples[5].messages[1].content, "He packs 4 * 5 = 20 apples.");
    assert!(samples[6].messages[1].content.ends_with("#### 1,018"));
    assert!(samples.iter().all(|s| s.lineage == lineage && s.id.contains(s.kind.as_str())));
    assert!(samples.iter().all(|s| (s.question == "train-7") != (s.kind == SampleKind::Neutral)));
    assert_eq!(samples.iter().filter(|s| s.kind.is_recycled()).count(), 3);
    let distinct: std::collections::HashSet<&str> = ids.iter().copied().collect();
    assert_eq!(distinct.len(), samples.len());
}

#[test]
fn wilson_against_known_values() {
    // Newcombe 1998, table I, method 3: 81/263, 15/148, 0/20, 1/29.
    for (k, n, low, high) in
        [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
    {
        let (l, h) = wilson(k, n);
        assert!((l - low).abs() < 6e-5 && (h - high).abs() < 6e-5, "{k}/{n}: {l} {h}");
    }
    assert_eq!((wilson(0, 0), wilson(7, 7).1), ((0.0, 1.0), 1.0));
}

#[test]
fn means_and_differences_have_intervals() {
    let (mean, low, high) = mean_interval(&[1.0, 2.0, 3.0, 4.0]);
    assert!(
        (mean - 2.5).abs() < 1e-12 && (high - mean - 1.265_16).abs() < 1e-4 && (mean - low - 1.265_16).abs() < 1e-4
    );
    assert_eq!((mean_interval(&[]), mean_interval(&[0.5])), ((0.0, 0.0, 0.0), (0.5, 0.5, 0.5)));
    let pairs: Vec<(f64, f64)> =
        (0..400).map(|i| (f64::from(i % 2), f64::from(u32::from(i % 2 == 1 || i % 10 == 0)))).collect();
    let gain = paired_bootstrap(&pairs, 2_000, 7);
    assert!((gain.mean - 0.1).abs() < 1e-12 && gain.is_clear(), "{gain:?}");
    // The normal interval of a share of 0.1 in 400 is ±0.0294.
    assert!((gain.low - 0.0706).abs() < 0.006 && (gain.high - 0.1294).abs() < 0.006, "{gain:?}");
    assert_eq!(paired_bootstrap(&pairs, 2_000, 7), gain);
    assert_ne!(paired_bootstrap(&pairs, 2_000, 8), gain);
    let level: Vec<(f64, f64)> = (0..100).map(|i| (f64::from(i % 2), f64::from((i + 1) % 2))).collect();
    assert!(!paired_bootstrap(&level, 500, 1).is_clear());
    assert_eq!(paired_bootstrap(&[], 10, 1).n, 0);
}

#[test]
fn terminals_see_only_text() {
    let table = [
        ("a\u{1b}[31mred\u{1b}[0m\tb\n", "ared\tb\n"),
        ("\u{1b}]0;title\u{7}x\u{1b}]8;;url\u{1b}\\y", "xy"),
        ("\u{1b}]never ends", "never ends"),
        ("\u{9b}2Jz\u{1b}(Bq\u{1b}c", "zq"),
        ("a\r\nb\u{0}\u{7f}c\u{85}", "a\nbc"),
        ("\u{202e}abc\u{202c}", "abc"),
        ("\u{61c}a\u{206a}b\u{206f}c\u{200b}d\u{2060}e\u{feff}f\u{ad}g\u{e0041}", "abcdefg"),
        ("a\u{2028}b\u{2029}c", "a\nb\nc"),
        ("naïve 👩‍🚀 ٣", "naïve 👩‍🚀 ٣"),
    ];
    for (raw, clean) in table {
        assert_eq!(strip_control(raw), clean, "{raw:?}");
    }
}
