//! Distributions of the next latent.
//!
//! A transition network predicts statistics and must not know their meaning. A density gives them
//! meaning: how noise is drawn, what a sample is, and what the loss l_P is. [`of`] is the only list
//! of densities. To add a density, add a file here, a line in that list, and its name in the
//! configuration ([`TransitionDensity`]).
//!
//! All shapes are those of the aligned layout ([`super::latent`]): B states, M rows of D latent
//! dimensions, K mixture components, S statistics of each.

mod bounded_mixture;
mod categorical;
mod deterministic;
mod distance;
mod free_mixture;

use std::fmt;
use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use deepspi_run::config::{LatentDistance, TransitionDensity};
use rand_chacha::ChaCha8Rng;

pub use self::bounded_mixture::BoundedMixture;
pub use self::categorical::{Categorical, ClassNoise};
pub use self::deterministic::Deterministic;
pub use self::free_mixture::{FreeMixture, NormalMixture};
use super::architecture::Architecture;
use crate::ops::mixture::SampleNoise;
use crate::ops::noise::CounterNoise;
use crate::sharing::Repeat;

/// Components of the mixtures.
const MIXTURE_COMPONENTS: usize = 5;

/// The density that a configuration and an architecture select.
#[must_use]
pub fn of(density: TransitionDensity, architecture: &Architecture) -> Arc<dyn Density> {
    let components = match density {
        TransitionDensity::MixtureNormal => MIXTURE_COMPONENTS,
        _ => 1,
    };
    let is_point = density == TransitionDensity::Deterministic;
    match architecture {
        Architecture::Categorical(architecture) => Arc::new(Categorical::new(architecture)),
        Architecture::Lipschitz { .. } if is_point => Arc::new(Deterministic::any_sign()),
        Architecture::Plain { activation, .. } if is_point => {
            Arc::new(Deterministic::activated(*activation))
        }
        Architecture::Lipschitz { .. } if components == 1 => Arc::new(BoundedMixture::normal()),
        Architecture::Lipschitz { .. } => Arc::new(BoundedMixture::mixture(components)),
        Architecture::Plain { activation, .. } => {
            Arc::new(FreeMixture::new(components, *activation))
        }
    }
}

/// A family of distributions of the next latent.
pub trait Density: fmt::Debug + Send + Sync {
    /// Mixture components K. With more than one, the network also predicts their weights.
    fn components(&self) -> usize;

    /// Statistics S per component and latent dimension that the network must predict.
    fn statistics(&self) -> usize;

