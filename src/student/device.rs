//! What a student computes on: the CPU, or an NVIDIA GPU where this build has CUDA (feature `cuda`).
//!
//! A GPU counts only once a small product on it has come out right: that a driver lists a device says nothing of the
//! compiler its kernels need. Nothing here falls back silently: only `auto` may end on the CPU, and it says why.

mod words;

use std::sync::{Mutex, PoisonError};

use burn::module::Module;
use burn::tensor::Device;

use super::Student;
use super::compute::{Compute, Precision};
use crate::recipe::{ComputeChoice, DeviceChoice};
use words::{guarded, hush};
pub use words::{hush_this_thread, is_hushed, of_panic, one_line, quietly};

/// A device that was asked for and cannot be had. Each says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// This build has no CUDA.
    #[error(
        "this build of footbridge has no CUDA: build it with `cargo build --release --features cuda`, or take \
         --device cpu"
    )]
    NotCompiled,
    /// No driver, or no GPU.
    #[error("no CUDA device was found: `footbridge doctor` says what is missing; --device cpu computes without one")]
    NoneFound,
    /// The number is too high.
    #[error("there is no cuda:{asked}: this machine has {found} CUDA device(s), counted from 0")]
    NoSuch {
        /// The number that was asked for.
        asked: usize,
        /// Devices there are.
        found: usize,
    },
    /// The driver lists it, but it does not compute.
    #[error("cuda:{index} is there but cannot compute ({cause}): see `footbridge doctor`, or take --device cpu")]
    Broken {
        /// Its number.
        index: usize,
        /// What the attempt said.
        cause: String,
    },
    /// It failed earlier in this process, in a way that lasts as long as the process.
    #[error(
        "cuda:{index} failed earlier in this process ({cause}), and the driver gives it back to a new process only: end \
         footbridge and start it again; `footbridge resume` continues a session"
    )]
    Lost {
        /// Its number.
        index: usize,
        /// What it said then.
        cause: String,
    },
    /// bf16 is not for the CPU.
    #[error("the CPU computes in f32: set student.compute to auto or f32, or take a GPU")]
    HalfOnCpu,
    /// The GPU has no bf16.
    #[error("{name} has no bf16: set student.compute to auto or f32")]
    NoHalf {
        /// Its name.
        name: String,
    },
}

/// Where a student is to be put.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The device, without autodiff.
    pub device: Device,
    /// How it computes there.
    pub compute: Compute,
    /// Its number among the CUDA devices.
    pub index: Option<usize>,
    /// Its name, as people know it: `cpu`, or `NVIDIA H200 (cuda:0), bf16`.
    pub name: String,
    /// Why `auto` did not take a CUDA device that is there.
    pub note: Option<String>,
}

impl Placed {
    /// The CPU with its own kernels.
    pub fn cpu() -> Self {
        Self { device: Device::flex(), compute: Compute::Kernels, index: None, name: "cpu".into(), note: None }
    }

    /// A student from the CPU, on this device.
    pub fn take(&self, student: Student) -> Student {
        let model = student.model.clone();
        let model = if self.is_cpu() { model } else { model.fork(&self.device) };
        student.with_model(model).with_compute(self.compute)
    }

    /// Bytes that burn holds on the device, those kept for later included; `None` for the CPU.
    pub fn memory(&self) -> Option<u64> {
        if self.is_cpu() { None } else { self.device.memory_pool_usage().map(|usage| usage.bytes_reserved) }
    }

    /// Memory that the device can still give now; `None` for the CPU.
    pub fn room(&self) -> Option<Room> {
        let kept = self.device.memory_pool_usage().map_or(0, |u| u.bytes_reserved.saturating_sub(u.bytes_in_use));
        let room = room(self.index?)?;
        Some(Room { free: room.free + kept, ..room })
    }

    /// Gives the system back what burn keeps on the device for later.
    pub fn give_back(&self) {
        if !self.is_cpu() {
            // A device that failed panics here too.
            let _ = quietly(|| self.device.memory_cleanup());
        }
    }

