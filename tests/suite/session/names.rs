//! Other names for sessions, and names that are free.

use footbridge::session::{Activity, SessionError, StateLine};

use super::{assert_groups, create, fill, place};

#[test]
fn a_session_with_another_name_is_the_same_session() {
    let (_dir, sessions) = place();
    let session = create(&sessions, "first");
    fill(&session, 0..5, 2);
    session.checkpoints().save("1-sft-medium", &[("w", &[7; 64])], serde_json::json!({})).unwrap();
    session.set_state(&StateLine { line: "complete".into(), finished: true }).unwrap();
    drop(session);

    sessions.rename("first", "second.b").unwrap();
    assert_eq!(sessions.names().unwrap(), ["second.b"]);
    assert!(matches!(sessions.open("first").unwrap_err(), SessionError::Unknown { .. }));
    assert_eq!(sessions.summary("second.b").unwrap().activity, Activity::Done);
    assert_groups(&sessions.open_read_only("second.b").unwrap(), 5);
    let (meta, (recipe, _)) = sessions.described("second.b").unwrap();
    assert_eq!((meta.name.as_str(), meta.seed, recipe.as_str()), ("second.b", 7, "seed = 7\n"));

    // It goes on: written to, closed, opened again.
    let session = sessions.open("second.b").unwrap();
    assert_eq!(session.notes(), [] as [String; 0]);
    fill(&session, 5..8, 1);
    assert_eq!(session.checkpoints().load("1-sft-medium").unwrap().manifest.id, "1-sft-medium");
    drop(session);
    assert_groups(&sessions.open("second.b").unwrap(), 8);
    assert!(sessions.check("second.b").unwrap().is_sound());
}

#[test]
fn names_that_are_taken_bad_or_in_use_are_refused_and_nothing_changes() {
    let (_dir, sessions) = place();
    drop(create(&sessions, "a"));
    let held = create(&sessions, "b");
    assert!(matches!(sessions.rename("a", "b").unwrap_err(), SessionError::Exists { .. }));
    assert!(matches!(sessions.rename("a", "a").unwrap_err(), SessionError::Exists { .. }));
    assert!(matches!(sessions.rename("a", "../c").unwrap_err(), SessionError::BadName { .. }));
    assert!(matches!(sessions.rename("b", "c").unwrap_err(), SessionError::InUse { .. }));
    assert!(matches!(sessions.rename("x", "c").unwrap_err(), SessionError::Unknown { .. }));
    drop(held);
    assert_eq!(sessions.names().unwrap(), ["a", "b"]);
    assert_eq!(sessions.described("b").unwrap().0.name, "b");
}

#[test]
fn the_first_free_number_is_given() {
    let (_dir, sessions) = place();
    assert_eq!(sessions.free_name("run").unwrap(), "run-1");
    for name in ["run-1", "run-3"] {
        drop(create(&sessions, name));
    }
    assert_eq!(sessions.free_name("run").unwrap(), "run-2");
}
