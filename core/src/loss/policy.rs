//! The surrogate objective (Eq. 6) and the entropy.

use burn::tensor::activation::relu;
use burn::tensor::{Tensor, activation::log_softmax};
use deepspi_run::config::{Config, Objective};

/// The policy loss of a minibatch and its drift.
#[derive(Clone, Debug)]
pub struct Surrogate {
    /// Mean over the minibatch, `[1]`, to be minimised.
    pub loss: Tensor<1>,
    /// Mean drift, `[1]`: the part of the unclipped objective that the clip removes.
    pub drift: Tensor<1>,
}

/// Policy loss from utilities U `[B]` and importance ratios r = pi'(a|s)/pi(a|s) `[B]`.
///
/// Clip: `mean max(-U r, -U clip(r, 1-eps, 1+eps))`. Drift: `mean(-r U + c relu((r - clip r) U))`;
/// for c = 1 both are equal in value and gradient.
#[must_use]
pub fn policy_loss(utilities: Tensor<1>, ratios: Tensor<1>, config: &Config) -> Surrogate {
    let clipped = ratios.clone().clamp(1.0 - config.clip_coef, 1.0 + config.clip_coef);
    let drift = relu((ratios.clone() - clipped.clone()) * utilities.clone());
    let gain = utilities.clone() * ratios;
    let loss = match config.objective {
        Objective::Clip => gain.neg().max_pair((utilities * clipped).neg()),
        Objective::Drift => drift.clone() * config.drift_coef - gain,
    };
    Surrogate { loss: loss.mean(), drift: drift.mean() }
}

/// Log-probability `[B]` of the chosen actions (one-hot `[B, A]`) under logits `[B, A]`.
#[must_use]
pub fn log_prob_of(actions: Tensor<2>, log_probs: Tensor<2>) -> Tensor<1> {
    (log_probs * actions).sum_dim(1).squeeze_dim(1)
}

/// Log-probabilities and entropy `[B]` of logits `[B, A]`.
#[must_use]
pub fn entropy(logits: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
    let log_probs = log_softmax(logits, 1);
    let entropy = (log_probs.clone().exp() * log_probs.clone()).sum_dim(1).neg().squeeze_dim(1);
    (log_probs, entropy)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use proptest::prelude::*;

    use super::*;

    fn loss_and_grad(
        objective: Objective,
        utilities: &[f32],
        log_ratios: &[f32],
    ) -> (f32, Vec<f32>) {
        let device = Device::flex().autodiff();
        let config = Config { objective, ..Config::default() };
        let log_ratios = Tensor::<1>::from_floats(log_ratios, &device).require_grad();
        let utilities = Tensor::<1>::from_floats(utilities, &device);
        let loss = policy_loss(utilities, log_ratios.clone().exp(), &config).loss;
        let grads = loss.backward();
        let grad = log_ratios.grad(&grads).expect("tracked").into_data().try_to_vec().expect("f32");
        (loss.inner().into_scalar(), grad)
    }

    proptest! {
        #[test]
        fn drift_with_coefficient_one_is_the_clip(
            samples in prop::collection::vec((-2.0_f32..2.0, -0.5_f32..0.5), 1..16)
        ) {
            let (utilities, log_ratios): (Vec<f32>, Vec<f32>) = samples.into_iter().unzip();
            // At the kinks the two forms may have different one-sided gradients.
            let kink = |x: &f32| (x.exp() - 0.9).abs() < 1e-4 || (x.exp() - 1.1).abs() < 1e-4;
            prop_assume!(!log_ratios.iter().any(kink));
            let (clip, clip_grad) = loss_and_grad(Objective::Clip, &utilities, &log_ratios);
            let (drift, drift_grad) = loss_and_grad(Objective::Drift, &utilities, &log_ratios);
            prop_assert!((clip - drift).abs() < 1e-5, "{clip} {drift}");
            for (a, b) in clip_grad.iter().zip(&drift_grad) {
                prop_assert!((a - b).abs() < 1e-5, "{clip_grad:?} {drift_grad:?}");
            }
        }
    }

    #[test]
    fn entropy_of_equal_logits_is_log_of_the_count() {
        let logits = Tensor::<2>::zeros([2, 6], &Device::flex());
        let values: Vec<f32> = entropy(logits).1.into_data().try_to_vec().expect("f32");
        for value in values {
            assert!((value - 6.0_f32.ln()).abs() < 1e-6);
        }
    }
}
