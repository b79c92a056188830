//! `--device` and `footbridge doctor` as a shell sees them, on a machine that may have no GPU.

use std::process::{Command, Output, Stdio};

use footbridge::student::device::cuda_devices;
use serde_json::Value;

fn footbridge(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_footbridge")).args(args).stdin(Stdio::null()).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn doctor_says_what_was_found_and_what_would_be_computed_on() {
    let plain = footbridge(&["doctor", "--device", "cpu"]);
    assert_eq!(plain.status.code(), Some(0), "{}", stderr(&plain));
    let text = stdout(&plain);
    for said in ["threads", "allocator", "cpu computes on cpu", "of memory available"] {
        assert!(text.contains(said), "no {said:?} in:\n{text}");
    }
    assert!(!text.contains("missing"), "{text}");
    let json: Value = serde_json::from_str(&stdout(&footbridge(&["doctor", "--json"]))).unwrap();
    assert!(json["cpu"]["threads"].as_u64().unwrap() > 0 && json["device"]["ok"].is_string());
    assert_eq!(json["build"]["features"].as_array().unwrap().contains(&"cuda".into()), cfg!(feature = "cuda"));
}

#[test]
fn a_gpu_that_is_not_there_is_one_clear_line_and_what_to_do() {
    if !cuda_devices().is_empty() {
        return println!("there is a CUDA device; nothing to refuse");
    }
    let doctor = footbridge(&["doctor", "--device", "cuda"]);
    assert_eq!(doctor.status.code(), Some(1));
    assert!(stdout(&doctor).contains("missing") && stdout(&doctor).contains("to do"), "{}", stdout(&doctor));
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    for args in [
        vec!["demo", "--plain", "--sessions-dir", dir, "--device", "cuda"],
        vec!["demo", "--plain", "--sessions-dir", dir, "--set", "student.device=cuda:1"],
        vec!["bench", "--device", "cuda"],
        vec!["doctor", "--parity", "--device", "cuda:2"],
        vec!["student", "logits", "world", "--text", "a", "--device", "cuda"],
        vec!["difficulty", "--student", "world", "--data", "world", "--limit", "1", "--device", "cuda"],
    ] {
        let refused = footbridge(&args);
        assert_eq!(refused.status.code(), Some(2), "{args:?}: {}", stderr(&refused));
        let lines: Vec<_> =
            stderr(&refused).lines().filter(|line| line.starts_with("error:")).map(str::to_owned).collect();
        assert!(lines.len() == 1 && lines[0].contains("--device cpu"), "{args:?}: {}", stderr(&refused));
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was begun");
}

#[test]
fn what_is_no_device_and_what_the_cpu_lacks_are_refused() {
    for args in [
        vec!["bench", "--device", "gpu"],
        vec!["demo", "--device", "cuda:x"],
        vec!["bench", "--device", "cpu", "--compute", "bf16"],
        vec!["demo", "--plain", "--device", "cpu", "--set", "student.compute=bf16"],
    ] {
        let refused = footbridge(&args);
        assert_eq!(refused.status.code(), Some(2), "{args:?}: {}", stderr(&refused));
    }
    assert!(stderr(&footbridge(&["bench", "--device", "gpu"])).contains("auto, cpu, cuda or cuda:N"));
}

/// The operations that a GPU would run, beside the CPU's kernels, on the demo's own student.
#[test]
fn the_portable_operations_are_within_what_rounding_allows() {
    let parity = footbridge(&["doctor", "--parity", "--device", "cpu", "--json"]);
    assert_eq!(parity.status.code(), Some(0), "{}{}", stdout(&parity), stderr(&parity));
    let report: Value = serde_json::from_str(&stdout(&parity)).unwrap();
    let rows = report["rows"].as_array().unwrap();
    for precision in ["f32", "bf16"] {
        let of = |what: &str| {
            let row =
                rows.iter().find(|r| r["precision"] == precision && r["what"].as_str().unwrap().starts_with(what));
            row.unwrap_or_else(|| panic!("no {what}"))["off"].as_f64().unwrap()
        };
        // Something is off, or nothing was compared; and bf16 is further off than f32.
        let (least, most) = if precision == "f32" { (1e-9, 1e-4) } else { (1e-4, 5e-2) };
        for what in ["logits", "gradient", "weights after them"] {
            assert!((least..most).contains(&of(what)), "{precision} {what}: {}", of(what));
        }
    }
}
