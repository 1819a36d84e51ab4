//! The loss of one minibatch: the paper's objective with all its terms.
//!
//! `deep-spi`, `deep-mdp` and `ppo` are this one function; they differ only in where the loss of
//! the world model enters ([`policy_objective()`]). The function must not read values back from the
//! device.

use burn::tensor::{Device, Tensor};
use deepspi_run::config::Config;
use rand_chacha::ChaCha8Rng;

use super::penalty::gradient_penalty;
use crate::data::minibatch::Minibatch;
use crate::model::Model;
use crate::nn::PolicyValue;
use crate::ops::policy_objective::{Inputs, PolicyObjective, policy_objective};
use crate::world_model::discriminator::Discriminator;
use crate::world_model::{LatentTransitions, TransitionNoise, WorldModelLosses};

/// Per-sample and mean terms of the loss.
#[derive(Clone, Debug)]
pub struct LossTerms {
    /// Total loss `[1]`.
    pub total: Tensor<1>,
    /// Means of the minibatch; see [`PolicyObjective::means`].
    pub means: Tensor<1>,
    /// The factor of the importance ratio, `[B]`: U of Eq. 6 for DeepSPI, the advantage for the
    /// other algorithms.
    pub utilities: Tensor<1>,
    /// Importance ratios `[B]` of the chosen actions.
    pub ratios: Tensor<1>,
    /// Entropy of the policy, `[B]`.
    pub entropy: Tensor<1>,
    /// l_P `[B]`; none without a world model.
    pub transition: Option<Tensor<1>>,
    /// l_R `[B]`, with the loss of the done predictor; none without a world model.
    pub reward: Option<Tensor<1>>,
    /// Gradient penalty `[1]`, not weighted; none without one.
    pub penalty: Option<Tensor<1>>,
    /// Latents of observations, `[B, h, w, c]`.
    pub latents: Tensor<4>,
    /// Trunk, policy and value of the observations.
    pub state: PolicyValue,
}

/// What the networks make of a minibatch.
#[derive(Clone, Debug)]
pub struct NetworkTerms {
    /// Latents of observations, `[B, h, w, c]`.
    pub latents: Tensor<4>,
    /// Trunk, policy and value of the observations.
    pub state: PolicyValue,
    /// l_P and l_R `[B]`, the latter with the loss of the done predictor; none without a world model.
    pub auxiliary: Option<(Tensor<1>, Tensor<1>)>,
    /// Gradient penalty `[1]`, not weighted; none without one.
    pub penalty: Option<Tensor<1>>,
}

/// All terms of the loss of a minibatch that do not depend on how the policy is improved.
#[must_use]
pub fn network_terms(model: &Model, batch: &Minibatch) -> NetworkTerms {
    let Encoded { latents, both, state } = encode(model, batch);
    let alignment = model.world_model.alignment();
    let targets = both.map(|both| alignment.targets(both, batch.dones.clone()));
    let losses =
        targets.clone().map(|targets| world_model_losses(model, batch, latents.clone(), targets));
    let auxiliary = losses
        .map(|WorldModelLosses { transition, reward, done }| (transition, with_done(reward, done)));
    let penalty = batch.penalty.as_ref().zip(targets).and_then(|(noise, targets)| {
        let next = alignment.natural(targets);
        gradient_penalty(model, latents.clone(), next, batch.actions.clone(), noise)
    });
    let penalty = penalty.map(|[transition, reward]| transition + reward);
    NetworkTerms { latents, state, auxiliary, penalty }
}

/// The loss of one minibatch (docs/deepspi.md, section 2.2, details 7 to 16).
#[must_use]
pub fn objective(model: &Model, batch: &Minibatch, config: &Config) -> LossTerms {
    let NetworkTerms { latents, state, auxiliary, penalty } = network_terms(model, batch);
    let inside = match &auxiliary {
        Some((transition, reward)) if !config.deep_spi.piecewise_auxiliary_ratio => {
            Some((mean_for_all(transition), mean_for_all(reward)))
        }
        own => own.clone(),
    };
    let (outputs, targets) = (state.outputs.clone(), batch.targets.clone());
    let inputs = Inputs { outputs, auxiliary: inside, targets };
    let (transition, reward) = auxiliary.unzip();
    let PolicyObjective { total, means, utilities, ratios, entropy } =
        policy_objective(inputs, config);
    let total = with_penalty(total, penalty.as_ref(), config);
    LossTerms {
        total,
        means,
        utilities,
        ratios,
        entropy,
        transition,
        reward,
        penalty,
        latents,
        state,
    }
}

/// A total loss with the weighted gradient penalty.
#[must_use]
pub fn with_penalty(total: Tensor<1>, penalty: Option<&Tensor<1>>, config: &Config) -> Tensor<1> {
    match penalty {
        Some(penalty) => total + penalty.clone() * config.world_model.lambda_gp,
        None => total,
    }
}

/// l_R with the loss of the done predictor, which has the same weight.
fn with_done(reward: Tensor<1>, done: Option<Tensor<1>>) -> Tensor<1> {
    match done {
        Some(done) => reward + done,
        None => reward,
    }
}

