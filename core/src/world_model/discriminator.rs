//! Discriminators: they tell true next latents from imagined ones, and so estimate a distance of the two
//! distributions from below (docs/deepspi.md, section 3.8).
//!
//! The Lipschitz one estimates the Wasserstein distance of continuous latents, the bounded one the total
//! variation of categorical ones. A maximiser trains them; the world model is trained against them.

use burn::module::Module;
use burn::nn::LayerNorm;
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Device, Tensor};
use deepspi_run::config::{Activation, Config, NetworksConfig};
use deepspi_run::network::NetworkSpec;
use rand::Rng;

use super::latent::Latent;
use crate::nn::attention::HEADS;
use crate::nn::encoder::{Encoder, EncoderForm};
use crate::nn::tokens::TokenTable;
use crate::nn::{Conv, Dense, Spectral, StartVector, group_sort, layer_norm};
use crate::ops::choice::chosen;
use crate::ops::conv::ConvGeometry;

/// Logits beyond this give outputs within 1e-6 of 0 or 1.
const LARGEST_LOGIT: f32 = 13.8155;
/// Outputs this near to 0 or 1 are exactly that.
const EDGE: f32 = 1.1e-6;

/// A discriminator.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "a model has one")]
pub enum Discriminator {
    /// Of categorical latents, with outputs in [-1/2, 1/2].
    Bounded(BoundedDiscriminator),
    /// Of continuous latents, with normalised kernels.
    Lipschitz(LipschitzDiscriminator),
}

/// Tokens of both latents, one hidden layer, one bounded output per action.
#[derive(Module, Debug)]
pub struct BoundedDiscriminator {
    /// Tokens of the latent and of the next one.
    pub tokens: TokenTable,
    /// Features of the observation, and a layer from them to as many numbers as the tokens of a latent;
    /// none if it does not see the observation.
    pub image: Option<ImageBranch>,
    /// Hidden layer with ReLU.
    pub hidden: Dense,
    /// Before that ReLU.
    pub hidden_norm: LayerNorm,
    /// One output per action.
    pub output: Dense,
    /// Over the outputs of all actions.
    pub output_norm: LayerNorm,
}

/// What the bounded discriminator makes of an observation.
#[derive(Module, Debug)]
pub struct ImageBranch {
    /// Convolutions, the last one with layer normalisation.
    pub encoder: Encoder,
    /// To tokens.
    pub tokens: Dense,
    #[module(skip)]
    form: EncoderForm,
}

/// A shared layer for both latents, two hidden layers with GroupSort, one output per action.
#[derive(Module, Debug)]
pub struct LipschitzDiscriminator {
    /// Of the latent and of the next one.
    pub latents: Dense,
    /// Convolutions of the observation, with GroupSort; none if it does not see the observation.
    pub convolutions: Vec<Conv>,
    /// Of the features of the observation.
    pub image: Option<Dense>,
    /// Hidden layers.
    pub hidden: Vec<Dense>,
    /// One output per action.
    pub output: Dense,
    #[module(skip)]
    strides: Vec<usize>,
    #[module(skip)]
    spectral: Spectral,
}

/// What a discriminator judges, for B transitions.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Observations `[B, H, W, C]`; only read by one that sees them.
    pub observations: Option<Tensor<4>>,
    /// One-hot `[B, A]`.
    pub actions: Tensor<2>,
    /// Latents `[B, h, w, c]`.
    pub latents: Tensor<4>,
}

