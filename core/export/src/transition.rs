//! Transition networks as nodes: from flat latents and actions to the statistics of the next latent.
//!
//! The last layer has outputs for every action. A graph computes all of them and then takes those of the
//! sample's action, because the kernel of an ONNX convolution cannot differ between samples.

use burn::tensor::Tensor;
use deepspi_core::nn::{Dense, Spectral};
use deepspi_core::world_model::dynamics::{
    CategoryConvolution, DepthwiseConvolution, Dynamics, LipschitzConvolution, PlainConvolution,
    TokenPerceptron, Transformer,
};
use deepspi_run::config::MixtureLayout;

use crate::attention::transformer_block;
use crate::error::ExportError;
use crate::experts::soft_moe;
use crate::graph::{Graph, Value, int};
use crate::layers::{
    Geometry, SAME_2X2, activate, channels_first, chosen, conv, convolution, dense, dense_on_rows,
    group_sort, natural, parameter, perceptron, product, require_equal,
};
use crate::place::Place;
use crate::step::Step;

/// A prediction.
pub enum Prediction {
    /// Statistics `[G, S, K, D, P]`: G groups of D channels, S statistics of K components, P positions.
    Mixture {
        /// The statistics.
        values: Value,
        /// Weights `[K]` of the components; none if there is one.
        weights: Option<Value>,
    },
    /// Logits `[categories, classes]`.
    Logits(Value),
}

/// The prediction of a transition network.
///
/// # Errors
/// If the network cannot be written as nodes.
pub fn predict(
    graph: &mut Graph,
    step: &Step<'_>,
    network: &Dynamics,
) -> Result<Prediction, ExportError> {
    let place = &Place::new("transition", "world_model.transition");
    match network {
        Dynamics::Lipschitz(network) => lipschitz(graph, place, step, network),
        Dynamics::Depthwise(network) => depthwise(graph, place, step, network),
        Dynamics::Plain(network) => plain(graph, place, step, network),
        Dynamics::Perceptron(network) => token_perceptron(graph, place, step, network),
        Dynamics::Categories(network) => category_convolution(graph, place, step, network),
        Dynamics::Experts(network) => {
            let outputs = soft_moe(graph, place, step, network)?;
            Ok(Prediction::Logits(outputs))
        }
        Dynamics::Transformer(network) => transformer(graph, place, step, network),
    }
}

/// Outputs `[G D K S A, H, W]` of all actions, reordered to `[G A S K D, H, W]`.
fn action_first(step: &Step<'_>, kernel: Tensor<4>, groups: usize, statistics: usize) -> Tensor<4> {
    let [height, width, channels, outputs] = kernel.dims();
    let taps = height * width * channels;
    let sizes = step.output_sizes(groups, statistics);
    let [g, d, k, s, a] = sizes;
    let ordered = kernel.reshape([taps, g, d, k, s, a]).permute([1, 5, 4, 3, 2, 0]);
    ordered.reshape([outputs, height, width, channels]).permute([0, 3, 1, 2])
}

/// A bias in the same order.
fn action_first_bias(
    step: &Step<'_>,
    bias: Tensor<1>,
    groups: usize,
    statistics: usize,
) -> Tensor<1> {
    let outputs = bias.dims()[0];
    let sizes = step.output_sizes(groups, statistics);
    bias.reshape(sizes).permute([0, 4, 3, 2, 1]).reshape([outputs])
}

/// The statistics `[G, S, K, D, P]` of the sample's action in images `[G A S K D, H, W]`.
fn of_action(
    graph: &mut Graph,
    place: &Place,
    step: &Step<'_>,
    all: &Value,
    groups: usize,
) -> Value {
    let components = step.components;
    let [per_group, positions] = [step.channels() / groups, step.positions()];
    let rest = all.len() / (groups * step.actions);
    let by_group = graph.reshape(&place.node("by_group"), all, &[groups, step.actions, rest]);
    let by_action = graph.transpose(&place.node("by_action"), &by_group, &[1, 0, 2]);
    let own = chosen(graph, &place.node("of_action"), &by_action, &step.action);
    let statistics = rest / (components * per_group * positions);
    let shape = [groups, statistics, components, per_group, positions];
    graph.reshape(&place.node("statistics"), &own, &shape)
}

