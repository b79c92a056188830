//! The floors of ARCHITECTURE.md, held against what the sources import.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Words that a pure floor has no use for.
const IMPURE: [&str; 11] = [
    "std::fs",
    "std::io",
    "std::time",
    "std::thread",
    "std::net",
    "std::process",
    "std::env",
    "burn::",
    "tokio::",
    "SystemTime",
    "async fn",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The floors as the page draws them: module and floor, ground first.
fn floors() -> BTreeMap<String, usize> {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let from = page.find("`domain` ← ").expect("the line of the floors");
    let line = page[from..].split("\n\n").next().unwrap();
    let words = |floor: &str| floor.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let floors = line.split('←').enumerate();
    floors.flat_map(|(height, floor)| words(floor).into_iter().map(move |module| (module, height))).collect()
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            into.push(path);
        }
    }
}

/// Every source file: its module of the crate, its path, its text without line comments.
fn files() -> Vec<(String, PathBuf, String)> {
    let home = root().join("src");
    let mut paths = Vec::new();
    sources(&home, &mut paths);
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or("")).collect();
        let first = path.strip_prefix(&home).unwrap().components().next().unwrap();
        let module = first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
        (module, path, code.join("\n"))
    };
    paths.into_iter().map(read).collect()
}

/// The modules of the crate that a text names: `crate::x`, or the members of `crate::{...}`; from the program, which
/// stands outside the library, `footbridge::x`.
fn imports(code: &str) -> BTreeSet<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = BTreeSet::new();
    for after in ["crate::", "footbridge::"].iter().flat_map(|start| code.split(start).skip(1)) {
        let Some(group) = after.strip_prefix('{') else {
            found.insert(word(after));
            continue;
        };
        let (mut depth, mut member) = (1, true);
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => member = true,
                c if member && c.is_alphabetic() => {
                    found.insert(word(&group[at..]));
                    member = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    found
}

/// Who imports whom, without imports from a module into itself; the files that do it.
fn edges() -> BTreeMap<(String, String), Vec<PathBuf>> {
    let mut edges: BTreeMap<_, Vec<PathBuf>> = BTreeMap::new();
    for (module, path, code) in files() {
        for to in imports(&code).into_iter().filter(|to| *to != module) {
            edges.entry((module.clone(), to)).or_default().push(path.clone());
        }
    }
    edges
}

#[test]
fn every_module_has_a_floor() {
    let floors = floors();
    assert_eq!(floors.get("domain"), Some(&0));
    let modules: BTreeSet<String> = files().into_iter().map(|(module, ..)| module).filter(|m| m != "lib").collect();
    assert_eq!(modules, floors.into_keys().collect());
}

#[test]
fn no_import_runs_up() {
    let floors = floors();
    let edges = edges();
    assert!(edges.len() > 20, "{} imports between modules were found", edges.len());
    for ((from, to), files) in edges {
        let (Some(low), Some(high)) = (floors.get(&from), floors.get(&to)) else { continue };
        assert!(high <= low, "{from} imports {to}, which stands above it, in {files:?}");
    }
}

#[test]
fn no_imports_run_in_a_circle() {
    let floors = floors();
    let mut left: Vec<(String, String)> = edges().into_keys().filter(|(a, b)| floors.get(a) == floors.get(b)).collect();
    // Modules that import nothing that is left are taken away until nothing is left but circles.
    loop {
        let importing: BTreeSet<String> = left.iter().map(|(from, _)| from.clone()).collect();
        let before = left.len();
        left.retain(|(_, to)| importing.contains(to));
        if left.len() == before {
            break;
        }
    }
    assert!(left.is_empty(), "circles among {left:?}");
}

#[test]
fn the_ground_floor_is_pure() {
    for (_, path, code) in files().into_iter().filter(|(module, ..)| module == "domain") {
        for word in IMPURE {
            assert!(!code.contains(word), "{} speaks of {word}", path.display());
        }
    }
}

#[test]
fn groups_of_imports_are_read() {
    let code = "use crate::{data::world::{Op, Step}, domain::Band};\nlet a = crate::session::x();";
    let found: Vec<String> = imports(code).into_iter().collect();
    assert_eq!(found, ["data", "domain", "session"]);
}
