//! The decoder against a plain double-precision forward pass of the same weights, in shapes the fixtures do not have:
//! heads that do not fill the hidden width, three queries per key, an untied head, a bias on every projection.

use std::collections::HashMap;
use std::f64::consts::PI;

use burn::tensor::{Int, Tensor, TensorData};
use footbridge::student::{Decoder, ModelConfig, RopeTable};

use super::fixtures::cpu;

const LLAMA: &str = r#"{"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": 37,
    "hidden_size": 20, "intermediate_size": 28, "num_hidden_layers": 2, "num_attention_heads": 6,
    "num_key_value_heads": 2, "head_dim": 10, "rms_norm_eps": 1e-5, "max_position_embeddings": 64,
    "attention_bias": true, "rope_theta": 1000.0,
    "rope_scaling": {"type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32}}"#;

const QWEN: &str = r#"{"architectures": ["Qwen2ForCausalLM"], "vocab_size": 41, "hidden_size": 24,
    "intermediate_size": 20, "num_hidden_layers": 2, "num_attention_heads": 3, "num_key_value_heads": 1,
    "rms_norm_eps": 1e-6, "max_position_embeddings": 64, "tie_word_embeddings": true,
    "rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 100.0}}"#;

type Weights = HashMap<String, (Vec<usize>, Vec<f64>)>;

/// `x · W + b`, `W` as stored: `[in, out]`.
fn linear(x: &[f64], weights: &Weights, name: &str) -> Vec<f64> {
    let (dims, w) = &weights[&format!("{name}.weight")];
    assert_eq!(x.len(), dims[0], "{name}");
    let bias = weights.get(&format!("{name}.bias"));
    (0..dims[1])
        .map(|o| (0..dims[0]).map(|i| x[i] * w[i * dims[1] + o]).sum::<f64>() + bias.map_or(0.0, |(_, b)| b[o]))
        .collect()
}

fn norm(x: &[f64], weights: &Weights, name: &str, eps: f64) -> Vec<f64> {
    let scale = (x.iter().map(|v| v * v).sum::<f64>() / x.len() as f64 + eps).sqrt();
    x.iter().zip(&weights[name].1).map(|(v, g)| v / scale * g).collect()
}

/// Angle per position of pair `i`, by the definition of each scaling.
fn frequency(i: usize, c: &ModelConfig) -> f64 {
    let w = c.rope_theta.powf(-2.0 * i as f64 / c.head_dim as f64);
    if c.vocab_size == 41 {
        return w / 2.0;
    }
    let wavelength = 2.0 * PI / w;
    match wavelength {
        l if l < 32.0 / 4.0 => w,
        l if l > 32.0 => w / 8.0,
        l => {
            let s = (32.0 / l - 1.0) / 3.0;
            (1.0 - s) * w / 8.0 + s * w
        }
    }
}

fn rotate(head: &[f64], position: usize, c: &ModelConfig) -> Vec<f64> {
    let half = head.len() / 2;
    let turn = |j: usize| {
        let i = j % half;
        let (sin, cos) = (position as f64 * frequency(i, c)).sin_cos();
        if j < half { head[i] * cos - head[i + half] * sin } else { head[i + half] * cos + head[i] * sin }
    };
    (0..head.len()).map(turn).collect()
}

fn attend(x: &[Vec<f64>], weights: &Weights, at: &str, c: &ModelConfig) -> Vec<Vec<f64>> {
    let project = |part: &str| -> Vec<Vec<f64>> {
        x.iter().map(|row| linear(row, weights, &format!("{at}.self_attn.{part}_proj"))).collect()
    };
    let (q, k, v) = (project("q"), project("k"), project("v"));
    let head = |row: &[f64], h: usize| row[h * c.head_dim..(h + 1) * c.head_dim].to_vec();
    let mut out = Vec::new();
    for (t, q) in q.iter().enumerate() {
        let mut joined = Vec::new();
        for h in 0..c.heads {
            let g = h / (c.heads / c.kv_heads);
            let query = rotate(&head(q, h), t, c);
            let score = |u: usize| {
                let key = rotate(&head(&k[u], g), u, c);
                (query.iter().zip(key).map(|(a, b)| a * b).sum::<f64>() / (c.head_dim as f64).sqrt()).exp()
            };
            let p: Vec<f64> = (0..=t).map(score).collect();
            let total: f64 = p.iter().sum();
            joined.extend((0..c.head_dim).map(|d| (0..=t).map(|u| p[u] * head(&v[u], g)[d]).sum::<f64>() / total));
        }
        out.push(linear(&joined, weights, &format!("{at}.self_attn.o_proj")));
    }
    out
}

fn forward(ids: &[i64], weights: &Weights, c: &ModelConfig) -> Vec<Vec<f64>> {
    let row = |name: &str, i: usize| weights[name].1[i * c.hidden_size..(i + 1) * c.hidden_size].to_vec();
    let mut x: Vec<Vec<f64>> = ids.iter().map(|id| row("model.embed_tokens.weight", *id as usize)).collect();
    let add = |a: &mut Vec<f64>, b: Vec<f64>| a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    for layer in 0..c.layers {
        let at = format!("model.layers.{layer}");
        let normed: Vec<_> =
            x.iter().map(|r| norm(r, weights, &format!("{at}.input_layernorm.weight"), c.rms_norm_eps)).collect();
        x.iter_mut().zip(attend(&normed, weights, &at, c)).for_each(|(r, a)| add(r, a));
        for r in &mut x {
            let h = norm(r, weights, &format!("{at}.post_attention_layernorm.weight"), c.rms_norm_eps);
            let gate = linear(&h, weights, &format!("{at}.mlp.gate_proj"));
            let up = linear(&h, weights, &format!("{at}.mlp.up_proj"));
            let m: Vec<f64> = gate.iter().zip(up).map(|(g, u)| g / (1.0 + (-g).exp()) * u).collect();
            add(r, linear(&m, weights, &format!("{at}.mlp.down_proj")));
        }
    }
    let head = if c.tied { "model.embed_tokens.weight" } else { "lm_head.weight" };
    x.iter()
        .map(|r| norm(r, weights, "model.norm.weight", c.rms_norm_eps))
        .map(|h| (0..c.vocab_size).map(|t| row(head, t).iter().zip(&h).map(|(a, b)| a * b).sum()).collect())
        .collect()
}

#[test]
fn other_shapes_agree_with_a_double_precision_pass() {
    for (text, parameters) in [(LLAMA, 29), (QWEN, 26)] {
        let config = ModelConfig::from_json(text.as_bytes()).unwrap();
        // A fresh model has unit gains and no bias; move everything, so that each number counts.
        let model = Decoder::fresh(&config, 7, &cpu()).map_parameters(|_, p| {
            let n: usize = p.dims().iter().product();
            let wiggle: Vec<f32> = (0..n).map(|i| ((i * 7919 + n) % 997) as f32 / 997.0 - 0.5).collect();
            let moved = p.clone().flat() + Tensor::<1>::from_data(TensorData::new(wiggle, [n]), &cpu());
            p.shaped(moved)
        });
        let weights: Weights = model
            .named_parameters()
            .into_iter()
            .map(|p| (p.name, (p.value.dims(), p.value.to_vec().unwrap().into_iter().map(f64::from).collect())))
            .collect();
        assert_eq!(weights.len(), parameters);
        let ids: Vec<i64> = (0..40).map(|i| i * 11 % config.vocab_size as i64).collect();
        let input = Tensor::<2, Int>::from_data(TensorData::new(ids.clone(), [1, ids.len()]), &cpu());
        let hidden = model.hidden(input, &RopeTable::new(&config, 64, &cpu()));
        let got: Vec<f32> = model.logits(hidden).into_data().try_to_vec().unwrap();
        let want = forward(&ids, &weights, &config);
        for (t, (row, want)) in got.chunks(config.vocab_size).zip(want).enumerate() {
            for (g, w) in row.iter().zip(want) {
                assert!((f64::from(*g) - w).abs() < 1e-4 * (1.0 + w.abs()), "token {t}: {g}, want {w}");
            }
        }
    }
}

#[test]
fn a_fresh_model_is_a_function_of_its_seed() {
    let config = ModelConfig::from_json(QWEN.as_bytes()).unwrap();
    let all = |seed| -> Vec<f32> {
        let model = Decoder::fresh(&config, seed, &cpu());
        model.named_parameters().into_iter().flat_map(|p| p.value.to_vec().unwrap()).collect()
    };
    assert_eq!(all(1), all(1));
    assert_ne!(all(1), all(2));
    let model = Decoder::fresh(&config, 1, &cpu());
    for p in model.named_parameters() {
        let v = p.value.to_vec().unwrap();
        let mean = v.iter().sum::<f32>() / v.len() as f32;
        let deviation = (v.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / v.len() as f32).sqrt();
        match p.name.as_str() {
            name if name.ends_with("norm.weight") => assert!(v.iter().all(|x| *x == 1.0)),
            name if name.ends_with("bias") => assert!(v.iter().all(|x| *x == 0.0)),
            name => assert!(mean.abs() < 0.004 && (0.015..0.025).contains(&deviation), "{name}: {mean} ± {deviation}"),
        }
    }
}