/// Weights `[K]` of the components from features `[C, H, W]`.
fn mixture_weights(
    graph: &mut Graph,
    place: &Place,
    step: &Step<'_>,
    layer: Option<&Dense>,
    spectral: Option<&Spectral>,
    features: &Value,
) -> Result<Option<Value>, ExportError> {
    let Some(layer) = layer else { return Ok(None) };
    let at = &place.at("logits");
    let flat = natural(graph, at, features);
    let all = spectral_dense(graph, at, layer, spectral, &flat)?;
    let table = graph.reshape(&at.node("table"), &all, &[step.components, step.actions]);
    let by_action = graph.transpose(&at.node("by_action"), &table, &[1, 0]);
    let own = chosen(graph, &at.node("of_action"), &by_action, &step.action);
    Ok(Some(graph.softmax(&place.node("weights"), &own, 0)))
}

/// A dense layer, its kernel normalised now if the network normalises it.
///
/// # Errors
/// If a parameter cannot be read or does not fit.
pub fn spectral_dense(
    graph: &mut Graph,
    place: &Place,
    layer: &Dense,
    spectral: Option<&Spectral>,
    input: &Value,
) -> Result<Value, ExportError> {
    let Some(spectral) = spectral else { return dense(graph, place, layer, input) };
    let kernel = spectral.dense(layer.kernel.val());
    let kernel = parameter(graph, &place.parameter("kernel.normalised"), kernel)?;
    let bias = parameter(graph, &place.parameter("bias"), layer.bias.val())?;
    product(graph, &place.node("dense"), input, &kernel, &bias)
}

fn lipschitz(
    graph: &mut Graph,
    place: &Place,
    step: &Step<'_>,
    network: &LipschitzConvolution,
) -> Result<Prediction, ExportError> {
    let (spectral, groups) = (&network.spectral, network.groups);
    let image = step.image(graph, place);
    let at = place.at("first");
    let kernel = channels_first(spectral.conv(network.first.kernel.val(), 1));
    let kernel = parameter(graph, &at.parameter("kernel.normalised"), kernel)?;
    let bias = parameter(graph, &at.parameter("bias"), network.first.bias.val())?;
    let features = convolution(graph, &at.node("conv"), SAME_2X2, &image, &kernel, &bias)?;
    let features = group_sort(graph, &at, &features)?;

    let at = place.at("second");
    let kernel = spectral.conv(network.second.kernel.val(), groups);
    let statistics = step.statistics(kernel.dims()[3], &at)?;
    let kernel = action_first(step, kernel, groups, statistics);
    let kernel = parameter(graph, &at.parameter("kernel.normalised"), kernel)?;
    let bias = action_first_bias(step, network.second.bias.val(), groups, statistics);
    let bias = parameter(graph, &at.parameter("bias"), bias)?;
    let geometry = Geometry { groups, ..SAME_2X2 };
    let all = convolution(graph, &at.node("conv"), geometry, &features, &kernel, &bias)?;
    let values = of_action(graph, &at, step, &all, groups);
    let weights =
        mixture_weights(graph, place, step, network.logits.as_ref(), Some(spectral), &features)?;
    Ok(Prediction::Mixture { values, weights })
}

/// The order in which the authors' networks read the same numbers as components.
fn read(graph: &mut Graph, place: &Place, step: &Step<'_>, values: Value) -> Value {
    if step.config.world_model.mixture_layout == MixtureLayout::Corrected {
        return values;
    }
    let &[_, statistics, components, channels, positions] = values.shape() else { return values };
    let by_position = graph.transpose(&place.node("by_position"), &values, &[0, 4, 3, 2, 1]);
    let shape = [1, components, positions, channels, statistics];
    let as_components = graph.reshape(&place.node("as_components"), &by_position, &shape);
    graph.transpose(&place.node("read"), &as_components, &[0, 4, 1, 3, 2])
}