    /// Noise of one sample for each of `shape = [B, M, D]`; none if the density needs no noise.
    fn noise(
        &self,
        shape: [usize; 3],
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Option<TransitionNoise>;

    /// One sample `[B, M, D]`, differentiable in the statistics as far as the density allows.
    ///
    /// # Panics
    /// If the density needs noise and none is given.
    fn sample(&self, statistics: Statistics, noise: Option<TransitionNoise>) -> Tensor<3>;

    /// Whether the loss is computed from a sample, and so needs noise.
    fn loss_is_sampled(&self) -> bool;

    /// Whether the loss is an expectation over the density in closed form, and not the distance of one
    /// sample or point.
    fn loss_is_expected(&self) -> bool {
        false
    }

    /// The average of all components by their weights, each with its own noise `[B, M, K, D]`: what
    /// the gradient penalty takes for a sample, `[B, M, D]`, because every statistic has a gradient.
    /// None if the density has no gradient penalty.
    fn average(&self, _statistics: Statistics, _noise: Tensor<4>) -> Option<Tensor<3>> {
        None
    }

    /// Derivatives of the sum of all entries of [`Self::average`] by the statistics.
    fn average_slope(&self, _statistics: Statistics, _noise: Tensor<4>) -> Option<Statistics> {
        None
    }

    /// Whether the loss compares the prediction with the current latent and not with the next one, as
    /// two costs of the authors' code do.
    fn compares_with_current(&self) -> bool {
        false
    }

    /// Probability `[B]` that a sample is another latent than the target `[B, M, D]`; none if latents are
    /// not categorical.
    fn mismatch(&self, _statistics: Statistics, _target: Tensor<3>) -> Option<Tensor<1>> {
        None
    }

    /// Transition loss l_P `[B]`.
    ///
    /// # Panics
    /// If the loss needs noise and the target has none.
    fn loss(&self, statistics: Statistics, target: TransitionTarget) -> Tensor<1>;
}

/// The prediction of a transition network.
#[derive(Clone, Debug)]
pub struct Statistics {
    /// Unconstrained numbers `[B, M, S, K, D]`: locations first, then, if S is 2, inputs of the
    /// scales.
    pub values: Tensor<5>,
    /// Mixture weights `[B, K]`, which sum to 1.
    pub weights: Tensor<2>,
}

impl Statistics {
    /// The same numbers, through which no gradient flows.
    #[must_use]
    pub fn detach(self) -> Self {
        Self { values: self.values.detach(), weights: self.weights.detach() }
    }
}

/// The random numbers of one sample of the next latent for each of B states.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "gpu",
    expect(clippy::large_enum_variant, reason = "there is one for each minibatch")
)]
pub enum TransitionNoise {
    /// For densities that sample and average all components: noise of shape `[B, M, K, D]`.
    Averaged(SampleNoise),
    /// For densities that select one component and sample it.
    Selected {
        /// Noise of each latent dimension, `[B, M, 1, D]`.
        values: Tensor<4>,
        /// Uniform numbers `[B, 1]` in [0, 1) that select the component.
        choice: Tensor<2>,
    },
    /// For categorical latents.
    Classes(ClassNoise),
}

impl TransitionNoise {
    /// The noise of all components.
    #[must_use]
    pub fn averaged(self) -> Option<SampleNoise> {
        match self {
            Self::Averaged(noise) => Some(noise),
            Self::Selected { .. } | Self::Classes(_) => None,
        }
    }

    /// The noise and the number that selects the component.
    #[must_use]
    pub fn selected(self) -> Option<(Tensor<4>, Tensor<2>)> {
        match self {
            Self::Averaged(_) | Self::Classes(_) => None,
            Self::Selected { values, choice } => Some((values, choice)),
        }
    }

    /// The noise of classes.
    #[must_use]
    pub fn classes(self) -> Option<ClassNoise> {
        match self {
            Self::Averaged(_) | Self::Selected { .. } => None,
            Self::Classes(noise) => Some(noise),
        }
    }

    /// Repeats the noise of the first state for each of `batch` states.
    #[must_use]
    pub fn repeat(self, batch: usize) -> Self {
        match self {
            Self::Averaged(SampleNoise::Counter(noise)) => {
                Self::Averaged(SampleNoise::Counter(CounterNoise { common: true, ..noise }))
            }
            Self::Averaged(SampleNoise::Given(values)) => {
                Self::Averaged(SampleNoise::Given(values.narrow(0, 0, 1).repeat_dim(0, batch)))
            }
            Self::Selected { values, choice } => Self::Selected {
                values: values.narrow(0, 0, 1).repeat_dim(0, batch),
                choice: choice.narrow(0, 0, 1).repeat_dim(0, batch),
            },
            Self::Classes(noise) => Self::Classes(noise.repeat(batch)),
        }
    }
}

/// The targets of the loss and how predicted distributions are compared with them.
#[derive(Clone, Debug)]
pub struct TransitionTarget<'a> {
    /// Next latents `[B, M, D]`.
    pub latents: Tensor<3>,
    /// From the distributions, one per distinct pair of state and action, to all B samples; none if
    /// each sample has its own distribution.
    pub rows: Option<&'a Repeat>,
    /// Noise of one sample; none if the loss needs none.
    pub noise: Option<TransitionNoise>,
    /// Distance between prediction and next latent.
    pub distance: LatentDistance,
}

/// Repeats rows for all samples if the samples share distributions.
pub(super) fn repeated<const D: usize>(rows: Option<&Repeat>, values: Tensor<D>) -> Tensor<D> {
    match rows {
        Some(rows) => rows.apply(values),
        None => values,
    }
}
