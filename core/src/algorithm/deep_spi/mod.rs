//! DeepSPI, DeepMDP and PPO: one algorithm. They differ only in where the losses of the world model
//! enter the objective ([`objective()`]).
//!
//! To follow one iteration from top to bottom, read `DeepSpi::iteration`: it collects a rollout,
//! estimates advantages, runs all epochs of minibatch updates and measures the importance ratios.
//! The additional work of a certified run is in `certified`.

mod batch;
mod batch_view;
mod certified;
mod learner;
mod objective;
mod penalty;

use burn::tensor::{Device, Tensor};
use deepspi_run::certificate::Projection;
use deepspi_run::checkpoint::{Checkpoint, Section};
use deepspi_run::config::Config;
use deepspi_run::message::Message;
use deepspi_run::metrics::Metrics;
use deepspi_run::network::NetworkSpec;
use deepspi_worlds::env::VectorEnv;

pub(crate) use self::batch::minibatch;
pub use self::batch_view::batch_view;
use self::certified::{certificate, project};
pub use self::learner::Learner;
pub use self::objective::{
    Encoded, LossTerms, NetworkTerms, draw_noise, encode, model_losses, network_terms, objective,
    seen_by, with_penalty,
};
pub use self::penalty::{draw_penalty_noise, gradient_penalty};
use super::metrics::{PendingMetrics, Read, read_iteration};
use super::seam::{Algorithm, IterationReport, Working};
use super::stored;
use crate::checkpoint::CheckpointError;
use crate::collect::{PendingRatios, collect};
use crate::data::rollout::{Rollout, permutation};
use crate::model::Model;
use crate::optim::ParameterGroup;
use crate::returns::{Advantages, explained_variance};
use crate::run_state::{RunState, TrainError};

/// DeepSPI, DeepMDP or PPO between two iterations.
#[derive(Clone, Debug)]
pub struct DeepSpi {
    learner: Learner,
}

impl DeepSpi {
    /// The algorithm at the start of a run, with initial parameters.
    #[must_use]
    pub fn new(config: &Config, spec: &NetworkSpec, device: &Device) -> Self {
        Self { learner: Learner::new(Model::new(spec, config, device), config) }
    }

    /// One iteration of the paper's algorithm.
    async fn iteration(
        &mut self,
        run: &mut RunState,
        env: &mut dyn VectorEnv,
        emit: &mut dyn FnMut(Message),
    ) -> Result<IterationReport, TrainError> {
        let rollout = collect(&self.learner.plain(), run, env, emit).await?;
        let targets = rollout.advantages(run.config.gamma, run.config.gae_lambda);
        let rates = self.learner.optimiser.rates_at(run.iteration);
        let (pending, projection) = self.learn(run, &rollout, &targets, &rates).await?;
        let model = self.learner.plain();
        let ratios = PendingRatios::of(&model, &rollout, run);
        let Read { metrics: [metrics], ratios, parameter_sum } =
            read_iteration(run, [pending], ratios, self.learner.parameters()).await?;
        let certificate = if run.config.deep_spi.certified {
            Some(certificate(&model, run, &rollout, &targets, ratios, projection).await?)
        } else {
            None
        };
        let batch = if run.watches_batches {
            // Watching must not change the run: the noise comes from a copy of its generator.
            let mut noise = run.generators.noise.clone();
            let (config, device) = (&run.config, &run.device);
            Some(batch_view(&model, &rollout, &targets, config, &mut noise, device).await?)
        } else {
            None
        };
        Ok(IterationReport {
            learning_rate: rates[0],
            last: metrics.last().cloned().unwrap_or_default(),
            mean: Metrics::mean(&metrics),
            parameter_sum,
            explained_variance: explained_variance(rollout.values(), &targets.returns),
            ratios,
            certificate,
            batch,
        })
    }

    /// All updates of an iteration. Their metrics are not read yet; a certified run reads the ratios of
    /// each.
    async fn learn(
        &mut self,
        run: &mut RunState,
        rollout: &Rollout,
        targets: &Advantages,
        rates: &[f64],
    ) -> Result<(Vec<PendingMetrics>, Projection), TrainError> {
        let mut projection = Projection::default();
        let config = run.config.clone();
        let lifted = run.device.clone().autodiff();
        let mut pending = Vec::with_capacity(config.update_epochs * config.num_minibatches);
        for _ in 0..config.update_epochs {
            let order = permutation(rollout.len(), &mut run.generators.shuffle);
            for indices in order.chunks_exact(config.minibatch_size()) {
                let batch =
                    minibatch(self.learner.trainable(), run, rollout, indices, targets, &lifted);
                let before = self.learner.parameters().clone();
                let (learner, metrics) = self.learner.clone().update(&batch, &config, rates);
                pending.push(metrics);
                self.learner = if config.deep_spi.certified {
                    project(run, rollout, &before, learner, &mut projection).await?
                } else {
                    learner
                };
            }
        }
        Ok((pending, projection))
    }
}

impl Algorithm for DeepSpi {
    fn groups(&self) -> Vec<ParameterGroup> {
        self.learner.optimiser.groups().cloned().collect()
    }

    fn parameters(&self) -> Tensor<1> {
        self.learner.parameters().clone()
    }

    fn policy(&self) -> Model {
        self.learner.plain()
    }

    fn iterate<'a>(
        &'a mut self,
        run: &'a mut RunState,
        env: &'a mut dyn VectorEnv,
        emit: &'a mut dyn FnMut(Message),
    ) -> Working<'a, Result<IterationReport, TrainError>> {
        Box::pin(self.iteration(run, env, emit))
    }

    fn sections(&self) -> Working<'_, Result<Vec<Section>, CheckpointError>> {
        Box::pin(stored::sections(self.learner.plain(), &self.learner.optimiser))
    }

    fn optimiser_steps(&self) -> Vec<u64> {
        self.learner.optimiser.steps()
    }

    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        let device = self.learner.parameters().device();
        let model = self.learner.plain();
        let optimiser = &mut self.learner.optimiser;
        let parameters = stored::restore(checkpoint, model, optimiser, &device)?;
        self.learner = self.learner.clone().with_parameters(parameters);
        Ok(())
    }

    fn boxed_clone(&self) -> Box<dyn Algorithm> {
        Box::new(self.clone())
    }
}
