//! Damaged files: one clear line, and `repair` brings back what can be.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use footbridge::session::{Author, Batch, Result, Session, SessionError, Sessions};

use super::{Group, assert_groups, create, files, fill, group, key, place};

/// A closed session with 300 groups in 60 frames.
fn filled() -> (tempfile::TempDir, Sessions) {
    let (dir, sessions) = place();
    let session = create(&sessions, "demo");
    fill(&session, 0..300, 5);
    drop(session);
    (dir, sessions)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, &target).unwrap();
    }
}

fn flip(file: &Path, at: u64) {
    let mut bytes = fs::read(file).unwrap();
    bytes[usize::try_from(at).unwrap()] ^= 0x55;
    fs::write(file, bytes).unwrap();
}

fn cut(file: &Path, length: u64) {
    OpenOptions::new().write(true).open(file).unwrap().set_len(length).unwrap();
}

fn journal(sessions: &Sessions) -> PathBuf {
    sessions.root().join("demo/journal/000001.fbj")
}

/// Offsets of the frames, read from their heads.
fn frame_offsets(file: &Path) -> Vec<u64> {
    let bytes = fs::read(file).unwrap();
    let (mut offsets, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        offsets.push(at as u64);
        let length = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap());
        at += 36 + length as usize;
    }
    offsets
}

/// Opens and reads everything, as a run would.
fn read_all(sessions: &Sessions) -> Result<usize> {
    let session: Session = sessions.open("demo")?;
    session.scan::<Group>("").map(|item| item.map(|_| 1)).sum()
}

#[test]
fn a_damaged_store_is_named_and_rebuilt() {
    let (dir, sessions) = filled();
    let sound = dir.path().join("sound");
    copy(&sessions.root().join("demo"), &sound);
    let mut named = 0;
    let store_files: Vec<PathBuf> = files(&sound.join("store"));
    assert!(store_files.len() >= 2, "sled keeps at least its log and a description");
    for file in &store_files {
        let length = fs::metadata(file).unwrap().len();
        for (step, damage) in [flip, flip, flip, cut, cut, cut].into_iter().enumerate() {
            let place = length * [1, 10, 40, 0, 1, 3][step] / 50;
            let demo = sessions.root().join("demo");
            fs::remove_dir_all(&demo).unwrap();
            copy(&sound, &demo);
            damage(&demo.join(file.strip_prefix(&sound).unwrap()), place);
            let case = format!("{} {} {place}", file.display(), if step < 3 { "flip" } else { "cut" });
            match read_all(&sessions) {
                Ok(count) => assert_eq!(count, 300, "{case}"),
                Err(e) => {
                    named += 1;
                    let line = e.to_string();
                    assert!(line.starts_with("store of session `demo` is damaged ("), "{case}: {line}");
                    assert!(line.ends_with("run `footbridge sessions repair demo`"), "{case}: {line}");
                    assert_eq!(line.lines().count(), 1, "{case}: {line}");
                    assert!(!sessions.check("demo").unwrap().is_sound(), "{case}");
                    let report = sessions.repair("demo").unwrap();
                    assert_eq!((report.frames, report.records), (60, 300), "{case}");
                    assert!(demo.join("store.damaged-1").is_dir());
                }
            }
            assert_groups(&sessions.open("demo").unwrap(), 300);
            assert!(sessions.check("demo").unwrap().is_sound(), "{case}");
        }
    }
    println!("{named} of {} kinds of damage needed a repair", store_files.len() * 6);
    assert!(named > 0, "at least some damage must have been noticed");
}

#[test]
fn a_missing_store_is_made_again() {
    let (_dir, sessions) = filled();
    fs::remove_dir_all(sessions.root().join("demo/store")).unwrap();
    let session = sessions.open("demo").unwrap();
    assert!(session.notes()[0].contains("60 frames"), "{:?}", session.notes());
    assert_groups(&session, 300);
}

#[test]
fn what_was_never_acknowledged_is_cut_off() {
    let (_dir, sessions) = filled();
    let whole = fs::read(journal(&sessions)).unwrap();
    let first = usize::try_from(frame_offsets(&journal(&sessions))[1]).unwrap();
    // The head of a frame, or more, and then the crash; or a file that was made longer but never filled.
    let mut ends: Vec<Vec<u8>> = [1, 20, 35, 36, 37, first - 1].iter().map(|&n| whole[..n].to_vec()).collect();
    ends.push(vec![0; 36]);
    ends.push(vec![0; 5000]);
    for end in ends {
        fs::write(journal(&sessions), [whole.as_slice(), &end].concat()).unwrap();
        assert_groups(&sessions.open_read_only("demo").unwrap(), 300);
        assert!(sessions.check("demo").unwrap().is_sound());
        let session = sessions.open("demo").unwrap();
        assert!(session.notes()[0].contains(&format!("{} bytes", end.len())), "{:?}", session.notes());
        assert_groups(&session, 300);
        drop(session);
        assert_eq!(fs::read(journal(&sessions)).unwrap(), whole);
    }
}

