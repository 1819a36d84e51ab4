//! One gradient step: loss, gradient, clipping, Adam.

use burn::tensor::Tensor;
use deepspi_run::config::Config;

use crate::metrics::PendingMetrics;
use crate::nn::Model;
use crate::objective::{Minibatch, objective};
use crate::optim::{Adam, clip_by_global_norm};
use crate::params::{flatten, flatten_grads, unflatten};

/// Parameters, optimiser and the module they belong to, between two updates.
#[derive(Clone, Debug)]
pub struct Learner {
    /// The module as leaves of an autodiff graph.
    pub(crate) model: Model,
    /// The same parameters as one vector `[P]`, without autodiff.
    pub(crate) parameters: Tensor<1>,
    /// Moments of the gradient.
    pub optimiser: Adam,
}

impl Learner {
    /// A learner with fresh moments around initial parameters.
    #[must_use]
    pub fn new(model: Model) -> Self {
        let parameters = flatten(&model);
        let optimiser = Adam::new(&parameters);
        Self { model: unflatten(model, &parameters, true), parameters, optimiser }
    }

    /// The module for [`objective`]: its parameters collect gradients.
    #[must_use]
    pub const fn trainable(&self) -> &Model {
        &self.model
    }

    /// The module for rollouts and evaluation: plain values, no graph.
    #[must_use]
    pub fn plain(&self) -> Model {
        unflatten(self.model.clone(), &self.parameters, false)
    }

    /// All parameters `[P]`.
    #[must_use]
    pub const fn parameters(&self) -> &Tensor<1> {
        &self.parameters
    }

    /// Replaces all parameters by `parameters` `[P]`.
    #[must_use]
    pub fn with_parameters(self, parameters: Tensor<1>) -> Self {
        Self {
            model: unflatten(self.model, &parameters, true),
            parameters,
            optimiser: self.optimiser,
        }
    }

    /// One gradient step on a minibatch at learning rate `rate`.
    #[must_use]
    pub fn update(
        mut self,
        batch: &Minibatch,
        config: &Config,
        rate: f64,
    ) -> (Self, PendingMetrics) {
        let terms = objective(&self.model, batch, config);
        let mut grads = terms.total.backward();
        let grads = flatten_grads(&self.model, &mut grads);
        let (grads, norm) = clip_by_global_norm(grads, config.max_grad_norm);
        let metrics = PendingMetrics::new(&terms, &norm, config.clip_coef);
        let parameters = self.optimiser.step(self.parameters.clone(), grads, rate, config.adam_eps);
        (self.with_parameters(parameters), metrics)
    }
}
