//! What a latent is, and the order of its dimensions inside the world model.
//!
//! Everything outside the world model sees a latent in its *natural* layout `[B, h, w, c]`. A
//! transition network predicts the latent dimensions in an order of its own, the *aligned* layout
//! `[B, M, D]`; losses sum over M and D, so the order does not matter to them. [`Alignment`]
//! converts in both directions. The two conversions must stay inverse to each other, because an
//! imagined latent is the network's next input.

use burn::tensor::Tensor;
use deepspi_run::config::{Config, NetworksConfig};
use deepspi_run::network::NetworkSpec;

use crate::ops::transition_target::transition_target;

/// The kind of a latent, and its natural shape.
///
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latent {
    /// Feature maps of the convolutional encoder: real numbers.
    Continuous {
        /// Rows, columns and channels `[h, w, c]`.
        shape: [usize; 3],
    },
    /// A class of each category, one-hot. A sample in the middle of a gradient is one-hot, too; only
    /// its gradient is that of probabilities.
    Categorical {
        /// Number of categories.
        categories: usize,
        /// Number of classes of each.
        classes: usize,
    },
}

impl Latent {
    /// The latents of an agent's encoder.
    #[must_use]
    pub fn of(spec: &NetworkSpec, config: &Config) -> Self {
        if config.has_categorical_latents() {
            let NetworksConfig { n_cat, n_cls, .. } = config.networks;
            Self::Categorical { categories: n_cat, classes: n_cls }
        } else {
            Self::Continuous { shape: spec.latent() }
        }
    }

    /// Natural shape of one latent, `[h, w, c]`; `[1, categories, classes]` if it is categorical.
    #[must_use]
    pub const fn shape(self) -> [usize; 3] {
        match self {
            Self::Continuous { shape } => shape,
            Self::Categorical { categories, classes } => [1, categories, classes],
        }
    }

    /// Number of dimensions of one latent.
    #[must_use]
    pub const fn dimensions(self) -> usize {
        let [height, width, channels] = self.shape();
        height * width * channels
    }
}

/// The order in which a transition network predicts latent dimensions.
///
/// Channels are cut into G groups. Row `m = g * h * w + position` of the aligned layout holds the
/// `D = c / G` channels of group g at one position, so that `M = G * h * w`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alignment {
    latent: Latent,
    groups: usize,
}

impl Alignment {
    /// The alignment of a network with `groups` groups of channels; `groups` must divide the
    /// channels.
    #[must_use]
    pub const fn new(latent: Latent, groups: usize) -> Self {
        Self { latent, groups }
    }

    /// Number of rows M and dimensions D of each row.
    #[must_use]
    pub const fn shape(self) -> [usize; 2] {
        let [height, width, channels] = self.latent.shape();
        [self.groups * height * width, channels / self.groups]
    }

    /// The aligned targets `[B, M, D]` of transitions, from the latents `[2B, h, w, c]` of their
    /// observations and, behind them, of the next ones, and the done flags `[B]` from before the step:
    /// see [`transition_target`].
    #[must_use]
    pub fn targets(self, latents: Tensor<4>, dones: Tensor<1>) -> Tensor<3> {
        transition_target(latents, dones, self.groups)
    }

    /// Converts from the aligned layout `[B, M, D]` to the natural one `[B, h, w, c]`.
    #[must_use]
    pub fn natural(self, aligned: Tensor<3>) -> Tensor<4> {
        let [batch, _, per_group] = aligned.dims();
        let [height, width, channels] = self.latent.shape();
        aligned
            .reshape([batch, self.groups, height * width, per_group])
            .permute([0, 2, 1, 3])
            .reshape([batch, height, width, channels])
    }

    /// Aligns one latent for each of K components: from `[B, K, h, w, c]` to `[B, M, K, D]`.
    #[must_use]
    pub fn align_components(self, values: Tensor<5>) -> Tensor<4> {
        let [batch, components, height, width, _] = values.dims();
        let [rows, per_group] = self.shape();
        values
            .reshape([batch, components, height * width, self.groups, per_group])
            .permute([0, 3, 2, 1, 4])
            .reshape([batch, rows, components, per_group])
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Int};

    use super::*;

    const SHAPE: [usize; 3] = [2, 3, 8];

    fn numbered(len: i64) -> Tensor<1> {
        Tensor::<1, Int>::arange(0..len, &Device::flex()).float()
    }

    /// From the natural layout to the aligned one, as targets are.
    fn align(alignment: Alignment, latents: Tensor<4>) -> Tensor<3> {
        let (batch, device) = (latents.dims()[0], latents.device());
        let both = Tensor::cat(vec![latents.zeros_like(), latents], 0);
        alignment.targets(both, Tensor::zeros([batch], &device))
    }

    fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().try_to_vec().expect("f32")
    }

    #[test]
    fn aligned_and_natural_are_inverse() {
        let [height, width, channels] = SHAPE;
        for groups in [1, 2, 4, 8] {
            let alignment = Alignment::new(Latent::Continuous { shape: SHAPE }, groups);
            let natural = numbered(5 * 48).reshape([5, height, width, channels]);
            let aligned = align(alignment, natural.clone());
            let [rows, per_group] = alignment.shape();
            assert_eq!(aligned.dims(), [5, rows, per_group]);
            assert_eq!(rows * per_group, 48);
            let back = alignment.natural(aligned.clone());
            assert_eq!(back.dims(), natural.dims());
            assert_eq!(read(back), read(natural.clone()));
            if groups > 1 {
                assert_ne!(read(aligned), read(natural), "{groups} groups have their own order");
            }
        }
    }

    #[test]
    fn groups_come_before_positions() {
        let alignment = Alignment::new(Latent::Continuous { shape: [1, 2, 4] }, 2);
        let aligned = align(alignment, numbered(8).reshape([1, 1, 2, 4]));
        assert_eq!(read(aligned), [0.0, 1.0, 4.0, 5.0, 2.0, 3.0, 6.0, 7.0]);
    }

    #[test]
    fn every_component_is_aligned_like_a_latent() {
        let [height, width, channels] = SHAPE;
        let alignment = Alignment::new(Latent::Continuous { shape: SHAPE }, 4);
        let all = numbered(2 * 3 * 48).reshape([2, 3, height, width, channels]);
        let aligned = alignment.align_components(all.clone());
        for k in 0..3 {
            let one = align(alignment, all.clone().narrow(1, k, 1).squeeze_dim(1));
            let found = aligned.clone().narrow(2, k, 1).squeeze_dim::<3>(2);
            assert_eq!(read(found), read(one), "component {k}");
        }
    }
}
