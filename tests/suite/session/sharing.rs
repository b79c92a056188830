//! Two processes, read-only disks, and what a larger session costs.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::Instant;

use footbridge::cli::sessions as verbs;
use footbridge::session::{Activity, SessionError, Sessions, StateLine};

use super::{assert_groups, create, fill, place};

const HOLD: &str = "FOOTBRIDGE_TEST_HOLDER_ROOT";

#[test]
fn a_second_process_is_told_who_holds_the_session() {
    if let Some(root) = std::env::var_os(HOLD) {
        let session = Sessions::at(root).open("demo").unwrap();
        fill(&session, 0..10, 1);
        println!("\nheld");
        let _ = std::io::stdin().read(&mut [0]); // until the parent closes the pipe
        return;
    }
    let (_dir, sessions) = place();
    drop(create(&sessions, "demo"));
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "session::sharing::a_second_process_is_told_who_holds_the_session", "--nocapture"])
        .env(HOLD, sessions.root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let held = said.any(|l| l == "held");
    assert!(held, "the child opened the session");

    let line = sessions.open("demo").unwrap_err().to_string();
    assert!(line.contains(&format!("in use by process {} since 20", child.id())), "{line}");
    assert!(matches!(sessions.repair("demo").unwrap_err(), SessionError::InUse { .. }));
    assert!(matches!(sessions.remove("demo", true).unwrap_err(), SessionError::InUse { .. }));
    assert_groups(&sessions.open_read_only("demo").unwrap(), 10);
    assert!(matches!(sessions.summary("demo").unwrap().activity, Activity::Running(_)));
    assert!(verbs::list(&sessions).unwrap().contains("running (process"));
    let shown = verbs::show(&sessions, "demo").unwrap();
    assert!(shown.contains("10 rollouts") && shown.contains("running"), "{shown}");
    let check = sessions.check("demo").unwrap();
    assert!(check.is_sound() && check.records.is_none() && check.notes[0].contains("in use"), "{check}");

    drop(child.stdin.take());
    let rest: Vec<String> = said.collect();
    assert!(rest.iter().any(|l| l.contains("1 passed")), "{rest:?}");
    assert!(child.wait().unwrap().success());
    assert_groups(&sessions.open("demo").unwrap(), 10);
}

#[test]
fn the_verbs_give_text() {
    let (_dir, sessions) = place();
    assert!(verbs::list(&sessions).unwrap().starts_with("no sessions in"));
    let session = create(&sessions, "demo");
    fill(&session, 0..3, 1);
    session.set_state(&StateLine { line: "iteration 1, grpo 3/6\u{1b}[31m".into(), finished: false }).unwrap();
    session.checkpoints().save("1-sft-medium", &[("w", &[0; 2048])], serde_json::json!({})).unwrap();
    drop(session);
    let list = verbs::list(&sessions).unwrap();
    assert!(list.contains("demo") && list.contains("stopped") && list.contains("iteration 1, grpo 3/6"), "{list}");
    assert!(!list.contains('\u{1b}'), "text from files cannot steer the terminal");
    let shown = verbs::show(&sessions, "demo").unwrap();
    assert!(
        shown.contains("3 rollouts") && shown.contains("1-sft-medium (2.0 KiB") && shown.contains("seed 7"),
        "{shown}"
    );
    assert!(verbs::check(&sessions, "demo").unwrap().1);
    assert!(verbs::repair(&sessions, "demo").unwrap().contains("needs no repair"));
    assert_eq!(verbs::rename(&sessions, "demo", "first").unwrap(), "session `demo` is called `first` now");
    assert!(verbs::show(&sessions, "first").unwrap().contains("3 rollouts"));
    for (old, new, why) in [("demo", "other", "demo"), ("first", "first", "exists"), ("first", "../up", "name")] {
        let refusal = verbs::rename(&sessions, old, new).unwrap_err().to_string();
        assert!(refusal.contains(why), "{old} {new}: {refusal}");
    }
    let held = sessions.open("first").unwrap();
    assert!(matches!(verbs::rename(&sessions, "first", "demo").unwrap_err(), SessionError::InUse { .. }));
    drop(held);
    assert!(verbs::rename(&sessions, "first", "demo").is_ok());
    assert!(verbs::rm(&sessions, "demo", false).unwrap_err().to_string().contains("rm demo --yes"));
    assert!(verbs::rm(&sessions, "demo", true).unwrap().contains("is removed"));
}

