//! Terms of the objective: policy loss, entropy, and the smooth-L1 distance that losses share. The
//! losses of the world model are in [`crate::world_model`].
//!
//! Each function must be differentiable in everything that depends on parameters. Tests compare the
//! gradients with finite differences and the values with the golden files.

mod normalise;
mod off_policy;
mod policy;

use burn::tensor::Tensor;
use deepspi_run::config::{Config, ValueLoss};
pub use normalise::normalise;
pub use off_policy::{LogProbs, off_policy_loss};
pub use policy::{Surrogate, entropy, log_prob_of, policy_loss};

/// Value loss `[1]` of predicted values `[B]` and returns `[B]`: half the mean square of the error, or
/// Huber's loss.
#[must_use]
pub fn value_loss(values: Tensor<1>, returns: Tensor<1>, config: &Config) -> Tensor<1> {
    let error = values - returns;
    match config.value_loss {
        ValueLoss::Squared => (error.clone() * error).mean() * 0.5,
        ValueLoss::Huber => smooth_l1(error).mean(),
    }
}

/// Smooth-L1 with beta 1: `e^2 / 2` where `|e| < 1`, else `|e| - 1/2`. Not a metric.
#[must_use]
pub fn smooth_l1<const D: usize>(error: Tensor<D>) -> Tensor<D> {
    let size = error.abs();
    // With c = min(|e|, 1) both branches are c (|e| - c / 2).
    let inside = size.clone().clamp_max(1.0);
    (size - inside.clone() * 0.5) * inside
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn smooth_l1_has_both_branches_and_their_gradients() {
        let device = Device::flex().autodiff();
        let error = Tensor::<1>::from_floats([-3.0, -0.5, 0.0, 0.25, 2.0], &device).require_grad();
        let loss = smooth_l1(error.clone());
        let values: Vec<f32> = loss.clone().inner().into_data().try_to_vec().expect("f32");
        assert_eq!(values, [2.5, 0.125, 0.0, 0.03125, 1.5]);
        let grads = loss.sum().backward();
        let grad: Vec<f32> =
            error.grad(&grads).expect("tracked").into_data().try_to_vec().expect("f32");
        assert_eq!(grad, [-1.0, -0.5, 0.0, 0.25, 1.0]);
    }
}
