//! `why` and `preview`: what they say of a finished run, as data and on the command line.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use footbridge::domain::SampleKind;
use footbridge::export::lineage::{Lineage, LineageError, lineage};
use footbridge::export::preview::{Part, Preview, PreviewError, Wanted, preview};
use footbridge::pipeline::events::Outcome;
use footbridge::recipe::Recipe;
use footbridge::session::records::{Asked, BridgedTrace, Prepared, RolloutGroup, Trace};
use footbridge::session::{Author, Batch, RolloutBrief, Sessions};
use serde_json::Value;
use tempfile::TempDir;

use super::runs::{SEED, begin, footbridge, outcome, recipe, text};

/// A finished run with a gate that a researcher passed, and a trace that a researcher touched.
struct Done {
    home: TempDir,
    recipe: Recipe,
    texts: Vec<(String, Prepared)>,
}

impl Done {
    fn path(&self) -> &Path {
        self.home.path()
    }

    fn session(&self) -> footbridge::session::Session {
        Sessions::at(self.path()).open_read_only("run").unwrap()
    }

    fn first(&self, kind: SampleKind) -> &Prepared {
        &self.texts.iter().find(|(_, text)| text.sample.kind == kind).unwrap().1
    }

    fn why(&self, id: &str) -> Lineage {
        lineage(&self.session(), &self.recipe, id).unwrap()
    }

    fn said(&self, args: &[&str]) -> (i32, String, String) {
        let output = footbridge(args, self.path()).output().unwrap();
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    }
}

static DONE: LazyLock<Done> = LazyLock::new(|| {
    let home = tempfile::tempdir().unwrap();
    let sessions = Sessions::at(home.path());
    let recipe = recipe(SEED, &[]);
    assert_eq!(outcome(begin(&sessions, "run", &recipe, 2)), Outcome::Done);
    let session = sessions.open("run").unwrap();
    let texts: Vec<(String, Prepared)> = session.scan("").map(Result::unwrap).collect();
    let medium = texts.iter().find(|(_, text)| text.sample.kind == SampleKind::Medium).unwrap();
    let mut trace = session.get::<Trace>(&medium.1.sample.question).unwrap().unwrap();
    trace.teacher = "Ada's \u{1b}]0;owned\u{7}pen".into();
    let mut batch = Batch::new(Author::Researcher("Ada".into())).because("it reads better");
    batch.put(&medium.1.sample.question, &trace);
    session.write(batch).unwrap();
    drop(session);
    Done { home, recipe, texts }
});

#[test]
fn every_text_leads_back_to_what_it_was_made_from() {
    let session = DONE.session();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    // One of each kind in full; reading the journal for every text of a run would only repeat it.
    for (key, Prepared { sample, tokens, .. }) in &DONE.texts {
        let seen = kinds.entry(sample.kind.as_str()).or_default();
        *seen += 1;
        if *seen > 2 {
            continue;
        }
        let found = DONE.why(&sample.id);
        assert_eq!((&found.text.key, found.text.tokens, &found.text.messages), (key, *tokens, &sample.messages));
        assert!(found.missing.is_empty(), "{:?}", found.missing);
        let asked = session.get::<Asked>(&format!("train/{}", sample.question)).unwrap().unwrap();
        assert_eq!(found.question, Some(asked.question));
        let group = session.get::<RolloutGroup>(found.rollouts[0].key.strip_prefix("rollouts/").unwrap());
        let group = group.unwrap().unwrap();
        assert_eq!((found.rollouts[0].correct, found.rollouts[0].n), (group.correct(), group.n()));
        assert_eq!(found.rollouts[0].prompt, group.provenance.prompt);
        let recycled = sample.kind.is_recycled();
        assert_eq!((found.trace.is_none(), found.failure.is_some()), (recycled, recycled), "{}", sample.id);
        let hard = matches!(sample.kind, SampleKind::Bridged | SampleKind::Local);
        assert_eq!(found.steps.is_some(), hard, "{}", sample.id);
        let changed: Vec<&str> = found.decisions.iter().map(|d| d.record.as_str()).collect();
        assert!(sample.lineage.iter().all(|record| changed.contains(&record.as_str())), "{changed:?}");
        assert!(found.prompts.iter().any(|p| p.recorded), "{:?}", found.prompts);
        assert!(found.prompts.iter().any(|p| p.of.ends_with("the text's own")), "{:?}", found.prompts);
        assert_eq!(found.checkpoints.first().map(|c| c.id.as_str()), Some(found.text.stage.as_str()));
        assert_eq!(found.checkpoints.last().map(|c| c.id.as_str()), Some("base"));
        assert_eq!(found, DONE.why(key), "its key names it as well");
    }
    assert_eq!(kinds.len(), 6, "{kinds:?}");
}

