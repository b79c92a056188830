//! Where students are found: a folder before the hub, the hub's cache before the network, and what is said otherwise.

use std::fs;
use std::path::{Path, PathBuf};

use footbridge::data::hub::Hub;
use footbridge::pipeline::locate::{Place, is_hub_id, locate_with};

use super::fixtures::{checkpoints, cpu};

/// A hub that may only look into `cache`.
fn offline(cache: &Path) -> Hub {
    Hub { offline: true, ..Hub::at("http://127.0.0.1:9", cache) }
}

/// Copies a checkpoint into a cache in the hub's layout, its weights left out where not wanted; gives the folder.
fn cached(cache: &Path, id: &str, from: &Path, weights: bool) -> PathBuf {
    let repo = cache.join(format!("models--{}", id.replace('/', "--")));
    let snapshot = repo.join("snapshots/0123");
    fs::create_dir_all(&snapshot).unwrap();
    fs::create_dir_all(repo.join("refs")).unwrap();
    fs::write(repo.join("refs/main"), "0123").unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if weights || path.extension().is_none_or(|e| e != "safetensors") {
            fs::copy(&path, snapshot.join(path.file_name().unwrap())).unwrap();
        }
    }
    snapshot
}

#[test]
fn hub_ids_are_told_from_paths() {
    for id in ["Qwen/Qwen2.5-0.5B-Instruct", "meta-llama/Llama-3.2-1B@main", "a/b@refs/pr/1"] {
        assert!(is_hub_id(id), "{id}");
    }
    for path in ["world", "a", "/a/b", "./a", "../a", "a/b/c", "~/a", "a/", "a b/c", "a/b@", "a/b@-x", "a/..", ""] {
        assert!(!is_hub_id(path), "{path}");
    }
}

#[test]
fn the_word_world_and_paths_need_no_hub() {
    let home = tempfile::tempdir().unwrap();
    let hub = offline(home.path());
    let find = |word: &str| locate_with(&hub, word, &mut |_| ()).unwrap();
    assert_eq!(find("world"), Place::World);
    assert!(find("world").load(&cpu()).is_ok());
    assert_eq!(find("/no/such/folder"), Place::Folder("/no/such/folder".into()));
    let error = find("/no/such/folder").config().unwrap_err().to_string();
    assert!(error.starts_with("student folder not found: /no/such/folder"), "{error}");
    // This is a path from the crate's root, and has the form of an id.
    assert_eq!(find("tests/fixtures"), Place::Folder("tests/fixtures".into()));
}

#[test]
fn what_the_cache_holds_is_used_and_what_it_lacks_is_asked_for_by_name() {
    let home = tempfile::tempdir().unwrap();
    let hub = offline(home.path());
    for folder in checkpoints().into_iter().filter(|f| f.join("model.safetensors").is_file()) {
        let id = format!("owner/{}", super::fixtures::name(&folder));
        let snapshot = cached(home.path(), &id, &folder, true);
        let place = locate_with(&hub, &id, &mut |_| ()).unwrap();
        assert_eq!(place, Place::Folder(snapshot));
        assert_eq!(place.config().unwrap(), place.load(&cpu()).unwrap().config);
    }
    let shards = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/qwen3-tiny");
    let snapshot = cached(home.path(), "owner/shards", &shards, true);
    for name in ["tokenizer.json", "tokenizer_config.json"] {
        fs::copy(checkpoints()[0].join(name), snapshot.join(name)).unwrap();
    }
    assert_eq!(locate_with(&hub, "owner/shards", &mut |_| ()).unwrap(), Place::Folder(snapshot.clone()));

    // A shard that never arrived, and a repository that is not there at all.
    fs::remove_file(snapshot.join("model-00002-of-00003.safetensors")).unwrap();
    cached(home.path(), "owner/part", &checkpoints()[0], false);
    for id in ["owner/shards", "owner/part", "Qwen/Qwen2.5-0.5B-Instruct@main"] {
        let error = locate_with(&hub, id, &mut |_| ()).unwrap_err().to_string();
        for part in [&format!("there is no folder {id}"), "HF_HUB_OFFLINE", "config.json", "model.safetensors"] {
            assert!(error.contains(part), "{error:?} lacks {part:?}");
        }
        assert!(!error.contains('\n'), "{error}");
    }
    let away = Hub::at("http://127.0.0.1:9", home.path());
    let error = locate_with(&away, "owner/part", &mut |_| ()).unwrap_err().to_string();
    assert!(error.contains("cannot be reached") && error.contains("fill the folder owner/part"), "{error}");
}
