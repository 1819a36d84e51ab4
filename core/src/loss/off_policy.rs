//! Surrogates for steps of an older policy, from a replay buffer (docs/deepspi.md, sections 4.5 and
//! 4.6): the policy `old` that is improved is not the policy `behaviour` that acted.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use deepspi_run::config::{Config, Objective};

use super::policy::Surrogate;

/// Largest log-ratio to the behaviour policy in the drift loss.
const LARGEST_LOG_RATIO: f32 = 7.0;
/// Log-ratios that weight auxiliary losses with V-trace are clipped to plus and minus this.
const LARGEST_LOG_WEIGHT: f32 = 3.0;

/// Log-probabilities `[B]` of the actions that were taken.
#[derive(Clone, Debug)]
pub struct LogProbs {
    /// Under the policy that is trained.
    pub new: Tensor<1>,
    /// Under the policy at the start of the updates.
    pub old: Tensor<1>,
    /// Under the policy that acted.
    pub behaviour: Tensor<1>,
}

impl LogProbs {
    /// Importance ratios `[B]` of the trained policy to the one at the start of the updates.
    #[must_use]
    pub fn ratios(&self) -> Tensor<1> {
        (self.new.clone() - self.old.clone()).exp()
    }

    /// Weights `[B]` of auxiliary losses with V-trace: `exp(clip(log old / behaviour, -3, 3))`.
    #[must_use]
    pub fn auxiliary_weights(&self) -> Tensor<1> {
        let log_ratios = self.old.clone() - self.behaviour.clone();
        log_ratios.clamp(-LARGEST_LOG_WEIGHT, LARGEST_LOG_WEIGHT).exp()
    }
}

/// The surrogate of utilities U `[B]`; `dones` `[B]` are the flags from before the steps.
///
/// Clip (Meng et al., AAAI 2023): `mean max(-U R, -U clip(R, b (1 - eps), b (1 + eps)))` with
/// `R = new / behaviour`, `b = old / behaviour`. Drift: `mean(-w_new U + c w_old relu((r - clip r) U))`,
/// where both weights are ratios to the behaviour policy, and 1 on steps that only return the next start.
#[must_use]
pub fn off_policy_loss(
    utilities: Tensor<1>,
    log_probs: LogProbs,
    dones: &Tensor<1>,
    config: &Config,
) -> Surrogate {
    let (low, high) = (1.0 - config.clip_coef, 1.0 + config.clip_coef);
    let ratios = log_probs.ratios();
    let LogProbs { new, old, behaviour } = log_probs;
    match config.objective {
        Objective::Clip => {
            let base = (old - behaviour.clone()).exp();
            let to_behaviour = (new - behaviour).exp();
            let clipped = to_behaviour.clone().max_pair(base.clone() * low).min_pair(base * high);
            let gain = utilities.clone() * to_behaviour;
            let loss = gain.neg().max_pair((utilities * clipped).neg()).mean();
            let drift = loss.zeros_like();
            Surrogate { loss, drift }
        }
        Objective::Drift => {
            let weight = |log_probs: Tensor<1>| {
                let ratio = (log_probs - behaviour.clone()).clamp_max(LARGEST_LOG_RATIO).exp();
                ratio.clone() * (-dones.clone() + 1.0) + dones.clone()
            };
            let clipped = ratios.clone().clamp(low, high);
            let drift = relu((ratios - clipped) * utilities.clone()) * weight(old);
            let loss = drift.clone() * config.drift_coef - weight(new) * utilities;
            Surrogate { loss: loss.mean(), drift: drift.mean() }
        }
    }
}
