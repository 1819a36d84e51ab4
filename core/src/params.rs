//! All parameters of a module as one flat vector, and back.
//!
//! With a flat vector the optimiser runs a handful of operations per step instead of a handful per
//! parameter, the global norm is one reduction, and a checkpoint is one read. The order is the
//! module's traversal order, which its type fixes; it must not change, because checkpoints depend
//! on it.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor};

/// Name and shape of one parameter, in traversal order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterInfo {
    /// Path inside the module, for example `agent.encoder.0.kernel`.
    pub name: String,
    /// Shape in the module.
    pub shape: Vec<usize>,
}

impl ParameterInfo {
    /// Number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the parameter has no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Names and shapes of all parameters.
#[must_use]
pub fn describe<M: Module>(module: &M) -> Vec<ParameterInfo> {
    struct Describe(Vec<ParameterInfo>, Vec<String>);
    impl ModuleVisitor for Describe {
        fn enter_module(&mut self, name: &str, container: &str) {
            if !is_variant(container) {
                self.1.push(name.to_owned());
            }
        }
        fn exit_module(&mut self, _name: &str, container: &str) {
            if !is_variant(container) {
                self.1.pop();
            }
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(ParameterInfo { name: self.1.join("."), shape: param.dims().to_vec() });
        }
    }
    let mut visitor = Describe(Vec::new(), Vec::new());
    module.visit(&mut visitor);
    visitor.0
}

/// Whether an element of a path only names the variant of an enum. Such elements are left out, so
/// that equal parameters of all architectures have equal names; burn-store leaves them out, too.
fn is_variant(container: &str) -> bool {
    container.starts_with("Enum:")
}

/// All parameters as one vector `[P]`, without autodiff.
#[must_use]
pub fn flatten<M: Module>(module: &M) -> Tensor<1> {
    struct Collect(Vec<Tensor<1>>);
    impl ModuleVisitor for Collect {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(param.val().inner().flatten(0, D - 1));
        }
    }
    let mut visitor = Collect(Vec::new());
    module.visit(&mut visitor);
    Tensor::cat(visitor.0, 0)
}

/// The gradients of all parameters as one vector `[P]`; zeros where a parameter has no gradient.
#[must_use]
pub fn flatten_grads<M: Module>(module: &M, grads: &mut Gradients) -> Tensor<1> {
    struct Collect<'a>(Vec<Tensor<1>>, &'a mut Gradients);
    impl ModuleVisitor for Collect<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let value = param.val();
            let grad = value.grad_remove(self.1).unwrap_or_else(|| value.inner().zeros_like());
            self.0.push(grad.flatten(0, D - 1));
        }
    }
    let mut visitor = Collect(Vec::new(), grads);
    module.visit(&mut visitor);
    Tensor::cat(visitor.0, 0)
}

/// The module with its parameters replaced by the values of `flat` (`[P]`, from [`flatten`]).
///
/// With `trainable` they become leaves of a new autodiff graph, else plain values. Use plain values
/// for rollouts and evaluation: an autodiff forward pass without a backward pass keeps its graph.
#[must_use]
pub fn unflatten<M: Module>(module: M, flat: &Tensor<1>, trainable: bool) -> M {
    struct Replace<'a> {
        flat: &'a Tensor<1>,
        offset: usize,
        trainable: bool,
    }
    impl ModuleMapper for Replace<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let (id, old, mapper) = param.consume();
            let shape = old.shape();
            let len = shape.num_elements();
            let value = self.flat.clone().narrow(0, self.offset, len).reshape(shape);
            self.offset += len;
            let value = if self.trainable { value.autodiff().require_grad() } else { value };
            Param::from_mapped_value(id, value, mapper)
        }
    }
    module.map(&mut Replace { flat, offset: 0, trainable })
}

/// A module of the same shapes with zeros on `device`; no parameter is read.
#[must_use]
pub fn zeros_on<M: Module>(module: M, device: &Device) -> M {
    struct Zeros<'a>(&'a Device);
    impl ModuleMapper for Zeros<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let (id, old, mapper) = param.consume();
            Param::from_mapped_value(id, Tensor::zeros(old.shape(), self.0), mapper)
        }
    }
    module.map(&mut Zeros(device))
}

/// Splits the values of a flat vector by parameter.
pub fn split<'a>(
    parameters: &'a [ParameterInfo],
    flat: &'a [f32],
) -> impl Iterator<Item = (&'a ParameterInfo, &'a [f32])> {
    let mut rest = flat;
    parameters.iter().map(move |parameter| {
        let (values, tail) = rest.split_at(parameter.len());
        rest = tail;
        (parameter, values)
    })
}