/// The mean of losses `[B]` in the place of each, through which gradients flow to all of them.
fn mean_for_all(losses: &Tensor<1>) -> Tensor<1> {
    losses.clone().mean().expand(losses.dims())
}

/// Only l_P and l_R of a minibatch, both `[B]`; the minibatch must hold next observations.
#[must_use]
pub fn model_losses(model: &Model, batch: &Minibatch) -> Option<(Tensor<1>, Tensor<1>)> {
    let Encoded { latents, both, .. } = encode(model, batch);
    let targets = model.world_model.alignment().targets(both?, batch.dones.clone());
    let losses = world_model_losses(model, batch, latents, targets);
    Some((losses.transition, losses.reward))
}

/// The losses of a minibatch that Theorem 3 is about, both `[B]`; the minibatch must hold next
/// observations. They are [`model_losses`], but with categorical latents l_P is the probability that a
/// predicted latent is another one.
#[must_use]
pub fn metric_losses(model: &Model, batch: &Minibatch) -> Option<(Tensor<1>, Tensor<1>)> {
    let Encoded { latents, both, .. } = encode(model, batch);
    let targets = model.world_model.alignment().targets(both?, batch.dones.clone());
    let losses = world_model_losses(model, batch, latents.clone(), targets.clone());
    let mismatch = model.world_model.mismatch(latents, batch.actions.clone(), targets);
    Some((mismatch.unwrap_or(losses.transition), losses.reward))
}

/// The largest predicted reward of a minibatch's states and all actions, by size, `[1]`.
#[must_use]
pub fn largest_reward(model: &Model, batch: &Minibatch) -> Tensor<1> {
    let latents = encode(model, batch).latents;
    let [size, choices] = batch.actions.dims();
    let device = latents.device();
    let all = (0..choices).map(|action| {
        let one_hot = Tensor::<2>::eye(choices, &device).narrow(0, action, 1).repeat_dim(0, size);
        model.world_model.predict_reward(latents.clone(), one_hot).abs()
    });
    Tensor::cat(all.collect(), 0).max()
}

/// What the encoder and the agent make of a minibatch.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// Latents `[B, h, w, c]` of the observations.
    pub latents: Tensor<4>,
    /// Latents `[2B, h, w, c]` of both observations, if the minibatch holds the next ones.
    pub both: Option<Tensor<4>>,
    /// Policy and value.
    pub state: PolicyValue,
}

/// Latents, policy and value of a minibatch.
#[must_use]
pub fn encode(model: &Model, batch: &Minibatch) -> Encoded {
    let size = batch.rewards.dims()[0];
    let encoded = model.agent.encode(batch.observations.clone());
    let (encoded, state) = match &batch.sharing {
        None => (encoded, None),
        Some(sharing) => {
            let rows = &sharing.observations;
            let state = model.agent.act_on(batch.observations.clone(), encoded.clone());
            let state = state.repeat(&rows.first(size));
            (rows.apply(encoded), Some(state))
        }
    };
    let latents = encoded.clone().narrow(0, 0, size);
    let state = state.unwrap_or_else(|| {
        let observations = batch.observations.clone().narrow(0, 0, size);
        model.agent.act_on(observations, latents.clone())
    });
    let both = (encoded.dims()[0] > size).then_some(encoded);
    Encoded { latents, both, state }
}

/// The losses of a minibatch, `[B]` each; gradients flow into `latents`, those of its observations, and
/// into the aligned `targets`.
fn world_model_losses(
    model: &Model,
    batch: &Minibatch,
    latents: Tensor<4>,
    targets: Tensor<3>,
) -> WorldModelLosses {
    model.world_model.losses(LatentTransitions {
        latents,
        targets,
        actions: batch.actions.clone(),
        rewards: batch.rewards.clone(),
        ends: batch.ends.clone(),
        judge: model.discriminator.as_ref().map(|judge| (judge, seen_by(judge, batch))),
        noise: batch.noise.clone(),
        sharing: batch.sharing.as_ref(),
    })
}

/// The observations `[B, H, W, C]` of a minibatch, if a discriminator sees them.
#[must_use]
pub fn seen_by(judge: &Discriminator, batch: &Minibatch) -> Option<Tensor<4>> {
    let size = batch.rewards.dims()[0];
    judge.sees_observations().then(|| match &batch.sharing {
        None => batch.observations.clone().narrow(0, 0, size),
        Some(sharing) => sharing.observations.first(size).apply(batch.observations.clone()),
    })
}

/// Noise for a minibatch of `batch` samples; none if the objective needs none.
#[must_use]
pub fn draw_noise(
    model: &Model,
    config: &Config,
    batch: usize,
    rng: &mut ChaCha8Rng,
    device: &Device,
) -> Option<TransitionNoise> {
    if !config.uses_world_model() {
        return None;
    }
    if model.discriminator.is_some() {
        return model.world_model.sample_noise(batch, rng, device);
    }
    model.world_model.loss_noise(batch, rng, device)
}