    /// Runs what computes here. A panic of a device's library is a fault of the device; on the CPU it is one of ours.
    ///
    /// # Errors
    /// What the device said.
    pub fn guarded<T>(&self, work: impl FnOnce() -> T) -> Result<T, String> {
        if self.is_cpu() { Ok(work()) } else { guarded(work) }
    }

    /// Whether it is the CPU.
    pub fn is_cpu(&self) -> bool {
        self.index.is_none()
    }
}

/// Memory of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Bytes that can still be taken; what burn keeps there for later is among them.
    pub free: u64,
    /// Bytes of the whole device.
    pub total: u64,
}

/// What the driver says of a CUDA device's memory.
fn room(index: usize) -> Option<Room> {
    #[cfg(feature = "cuda")]
    {
        let asked = quietly(|| cudarc::driver::CudaContext::new(index).and_then(|context| context.mem_get_info()));
        asked.ok()?.ok().map(|(free, total)| Room { free: free as u64, total: total as u64 })
    }
    #[cfg(not(feature = "cuda"))]
    {
        let _ = index;
        None
    }
}

/// Devices that have failed for the rest of this process, and what they said.
static LOST: Mutex<Vec<(usize, String)>> = Mutex::new(Vec::new());

/// Keeps in mind that a device is lost to this process. The driver makes some faults last (an illegal address, an
/// uncorrectable memory error): every later call fails in the same way until the process ends, and `cubecl` has no way to
/// begin anew (`cubecl_runtime::poison`).
pub fn lose(index: usize, cause: &str) {
    let mut lost = LOST.lock().unwrap_or_else(PoisonError::into_inner);
    if !lost.iter().any(|(known, _)| *known == index) {
        lost.push((index, cause.to_owned()));
    }
}

/// What a device said when it was lost; `None` where it was not.
fn lost(index: usize) -> Option<String> {
    let lost = LOST.lock().unwrap_or_else(PoisonError::into_inner);
    lost.iter().find(|(known, _)| *known == index).map(|(_, cause)| cause.clone())
}

/// Finds the device, and tries it.
///
/// # Errors
/// [`DeviceError`]; for `auto` with `auto` only where the device was lost earlier in this process.
pub fn place(device: DeviceChoice, compute: ComputeChoice) -> Result<Placed, DeviceError> {
    match device {
        DeviceChoice::Cpu => on_cpu(compute),
        DeviceChoice::Cuda(index) => on_cuda(index, compute),
        DeviceChoice::Auto => match on_cuda(0, compute) {
            Ok(placed) => Ok(placed),
            Err(DeviceError::NotCompiled | DeviceError::NoneFound) => on_cpu(compute),
            Err(error @ (DeviceError::NoHalf { .. } | DeviceError::Lost { .. })) => Err(error),
            Err(error) => Ok(Placed { note: Some(error.to_string()), ..on_cpu(compute)? }),
        },
    }
}

fn on_cpu(compute: ComputeChoice) -> Result<Placed, DeviceError> {
    if compute == ComputeChoice::Bf16 { Err(DeviceError::HalfOnCpu) } else { Ok(Placed::cpu()) }
}

/// CUDA devices the driver lists; none where there is no driver or no CUDA in this build.
pub fn cuda_devices() -> Vec<Device> {
    #[cfg(feature = "cuda")]
    {
        quietly(|| Device::enumerate(burn::tensor::DeviceType::Cuda).into_vec()).unwrap_or_default()
    }
    #[cfg(not(feature = "cuda"))]
    Vec::new()
}

/// The name a device gives itself.
pub fn name_of(device: &Device) -> Option<String> {
    #[cfg(feature = "cuda")]
    {
        let device = device.clone();
        quietly(move || device.identity().map(|identity| identity.name)).ok().flatten()
    }
    #[cfg(not(feature = "cuda"))]
    {
        let _ = device;
        None
    }
}

