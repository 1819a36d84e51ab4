//! Adam over a flat vector of parameters.
//!
//! burn's optimiser is not used. Its saved state is keyed by random parameter ids, must be read
//! synchronously (impossible in a browser) and is restored on the default device, which panics on a
//! machine without a GPU (`docs/decisions/0003-optimiser.md`).

use burn::tensor::Tensor;

use crate::ops::adam::{AdamStep, Stepped, clipped_adam_step};

/// Constants of Adam.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamSettings {
    /// Decay of the first moment.
    pub beta_1: f32,
    /// Decay of the second moment.
    pub beta_2: f32,
    /// Added to the square root of the corrected second moment.
    pub epsilon: f32,
    /// Decay of the parameters, in units of the learning rate (AdamW).
    pub weight_decay: f32,
}

impl AdamSettings {
    /// Settings with the usual decays 0.9 and 0.999 and without weight decay.
    #[must_use]
    pub const fn with_epsilon(epsilon: f32) -> Self {
        Self { beta_1: 0.9, beta_2: 0.999, epsilon, weight_decay: 0.0 }
    }
}

/// Moments and step counter; all vectors `[P]`, without autodiff.
#[derive(Clone, Debug)]
pub struct Adam {
    /// Running mean of the gradient.
    pub moment_1: Tensor<1>,
    /// Running mean of the squared gradient.
    pub moment_2: Tensor<1>,
    /// Steps taken.
    pub steps: u64,
}

impl Adam {
    /// Moments at zero for parameters `[P]`.
    #[must_use]
    pub fn new(parameters: &Tensor<1>) -> Self {
        Self { moment_1: parameters.zeros_like(), moment_2: parameters.zeros_like(), steps: 0 }
    }

    /// Clips the gradients `grads` `[P]` to the norm `max_norm` and takes one step; epsilon stands
    /// outside the square root. Returns the new parameters and the norm before clipping, `[1]`. No
    /// value is read from the device.
    #[must_use]
    pub fn step(
        &mut self,
        parameters: Tensor<1>,
        grads: Tensor<1>,
        rate: f64,
        settings: AdamSettings,
        max_norm: f32,
    ) -> (Tensor<1>, Tensor<1>) {
        let AdamSettings { beta_1, beta_2, epsilon, weight_decay } = settings;
        self.steps = self.steps.saturating_add(1);
        let exponent = i32::try_from(self.steps).unwrap_or(i32::MAX);
        let correction = |beta: f32| 1.0 - f64::from(beta).powi(exponent);
        let step = AdamStep {
            beta_1,
            beta_2,
            rate: (rate / correction(beta_1)) as f32,
            bias_correction_2: correction(beta_2) as f32,
            epsilon,
            keep: (1.0 - rate * f64::from(weight_decay)) as f32,
            max_norm,
        };
        let (old_1, old_2) = (self.moment_1.clone(), self.moment_2.clone());
        let Stepped { parameters, moment_1, moment_2, norm } =
            clipped_adam_step(parameters, grads, old_1, old_2, step);
        self.moment_1 = moment_1;
        self.moment_2 = moment_2;
        (parameters, norm)
    }
}