/// A user who may read but not write. As root, permissions do not bind, so the test hands itself to user `nobody`.
#[cfg(unix)]
#[test]
fn without_the_right_to_write_one_line_says_so() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    const ROOT: &str = "FOOTBRIDGE_TEST_NOBODY_ROOT";
    if let Some(root) = std::env::var_os(ROOT) {
        let sessions = Sessions::at(root);
        let new = footbridge::session::NewSession { recipe: "", seed: 1 };
        for error in [sessions.open("demo").unwrap_err(), sessions.create("other", &new).unwrap_err()] {
            let line = error.to_string();
            assert!(matches!(error, SessionError::Disk { .. }), "{line}");
            assert!(line.contains("permission denied") && line.contains("sessions"), "{line}");
            assert_eq!(line.lines().count(), 1);
        }
        assert_groups(&sessions.open_read_only("demo").unwrap(), 5);
        assert!(verbs::list(&sessions).unwrap().contains("demo"));
        let check = sessions.check("demo").unwrap();
        assert!(check.is_sound() && check.notes[0].contains("permission denied"), "{check}");
        println!("\nseen");
        return;
    }
    let (dir, sessions) = place();
    let session = create(&sessions, "demo");
    fill(&session, 0..5, 1);
    drop(session);
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    for path in super::files(sessions.root()).into_iter().chain([sessions.root().join("demo"), sessions.root().into()])
    {
        let mode = if path.is_dir() { 0o555 } else { 0o444 };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "session::sharing::without_the_right_to_write_one_line_says_so", "--nocapture"]);
    let is_root = std::fs::File::create(sessions.root().join("probe")).is_ok();
    if is_root {
        command.uid(65534).gid(65534);
    }
    let outcome = command.env(ROOT, sessions.root()).current_dir("/").output();
    std::fs::set_permissions(sessions.root(), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(sessions.root().join("demo"), std::fs::Permissions::from_mode(0o755)).unwrap();
    match outcome {
        Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => {
            println!("skipped: user nobody may not run this test binary");
        }
        outcome => {
            let outcome = outcome.unwrap();
            let said = String::from_utf8_lossy(&outcome.stdout);
            let errors = String::from_utf8_lossy(&outcome.stderr);
            assert!(outcome.status.success() && said.lines().any(|l| l == "seen"), "{said}{errors}");
        }
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let (dir, _) = place();
    std::fs::write(dir.path().join("file"), "").unwrap();
    let sessions = Sessions::at(dir.path().join("file/sessions"));
    let new = footbridge::session::NewSession { recipe: "", seed: 1 };
    let line = sessions.create("demo", &new).unwrap_err().to_string();
    assert!(line.contains("file/sessions") && line.contains("not a folder"), "{line}");
}

#[test]
fn twenty_thousand_records_cost() {
    let (_dir, sessions) = place();
    let session = create(&sessions, "demo");
    let clock = Instant::now();
    fill(&session, 0..20_000, 50);
    let write = clock.elapsed();
    let single = Instant::now();
    fill(&session, 20_000..20_200, 1);
    let single = single.elapsed() / 200;
    drop(session);
    let clock = Instant::now();
    let session = sessions.open("demo").unwrap();
    let open = clock.elapsed();
    let clock = Instant::now();
    assert_groups(&session, 20_200);
    let scan = clock.elapsed();
    let clock = Instant::now();
    assert_eq!(session.count::<super::Group>("").unwrap(), 20_200);
    let count = clock.elapsed();
    let clock = Instant::now();
    assert_groups(&sessions.open_read_only("demo").unwrap(), 20_200);
    let read_only = clock.elapsed();
    let size = |part: &str| -> u64 {
        super::files(&session.dir().join(part)).iter().map(|f| std::fs::metadata(f).unwrap().len()).sum()
    };
    println!("20,000 records: write {write:.2?} (50 to a frame), one alone {single:.2?}, open {open:.2?}");
    println!("scan {scan:.2?}, count {count:.2?}, open and scan read-only {read_only:.2?}");
    println!("journal {} kB, store {} kB", size("journal") / 1000, size("store") / 1000);
}
