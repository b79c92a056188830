//! Time on the clock, time of the processor, and the most memory held.

use serde::Serialize;

/// One kind of work, measured.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Pace {
    /// Tokens sampled, or trained on with their padding.
    pub tokens: u64,
    /// Processor time of all threads, user and system, in seconds.
    pub cpu_seconds: f64,
    /// Time on the clock, in seconds.
    pub seconds: f64,
}

impl Pace {
    /// Tokens per second of processor time.
    pub fn per_cpu_second(&self) -> f64 {
        self.tokens as f64 / self.cpu_seconds.max(1e-9)
    }

    /// Tokens per second on the clock.
    pub fn per_second(&self) -> f64 {
        self.tokens as f64 / self.seconds.max(1e-9)
    }
}

/// Processor time and time on the clock since a moment.
pub(super) struct Clock {
    cpu: f64,
    wall: std::time::Instant,
}

impl Clock {
    /// Now.
    pub(super) fn start() -> Self {
        Self { cpu: cpu_seconds(), wall: std::time::Instant::now() }
    }

    /// What `tokens` tokens took.
    pub(super) fn stop(self, tokens: u64) -> Pace {
        let seconds = self.wall.elapsed().as_secs_f64();
        let cpu_seconds = if cfg!(unix) { cpu_seconds() - self.cpu } else { seconds };
        Pace { tokens, cpu_seconds, seconds }
    }
}

#[cfg(unix)]
fn usage() -> Option<nix::sys::resource::Usage> {
    nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF).ok()
}

/// Processor time of this process so far.
#[cfg(unix)]
fn cpu_seconds() -> f64 {
    let seconds = |t: nix::sys::time::TimeVal| t.tv_sec() as f64 + t.tv_usec() as f64 * 1e-6;
    usage().map_or(0.0, |u| seconds(u.user_time()) + seconds(u.system_time()))
}

#[cfg(not(unix))]
fn cpu_seconds() -> f64 {
    0.0
}

/// Forgets the peak so far, so that a part's own can be told. Linux only; elsewhere the peak stays that of the process.
pub(super) fn forget_peak() {
    drop(std::fs::write("/proc/self/clear_refs", "5"));
}

/// Most memory this process has held since [`forget_peak`], in MiB; 0 where the system does not say.
pub(in crate::cli) fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.map_or_else(most_ever, |kib| kib / 1024.0)
}

#[cfg(unix)]
fn most_ever() -> f64 {
    let unit = if cfg!(target_os = "macos") { 1024.0 * 1024.0 } else { 1024.0 };
    usage().map_or(0.0, |u| u.max_rss() as f64 / unit)
}

#[cfg(not(unix))]
fn most_ever() -> f64 {
    0.0
}
