//! AdamW with decoupled weight decay (Loshchilov & Hutter), one pass over each parameter in place.
//!
//! Deviations and readings: decay applies to **all** parameters, norms and biases included (reading.md, row 26b); the
//! settings come from the recipe, never from burn's defaults (eps 1e-5, decay 1e-4); the update runs on the host in
//! single precision, element by element, so that it is the same on every machine and with any number of threads. The
//! gradient's clip factor is applied on the way, which saves a pass. For a student on another device the same formula runs
//! there, as tensor operations.

use std::borrow::Cow;

use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

use super::gradients::host;
use crate::recipe::AdamWRecipe;
use crate::student::ops::simd::simd;

/// Entries a thread moves at a time.
const PIECE: usize = 1 << 16;

/// First and second moment of one parameter, flattened like its gradient.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moments {
    /// Running mean of the gradient.
    pub first: Vec<f32>,
    /// Running mean of the squared gradient.
    pub second: Vec<f32>,
}

/// First and second moment of one parameter on a device, `[entries]` each.
type Resident = (Tensor<1>, Tensor<1>);

/// Where the moments are.
#[derive(Clone, Debug)]
enum Place {
    Host(Vec<Moments>),
    Device(Vec<Resident>),
}

/// The optimizer's state: moments per parameter and the number of updates so far.
#[derive(Clone, Debug)]
pub struct AdamW {
    settings: AdamWRecipe,
    updates: u64,
    moments: Place,
}

/// One update's scalars, worked out in double precision once.
#[derive(Clone, Copy)]
struct Scalars {
    keep: f32,
    step: f32,
    root: f32,
    eps: f32,
    new1: f32,
    old2: f32,
    new2: f32,
    clip: f32,
}

impl AdamW {
    /// A fresh state for parameters with these numbers of elements.
    pub fn new(settings: AdamWRecipe, sizes: impl IntoIterator<Item = usize>) -> Self {
        let moments = sizes.into_iter().map(|n| Moments { first: vec![0.0; n], second: vec![0.0; n] }).collect();
        Self { settings, updates: 0, moments: Place::Host(moments) }
    }

    /// As [`AdamW::new`], with the moments on `device`.
    pub fn resident(settings: AdamWRecipe, sizes: impl IntoIterator<Item = usize>, device: &Device) -> Self {
        let zeros = |n: usize| Tensor::zeros([n], device);
        let moments = sizes.into_iter().map(|n| (zeros(n), zeros(n))).collect();
        Self { settings, updates: 0, moments: Place::Device(moments) }
    }

    /// The same optimizer at a saved state, as [`AdamW::moments`] and [`AdamW::updates`] gave it; moments stay where these
    /// are.
    pub fn restored(self, updates: u64, moments: Vec<Moments>) -> Self {
        let moments = match self.moments {
            Place::Host(_) => Place::Host(moments),
            Place::Device(fresh) => {
                let back = |values: Vec<f32>, like: &Tensor<1>| {
                    Tensor::from_data(TensorData::new(values, like.dims()), &like.device())
                };
                let pairs = moments.into_iter().zip(&fresh);
                let moved = pairs.map(|(m, (first, second))| (back(m.first, first), back(m.second, second)));
                Place::Device(moved.collect())
            }
        };
        Self { settings: self.settings, updates, moments }
    }

    /// The settings.
    pub fn settings(&self) -> &AdamWRecipe {
        &self.settings
    }

    /// Updates so far.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// Moments in the order of the parameters, read back where they are on a device.
    pub fn moments(&self) -> Cow<'_, [Moments]> {
        match &self.moments {
            Place::Host(moments) => Cow::Borrowed(moments),
            Place::Device(moments) => {
                let read =
                    |(first, second): &Resident| Moments { first: host(first.clone()), second: host(second.clone()) };
                Cow::Owned(moments.iter().map(read).collect())
            }
        }
    }

    /// Begins an update: counts it and gives what moves each parameter. `clip` scales every gradient.
    pub fn begin(&mut self, lr: f64, clip: f64) -> Update<'_> {
        self.updates += 1;
        let AdamWRecipe { beta1, beta2, eps, weight_decay, .. } = self.settings;
        let count = i32::try_from(self.updates).unwrap_or(i32::MAX);
        let scalars = Scalars {
            keep: (1.0 - lr * weight_decay) as f32,
            step: (lr / (1.0 - beta1.powi(count))) as f32,
            root: (1.0 - beta2.powi(count)).sqrt() as f32,
            eps: eps as f32,
            new1: (1.0 - beta1) as f32,
            old2: beta2 as f32,
            new2: (1.0 - beta2) as f32,
            clip: clip as f32,
        };
        let (host, device): (&mut [Moments], &mut [Resident]) = match &mut self.moments {
            Place::Host(moments) => (moments, &mut []),
            Place::Device(moments) => (&mut [], moments),
        };
        Update { scalars, moments: host.iter_mut(), resident: device.iter_mut() }
    }
}

