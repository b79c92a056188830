//! Gradients, one per parameter, in the order of `Decoder::trained_parameters`: slices on the host, or tensors that stay
//! on a device.
//!
//! On the host, sums and norms are plain loops in a fixed order, so that they do not depend on the number of threads. On a
//! device they are tensor operations, and nothing waits for them before the norm is read.

use burn::tensor::{Gradients as Recorded, Tensor};
use rayon::prelude::*;

use crate::student::ops::reuse;
use crate::student::ops::simd::simd;
use crate::student::{Decoder, NamedParameter, Parameter};

/// Entries worked through at a time.
const PIECE: usize = 1 << 20;

/// One gradient per parameter, flattened row by row.
#[derive(Clone, Debug, Default)]
pub struct Gradients {
    /// On the host; an empty slice is no gradient yet.
    parts: Vec<Vec<f32>>,
    /// On the device, where they stay there.
    resident: Option<Vec<Option<Tensor<1>>>>,
    /// Σ x² of each part on the device, where it was read with the numbers to show; for the sums as they are now.
    squares: Option<Vec<f64>>,
}

impl PartialEq for Gradients {
    fn eq(&self, other: &Self) -> bool {
        self.clone().on_host().parts == other.clone().on_host().parts
    }
}

impl Gradients {
    /// From flattened parts.
    pub fn from_parts(parts: Vec<Vec<f32>>) -> Self {
        Self { parts, ..Self::default() }
    }

    /// None yet, kept where those of `model` belong: on its device, or on the host for the CPU's kernels.
    pub(super) fn none_of(model: &Decoder) -> Self {
        Self { resident: model.compute.is_portable().then(Vec::new), ..Self::default() }
    }

    /// The gradients of `model` that a backward pass recorded; a parameter that took no part gets zeros.
    pub fn collect(model: &Decoder, recorded: Recorded) -> Self {
        let mut collected = Self::none_of(model);
        let parameters = model.trained_parameters();
        collected.gather(&parameters, recorded);
        collected.filled(&parameters)
    }

    /// Adds what a backward pass recorded for these parameters; one that took no part keeps what it has, or nothing.
    pub fn gather(&mut self, parameters: &[NamedParameter], mut recorded: Recorded) {
        self.squares = None;
        if let Some(resident) = &mut self.resident {
            resident.resize_with(parameters.len(), || None);
            for (sum, parameter) in resident.iter_mut().zip(parameters) {
                if let Some(new) = removed(&parameter.value, &mut recorded) {
                    *sum = Some(sum.take().map_or(new.clone(), |sum| sum + new));
                }
            }
            return;
        }
        self.parts.resize_with(parameters.len(), Vec::new);
        for (part, parameter) in self.parts.iter_mut().zip(parameters) {
            let new = match &parameter.value {
                Parameter::Vector(t) => t.grad_remove(&mut recorded).map(host),
                Parameter::Matrix(t) => t.grad_remove(&mut recorded).map(host),
            };
            match new {
                Some(new) if part.is_empty() => *part = new,
                Some(new) => part.iter_mut().zip(new).for_each(|(sum, g)| *sum += g),
                None => {}
            }
        }
    }

    /// Zeros for every parameter that took no part.
    pub fn filled(mut self, parameters: &[NamedParameter]) -> Self {
        if let Some(resident) = &mut self.resident {
            resident.resize_with(parameters.len(), || None);
            for (part, parameter) in resident.iter_mut().zip(parameters) {
                if part.is_none() {
                    *part = Some(parameter.value.clone().flat().inner().zeros_like());
                }
            }
            return self;
        }
        for (part, parameter) in self.parts.iter_mut().zip(parameters) {
            if part.is_empty() {
                *part = vec![0.0; parameter.value.dims().iter().product()];
            }
        }
        self
    }

    /// One slice per parameter; none of gradients on a device, see [`Gradients::on_host`].
    pub fn parts(&self) -> &[Vec<f32>] {
        &self.parts
    }

    /// One tensor per parameter, where they are on a device.
    pub(super) fn resident(&self) -> Option<impl Iterator<Item = &Tensor<1>>> {
        self.resident.as_ref().map(|parts| parts.iter().flatten())
    }

    /// The same gradients read back from their device.
    pub fn on_host(self) -> Self {
        match self.resident {
            None => self,
            Some(parts) => Self::from_parts(parts.into_iter().map(|part| part.map(host).unwrap_or_default()).collect()),
        }
    }

