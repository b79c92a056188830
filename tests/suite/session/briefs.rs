//! Groups of rollouts: their texts lie in the journal alone, and the brief beside each says what the group says,
//! whatever happened in between.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use footbridge::domain::{Finish, Provenance, Rollout};
use footbridge::recipe::SamplingRecipe;
use footbridge::session::records::RolloutGroup;
use footbridge::session::{Author, Batch, Record, RolloutBrief, Session, SessionError, Sessions};
use serde::{Deserialize, Serialize};

use super::{create, files, place};

const ROOT: &str = "FOOTBRIDGE_TEST_BRIEFS_ROOT";

/// Four rollouts of some kilobytes each that hardly compress; k is the number's remainder by 5.
fn rollouts(n: u64) -> RolloutGroup {
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        format!("{state:016x} ")
    };
    let rollout = |k: u64, text: String| Rollout {
        text,
        tokens: 100 + k as u32,
        finish: if k == 3 { Finish::Length } else { Finish::EndOfTurn },
        answer: (k != 2).then(|| k.to_string()),
        correct: k < n % 5,
    };
    RolloutGroup {
        question: format!("train-{n:05}"),
        provenance: Provenance { verifier: "numeric".into(), prompt: "p".into(), checkpoint: "base".into() },
        sampling: SamplingRecipe { temperature: 0.7, top_p: 0.9, max_new_tokens: 64 },
        rollouts: (0..4).map(|k| rollout(k, (0..400).map(|_| next()).collect())).collect(),
    }
}

fn key(n: u64) -> String {
    format!("1-difficulty/train-{n:05}")
}

fn fill(session: &Session, range: std::ops::Range<u64>, per: usize) {
    let all: Vec<u64> = range.collect();
    for part in all.chunks(per) {
        let mut batch = Batch::new(Author::Pipeline);
        for &n in part {
            batch.put(&key(n), &rollouts(n));
        }
        session.write(batch).unwrap();
    }
}

/// Asserts that every group there is whole and has its brief, and that there is no brief of anything else.
fn assert_briefs(session: &Session) -> u64 {
    let groups: Vec<(String, RolloutGroup)> = session.scan("").map(Result::unwrap).collect();
    for (at, group) in &groups {
        let n: u64 = at.rsplit('-').next().unwrap().parse().unwrap();
        assert!(*group == rollouts(n), "{at} is not as it was written");
        assert_eq!(session.get::<RolloutGroup>(at).unwrap().as_ref(), Some(group));
    }
    let wanted: Vec<(String, RolloutBrief)> = groups.iter().map(|(at, g)| (at.clone(), RolloutBrief::of(g))).collect();
    let stored: Vec<(String, RolloutBrief)> = session.scan("").map(Result::unwrap).collect();
    assert_eq!(stored, wanted, "what is stored");
    let listed: Vec<(String, RolloutBrief)> = session.rollout_briefs("1-difficulty/").map(Result::unwrap).collect();
    assert_eq!(listed, wanted, "what is listed");
    groups.len() as u64
}

/// Asserts it of the session as opened for writing, for reading, and with a store made anew.
fn assert_briefs_everywhere(sessions: &Sessions) -> u64 {
    let there = assert_briefs(&sessions.open("demo").unwrap());
    assert_eq!(assert_briefs(&sessions.open_read_only("demo").unwrap()), there);
    fs::remove_dir_all(sessions.root().join("demo/store")).unwrap();
    assert_eq!(assert_briefs(&sessions.open("demo").unwrap()), there);
    let check = sessions.check("demo").unwrap();
    assert!(check.is_sound(), "{check}");
    there
}

/// Offsets of the frames, and the place behind the last.
fn frames(sessions: &Sessions) -> Vec<u64> {
    let bytes = fs::read(journal(sessions)).unwrap();
    let (mut offsets, mut at) = (vec![0], 0);
    while at < bytes.len() {
        at += 36 + u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
        offsets.push(at as u64);
    }
    offsets
}

fn journal(sessions: &Sessions) -> std::path::PathBuf {
    sessions.root().join("demo/journal/000001.fbj")
}

#[test]
fn a_brief_says_what_its_group_says() {
    let brief = RolloutBrief::of(&rollouts(3));
    assert_eq!((brief.n, brief.correct, brief.parsed, brief.cut, brief.tokens), (4, 3, 3, 1, 406));
    assert!((brief.rho() - 0.75).abs() < 1e-12);
    assert_eq!(RolloutBrief::of(&rollouts(5)).outcome(), Some(footbridge::domain::GroupOutcome::AllZero));
}

