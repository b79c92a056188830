//! At a closed gate nothing is trained on, and what is in review never is.

use std::collections::BTreeMap;

use footbridge::domain::SampleKind;
use footbridge::pipeline::events::{Command, Event, Outcome};
use footbridge::pipeline::run::Run;
use footbridge::session::records::{BridgedTrace, Prepared, Recycled, StageDone, Status, Trace};
use footbridge::session::{AuditFilter, Author, Batch, Record, Sessions};

use super::runs::{Found, SEED, begin, footbridge, recipe, resume, small_args, text};

/// Hears a run to its next gate: the stage, and how many wait there.
fn gate(run: &Run) -> (String, u64) {
    let waiting = run.events.iter().find_map(|event| match event {
        Event::GateWaiting { stage, pending } => Some((stage.key(), pending)),
        _ => None,
    });
    waiting.expect("no gate before the end")
}

fn stop(run: Run) {
    run.commands.send(Command::Cancel).unwrap();
    for _ in &run.events {}
    assert_eq!(run.handle.join().unwrap(), Outcome::Cancelled);
}

fn all<R: Record>(sessions: &Sessions) -> BTreeMap<String, R> {
    let session = sessions.open_read_only("run").unwrap();
    session.scan::<R>("").collect::<Result<_, _>>().unwrap()
}

/// Puts a record where the researcher wants to have a look at it.
fn hold<R: Record>(sessions: &Sessions, key: &str, change: impl Fn(&mut R)) {
    let session = sessions.open("run").unwrap();
    let mut record = session.get::<R>(key).unwrap().unwrap();
    change(&mut record);
    let mut batch = Batch::new(Author::Researcher("test".into())).because("to be looked at");
    batch.put(key, &record);
    session.write(batch).unwrap();
}

fn in_review() -> Status {
    Status::Review { reason: "to be looked at".into() }
}

#[test]
fn nothing_is_trained_on_before_the_gate_is_passed_or_while_in_review() {
    let home = tempfile::tempdir().unwrap();
    let sessions = Sessions::at(home.path());
    let recipe = recipe(SEED, &[("gates.bridge", "review"), ("gates.diagnosis", "review")]);

    let run = begin(&sessions, "run", &recipe, 2);
    let (stage, pending) = gate(&run);
    assert_eq!(stage, "1-bridge");
    let bridged = all::<BridgedTrace>(&sessions);
    assert_eq!(bridged.len() as u64, pending);
    assert!(bridged.values().all(|b| b.status == Status::Proposed));
    assert!(all::<Prepared>(&sessions).is_empty() && !all::<StageDone>(&sessions).contains_key("1-bridge"));
    stop(run);

    // A bridged text and a medium trace are held back; the resumed run waits at the same gate for the others.
    let held = bridged.keys().next().unwrap().clone();
    hold::<BridgedTrace>(&sessions, &held, |b| b.status = in_review());
    let hard: Vec<&String> = bridged.keys().collect();
    let medium = all::<Trace>(&sessions).into_keys().find(|id| !hard.contains(&id)).unwrap();
    hold::<Trace>(&sessions, &medium, |t| t.status = in_review());
    let run = resume(&sessions, "run", &recipe);
    assert_eq!(gate(&run), ("1-bridge".to_string(), pending - 1));
    assert!(all::<Prepared>(&sessions).is_empty());

    // A key pressed twice passes this gate, and does not pass the next one unseen.
    run.commands.send(Command::PassGate).unwrap();
    run.commands.send(Command::PassGate).unwrap();
    let (stage, diagnosed) = gate(&run);
    assert_eq!(stage, "1-recycle");
    assert!(diagnosed > 1);
    assert!(all::<Recycled>(&sessions).values().all(|r| r.status == Status::Proposed));
    assert!(!all::<Prepared>(&sessions).is_empty());
    assert!(!all::<Prepared>(&sessions).keys().any(|key| key.starts_with("2-")));
    stop(run);

    let failed = all::<Recycled>(&sessions).into_keys().next().unwrap();
    hold::<Recycled>(&sessions, &failed, |r| r.status = in_review());
    let run = resume(&sessions, "run", &recipe);
    assert_eq!(gate(&run), ("1-recycle".to_string(), diagnosed - 1));
    run.commands.send(Command::PassGate).unwrap();
    for _ in &run.events {}
    assert_eq!(run.handle.join().unwrap(), Outcome::Done);

    let found = Found::of(&sessions, "run", &recipe);
    assert_eq!(found.results.in_review, 3);
    let trained = |kinds: &[SampleKind], question: &str| {
        let texts = found.all::<Prepared>();
        let of = texts.values().filter(|t| kinds.contains(&t.sample.kind) && t.sample.question == question);
        of.count()
    };
    assert_eq!(trained(&[SampleKind::Bridged, SampleKind::Local], &held), 0);
    assert_eq!(trained(&[SampleKind::Medium], &medium), 0);
    let lessons = [SampleKind::Diagnose, SampleKind::Repair, SampleKind::NewTrace];
    assert_eq!(trained(&lessons, failed.split_once('/').unwrap().1), 0);
    // All others are: every approved bridged text in both SFT stages, every diagnosis as three lessons.
    let count = |kind| found.all::<Prepared>().values().filter(|t| t.sample.kind == kind).count() as u64;
    assert_eq!(count(SampleKind::Bridged), 2 * (pending - 1));
    assert_eq!(lessons.map(count), [diagnosed - 1; 3]);
    who_and_why(&sessions, (pending - 1) + (diagnosed - 1));
}

/// The audit tells of every approval who made it, why, and what stood there before.
fn who_and_why(sessions: &Sessions, approvals: u64) {
    let session = sessions.open_read_only("run").unwrap();
    let filter = AuditFilter { by_researcher: Some(true), ..AuditFilter::default() };
    let mut seen = 0;
    for entry in session.audit(filter).unwrap().map(Result::unwrap) {
        if entry.table != "decision" && entry.reason.as_ref().is_some_and(|why| why.ends_with(": passed the gate")) {
            assert!(matches!(&entry.author, Author::Researcher(name) if !name.is_empty()), "{entry:?}");
            assert_eq!(entry.before.unwrap().json()["status"], "proposed");
            assert_eq!(entry.after.unwrap().json()["status"], "approved");
            assert!(entry.millis > 0);
            seen += 1;
        }
    }
    assert_eq!(seen, approvals);
}

#[test]
fn without_anybody_to_ask_the_run_stops_at_the_gate_each_time() {
    let home = tempfile::tempdir().unwrap();
    let mut first = footbridge(&["demo", "--plain", "--review", "--session", "run"], home.path());
    first.args(small_args());
    let again = footbridge(&["resume", "run", "--plain"], home.path());
    for mut command in [first, again] {
        let output = command.output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{said}");
        assert!(said.contains("wait for approval") && said.contains("footbridge resume run"), "{said}");
    }
    assert!(all::<Prepared>(&Sessions::at(home.path())).is_empty());
}
