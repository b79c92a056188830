//! Gradients on the host: one slice per parameter, in the order in which the module is visited.
//!
//! Sums and norms are plain loops in a fixed order, so that they do not depend on the number of threads.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Gradients as Recorded, Tensor};

use super::parameters::host;

/// One gradient per parameter of a module, flattened row by row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gradients {
    parts: Vec<Vec<f32>>,
}

/// Takes each parameter's gradient out of what a backward pass recorded.
struct Collect<'a> {
    recorded: &'a mut Recorded,
    parts: Vec<Vec<f32>>,
}

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = param.val().grad_remove(self.recorded);
        self.parts.push(gradient.map_or_else(|| vec![0.0; param.shape().num_elements()], host));
    }
}

impl Gradients {
    /// From flattened parts.
    pub fn from_parts(parts: Vec<Vec<f32>>) -> Self {
        Self { parts }
    }

    /// The gradients of `module` that a backward pass recorded; a parameter that took no part gets zeros.
    pub fn collect<M: Module>(module: &M, mut recorded: Recorded) -> Self {
        let mut visitor = Collect { recorded: &mut recorded, parts: Vec::new() };
        module.visit(&mut visitor);
        Self { parts: visitor.parts }
    }

    /// One slice per parameter.
    pub fn parts(&self) -> &[Vec<f32>] {
        &self.parts
    }

    /// Adds another set, element by element.
    pub fn add(&mut self, other: &Self) {
        for (into, from) in self.parts.iter_mut().zip(&other.parts) {
            for (a, b) in into.iter_mut().zip(from) {
                *a += *b;
            }
        }
    }

    /// Euclidean norm of each parameter's gradient, summed in double precision.
    pub fn norms(&self) -> Vec<f64> {
        self.parts.iter().map(|part| sum_of_squares(part).sqrt()).collect()
    }

    /// Euclidean norm over all parameters; a tied matrix counts once, for it is one parameter.
    pub fn global_norm(&self) -> f64 {
        self.parts.iter().map(|part| sum_of_squares(part)).sum::<f64>().sqrt()
    }
}

/// Σ x², eight running sums in double precision.
fn sum_of_squares(values: &[f32]) -> f64 {
    let mut sums = [0.0f64; 8];
    let chunks = values.chunks_exact(8);
    let rest: f64 = chunks.remainder().iter().map(|&x| f64::from(x) * f64::from(x)).sum();
    for chunk in chunks {
        for (sum, &x) in sums.iter_mut().zip(chunk) {
            *sum += f64::from(x) * f64::from(x);
        }
    }
    sums.iter().sum::<f64>() + rest
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
