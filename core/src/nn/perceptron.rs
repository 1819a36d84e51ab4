//! Dense layers with an activation after each, and layer normalisation before it if wanted.

use burn::module::Module;
use burn::nn::LayerNorm;
use burn::tensor::{Device, Tensor};
use deepspi_run::config::Activation;
use rand::Rng;

use super::layers::Dense;
use super::{activate, layer_norm};

/// Hidden layers of a fully connected network.
#[derive(Module, Debug)]
pub struct Perceptron {
    /// The layers.
    pub layers: Vec<Dense>,
    /// Their normalisations; none without layer normalisation.
    pub norms: Vec<LayerNorm>,
    #[module(skip)]
    activation: Activation,
}

/// How the hidden layers of a network are made.
#[derive(Clone, Copy, Debug)]
pub struct HiddenLayers {
    /// Activation after each.
    pub activation: Activation,
    /// Whether each is normalised before its activation.
    pub normalised: bool,
    /// Whether kernels start orthogonal with gain sqrt 2, or else with variance 1 / inputs.
    pub orthogonal: bool,
}

impl Perceptron {
    /// Layers from `widths[0]` inputs to each of the other widths.
    pub fn new(
        widths: &[usize],
        hidden: HiddenLayers,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Self {
        let layers = widths.windows(2).map(|w| {
            let shape = [w[0], w[1]];
            if hidden.orthogonal {
                Dense::orthogonal(rng, shape, 2.0_f32.sqrt(), device)
            } else {
                Dense::lecun_normal(rng, shape, device)
            }
        });
        let layers: Vec<Dense> = layers.collect();
        let norms = widths[1..].iter().filter(|_| hidden.normalised);
        let norms = norms.map(|width| layer_norm(*width, device)).collect();
        Self { layers, norms, activation: hidden.activation }
    }

    /// `[B, in]` to `[B, out]`.
    #[must_use]
    pub fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        self.layers.iter().enumerate().fold(input, |x, (i, layer)| match self.norms.get(i) {
            None => layer.forward_activated(x, self.activation),
            Some(norm) => activate(self.activation, norm.forward(layer.forward(x))),
        })
    }
}
