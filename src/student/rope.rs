//! Rotary position embedding: the table of angles, with Llama 3's stretching of low frequencies.
//!
//! Deviation from the textbook: frequencies and angles are rounded to single precision step by step, as the reference
//! implementation does, because at position 1000 that rounding is larger than the tolerance of a parity test.

use burn::tensor::{Device, Tensor, TensorData};

use super::config::{ModelConfig, RopeScaling};

/// Cosines and sines of every position, `[positions, head_dim / 2]` each, for the rotate-half form.
#[derive(Clone, Debug)]
pub struct RopeTable {
    /// Cosines.
    pub cos: Tensor<2>,
    /// Sines.
    pub sin: Tensor<2>,
}

impl RopeTable {
    /// The table of the first `positions` positions on `device`.
    pub fn new(config: &ModelConfig, positions: usize, device: &Device) -> Self {
        let frequencies = frequencies(config);
        let shape = [positions, frequencies.len()];
        let table = |f: fn(f64) -> f64| {
            let values: Vec<f32> = (0..positions)
                .flat_map(|p| frequencies.iter().map(move |w| f(f64::from(p as f32 * w)) as f32))
                .collect();
            Tensor::from_data(TensorData::new(values, shape), device)
        };
        Self { cos: table(f64::cos), sin: table(f64::sin) }
    }

    /// Number of positions.
    pub fn positions(&self) -> usize {
        self.cos.dims()[0]
    }
}

/// Radians per position of each pair of dimensions, `[head_dim / 2]`.
pub fn frequencies(config: &ModelConfig) -> Vec<f32> {
    let half = config.head_dim / 2;
    let plain = (0..half).map(|i| {
        let exponent = (2 * i) as f32 / config.head_dim as f32;
        1.0 / (config.rope_theta as f32).powf(exponent)
    });
    plain.map(|w| stretch(w, config.rope_scaling)).collect()
}

fn stretch(w: f32, scaling: RopeScaling) -> f32 {
    match scaling {
        RopeScaling::None => w,
        RopeScaling::Linear { factor } => w / factor as f32,
        RopeScaling::Llama3 { factor, low, high, original } => {
            let wavelength = 2.0 * std::f64::consts::PI / f64::from(w);
            if wavelength < original / high {
                w
            } else if wavelength > original / low {
                w / factor as f32
            } else {
                let blend = (original / wavelength - low) / (high - low);
                ((1.0 - blend) * f64::from(w) / factor + blend * f64::from(w)) as f32
            }
        }
    }
}
