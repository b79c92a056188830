//! Backward with less memory (Chen et al. 2016, one segment per layer): the way there keeps only what each layer was
//! given; on the way back a layer is computed once more, with its graph, when its turn comes.
//!
//! The gradients are those of the plain way: the same operations run on the same numbers, and a layer's graph is entered
//! with the gradient that reached its output. On the CPU they are the same bits, but for a tied embedding, whose parts from
//! the two ends of the model are added in another order. What is kept is one `[rows·width, hidden]` per layer, and one layer's own intermediate
//! results at a time; what it costs is a second forward pass.

use burn::module::Module;
use burn::tensor::Tensor;

use super::batch::Scored;
use super::gradients::Gradients;
use super::trainer::without_graph;
use crate::student::{Decoder, NamedParameter, RopeTable};

/// The gradient of one shard, and the numbers to show. `model` and `rope` lie on the autodiff device; `loss` makes the
/// shard's part of the loss of its log-probs, `[tokens]`.
pub(super) fn backward(
    model: &Decoder,
    rope: &RopeTable,
    scored: &Scored,
    loss: impl FnOnce(Tensor<1>) -> (Tensor<1>, Tensor<1>),
) -> (Gradients, Tensor<1>) {
    let shape = model.shape(scored.ids.dims()[0], scored.ids.dims()[1]);
    let parameters = model.trained_parameters();
    let mut gradients = Gradients::none_of(model);
    let (inputs, last) = inputs_of_layers(model, rope, scored);

    let last = leaf(last);
    let (part, shown) = loss(scored.of_hidden(model, model.last_norm(last.clone())));
    let mut reached = step(part, &last, &parameters, &mut gradients);
    for (layer, input) in model.layers.iter().zip(inputs).rev() {
        let input = leaf(input);
        let output = layer.forward(input.clone(), rope, shape, model.manner());
        reached = step(entered(output, reached), &input, &parameters, &mut gradients);
    }
    if !model.adapted() {
        gradients.gather(&parameters, entered(model.embedded(scored.ids.clone()), reached).backward());
    }
    (gradients.filled(&parameters), shown)
}

/// What each layer is given, and what the last one gives, without a graph: `[rows·width, hidden]` each.
fn inputs_of_layers(model: &Decoder, rope: &RopeTable, scored: &Scored) -> (Vec<Tensor<2>>, Tensor<2>) {
    let (plain, rope) = (model.valid(), without_graph(rope));
    let ids = scored.ids.clone().inner();
    let shape = model.shape(ids.dims()[0], ids.dims()[1]);
    let (mut inputs, mut x) = (Vec::new(), plain.embedded(ids));
    for layer in &plain.layers {
        inputs.push(x.clone());
        x = layer.forward(x, &rope, shape, plain.manner());
    }
    (inputs, x)
}

/// A tensor whose gradient is kept, at the beginning of a graph.
fn leaf(plain: Tensor<2>) -> Tensor<2> {
    Tensor::from_inner(plain).require_grad()
}

/// A number whose gradient with respect to `output` is `reached`: backward from it enters the graph behind `output`.
fn entered(output: Tensor<2>, reached: Tensor<2>) -> Tensor<1> {
    (output * Tensor::from_inner(reached)).sum()
}

/// One stretch of the way back: adds the parameters' gradients and gives the one that reached `input`.
fn step(end: Tensor<1>, input: &Tensor<2>, parameters: &[NamedParameter], gradients: &mut Gradients) -> Tensor<2> {
    let recorded = end.backward();
    let reached = input.grad(&recorded).unwrap_or_else(|| input.clone().inner().zeros_like());
    gradients.gather(parameters, recorded);
    reached
}
