//! Graph 2: one step of the world model.

use deepspi_core::model::Model;
use deepspi_core::world_model::reward::{DenseReward, ExpertReward, RewardNetwork, TokenReward};
use deepspi_run::config::Config;
use deepspi_run::network::NetworkSpec;

use crate::density::{meaning_of_scale, next};
use crate::error::ExportError;
use crate::experts::soft_moe;
use crate::graph::{Graph, Value};
use crate::layers::{activate, chosen, dense, group_sort, one_hot_of_largest, perceptron};
use crate::place::Place;
use crate::proto::ElementType;
use crate::step::Step;
use crate::transition::{Prediction, predict, spectral_dense};

/// The graph of one step.
///
/// # Errors
/// If the world model cannot be written as a graph.
pub(crate) fn graph(
    model: &Model,
    config: &Config,
    spec: &NetworkSpec,
) -> Result<Graph, ExportError> {
    let world = &model.world_model;
    let mut graph = Graph::new("world_model", "One step of the world model of a trained agent.");
    let float = ElementType::Float;
    let what = "A latent as the agent's graph returns it.";
    let latent = graph.input("latent", float, &[world.latent().dimensions()], what);
    let what = "Index of the action.";
    let action = graph.input("action", ElementType::Int64, &[], what);
    // One index for each sample, as choosing its outputs needs it.
    let axes = graph.integers("action/index/axes", &[1]);
    let index = graph.node_of(
        ElementType::Int64,
        "action/index",
        "Unsqueeze",
        &[&action, &axes],
        Vec::new(),
        &[1],
    );
    let step = Step::new(world, config, spec, latent, index);

    let reward = reward(&mut graph, &step, &world.reward)?;
    let (mean, scale, what) = match predict(&mut graph, &step, &world.transition)? {
        Prediction::Mixture { values, weights } => {
            let next = next(&mut graph, &step, &values, weights.as_ref())?;
            let what = "Mean of the predicted distribution of the next latent.";
            (next.mean, next.scale, what)
        }
        Prediction::Logits(logits) => {
            let all = graph.softmax("next/probabilities", &logits, 1);
            let what = "Probabilities of the classes of each category; the next latent is one-hot.";
            (graph.flatten("next/flat", &all), None, what)
        }
    };
    let continuation = match &world.done {
        None => None,
        Some(predictor) => {
            let seen = likely_latent(&mut graph, &step, &mean);
            let place = Place::new("done", "world_model.done");
            let activation = config.networks.activation;
            let hidden =
                perceptron(&mut graph, &place.at("hidden"), &predictor.hidden, activation, &seen)?;
            let logit = dense(&mut graph, &place.at("output"), &predictor.output, &hidden)?;
            let logit = graph.reshape("done/logit", &logit, &[]);
            let end = graph.map("done/probability", "Sigmoid", &logit);
            let end = graph.map("done/negative", "Neg", &end);
            Some(graph.with_number("done/continuation", "Add", &end, 1.0))
        }
    };

    graph.output(&reward, float, "reward", "Predicted reward of the step, as the learner sees it.");
    graph.output(&mean, float, "next_latent", what);
    if let (Some(scale), Some(what)) = (scale, meaning_of_scale(config)) {
        graph.output(&scale, float, "next_latent_scale", what);
    }
    if let Some(continuation) = continuation {
        let what = "Probability that the episode goes on in the next latent.";
        graph.output(&continuation, float, "continuation", what);
    }
    Ok(graph)
}

/// The next latent that the done predictor reads: the mean, or the most probable class of each category.
fn likely_latent(graph: &mut Graph, step: &Step<'_>, mean: &Value) -> Value {
    if !step.config.has_categorical_latents() {
        return mean.clone();
    }
    let [_, categories, classes] = step.shape;
    let table = graph.reshape("next/table", mean, &[categories, classes]);
    let place = Place::new("next", "");
    let likely = one_hot_of_largest(graph, &place, &table);
    graph.flatten("next/likely", &likely)
}

fn reward(
    graph: &mut Graph,
    step: &Step<'_>,
    network: &RewardNetwork,
) -> Result<Value, ExportError> {
    let place = Place::new("reward", "world_model.reward");
    match network {
        RewardNetwork::Dense(network) => dense_reward(graph, &place, step, network),
        RewardNetwork::Tokens(network) => token_reward(graph, &place, step, network),
        RewardNetwork::Experts(ExpertReward { experts, output }) => {
            let outputs = soft_moe(graph, &place.at("experts"), step, experts)?;
            let flat = graph.flatten("reward/flat", &outputs);
            let reward = dense(graph, &place.at("output"), output, &flat)?;
            Ok(graph.reshape("reward/only", &reward, &[]))
        }
    }
}

fn dense_reward(
    graph: &mut Graph,
    place: &Place,
    step: &Step<'_>,
    network: &DenseReward,
) -> Result<Value, ExportError> {
    let spectral = network.spectral.as_ref();
    let mut x = step.latent.clone();
    for (i, layer) in network.layers.iter().enumerate() {
        let at = place.part(&i.to_string(), &format!("layers.{i}"));
        x = spectral_dense(graph, &at, layer, spectral, &x)?;
        if i + 1 < network.layers.len() {
            x = match spectral {
                Some(_) => group_sort(graph, &at, &x)?,
                None => activate(graph, &at, step.config.networks.activation, &x),
            };
        }
    }
    Ok(chosen(graph, &place.node("of_action"), &x, &step.action))
}

fn token_reward(
    graph: &mut Graph,
    place: &Place,
    step: &Step<'_>,
    network: &TokenReward,
) -> Result<Value, ExportError> {
    let tokens = step.tokens(graph, place, &network.tokens)?;
    let flat = graph.flatten(&place.node("flat"), &tokens);
    let activation = step.config.networks.activation;
    let hidden = perceptron(graph, &place.at("hidden"), &network.hidden, activation, &flat)?;
    let mut all = dense(graph, &place.at("output"), &network.output, &hidden)?;
    if step.config.world_model.clip_reward_net_output {
        all = graph.map(&place.node("sigmoid"), "Sigmoid", &all);
        all = graph.with_number(&place.node("twice"), "Mul", &all, 2.0);
        all = graph.with_number(&place.node("bounded"), "Sub", &all, 1.0);
    }
    Ok(chosen(graph, &place.node("of_action"), &all, &step.action))
}
