//! What runs on a device that is not the CPU, run on the CPU: the same operations, by the backend that is always there.
//! With the feature `vulkan` on the machine's first Vulkan device instead, with `cuda` on its first CUDA device if there is
//! one: by the kernels that a GPU runs.

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
    #[cfg(feature = "kernels")]
    if let Some(device) = footbridge::student::ops::decode::kernels::to_test_on() {
        use footbridge::student::device::{Placed, has_half};
        if precision == Precision::Bf16 && !has_half(&device) {
            eprintln!("the device has no bf16: skipped");
            return None;
        }
        let placed = Placed { device, compute, index: Some(0), name: "to test on".into(), note: None };
        return Some(placed.take(student));
    }
    Some(student.with_compute(compute))
}
