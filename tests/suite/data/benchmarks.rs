//! The benchmarks by name, on the public files where they are at hand.

use footbridge::data::{BENCHMARKS, Benchmark, Pick};
use footbridge::domain::{AskKind, Question};
use footbridge::recipe::Recipe;
use footbridge::teacher::Prompts;

use super::*;

fn named(name: &str) -> Option<Source> {
    let folder = shared()?;
    Some(open(&SourceSpec { folder, ..SourceSpec::new(name) }).unwrap())
}

#[test]
fn published_counts_are_met_and_golds_are_readable() {
    for (name, n) in [
        ("gsm8k-train", 7473),
        ("gsm8k", 1319),
        ("gsm8k-platinum", 1209),
        ("math-500", 500),
        ("logiqa", 651),
        ("svamp", 1000),
        ("mawps", 238),
    ] {
        let Some(source) = named(name) else { return };
        let benchmark = Benchmark::named(name).unwrap();
        assert_eq!(
            (source.questions.len(), source.verifier, source.ask),
            (n, benchmark.verifier, benchmark.ask),
            "{name}"
        );
        let elsewhere = source.notes.iter().any(|note| note.contains("there are also"));
        assert_eq!(elsewhere, name == "mawps", "{name}: {:?}", source.notes);
        assert!(source.notes.iter().all(|note| !note.contains("not known")), "{name}: {:?}", source.notes);
        assert!(
            source.questions.iter().all(|q| !q.gold.contains([',', '$']) || source.ask == AskKind::Boxed),
            "{name}"
        );
    }
}

#[test]
fn every_solution_reaches_its_gold() {
    for name in ["gsm8k-train", "gsm8k", "gsm8k-platinum", "math-500"] {
        let Some(source) = named(name) else { return };
        for question in &source.questions {
            let solution = question.solution.as_deref().unwrap();
            let verdict = source.verifier.judge(solution, &question.gold);
            assert!(verdict.correct, "{}: {verdict:?} against {}", question.id, question.gold);
        }
    }
}

#[test]
fn mawps_is_read_in_its_three_layouts() {
    let Some(folder) = shared() else { return };
    for (file, n, first, text) in [
        ("MWPToolkit_mawps_testset.json", 238, "1.8333333333333335", "Nicole found an orange caterpillar"),
        ("Qwen2.5-Math_mawps_test.jsonl", 2065, "43", "Joan found 70 seashells"),
        ("SVAMP_cv_mawps_fold0_dev.csv", 384, "504", "If Bryan has 56 books in each of his 9 bookshelves"),
    ] {
        let path = folder.join("mawps").join(file);
        let source = open(&SourceSpec::new(path.to_str().unwrap())).unwrap();
        assert_eq!((source.questions.len(), source.name.as_str()), (n, "mawps"), "{file}");
        assert_eq!(source.questions[0].gold, first);
        assert!(source.questions[0].text.contains(text), "{}", source.questions[0].text);
        assert!(source.questions.iter().all(|q| !q.text.contains("number0")), "{file}");
        assert!(source.notes.iter().any(|note| note.contains("more than once")), "{file}: {:?}", source.notes);
    }
}

#[test]
fn svamp_joins_its_parts_and_picks_by_the_recipe() {
    let Some(folder) = shared() else { return };
    let spec = SourceSpec { folder, ..SourceSpec::new("svamp") };
    let all = open(&spec).unwrap();
    assert_eq!((all.questions[0].gold.as_str(), all.questions.len()), ("51", 1000));
    assert!(all.questions[0].text.contains("on each pack. How much do you have"), "{}", all.questions[0].text);
    let last = open(&SourceSpec { svamp: "last 300".into(), ..spec.clone() }).unwrap();
    assert_eq!(
        (last.questions.len(), last.rows, last.questions[0].id.as_str()),
        (300, 1000, all.questions[700].id.as_str())
    );
    let drawn =
        |seed: u64| open(&SourceSpec { svamp: format!("300 by seed {seed}"), ..spec.clone() }).unwrap().questions;
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
    let wrong = open(&SourceSpec { svamp: "some".into(), ..spec }).unwrap_err().to_string();
    assert!(wrong.starts_with("data.svamp: rows are picked by \"all\""), "{wrong}");
}

