//! Records in and out, the audit log, names.

use footbridge::session::{AuditFilter, Author, Batch, Record, SessionError, StateLine, Value};
use serde::{Deserialize, Serialize};

use super::{Group, assert_groups, create, fill, group, key, place};

#[test]
fn records_survive_reopening() {
    let (_dir, sessions) = place();
    let session = create(&sessions, "demo");
    fill(&session, 0..50, 8);
    assert_eq!(session.sequence(), 7);
    drop(session);
    let session = sessions.open("demo").unwrap();
    assert!(session.notes().is_empty(), "{:?}", session.notes());
    assert_eq!((session.sequence(), session.meta().seed), (7, 7));
    assert_eq!(session.recipe().unwrap().0, "seed = 7\n");
    assert_groups(&session, 50);
    assert_eq!(session.get::<Group>(&key(3)).unwrap(), Some(group(3)));
    assert_eq!(session.get::<Group>("absent").unwrap(), None);
    assert!(session.contains::<Group>(&key(3)).unwrap() && !session.contains::<Group>("absent").unwrap());
    assert_eq!(session.count::<Group>("train-00001").unwrap(), 10);
    assert_eq!(session.keys::<Group>("").nth(49).unwrap().unwrap(), key(49));
    assert_eq!(session.scan::<Group>("").nth(20).unwrap().unwrap(), (key(20), group(20)));
    assert_eq!(session.tables().unwrap(), [("rollouts".to_owned(), 50)]);
}

#[test]
fn a_reader_sees_the_same_and_catches_up() {
    let (_dir, sessions) = place();
    let session = create(&sessions, "demo");
    fill(&session, 0..20, 3);
    let mut reader = sessions.open_read_only("demo").unwrap();
    assert_groups(&reader, 20);
    fill(&session, 20..30, 5);
    assert_eq!(reader.refresh().unwrap(), 2);
    assert_groups(&reader, 30);
    assert_eq!(reader.count::<Group>("train-00001").unwrap(), 10);
    let refused = reader.write(Batch::new(Author::Rule)).unwrap_err();
    assert!(matches!(refused, SessionError::ReadOnly { .. }));
    assert!(reader.set_state(&StateLine { line: String::new(), finished: false }).is_err());
}

#[test]
fn the_audit_log_tells_who_when_why_and_before() {
    let (_dir, sessions) = place();
    let session = create(&sessions, "demo");
    fill(&session, 0..3, 1);
    let mut batch = Batch::new(Author::Researcher("Ada".into())).because("step 2 was never asked for");
    batch.put(&key(1), &group(9)).delete::<Group>(&key(2));
    session.write(batch).unwrap();

    let all: Vec<_> = session.audit(AuditFilter::default()).unwrap().map(Result::unwrap).collect();
    assert_eq!(all.iter().map(|e| e.sequence).collect::<Vec<_>>(), [1, 2, 3, 4, 4]);
    let by_hand = AuditFilter { by_researcher: Some(true), ..AuditFilter::default() };
    let by_hand: Vec<_> = session.audit(by_hand).unwrap().map(Result::unwrap).collect();
    assert_eq!(by_hand.len(), 2);
    let change = &by_hand[0];
    assert_eq!(change.author, Author::Researcher("Ada".into()));
    assert_eq!(change.reason.as_deref(), Some("step 2 was never asked for"));
    assert_eq!((change.table.as_str(), change.key.as_str()), ("rollouts", key(1).as_str()));
    let (before, after) = (change.before.clone().unwrap(), change.after.clone().unwrap());
    assert_eq!((before.read::<Group>("").unwrap(), after.read::<Group>("").unwrap()), (group(1), group(9)));
    assert_ne!(before.hash(), after.hash());
    assert!(change.millis > 1_600_000_000_000);
    assert!(by_hand[1].after.is_none() && by_hand[1].before.is_some());
    let of_one = session.audit(AuditFilter::of::<Group>(&key(1))).unwrap().count();
    assert_eq!(of_one, 2);
}

/// The table `rollouts` as a later version of the program might know it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct LaterGroup {
    count: usize,
}

impl Record for LaterGroup {
    const TABLE: &'static str = "rollouts";
    const VERSION: u32 = 2;

    fn upgrade(version: u32, value: Value) -> Result<Self, String> {
        match version {
            1 => Ok(Self { count: value["texts"].as_array().map_or(0, Vec::len) }),
            _ => Err(format!("no way up from version {version}")),
        }
    }
}

#[test]
fn old_versions_are_upgraded_and_newer_ones_named() {
    let (_dir, sessions) = place();
    let session = create(&sessions, "demo");
    fill(&session, 0..1, 1);
    assert_eq!(session.get::<LaterGroup>(&key(0)).unwrap(), Some(LaterGroup { count: 4 }));
    let mut batch = Batch::new(Author::Rule);
    batch.put(&key(1), &LaterGroup { count: 1 });
    session.write(batch).unwrap();
    let message = session.get::<Group>(&key(1)).unwrap_err().to_string();
    assert!(message.contains("version 2") && message.contains("version 1") && message.contains("newer"), "{message}");
}

