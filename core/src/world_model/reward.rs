//! Latent reward model `Rbar(z, a)` (docs/deepspi.md, sections 3.5 and 3.6).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use deepspi_run::network::NetworkSpec;
use rand::Rng;

use super::architecture::Architecture;
use crate::nn::{Dense, Spectral, group_sort};
use crate::ops::choice::chosen;

/// Lipschitz: two hidden layers with GroupSort; free: one hidden layer with ReLU.
#[derive(Module, Debug)]
pub struct RewardNetwork {
    /// Hidden layers, then the layer with one output per action.
    pub layers: Vec<Dense>,
    /// Normalisation of the Lipschitz network; none for the free one.
    #[module(skip)]
    spectral: Option<Spectral>,
}

impl RewardNetwork {
    /// Initial parameters.
    pub fn new(
        spec: &NetworkSpec,
        architecture: &Architecture,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Self {
        let width = spec.reward_hidden;
        let (widths, spectral) = match architecture {
            Architecture::Lipschitz(spectral) => {
                (vec![spec.latent_len(), width, width, spec.actions], Some(spectral.clone()))
            }
            Architecture::Free(_) => (vec![spec.latent_len(), spec.hidden, spec.actions], None),
        };
        let layers =
            widths.windows(2).map(|w| Dense::lecun_normal(rng, [w[0], w[1]], device)).collect();
        Self { layers, spectral }
    }

    /// Predicted reward `[B]` of latents `[B, h, w, c]` and actions `[B, A]` (one-hot).
    #[must_use]
    pub fn forward(&self, latents: Tensor<4>, actions: Tensor<2>) -> Tensor<1> {
        let spectral = self.spectral.as_ref();
        let mut x = latents.flatten(1, 3);
        for (i, layer) in self.layers.iter().enumerate() {
            let is_hidden = i + 1 < self.layers.len();
            x = match spectral {
                None if is_hidden => layer.forward_relu(x),
                _ => layer.forward_spectral(x, spectral),
            };
            if is_hidden && spectral.is_some() {
                x = group_sort(x);
            }
        }
        chosen(x.unsqueeze_dim(1), actions, false).squeeze_dim(1)
    }
}
