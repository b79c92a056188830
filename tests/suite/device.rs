//! What runs on a device that is not the CPU, run on the CPU: the same operations, by the backend that is always there.
//! With the feature `vulkan` on the machine's first Vulkan device instead, by the kernels that a GPU runs.

#[path = "device/sampling.rs"]
mod sampling;
#[path = "device/training.rs"]
mod training;
#[path = "device/verbs.rs"]
mod verbs;

use footbridge::student::{Compute, Precision, Student};

/// The student as it computes on a device; `None`, with a message, where the device has not this precision.
fn elsewhere(student: Student, precision: Precision) -> Option<Student> {
    let compute = Compute::Portable(precision);
    #[cfg(not(feature = "vulkan"))]
    return Some(student.with_compute(compute));
    #[cfg(feature = "vulkan")]
    {
        use footbridge::student::device::{Placed, has_half};
        let device = footbridge::student::ops::decode::kernels::vulkan();
        if precision == Precision::Bf16 && !has_half(&device) {
            eprintln!("the Vulkan device has no bf16: skipped");
            return None;
        }
        let placed = Placed { device, compute, index: Some(0), name: "vulkan".into(), note: None };
        Some(placed.take(student))
    }
}
