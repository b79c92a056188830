//! The backward passes of the CPU operations, one node of burn's graph each.
//!
//! What only repeats arithmetic (probabilities, logits) is computed a second time instead of being kept.

use super::AttentionShape;
use super::attention::{self, Inputs};
use super::flex::{FastOps, attention_kept, dim, indices, log_probs_kept, tensor, values};
use super::gemm::{Mat, matmul};
use super::reuse;
use super::rows::{self, Head};
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, Flex};
use burn_flex::FlexTensor;

#[derive(Debug)]
struct RmsNorm;

impl Backward<Flex, 2> for RmsNorm {
    type State = (FlexTensor, FlexTensor, f32);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = grads.consume::<Flex>(&ops.node);
        let (x, gain, eps) = ops.state;
        let (n, d) = (dim(&x, 0), dim(&x, 1));
        values!(x, gain, dy);
        let (mut dx, mut dgain) = (vec![0.0; n * d], vec![0.0; d]);
        rows::rms_norm_back(x, gain, dy, &mut dx, &mut dgain, eps);
        let [for_x, for_gain] = ops.parents;
        if let Some(node) = for_x {
            grads.register::<Flex>(node.id, tensor(dx, &[n, d]));
        }
        if let Some(node) = for_gain {
            grads.register::<Flex>(node.id, tensor(dgain, &[d]));
        }
    }
}

/// The gradient of a few rows of a table. Where the table has a gradient already (a tied output matrix had its turn
/// before), the rows are added to it in place: a second table of zeros and a sum of two tables are spared.
#[derive(Debug)]
struct Embed;

impl Backward<Flex, 1> for Embed {
    type State = (FloatTensor<Autodiff<Flex>>, FlexTensor);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = grads.consume::<Flex>(&ops.node);
        let (weight, ids) = ops.state;
        let [Some(node)] = ops.parents else { return };
        let size = [dim(weight.primitive(), 0), dim(weight.primitive(), 1)];
        let ids = indices(&ids);
        values!(dy);
        let mut table = match grads.remove::<Flex>(&weight) {
            Some(table) if table.is_contiguous() && table.layout().start_offset() == 0 => table,
            Some(table) => table.to_contiguous(),
            None => {
                let mut zeros = reuse::take(size[0] * size[1]);
                zeros.fill(0.0);
                tensor(zeros, &size)
            }
        };
        let rows = table.storage_mut::<f32>();
        for (id, dy) in ids.iter().zip(dy.chunks_exact(size[1])) {
            if let Some(row) = rows.get_mut(id * size[1]..).and_then(|rest| rest.get_mut(..size[1])) {
                row.iter_mut().zip(dy).for_each(|(sum, x)| *sum += x);
            }
        }
        grads.register::<Flex>(node.id, table);
    }
}

#[derive(Debug)]
struct SwiGlu;

impl Backward<Flex, 2> for SwiGlu {
    type State = (FlexTensor, FlexTensor);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = grads.consume::<Flex>(&ops.node);
        let (gate, up) = ops.state;
        let size = [dim(&gate, 0), dim(&gate, 1)];
        values!(gate, up, dy);
        let (mut dgate, mut dup) = (vec![0.0; gate.len()], vec![0.0; gate.len()]);
        rows::swiglu_back(gate, up, dy, &mut dgate, &mut dup);
        for (node, d) in ops.parents.into_iter().zip([dgate, dup]) {
            if let Some(node) = node {
                grads.register::<Flex>(node.id, tensor(d, &size));
            }
        }
    }
}

/// Parents: `x`, the weight, and the bias where there is one.
#[derive(Debug)]
struct Linear;

impl<const N: usize> Backward<Flex, N> for Linear {
    type State = (FlexTensor, FlexTensor);

    fn backward(self, ops: Ops<Self::State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = grads.consume::<Flex>(&ops.node);
        let (x, weight) = ops.state;
        let (n, k, m) = (dim(&x, 0), dim(&weight, 0), dim(&weight, 1));
        values!(x, weight, dy);
        let above = Mat::new(dy, n, m, m);
        for (i, node) in ops.parents.into_iter().enumerate() {
            let Some(node) = node else { continue };
            let gradient = match i {
                0 => {
                    let mut dx = vec![0.0; n * k];
                    matmul(&mut dx, k, above, Mat::new(weight, k, m, m).t(), false);
                    tensor(dx, &[n, k])
                }
                1 => {
                    let mut dweight = reuse::take(k * m);
                    matmul(&mut dweight, m, Mat::new(x, n, k, k).t(), above, false);
                    tensor(dweight, &[k, m])
                }
                _ => {
                    let mut dbias = vec![0.0; m];
                    rows::column_sums(dy, &mut dbias);
                    tensor(dbias, &[m])
                }
            };
            grads.register::<Flex>(node.id, gradient);
        }
    }
}

/// `q`, `k`, `v`, `cos`, `sin`.
type AttentionTensors = [FlexTensor; 5];

#[derive(Debug)]
struct Attention;

