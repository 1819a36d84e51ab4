//! Imagined rollouts: the policy acts in the world model (docs/dream-spi.md).
//!
//! Everything stays on the device; nothing is read back before all updates of an iteration are done.
//! No gradient flows: the module that imagines must have no autodiff.

use burn::tensor::{Device, Int, Tensor, activation::log_softmax};
use deepspi_run::config::{Config, ImaginedEnds};
use rand_chacha::ChaCha8Rng;

use crate::model::Model;
use crate::ops::noise::{Bound, CounterNoise};
use crate::world_model::TransitionNoise;

/// Smallest exponential number that is used: a smaller one would have no finite logarithm.
const SMALLEST: f32 = 3e-8;

/// The random numbers of one imagined step of B episodes.
#[derive(Clone, Debug)]
pub struct StepNoise {
    /// Gumbel numbers `[B, A]`, which choose the actions.
    pub actions: Tensor<2>,
    /// Noise of the next latents; none if they are points.
    pub transition: Option<TransitionNoise>,
    /// Logistic numbers `[B]`, which decide whether episodes end.
    pub ends: Tensor<1>,
}

impl StepNoise {
    /// New random numbers.
    #[must_use]
    pub fn draw(
        model: &Model,
        [batch, actions]: [usize; 2],
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Self {
        let noise = CounterNoise::new(Bound::Uniform, rng);
        let uniform = noise.values([batch, 1, 1, actions + 1], device) * 0.5 + 0.5;
        let uniform = uniform.reshape([batch, actions + 1]);
        let gumbel = uniform.clone().narrow(1, 0, actions).log().neg();
        let u: Tensor<1> = uniform.narrow(1, actions, 1).squeeze_dim(1);
        let u = u.clamp(SMALLEST, 1.0 - SMALLEST);
        Self {
            actions: gumbel.clamp_min(SMALLEST).log().neg(),
            transition: model.world_model.sample_noise(batch, rng, device),
            ends: (u.clone() / (-u + 1.0)).log(),
        }
    }
}

/// How ends are imagined.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// By their probability and not by a draw.
    pub soft: bool,
    /// How they are drawn.
    pub form: ImaginedEnds,
}

impl Ends {
    /// Those of a configuration.
    #[must_use]
    pub const fn of(config: &Config) -> Self {
        Self { soft: config.dream.soft_done, form: config.dream.imagined_ends }
    }
}

/// One imagined step of B episodes.
#[derive(Clone, Debug)]
pub struct DreamedStep {
    /// Latents before the step, `[B, h, w, c]`.
    pub latents: Tensor<4>,
    /// The chosen actions, one-hot `[B, A]`.
    pub actions: Tensor<2>,
    /// Their log-probabilities, `[B]`.
    pub log_probs: Tensor<1>,
    /// Values of the latents before the step, `[B]`.
    pub values: Tensor<1>,
    /// Predicted rewards, `[B]`; not clipped.
    pub rewards: Tensor<1>,
    /// Probability `[B]` that the next latent, before it is held, is that of an ended episode.
    pub end_probabilities: Tensor<1>,
    /// 1 where the episode ends with this step, else 0; with soft ends the probability; `[B]`.
    pub ends: Tensor<1>,
    /// Latents after the step: those from before it where the episode has ended, `[B, h, w, c]`.
    pub next: Tensor<4>,
}

/// One step from latents `[B, h, w, c]`, with the policy's actions.
#[must_use]
pub fn dream_step(model: &Model, latents: Tensor<4>, noise: StepNoise, ends: Ends) -> DreamedStep {
    let output = model.agent.act(latents.clone());
    let logits = output.logits();
    let actions = one_hot_of_largest(logits.clone() + noise.actions.clone());
    let log_probs = (log_softmax(logits, 1) * actions.clone()).sum_dim(1).squeeze_dim(1);
    let rewards = model.world_model.predict_reward(latents.clone(), actions.clone());
    let statistics = model.world_model.predict(latents.clone(), actions.clone());
    let sampled = model.world_model.sample(statistics, noise.transition);
    let (end_probabilities, drawn) = draw_ends(model, sampled.clone(), noise.ends, ends.form);
    let (ends, next) = if ends.soft {
        (end_probabilities.clone(), sampled)
    } else {
        let held = drawn.clone().reshape([drawn.dims()[0], 1, 1, 1]);
        let next = latents.clone() * held.clone() + sampled * (-held + 1.0);
        (drawn, next)
    };
    DreamedStep {
        latents,
        actions,
        log_probs,
        values: output.values(),
        rewards,
        end_probabilities,
        ends,
        next,
    }
}