#[test]
fn steps_tell_score_operation_and_reason() {
    let text = DONE.first(SampleKind::Local);
    let (found, session) = (DONE.why(&text.sample.id).steps.unwrap(), DONE.session());
    let bridged = session.get::<BridgedTrace>(&text.sample.question).unwrap().unwrap();
    assert_eq!(found.steps.len(), bridged.steps.len());
    assert!(found.tau_d.is_some() && found.standing.status == "approved");
    for (step, edit) in found.steps.iter().zip(&bridged.steps) {
        assert_eq!(step.action.as_deref(), Some(edit.action.as_str()));
        assert_eq!((step.reason.as_ref(), step.edited.as_ref()), (Some(&edit.reason), Some(&edit.text)));
        assert!(!edit.reason.is_empty() && step.importance.is_some());
    }
    let local: Vec<usize> = (0..found.steps.len()).filter(|&at| found.steps[at].local).collect();
    assert_eq!(local, bridged.bridged.locals.iter().map(|l| l.step).collect::<Vec<_>>());
}

#[test]
fn why_names_the_person_behind_a_change_and_nothing_reaches_the_terminal() {
    let id = &DONE.first(SampleKind::Medium).sample.id;
    let found = DONE.why(id);
    let hers: Vec<_> = found.decisions.iter().filter(|d| d.by_researcher).collect();
    assert_eq!(hers.len(), 1);
    assert_eq!((hers[0].by.as_str(), hers[0].reason.as_deref()), ("researcher Ada", Some("it reads better")));
    assert_eq!(hers[0].what, "changed: teacher");
    let (code, said, err) = DONE.said(&["why", "run", id]);
    assert_eq!((code, err.as_str()), (0, ""));
    let flowing = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flowing.contains("by researcher Ada: changed: teacher, because: it reads better"), "{said}");
    assert!(said.contains("Ada's pen") && !said.contains('\u{1b}') && !said.contains("owned"), "{said}");
    let question = found.question.unwrap();
    let answers = format!("{} of {} answers", found.rollouts[0].correct, found.rollouts[0].n);
    for part in [&question.gold, &answers, &"checkpoints".to_string(), &found.prompts[0].hash] {
        assert!(said.contains(part.as_str()), "no {part} in:\n{said}");
    }
    assert!(said.lines().all(|line| line.chars().count() <= 100), "{said}");
}

#[test]
fn why_as_json_is_the_same_data_on_one_line() {
    let id = &DONE.first(SampleKind::Repair).sample.id;
    let (code, said, _) = DONE.said(&["why", "run", id, "--json"]);
    assert_eq!((code, said.lines().count()), (0, 1));
    assert_eq!(serde_json::from_str::<Lineage>(&said).unwrap(), DONE.why(id));
    let diagnosis = &serde_json::from_str::<Value>(&said).unwrap()["failure"]["diagnosis"];
    assert!(diagnosis["first_error"].is_string(), "{diagnosis}");
}

#[test]
fn an_unknown_id_is_answered_with_the_nearest() {
    let known = &DONE.first(SampleKind::Bridged).sample;
    let wrong = known.id.replace("bridged", "bridge");
    let error = lineage(&DONE.session(), &DONE.recipe, &wrong).unwrap_err();
    let LineageError::Unknown { near, .. } = &error else { panic!("{error}") };
    assert_eq!(near.first(), Some(&known.id));
    let LineageError::Unknown { near, .. } = lineage(&DONE.session(), &DONE.recipe, &known.question).unwrap_err()
    else {
        panic!("a question is no text")
    };
    assert!(near.iter().take(1).all(|id| id.contains(&known.question)), "{near:?}");
    for args in [["why", "run", &wrong].as_slice(), &["preview", "run", "sft", "--id", &wrong]] {
        let (code, out, err) = DONE.said(args);
        assert_eq!((code, out.as_str(), err.lines().count()), (2, "", 1), "{err}");
        assert!(err.contains(&known.id), "{err}");
    }
}