fn plain(
    graph: &mut Graph,
    place: &Place,
    step: &Step<'_>,
    network: &PlainConvolution,
) -> Result<Prediction, ExportError> {
    let image = step.image(graph, place);
    let at = place.at("first");
    let kernel = network.first.kernel.val();
    let statistics = step.statistics(kernel.dims()[3], &at)?;
    let kernel = action_first(step, kernel, 1, statistics);
    let kernel = parameter(graph, &at.parameter("kernel"), kernel)?;
    let bias = action_first_bias(step, network.first.bias.val(), 1, statistics);
    let bias = parameter(graph, &at.parameter("bias"), bias)?;
    let all = convolution(graph, &at.node("conv"), SAME_2X2, &image, &kernel, &bias)?;
    let values = of_action(graph, &at, step, &all, 1);
    let values = read(graph, &at, step, values);
    let Some(map) = &network.logits_map else {
        return Ok(Prediction::Mixture { values, weights: None });
    };
    // From the third statistic of all latent dimensions to the logit of a component.
    let map = map.val();
    let [height, width, channels] = map.dims();
    let map = map.reshape([height * width, channels]).swap_dims(0, 1);
    let map = parameter(graph, &place.parameter("logits_map"), map)?;
    let third = graph.select(&place.node("logits/third"), &values, 1, 2);
    let terms = graph.pair(&place.node("logits/terms"), "Mul", &third, &map);
    let logits = graph.sum(&place.node("logits/sum"), &terms, &[0, 2, 3]);
    let weights = graph.softmax(&place.node("weights"), &logits, 0);
    Ok(Prediction::Mixture { values, weights: Some(weights) })
}

fn depthwise(
    graph: &mut Graph,
    place: &Place,
    step: &Step<'_>,
    network: &DepthwiseConvolution,
) -> Result<Prediction, ExportError> {
    let image = step.image(graph, place);
    let at = place.at("first");
    let features = conv(graph, &at, &network.first, SAME_2X2, &image)?;
    let features = activate(graph, &at, step.config.networks.activation, &features);

    let at = place.at("second");
    let outputs = network.second.bias.dims()[0];
    let statistics = step.statistics(outputs, &at)?;
    let geometry = Geometry { groups: outputs, ..SAME_2X2 };
    let all = conv(graph, &at, &network.second, geometry, &features)?;
    // Channels are, in this order, a latent channel, a component, a statistic, and an action.
    let (components, channels, positions) = (step.components, step.channels(), step.positions());
    let rest = outputs / step.actions;
    let table = graph.reshape(&at.node("table"), &all, &[rest, step.actions, positions]);
    let by_action = graph.transpose(&at.node("by_action"), &table, &[1, 0, 2]);
    let own = chosen(graph, &at.node("of_action"), &by_action, &step.action);
    let shape = [1, channels, components, statistics, positions];
    let own = graph.reshape(&at.node("by_channel"), &own, &shape);
    let values = graph.transpose(&at.node("statistics"), &own, &[0, 3, 2, 1, 4]);
    let values = read(graph, &at, step, values);
    let weights = mixture_weights(graph, place, step, network.logits.as_ref(), None, &features)?;
    Ok(Prediction::Mixture { values, weights })
}