/// Probabilities `[B]` that latents are those of ended episodes, and draws of it from logistic numbers.
/// Without a done predictor no episode ends.
fn draw_ends(
    model: &Model,
    latents: Tensor<4>,
    noise: Tensor<1>,
    form: ImaginedEnds,
) -> (Tensor<1>, Tensor<1>) {
    let Some(predictor) = &model.world_model.done else {
        return (noise.zeros_like(), noise.zeros_like());
    };
    let logits = predictor.logits(latents);
    let probabilities = burn::tensor::activation::sigmoid(logits.clone());
    let relaxed = logits + noise;
    let drawn = match form {
        ImaginedEnds::Corrected => relaxed.greater_elem(0.0).float(),
        // The authors cast a straight-through sample (1 + s) - s to an integer.
        ImaginedEnds::Parity => {
            let s = burn::tensor::activation::sigmoid(relaxed);
            let sum = s.clone().round() + s.clone();
            (sum - s).greater_equal_elem(1.0).float()
        }
    };
    (probabilities, drawn)
}

/// One-hot `[B, A]` of the first largest entry of each row.
fn one_hot_of_largest(scores: Tensor<2>) -> Tensor<2> {
    let (choices, device) = (scores.dims()[1], scores.device());
    let numbers = Tensor::<1, Int>::arange(0..choices as i64, &device);
    scores.argmax(1).equal(numbers.unsqueeze_dim(0)).float()
}

/// An imagined rollout of H steps from B states, with its advantages; samples are in the order `t B + b`.
#[derive(Clone, Debug)]
pub struct Dream {
    /// The steps.
    pub steps: Vec<DreamedStep>,
    /// Values after the last step, `[B]`.
    pub last_values: Tensor<1>,
}

/// Targets of the actor-critic phase from a [`Dream`].
#[derive(Clone, Debug)]
pub struct DreamTargets {
    /// Advantages `[H, B]`, not normalised.
    pub advantages: Tensor<2>,
    /// Returns `[H, B]`.
    pub returns: Tensor<2>,
}

impl Dream {
    /// Imagines `horizon` steps from latents `[B, h, w, c]`; `noise` gives the random numbers of each
    /// step. An imagined episode that has ended goes on from the latent that is held.
    pub fn from(
        model: &Model,
        start: Tensor<4>,
        horizon: usize,
        ends: Ends,
        mut noise: impl FnMut(usize) -> StepNoise,
    ) -> Self {
        let mut latents = start;
        let steps = (0..horizon).map(|t| {
            let step = dream_step(model, latents.clone(), noise(t), ends);
            latents = step.next.clone();
            step
        });
        let steps: Vec<DreamedStep> = steps.collect();
        Self { last_values: model.agent.act(latents).values(), steps }
    }

    /// Advantages and returns: generalised advantage estimation, cut where an episode ends.
    #[must_use]
    pub fn targets(&self, gamma: f32, lambda: f32) -> DreamTargets {
        let mut following = self.last_values.zeros_like();
        let mut next_values = self.last_values.clone();
        let (mut advantages, mut returns) = (Vec::new(), Vec::new());
        for step in self.steps.iter().rev() {
            let goes_on = -step.ends.clone() + 1.0;
            let delta =
                step.rewards.clone() + goes_on.clone() * next_values * gamma - step.values.clone();
            following = delta + goes_on * following * (gamma * lambda);
            next_values = step.values.clone();
            returns.push((following.clone() + step.values.clone()).unsqueeze_dim::<2>(0));
            advantages.push(following.clone().unsqueeze_dim::<2>(0));
        }
        advantages.reverse();
        returns.reverse();
        DreamTargets { advantages: Tensor::cat(advantages, 0), returns: Tensor::cat(returns, 0) }
    }

    /// All samples of one quantity, `[H B]`.
    #[must_use]
    pub fn all(&self, quantity: impl Fn(&DreamedStep) -> Tensor<1>) -> Tensor<1> {
        Tensor::cat(self.steps.iter().map(quantity).collect(), 0)
    }

    /// Latents of all samples, `[H B, h, w, c]`.
    #[must_use]
    pub fn latents(&self) -> Tensor<4> {
        Tensor::cat(self.steps.iter().map(|step| step.latents.clone()).collect(), 0)
    }

    /// What the policy and the critic are compared with, `[4, H B]`: log-probabilities, advantages,
    /// returns, indices of the actions.
    #[must_use]
    pub fn policy_targets(&self, targets: DreamTargets) -> Tensor<2> {
        let row = |x: Tensor<1>| x.unsqueeze_dim::<2>(0);
        let choices = self.steps[0].actions.dims()[1];
        let numbers = Tensor::<1, Int>::arange(0..choices as i64, &self.last_values.device());
        let numbers = numbers.float().unsqueeze_dim::<2>(0);
        let index = |step: &DreamedStep| {
            (step.actions.clone() * numbers.clone()).sum_dim(1).squeeze_dim::<1>(1)
        };
        Tensor::cat(
            vec![
                row(self.all(|step| step.log_probs.clone())),
                row(targets.advantages.flatten(0, 1)),
                row(targets.returns.flatten(0, 1)),
                row(self.all(index)),
            ],
            0,
        )
    }
}
