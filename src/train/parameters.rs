//! A module's parameters as named slices on the host, always in the order in which burn visits them.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};

/// Name, shape and values of one parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Path of its fields, joined by dots, for example `layers.0.q.weight`.
    pub name: String,
    /// Its shape, as the module keeps it.
    pub shape: Vec<usize>,
    /// Its values, row by row.
    pub values: Vec<f32>,
}

/// A tensor's values, row by row; moved, not copied, where nobody else holds them.
#[expect(clippy::expect_used, reason = "parameters, gradients and log-probs are single precision by construction")]
pub fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec::<f32>().expect("a tensor in single precision")
}

#[derive(Default)]
struct Read {
    path: Vec<String>,
    found: Vec<Parameter>,
}

impl ModuleVisitor for Read {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let shape = tensor.dims().to_vec();
        self.found.push(Parameter { name: self.path.join("."), shape, values: host(tensor) });
    }
}

/// Every parameter with its values.
pub fn read<M: Module>(module: &M) -> Vec<Parameter> {
    let mut visitor = Read::default();
    module.visit(&mut visitor);
    visitor.found
}

struct Sizes(Vec<usize>);

impl ModuleVisitor for Sizes {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(param.shape().num_elements());
    }
}

/// Number of elements of every parameter.
pub fn sizes<M: Module>(module: &M) -> Vec<usize> {
    let mut visitor = Sizes(Vec::new());
    module.visit(&mut visitor);
    visitor.0
}

struct Edit<F> {
    index: usize,
    edit: F,
}

impl<F: FnMut(usize, &mut [f32])> ModuleMapper for Edit<F> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (index, edit) = (self.index, &mut self.edit);
        self.index += 1;
        param.map(|tensor| {
            let device = tensor.device();
            let shape = tensor.shape();
            let mut values = host(tensor);
            edit(index, &mut values);
            Tensor::from_data(TensorData::new(values, shape), &device)
        })
    }
}

/// Calls `edit(index, values)` for every parameter and puts the values back. On the CPU the values are changed in
/// place where nobody else holds them.
pub fn edit<M: Module>(module: M, edit: impl FnMut(usize, &mut [f32])) -> M {
    module.map(&mut Edit { index: 0, edit })
}
