//! One gradient step of DeepSPI, DeepMDP or PPO: loss, gradient, clipping, Adam.

use burn::tensor::Tensor;
use deepspi_run::config::Config;

use super::objective::{LossTerms, objective};
use crate::algorithm::metrics::PendingMetrics;
use crate::data::minibatch::Minibatch;
use crate::model::Model;
use crate::optim::{AdamSettings, GroupSettings, Optimiser};
use crate::params::{flatten, flatten_grads, unflatten};

/// Parameters, optimiser and the module they belong to, between two updates.
#[derive(Clone, Debug)]
pub struct Learner {
    /// The module as leaves of an autodiff graph.
    model: Model,
    /// The same parameters as one vector `[P]`, without autodiff.
    parameters: Tensor<1>,
    /// One group: the gradient of agent and world model is clipped by one norm.
    pub optimiser: Optimiser,
}

impl Learner {
    /// A learner with fresh moments around initial parameters.
    #[must_use]
    pub fn new(model: Model, config: &Config) -> Self {
        let parameters = flatten(&model);
        let all = GroupSettings {
            name: "all",
            adam: AdamSettings::with_epsilon(config.adam_eps),
            schedule: config.learning_rate_schedule(),
            max_norm: config.max_grad_norm,
        };
        let optimiser = Optimiser::new(&parameters, &[(all, parameters.dims()[0])]);
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

    /// One gradient step on a minibatch, at the learning rates of the groups.
    #[must_use]
    pub fn update(
        mut self,
        batch: &Minibatch,
        config: &Config,
        rates: &[f64],
    ) -> (Self, PendingMetrics) {
        let terms = objective(&self.model, batch, config);
        let mut grads = terms.total.backward();
        let grads = flatten_grads(&self.model, &mut grads);
        let (parameters, norms) = self.optimiser.step(&self.parameters, &grads, rates);
        let metrics = metrics(&terms, &norms[0], config.clip_coef);
        (self.with_parameters(parameters), metrics)
    }
}

/// The metrics of an update, under the names that `deepspi_run::algorithm` lists.
fn metrics(terms: &LossTerms, gradient_norm: &Tensor<1>, clip: f32) -> PendingMetrics {
    let mean = |x: &Option<Tensor<1>>| {
        x.as_ref().map_or_else(|| gradient_norm.zeros_like(), |x| x.clone().mean().inner())
    };
    let clipped = (terms.ratios.clone().inner() - 1.0).abs().greater_elem(clip).float().mean();
    PendingMetrics::default()
        .with("loss", terms.total.clone().inner())
        .with("policy_loss", terms.policy.clone().inner())
        .with("value_loss", terms.value.clone().inner())
        .with("entropy", terms.entropy.clone().mean().inner())
        .with("approx_kl", terms.approx_kl.clone().inner())
        .with("clip_fraction", clipped)
        .with("drift", terms.drift.clone().inner())
        .with("gradient_norm", gradient_norm.clone())
        .with("transition_loss", mean(&terms.transition))
        .with("reward_loss", mean(&terms.reward))
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use deepspi_run::maze_preset::TrainingPreset as _;
    use deepspi_worlds::maze::MazePreset;

    use super::*;
    use crate::algorithm::deep_spi::{draw_noise, objective};
    use crate::data::minibatch::vector;
    use crate::golden::fill;
    use crate::read_floats;

    fn first(tensor: Tensor<1>) -> f32 {
        pollster::block_on(read_floats(tensor)).expect("read")[0]
    }

    /// Each metric is computed here by itself and compared by name. No two of them are equal, so that two
    /// names that changed places would be noticed.
    #[test]
    fn every_metric_has_the_name_of_its_quantity() {
        let (spec, batch) = (MazePreset::Small.network(), 16);
        let config = Config { clip_coef: 0.05, ..MazePreset::Small.hyper_parameters() };
        let device = Device::flex();
        let lifted = device.clone().autodiff();
        let learner = Learner::new(Model::new(&spec, &config, &device), &config);
        let uniform = |seed, low, high| vector(fill::fill(seed, batch, low, high), &lifted);
        let log_prob = -(spec.actions as f64).ln();
        let mut rng = deepspi_worlds::rng::stream(1, deepspi_worlds::rng::Stream::Noise);
        let batch = Minibatch {
            observations: fill::frames(&spec, batch, 0, true, &lifted),
            sharing: None,
            actions: fill::actions(spec.actions, batch, &lifted),
            log_probs: uniform(6, log_prob - 0.3, log_prob + 0.3),
            advantages: uniform(4, -2.0, 2.0),
            returns: uniform(5, -1.0, 3.0),
            rewards: uniform(3, -1.0, 1.0),
            dones: vector(vec![0.0; batch], &lifted),
            noise: draw_noise(learner.trainable(), &config, batch, &mut rng, &lifted),
        };
        let terms = objective(learner.trainable(), &batch, &config);
        let mut grads = terms.total.backward();
        let grads = flatten_grads(learner.trainable(), &mut grads);
        let norm = (grads.clone() * grads).sum().sqrt();
        let ratios = pollster::block_on(read_floats(terms.ratios.clone())).expect("read");
        let outside = ratios.iter().filter(|r| (**r - 1.0).abs() > config.clip_coef).count();
        let kl = ratios.iter().map(|r| r - 1.0 - r.ln()).sum::<f32>() / ratios.len() as f32;
        let model_loss = |loss: Option<Tensor<1>>| first(loss.expect("a world model").mean());
        let expected = [
            ("loss", first(terms.total)),
            ("policy_loss", first(terms.policy)),
            ("value_loss", first(terms.value)),
            ("entropy", first(terms.entropy.mean())),
            ("approx_kl", kl),
            ("clip_fraction", outside as f32 / ratios.len() as f32),
            ("drift", first(terms.drift)),
            ("gradient_norm", first(norm)),
            ("transition_loss", model_loss(terms.transition)),
            ("reward_loss", model_loss(terms.reward)),
        ];
        let (_, pending) = learner.update(&batch, &config, &[1e-3]);
        let found = pollster::block_on(pending.read()).expect("read");
        let names: Vec<_> = found.iter().map(|(name, _)| name).collect();
        let declared: Vec<_> = config.algo.info().metrics.iter().map(|info| info.name).collect();
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