/// An update in progress; call [`Update::apply`] once per parameter, in order.
pub struct Update<'a> {
    scalars: Scalars,
    moments: std::slice::IterMut<'a, Moments>,
    resident: std::slice::IterMut<'a, Resident>,
}

impl Update<'_> {
    /// Moves the next parameter along its gradient:
    /// `p ← p·(1 − lr·wd) − lr·m̂ / (√v̂ + eps)` with the bias-corrected moments m̂, v̂. Spread over the threads of the
    /// current pool, which changes nothing.
    pub fn apply(&mut self, parameter: &mut [f32], gradient: &[f32]) {
        let Some(Moments { first, second }) = self.moments.next() else { return };
        let s = self.scalars;
        if parameter.len() < 4 * PIECE || rayon::current_num_threads() < 2 {
            return adamw(parameter, gradient, first, second, s);
        }
        let pieces = parameter.par_chunks_mut(PIECE).zip(gradient.par_chunks(PIECE));
        let moments = first.par_chunks_mut(PIECE).zip(second.par_chunks_mut(PIECE));
        pieces.zip(moments).for_each(|((p, g), (m, v))| adamw(p, g, m, v, s));
    }
}

impl Update<'_> {
    /// The next parameter moved along its gradient, as [`Update::apply`], where the moments are on a device: `[entries]`
    /// each.
    pub fn apply_resident(&mut self, parameter: Tensor<1>, gradient: Tensor<1>) -> Tensor<1> {
        let Some((first, second)) = self.resident.next() else { return parameter };
        let s = self.scalars;
        let gradient = gradient * s.clip;
        *first = first.clone() + (gradient.clone() - first.clone()) * s.new1;
        *second = second.clone() * s.old2 + gradient.square() * s.new2;
        parameter * s.keep - first.clone() * s.step / (second.clone().sqrt() / s.root + s.eps)
    }
}

simd! {
    /// The update of some entries.
    fn adamw(p: &'a mut [f32], g: &'a [f32], m: &'a mut [f32], v: &'a mut [f32], s: Scalars) {
        for ((p, g), (m, v)) in p.iter_mut().zip(g).zip(m.iter_mut().zip(v)) {
            let g = g * s.clip;
            *m += (g - *m) * s.new1;
            *v = *v * s.old2 + g * g * s.new2;
            *p = *p * s.keep - s.step * *m / (v.sqrt() / s.root + s.eps);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    /// The textbook formula in double precision.
    fn textbook(p0: f64, gradients: &[f64], lr: f64, c: &AdamWRecipe) -> f64 {
        let (mut p, mut m, mut v) = (p0, 0.0, 0.0);
        for (t, g) in gradients.iter().enumerate() {
            let t = t as i32 + 1;
            p -= lr * c.weight_decay * p;
            m = c.beta1 * m + (1.0 - c.beta1) * g;
            v = c.beta2 * v + (1.0 - c.beta2) * g * g;
            let (mean, var) = (m / (1.0 - c.beta1.powi(t)), v / (1.0 - c.beta2.powi(t)));
            p -= lr * mean / (var.sqrt() + c.eps);
        }
        p
    }

    #[test]
    fn follows_the_textbook() {
        let c = AdamWRecipe::default();
        let mut optimizer = AdamW::new(c, [1, 2]);
        let (mut a, mut b) = (vec![0.5f32], vec![-1.5f32, 2.0]);
        let gradients = [[0.3, -0.1, 2.0], [0.1, -0.4, 0.0], [-0.6, 0.2, 1e-5]];
        for g in gradients {
            let g: Vec<f32> = g.iter().map(|&x| (2.0 * x) as f32).collect();
            let mut update = optimizer.begin(1e-2, 0.5);
            update.apply(&mut a, &g[..1]);
            update.apply(&mut b, &g[1..]);
        }
        for (i, (got, start)) in [(a[0], 0.5), (b[0], -1.5), (b[1], 2.0)].into_iter().enumerate() {
            let column: Vec<f64> = gradients.iter().map(|g| g[i]).collect();
            let want = textbook(start, &column, 1e-2, &c);
            assert!((f64::from(got) - want).abs() < 1e-6, "{got} against {want}");
        }
        assert_eq!(optimizer.updates(), 3);
    }

    #[test]
    fn a_rate_of_zero_moves_only_the_state() {
        let mut optimizer = AdamW::new(AdamWRecipe::default(), [2]);
        let mut p = vec![0.25f32, -3.0];
        optimizer.begin(0.0, 1.0).apply(&mut p, &[1.0, -2.0]);
        assert_eq!(p, vec![0.25, -3.0]);
        assert!(optimizer.moments()[0].first[0] > 0.0 && optimizer.moments()[0].second[1] > 0.0);
    }
}
