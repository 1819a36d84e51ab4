//! Graph 1: from observations to latents, policy and value.

use deepspi_core::model::Model;
use deepspi_core::nn::Conv;
use deepspi_core::nn::encoder::{Encoder, ImageEncoder};
use deepspi_core::nn::trunk::{AttentionTrunk, DeepTrunk, Trunk};
use deepspi_run::config::{Activation, Config};
use deepspi_run::network::NetworkSpec;

use crate::attention::{embedded, transformer_block};
use crate::error::ExportError;
use crate::graph::{Graph, Value, int};
use crate::layers::{
    Geometry, activate, conv, dense, layer_norm, natural, one_hot_of_largest, parameter, perceptron,
};
use crate::place::Place;
use crate::proto::ElementType;

/// What the networks compute besides their parameters.
#[derive(Clone, Copy, Debug)]
struct Form<'a> {
    config: &'a Config,
    spec: &'a NetworkSpec,
}

impl Form<'_> {
    const fn activation(&self) -> Activation {
        self.config.networks.activation
    }
}

/// The graph of encoder, policy and value.
///
/// # Errors
/// If the agent cannot be written as a graph.
pub(crate) fn graph(
    model: &Model,
    config: &Config,
    spec: &NetworkSpec,
) -> Result<Graph, ExportError> {
    let form = Form { config, spec };
    let agent = &model.agent;
    let mut graph = Graph::new("agent", "Encoder, policy and value of a trained agent.");
    let frame = [spec.frame.channels, spec.frame.height, spec.frame.width];
    let what = "Frames with the oldest first, grey levels 0 to 255.";
    let bytes = graph.input("observation", ElementType::Uint8, &frame, what);
    let pixels = graph.node("pixels/float", "Cast", &[&bytes], vec![int("to", 1)], bytes.shape());
    let pixels = graph.with_number("pixels", "Div", &pixels, 255.0);

    let latent = encoder(
        &mut graph,
        &Place::new("encoder", "agent.encoder"),
        &agent.encoder,
        form,
        &pixels,
    )?;
    let hidden =
        trunk(&mut graph, &Place::new("trunk", "agent.trunk"), &agent.trunk, form, &latent)?;
    let logits = dense(&mut graph, &Place::new("actor", "agent.actor"), &agent.actor, &hidden)?;
    let log_probs = graph.node(
        "actor/log_softmax",
        "LogSoftmax",
        &[&logits],
        vec![int("axis", -1)],
        logits.shape(),
    );

    let hidden = match &agent.critic_network {
        None => hidden,
        Some(own) => {
            let place = Place::new("critic", "agent.critic_network");
            let features = match &own.encoder {
                Some(own) => encoder(&mut graph, &place.at("encoder"), own, form, &pixels)?,
                None => latent.clone(),
            };
            trunk(&mut graph, &place.at("trunk"), &own.trunk, form, &features)?
        }
    };
    let value = dense(&mut graph, &Place::new("critic", "agent.critic"), &agent.critic, &hidden)?;
    let value = graph.reshape("critic/value", &value, &[]);

    let float = ElementType::Float;
    let what = if config.has_categorical_latents() {
        "Latent: a one-hot class of each category, categories outside of classes."
    } else {
        "Latent: feature maps, flattened in the order rows, columns, channels."
    };
    graph.output(&latent, float, "latent", what);
    graph.output(&logits, float, "logits", "Unnormalised log-probabilities of the actions.");
    graph.output(&log_probs, float, "log_probs", "Log-probabilities of the actions.");
    graph.output(&value, float, "value", "Expected discounted sum of the learner's rewards.");
    Ok(graph)
}

/// Flat latents of images `[C, H, W]` in [0, 1].
fn encoder(
    graph: &mut Graph,
    place: &Place,
    encoder: &Encoder,
    form: Form<'_>,
    pixels: &Value,
) -> Result<Value, ExportError> {
    match encoder {
        Encoder::Plain(layers) => convolved(graph, place, layers, None, form, pixels),
        Encoder::Normalised(image) => {
            convolved(graph, place, &image.layers, Some(image), form, pixels)
        }
        Encoder::Categorical(categorical) => {
            let (at, image) = (place.part("", "image"), &categorical.image);
            let features = convolved(graph, &at, &image.layers, Some(image), form, pixels)?;
            let at = place.at("logits");
            let logits = dense(graph, &at, &categorical.logits, &features)?;
            let networks = &form.config.networks;
            let shape = [networks.n_cat, networks.n_cls];
            let logits = graph.reshape(&at.node("table"), &logits, &shape);
            let classes = one_hot_of_largest(graph, &at, &logits);
            Ok(graph.flatten(&place.node("classes"), &classes))
        }
    }
}

