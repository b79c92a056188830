//! A plan of memory: what is held at which moment, and how that is said.

use std::fmt;

/// One thing that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub what: &'static str,
    /// Its size.
    pub bytes: u64,
}

/// What a run holds at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Which moment.
    pub name: &'static str,
    /// What is held, the largest that matters first as listed.
    pub parts: Vec<Part>,
}

impl Moment {
    /// Bytes of all parts.
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes).sum()
    }
}

/// The moments of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryPlan {
    /// In the order in which a run comes to them.
    pub moments: Vec<Moment>,
}

impl MemoryPlan {
    /// Bytes of the largest moment.
    pub fn bytes(&self) -> u64 {
        self.moments.iter().map(Moment::bytes).max().unwrap_or(0)
    }

    /// The largest moment.
    pub fn largest(&self) -> Option<&Moment> {
        self.moments.iter().max_by_key(|moment| moment.bytes())
    }
}

/// Bytes as people say them: `1.9 GiB`, `310 MiB`, `12 KiB`.
pub fn size(bytes: u64) -> String {
    let mib = bytes as f64 / f64::from(1 << 20);
    match mib {
        m if m >= 1000.0 => format!("{:.1} GiB", m / 1024.0),
        m if m >= 9.95 => format!("{m:.0} MiB"),
        m if m >= 0.95 => format!("{m:.1} MiB"),
        m => format!("{:.0} KiB", m * 1024.0),
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {}: ", size(self.bytes()), self.name)?;
        for (index, part) in self.parts.iter().filter(|part| part.bytes > 0).enumerate() {
            write!(f, "{}{} {}", if index == 0 { "" } else { " + " }, part.what, size(part.bytes))?;
        }
        Ok(())
    }
}

impl fmt::Display for MemoryPlan {
    /// The largest moment, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.largest() {
            Some(moment) => write!(f, "memory: at most {moment}"),
            None => f.write_str("memory: nothing is asked for"),
        }
    }
}
