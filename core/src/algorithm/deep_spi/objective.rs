//! The loss of one minibatch: the paper's objective with all its terms.
//!
//! `deep-spi`, `deep-mdp` and `ppo` are this one function; they differ only in where the loss of
//! the world model enters ([`policy_objective()`]). The function must not read values back from the
//! device.

use burn::tensor::{Device, Tensor};
use deepspi_run::config::Config;
use rand_chacha::ChaCha8Rng;

use crate::data::minibatch::Minibatch;
use crate::model::Model;
use crate::nn::PolicyValue;
use crate::ops::policy_objective::{Inputs, PolicyObjective, policy_objective};
use crate::world_model::{LatentTransitions, TransitionNoise};

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
    /// l_R `[B]`; none without a world model.
    pub reward: Option<Tensor<1>>,
    /// Latents of observations, `[B, h, w, c]`.
    pub latents: Tensor<4>,
    /// Trunk, policy and value of the observations.
    pub state: PolicyValue,
}

/// The loss of one minibatch (docs/deepspi.md, section 2.2, details 7 to 16).
#[must_use]
pub fn objective(model: &Model, batch: &Minibatch, config: &Config) -> LossTerms {
    let (latents, both, state) = encode(model, batch);
    let auxiliary = both.map(|both| world_model_losses(model, batch, latents.clone(), both));
    let inputs = Inputs {
        outputs: state.outputs.clone(),
        auxiliary: auxiliary.clone(),
        targets: batch.targets.clone(),
    };
    let (transition, reward) = auxiliary.unzip();
    let PolicyObjective { total, means, utilities, ratios, entropy } =
        policy_objective(inputs, config);
    LossTerms { total, means, utilities, ratios, entropy, transition, reward, latents, state }
}

/// Only l_P and l_R of a minibatch, both `[B]`; the minibatch must hold next observations.
#[must_use]
pub fn model_losses(model: &Model, batch: &Minibatch) -> Option<(Tensor<1>, Tensor<1>)> {
    let (latents, both, _) = encode(model, batch);
    both.map(|both| world_model_losses(model, batch, latents, both))
}

/// Latents `[B, h, w, c]` of the observations; if the minibatch holds next observations, `[2B, h, w, c]`
/// of both; and policy and value.
fn encode(model: &Model, batch: &Minibatch) -> (Tensor<4>, Option<Tensor<4>>, PolicyValue) {
    let size = batch.rewards.dims()[0];
    let encoded = model.agent.encode(batch.observations.clone());
    let (encoded, state) = match &batch.sharing {
        None => (encoded, None),
        Some(sharing) => {
            let rows = &sharing.observations;
            let state = model.agent.act(encoded.clone()).repeat(&rows.first(size));
            (rows.apply(encoded), Some(state))
        }
    };
    let latents = encoded.clone().narrow(0, 0, size);
    let state = state.unwrap_or_else(|| model.agent.act(latents.clone()));
    let both = (encoded.dims()[0] > size).then_some(encoded);
    (latents, both, state)
}

/// l_P and l_R of a minibatch, `[B]` each; gradients flow into `latents`, those of its observations, and
/// into `both`, which holds them and then those of the next observations.
fn world_model_losses(
    model: &Model,
    batch: &Minibatch,
    latents: Tensor<4>,
    both: Tensor<4>,
) -> (Tensor<1>, Tensor<1>) {
    let losses = model.world_model.losses(LatentTransitions {
        latents,
        targets: model.world_model.alignment().targets(both, batch.dones.clone()),
        actions: batch.actions.clone(),
        rewards: batch.rewards.clone(),
        noise: batch.noise.clone(),
        sharing: batch.sharing.as_ref(),
    });
    (losses.transition, losses.reward)
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
    model.world_model.loss_noise(batch, rng, device)
}
