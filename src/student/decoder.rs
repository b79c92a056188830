//! The transformer: embedding, layers of attention and feed-forward, a last norm, logits.
//!
//! Rows are tokens: the residual stream is `[batch·seq, hidden]` throughout. Sequences of a batch are padded on the
//! right; causal attention then needs no further mask, and what padding rows hold is never read. Linear weights are
//! stored `[in, out]` (Hugging Face stores `[out, in]`), the embedding and the output matrix `[vocab, hidden]`.

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor};

use super::compute::Compute;
use super::config::ModelConfig;
use super::ops::head::ROWS;
use super::ops::{AttentionShape, portable};
use super::rope::RopeTable;

/// A matrix `[in, out]` and, where the family has one, a bias `[out]`.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[in, out]`.
    pub weight: Param<Tensor<2>>,
    /// `[out]`.
    pub bias: Option<Param<Tensor<1>>>,
}

impl Linear {
    /// `x [rows, in]` to `[rows, out]`.
    pub fn forward(&self, x: Tensor<2>, compute: Compute) -> Tensor<2> {
        compute.linear(x, self.weight.val(), self.bias.as_ref().map(Param::val))
    }
}

/// What all layers of a decoder have in common.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Added under the root of a norm.
    pub eps: f64,
    /// How operations are carried out.
    pub compute: Compute,
}

/// One layer: attention, then SwiGLU, each behind an RMSNorm and added to the stream.
#[derive(Module, Debug)]
pub struct Layer {
    /// Gain of the norm before attention, `[hidden]`.
    pub input_norm: Param<Tensor<1>>,
    /// Queries, `[hidden, heads·head_dim]`.
    pub q: Linear,
    /// Keys, `[hidden, kv_heads·head_dim]`.
    pub k: Linear,
    /// Values, `[hidden, kv_heads·head_dim]`.
    pub v: Linear,
    /// Output of attention, `[heads·head_dim, hidden]`.
    pub o: Linear,
    /// Gain of the norm on each head's queries, `[head_dim]`, where the family has one.
    pub q_norm: Option<Param<Tensor<1>>>,
    /// Gain of the norm on each head's keys, `[head_dim]`, where the family has one.
    pub k_norm: Option<Param<Tensor<1>>>,
    /// Gain of the norm before the feed-forward part, `[hidden]`.
    pub post_norm: Param<Tensor<1>>,
    /// `[hidden, intermediate]`.
    pub gate: Linear,
    /// `[hidden, intermediate]`.
    pub up: Linear,
    /// `[intermediate, hidden]`.
    pub down: Linear,
}

impl Layer {
    /// Queries, keys and values of `x [rows, hidden]`, before rotation.
    pub fn qkv(&self, x: Tensor<2>, manner: Manner) -> (Tensor<2>, Tensor<2>, Tensor<2>) {
        let Manner { eps, compute } = manner;
        let h = compute.rms_norm(x, self.input_norm.val(), eps);
        let q = head_norm(self.q.forward(h.clone(), compute), self.q_norm.as_ref(), manner);
        let k = head_norm(self.k.forward(h.clone(), compute), self.k_norm.as_ref(), manner);
        (q, k, self.v.forward(h, compute))
    }

    /// The whole layer on the stream `x [rows, hidden]`.
    pub fn forward(&self, x: Tensor<2>, rope: &RopeTable, shape: AttentionShape, manner: Manner) -> Tensor<2> {
        let (q, k, v) = self.qkv(x.clone(), manner);
        let attended = manner.compute.causal_attention(q, k, v, (rope.cos.clone(), rope.sin.clone()), shape);
        self.finish(x, attended, manner)
    }

    /// Adds the attention's output and the feed-forward part to the stream `x [rows, hidden]`.
    pub fn finish(&self, x: Tensor<2>, attended: Tensor<2>, Manner { eps, compute }: Manner) -> Tensor<2> {
        let x = x + self.o.forward(attended, compute);
        let h = compute.rms_norm(x.clone(), self.post_norm.val(), eps);
        let inner = compute.swiglu(self.gate.forward(h.clone(), compute), self.up.forward(h, compute));
        x + self.down.forward(inner, compute)
    }
}

/// RMSNorm of every head of `x [rows, heads·head_dim]` by itself, where there is a gain.
fn head_norm(x: Tensor<2>, gain: Option<&Param<Tensor<1>>>, Manner { eps, compute }: Manner) -> Tensor<2> {
    let Some(gain) = gain.map(Param::val) else { return x };
    let ([rows, width], [head]) = (x.dims(), gain.dims());
    compute.rms_norm(x.reshape([rows * width / head, head]), gain, eps).reshape([rows, width])
}

