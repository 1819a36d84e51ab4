//! Densities as nodes: from the statistics of a prediction to the mean and the scale of the next latent.

use deepspi_run::config::TransitionDensity;

use crate::error::ExportError;
use crate::graph::{Graph, Value};
use crate::layers::activate;
use crate::place::Place;
use crate::step::Step;

/// Added to every scale by the core.
const MIN_SCALE: f32 = 1e-6;

/// Mean and scale of the next latent.
pub struct Next {
    /// The mean, flat, in the order of the core.
    pub mean: Value,
    /// The scale of the same shape; none if the next latent is a point.
    pub scale: Option<Value>,
}

/// What the scale of a run's next latents is, in words; none if there is no scale.
#[must_use]
pub fn meaning_of_scale(config: &deepspi_run::config::Config) -> Option<&'static str> {
    let model = &config.world_model;
    if config.has_categorical_latents()
        || model.transition_density == TransitionDensity::Deterministic
    {
        return None;
    }
    Some(if model.lipschitz_nets {
        "The largest distance between a sample and next_latent, for each dimension: the noise is bounded."
    } else {
        "The standard deviation of the predicted distribution, for each dimension."
    })
}

/// Mean and scale from statistics `[G, S, K, D, P]` and weights `[K]`.
///
/// # Errors
/// If the density has no translation.
pub fn next(
    graph: &mut Graph,
    step: &Step<'_>,
    values: &Value,
    weights: Option<&Value>,
) -> Result<Next, ExportError> {
    let place = &Place::new("next", "");
    let model = &step.config.world_model;
    let raw = graph.select(&place.node("location/raw"), values, 1, 0);
    let is_free = !model.lipschitz_nets;
    let activation = step.config.networks.activation;
    let located = place.at("location");
    match model.transition_density {
        TransitionDensity::Deterministic => {
            let point = if is_free { activate(graph, &located, activation, &raw) } else { raw };
            let point = averaged(graph, &place.at("mean"), &point, None);
            Ok(Next { mean: natural(graph, &place.at("mean"), step, &point), scale: None })
        }
        TransitionDensity::Normal | TransitionDensity::MixtureNormal => {
            let location = if is_free {
                activate(graph, &located, activation, &raw)
            } else {
                graph.with_number(&located.node("half"), "Mul", &raw, 0.5)
            };
            let scale = graph.select(&place.node("scale/raw"), values, 1, 1);
            let scale = graph.map(&place.node("scale/softplus"), "Softplus", &scale);
            let scale = graph.with_number(&place.node("scale/least"), "Add", &scale, MIN_SCALE);
            let weights = weights.map(|weights| {
                graph.reshape(&place.node("weights"), weights, &[1, step.components, 1, 1])
            });
            let mean = averaged(graph, &place.at("mean"), &location, weights.as_ref());
            let scale = if is_free {
                deviation(graph, place, &location, &scale, &mean, weights.as_ref())
            } else {
                let half = graph.with_number(&place.node("scale/half"), "Mul", &scale, 0.5);
                averaged(graph, &place.at("scale"), &half, weights.as_ref())
            };
            Ok(Next {
                mean: natural(graph, &place.at("mean"), step, &mean),
                scale: Some(natural(graph, &place.at("scale"), step, &scale)),
            })
        }
        TransitionDensity::Categorical => {
            Err(ExportError::Unsupported { option: "categories outside of categorical networks" })
        }
    }
}

/// The standard deviation `[G, D, P]` of a mixture: the variance of each component and the spread of
/// the components' locations.
fn deviation(
    graph: &mut Graph,
    place: &Place,
    location: &Value,
    scale: &Value,
    mean: &Value,
    weights: Option<&Value>,
) -> Value {
    if weights.is_none() {
        return averaged(graph, &place.at("scale"), scale, None);
    }
    let at = place.at("scale");
    let &[groups, _, per_group, positions] = location.shape() else { return mean.clone() };
    let center = graph.reshape(&at.node("mean"), mean, &[groups, 1, per_group, positions]);
    let apart = graph.pair(&at.node("apart"), "Sub", location, &center);
    let apart = graph.pair(&at.node("apart_squared"), "Mul", &apart, &apart);
    let own = graph.pair(&at.node("squared"), "Mul", scale, scale);
    let square = graph.pair(&at.node("second_moment"), "Add", &own, &apart);
    let variance = averaged(graph, &at, &square, weights);
    graph.map(&at.node("root"), "Sqrt", &variance)
}

/// The average `[G, D, P]` of components `[G, K, D, P]` by their weights; the component itself without
/// weights.
fn averaged(graph: &mut Graph, place: &Place, values: &Value, weights: Option<&Value>) -> Value {
    match weights {
        None => graph.sum(&place.node("only"), values, &[1]),
        Some(weights) => {
            let weighted = graph.pair(&place.node("weighted"), "Mul", values, weights);
            graph.sum(&place.node("average"), &weighted, &[1])
        }
    }
}

/// Values `[G, D, P]` as flat latents in the order of the core.
fn natural(graph: &mut Graph, place: &Place, step: &Step<'_>, values: &Value) -> Value {
    let image = graph.reshape(&place.node("image"), values, &[step.channels(), step.positions()]);
    let rows = graph.transpose(&place.node("channels_last"), &image, &[1, 0]);
    graph.flatten(&place.node("flat"), &rows)
}
