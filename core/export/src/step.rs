//! What all parts of a step of the world model share: its inputs, and the sizes of its latents.

use deepspi_core::nn::tokens::TokenTable;
use deepspi_core::world_model::WorldModel;
use deepspi_run::config::{Config, TransitionDensity};
use deepspi_run::network::NetworkSpec;

use crate::attention::embedded;
use crate::error::ExportError;
use crate::graph::{Graph, Value};
use crate::layers::require_equal;
use crate::place::Place;

/// Inputs and sizes of one step.
#[derive(Debug)]
pub struct Step<'a> {
    /// Hyper-parameters of the agent.
    pub config: &'a Config,
    /// Flat latents, in the order of the core.
    pub latent: Value,
    /// The action of each sample, `[1]`.
    pub action: Value,
    /// Natural shape of a latent: rows, columns, channels; or 1, categories, classes.
    pub shape: [usize; 3],
    /// Number of actions A.
    pub actions: usize,
    /// Mixture components K.
    pub components: usize,
}

impl<'a> Step<'a> {
    /// A step with these inputs.
    pub fn new(
        model: &WorldModel,
        config: &'a Config,
        spec: &NetworkSpec,
        latent: Value,
        action: Value,
    ) -> Self {
        Self {
            config,
            latent,
            action,
            shape: model.latent().shape(),
            actions: spec.actions,
            components: model.components(),
        }
    }

    /// Channels of a latent.
    pub const fn channels(&self) -> usize {
        self.shape[2]
    }

    /// Positions of a latent.
    pub const fn positions(&self) -> usize {
        self.shape[0] * self.shape[1]
    }

    /// Sizes `[G, D, K, S, A]` of the outputs of a transition network.
    pub const fn output_sizes(&self, groups: usize, statistics: usize) -> [usize; 5] {
        [groups, self.channels() / groups, self.components, statistics, self.actions]
    }

    /// Statistics S in a number of outputs.
    ///
    /// # Errors
    /// If the density does not have that many.
    pub fn statistics(&self, outputs: usize, place: &Place) -> Result<usize, ExportError> {
        let each = self.channels() * self.components * self.actions;
        let (found, model) = (outputs / each, &self.config.world_model);
        let expected = match model.transition_density {
            TransitionDensity::Deterministic => 1,
            // One plain convolution has a third statistic, from which the weights of a mixture come.
            TransitionDensity::MixtureNormal
                if !model.lipschitz_nets && !model.use_feature_group =>
            {
                3
            }
            _ => 2,
        };
        require_equal(&place.node("outputs"), outputs, each * expected)?;
        Ok(found)
    }

    /// Latents as images `[C, H, W]`.
    pub fn image(&self, graph: &mut Graph, place: &Place) -> Value {
        let rows = graph.reshape(&place.node("latent"), &self.latent, &self.shape);
        graph.transpose(&place.node("image"), &rows, &[2, 0, 1])
    }

    /// Tokens `[categories, width]` of categorical latents.
    ///
    /// # Errors
    /// If a parameter cannot be read.
    pub fn tokens(
        &self,
        graph: &mut Graph,
        place: &Place,
        table: &TokenTable,
    ) -> Result<Value, ExportError> {
        let [_, categories, classes] = self.shape;
        let rows = graph.reshape(&place.node("latent"), &self.latent, &[categories, classes]);
        embedded(graph, &place.at("tokens"), table, &rows)
    }
}