#[test]
fn an_end_that_the_store_has_seen_comes_back() {
    let (_dir, sessions) = filled();
    let offsets = frame_offsets(&journal(&sessions));
    for length in [offsets[59] + 50, offsets[58], offsets[30] + 3] {
        cut(&journal(&sessions), length);
        assert!(!sessions.check("demo").unwrap().is_sound());
        let session = sessions.open("demo").unwrap();
        assert!(session.notes().iter().any(|n| n.contains("taken from the store")), "{:?}", session.notes());
        fill(&session, 300..301, 1);
        drop(session);
        assert_groups(&sessions.open_read_only("demo").unwrap(), 301);
        assert_groups(&sessions.open("demo").unwrap(), 301);
        assert!(sessions.check("demo").unwrap().is_sound());
    }
}

#[test]
fn a_damaged_journal_is_named_with_its_place() {
    let (dir, sessions) = filled();
    let sound = dir.path().join("sound");
    copy(&sessions.root().join("demo"), &sound);
    let offsets = frame_offsets(&journal(&sessions));
    // Magic, length, number, time, checksums, content; of a frame in the middle and of the last one.
    for (frame, within) in
        [(20, 0), (20, 5), (20, 7), (20, 9), (20, 17), (20, 25), (20, 29), (20, 60), (59, 6), (59, 50)]
    {
        let demo = sessions.root().join("demo");
        let restore = || {
            fs::remove_dir_all(&demo).unwrap();
            copy(&sound, &demo);
            flip(&journal(&sessions), offsets[frame] + within);
        };
        restore();
        for error in [sessions.open("demo").unwrap_err(), sessions.open_read_only("demo").unwrap_err()] {
            let line = error.to_string();
            assert!(matches!(error, SessionError::JournalDamaged { .. }), "{line}");
            assert!(line.contains(&format!("000001.fbj at byte {}", offsets[frame])), "{line}");
            assert!(line.ends_with("run `footbridge sessions repair demo`"), "{line}");
        }
        assert!(!sessions.check("demo").unwrap().is_sound());

        let report = sessions.repair("demo").unwrap();
        assert_eq!((report.frames, report.records), (frame as u64, 300), "the store knew the rest: {report}");
        assert_groups(&sessions.open("demo").unwrap(), 300);
        assert!(sessions.check("demo").unwrap().is_sound());

        restore();
        fs::remove_dir_all(demo.join("store")).unwrap();
        let report = sessions.repair("demo").unwrap();
        assert_eq!((report.frames, report.records), (frame as u64, frame as u64 * 5), "{report}");
        assert!(report.aside[0].ends_with("journal/000001.fbj.damaged-1"));
        let session = sessions.open("demo").unwrap();
        assert_groups(&session, frame as u64 * 5);
        fill(&session, frame as u64 * 5..300, 5);
        drop(session);
        assert_groups(&sessions.open_read_only("demo").unwrap(), 300);
    }
}

#[test]
fn a_missing_segment_is_noticed() {
    let (_dir, sessions) = filled();
    fs::remove_file(journal(&sessions)).unwrap();
    let line = sessions.open("demo").unwrap_err().to_string();
    assert!(line.contains("the first segment is missing"), "{line}");
    let report = sessions.repair("demo").unwrap();
    assert_eq!((report.frames, report.rescued, report.records), (0, 300, 300));
    assert_groups(&sessions.open("demo").unwrap(), 300);
}

#[test]
fn a_sound_session_is_left_alone() {
    let (_dir, sessions) = filled();
    let before = fs::read(journal(&sessions)).unwrap();
    let report = sessions.repair("demo").unwrap();
    assert!(report.found.is_empty() && report.to_string().contains("needs no repair"), "{report}");
    assert_eq!((report.frames, report.records), (60, 300));
    assert_eq!(fs::read(journal(&sessions)).unwrap(), before);
    let check = sessions.check("demo").unwrap();
    assert_eq!((check.frames, check.changes, check.records, check.is_sound()), (60, 300, Some(300), true), "{check}");
}

#[test]
fn a_store_with_other_content_is_noticed() {
    let (dir, sessions) = filled();
    let other = Sessions::at(dir.path().join("other"));
    let session = create(&other, "demo");
    fill(&session, 0..295, 5);
    let mut batch = Batch::new(Author::Rule);
    for n in 295..300 {
        batch.put(&key(n), &group(if n == 299 { 7 } else { n }));
    }
    session.write(batch).unwrap();
    drop(session);
    fs::remove_dir_all(sessions.root().join("demo/store")).unwrap();
    copy(&other.root().join("demo/store"), &sessions.root().join("demo/store"));
    let check = sessions.check("demo").unwrap();
    assert!(check.problems.iter().any(|p| p.contains("299 of the journal's 300 records agree")), "{check}");
    sessions.repair("demo").unwrap();
    assert_groups(&sessions.open("demo").unwrap(), 300);
}
