//! Checkpoints: whole or not at all, verified on reading.

use std::io::Write;

use footbridge::session::SessionError;
use serde_json::json;

use super::{create, place};

#[test]
fn a_checkpoint_comes_back_verified() {
    let (_dir, sessions) = place();
    let session = create(&sessions, "demo");
    let store = session.checkpoints();
    let weights: Vec<u8> = (0..10_000_u32).flat_map(u32::to_le_bytes).collect();
    store
        .save("1-sft-medium", &[("model.safetensors", &weights), ("x.json", b"{}")], json!({"parent": "base"}))
        .unwrap();
    assert_eq!(store.list().unwrap(), ["1-sft-medium"]);
    let back = store.load("1-sft-medium").unwrap();
    assert_eq!((&back.files["model.safetensors"], back.manifest.about["parent"].as_str()), (&weights, Some("base")));
    assert_eq!(store.load_file("1-sft-medium", "x.json").unwrap(), b"{}");
    assert!(store.contains("1-sft-medium") && !store.contains("2-grpo"));

    store.save("1-sft-medium", &[("model.safetensors", b"new")], json!(null)).unwrap();
    assert_eq!(store.load("1-sft-medium").unwrap().files.len(), 1, "an id names its newest content");
    assert_eq!(std::fs::read_dir(session.dir().join("checkpoints")).unwrap().count(), 1, "nothing is left behind");
    store.remove("1-sft-medium").unwrap();
    assert!(store.list().unwrap().is_empty());
}

#[test]
fn damage_to_a_checkpoint_is_named() {
    let (_dir, sessions) = place();
    let session = create(&sessions, "demo");
    let store = session.checkpoints();
    let save = || store.save("a", &[("w.bin", &[7; 500])], json!({})).unwrap();
    let fault = || store.load("a").unwrap_err().to_string();
    save();
    let file = store.dir("a").join("w.bin");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[250] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    assert!(fault().contains("`w.bin`: its SHA-256 does not match"), "{}", fault());
    std::fs::write(&file, &bytes[..10]).unwrap();
    assert!(fault().contains("it has 10 bytes, not 500"), "{}", fault());
    std::fs::remove_file(&file).unwrap();
    assert!(fault().contains("missing"), "{}", fault());
    std::fs::write(store.dir("a").join("manifest.json"), b"{").unwrap();
    assert!(fault().contains("manifest.json"), "{}", fault());
    save();
    assert_eq!(store.load("a").unwrap().files["w.bin"], [7; 500]);
    assert!(matches!(store.load("b").unwrap_err(), SessionError::Checkpoint { .. }));
    for bad in ["", "../a", ".new-a", "a/b"] {
        assert!(store.save(bad, &[], json!({})).is_err() && store.load(bad).is_err(), "{bad}");
        assert!(store.save("c", &[(bad, b"")], json!({})).is_err(), "{bad}");
    }
    assert!(store.save("c", &[("manifest.json", b"")], json!({})).is_err());
}

#[test]
fn a_running_stage_keeps_its_last_states() {
    let (_dir, sessions) = place();
    let session = create(&sessions, "demo");
    let store = session.checkpoints();
    for step in [2, 4, 10, 12] {
        store.save_partial("1-grpo", step, &[("s", &[u8::try_from(step).unwrap()])], json!({"step": step}), 2).unwrap();
    }
    store.save_partial("1-grpo-b", 99, &[("s", b"other")], json!({}), 2).unwrap();
    let (step, state) = store.latest_partial("1-grpo").unwrap().unwrap();
    assert_eq!((step, std::fs::read(state.join("s")).unwrap()), (12, vec![12]));
    assert!(store.list().unwrap().is_empty(), "states are no finished checkpoints");
    std::fs::write(state.join("s"), b"?!").unwrap();
    assert_eq!(store.latest_partial("1-grpo").unwrap().unwrap().0, 10, "a damaged state is passed over");
    store.drop_partials("1-grpo").unwrap();
    assert!(store.latest_partial("1-grpo").unwrap().is_none());
    assert_eq!(store.latest_partial("1-grpo-b").unwrap().unwrap().0, 99);
}

#[test]
fn a_checkpoint_written_in_pieces_is_whole_or_leaves_nothing() {
    let (_dir, sessions) = place();
    let session = create(&sessions, "demo");
    let store = session.checkpoints();
    let bytes: Vec<u8> = (0..700_000_u32).flat_map(u32::to_le_bytes).collect();
    let mut draft = store.draft_partial("1-grpo", 3).unwrap();
    let mut file = draft.file("state").unwrap();
    bytes.chunks(99_991).for_each(|piece| file.write_all(piece).unwrap());
    draft.keep(file).unwrap();
    assert!(draft.file("../state").is_err() && draft.file("manifest.json").is_err());
    assert!(store.latest_partial("1-grpo").unwrap().is_none(), "half of it was found");
    let written = draft.finish(json!({"updates": 3})).unwrap();
    store.save("a", &[("state", &bytes)], json!(null)).unwrap();
    assert_eq!(written.files, store.manifest("a").unwrap().files, "the same content, the same hash");
    let (step, folder) = store.latest_partial("1-grpo").unwrap().unwrap();
    assert_eq!((step, std::fs::read(folder.join("state")).unwrap()), (3, bytes));

    let mut given_up = store.draft_partial("1-grpo", 4).unwrap();
    given_up.keep(given_up.file("state").unwrap()).unwrap();
    drop(given_up);
    assert_eq!(store.latest_partial("1-grpo").unwrap().unwrap().0, 3);
    assert_eq!(std::fs::read_dir(session.dir().join("checkpoints")).unwrap().count(), 2, "nothing is left behind");
    store.keep_newest("1-grpo", 3, 1).unwrap();
    assert_eq!(store.verify("a").unwrap().id, "a");
}

#[test]
fn what_a_crash_left_is_cleared_up() {
    let (_dir, sessions) = place();
    let session = create(&sessions, "demo");
    let store = session.checkpoints();
    store.save("a", &[("w", b"1")], json!({})).unwrap();
    let root = session.dir().join("checkpoints");
    std::fs::rename(root.join("a"), root.join(".old-a")).unwrap();
    std::fs::create_dir(root.join(".new-a")).unwrap();
    drop(session);
    let session = sessions.open("demo").unwrap();
    assert_eq!(session.checkpoints().load("a").unwrap().files["w"], b"1");
    assert_eq!(std::fs::read_dir(&root).unwrap().count(), 1);
    assert!(session.notes().iter().any(|n| n.contains("put back")), "{:?}", session.notes());
}
