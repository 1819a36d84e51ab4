//! What the networks of categorical latents have in common.

use burn::module::Param;
use burn::tensor::{Device, Tensor};
use deepspi_run::network::NetworkSpec;
use rand::Rng;

use crate::nn::attention::HEADS;
use crate::nn::tokens::normal_table;
use crate::nn::trunk::hidden_widths;
use crate::world_model::architecture::CategoricalArchitecture;
use crate::world_model::density::Statistics;
use crate::world_model::latent::Latent;

/// Sizes of the networks of categorical latents.
#[derive(Clone, Debug)]
pub struct CategorySizes {
    /// Number of categories.
    pub categories: usize,
    /// Number of classes of each.
    pub classes: usize,
    /// Number of actions A.
    pub actions: usize,
    /// Width of a token.
    pub token: usize,
    /// Widths of the hidden layers of fully connected networks.
    pub hidden: Vec<usize>,
    /// Width of the hidden layer of an expert, and of one of a plain reward network.
    pub expert: usize,
}

impl CategorySizes {
    /// The sizes that an agent's networks imply: a token is a quarter as wide as the trunk, 128 in the
    /// paper's networks.
    #[must_use]
    pub fn of(spec: &NetworkSpec, latent: Latent, architecture: &CategoricalArchitecture) -> Self {
        let [_, categories, classes] = latent.shape();
        Self {
            categories,
            classes,
            actions: spec.actions,
            token: (spec.hidden / 4).next_multiple_of(HEADS),
            hidden: hidden_widths(spec, architecture.is_dreamer),
            expert: spec.hidden,
        }
    }
}

/// Embeddings `[A, token]` of the actions, with variance 1 / token.
pub(super) fn action_table(
    sizes: &CategorySizes,
    rng: &mut impl Rng,
    device: &Device,
) -> Param<Tensor<2>> {
    let deviation = (sizes.token as f32).sqrt().recip();
    normal_table(rng, [sizes.actions, sizes.token], deviation, device)
}

/// The statistics of logits `[B, categories, classes]`.
pub(super) fn statistics(logits: Tensor<3>) -> Statistics {
    let [batch, categories, classes] = logits.dims();
    let weights = Tensor::ones([batch, 1], &logits.device());
    Statistics { values: logits.reshape([batch, categories, 1, 1, classes]), weights }
}
