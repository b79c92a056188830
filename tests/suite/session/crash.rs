//! `kill -9`: no acknowledged record is lost. The test starts its own binary as the process that is killed.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use footbridge::session::{Author, Batch, Sessions};

use super::{Group, assert_groups, create, group, key, place};

const ROOT: &str = "FOOTBRIDGE_TEST_WRITER_ROOT";

#[test]
fn ten_kills_lose_no_acknowledged_record() {
    if let Some(root) = std::env::var_os(ROOT) {
        write_for_ever(&Sessions::at(root));
    }
    let (_dir, sessions) = place();
    drop(create(&sessions, "demo"));
    let (mut known, mut cut_off, mut replayed) = (0, 0, 0);
    for round in 0..10_u64 {
        let mut child = start_writer(&sessions);
        let said = child.stdout.take().unwrap();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100 + round * 71));
            child.kill().unwrap();
            child.wait().unwrap();
        });
        let acknowledged = last_acknowledged(said).unwrap_or(known);
        killer.join().unwrap();
        let session = sessions.open("demo").unwrap();
        cut_off += session.notes().iter().filter(|n| n.contains("cut off")).count();
        replayed += session.notes().iter().filter(|n| n.contains("brought into")).count();
        let there = session.count::<Group>("").unwrap();
        assert!(there >= acknowledged, "round {round}: {acknowledged} acknowledged, {there} there");
        assert!(there <= acknowledged + 3, "round {round}: at most the batch in flight is there as well");
        assert_groups(&session, there);
        known = there;
    }
    assert!(known > 50, "the writers wrote {known} records");
    println!("{known} records over 10 kills; torn ends: {cut_off}; stores that were behind: {replayed}");
    assert!(sessions.check("demo").unwrap().is_sound());
}

/// The last number a writer acknowledged, read until it ends.
fn last_acknowledged(said: ChildStdout) -> Option<u64> {
    let lines = BufReader::new(said).lines().map_while(Result::ok);
    lines.filter_map(|l| l.strip_prefix("ack ")?.parse().ok()).last()
}

fn start_writer(sessions: &Sessions) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "session::crash::ten_kills_lose_no_acknowledged_record", "--nocapture"])
        .env(ROOT, sessions.root())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Writes one to three groups at a time and says after each write how many are acknowledged.
fn write_for_ever(sessions: &Sessions) -> ! {
    let session = sessions.open("demo").unwrap();
    let mut n = session.count::<Group>("").unwrap();
    let mut out = std::io::stdout();
    loop {
        let mut batch = Batch::new(Author::Pipeline);
        for _ in 0..=n % 3 {
            batch.put(&key(n), &group(n));
            n += 1;
        }
        session.write(batch).unwrap();
        out.write_all(format!("ack {n}\n").as_bytes()).unwrap();
        out.flush().unwrap();
    }
}

/// A limit on the size of files stands in for a full disk: writes fail half-way, in the journal or in the store.
#[cfg(unix)]
#[test]
fn a_disk_that_fills_up_loses_no_acknowledged_record() {
    const FULL: &str = "FOOTBRIDGE_TEST_FULL_ROOT";
    if let Some(root) = std::env::var_os(FULL) {
        fill_up(&Sessions::at(root));
        return;
    }
    for kilobytes in [100, 700, 1500] {
        let (_dir, sessions) = place();
        drop(create(&sessions, "demo"));
        let blocks = kilobytes * 2; // `ulimit -f` of a POSIX shell counts 512 bytes
        let script = format!("trap '' XFSZ; ulimit -f {blocks} && exec \"$0\" \"$@\"");
        let mut child = Command::new("sh")
            .args(["-c", &script])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "session::crash::a_disk_that_fills_up_loses_no_acknowledged_record", "--nocapture"])
            .env(FULL, sessions.root())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let acknowledged = last_acknowledged(child.stdout.take().unwrap()).unwrap_or(0);
        assert!(child.wait().unwrap().success(), "{kilobytes} kB");
        let session = sessions.open("demo").unwrap();
        let there: Vec<Group> = session.scan("").map(|item| item.unwrap().1).collect();
        println!("{kilobytes} kB: {acknowledged} records acknowledged, {} there", there.len());
        assert!(there.len() as u64 >= acknowledged, "{kilobytes} kB: {acknowledged}, {}", there.len());
        assert!((0..).zip(&there).all(|(n, group)| *group == bulky(n)));
        let mut batch = Batch::new(Author::Pipeline);
        batch.put("~last", &group(1));
        session.write(batch).unwrap();
        drop(session);
        assert!(sessions.check("demo").unwrap().is_sound());
    }
}

/// Writes until it fails, twice, and checks that the failure is told in one line.
#[cfg(unix)]
fn fill_up(sessions: &Sessions) {
    let failed = |e: footbridge::session::SessionError| {
        let line = e.to_string();
        println!("\n{line}");
        assert!(line.lines().count() == 1 && line.contains("demo") && !line.contains("damaged"), "{line}");
    };
    let session = match sessions.open("demo") {
        Ok(session) => session,
        Err(e) => return failed(e),
    };
    for n in 0..100_000 {
        let mut batch = Batch::new(Author::Pipeline);
        batch.put(&key(n), &bulky(n));
        match session.write(batch) {
            Ok(_) => println!("\nack {}", n + 1),
            Err(e) => {
                failed(e);
                break;
            }
        }
    }
    let mut batch = Batch::new(Author::Pipeline);
    batch.put("~after", &bulky(1));
    match session.write(batch) {
        Ok(_) => panic!("the disk is still full"),
        Err(e) => failed(e),
    }
}

/// A group whose text hardly compresses.
#[cfg(unix)]
fn bulky(n: u64) -> Group {
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        format!("{state:016x}")
    };
    Group { texts: (0..250).map(|_| next()).collect(), rate: 0.5 }
}
