//! What a CUDA student needs: a driver, the compiler NVRTC with CUDA's headers, and a device that computes.
//!
//! Each is tried, not only looked for: the driver by asking it for its devices, the compiler by compiling a kernel of one
//! line with and without a header, a device by a product.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::facts::Missing;

/// What was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Cuda {
    /// CUDA version of the functions that this build knows.
    pub bindings: String,
    /// The driver's library, where it lies in a usual folder.
    pub driver_library: Option<PathBuf>,
    /// The driver's own word on its version.
    pub driver: Option<String>,
    /// Why the driver cannot be asked; absent where it can.
    pub driver_fault: Option<String>,
    /// The compiler's library, where it lies in a usual folder.
    pub nvrtc_library: Option<PathBuf>,
    /// Why the compiler does not compile; absent where it does.
    pub nvrtc_fault: Option<String>,
    /// Folder of CUDA's headers.
    pub headers: Option<PathBuf>,
    /// Why a kernel with a header does not compile; absent where it does.
    pub headers_fault: Option<String>,
    /// The devices.
    pub devices: Vec<Gpu>,
}

/// A device.
#[derive(Clone, Debug, Serialize)]
pub struct Gpu {
    /// As `--device` takes it.
    pub device: String,
    /// Its name.
    pub name: String,
    /// Compute capability, such as `9.0`.
    pub capability: String,
    /// Bytes of memory.
    pub memory: u64,
    /// Of them free now.
    pub memory_free: u64,
    /// Multiprocessors.
    pub multiprocessors: u32,
    /// Whether it multiplies in bf16.
    pub bf16: bool,
    /// Why it does not compute; absent where it does.
    pub fault: Option<String>,
}

/// Folders where drivers and compilers put their libraries, after those of `LD_LIBRARY_PATH`.
const FOLDERS: [&str; 9] = [
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/lib/wsl/lib",
    "/usr/local/nvidia/lib64",
    "/usr/local/cuda/lib64",
    "/usr/local/cuda/targets/x86_64-linux/lib",
    "/opt/cuda/lib64",
];

/// What is missing, each with what to do about it.
pub fn missing(cuda: &Cuda) -> Vec<Missing> {
    let mut all = Vec::new();
    let mut lacks = |what: String, remedy: &str| all.push(Missing { what, remedy: remedy.into() });
    if let Some(fault) = &cuda.driver_fault {
        let remedy = match &cuda.driver_library {
            Some(_) => {
                "the driver's library is there but does not answer: is the kernel module loaded (nvidia-smi)? In a container, start it with the GPU passed through"
            }
            None => {
                "install NVIDIA's driver (580 or newer for CUDA 13), or put the folder of libcuda.so into LD_LIBRARY_PATH"
            }
        };
        lacks(format!("driver: {fault}"), remedy);
    } else if cuda.devices.is_empty() {
        lacks("a GPU: the driver lists none".into(), "see nvidia-smi; CUDA_VISIBLE_DEVICES may hide it");
    }
    if let Some(fault) = &cuda.nvrtc_fault {
        lacks(
            format!("NVRTC, which compiles the kernels: {fault}"),
            "install it (cuda-nvrtc of CUDA 12 or 13, or `pip install nvidia-cuda-nvrtc`) and put the folder of libnvrtc.so into LD_LIBRARY_PATH",
        );
    } else if let Some(fault) = &cuda.headers_fault {
        lacks(
            format!("CUDA's headers: {fault}"),
            "install them (cuda-cudart-dev, cuda-crt and cuda-cccl, or `pip install nvidia-cuda-runtime nvidia-cuda-crt nvidia-cuda-cccl`) and set CUDA_PATH to the folder that holds include/cuda_fp16.h",
        );
    }
    for gpu in &cuda.devices {
        if let Some(fault) = &gpu.fault {
            lacks(
                format!("{} does not compute: {fault}", gpu.device),
                "mend what stands above, or take another device",
            );
        }
    }
    all
}

/// The first file in the usual folders whose name begins so.
fn library(name: &str) -> Option<PathBuf> {
    let named = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let folders = std::env::split_paths(&named).collect::<Vec<_>>().into_iter();
    folders.chain(FOLDERS.iter().map(PathBuf::from)).find_map(|folder| begins_with(&folder, name))
}

fn begins_with(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(name))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found.into_iter().next()
}

