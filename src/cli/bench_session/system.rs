//! What the system knows about this process and its files: processor time, most memory held, the cache of files.
//!
//! Where a system does not say, the answer is 0 or `false`, and the figures say so.

use std::path::Path;
use std::process::{Command, Stdio};

/// Processor time of this process so far, seconds.
pub fn cpu_seconds() -> f64 {
    #[cfg(unix)]
    {
        let seconds = |t: nix::sys::time::TimeVal| t.tv_sec() as f64 + t.tv_usec() as f64 * 1e-6;
        let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF);
        usage.map_or(0.0, |u| seconds(u.user_time()) + seconds(u.system_time()))
    }
    #[cfg(not(unix))]
    0.0
}

/// Begins a new measure of [`peak_bytes`]; does nothing where the system keeps only the peak of the whole process.
pub fn reset_peak() {
    // The write asks Linux to forget the peak so far; elsewhere the file does not exist.
    drop(std::fs::write("/proc/self/clear_refs", "5"));
}

/// Most memory held since [`reset_peak`], in bytes; 0 where the system does not say.
pub fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|n| n.trim().parse::<u64>().ok());
    kilobytes.map_or(0, |n| n * 1024)
}

/// Bytes in all files below a folder.
pub fn bytes_below(dir: &Path) -> u64 {
    let mut sum = 0;
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        sum += match entry.metadata() {
            Ok(meta) if meta.is_dir() => bytes_below(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        };
    }
    sum
}

/// Drops the files below a folder from the system's cache, so that the next reading comes from the disk. Needs the `dd`
/// of GNU; gives whether every file was dropped.
pub fn drop_from_cache(dir: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(dir) else { return false };
    entries.flatten().all(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return drop_from_cache(&path);
        }
        let mut file = std::ffi::OsString::from("if=");
        file.push(&path);
        let mut dd = Command::new("dd");
        let dd = dd.arg(file).args(["iflag=nocache", "count=0"]).stdout(Stdio::null()).stderr(Stdio::null());
        dd.status().is_ok_and(|status| status.success())
    })
}