#[test]
fn texts_lie_in_the_journal_alone() {
    let (_dir, sessions) = place();
    let session = create(&sessions, "demo");
    fill(&session, 0..300, 16);
    let mut batch = Batch::new(Author::Pipeline);
    batch.put(&key(7), &rollouts(7)).delete::<RolloutGroup>(&key(8));
    session.write(batch).unwrap();
    let texts: usize = (0..300).map(|n| rollouts(n).rollouts.iter().map(|r| r.text.len()).sum::<usize>()).sum();
    drop(session);
    let bytes = |at: &str| -> u64 {
        files(&sessions.root().join("demo").join(at)).iter().map(|f| fs::metadata(f).unwrap().len()).sum()
    };
    println!("{texts} bytes of text: journal {}, store {}", bytes("journal"), bytes("store"));
    // Sled sets aside half a megabyte at a time; the texts alone would take more than that.
    assert!(bytes("store") < bytes("journal"), "the store holds no second copy");
    assert!(bytes("journal") < texts as u64);
    assert_eq!(assert_briefs_everywhere(&sessions), 299);
}

#[test]
fn kills_leave_every_group_with_its_brief() {
    if let Some(root) = std::env::var_os(ROOT) {
        let session = Sessions::at(root).open("demo").unwrap();
        let mut n = session.count::<RolloutGroup>("").unwrap();
        let mut out = std::io::stdout();
        loop {
            fill(&session, n..n + 1 + n % 3, 4);
            n += 1 + n % 3;
            out.write_all(format!("ack {n}\n").as_bytes()).unwrap();
            out.flush().unwrap();
        }
    }
    let (_dir, sessions) = place();
    drop(create(&sessions, "demo"));
    for round in 0..3_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "session::briefs::kills_leave_every_group_with_its_brief", "--nocapture"])
            .env(ROOT, sessions.root())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = child.stdout.take().unwrap();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(200 + round * 90));
            child.kill().unwrap();
            child.wait().unwrap();
        });
        let lines = BufReader::new(said).lines().map_while(Result::ok);
        let acknowledged: u64 = lines.filter_map(|l| l.strip_prefix("ack ")?.parse().ok()).last().unwrap_or(0);
        killer.join().unwrap();
        assert!(assert_briefs(&sessions.open("demo").unwrap()) >= acknowledged);
    }
    assert!(assert_briefs_everywhere(&sessions) > 0);
}

#[test]
fn what_is_torn_or_cut_off_takes_its_brief_along() {
    let (_dir, sessions) = place();
    let session = create(&sessions, "demo");
    fill(&session, 0..40, 4);
    drop(session);
    let offsets = frames(&sessions);
    // Within the last frame's texts, within its head, and behind its second to last frame: the store has seen it all.
    for length in [offsets[10] - 100, offsets[8] + 20, offsets[5]] {
        OpenOptions::new().write(true).open(journal(&sessions)).unwrap().set_len(length).unwrap();
        let session = sessions.open("demo").unwrap();
        let notes = session.notes().join("\n");
        assert!(notes.contains("is lost") && notes.contains("rollouts/1-difficulty/train-"), "{notes}");
        let there = assert_briefs(&session);
        fill(&session, there..40, 4);
        drop(session);
        assert_eq!(assert_briefs_everywhere(&sessions), 40);
    }
}

#[test]
fn a_damaged_text_is_named_and_only_it_is_lost() {
    let (_dir, sessions) = place();
    let session = create(&sessions, "demo");
    fill(&session, 0..40, 4);
    drop(session);
    let last_byte_of_the_fourth = frames(&sessions)[4] - 1;
    let mut bytes = fs::read(journal(&sessions)).unwrap();
    bytes[usize::try_from(last_byte_of_the_fourth).unwrap()] ^= 1;
    fs::write(journal(&sessions), bytes).unwrap();
    let error = sessions.open("demo").unwrap_err();
    assert!(matches!(error, SessionError::JournalDamaged { .. }), "{error}");
    assert!(!sessions.check("demo").unwrap().is_sound());
    let report = sessions.repair("demo").unwrap();
    let text = report.to_string();
    assert!(text.contains("`rollouts/1-difficulty/train-00015` lay in the damaged part"), "{text}");
    // 24 groups behind the damage and 3 within the frame come back, with their briefs.
    assert_eq!((report.frames, report.rescued, report.records), (3, 2 * 27, 2 * 39), "{text}");
    assert_eq!(assert_briefs_everywhere(&sessions), 39);
    assert!(sessions.repair("demo").unwrap().found.is_empty());
}

/// A group as it was written before there were briefs.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Before(RolloutGroup);

impl Record for Before {
    const TABLE: &'static str = RolloutGroup::TABLE;
    const VERSION: u32 = 1;
}

#[test]
fn groups_without_briefs_are_listed_all_the_same() {
    let (_dir, sessions) = place();
    let session = create(&sessions, "demo");
    for n in 0..12 {
        let mut batch = Batch::new(Author::Pipeline);
        match n % 3 {
            0 => batch.put(&key(n), &Before(rollouts(n))),
            _ => batch.put(&key(n), &rollouts(n)),
        };
        session.write(batch).unwrap();
    }
    let listed: Vec<RolloutBrief> = session.rollout_briefs("").map(|item| item.unwrap().1).collect();
    assert_eq!(listed, (0..12).map(|n| RolloutBrief::of(&rollouts(n))).collect::<Vec<_>>());
    assert_eq!(session.count::<RolloutBrief>("").unwrap(), 8);
    assert_eq!(session.rollout_briefs("1-difficulty/train-0001").count(), 2);
}