/// A Qwen2, Qwen3 or Llama decoder.
#[derive(Module, Debug)]
pub struct Decoder {
    /// Token embedding, `[vocab, hidden]`.
    pub embed: Param<Tensor<2>>,
    /// The layers, in order.
    pub layers: Vec<Layer>,
    /// Gain of the last norm, `[hidden]`.
    pub norm: Param<Tensor<1>>,
    /// Output matrix `[vocab, hidden]`; absent where it is the embedding.
    pub lm_head: Option<Param<Tensor<2>>>,
    /// Shape and constants.
    #[module(skip)]
    pub config: ModelConfig,
    /// How operations are carried out.
    #[module(skip)]
    pub compute: Compute,
}

impl Decoder {
    /// Device of the parameters; an autodiff device where the model is trained.
    pub fn device(&self) -> Device {
        self.embed.val().device()
    }

    /// Last hidden states of right-padded `ids [batch, seq]`, after the last norm: `[batch·seq, hidden]`.
    ///
    /// `rope` must lie on the model's device and hold at least `seq` positions.
    pub fn hidden(&self, ids: Tensor<2, Int>, rope: &RopeTable) -> Tensor<2> {
        let [batch, seq] = ids.dims();
        let shape = self.shape(batch, seq);
        let mut x = self.embedded(ids);
        for layer in &self.layers {
            x = layer.forward(x, rope, shape, self.manner());
        }
        self.last_norm(x)
    }

    /// What its layers have in common.
    pub fn manner(&self) -> Manner {
        Manner { eps: self.config.rms_norm_eps, compute: self.compute }
    }

    /// The shape of attention over `[batch, seq]` tokens.
    pub fn shape(&self, batch: usize, seq: usize) -> AttentionShape {
        let c = &self.config;
        AttentionShape { batch, seq, heads: c.heads, kv_heads: c.kv_heads, head_dim: c.head_dim }
    }

    /// The norm behind the last layer, of `x [rows, hidden]`.
    pub fn last_norm(&self, x: Tensor<2>) -> Tensor<2> {
        self.compute.rms_norm(x, self.norm.val(), self.config.rms_norm_eps)
    }

    /// Embeddings of `ids [batch, seq]` as rows, `[batch·seq, hidden]`.
    pub fn embedded(&self, ids: Tensor<2, Int>) -> Tensor<2> {
        let [batch, seq] = ids.dims();
        self.compute.embedding(self.embed.val(), ids.reshape([batch * seq]))
    }

    /// The output matrix `[vocab, hidden]`: `lm_head`, or the embedding where they are tied.
    pub fn head(&self) -> Tensor<2> {
        self.lm_head.as_ref().unwrap_or(&self.embed).val()
    }

    /// Logits of hidden states `[rows, hidden]`: `[rows, vocab]`. Memory-hungry; for sampling and tests.
    pub fn logits(&self, hidden: Tensor<2>) -> Tensor<2> {
        portable::logits(hidden, self.head())
    }

    /// Log-probability of `targets [rows]` under the logits of `hidden [rows, hidden]` divided by `temperature`: `[rows]`.
    ///
    /// Give only the rows that count, see [`super::gather_rows`]; logits exist for a chunk of rows at a time.
    pub fn log_probs(&self, hidden: Tensor<2>, targets: Tensor<1, Int>, temperature: f64) -> Tensor<1> {
        let rows = hidden.dims()[0];
        if rows <= ROWS || self.compute.is_portable() {
            return self.compute.log_prob_head(hidden, self.head(), targets, temperature);
        }
        let parts = (0..rows).step_by(ROWS).map(|start| {
            let n = ROWS.min(rows - start);
            let (h, t) = (hidden.clone().narrow(0, start, n), targets.clone().narrow(0, start, n));
            self.compute.log_prob_head(h, self.head(), t, temperature)
        });
        Tensor::cat(parts.collect(), 0)
    }

    /// As [`Decoder::log_probs`], with the entropy of each row's distribution in nats beside it; without gradient.
    pub fn log_probs_and_entropy(
        &self,
        hidden: Tensor<2>,
        targets: Tensor<1, Int>,
        temperature: f64,
    ) -> (Tensor<1>, Tensor<1>) {
        let rows = hidden.dims()[0];
        let parts = (0..rows).step_by(ROWS).map(|start| {
            let n = ROWS.min(rows - start);
            let (h, t) = (hidden.clone().narrow(0, start, n), targets.clone().narrow(0, start, n));
            self.compute.log_prob_entropy(h, self.head(), t, temperature)
        });
        let (log_probs, entropies): (Vec<_>, Vec<_>) = parts.unzip();
        (Tensor::cat(log_probs, 0), Tensor::cat(entropies, 0))
    }
}
