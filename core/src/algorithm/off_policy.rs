//! The objective on steps of an older policy, as plain tensor operations (docs/deepspi.md, sections 4.5
//! and 4.6): the surrogate of [`crate::loss::off_policy_loss`] with value loss and entropy.

use burn::tensor::Tensor;
use deepspi_run::config::Config;

use crate::loss::{
    LogProbs, Surrogate, entropy, log_prob_of, normalise, off_policy_loss, policy_loss, value_loss,
};

/// What B samples are compared with.
#[derive(Clone, Debug)]
pub struct Targets {
    /// Log-probabilities `[B]` of the actions under the policy at the start of the updates.
    pub old: Tensor<1>,
    /// Log-probabilities `[B]` under the policy that acted; none if that is the same policy.
    pub behaviour: Option<Tensor<1>>,
    /// Advantages `[B]`, not yet normalised.
    pub advantages: Tensor<1>,
    /// Returns `[B]`.
    pub returns: Tensor<1>,
    /// Done flags `[B]` from before the steps.
    pub dones: Tensor<1>,
    /// One-hot `[B, A]`.
    pub actions: Tensor<2>,
    /// Whether returns and advantages are those of V-trace. The drift loss is then that of own steps,
    /// with weighted auxiliary losses.
    pub v_trace: bool,
}

/// The terms of the objective, `[1]` each.
#[derive(Clone, Debug)]
pub struct OffPolicyTerms {
    /// Total loss.
    pub total: Tensor<1>,
    /// Policy loss.
    pub policy: Tensor<1>,
    /// Value loss, not weighted.
    pub value: Tensor<1>,
    /// Entropy.
    pub entropy: Tensor<1>,
    /// `(r - 1) - log r` of the ratios to the policy at the start of the updates.
    pub approx_kl: Tensor<1>,
    /// Share of these ratios that are outside of the clip range.
    pub clip_fraction: Tensor<1>,
    /// Drift of the policy loss.
    pub drift: Tensor<1>,
}

/// The objective of B samples from logits `[B, A]`, values `[B]` and auxiliary losses l_P and l_R `[B]`,
/// which are inside of the clip.
#[must_use]
pub fn off_policy_objective(
    logits: Tensor<2>,
    values: Tensor<1>,
    auxiliary: Option<(Tensor<1>, Tensor<1>)>,
    targets: Targets,
    config: &Config,
) -> OffPolicyTerms {
    let Targets { old, behaviour, advantages, returns, dones, actions, v_trace } = targets;
    let is_drift = config.objective == deepspi_run::config::Objective::Drift;
    let (log_probs, entropies) = entropy(logits);
    let new = log_prob_of(actions, log_probs);
    let log_ratios = new.clone() - old.clone();
    let ratios = log_ratios.clone().exp();
    let advantages = if config.norm_adv { normalise(advantages).0 } else { advantages };
    let all = |behaviour| LogProbs { new: new.clone(), old: old.clone(), behaviour };
    let utilities = match auxiliary {
        None => advantages,
        Some((transition, reward)) => {
            let (mut transition, mut reward) = (transition, reward);
            if !config.deep_spi.piecewise_auxiliary_ratio {
                let mean = |losses: Tensor<1>| losses.clone().mean().expand(losses.dims());
                (transition, reward) = (mean(transition), mean(reward));
            }
            let (of_reward, of_transition) = config.auxiliary_coefficients();
            let mut weighted = reward * of_reward + transition * of_transition;
            if let (true, true, Some(behaviour)) = (v_trace, is_drift, behaviour.clone()) {
                weighted = weighted * all(behaviour).auxiliary_weights();
            }
            advantages - weighted
        }
    };
    let Surrogate { loss: policy, drift } = match behaviour {
        Some(behaviour) if !(v_trace && is_drift) => {
            off_policy_loss(utilities, all(behaviour), &dones, config)
        }
        _ => policy_loss(utilities, ratios.clone(), config),
    };
    let value = value_loss(values, returns, config);
    let entropy = entropies.mean();
    let total = policy.clone() - entropy.clone() * config.ent_coef + value.clone() * config.vf_coef;
    OffPolicyTerms {
        total,
        policy,
        value,
        entropy,
        approx_kl: (ratios.clone() - 1.0 - log_ratios).mean(),
        clip_fraction: (ratios - 1.0).abs().greater_elem(config.clip_coef).float().mean(),
        drift,
    }
}