impl Discriminator {
    /// Initial parameters; `start` is the start vector of the power iterations.
    pub fn new(
        spec: &NetworkSpec,
        config: &Config,
        start: StartVector,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Self {
        let sees = config.dream.discriminator_obs_encoder;
        if config.has_categorical_latents() {
            return Self::Bounded(BoundedDiscriminator::new(spec, config, sees, rng, device));
        }
        let spectral = Spectral { mode: config.world_model.spectral_mode, start };
        let latent = Latent::of(spec, config).dimensions();
        Self::Lipschitz(LipschitzDiscriminator::new(spec, latent, spectral, sees, rng, device))
    }

    /// Whether it sees observations.
    #[must_use]
    pub const fn sees_observations(&self) -> bool {
        match self {
            Self::Bounded(network) => network.image.is_some(),
            Self::Lipschitz(network) => network.image.is_some(),
        }
    }

    /// Its output `[B]` for next latents `[B, h, w, c]`.
    ///
    /// # Panics
    /// If it sees observations and there are none.
    #[must_use]
    pub fn judge(&self, judged: Judged, next: Tensor<4>) -> Tensor<1> {
        let Judged { observations, actions, latents } = judged;
        let all = match self {
            Self::Bounded(network) => network.all(observations, latents, next),
            Self::Lipschitz(network) => network.all(observations, latents, next),
        };
        chosen(all.unsqueeze_dim(1), actions, false).squeeze_dim(1)
    }
}

fn seen(observations: Option<Tensor<4>>) -> Tensor<4> {
    observations.expect("a discriminator that sees observations gets them")
}

impl BoundedDiscriminator {
    fn new(
        spec: &NetworkSpec,
        config: &Config,
        sees: bool,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Self {
        let NetworksConfig { n_cat, n_cls, .. } = config.networks;
        let token = (spec.hidden / 4).next_multiple_of(HEADS);
        let tokens = TokenTable::new([n_cat, n_cls], token, 1.0, rng, device);
        let mut branch = || {
            let networks = NetworksConfig {
                activation: Activation::Relu,
                use_layer_norm: false,
                layer_norm_cnn_output: true,
                ..config.networks
            };
            let form = EncoderForm::of_observations(spec, Activation::Relu);
            ImageBranch {
                encoder: Encoder::new(spec, &networks, &form, rng, device),
                tokens: Dense::lecun_normal(rng, [spec.latent_len(), n_cat * token], device),
                form,
            }
        };
        let image = sees.then(&mut branch);
        let inputs = (2 + usize::from(sees)) * n_cat * token;
        Self {
            tokens,
            image,
            hidden: Dense::lecun_normal(rng, [inputs, spec.hidden], device),
            hidden_norm: layer_norm(spec.hidden, device),
            output: Dense::lecun_normal(rng, [spec.hidden, spec.actions], device),
            output_norm: layer_norm(spec.actions, device),
        }
    }

    fn all(
        &self,
        observations: Option<Tensor<4>>,
        latents: Tensor<4>,
        next: Tensor<4>,
    ) -> Tensor<2> {
        let tokens = |latents: Tensor<4>| self.tokens.embed(latents.squeeze_dim(1));
        let (first, second) = (tokens(latents), tokens(next));
        let shape = first.dims();
        let mut parts = vec![first, second];
        if let Some(branch) = &self.image {
            let features = branch.encoder.encode(seen(observations), &branch.form);
            let tokens = branch.tokens.forward(features.flatten(1, 3));
            parts.insert(0, tokens.reshape(shape));
        }
        let joined = Tensor::cat(parts, 2).flatten::<2>(1, 2);
        let hidden = relu(self.hidden_norm.forward(self.hidden.forward(joined)));
        let logits = self.output_norm.forward(self.output.forward(hidden)) * 2.0;
        stable_sigmoid(logits) - 0.5
    }
}

/// The sigmoid of logits that are clipped, with outputs near 0 and 1 replaced by these; its gradient is
/// that of the sigmoid at the clipped logits.
fn stable_sigmoid(logits: Tensor<2>) -> Tensor<2> {
    let clipped = logits.clone().detach().clamp(-LARGEST_LOGIT, LARGEST_LOGIT);
    let logits = logits.clone() + (clipped - logits.detach());
    let value = sigmoid(logits);
    let plain = value.clone().detach();
    let rounded = plain
        .clone()
        .mask_fill(plain.clone().lower_equal_elem(EDGE), 0.0)
        .mask_fill(plain.clone().greater_equal_elem(1.0 - EDGE), 1.0);
    value + (rounded - plain)
}

/// Width of the shared layer, as a share of the hidden one: 128 of 256.
const SHARE: usize = 2;

impl LipschitzDiscriminator {
    fn new(
        spec: &NetworkSpec,
        latent: usize,
        spectral: Spectral,
        sees: bool,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Self {
        let hidden = spec.reward_hidden;
        let shared = (hidden / SHARE).max(1);
        let latents = Dense::lecun_normal(rng, [latent, shared], device);
        let mut channels = spec.frame.channels;
        let convolutions = spec.encoder.iter().filter(|_| sees).map(|layer| {
            let shape = [layer.kernel, layer.kernel, channels, layer.outputs];
            channels = layer.outputs;
            Conv::lecun_normal(rng, shape, device)
        });
        let convolutions = convolutions.collect();
        let image = sees.then(|| Dense::lecun_normal(rng, [spec.latent_len(), shared], device));
        let inputs = (2 + usize::from(sees)) * shared;
        let mut layer = |shape| Dense::lecun_normal(rng, shape, device);
        Self {
            latents,
            convolutions,
            image,
            hidden: vec![layer([inputs, hidden]), layer([hidden, hidden])],
            output: layer([hidden, spec.actions]),
            strides: spec.encoder.iter().map(|layer| layer.stride).collect(),
            spectral,
        }
    }

    fn all(
        &self,
        observations: Option<Tensor<4>>,
        latents: Tensor<4>,
        next: Tensor<4>,
    ) -> Tensor<2> {
        let spectral = Some(&self.spectral);
        let of =
            |latents: Tensor<4>| self.latents.forward_spectral(latents.flatten(1, 3), spectral);
        let mut parts = vec![of(latents), of(next)];
        if let Some(layer) = &self.image {
            let features = self.features(seen(observations));
            parts.insert(0, layer.forward_spectral(features.flatten(1, 3), spectral));
        }
        let joined = Tensor::cat(parts, 1);
        let hidden = self
            .hidden
            .iter()
            .fold(joined, |x, layer| group_sort(layer.forward_spectral(x, spectral)));
        self.output.forward_spectral(hidden, spectral)
    }

    /// Features `[B, h, w, c]` of observations.
    fn features(&self, observations: Tensor<4>) -> Tensor<4> {
        self.convolutions.iter().zip(&self.strides).fold(observations, |x, (layer, &stride)| {
            let kernel = self.spectral.conv(layer.kernel.val(), 1);
            let x = layer.forward_with(x, kernel, ConvGeometry { stride, pad_end: 0 });
            let shape = x.dims();
            group_sort(x.flatten::<2>(0, 2)).reshape(shape)
        })
    }
}
