//! The interface of an algorithm: the rest of the program must use nothing else of it.

use std::fmt::Debug;
use std::pin::Pin;

use burn::tensor::Tensor;
use deepspi_run::batch_view::BatchView;
use deepspi_run::certificate::Certificate;
use deepspi_run::checkpoint::{Checkpoint, Section};
use deepspi_run::message::Message;
use deepspi_run::metrics::Metrics;
use deepspi_run::monitor::RatioBounds;
use deepspi_worlds::env::VectorEnv;

use crate::checkpoint::CheckpointError;
use crate::model::Model;
use crate::optim::ParameterGroup;
use crate::run_state::{RunState, TrainError};

/// A future that waits for the device or the environment. It is not `Send`, because in a browser it
/// holds JavaScript handles.
pub type Working<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A learning algorithm between two iterations.
pub trait Algorithm: Debug {
    /// The groups of parameters, in the order of the flat vector.
    fn groups(&self) -> Vec<ParameterGroup>;

    /// All parameters, `[P]`, without autodiff.
    fn parameters(&self) -> Tensor<1>;

    /// The networks for rollouts and evaluation, without autodiff.
    fn policy(&self) -> Model;

    /// One iteration: steps in `env`, then all updates. It advances the counters and generators of
    /// `run` and emits the ends of episodes as they happen. The caller increments the iteration
    /// counter.
    ///
    /// After an error the algorithm is no longer consistent with its environment.
    fn iterate<'a>(
        &'a mut self,
        run: &'a mut RunState,
        env: &'a mut dyn VectorEnv,
        emit: &'a mut dyn FnMut(Message),
    ) -> Working<'a, Result<IterationReport, TrainError>>;

    /// Everything that a resumed run needs, as sections of a checkpoint.
    fn sections(&self) -> Working<'_, Result<Vec<Section>, CheckpointError>>;

    /// Steps of the optimiser, one entry for each group.
    fn optimiser_steps(&self) -> Vec<u64>;

    /// Restores the algorithm from the sections and optimiser steps of a checkpoint. Sections that
    /// belong to something else, such as the environments, are ignored.
    ///
    /// # Errors
    /// If a section is missing or does not fit the networks. The algorithm must then be discarded.
    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), CheckpointError>;

    /// A copy, for a trainer that is cloned.
    fn boxed_clone(&self) -> Box<dyn Algorithm>;
}

/// What an iteration reports.
#[derive(Clone, Debug)]
pub struct IterationReport {
    /// Learning rate of the first parameter group.
    pub learning_rate: f64,
    /// Metrics of the last update, as the authors log them.
    pub last: Metrics,
    /// Mean metrics over all updates of the iteration.
    pub mean: Metrics,
    /// Sum of all parameters after the updates: not finite if one of them is not.
    pub parameter_sum: f32,
    /// Explained variance of the returns by the values that collected the rollout.
    pub explained_variance: f32,
    /// Importance ratios of the policy after the updates to the behaviour policy.
    pub ratios: RatioBounds,
    /// The bound of Theorem 3; only of certified runs.
    pub certificate: Option<Certificate>,
    /// The batch as the updated model sees it, if [`RunState::watches_batches`] is set.
    pub batch: Option<BatchView>,
}
