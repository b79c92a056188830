//! What was found, as data.

use serde::Serialize;

use super::cuda::{self, Cuda};
use crate::pipeline::memory::available;
use crate::recipe::{ComputeChoice, DeviceChoice};
use crate::student::device::place;

/// Everything `doctor` found.
#[derive(Clone, Debug, Serialize)]
pub struct Facts {
    /// The program.
    pub build: Build,
    /// The processor.
    pub cpu: Cpu,
    /// NVIDIA GPUs and what they need; absent where this build has no CUDA.
    pub cuda: Option<Cuda>,
    /// What was asked for: `auto`, `cpu`, `cuda:0`.
    pub asked: String,
    /// What a run would compute on, or why it could not.
    #[serde(serialize_with = "outcome")]
    pub device: Result<String, String>,
    /// What is missing, each with what to do about it.
    pub missing: Vec<Missing>,
}

/// The program.
#[derive(Clone, Debug, Serialize)]
pub struct Build {
    /// Its version.
    pub version: &'static str,
    /// Features it was compiled with.
    pub features: Vec<&'static str>,
    /// Target it was compiled for.
    pub target: String,
    /// Who manages its memory.
    pub allocator: &'static str,
}

/// The processor.
#[derive(Clone, Debug, Serialize)]
pub struct Cpu {
    /// Threads it runs at once, as far as this process may use them.
    pub threads: usize,
    /// The widest vector instructions that are used.
    pub simd: &'static str,
    /// Bytes of memory that can still be taken; absent where the system does not say.
    pub memory_available: Option<u64>,
}

/// Something that is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// What.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl Facts {
    /// Looks around; tries the device that was asked for.
    pub fn of(asked: DeviceChoice) -> Self {
        let cuda = cfg!(feature = "cuda").then(Cuda::look);
        let placed = place(asked, ComputeChoice::Auto);
        let mut missing = cuda.as_ref().map_or_else(|| vec![not_compiled()], cuda::missing);
        // A build without CUDA lacks nothing as long as nobody asks for it.
        if cuda.is_none() && !matches!(asked, DeviceChoice::Cuda(_)) || asked == DeviceChoice::Cpu {
            missing.clear();
        }
        Self {
            build: Build {
                version: env!("CARGO_PKG_VERSION"),
                features: features(),
                target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
                allocator: "mimalloc",
            },
            cpu: Cpu {
                threads: std::thread::available_parallelism().map_or(1, usize::from),
                simd: simd(),
                memory_available: available::available(),
            },
            cuda,
            asked: asked.to_string(),
            device: placed.map(|placed| placed.name).map_err(|error| error.to_string()),
            missing,
        }
    }
}

fn not_compiled() -> Missing {
    Missing {
        what: "CUDA in this build".into(),
        remedy: "build it with `cargo build --release --features cuda`; that needs neither CUDA nor a GPU".into(),
    }
}

fn features() -> Vec<&'static str> {
    [("cuda", cfg!(feature = "cuda")), ("fusion", cfg!(feature = "fusion"))]
        .into_iter()
        .filter_map(|(name, on)| on.then_some(name))
        .collect()
}

/// The widest vector instructions of this processor that the kernels are compiled for.
fn simd() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f") {
            "AVX-512"
        } else if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
            "AVX2 and FMA"
        } else {
            "SSE2"
        }
    }
    #[cfg(target_arch = "aarch64")]
    {
        "NEON"
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        "none"
    }
}

/// `{"ok": …}` or `{"error": …}`.
fn outcome<S: serde::Serializer>(value: &Result<String, String>, to: S) -> Result<S::Ok, S::Error> {
    let (key, text) = match value {
        Ok(text) => ("ok", text),
        Err(text) => ("error", text),
    };
    std::collections::BTreeMap::from([(key, text)]).serialize(to)
}
