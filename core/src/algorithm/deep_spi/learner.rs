//! One gradient step of DeepSPI, DeepMDP or PPO: loss, gradient, clipping, Adam.

use burn::tensor::Tensor;
use deepspi_run::config::Config;

use super::objective::objective;
use crate::algorithm::metrics::PendingMetrics;
use crate::data::minibatch::Minibatch;
use crate::model::Model;
use crate::optim::{AdamSettings, GroupSettings, Optimiser};
use crate::params::{flatten, flatten_grads, unflatten};

/// A model with its flat parameters and its optimiser, between two updates.
#[derive(Clone, Debug)]
pub struct Learner {
    /// The module as leaves of an autodiff graph.
    model: Model,
    /// The same parameters as one vector `[P]`, without autodiff.
    parameters: Tensor<1>,
    /// One group: the gradients of agent and world model are clipped by one common norm.
    pub optimiser: Optimiser,
}

impl Learner {
    /// A learner with initial parameters and moments at zero.
    #[must_use]
    pub fn new(model: Model, config: &Config) -> Self {
        let parameters = flatten(&model);
        let all = GroupSettings {
            name: "all",
            adam: AdamSettings {
                weight_decay: config.parameter_decay(),
                ..AdamSettings::with_epsilon(config.adam_eps)
            },
            schedule: config.learning_rate_schedule(),
            max_norm: config.max_grad_norm,
        };
        let optimiser = Optimiser::new(&parameters, &[(all, parameters.dims()[0])]);
        Self { model: unflatten(model, &parameters, true), parameters, optimiser }
    }

    /// The module for [`objective`], whose parameters collect gradients.
    #[must_use]
    pub const fn trainable(&self) -> &Model {
        &self.model
    }

    /// The module for rollouts and evaluation, without autodiff.
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

    /// One gradient step on a minibatch; `rates` are the learning rates of the groups.
    #[must_use]
    pub fn update(
        mut self,
        batch: &Minibatch,
        config: &Config,
        rates: &[f64],
    ) -> (Self, PendingMetrics) {
        let terms = objective(&self.model, batch, config);
        let mut grads = terms.total.clone().backward();
        let grads = flatten_grads(&self.model, &mut grads);
        let (parameters, norms) = self.optimiser.step(&self.parameters, &grads, rates);
        let penalty = terms.penalty.map(Tensor::inner);
        let metrics = PendingMetrics::of_update(
            terms.means.inner(),
            norms[0].clone(),
            terms.total.inner(),
            penalty,
        );
        (self.with_parameters(parameters), metrics)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use deepspi_run::maze_preset::TrainingPreset as _;
    use deepspi_worlds::maze::MazePreset;

    use super::*;
    use crate::algorithm::deep_spi::{LossTerms, objective};
    use crate::ops::policy_objective::{Inputs, PolicyObjective, composed};
    use crate::read_floats;
    use crate::self_test::fixed_minibatch;

    fn first(tensor: Tensor<1>) -> f32 {
        pollster::block_on(read_floats(tensor)).expect("read")[0]
    }

    /// The objective as plain tensor operations.
    fn composed_objective(
        terms: &LossTerms,
        batch: &Minibatch,
        config: &Config,
    ) -> PolicyObjective {
        let auxiliary = terms.transition.clone().zip(terms.reward.clone());
        let outputs = terms.state.outputs.clone();
        composed(Inputs { outputs, auxiliary, targets: batch.targets.clone() }, config)
    }

    /// Each metric is computed here independently and compared by name. No two values are equal, so
    /// the test fails if two names are swapped.
    #[test]
    fn every_metric_has_the_name_of_its_quantity() {
        let (spec, batch) = (MazePreset::Small.network(), 16);
        let config = Config { clip_coef: 0.05, ..MazePreset::Small.hyper_parameters() };
        let device = Device::flex();
        let lifted = device.clone().autodiff();
        let learner = Learner::new(Model::new(&spec, &config, &device), &config);
        let batch = fixed_minibatch(&learner, &spec, &config, batch, &lifted);
        let terms = objective(learner.trainable(), &batch, &config);
        let mut grads = terms.total.backward();
        let grads = flatten_grads(learner.trainable(), &mut grads);
        let norm = (grads.clone() * grads).sum().sqrt();
        let ratios = pollster::block_on(read_floats(terms.ratios.clone())).expect("read");
        let outside = ratios.iter().filter(|r| (**r - 1.0).abs() > config.clip_coef).count();
        let kl = ratios.iter().map(|r| r - 1.0 - r.ln()).sum::<f32>() / ratios.len() as f32;
        let plain = composed_objective(&terms, &batch, &config);
        let model_loss = |loss: Option<Tensor<1>>| first(loss.expect("a world model").mean());
        let expected = [
            ("loss", first(terms.total)),
            ("policy_loss", first(plain.means.clone().narrow(0, 1, 1))),
            ("value_loss", first(plain.means.clone().narrow(0, 2, 1))),
            ("entropy", first(terms.entropy.mean())),
            ("approx_kl", kl),
            ("clip_fraction", outside as f32 / ratios.len() as f32),
            ("drift", first(plain.means.narrow(0, 6, 1))),
            ("gradient_norm", first(norm)),
            ("transition_loss", model_loss(terms.transition)),
            ("reward_loss", model_loss(terms.reward)),
        ];
        let (_, pending) = learner.update(&batch, &config, &[1e-3]);
        let found = pollster::block_on(pending.read()).expect("read");
        let names: Vec<_> = found.iter().map(|(name, _)| name).collect();
        let declared = config.algo.info().metrics.iter().map(|info| info.name);
        let declared: Vec<_> = declared.filter(|name| *name != "gradient_penalty").collect();
        assert_eq!(names, declared, "what is reported is what is declared");
        let far = |a: f32, b: f32| (a - b).abs() > 1e-3 * a.abs().max(b.abs()).max(1e-3);
        for (index, (name, value)) in expected.into_iter().enumerate() {
            let other = expected[..index].iter().find(|(_, other)| !far(value, *other));
            assert_eq!(other, None, "{name} must differ from every other metric");
            let found = found.get(name).expect("reported");
            assert!(!far(found, value), "{name} is {found}, not {value}");
        }
    }
}