fn on_cuda(index: usize, compute: ComputeChoice) -> Result<Placed, DeviceError> {
    if let Some(cause) = lost(index) {
        return Err(DeviceError::Lost { index, cause });
    }
    if !cfg!(feature = "cuda") {
        return Err(DeviceError::NotCompiled);
    }
    hush();
    let devices = cuda_devices();
    let found = devices.len();
    let Some(device) = devices.into_iter().nth(index) else {
        return Err(if found == 0 { DeviceError::NoneFound } else { DeviceError::NoSuch { asked: index, found } });
    };
    try_out(&device).map_err(|cause| DeviceError::Broken { index, cause })?;
    let name = name_of(&device).unwrap_or_else(|| "a CUDA device".into());
    let half = has_half(&device);
    let precision = match compute {
        ComputeChoice::Bf16 if !half => return Err(DeviceError::NoHalf { name }),
        ComputeChoice::F32 => Precision::F32,
        ComputeChoice::Auto if !half => Precision::F32,
        ComputeChoice::Auto | ComputeChoice::Bf16 => Precision::Bf16,
    };
    let name = format!("{name} (cuda:{index}), {}", precision.name());
    Ok(Placed { device, compute: Compute::Portable(precision), index: Some(index), name, note: None })
}

/// Whether a device multiplies matrices in bf16.
pub fn has_half(device: &Device) -> bool {
    let device = device.clone();
    quietly(move || device.supports_dtype(burn::tensor::DType::BF16)).unwrap_or(false)
}

/// A small product on the device, read back: `Err` is what went wrong.
///
/// # Errors
/// What the device or its runtime said.
pub fn try_out(device: &Device) -> Result<(), String> {
    let device = device.clone();
    let sum = quietly(move || {
        let ones = burn::tensor::Tensor::<2>::ones([16, 16], &device);
        // A kernel that does not compile is told with all its source.
        let data = ones.clone().matmul(ones).sum().try_into_data().map_err(|e| one_line(&format!("{e:?}")))?;
        data.try_to_vec::<f32>().map_err(|e| one_line(&format!("{e:?}")))
    })??;
    if sum == [4096.0] { Ok(()) } else { Err(format!("a product of ones came out as {sum:?} instead of 4096")) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_is_always_there_and_computes_in_single_precision() {
        for compute in [ComputeChoice::Auto, ComputeChoice::F32] {
            let placed = place(DeviceChoice::Cpu, compute).unwrap();
            assert!(placed.is_cpu() && placed.compute == Compute::Kernels && placed.name == "cpu");
        }
        assert_eq!(place(DeviceChoice::Cpu, ComputeChoice::Bf16).unwrap_err(), DeviceError::HalfOnCpu);
        assert_eq!(try_out(&Device::flex()), Ok(()));
    }

    #[test]
    fn a_gpu_that_is_not_there_is_refused_with_what_to_do_and_auto_takes_the_cpu() {
        if !cuda_devices().is_empty() {
            return;
        }
        let error = place(DeviceChoice::Cuda(0), ComputeChoice::Auto).unwrap_err();
        let expected = if cfg!(feature = "cuda") { DeviceError::NoneFound } else { DeviceError::NotCompiled };
        assert_eq!(error, expected);
        assert!(error.to_string().contains("--device cpu"));
        assert!(place(DeviceChoice::Auto, ComputeChoice::Auto).unwrap().is_cpu());
    }

    #[test]
    fn a_lost_device_is_refused_until_the_program_is_started_anew() {
        // A number that no machine has, since what is lost stays lost for all tests of this process.
        let far = 4242;
        lose(far, "CUDA_ERROR_ILLEGAL_ADDRESS");
        lose(far, "another word on the same fault");
        let error = place(DeviceChoice::Cuda(far), ComputeChoice::Auto).unwrap_err();
        assert_eq!(error, DeviceError::Lost { index: far, cause: "CUDA_ERROR_ILLEGAL_ADDRESS".into() });
        let said = error.to_string();
        assert!(
            said.contains("start it again") && said.contains("footbridge resume") && !said.contains('\n'),
            "{said}"
        );
        assert_ne!(place(DeviceChoice::Cuda(far + 1), ComputeChoice::Auto).unwrap_err(), error);
    }
}
