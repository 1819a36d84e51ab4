//! The graphs of an agent as ONNX files.
//!
//! The tensors of the model must be on the CPU, where they can be read at once:
//! [`deepspi_core::checkpoint::on_cpu`].

use deepspi_core::model::Model;
use deepspi_run::config::Config;
use deepspi_run::network::NetworkSpec;

pub use crate::density::meaning_of_scale;
use crate::error::ExportError;
use crate::{agent as agent_graph, world_model};

/// Facts about an agent that its files carry, as names and values.
pub type Facts<'a> = [(&'a str, String)];

/// Graph 1: `observation` (`uint8 [batch, C, H, W]`) to `latent`, `logits`, `log_probs` and `value`.
///
/// # Errors
/// If the agent cannot be written as a graph.
pub fn agent(
    model: &Model,
    config: &Config,
    spec: &NetworkSpec,
    facts: &Facts<'_>,
) -> Result<Vec<u8>, ExportError> {
    let graph = agent_graph::graph(model, config, spec)?;
    Ok(graph.finish("A DeepSPI agent: encoder, policy and value.", facts))
}

/// Graph 2: `latent` and `action` (`int64 [batch]`) to `reward`, `next_latent`, where the prediction
/// has a scale `next_latent_scale`, and with a done predictor `continuation`. None for an agent whose
/// world model was never trained.
///
/// # Errors
/// If the world model cannot be written as a graph.
pub fn world_model_step(
    model: &Model,
    config: &Config,
    spec: &NetworkSpec,
    facts: &Facts<'_>,
) -> Result<Option<Vec<u8>>, ExportError> {
    if !has_world_model(config) {
        return Ok(None);
    }
    let graph = world_model::graph(model, config, spec)?;
    Ok(Some(graph.finish("One step of the world model of a DeepSPI agent.", facts)))
}

/// Whether the world model of such an agent was trained.
#[must_use]
pub fn has_world_model(config: &Config) -> bool {
    config.uses_world_model() || config.is_dream()
}