/// A type whose serialisation fails.
#[derive(Serialize, Deserialize)]
struct Unwritable {
    #[serde(serialize_with = "refuse")]
    field: u8,
}

fn refuse<S: serde::Serializer>(_: &u8, _: S) -> Result<S::Ok, S::Error> {
    Err(serde::ser::Error::custom("refused"))
}

impl Record for Unwritable {
    const TABLE: &'static str = "bad";
    const VERSION: u32 = 1;
}

#[test]
fn a_batch_is_written_whole_or_not_at_all() {
    let (_dir, sessions) = place();
    let session = create(&sessions, "demo");
    let mut batch = Batch::new(Author::Rule);
    batch.put(&key(0), &group(0)).put("x", &Unwritable { field: 1 });
    assert!(session.write(batch).unwrap_err().to_string().contains("bad/x"));
    let mut batch = Batch::new(Author::Rule);
    batch.put(&key(0), &group(0)).put(&key(1), &Group { texts: vec![], rate: f64::NAN });
    let line = session.write(batch).unwrap_err().to_string();
    assert!(line.contains("rollouts/train-000001") && line.contains("not finite"), "{line}");
    assert_eq!((session.sequence(), session.count::<Group>("").unwrap()), (0, 0));
    assert_eq!(session.write(Batch::new(Author::Rule)).unwrap(), 0, "an empty batch writes nothing");
    fill(&session, 0..1, 1);
    assert_groups(&session, 1);
}

#[test]
fn several_threads_write_at_once() {
    let (_dir, sessions) = place();
    let session = create(&sessions, "demo");
    std::thread::scope(|scope| {
        for t in 0..4 {
            let session = &session;
            scope.spawn(move || fill(session, t * 25..(t + 1) * 25, 1));
        }
    });
    assert_eq!(session.sequence(), 100);
    assert_groups(&session, 100);
    drop(session);
    assert_groups(&sessions.open_read_only("demo").unwrap(), 100);
}

#[test]
fn numbers_come_back_exactly() {
    let (_dir, sessions) = place();
    let session = create(&sessions, "demo");
    let mut state = 1_u64;
    let rates: Vec<f64> = (0..2000)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from_bits((state >> 12) | 0x3ff0_0000_0000_0000) - 1.0
        })
        .collect();
    let mut batch = Batch::new(Author::Pipeline);
    for (n, &rate) in rates.iter().enumerate() {
        batch.put(&format!("{n:05}"), &Group { texts: vec![], rate });
    }
    session.write(batch).unwrap();
    let back: Vec<f64> = session.scan::<Group>("").map(|item| item.unwrap().1.rate).collect();
    let wrong = rates.iter().zip(&back).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
    assert_eq!(wrong, 0, "of 2000 numbers");
}

#[test]
fn names_states_and_removal() {
    let (_dir, sessions) = place();
    assert!(sessions.names().unwrap().is_empty());
    drop(create(&sessions, "alpha"));
    let again = sessions.create("alpha", &footbridge::session::NewSession { recipe: "", seed: 1 }).unwrap_err();
    assert!(matches!(again, SessionError::Exists { .. }), "{again}");
    for bad in ["", "a/b", "../x", ".x"] {
        assert!(matches!(sessions.open(bad).unwrap_err(), SessionError::BadName { .. }), "{bad}");
    }
    let unknown = sessions.open("alpah").unwrap_err().to_string();
    assert!(unknown.contains("no session `alpah`") && unknown.contains("did you mean `alpha`"), "{unknown}");
    assert!(sessions.open_read_only("beta").is_err() && !sessions.contains("beta"));
    assert!(matches!(sessions.remove("alpha", false).unwrap_err(), SessionError::Unconfirmed { .. }));
    assert!(sessions.contains("alpha"));
    assert!(sessions.remove("alpha", true).unwrap() > 0);
    assert!(!sessions.contains("alpha") && sessions.names().unwrap().is_empty());
    assert_eq!(std::fs::read_dir(sessions.root()).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn what_a_crash_left_half_made_goes() {
    let (_dir, sessions) = place();
    let (old, fresh) = (sessions.root().join(".new-beta-1"), sessions.root().join(".removed-beta-2"));
    for dir in [&old, &fresh] {
        std::fs::create_dir_all(dir).unwrap();
        std::fs::write(dir.join("recipe.toml"), "").unwrap();
    }
    let hour_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    std::fs::File::options().write(true).open(old.join("recipe.toml")).unwrap().set_modified(hour_ago).unwrap();
    drop(create(&sessions, "alpha"));
    assert!(!old.exists() && fresh.exists());
    assert_eq!(sessions.names().unwrap(), ["alpha"], "what is half-made is no session");
}
