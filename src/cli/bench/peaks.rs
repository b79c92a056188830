//! What a GPU can do at most, by its maker's data sheet: dense bf16 with f32 sums, and memory.

use serde::Serialize;

/// The most a device can do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Peaks {
    /// Floating-point operations per second in bf16.
    pub flops: f64,
    /// Bytes per second from memory.
    pub bytes: f64,
}

/// Names, more particular ones first, TFLOP/s, GB/s.
const KNOWN: [(&str, f64, f64); 16] = [
    ("B200", 2250.0, 8000.0),
    ("GH200", 989.0, 4000.0),
    ("H200", 989.0, 4800.0),
    ("H100 PCIe", 756.0, 2000.0),
    ("H100 NVL", 835.0, 3900.0),
    ("H100", 989.0, 3350.0),
    ("A100-PCIE-40GB", 312.0, 1555.0),
    ("A100-SXM4-40GB", 312.0, 1555.0),
    ("A100", 312.0, 2039.0),
    ("A800", 312.0, 2039.0),
    ("L40S", 362.0, 864.0),
    ("L4", 121.0, 300.0),
    ("A10", 125.0, 600.0),
    ("RTX 5090", 209.0, 1792.0),
    ("RTX 4090", 165.0, 1008.0),
    ("RTX 3090", 71.0, 936.0),
];

/// The peaks of a device by its name, where they are known.
pub fn of(name: &str) -> Option<Peaks> {
    let whole = |known: &str| {
        name.match_indices(known).any(|(at, _)| {
            let next = name[at + known.len()..].chars().next();
            let before = name[..at].chars().next_back();
            !next.is_some_and(|c| c.is_ascii_digit()) && !before.is_some_and(|c| c.is_ascii_alphanumeric())
        })
    };
    let (_, tera, giga) = KNOWN.iter().find(|(known, ..)| whole(known))?;
    Some(Peaks { flops: tera * 1e12, bytes: giga * 1e9 })
}

/// `rate` as a share of the most.
pub fn share(rate: f64, most: f64) -> f64 {
    rate / most
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_whole() {
        assert_eq!(of("NVIDIA H200 (cuda:0), bf16").unwrap().bytes, 4.8e12);
        assert_eq!(of("NVIDIA GH200 480GB").unwrap().bytes, 4.0e12);
        assert_eq!(of("NVIDIA H100 PCIe").unwrap().flops, 756e12);
        assert_eq!(of("NVIDIA H100 80GB HBM3").unwrap().flops, 989e12);
        assert_eq!(of("NVIDIA L40S").unwrap().bytes, 864e9);
        assert_eq!(of("NVIDIA L4").unwrap().bytes, 300e9);
        assert_eq!(of("NVIDIA A100-SXM4-80GB").unwrap().bytes, 2.039e12);
        for unknown in ["cpu", "NVIDIA L40", "NVIDIA A1000", "NVIDIA GeForce GTX 1080"] {
            assert_eq!(of(unknown), None, "{unknown}");
        }
        assert_eq!(share(1.0, 4.0), 0.25);
    }
}
