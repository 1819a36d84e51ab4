//! Gradient penalties of the plain networks (docs/deepspi.md, section 4.4): they keep the slopes of
//! transition and reward near a wanted value.
//!
//! The slope is that of the sum of all outputs; for the transition the output is one sample. It is a
//! tensor, so that the penalty's gradient is a second derivative. It is taken at given latents, through
//! which no gradient flows: only the world model learns from a penalty.

use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;

use super::WorldModel;
use crate::ops::noise::{Bound, CounterNoise};

/// Added to squared slopes.
const SMALL: f32 = 1e-8;

/// The random numbers of the penalties of B transitions.
#[derive(Clone, Debug)]
pub struct PenaltyNoise {
    /// Normal noise `[B, M, K, D]` of the sample whose slope is taken.
    pub sample: Tensor<4>,
    /// What WGAN-GP needs besides.
    pub between: Option<Between>,
}

/// The random numbers of points between true and imagined latents.
#[derive(Clone, Debug)]
pub struct Between {
    /// Normal noise `[B, M, K, D]` of the imagined latent.
    pub imagined: Tensor<4>,
    /// Gumbel noise `[B, A]` of the actions at the true and at the imagined latent.
    pub actions: [Tensor<2>; 2],
    /// Shares `[B]` of the true latent, for the transition and for the reward.
    pub shares: [Tensor<1>; 2],
}

/// Latents and actions at which a penalty is taken.
#[derive(Clone, Debug)]
pub struct Points {
    /// `[B, h, w, c]`
    pub latents: Tensor<4>,
    /// One-hot `[B, A]`.
    pub actions: Tensor<2>,
}

/// What a slope should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// `mean_b |slope|^2`
    Zero,
    /// `mean_b (|slope| - 1)^2`
    One,
}

impl PenaltyNoise {
    /// New random numbers for `batch` transitions of this model; `actions` with those of WGAN-GP for
    /// that many actions.
    #[must_use]
    pub fn draw(
        model: &WorldModel,
        batch: usize,
        actions: Option<usize>,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Self {
        let [rows, per_group] = model.alignment().shape();
        let shape = [batch, rows, model.components(), per_group];
        let sample = normal(shape, rng, device);
        let between = actions.map(|actions| {
            let imagined = normal(shape, rng, device);
            let mut uniform = |len| uniform([batch, 1, 1, len], rng, device).reshape([batch, len]);
            let actions = [(); 2].map(|()| gumbel(uniform(actions)));
            let shares = [(); 2].map(|()| uniform(1).squeeze_dim(1));
            Between { imagined, actions, shares }
        });
        Self { sample, between }
    }
}

/// Uniform numbers in (0, 1).
fn uniform(shape: [usize; 4], rng: &mut ChaCha8Rng, device: &Device) -> Tensor<4> {
    CounterNoise::new(Bound::Uniform, rng).values(shape, device) * 0.5 + 0.5
}

/// Standard normal numbers, by the transform of Box and Muller.
fn normal(shape: [usize; 4], rng: &mut ChaCha8Rng, device: &Device) -> Tensor<4> {
    let mut uniform = || uniform(shape, rng, device);
    let radius = (uniform().clamp_min(SMALL).log() * -2.0).clamp_min(0.0).sqrt();
    radius * (uniform() * (2.0 * std::f32::consts::PI)).cos()
}

/// Gumbel numbers from uniform ones.
fn gumbel(uniform: Tensor<2>) -> Tensor<2> {
    uniform.log().neg().clamp_min(SMALL).log().neg()
}

impl WorldModel {
    /// The sample that penalties see, `[B, h, w, c]`, from noise `[B, M, K, D]`; none without a
    /// penalty.
    #[must_use]
    pub fn average_sample(&self, points: Points, noise: Tensor<4>) -> Option<Tensor<4>> {
        let statistics = self.predict(points.latents, points.actions);
        Some(self.alignment().natural(self.density.average(statistics, noise)?))
    }

    /// The penalty `[1]` of the transition; none if its network has none.
    #[must_use]
    pub fn transition_penalty(
        &self,
        points: Points,
        noise: &Tensor<4>,
        wanted: Wanted,
    ) -> Option<Tensor<1>> {
        let none = |statistics: super::Statistics| super::Statistics {
            values: statistics.values.zeros_like(),
            weights: statistics.weights.zeros_like(),
        };
        let by_statistics = |statistics: super::Statistics| {
            let slope = self.density.average_slope(statistics.clone(), noise.clone());
            slope.unwrap_or_else(|| none(statistics))
        };
        let slope = self.transition.slope(points.latents, points.actions, &by_statistics)?;
        Some(wanted.penalty(slope.flatten(1, 3)))
    }

    /// The penalty `[1]` of the reward; none if its network has none.
    #[must_use]
    pub fn reward_penalty(&self, points: Points, wanted: Wanted) -> Option<Tensor<1>> {
        self.reward.slope(points.latents, points.actions).map(|slope| wanted.penalty(slope))
    }
}

impl Wanted {
    fn penalty(self, slope: Tensor<2>) -> Tensor<1> {
        let square = (slope.clone() * slope).sum_dim(1) + SMALL;
        match self {
            Self::Zero => square.mean(),
            Self::One => {
                let error = square.sqrt() - 1.0;
                (error.clone() * error).mean()
            }
        }
    }
}
