//! How much memory there is: what Linux says is available, within the limits of the group the program runs in.

use std::path::Path;

/// Bytes that a program can still take without pushing others out; `None` where the system does not say.
pub fn available() -> Option<u64> {
    let of_system = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| of_meminfo(&text));
    let of_group = of_group(Path::new("/sys/fs/cgroup"));
    [of_system, of_group].into_iter().flatten().min()
}

/// `MemAvailable` of `/proc/meminfo`, in bytes.
fn of_meminfo(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// What is left of a control group's limit (second version, as containers have it); `None` without a limit. Pages of
/// files, which the system gives back when it must, don't count as used.
fn of_group(folder: &Path) -> Option<u64> {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    let limit: u64 = read("memory.max")?.trim().parse().ok()?;
    let used: u64 = read("memory.current")?.trim().parse().ok()?;
    let files = read("memory.stat").and_then(|text| {
        let count = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
        Some(count("inactive_file ")? + count("active_file ")?)
    });
    Some(limit.saturating_sub(used.saturating_sub(files.unwrap_or(0))))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn meminfo_is_read() {
        let text = "MemTotal:       24686180 kB\nMemFree:        1024 kB\nMemAvailable:   2048 kB\n";
        assert_eq!(of_meminfo(text), Some(2048 * 1024));
        for other in ["", "MemAvailable:\n", "MemAvailable: x kB", "MemTotal: 5 kB"] {
            assert_eq!(of_meminfo(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_container_s_limit_counts_what_is_left_of_it() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(of_group(folder.path()), None);
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("memory.max", "max\n");
        write("memory.current", "600\n");
        assert_eq!(of_group(folder.path()), None);
        write("memory.max", "1000\n");
        assert_eq!(of_group(folder.path()), Some(400));
        write("memory.stat", "anon 400\ninactive_file 150\nactive_file 50\n");
        assert_eq!(of_group(folder.path()), Some(600));
    }
}