fn category_convolution(
    graph: &mut Graph,
    place: &Place,
    step: &Step<'_>,
    network: &CategoryConvolution,
) -> Result<Prediction, ExportError> {
    let [_, categories, classes] = step.shape;
    let table = graph.reshape(&place.node("table"), &step.latent, &[1, categories, classes]);
    let at = place.at("first");
    let features = conv(graph, &at, &network.first, SAME_2X2, &table)?;
    let features = activate(graph, &at, step.config.networks.activation, &features);
    // The contraction of each action's outputs is applied to the kernel, which gives the same logits.
    let at = place.at("second");
    let kernel = network.second.kernel.val();
    let [height, width, channels, outputs] = kernel.dims();
    let weights = network.weights.val();
    let contracted = weights.dims()[0];
    require_equal(&at.node("outputs"), outputs, contracted * step.actions)?;
    let weights = weights.reshape([1, contracted, 1]);
    let kernel = kernel.reshape([height * width * channels, contracted, step.actions]);
    let kernel = (kernel * weights.clone()).sum_dim(1);
    let kernel = channels_first(kernel.reshape([height, width, channels, step.actions]));
    let kernel = parameter(graph, &at.parameter("kernel.contracted"), kernel)?;
    let bias = network.second.bias.val().reshape([1, contracted, step.actions]);
    let bias = (bias * weights).sum_dim(1).reshape([step.actions]) + network.bias.val();
    let bias = parameter(graph, &at.parameter("bias.contracted"), bias)?;
    let all = convolution(graph, &at.node("conv"), SAME_2X2, &features, &kernel, &bias)?;
    Ok(Prediction::Logits(chosen(graph, &at.node("of_action"), &all, &step.action)))
}

/// The embedding `[1, width]` of the sample's action.
fn action_token(
    graph: &mut Graph,
    place: &Place,
    step: &Step<'_>,
    table: Tensor<2>,
) -> Result<Value, ExportError> {
    let width = table.dims()[1];
    let table = parameter(graph, &place.parameter("actions"), table)?;
    let attributes = vec![int("axis", 0)];
    Ok(graph.node(
        &place.node("action"),
        "Gather",
        &[&table, &step.action],
        attributes,
        &[1, width],
    ))
}

fn token_perceptron(
    graph: &mut Graph,
    place: &Place,
    step: &Step<'_>,
    network: &TokenPerceptron,
) -> Result<Prediction, ExportError> {
    let [_, categories, classes] = step.shape;
    let tokens = step.tokens(graph, place, &network.tokens)?;
    let action = action_token(graph, place, step, network.actions.val())?;
    let width = action.shape()[1];
    let everywhere = graph.integers(&place.node("actions/shape"), &[1, categories as i64, 1]);
    let inputs = [&action, &everywhere];
    let actions =
        graph.node(&place.node("actions"), "Expand", &inputs, Vec::new(), &[categories, width]);
    let both = graph.concat(&place.node("both"), &[&tokens, &actions], 1);
    let flat = graph.flatten(&place.node("flat"), &both);
    let activation = step.config.networks.activation;
    let hidden = perceptron(graph, &place.at("hidden"), &network.hidden, activation, &flat)?;
    let logits = dense(graph, &place.at("output"), &network.output, &hidden)?;
    Ok(Prediction::Logits(graph.reshape(&place.node("logits"), &logits, &[categories, classes])))
}

fn transformer(
    graph: &mut Graph,
    place: &Place,
    step: &Step<'_>,
    network: &Transformer,
) -> Result<Prediction, ExportError> {
    let [_, categories, classes] = step.shape;
    let tokens = step.tokens(graph, place, &network.tokens)?;
    let action = action_token(graph, place, step, network.actions.val())?;
    let tokens = graph.pair(&place.node("with_action"), "Add", &tokens, &action);
    let sequence = graph.concat(&place.node("sequence"), &[&action, &tokens], 0);
    let positions = parameter(graph, &place.parameter("positions"), network.positions.val())?;
    let mut sequence = graph.pair(&place.node("placed"), "Add", &sequence, &positions);
    for (i, block) in network.blocks.iter().enumerate() {
        let at = place.at("blocks").at(&i.to_string());
        sequence = transformer_block(graph, &at, block, true, &sequence)?;
    }
    let logits = dense_on_rows(graph, &place.at("output"), &network.output, &sequence)?;
    // The first token is the action's.
    let later: Vec<i64> = (1..=categories as i64).collect();
    let later = graph.integers(&place.node("categories"), &later);
    let attributes = vec![int("axis", 1)];
    let inputs = [&logits, &later];
    let logits =
        graph.node(&place.node("logits"), "Gather", &inputs, attributes, &[categories, classes]);
    Ok(Prediction::Logits(logits))
}