/// The kernel module's line about itself.
fn driver_version() -> Option<String> {
    let text = std::fs::read_to_string("/proc/driver/nvidia/version").ok()?;
    let line = text.lines().next()?.split_once(':')?.1;
    Some(line.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(not(feature = "cuda"))]
impl Cuda {
    /// Nothing can be tried in a build without CUDA; where libraries lie can be told.
    pub fn look() -> Self {
        Self {
            driver_library: library("libcuda.so"),
            driver: driver_version(),
            nvrtc_library: library("libnvrtc.so"),
            ..Self::default()
        }
    }
}

#[cfg(feature = "cuda")]
mod tried {
    use cudarc::driver::CudaContext;
    use cudarc::driver::sys::{CUDA_VERSION, CUdevice_attribute};
    use cudarc::nvrtc::{CompileOptions, compile_ptx, compile_ptx_with_opts};

    use super::{Cuda, Gpu, driver_version, library};
    use crate::student::device::{cuda_devices, has_half, quietly, try_out};

    impl Cuda {
        /// Looks, and tries everything.
        pub fn look() -> Self {
            let mut cuda = Self {
                bindings: format!("{}.{}", CUDA_VERSION / 1000, CUDA_VERSION % 1000 / 10),
                driver_library: library("libcuda.so"),
                driver: driver_version(),
                nvrtc_library: library("libnvrtc.so"),
                headers: cubecl_cuda::install::cuda_path().map(|path| path.join("include")),
                ..Self::default()
            };
            cuda.driver_fault = fault(|| cudarc::driver::result::init().map_err(|e| format!("{e:?}")));
            cuda.nvrtc_fault = fault(|| compiled(None));
            if cuda.nvrtc_fault.is_none() {
                cuda.headers_fault = match &cuda.headers {
                    None => Some("no CUDA folder was found (CUDA_PATH, /usr/local/cuda, /opt/cuda)".into()),
                    Some(folder) => fault(|| compiled(Some(folder.display().to_string()))),
                };
            }
            if cuda.driver_fault.is_none() {
                let devices = cuda_devices();
                cuda.devices = devices.iter().enumerate().map(|(index, device)| gpu(index, device)).collect();
            }
            cuda
        }
    }

    /// What went wrong, on one line.
    fn fault(attempt: impl FnOnce() -> Result<(), String>) -> Option<String> {
        let fault = quietly(attempt).and_then(|outcome| outcome).err()?;
        // What follows is a list of two dozen names.
        let short = fault.split(" - searched").next().unwrap_or_default().to_owned();
        Some(short)
    }

    /// Compiles a kernel of one line, with the headers that kernels ask for from this folder or without any.
    fn compiled(include: Option<String>) -> Result<(), String> {
        let kernel = "extern \"C\" __global__ void nothing() {}";
        let outcome = match include {
            None => compile_ptx(kernel),
            Some(folder) => {
                let cccl = format!("{folder}/cccl");
                let options = CompileOptions {
                    include_paths: vec![folder, cccl],
                    arch: Some("compute_80"),
                    ..CompileOptions::default()
                };
                // Matrix products on newer GPUs want those of libcu++ too.
                let headers = ["cuda_fp16.h", "cuda_bf16.h", "mma.h", "cooperative_groups.h", "cuda/barrier"];
                let headers: String = headers.iter().map(|name| format!("#include <{name}>\n")).collect();
                compile_ptx_with_opts(format!("{headers}{kernel}"), options)
            }
        };
        outcome.map(|_| ()).map_err(|error| error.to_string())
    }

    fn gpu(index: usize, device: &burn::tensor::Device) -> Gpu {
        let asked = quietly(|| -> Result<Gpu, String> {
            let word = |e: cudarc::driver::DriverError| format!("{e:?}");
            let context = CudaContext::new(index).map_err(word)?;
            let (major, minor) = context.compute_capability().map_err(word)?;
            let (free, total) = context.mem_get_info().map_err(word)?;
            let count = context.attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
            Ok(Gpu {
                device: format!("cuda:{index}"),
                name: context.name().map_err(word)?,
                capability: format!("{major}.{minor}"),
                memory: total as u64,
                memory_free: free as u64,
                multiprocessors: count.map_err(word)?.unsigned_abs(),
                bf16: has_half(device),
                fault: None,
            })
        });
        match asked.and_then(|outcome| outcome) {
            Ok(gpu) => Gpu { fault: try_out(device).err(), ..gpu },
            Err(fault) => Gpu {
                device: format!("cuda:{index}"),
                name: "unknown".into(),
                capability: String::new(),
                memory: 0,
                memory_free: 0,
                multiprocessors: 0,
                bf16: false,
                fault: Some(fault),
            },
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_missing_comes_with_a_remedy() {
        assert_eq!(missing(&Cuda { devices: vec![gpu(None)], ..Cuda::default() }), []);
        let nothing = Cuda {
            driver_fault: Some("no library".into()),
            nvrtc_fault: Some("no library".into()),
            headers_fault: Some("no folder".into()),
            ..Cuda::default()
        };
        let found = missing(&nothing);
        // Without the compiler the headers don't matter yet.
        assert_eq!(found.len(), 2);
        assert!(found[0].remedy.contains("install NVIDIA's driver") && found[1].remedy.contains("LD_LIBRARY_PATH"));
        let mute = Cuda { driver_library: Some("/usr/lib/libcuda.so".into()), ..nothing };
        assert!(missing(&mute)[0].remedy.contains("container"));
        assert!(missing(&Cuda::default())[0].what.contains("lists none"));
        let broken =
            Cuda { headers_fault: Some("no folder".into()), devices: vec![gpu(Some("no kernel"))], ..Cuda::default() };
        let found = missing(&broken);
        assert!(found[0].remedy.contains("CUDA_PATH") && found[1].what.contains("cuda:0 does not compute: no kernel"));
    }

    fn gpu(fault: Option<&str>) -> Gpu {
        Gpu {
            device: "cuda:0".into(),
            name: "a".into(),
            capability: "9.0".into(),
            memory: 2,
            memory_free: 1,
            multiprocessors: 3,
            bf16: true,
            fault: fault.map(str::to_owned),
        }
    }
}
