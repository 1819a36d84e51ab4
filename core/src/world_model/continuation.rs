//! Whether an imagined episode continues.
//!
//! With a done predictor the model says how likely a latent is that of an ended episode; without one an
//! imagined episode never ends, and real ends enter the losses only as done flags of the rollout. The
//! parameters of the predictor must come after those of the reward network, because saved checkpoints
//! depend on the order of the flat vector.

use burn::module::Module;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};
use deepspi_run::config::Config;
use deepspi_run::network::NetworkSpec;
use rand::Rng;

use super::latent::Latent;
use crate::nn::Dense;
use crate::nn::perceptron::{HiddenLayers, Perceptron};
use crate::ops::smooth_l1::smooth_l1_distance;

/// Added to the predicted probability in the loss, as in the authors' code.
const SMALL: f32 = 1e-8;

/// The probability that a latent is that of an ended episode (docs/deepspi.md, section 3.7).
#[derive(Module, Debug)]
pub struct DonePredictor {
    /// One hidden layer on the flattened latent.
    pub hidden: Perceptron,
    /// To the logit.
    pub output: Dense,
}

impl DonePredictor {
    /// Initial parameters.
    pub fn new(
        spec: &NetworkSpec,
        latent: Latent,
        config: &Config,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Self {
        let hidden = HiddenLayers {
            activation: config.networks.activation,
            normalised: config.networks.use_layer_norm,
            orthogonal: false,
        };
        let widths = [latent.dimensions(), spec.hidden];
        Self {
            hidden: Perceptron::new(&widths, hidden, rng, device),
            output: Dense::lecun_normal(rng, [spec.hidden, 1], device),
        }
    }

    /// Logits `[B]` of latents `[B, h, w, c]`.
    #[must_use]
    pub fn logits(&self, latents: Tensor<4>) -> Tensor<1> {
        self.output.forward(self.hidden.forward(latents.flatten(1, 3))).squeeze_dim(1)
    }

    /// Probabilities `[B]` of latents `[B, h, w, c]`.
    #[must_use]
    pub fn probabilities(&self, latents: Tensor<4>) -> Tensor<1> {
        sigmoid(self.logits(latents))
    }

    /// Smooth-L1 `[B]` of predicted probabilities and the labels `ends` `[B]`.
    #[must_use]
    pub fn loss(&self, latents: Tensor<4>, ends: Tensor<1>) -> Tensor<1> {
        let predicted = self.probabilities(latents) + SMALL;
        smooth_l1_distance(predicted.unsqueeze_dim(1), ends.unsqueeze_dim(1))
    }
}