    /// Adds another set, element by element. Both are on the host, or both on the device.
    pub fn add(&mut self, other: &Self) {
        self.squares = None;
        if let (Some(into), Some(from)) = (&mut self.resident, &other.resident) {
            for (into, from) in into.iter_mut().zip(from) {
                *into = match (into.take(), from.clone()) {
                    (Some(a), Some(b)) => Some(a + b),
                    (a, b) => a.or(b),
                };
            }
            return;
        }
        let pairs = self.parts.iter_mut().zip(&other.parts);
        let pieces = pairs.flat_map(|(into, from)| into.chunks_mut(PIECE).zip(from.chunks(PIECE)));
        let one = |(into, from): (&mut [f32], &[f32])| into.iter_mut().zip(from).for_each(|(a, b)| *a += *b);
        if rayon::current_num_threads() > 1 {
            pieces.collect::<Vec<_>>().into_par_iter().for_each(one);
        } else {
            pieces.for_each(one);
        }
    }

    /// Keeps the memory for the next backward pass.
    pub(super) fn recycle(self) {
        self.parts.into_iter().for_each(reuse::give);
    }

    /// Euclidean norm of each parameter's gradient, summed in double precision.
    pub fn norms(&self) -> Vec<f64> {
        self.squares().into_iter().map(f64::sqrt).collect()
    }

    /// Euclidean norm over all parameters; a tied matrix counts once, for it is one parameter.
    pub fn global_norm(&self) -> f64 {
        self.squares().into_iter().sum::<f64>().sqrt()
    }

    /// Reads `shown` back from the device, and with it what the norm is made of: an update waits for the device once.
    pub(super) fn read_with(&mut self, shown: Tensor<1>) -> Vec<f32> {
        let [count] = shown.dims();
        let mut read = host(Tensor::cat(std::iter::once(shown).chain(self.sums()).collect(), 0));
        self.squares = Some(read.split_off(count).into_iter().map(f64::from).collect());
        read
    }

    /// Σ x² of each part on the device, `[1]` each.
    fn sums(&self) -> Vec<Tensor<1>> {
        self.resident().into_iter().flatten().map(|part| part.clone().square().sum()).collect()
    }

    /// Σ x² of each parameter's gradient: pieces of a fixed size, added up in order; on a device in single precision.
    fn squares(&self) -> Vec<f64> {
        if let Some(read) = &self.squares {
            return read.clone();
        }
        if self.resident.is_some() {
            let sums = self.sums();
            let sums = if sums.is_empty() { Vec::new() } else { host(Tensor::cat(sums, 0)) };
            return sums.into_iter().map(f64::from).collect();
        }
        let of = |part: &Vec<f32>| -> f64 {
            if part.len() > PIECE && rayon::current_num_threads() > 1 {
                part.par_chunks(PIECE).map(sum_of_squares).collect::<Vec<_>>().into_iter().sum()
            } else {
                part.chunks(PIECE).map(sum_of_squares).sum()
            }
        };
        self.parts.iter().map(of).collect()
    }
}

/// A parameter's recorded gradient, `[entries]`.
fn removed(parameter: &Parameter, recorded: &mut Recorded) -> Option<Tensor<1>> {
    match parameter {
        Parameter::Vector(t) => t.grad_remove(recorded),
        Parameter::Matrix(t) => t.grad_remove(recorded).map(|g| Parameter::Matrix(g).flat()),
    }
}

/// A tensor's values, row by row; moved, not copied, where nobody else holds them.
#[expect(clippy::expect_used, reason = "parameters, gradients and log-probs are single precision by construction")]
pub fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec::<f32>().expect("a tensor in single precision")
}

simd! {
    /// Σ x², eight running sums in double precision.
    fn sum_of_squares(values: &'a [f32]) -> f64 {
        let mut sums = [0.0f64; 8];
        let (chunks, rest) = values.as_chunks::<8>();
        for chunk in chunks {
            for i in 0..8 {
                sums[i] += f64::from(chunk[i]) * f64::from(chunk[i]);
            }
        }
        let rest: f64 = rest.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        sums.iter().sum::<f64>() + rest
    }
}

/// The factor of the global clip: `min(1, limit / (norm + 1e-6))`, the form PyTorch uses. burn's own clipping is per
/// parameter and therefore another method (reading.md, rows 26b and 28).
pub fn clip_factor(norm: f64, limit: f64) -> f64 {
    (limit / (norm + 1e-6)).min(1.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_clip_is_global_and_only_shrinks() {
        let mut g = Gradients::from_parts(vec![vec![3.0; 9], vec![0.0, 4.0]]);
        assert!((g.global_norm() - (81.0f64 + 16.0).sqrt()).abs() < 1e-12);
        assert_eq!(g.norms(), vec![9.0, 4.0]);
        assert_eq!(clip_factor(0.5, 1.0), 1.0);
        assert!((clip_factor(4.0, 1.0) - 1.0 / 4.000001).abs() < 1e-15);
        g.add(&g.clone());
        assert_eq!(g.parts()[1], vec![0.0, 8.0]);
    }
}
