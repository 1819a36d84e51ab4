//! Layers as nodes: dense layers, convolutions, normalisations, activations, and the choice of an
//! action's outputs.
//!
//! Images of a graph are `[batch, channels, rows, columns]`, as ONNX has them; those of the core have
//! their channels last. Kernels are reordered when they are written, activations by transpositions.

use burn::nn::LayerNorm;
use burn::tensor::Tensor;
use deepspi_core::nn::perceptron::Perceptron;
use deepspi_core::nn::{Conv, Dense};
use deepspi_run::config::Activation;

use crate::error::ExportError;
use crate::graph::{Graph, Value, float, int, ints};
use crate::place::Place;

/// Added to the variance by the layer normalisation of the core.
const EPSILON: f32 = 1e-6;

/// Writes a parameter as a constant.
///
/// # Errors
/// If its numbers cannot be read, or are not finite.
pub fn parameter<const D: usize>(
    graph: &mut Graph,
    name: &str,
    tensor: Tensor<D>,
) -> Result<Value, ExportError> {
    let shape = tensor.dims();
    let values: Vec<f32> = tensor
        .into_data()
        .try_to_vec()
        .map_err(|error| ExportError::Unreadable(name.to_owned(), format!("{error:?}")))?;
    if !values.iter().all(|value| value.is_finite()) {
        return Err(ExportError::NotFinite(name.to_owned()));
    }
    Ok(graph.weights(name, &shape, &values))
}

/// An error if two sizes differ.
///
/// # Errors
/// If they do.
pub fn require_equal(what: &str, found: usize, expected: usize) -> Result<(), ExportError> {
    if found == expected {
        return Ok(());
    }
    Err(ExportError::Shape {
        what: what.to_owned(),
        found: found.to_string(),
        expected: expected.to_string(),
    })
}

/// A dense layer on vectors `[in]`: `[out]`.
///
/// # Errors
/// If a parameter cannot be read or does not fit.
pub fn dense(
    graph: &mut Graph,
    place: &Place,
    layer: &Dense,
    input: &Value,
) -> Result<Value, ExportError> {
    let [kernel, bias] = kernel_and_bias(graph, place, layer)?;
    product(graph, &place.node("dense"), input, &kernel, &bias)
}

fn kernel_and_bias(
    graph: &mut Graph,
    place: &Place,
    layer: &Dense,
) -> Result<[Value; 2], ExportError> {
    let kernel = parameter(graph, &place.parameter("kernel"), layer.kernel.val())?;
    let bias = parameter(graph, &place.parameter("bias"), layer.bias.val())?;
    Ok([kernel, bias])
}

/// Vectors `[in]` times a kernel `[in, out]` plus a bias `[out]`.
///
/// # Errors
/// If the sizes do not fit.
pub fn product(
    graph: &mut Graph,
    name: &str,
    input: &Value,
    kernel: &Value,
    bias: &Value,
) -> Result<Value, ExportError> {
    require_equal(&format!("the input of {name}"), input.shape()[0], kernel.shape()[0])?;
    Ok(graph.node(name, "Gemm", &[input, kernel, bias], Vec::new(), bias.shape()))
}

/// A dense layer on the last axis of tensors with more axes.
///
/// # Errors
/// If a parameter cannot be read.
pub fn dense_on_rows(
    graph: &mut Graph,
    place: &Place,
    layer: &Dense,
    input: &Value,
) -> Result<Value, ExportError> {
    let [kernel, bias] = kernel_and_bias(graph, place, layer)?;
    let rows = graph.matmul(&place.node("product"), input, &kernel);
    Ok(graph.pair(&place.node("dense"), "Add", &rows, &bias))
}

/// Geometry of a convolution.
#[derive(Clone, Copy, Debug)]
pub struct Geometry {
    /// Step between patches.
    pub stride: usize,
    /// Rows and columns of zeros at the bottom and at the right.
    pub pad_end: usize,
    /// Groups of channels.
    pub groups: usize,
}

/// The 2x2 convolutions of the world model, of one group.
pub const SAME_2X2: Geometry = Geometry { stride: 1, pad_end: 1, groups: 1 };

