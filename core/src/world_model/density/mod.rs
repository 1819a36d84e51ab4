//! Distributions of the next latent.
//!
//! A transition network produces statistics and knows nothing of what they mean; a density reads them:
//! how noise is drawn, what a sample is, what the loss l_P is. [`of`] is the one list of densities. A new
//! one is a file here, a line in that list, and its name in the configuration
//! ([`TransitionDensity`]).
//!
//! All shapes are those of the aligned layout ([`super::latent`]): B states, M rows of D latent
//! dimensions, K mixture components, S statistics of each.

mod bounded_mixture;
mod deterministic;
mod distance;
mod free_mixture;

use std::fmt;
use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use deepspi_run::config::{LatentDistance, TransitionDensity};
use rand_chacha::ChaCha8Rng;

pub use self::bounded_mixture::BoundedMixture;
pub use self::deterministic::Deterministic;
pub use self::free_mixture::{FreeMixture, NormalMixture};
use super::architecture::Architecture;
use crate::sharing::Repeat;

/// Components of the mixtures.
const MIXTURE_COMPONENTS: usize = 5;

/// The density that a configuration and an architecture ask for.
#[must_use]
pub fn of(density: TransitionDensity, architecture: &Architecture) -> Arc<dyn Density> {
    match (density, architecture) {
        (TransitionDensity::Deterministic, Architecture::Lipschitz(_)) => {
            Arc::new(Deterministic::any_sign())
        }
        (TransitionDensity::Deterministic, Architecture::Free(_)) => {
            Arc::new(Deterministic::not_negative())
        }
        (TransitionDensity::Normal, Architecture::Lipschitz(_)) => {
            Arc::new(BoundedMixture::normal())
        }
        (TransitionDensity::Normal, Architecture::Free(_)) => Arc::new(FreeMixture::new(1)),
        (TransitionDensity::MixtureNormal, Architecture::Lipschitz(_)) => {
            Arc::new(BoundedMixture::mixture(MIXTURE_COMPONENTS))
        }
        (TransitionDensity::MixtureNormal, Architecture::Free(_)) => {
            Arc::new(FreeMixture::new(MIXTURE_COMPONENTS))
        }
    }
}

/// A family of distributions of the next latent.
pub trait Density: fmt::Debug + Send + Sync {
    /// Mixture components K. With more than one, the network also predicts their weights.
    fn components(&self) -> usize;

    /// Statistics S per component and latent dimension that the network must predict.
    fn statistics(&self) -> usize;

    /// Noise of one sample for each of `shape = [B, M, D]`; none if there is nothing to draw.
    fn noise(
        &self,
        shape: [usize; 3],
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Option<TransitionNoise>;

    /// One sample `[B, M, D]`, differentiable in the statistics as far as the density allows.
    ///
    /// # Panics
    /// If the density has noise and none is given.
    fn sample(&self, statistics: Statistics, noise: Option<TransitionNoise>) -> Tensor<3>;

    /// Whether the loss is that of a sample, and so needs noise.
    fn loss_is_sampled(&self) -> bool;

    /// Transition loss l_P `[B]`.
    ///
    /// # Panics
    /// If the loss is sampled and the target comes without noise.
    fn loss(&self, statistics: Statistics, target: TransitionTarget) -> Tensor<1>;
}

/// What a transition network predicts.
#[derive(Clone, Debug)]
pub struct Statistics {
    /// Unconstrained numbers `[B, M, S, K, D]`: locations first, then, if S is 2, inputs of the scales.
    pub values: Tensor<5>,
    /// Mixture weights `[B, K]`, which sum to 1.
    pub weights: Tensor<2>,
}

/// The random numbers of one sample of the next latent for each of B states.
#[derive(Clone, Debug)]
pub struct TransitionNoise {
    /// Noise of each latent dimension: `[B, M, K, D]` where all components are sampled and averaged,
    /// `[B, M, 1, D]` where one component is chosen and sampled.
    pub values: Tensor<4>,
    /// Uniform numbers `[B, 1]` in [0, 1) that choose the component, where one is chosen.
    pub choice: Option<Tensor<2>>,
}

impl TransitionNoise {
    /// The noise of one state, `B = 1`, for each of `batch` states.
    #[must_use]
    pub fn repeat(self, batch: usize) -> Self {
        Self {
            values: self.values.repeat_dim(0, batch),
            choice: self.choice.map(|choice| choice.repeat_dim(0, batch)),
        }
    }
}

/// What the loss compares predicted distributions with, and how.
#[derive(Clone, Debug)]
pub struct TransitionTarget<'a> {
    /// Next latents `[B, M, D]`.
    pub latents: Tensor<3>,
    /// From the distributions, one per distinct pair of state and action, to all B samples; none if
    /// each sample has its own.
    pub rows: Option<&'a Repeat>,
    /// Noise of one sample, where the loss is sampled.
    pub noise: Option<TransitionNoise>,
    /// Distance between prediction and next latent.
    pub distance: LatentDistance,
}

/// Rows for all samples, if they are shared.
fn repeated<const D: usize>(rows: Option<&Repeat>, values: Tensor<D>) -> Tensor<D> {
    match rows {
        Some(rows) => rows.apply(values),
        None => values,
    }
}