#[test]
fn rows_are_picked_in_order_and_never_made_up() {
    assert_eq!(Pick::Last(2).of(5), Some(vec![3, 4]));
    assert_eq!(Pick::First(2).of(5), Some(vec![0, 1]));
    assert_eq!(Pick::Seeded(6, 1).of(5), None);
    let drawn = Pick::Seeded(30, 7).of(100).unwrap();
    assert!(drawn.len() == 30 && drawn.windows(2).all(|pair| pair[0] < pair[1]), "{drawn:?}");
    for pick in [Pick::All, Pick::First(3), Pick::Last(4), Pick::Seeded(5, 6)] {
        assert_eq!(pick.to_string().parse::<Pick>().unwrap(), pick);
    }
    assert!("first 0".parse::<Pick>().is_err() && "last -1".parse::<Pick>().is_err());
}

#[test]
fn a_short_file_under_a_benchmarks_name_is_refused_and_an_unknown_one_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let put = |place: &str, text: &str| {
        let path = folder.path().join(place);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let spec = |name: &str| SourceSpec { folder: folder.path().to_owned(), ..SourceSpec::new(name) };
    let absent = open(&spec("gsm8k")).unwrap_err().to_string();
    assert!(absent.contains("footbridge data fetch gsm8k --to ") && absent.contains("gsm8k/test.jsonl"), "{absent}");
    put("gsm8k/test.jsonl", "{\"question\": \"a\", \"answer\": \"#### 1\"}\n");
    let short = open(&spec("gsm8k")).unwrap_err().to_string();
    assert!(short.contains("holds 1 rows, and GSM8K has 1319"), "{short}");
    let path = folder.path().join("gsm8k/test.jsonl");
    let own = open(&SourceSpec::new(path.to_str().unwrap())).unwrap();
    assert!(own.notes[0].contains("which has 1319 rows; this file has 1"), "{:?}", own.notes);
    put("svamp/SVAMP.json", r#"[{"Body": "x.", "Question": "y?", "Answer": 3.0}]"#);
    let unknown = open(&spec("svamp")).unwrap();
    let note = format!("a file of SVAMP that is not known: N = 1, sha256 {}", unknown.sha256);
    assert_eq!(unknown.notes, [note]);
}

#[test]
fn names_hashes_and_places_don_t_clash() {
    for (at, benchmark) in BENCHMARKS.iter().enumerate() {
        assert_eq!(Benchmark::named(benchmark.name), Some(benchmark));
        assert!(benchmark.files.iter().all(|file| file.sha256.len() == 64));
        assert!(
            BENCHMARKS[..at].iter().all(|other| other.places().iter().all(|place| !benchmark.places().contains(place)))
        );
    }
    assert_eq!(Benchmark::named("MATH_500").unwrap().name, "math-500");
    assert!(Benchmark::named("world").is_none());
}

#[test]
fn questions_are_asked_for_the_form_their_verifier_reads() {
    let prompts = Prompts::standard().unwrap();
    let ask =
        |ask: AskKind| prompts.student(&Question { text: "Q {{ x }}?".into(), ask, ..Question::default() }).unwrap();
    assert!(ask(AskKind::Answer).contains("\"####\"") && ask(AskKind::Answer).starts_with("Q {{ x }}?"));
    assert!(ask(AskKind::Boxed).contains("\\boxed{}"));
    assert!(ask(AskKind::Choice).contains("letter"));
    let hashes: std::collections::BTreeSet<_> = AskKind::ALL.iter().map(|ask| prompts.asking_hash(*ask)).collect();
    assert_eq!(hashes.len(), 3);
    assert_eq!(prompts.asking_hash(AskKind::Answer), prompts.student_hash());
}

#[test]
fn a_recipes_training_questions_follow_its_verifier() {
    let Some(folder) = shared() else { return };
    let mut data = Recipe::default().data;
    (data.source, data.folder) = ("gsm8k-train".into(), folder.to_str().unwrap().into());
    let spec = SourceSpec { limit: Some(5), ..SourceSpec::training(&data).unwrap() };
    let source = open(&spec).unwrap();
    assert_eq!((source.questions.len(), source.rows, source.verifier), (5, 7473, Verifier::Gsm8kStrict));
}