/// A convolution of images `[C, H, W]` with the layer's own kernel.
///
/// # Errors
/// If a parameter cannot be read or does not fit.
pub fn conv(
    graph: &mut Graph,
    place: &Place,
    layer: &Conv,
    geometry: Geometry,
    input: &Value,
) -> Result<Value, ExportError> {
    let kernel = channels_first(layer.kernel.val());
    let kernel = parameter(graph, &place.parameter("kernel"), kernel)?;
    let bias = parameter(graph, &place.parameter("bias"), layer.bias.val())?;
    convolution(graph, &place.node("conv"), geometry, input, &kernel, &bias)
}

/// A kernel `[KH, KW, C, O]` as `[O, C, KH, KW]`.
#[must_use]
pub fn channels_first(kernel: Tensor<4>) -> Tensor<4> {
    kernel.permute([3, 2, 0, 1])
}

/// A convolution of images `[C, H, W]` with a kernel `[O, C / groups, KH, KW]` and a bias `[O]`.
///
/// # Errors
/// If the sizes do not fit.
pub fn convolution(
    graph: &mut Graph,
    name: &str,
    Geometry { stride, pad_end, groups }: Geometry,
    input: &Value,
    kernel: &Value,
    bias: &Value,
) -> Result<Value, ExportError> {
    let (&[channels, height, width], &[outputs, per_group, rows, columns]) =
        (input.shape(), kernel.shape())
    else {
        return Err(ExportError::Shape {
            what: name.to_owned(),
            found: format!("{:?} and {:?}", input.shape(), kernel.shape()),
            expected: "an image and a kernel".to_owned(),
        });
    };
    require_equal(&format!("the input of {name}"), channels, per_group * groups)?;
    let (step, end) = (stride as i64, pad_end as i64);
    let attributes = vec![
        ints("kernel_shape", &[rows as i64, columns as i64]),
        ints("strides", &[step, step]),
        ints("pads", &[0, 0, end, end]),
        int("group", groups as i64),
    ];
    let len = |side: usize, kernel: usize| (side + pad_end - kernel) / stride + 1;
    let shape = [outputs, len(height, rows), len(width, columns)];
    Ok(graph.node(name, "Conv", &[input, kernel, bias], attributes, &shape))
}

/// The activation of every element.
pub fn activate(graph: &mut Graph, place: &Place, activation: Activation, x: &Value) -> Value {
    let name = place.node(match activation {
        Activation::Relu => "relu",
        Activation::Elu => "elu",
        Activation::Gelu => "gelu",
        Activation::Silu => "silu",
        Activation::Tanh => "tanh",
    });
    match activation {
        Activation::Relu => graph.map(&name, "Relu", x),
        Activation::Elu => graph.node(&name, "Elu", &[x], vec![float("alpha", 1.0)], x.shape()),
        Activation::Gelu => gelu(graph, &name, x),
        Activation::Silu => {
            let gate = graph.map(&format!("{name}/sigmoid"), "Sigmoid", x);
            graph.pair(&name, "Mul", x, &gate)
        }
        Activation::Tanh => graph.map(&name, "Tanh", x),
    }
}

/// GELU by its tanh approximation: `x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))`.
pub fn gelu(graph: &mut Graph, name: &str, x: &Value) -> Value {
    const ROOT: f32 = 0.797_884_6;
    const CUBE: f32 = 0.044_715;
    let part = |part: &str| format!("{name}/{part}");
    let square = graph.pair(&part("square"), "Mul", x, x);
    let cube = graph.pair(&part("cube"), "Mul", &square, x);
    let cube = graph.with_number(&part("cubic"), "Mul", &cube, CUBE);
    let inner = graph.pair(&part("sum"), "Add", x, &cube);
    let inner = graph.with_number(&part("inner"), "Mul", &inner, ROOT);
    let tanh = graph.map(&part("tanh"), "Tanh", &inner);
    let gate = graph.with_number(&part("gate"), "Add", &tanh, 1.0);
    let gated = graph.pair(&part("gated"), "Mul", x, &gate);
    graph.with_number(name, "Mul", &gated, 0.5)
}

