//! In place of cubecl-llvm 0.11.3: the names its dependents use, and no LLVM behind them.
//!
//! CubeCL can make CUDA kernels in two ways: as CUDA C++ that NVRTC compiles, or as PTX from a bundled LLVM. Both are
//! always linked, and the second downloads its LLVM while it is built. Footbridge takes the first; asked for the second,
//! this crate answers with an error that says so. The README beside it says when it can go.

use cubecl_core::ir::nvidia::SmArch;
use cubecl_core::prelude::KernelDefinition;
use cubecl_environment::backtrace::BackTrace;
use cubecl_runtime::compiler::{CompilationError, Compiler};
use cubecl_runtime::kernel::BufferIOAttr;

/// PTX for NVIDIA devices.
pub mod nvptx {
    /// Versions of the PTX instruction set.
    pub mod ptx_version {
        use core::fmt;

        /// A PTX version. There is none to choose where no PTX is made, so this has no value.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum PtxVersion {}

        impl PtxVersion {
            /// The version for a driver: always `None`.
            pub fn for_driver(_driver: i32) -> Option<Self> {
                None
            }
        }

        impl fmt::Display for PtxVersion {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                match *self {}
            }
        }
    }
}

/// What targets have in common.
pub mod shared {
    /// What a device may promise when LLVM compiles for it.
    pub mod lowered_features {
        use cubecl_core::ir::DeviceProperties;

        /// A kind of GPU.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum GpuTarget {
            /// NVIDIA's.
            Nvptx,
        }

        /// Would narrow the promises of a device. It is called for the LLVM path only, which compiles nothing here.
        pub fn restrict_features(_props: &mut DeviceProperties, _target: GpuTarget) {}
    }
}

/// For what a kernel would be compiled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LlvmTarget {
    /// The processor.
    #[default]
    Cpu,
    /// NVIDIA's PTX.
    Nvptx,
}

/// The compiler that isn't there.
#[derive(Clone, Debug, Default)]
pub struct PlironCompiler {
    /// For what it would compile.
    pub target: LlvmTarget,
}

/// Options that nobody reads.
#[derive(Clone, Debug, Default)]
pub struct PlironOptions {
    /// Of another kind of device.
    pub arch: Option<()>,
    /// The NVIDIA architecture.
    pub sm_arch: Option<SmArch>,
    /// The PTX version.
    pub ptx_version: Option<nvptx::ptx_version::PtxVersion>,
    /// Whether launch parameters are constants of the grid.
    pub grid_constants: bool,
}

/// A PTX module, as the launcher reads it.
#[derive(Clone, Debug)]
pub struct NvptxModule {
    /// The text, closed by a zero.
    pub ptx: Vec<core::ffi::c_char>,
    /// The kernel's name in it.
    pub entrypoint: String,
    /// What it was made from.
    pub ir: String,
    /// Bytes of shared memory.
    pub shared_memory_size: usize,
    /// What it does with each buffer.
    pub io: Vec<BufferIOAttr>,
}

/// What compiling gives; never made here.
#[derive(Clone, Debug)]
pub enum PlironArtifact {
    /// A PTX module.
    NvptxCode(NvptxModule),
    /// Machine code of the processor.
    Jit(()),
}

impl core::fmt::Display for PlironArtifact {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NvptxCode(module) => f.write_str(&module.ir),
            Self::Jit(()) => f.write_str("machine code"),
        }
    }
}

impl Compiler for PlironCompiler {
    type Representation = PlironArtifact;
    type CompilationOptions = PlironOptions;

    fn compile(&mut self, _: KernelDefinition, _: &PlironOptions) -> Result<PlironArtifact, CompilationError> {
        Err(CompilationError::Generic {
            reason: "this build has no LLVM: kernels are compiled by NVRTC (feature `cpp` of cubecl-cuda)".to_string(),
            backtrace: BackTrace::capture(),
        })
    }

    fn extension(&self) -> &'static str {
        "ll"
    }

    fn lang_tag(&self) -> &'static str {
        "llvm"
    }
}