impl Backward<Flex, 3> for Attention {
    type State = (AttentionTensors, Vec<f32>, AttentionShape);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = grads.consume::<Flex>(&ops.node);
        let ([q, k, v, cos, sin], totals, shape) = ops.state;
        let (n, q_width, kv_width) = (dim(&q, 0), dim(&q, 1), dim(&k, 1));
        values!(q, k, v, cos, sin, dy);
        let (dq, dk, dv) = attention::backward(Inputs { q, k, v, cos, sin, shape }, &totals, dy);
        for (node, (d, width)) in ops.parents.into_iter().zip([(dq, q_width), (dk, kv_width), (dv, kv_width)]) {
            if let Some(node) = node {
                grads.register::<Flex>(node.id, tensor(d, &[n, width]));
            }
        }
    }
}

#[derive(Debug)]
struct LogProbs;

impl Backward<Flex, 2> for LogProbs {
    type State = (FlexTensor, FlexTensor, FlexTensor, Vec<f32>, f32);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = grads.consume::<Flex>(&ops.node);
        let (h, weight, targets, totals, temperature) = ops.state;
        let (n, width, vocab) = (dim(&h, 0), dim(&h, 1), dim(&weight, 0));
        let targets = indices(&targets);
        values!(h, weight, dy);
        let head = Head { h, weight, width, targets: &targets, inverse: 1.0 / temperature };
        let (dh, dweight) = head.backward(&totals, dy);
        for (node, (d, rows)) in ops.parents.into_iter().zip([(dh, n), (dweight, vocab)]) {
            if let Some(node) = node {
                grads.register::<Flex>(node.id, tensor(d, &[rows, width]));
            }
        }
    }
}

impl<C: CheckpointStrategy> FastOps for Autodiff<Flex, C> {
    fn linear(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self> {
        let prep = Backward::<Flex, 2>::prepare::<C>(Linear, [x.node(), weight.node()]).compute_bound().stateful();
        let (x, weight) = (x.into_primitive(), weight.into_primitive());
        let y = Flex::linear(x.clone(), weight.clone());
        match prep {
            OpsKind::Tracked(prep) => prep.finish((x, weight), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn linear_bias(x: FloatTensor<Self>, weight: FloatTensor<Self>, bias: FloatTensor<Self>) -> FloatTensor<Self> {
        let nodes = [x.node(), weight.node(), bias.node()];
        let prep = Backward::<Flex, 3>::prepare::<C>(Linear, nodes).compute_bound().stateful();
        let (x, weight) = (x.into_primitive(), weight.into_primitive());
        let y = Flex::linear_bias(x.clone(), weight.clone(), bias.into_primitive());
        match prep {
            OpsKind::Tracked(prep) => prep.finish((x, weight), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn embed(weight: FloatTensor<Self>, ids: IntTensor<Self>) -> FloatTensor<Self> {
        let prep = Embed.prepare::<C>([weight.node()]).compute_bound().stateful();
        let y = Flex::embed(weight.primitive().clone(), ids.clone());
        match prep {
            OpsKind::Tracked(prep) => prep.finish((weight, ids), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn rms_norm(x: FloatTensor<Self>, gain: FloatTensor<Self>, eps: f32) -> FloatTensor<Self> {
        let prep = RmsNorm.prepare::<C>([x.node(), gain.node()]).compute_bound().stateful();
        let (x, gain) = (x.into_primitive(), gain.into_primitive());
        let y = Flex::rms_norm(x.clone(), gain.clone(), eps);
        match prep {
            OpsKind::Tracked(prep) => prep.finish((x, gain, eps), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn swiglu(gate: FloatTensor<Self>, up: FloatTensor<Self>) -> FloatTensor<Self> {
        let prep = SwiGlu.prepare::<C>([gate.node(), up.node()]).compute_bound().stateful();
        let (gate, up) = (gate.into_primitive(), up.into_primitive());
        let y = Flex::swiglu(gate.clone(), up.clone());
        match prep {
            OpsKind::Tracked(prep) => prep.finish((gate, up), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
        shape: AttentionShape,
    ) -> FloatTensor<Self> {
        let prep = Attention.prepare::<C>([q.node(), k.node(), v.node()]).compute_bound().stateful();
        let all = [q, k, v, cos, sin].map(|t| t.into_primitive());
        let [q, k, v, cos, sin] = all.clone();
        let (y, totals) = attention_kept(q, k, v, cos, sin, shape);
        match prep {
            OpsKind::Tracked(prep) => prep.finish((all, totals, shape), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn log_probs(
        h: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        targets: IntTensor<Self>,
        temperature: f32,
    ) -> FloatTensor<Self> {
        let prep = LogProbs.prepare::<C>([h.node(), weight.node()]).compute_bound().stateful();
        let (h, weight) = (h.into_primitive(), weight.into_primitive());
        let (y, totals) = log_probs_kept(h.clone(), weight.clone(), &targets, temperature);
        match prep {
            OpsKind::Tracked(prep) => prep.finish((h, weight, targets, totals, temperature), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }
}
