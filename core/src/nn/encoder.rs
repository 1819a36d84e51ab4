//! The encoder phi: from observations to latents.

use burn::module::Module;
use burn::nn::LayerNorm;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};
use deepspi_run::config::{Activation, Config, NetworksConfig};
use deepspi_run::network::NetworkSpec;
use rand::Rng;

use super::categorical::straight_through;
use super::layers::{Conv, Dense};
use super::{activate, layer_norm};
use crate::ops::conv::ConvGeometry;

/// An encoder. Its variants name their parameters so that checkpoints from before there were others
/// stay readable.
#[derive(Module, Debug)]
pub enum Encoder {
    /// Convolutions with an activation after each.
    Plain(Vec<Conv>),
    /// The same with layer normalisation before activations.
    Normalised(ImageEncoder),
    /// An image encoder, and a dense layer with logits for every class of every category.
    Categorical(CategoricalEncoder),
}

/// Convolutions with layer normalisation before some activations.
#[derive(Module, Debug)]
pub struct ImageEncoder {
    /// The convolutions.
    pub layers: Vec<Conv>,
    /// Their normalisations: of none, of all but the last, of the last, or of all.
    pub norms: Vec<LayerNorm>,
    /// Index of the convolution that the first normalisation belongs to.
    #[module(skip)]
    pub first_norm: usize,
}

/// An encoder to categories.
#[derive(Module, Debug)]
pub struct CategoricalEncoder {
    /// Features of the image.
    pub image: ImageEncoder,
    /// From flattened features to logits, `categories * classes`.
    pub logits: Dense,
}

/// What an encoder computes besides its parameters.
#[derive(Clone, Debug)]
pub struct EncoderForm {
    strides: Vec<usize>,
    activation: Activation,
    /// `[categories, classes]` of categorical latents.
    categories: Option<[usize; 2]>,
}

impl EncoderForm {
    /// The form of the encoders of a run.
    #[must_use]
    pub fn new(spec: &NetworkSpec, config: &Config) -> Self {
        let NetworksConfig { activation, n_cat, n_cls, .. } = config.networks;
        Self {
            strides: spec.encoder.iter().map(|layer| layer.stride).collect(),
            activation,
            categories: config.has_categorical_latents().then_some([n_cat, n_cls]),
        }
    }

    /// The form of an encoder of observations alone.
    #[must_use]
    pub fn of_observations(spec: &NetworkSpec, activation: Activation) -> Self {
        let strides = spec.encoder.iter().map(|layer| layer.stride).collect();
        Self { strides, activation, categories: None }
    }

    /// Number of dimensions of one latent.
    #[must_use]
    pub fn latent_len(&self, spec: &NetworkSpec) -> usize {
        self.categories.map_or(spec.latent_len(), |[categories, classes]| categories * classes)
    }

    /// The form without categories: that of the critic's own encoder.
    #[must_use]
    pub fn of_images(self) -> Self {
        Self { categories: None, ..self }
    }
}

impl Encoder {
    /// Logits `[B, categories, classes]` of observations; none if latents are not categorical.
    #[must_use]
    pub fn logits(&self, observations: Tensor<4>, form: &EncoderForm) -> Option<Tensor<3>> {
        match self {
            Self::Categorical(encoder) => Some(encoder.logits(observations, form)),
            Self::Plain(_) | Self::Normalised(_) => None,
        }
    }

    /// Initial parameters of an encoder of this form.
    pub fn new(
        spec: &NetworkSpec,
        config: &NetworksConfig,
        form: &EncoderForm,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Self {
        let mut channels = spec.frame.channels;
        let layers = spec.encoder.iter().map(|layer| {
            let shape = [layer.kernel, layer.kernel, channels, layer.outputs];
            channels = layer.outputs;
            Conv::orthogonal(rng, shape, 2.0_f32.sqrt(), device)
        });
        let layers: Vec<Conv> = layers.collect();
        let last = layers.len() - 1;
        let is_normalised = |i: usize| {
            if i == last { config.layer_norm_cnn_output } else { config.use_layer_norm }
        };
        let normalised: Vec<usize> = (0..=last).filter(|i| is_normalised(*i)).collect();
        if normalised.is_empty() && form.categories.is_none() {
            return Self::Plain(layers);
        }
        let norms = normalised.iter().map(|&i| layer_norm(spec.encoder[i].outputs, device));
        let norms = norms.collect();
        let first_norm = normalised.first().copied().unwrap_or(0);
        let image = ImageEncoder { layers, norms, first_norm };
        match form.categories {
            None => Self::Normalised(image),
            Some([categories, classes]) => {
                let shape = [spec.latent_len(), categories * classes];
                let logits = Dense::lecun_normal(rng, shape, device);
                Self::Categorical(CategoricalEncoder { image, logits })
            }
        }
    }

    /// Latents `[B, h, w, c]` of observations `[B, H, W, C]` in [0, 1].
    #[must_use]
    pub fn encode(&self, observations: Tensor<4>, form: &EncoderForm) -> Tensor<4> {
        match self {
            Self::Plain(layers) => convolve(layers, &[], 0, observations, form),
            Self::Normalised(encoder) => encoder.forward(observations, form),
            Self::Categorical(encoder) => {
                let logits = encoder.logits(observations, form);
                let probabilities = softmax(logits.clone(), 2);
                straight_through(logits, probabilities).unsqueeze_dim(1)
            }
        }
    }
}

impl ImageEncoder {
    fn forward(&self, observations: Tensor<4>, form: &EncoderForm) -> Tensor<4> {
        convolve(&self.layers, &self.norms, self.first_norm, observations, form)
    }
}

impl CategoricalEncoder {
    /// Logits `[B, categories, classes]` of observations.
    ///
    /// # Panics
    /// If the form has no categories.
    #[must_use]
    pub fn logits(&self, observations: Tensor<4>, form: &EncoderForm) -> Tensor<3> {
        let features = self.image.forward(observations, form);
        let batch = features.dims()[0];
        let [categories, classes] =
            form.categories.expect("an encoder to categories is made from a form with categories");
        self.logits.forward(features.flatten(1, 3)).reshape([batch, categories, classes])
    }
}

fn convolve(
    layers: &[Conv],
    norms: &[LayerNorm],
    first_norm: usize,
    observations: Tensor<4>,
    form: &EncoderForm,
) -> Tensor<4> {
    layers.iter().zip(&form.strides).enumerate().fold(observations, |x, (i, (layer, &stride))| {
        let geometry = ConvGeometry { stride, pad_end: 0 };
        let norm = i.checked_sub(first_norm).and_then(|i| norms.get(i));
        match norm {
            None => layer.forward_activated(x, geometry, form.activation),
            Some(norm) => activate(form.activation, norm.forward(layer.forward(x, geometry))),
        }
    })
}