/// Flat features of images after convolutions, with the normalisations of `image` if there are any. Plain encoders name
/// their parameters without `layers`, as in checkpoints from before there were others.
fn convolved(
    graph: &mut Graph,
    place: &Place,
    layers: &[Conv],
    image: Option<&ImageEncoder>,
    form: Form<'_>,
    pixels: &Value,
) -> Result<Value, ExportError> {
    let norm = |i: usize| {
        let image = image?;
        let index = i.checked_sub(image.first_norm)?;
        Some((index, image.norms.get(index)?))
    };
    let mut x = pixels.clone();
    for (i, layer) in layers.iter().enumerate() {
        let name = if image.is_some() { format!("layers.{i}") } else { i.to_string() };
        let at = place.part(&i.to_string(), &name);
        let stride = form.spec.encoder[i].stride;
        x = conv(graph, &at, layer, Geometry { stride, pad_end: 0, groups: 1 }, &x)?;
        if let Some((index, norm)) = norm(i) {
            // The normalisation is over channels, which ONNX wants last.
            let rows = graph.transpose(&at.node("channels_last"), &x, &[1, 2, 0]);
            let named = place.part(&i.to_string(), &format!("norms.{index}"));
            let rows = layer_norm(graph, &named, norm, &rows)?;
            x = graph.transpose(&at.node("channels_first"), &rows, &[2, 0, 1]);
        }
        x = activate(graph, &at, form.activation(), &x);
    }
    Ok(natural(graph, place, &x))
}

/// Hidden activations of flat latents.
fn trunk(
    graph: &mut Graph,
    place: &Place,
    trunk: &Trunk,
    form: Form<'_>,
    latent: &Value,
) -> Result<Value, ExportError> {
    match trunk {
        Trunk::Dense(layer) => {
            let hidden = dense(graph, place, layer, latent)?;
            Ok(activate(graph, place, form.activation(), &hidden))
        }
        Trunk::Deep(DeepTrunk { factors, hidden }) => {
            let mut product: Option<Value> = None;
            for (i, layer) in factors.iter().enumerate() {
                let at = place.part(&format!("factor_{i}"), &format!("factors.{i}"));
                let factor = dense(graph, &at, layer, latent)?;
                let factor = activate(graph, &at, Activation::Tanh, &factor);
                product = Some(match product {
                    None => factor,
                    Some(others) => graph.pair(&place.node("hadamard"), "Mul", &others, &factor),
                });
            }
            let input = product.as_ref().unwrap_or(latent);
            perceptron(graph, &place.part("", "hidden"), hidden, form.activation(), input)
        }
        Trunk::Attention(attention) => attention_trunk(graph, place, attention, form, latent),
    }
}

fn attention_trunk(
    graph: &mut Graph,
    place: &Place,
    trunk: &AttentionTrunk,
    form: Form<'_>,
    latent: &Value,
) -> Result<Value, ExportError> {
    let networks = &form.config.networks;
    let rows = graph.reshape(&place.node("table"), latent, &[networks.n_cat, networks.n_cls]);
    let tokens = embedded(graph, &place.at("tokens"), &trunk.tokens, &rows)?;
    let positions = parameter(graph, &place.parameter("positions"), trunk.positions.val())?;
    let mut tokens = graph.pair(&place.node("placed"), "Add", &tokens, &positions);
    for (i, block) in trunk.blocks.iter().enumerate() {
        tokens = transformer_block(
            graph,
            &place.at("blocks").at(&i.to_string()),
            block,
            false,
            &tokens,
        )?;
    }
    let flat = graph.flatten(&place.node("flat"), &tokens);
    let hidden = dense(graph, &place.at("output"), &trunk.output, &flat)?;
    Ok(activate(graph, &place.at("output"), Activation::Relu, &hidden))
}
