//! Latent transition model `Pbar(. | z, a)` (sections 3.4 and 3.6 of the specification).
//!
//! The second convolution has outputs for every action, of which a sample uses one. Its kernel is
//! therefore selected per sample *before* the product (a product with the one-hot action): with A
//! actions this saves all but 1/A of the arithmetic and memory, and changes no value.
//!
//! Outputs come in the *aligned* layout `[B, M, K, D]`: K components, and `M * D` latent dimensions in
//! whatever order the network produces them; [`TransitionNetwork::align`] brings a latent into the
//! same order. Losses sum over M and D, so the order never matters outside this file.

use burn::module::Module;
use burn::tensor::activation::{relu, softmax, softplus};
use burn::tensor::{Device, Tensor};
use deepspi_run::config::{MixtureLayout, TransitionDensity};
use deepspi_run::network::NetworkSpec;
use rand::Rng;

use super::layers::{Conv, Dense, group_sort};
use super::spectral::Spectral;
use crate::ops::conv::ConvGeometry;
use crate::ops::mixture::MIN_SCALE;

/// Components of the mixture.
pub const MIXTURE_COMPONENTS: usize = 5;
/// 2x2 kernels, SAME: zeros below and to the right.
const SAME_2X2: ConvGeometry = ConvGeometry { stride: 1, pad_end: 1 };
/// Taps of a 2x2 kernel.
const TAPS: usize = 4;

/// Mixture components K of a family.
#[must_use]
pub const fn components(density: TransitionDensity) -> usize {
    match density {
        TransitionDensity::Deterministic | TransitionDensity::Normal => 1,
        TransitionDensity::MixtureNormal => MIXTURE_COMPONENTS,
    }
}

/// Numbers per component and latent dimension: location, and scale if there is one.
const fn statistics(density: TransitionDensity) -> usize {
    match density {
        TransitionDensity::Deterministic => 1,
        TransitionDensity::Normal | TransitionDensity::MixtureNormal => 2,
    }
}

/// Sizes that are not parameters.
#[derive(Clone, Debug)]
struct Sizes {
    latent: [usize; 3],
    actions: usize,
    groups: usize,
    density: TransitionDensity,
    layout: MixtureLayout,
}

/// Two 2x2 convolutions, the second with one block of outputs per action, and mixture weights.
#[derive(Module, Debug)]
pub struct TransitionNetwork {
    /// Shared features.
    pub first: Conv,
    /// Grouped (Lipschitz) or depthwise (free) outputs for every action.
    pub second: Conv,
    /// Mixture logits from the flattened features; only for the mixture.
    pub logits: Option<Dense>,
    #[module(skip)]
    sizes: Sizes,
}

/// The predicted distribution of the next latent, aligned layout.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a handful of handles, one value per update")]
pub enum TransitionOutput {
    /// A point `[B, M, D]`.
    Point(Prediction),
    /// Lipschitz density, sampled with noise within [-1, 1].
    Bounded {
        /// `[B, M, 2, K, D]`, see [`soft_mixture_sample`](crate::ops::mixture::soft_mixture_sample).
        raw: Tensor<5>,
        /// Mixture weights `[B, K]`.
        weights: Tensor<2>,
    },
    /// Unconstrained density.
    Free {
        /// Locations `[B, M, K, D]`, not negative.
        location: Tensor<4>,
        /// Scales `[B, M, K, D]`, positive.
        scale: Tensor<4>,
        /// Mixture weights `[B, K]`.
        weights: Tensor<2>,
    },
}

/// A latent or a sample in the aligned layout `[B, M, D]`.
pub type Prediction = Tensor<3>;

