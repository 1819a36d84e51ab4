//! The losses of the world model on real transitions: l_P and l_R (docs/deepspi.md, section 4).
//!
//! Gradients flow into the parameters of the world model and into both latents, so that the encoder
//! learns from the losses as well; no latent may be detached. The density defines l_P
//! ([`super::density`]).

use burn::tensor::Tensor;
use deepspi_run::config::LatentDistance;

use super::WorldModel;
use super::density::{Statistics, TransitionNoise, TransitionTarget, repeated};
use super::discriminator::{Discriminator, Judged};
use crate::ops::smooth_l1::smooth_l1_distance;
use crate::sharing::Sharing;

/// Inputs of the losses for B transitions.
#[derive(Clone, Debug)]
pub struct LatentTransitions<'a> {
    /// Latents `[B, h, w, c]` of the observations.
    pub latents: Tensor<4>,
    /// The latents that must be predicted, aligned `[B, M, D]`: [`super::latent::Alignment::targets`].
    pub targets: Tensor<3>,
    /// One-hot `[B, A]`.
    pub actions: Tensor<2>,
    /// Rewards `[B]`, after clipping.
    pub rewards: Tensor<1>,
    /// What the done predictor should say of the next latents, `[B]`; none without a predictor.
    pub ends: Option<Tensor<1>>,
    /// What judges next latents, with the observations `[B, H, W, C]` if it sees them; none if l_P is
    /// that of the density.
    pub judge: Option<(&'a Discriminator, Option<Tensor<4>>)>,
    /// [`WorldModel::loss_noise`] of B transitions.
    pub noise: Option<TransitionNoise>,
    /// Which transitions are equal; none if every prediction is computed separately.
    pub sharing: Option<&'a Sharing>,
}

/// Losses per transition.
#[derive(Clone, Debug)]
pub struct WorldModelLosses {
    /// l_P `[B]`.
    pub transition: Tensor<1>,
    /// l_R `[B]`.
    pub reward: Tensor<1>,
    /// Loss of the done predictor, `[B]`; none without one.
    pub done: Option<Tensor<1>>,
}

impl WorldModel {
    /// l_P and l_R of B transitions.
    ///
    /// # Panics
    /// If the transitions come without the noise that l_P needs ([`Self::loss_is_sampled`]).
    #[must_use]
    pub fn losses(&self, transitions: LatentTransitions) -> WorldModelLosses {
        let LatentTransitions { latents, targets, actions, rewards, ends, judge, noise, sharing } =
            transitions;
        let done = self.done.as_ref().zip(ends).map(|(predictor, ends)| {
            predictor.loss(self.alignment().natural(targets.clone()), ends)
        });
        let targets = if self.density.compares_with_current() {
            latents.clone().reshape(targets.dims())
        } else {
            targets
        };
        let judged = judge.map(|(discriminator, observations)| {
            let (latents, actions) = (latents.clone(), actions.clone());
            (discriminator, Judged { observations, actions, latents })
        });
        let (latents, actions) = match sharing {
            None => (latents, actions),
            Some(sharing) => {
                let samples = &sharing.pair_samples;
                let actions = actions.select(0, samples.clone());
                (latents.select(0, samples.clone()), actions)
            }
        };
        let statistics = self.predict(latents.clone(), actions.clone());
        let predicted = self.predict_reward(latents, actions);
        let rows = sharing.map(|sharing| &sharing.pairs);
        let predicted =
            rows.map_or_else(|| predicted.clone(), |rows| rows.apply(predicted.clone()));
        let loss = |statistics, latents| {
            let (noise, distance) = (noise.clone(), self.distance);
            self.density.loss(statistics, TransitionTarget { latents, rows, noise, distance })
        };
        let transition = if let Some((discriminator, judged)) = judged {
            let sample = self.density.sample(statistics, noise.clone());
            let sample = repeated(rows, self.alignment().natural(sample));
            let next = self.alignment().natural(targets);
            discriminator.judge(judged.clone(), next) - discriminator.judge(judged, sample)
        } else if self.balance > 0.0 {
            self.balanced(&loss, statistics, targets)
        } else {
            loss(statistics, targets)
        };
        WorldModelLosses {
            transition,
            reward: reward_loss(predicted, rewards, self.distance),
            done,
        }
    }

    /// `w L(prediction, sg target) + (1 - w) L(sg prediction, target)`: the value of L, with a share w of
    /// the gradient for the prediction and the rest for the target. A loss in closed form keeps the whole
    /// gradient of the prediction, as in the authors' code.
    fn balanced(
        &self,
        loss: &dyn Fn(Statistics, Tensor<3>) -> Tensor<1>,
        statistics: Statistics,
        targets: Tensor<3>,
    ) -> Tensor<1> {
        let of_prediction = loss(statistics.clone(), targets.clone().detach());
        let fixed = if self.density.loss_is_expected() { statistics } else { statistics.detach() };
        of_prediction * self.balance + loss(fixed, targets) * (1.0 - self.balance)
    }
}

/// Reward loss l_R `[B]` of predicted and received (clipped) rewards `[B]`: smooth-L1, or the
/// absolute difference with the Euclidean distance.
#[must_use]
pub fn reward_loss(
    predicted: Tensor<1>,
    rewards: Tensor<1>,
    distance: LatentDistance,
) -> Tensor<1> {
    match distance {
        LatentDistance::SmoothL1 => {
            smooth_l1_distance(predicted.unsqueeze_dim(1), rewards.unsqueeze_dim(1))
        }
        LatentDistance::Euclidean => (predicted - rewards).abs(),
    }
}