/// Layer normalisation over the last axis.
///
/// # Errors
/// If a parameter cannot be read.
pub fn layer_norm(
    graph: &mut Graph,
    place: &Place,
    norm: &LayerNorm,
    input: &Value,
) -> Result<Value, ExportError> {
    let scale = parameter(graph, &place.parameter("gamma"), norm.gamma.val())?;
    let mut inputs = vec![input, &scale];
    let bias = match &norm.beta {
        Some(beta) => Some(parameter(graph, &place.parameter("beta"), beta.val())?),
        None => None,
    };
    inputs.extend(&bias);
    let attributes = vec![int("axis", -1), float("epsilon", EPSILON)];
    let name = place.node("norm");
    Ok(graph.node(&name, "LayerNormalization", &inputs, attributes, input.shape()))
}

/// Dense layers with an activation after each, and a normalisation before it if there is one.
///
/// # Errors
/// If a parameter cannot be read or does not fit.
pub fn perceptron(
    graph: &mut Graph,
    place: &Place,
    network: &Perceptron,
    activation: Activation,
    input: &Value,
) -> Result<Value, ExportError> {
    let mut x = input.clone();
    for (i, layer) in network.layers.iter().enumerate() {
        let at = place.part(&i.to_string(), &format!("layers.{i}"));
        x = dense(graph, &at, layer, &x)?;
        if let Some(norm) = network.norms.get(i) {
            let at = place.part(&i.to_string(), &format!("norms.{i}"));
            x = layer_norm(graph, &at, norm, &x)?;
        }
        x = activate(graph, &at, activation, &x);
    }
    Ok(x)
}

/// Sorts the pairs (0, 1), (2, 3), ... of the first axis behind the batch.
///
/// # Errors
/// If its length is odd.
pub fn group_sort(graph: &mut Graph, place: &Place, x: &Value) -> Result<Value, ExportError> {
    let channels = x.shape()[0];
    if !channels.is_multiple_of(2) {
        return Err(ExportError::Unsupported { option: "GroupSort on an odd number of channels" });
    }
    let part = |name: &str| place.node("group_sort") + "/" + name;
    let positions = x.len() / channels;
    let pairs = graph.reshape(&part("pairs"), x, &[channels / 2, 2, positions]);
    let mut extreme = |name: &str, operator: &str| {
        let shape = [channels / 2, 1, positions];
        let attributes = vec![ints("axes", &[2]), int("keepdims", 1)];
        graph.node(&part(name), operator, &[&pairs], attributes, &shape)
    };
    let (low, high) = (extreme("low", "ReduceMin"), extreme("high", "ReduceMax"));
    let sorted = graph.concat(&part("sorted"), &[&low, &high], 1);
    Ok(graph.reshape(&place.node("group_sort"), &sorted, x.shape()))
}

/// What belongs to the action of each sample among tensors `[A, ...]` of all actions.
pub fn chosen(graph: &mut Graph, name: &str, all: &Value, action: &Value) -> Value {
    let attributes = vec![int("batch_dims", 1)];
    graph.node(name, "GatherND", &[all, action], attributes, &all.shape()[1..])
}

/// Images `[C, H, W]` as vectors in the order of the core: rows, columns, channels.
pub fn natural(graph: &mut Graph, place: &Place, image: &Value) -> Value {
    let rows = graph.transpose(&place.node("channels_last"), image, &[1, 2, 0]);
    graph.flatten(&place.node("flat"), &rows)
}

/// One-hot of the first largest entry along the last of two axes.
pub fn one_hot_of_largest(graph: &mut Graph, place: &Place, scores: &Value) -> Value {
    let &[rows, classes] = scores.shape() else { return scores.clone() };
    let attributes = vec![int("axis", 2), int("keepdims", 0)];
    let kind = crate::proto::ElementType::Int64;
    let name = place.node("largest");
    let largest = graph.node_of(kind, &name, "ArgMax", &[scores], attributes, &[rows]);
    let depth = graph.integer(&place.node("one_hot/classes"), classes as i64);
    let values = graph.weights(&place.node("one_hot/values"), &[2], &[0.0, 1.0]);
    let attributes = vec![int("axis", -1)];
    let inputs = [&largest, &depth, &values];
    graph.node(&place.node("one_hot"), "OneHot", &inputs, attributes, &[rows, classes])
}