impl TransitionNetwork {
    /// Initial parameters.
    pub fn new(
        spec: &NetworkSpec,
        density: TransitionDensity,
        lipschitz: bool,
        layout: MixtureLayout,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Self {
        let [height, width, channels] = spec.latent();
        let outputs = channels * components(density) * statistics(density) * spec.actions;
        let (features, groups) =
            if lipschitz { (2 * channels, spec.transition_groups) } else { (outputs, outputs) };
        let mixture = density == TransitionDensity::MixtureNormal;
        Self {
            first: Conv::lecun_normal(rng, [2, 2, channels, features], device),
            second: Conv::lecun_normal(rng, [2, 2, features / groups, outputs], device),
            logits: mixture.then(|| {
                let inputs = height * width * features;
                Dense::lecun_normal(rng, [inputs, MIXTURE_COMPONENTS * spec.actions], device)
            }),
            sizes: Sizes {
                latent: [height, width, channels],
                actions: spec.actions,
                groups,
                density,
                layout,
            },
        }
    }

    /// Distribution of the next latent, from latents `[B, h, w, c]` and one-hot actions `[B, A]`.
    ///
    /// With `spectral` the Lipschitz network, without it the free one.
    #[must_use]
    pub fn forward(
        &self,
        latents: Tensor<4>,
        actions: Tensor<2>,
        spectral: Option<&Spectral>,
    ) -> TransitionOutput {
        match spectral {
            Some(spectral) => self.forward_lipschitz(latents, actions, spectral),
            None => self.forward_free(latents, actions),
        }
    }

    fn forward_lipschitz(
        &self,
        latents: Tensor<4>,
        actions: Tensor<2>,
        spectral: &Spectral,
    ) -> TransitionOutput {
        let batch = latents.dims()[0];
        let [height, width, channels] = self.sizes.latent;
        let (groups, positions) = (self.sizes.groups, height * width);
        let (components, statistics) = self.kinds();

        let kernel = spectral.conv(self.first.kernel.val(), 1);
        let features = self.first.forward_with(latents, kernel, SAME_2X2);
        let features = group_sort(features.flatten::<2>(0, 2));
        let features = features.reshape([batch, height, width, 2 * channels]);

        // One [positions, taps] x [taps, outputs] product per sample and group.
        let per_group = channels / groups;
        let outputs = statistics * components * per_group;
        let taps = TAPS * 2 * channels / groups;
        let kernel = spectral.conv(self.second.kernel.val(), groups);
        let kernel = kernel
            .reshape([taps, groups, per_group, components, statistics, self.sizes.actions])
            .permute([5, 1, 0, 4, 3, 2])
            .reshape([self.sizes.actions, groups * taps * outputs]);
        let kernel = actions.clone().matmul(kernel).reshape([batch, groups, taps, outputs]);
        let bias = self
            .second
            .bias
            .val()
            .reshape([groups, per_group, components, statistics, self.sizes.actions])
            .permute([4, 0, 3, 2, 1])
            .reshape([self.sizes.actions, groups * outputs]);
        let bias = actions.clone().matmul(bias).reshape([batch, groups, 1, outputs]);
        let raw = self.group_patches(features.clone()).matmul(kernel) + bias;
        let raw = raw.reshape([batch, groups * positions, statistics, components, per_group]);

        if self.sizes.density == TransitionDensity::Deterministic {
            return TransitionOutput::Point(raw.squeeze_dims(&[2, 3]));
        }
        let weights = self.mixture_weights(features.flatten(1, 3), actions, Some(spectral));
        TransitionOutput::Bounded { raw, weights }
    }

    /// Patches of features `[B, h, w, 2c]` for a grouped 2x2 SAME convolution, `[B, G, P, taps]`.
    fn group_patches(&self, features: Tensor<4>) -> Tensor<4> {
        let [batch, height, width, channels] = features.dims();
        let groups = self.sizes.groups;
        let padded = features.pad([(0, 0), (0, 1), (0, 1), (0, 0)], 0.0);
        let taps = shifts()
            .map(|[dy, dx]| padded.clone().slice([0..batch, dy..dy + height, dx..dx + width]))
            .map(|tap| tap.reshape([batch, height * width, 1, channels]));
        Tensor::cat(taps.to_vec(), 2)
            .reshape([batch, height * width, TAPS, groups, channels / groups])
            .permute([0, 3, 1, 2, 4])
            .reshape([batch, groups, height * width, TAPS * channels / groups])
    }

    fn forward_free(&self, latents: Tensor<4>, actions: Tensor<2>) -> TransitionOutput {
        let batch = latents.dims()[0];
        let [height, width, channels] = self.sizes.latent;
        let positions = height * width;
        let (components, statistics) = self.kinds();
        let outputs = channels * components * statistics;
        let choices = self.sizes.actions;

        let features = relu(self.first.forward(latents, SAME_2X2));
        let weights = self.mixture_weights(features.clone().flatten(1, 3), actions.clone(), None);

        // The second layer is depthwise: an action's outputs depend on that action's features alone.
        let mask = actions.clone().reshape([batch, 1, 1, choices]);
        let selected = features.reshape([batch, positions, outputs, choices]) * mask;
        let selected = selected.sum_dim(3).reshape([batch, height, width, outputs]);
        let kernel = self.second.kernel.val().reshape([TAPS * outputs, choices]).swap_dims(0, 1);
        let kernel = actions.clone().matmul(kernel).reshape([batch, TAPS, 1, outputs]);
        let bias = self.second.bias.val().reshape([outputs, choices]).swap_dims(0, 1);
        let bias = actions.matmul(bias).reshape([batch, 1, 1, outputs]);
        let padded = selected.pad([(0, 0), (0, 1), (0, 1), (0, 0)], 0.0);
        let raw = shifts().into_iter().enumerate().fold(bias, |sum, (tap, [dy, dx])| {
            let shifted = padded.clone().slice([0..batch, dy..dy + height, dx..dx + width]);
            sum + shifted * kernel.clone().narrow(1, tap, 1)
        });

        let raw = match self.sizes.layout {
            MixtureLayout::Corrected => raw
                .reshape([batch, positions, channels, components, statistics])
                .permute([0, 1, 4, 3, 2]),
            MixtureLayout::Parity => raw
                .reshape([batch, components, positions, channels, statistics])
                .permute([0, 2, 4, 1, 3]),
        };
        let location = relu(raw.clone().narrow(2, 0, 1).squeeze_dim::<4>(2));
        if self.sizes.density == TransitionDensity::Deterministic {
            return TransitionOutput::Point(location.squeeze_dim(2));
        }
        let scale = softplus(raw.narrow(2, 1, 1).squeeze_dim::<4>(2), 1.0) + MIN_SCALE;
        TransitionOutput::Free { location, scale, weights }
    }

    /// Softmax over components of the chosen action's logits, `[B, K]`; 1 for a single component.
    fn mixture_weights(
        &self,
        features: Tensor<2>,
        actions: Tensor<2>,
        spectral: Option<&Spectral>,
    ) -> Tensor<2> {
        let [batch, choices] = actions.dims();
        let Some(layer) = &self.logits else {
            return Tensor::ones([batch, 1], &actions.device());
        };
        let logits = layer.forward_spectral(features, spectral).reshape([
            batch,
            MIXTURE_COMPONENTS,
            choices,
        ]);
        let logits = (logits * actions.unsqueeze_dim::<3>(1)).sum_dim(2).squeeze_dim(2);
        softmax(logits, 1)
    }

    /// Brings a latent `[B, h, w, c]` into the aligned layout `[B, M, D]`.
    #[must_use]
    pub fn align(&self, latents: Tensor<4>, lipschitz: bool) -> Prediction {
        let [batch, height, width, channels] = latents.dims();
        let (groups, per_group) = self.alignment(lipschitz, channels);
        latents.reshape([batch, height * width, groups, per_group]).permute([0, 2, 1, 3]).reshape([
            batch,
            groups * height * width,
            per_group,
        ])
    }

    /// Brings noise `[B, K, h, w, c]` into the aligned layout `[B, M, K, D]`.
    #[must_use]
    pub fn align_noise(&self, noise: Tensor<5>, lipschitz: bool) -> Tensor<4> {
        let [batch, components, height, width, channels] = noise.dims();
        let (groups, per_group) = self.alignment(lipschitz, channels);
        noise
            .reshape([batch, components, height * width, groups, per_group])
            .permute([0, 3, 2, 1, 4])
            .reshape([batch, groups * height * width, components, per_group])
    }

    /// Shape `[B, M, K, D]` of the aligned layout.
    #[must_use]
    pub const fn noise_shape(&self, batch: usize, lipschitz: bool) -> [usize; 4] {
        let [height, width, channels] = self.sizes.latent;
        let (groups, per_group) = self.alignment(lipschitz, channels);
        [batch, groups * height * width, components(self.sizes.density), per_group]
    }

    const fn alignment(&self, lipschitz: bool, channels: usize) -> (usize, usize) {
        if lipschitz { (self.sizes.groups, channels / self.sizes.groups) } else { (1, channels) }
    }

    const fn kinds(&self) -> (usize, usize) {
        (components(self.sizes.density), statistics(self.sizes.density))
    }
}

/// Offsets of the taps of a 2x2 kernel, row-major.
const fn shifts() -> [[usize; 2]; TAPS] {
    [[0, 0], [0, 1], [1, 0], [1, 1]]
}