#[test]
fn preview_marks_what_the_run_trained_and_loses_nothing() {
    let session = DONE.session();
    let all = preview(&session, &DONE.recipe, &Wanted { limit: usize::MAX, ..Wanted::default() }).unwrap();
    assert_eq!(all.texts.len(), DONE.texts.len());
    for (shown, (key, Prepared { sample, tokens, .. })) in all.texts.iter().zip(&DONE.texts) {
        assert_eq!((&shown.key, shown.trained), (key, *tokens as usize), "as many as the run counted");
        let of = |part: Part| shown.pieces.iter().filter(move |p| p.part == part).map(|p| p.text.as_str());
        let trained: String = of(Part::Trained).collect();
        assert!(trained.starts_with(sample.messages[1].content.trim_end()), "{trained:?}");
        assert!(of(Part::Read).collect::<String>().contains(&sample.messages[0].content), "{key}");
        assert_eq!(of(Part::Cut).count(), 0);
    }
    let short = DONE.recipe.clone().with(&[("sft.max_tokens".into(), "24".into())]).unwrap();
    let cut = preview(&session, &short, &Wanted { limit: 4, ..Wanted::default() }).unwrap();
    for (shown, whole) in cut.texts.iter().zip(&all.texts) {
        let joined =
            |text: &footbridge::export::preview::Shown| text.pieces.iter().map(|p| p.text.as_str()).collect::<String>();
        assert_eq!(joined(shown), joined(whole));
        assert!(shown.tokens <= 24 && shown.pieces.iter().any(|p| p.part == Part::Cut));
    }
}

#[test]
fn the_mix_adds_up_to_what_is_trained() {
    let found = preview(&DONE.session(), &DONE.recipe, &Wanted::default()).unwrap();
    assert!(found.texts.is_empty());
    let stages: Vec<&str> = found.mixes.iter().map(|mix| mix.stage.as_str()).collect();
    assert_eq!(stages, ["1-sft-medium", "1-sft-bridged", "2-sft-recycled"]);
    for mix in &found.mixes {
        let of_stage = DONE.texts.iter().filter(|(key, _)| key.starts_with(&format!("{}/", mix.stage)));
        let (texts, tokens) = of_stage.fold((0, 0), |(n, sum), (_, text)| (n + 1, sum + u64::from(text.tokens)));
        assert_eq!((mix.texts, mix.tokens), (texts, tokens), "{}", mix.stage);
        assert_eq!(mix.kinds.iter().map(|k| k.tokens).sum::<u64>(), tokens);
        assert!((mix.kinds.iter().map(|k| k.share).sum::<f64>() - 1.0).abs() < 1e-9);
    }
    let wrong = preview(&DONE.session(), &DONE.recipe, &Wanted { stage: Some("9-sft"), ..Wanted::default() });
    assert!(matches!(wrong, Err(PreviewError::Stage { ref known, .. }) if known.len() == 3), "{wrong:?}");
}

#[test]
fn preview_on_the_command_line() {
    let local = &DONE.first(SampleKind::Local).sample;
    let (code, said, err) = DONE.said(&["preview", "run", "sft", "--id", &local.id]);
    assert_eq!((code, err.as_str()), (0, ""));
    let target = local.messages[1].content.trim();
    assert!(said.contains(&format!("⟦{target}")) && said.contains(&local.id), "{said}");
    assert!(said.contains("2-sft-recycled") && said.contains("new-trace") && said.contains('%'), "{said}");
    let (_, said, _) = DONE.said(&["preview", "run", "sft", "--stage", "2-sft-recycled", "--limit", "2", "--json"]);
    let found: Preview = serde_json::from_str(&said).unwrap();
    assert_eq!((found.texts.len(), found.mixes.len()), (2, 1));
    let (code, _, err) = DONE.said(&["preview", "run", "sft", "--stage", "2-sft"]);
    assert!(code == 2 && err.contains("2-sft-recycled"), "{err}");
}

#[test]
fn a_run_leaves_a_brief_beside_every_group() {
    let session = DONE.session();
    let groups: Vec<(String, RolloutGroup)> = session.scan("").map(Result::unwrap).collect();
    assert!(groups.len() > 100);
    let briefs: Vec<(String, RolloutBrief)> = session.scan("").map(Result::unwrap).collect();
    assert_eq!(briefs, groups.into_iter().map(|(key, g)| (key, RolloutBrief::of(&g))).collect::<Vec<_>>());
}
