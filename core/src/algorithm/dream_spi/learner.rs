//! The parameters of DreamSPI and their updates.
//!
//! A *phase* is a series of updates of some groups. Every update takes the gradient at
//! [`DreamLearner::trainable`]. Corrected, these are the current parameters. As in the authors' code
//! (docs/deepspi.md, D19) only the first group of the phase is current there, and all others are as at
//! the start of the phase; [`DreamLearner::synchronise`] ends a phase.

use burn::tensor::Tensor;
use deepspi_run::config::{Config, DreamMode};

use super::groups::Group;
use crate::model::Model;
use crate::optim::Optimiser;
use crate::params::{describe, flatten, flatten_grads, unflatten};

/// A model with its flat parameters and its optimisers, between two updates.
#[derive(Clone, Debug)]
pub struct DreamLearner {
    /// The module at which gradients are taken, as leaves of an autodiff graph.
    model: Model,
    /// Its parameters `[P]`, without autodiff.
    at: Tensor<1>,
    /// The current parameters `[P]`.
    parameters: Tensor<1>,
    /// One optimiser for each [`Group`].
    pub optimiser: Optimiser,
    mode: DreamMode,
}

impl DreamLearner {
    /// A learner with initial parameters and moments at zero.
    #[must_use]
    pub fn new(model: Model, config: &Config) -> Self {
        let parameters = flatten(&model);
        let lengths = Group::lengths(&describe(&model));
        let groups = Group::of_run(config).iter();
        let groups: Vec<_> =
            groups.map(|&group| (group.settings(config), lengths[group as usize])).collect();
        let optimiser = Optimiser::new(&parameters, &groups);
        Self {
            model: unflatten(model, &parameters, true),
            at: parameters.clone(),
            parameters,
            optimiser,
            mode: config.dream.dream_mode,
        }
    }

    /// The module whose parameters collect gradients.
    #[must_use]
    pub const fn trainable(&self) -> &Model {
        &self.model
    }

    /// The module with the current parameters, without autodiff.
    #[must_use]
    pub fn plain(&self) -> Model {
        unflatten(self.model.clone(), &self.parameters, false)
    }

    /// All current parameters `[P]`.
    #[must_use]
    pub const fn parameters(&self) -> &Tensor<1> {
        &self.parameters
    }

    /// Replaces all parameters by `parameters` `[P]`.
    pub fn set_parameters(&mut self, parameters: Tensor<1>) {
        self.parameters = parameters;
        self.synchronise();
    }

    /// Ends a phase: gradients are taken at the current parameters again.
    pub fn synchronise(&mut self) {
        self.at = self.parameters.clone();
        self.model = unflatten(self.model.clone(), &self.at, true);
    }

    /// The learning rates of the groups of a phase; none for the others.
    #[must_use]
    pub fn rates(&self, config: &Config, phase: &[Group]) -> Vec<Option<f64>> {
        let steps = self.optimiser.steps();
        Group::of_run(config)
            .iter()
            .zip(steps)
            .map(|(group, steps)| {
                phase.contains(group).then(|| group.schedule(config).rate_after(steps))
            })
            .collect()
    }

    /// One update of the groups of a phase that minimises `loss` `[1]`, which was computed with
    /// [`Self::trainable`]. Returns the norm of each group's gradient before clipping, `[1]`.
    pub fn update(
        &mut self,
        loss: &Tensor<1>,
        config: &Config,
        phase: &[Group],
    ) -> Vec<Option<Tensor<1>>> {
        let mut grads = loss.backward();
        let grads = flatten_grads(&self.model, &mut grads);
        let rates = self.rates(config, phase);
        let (parameters, norms) = self.optimiser.step_some(&self.parameters, &grads, &rates);
        self.parameters = parameters;
        match (self.mode, phase.first()) {
            (DreamMode::Parity, Some(&first)) => {
                let ranges: Vec<_> = self.optimiser.groups().map(|g| g.range.clone()).collect();
                let parts = ranges.into_iter().enumerate().map(|(group, range)| {
                    let from = if group == first as usize { &self.parameters } else { &self.at };
                    from.clone().narrow(0, range.start, range.len())
                });
                self.at = Tensor::cat(parts.collect(), 0);
                self.model = unflatten(self.model.clone(), &self.at, true);
            }
            _ => self.synchronise(),
        }
        norms
    }
}
