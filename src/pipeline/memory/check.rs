//! The plan of a run, told before anything is loaded, or the run refused.

use super::teacher::fit_alone;
use super::{Machine, On, TooLarge, available, fit, fit_taught, size};
use crate::recipe::Recipe;
use crate::student::ModelConfig;
use crate::student::device::{Placed, Room};

/// Tells what a run of a student, and of a teacher of this machine, will take on the CPU, before anything is loaded, and
/// refuses what cannot fit.
///
/// # Errors
/// [`TooLarge`], where the system says how much there is and it is less.
pub fn check(
    recipe: &Recipe,
    (student, teacher): (&ModelConfig, Option<&ModelConfig>),
    threads: usize,
    tell: &mut dyn FnMut(&str),
) -> Result<(), Box<TooLarge>> {
    let there = available::available();
    let machine = Machine { threads, on: On::Cpu, available: there.unwrap_or(u64::MAX) };
    let plan = fit_taught(recipe, student, teacher, machine)?;
    tell(&format!("{plan}; {}", room_of(there)));
    Ok(())
}

/// The same of a teacher of this machine whose student computes on a GPU: the teacher lies in the machine's memory alone.
///
/// # Errors
/// [`TooLarge`], where the system says how much there is and it is less.
pub fn check_teacher(
    recipe: &Recipe,
    teacher: &ModelConfig,
    threads: usize,
    tell: &mut dyn FnMut(&str),
) -> Result<(), Box<TooLarge>> {
    let there = available::available();
    let plan = fit_alone(recipe, teacher, threads, there.unwrap_or(u64::MAX))?;
    tell(&format!("{plan}; {}", room_of(there)));
    Ok(())
}

fn room_of(there: Option<u64>) -> String {
    there.map_or_else(|| "how much is available is not known here".to_owned(), |n| format!("{} available", size(n)))
}

/// What a run will take on a GPU with so much room, in words, and how many answers it samples at once.
///
/// # Errors
/// [`TooLarge`].
pub fn check_on(recipe: &Recipe, config: &ModelConfig, placed: &Placed, room: Room) -> Result<String, Box<TooLarge>> {
    let precision = placed.compute.precision();
    let machine = Machine { threads: 1, on: On::Gpu(precision), available: room.free };
    let plan = fit(recipe, config, machine).map_err(|too_large| too_large.on(&placed.name))?;
    let demand = machine.demand(recipe, config);
    let (free, total, slots) = (size(room.free), size(room.total), demand.slots);
    Ok(format!("{plan}; {free} of {total} free on {}, where {slots} answers are sampled at once", placed.name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::student::random::Shape;
    use crate::student::{Compute, Precision};

    #[test]
    fn a_gpu_is_told_with_its_room_and_batch_or_refused_by_name() {
        let (recipe, config) = (Recipe::default(), Shape::Qwen25_05B.config().unwrap());
        let placed = Placed {
            compute: Compute::Portable(Precision::Bf16),
            index: Some(0),
            name: "a GPU (cuda:0), bf16".into(),
            ..Placed::cpu()
        };
        let room = |gib: u64| Room { free: gib << 30, total: 140 << 30 };
        let said = check_on(&recipe, &config, &placed, room(139)).unwrap();
        assert!(said.starts_with("memory: at most ") && !said.contains('\n'), "{said}");
        assert!(
            said.ends_with(
                "139.0 GiB of 140.0 GiB free on a GPU (cuda:0), bf16, where 1024 answers are sampled at once"
            )
        );
        let refused = check_on(&recipe, &config, &placed, room(2)).unwrap_err().to_string();
        assert!(refused.contains(", and 2.0 GiB are available on a GPU (cuda:0), bf16; "), "{refused}");
    }
}
