//! All parameters of a module as one flat vector, and back.
//!
//! With a flat vector the optimiser runs a handful of operations per step instead of a handful per
//! parameter, the global norm is one reduction, and a checkpoint is one read. The order is the
//! module's traversal order, which its type fixes.
//!
//! Each parameter starts at a multiple of [`ALIGNMENT`] numbers, with zeros between: a GPU can then
//! read a parameter out of the vector without a copy. The zeros have gradient 0 and stay zeros.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor};

use crate::ops::ALIGNMENT;
use crate::ops::join::{join, part};

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

    /// Numbers of the flat vector that belong to the parameter, with the zeros that follow it.
    #[must_use]
    pub fn padded_len(&self) -> usize {
        padded(self.len())
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

const fn padded(len: usize) -> usize {
    len.next_multiple_of(ALIGNMENT)
}

/// The flat vector with the given values of the parameters, in order.
#[must_use]
pub fn joined(parameters: impl IntoIterator<Item = Vec<f32>>) -> Vec<f32> {
    let mut flat = Vec::new();
    for values in parameters {
        flat.extend(values);
        flat.resize(padded(flat.len()), 0.0);
    }
    flat
}

/// All parameters as one vector `[P]`, without autodiff.
#[must_use]
pub fn flatten<M: Module>(module: &M) -> Tensor<1> {
    struct Collect(Parts);
    impl ModuleVisitor for Collect {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let len = param.dims().iter().product();
            self.0.push(Some(param.val().inner().flatten(0, D - 1)), len);
        }
    }
    let mut visitor = Collect(Parts::default());
    module.visit(&mut visitor);
    visitor.0.joined(&device_of(module))
}

/// The gradients of all parameters as one vector `[P]`; zeros where a parameter has no gradient.
#[must_use]
pub fn flatten_grads<M: Module>(module: &M, grads: &mut Gradients) -> Tensor<1> {
    struct Collect<'a>(Parts, &'a mut Gradients);
    impl ModuleVisitor for Collect<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let value = param.val();
            let grad = value.grad_remove(self.1).map(|grad| grad.flatten(0, D - 1));
            self.0.push(grad, value.dims().iter().product());
        }
    }
    let mut visitor = Collect(Parts::default(), grads);
    module.visit(&mut visitor);
    visitor.0.joined(&device_of(module))
}

/// The device of a module's parameters, without autodiff.
fn device_of<M: Module>(module: &M) -> Device {
    struct Find(Option<Device>);
    impl ModuleVisitor for Find {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.get_or_insert_with(|| param.val().device().inner());
        }
    }
    let mut visitor = Find(None);
    module.visit(&mut visitor);
    // A module without parameters has no vector either, so any device will do.
    visitor.0.unwrap_or_else(Device::flex)
}

/// Parts of a flat vector with their places.
#[derive(Default)]
struct Parts {
    parts: Vec<Tensor<1>>,
    starts: Vec<usize>,
    len: usize,
}

impl Parts {
    /// Appends a part of `len` numbers; zeros without values.
    fn push(&mut self, part: Option<Tensor<1>>, len: usize) {
        if let Some(part) = part {
            self.parts.push(part);
            self.starts.push(self.len);
        }
        self.len += padded(len);
    }

    fn joined(self, device: &Device) -> Tensor<1> {
        let Self { mut parts, mut starts, len } = self;
        if len == 0 {
            return Tensor::zeros([0], device);
        }
        if starts.first() != Some(&0) {
            // The first parameter has no gradient.
            parts.insert(0, Tensor::zeros([1], device));
            starts.insert(0, 0);
        }
        join(parts, &starts, len)
    }
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
            let value = part(self.flat, self.offset, old.dims());
            self.offset += padded(old.shape().num_elements());
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
        let (values, tail) = rest.split_at(parameter.padded_len());
        rest = tail;
        (parameter, &values[..parameter.len()])
    })
}
