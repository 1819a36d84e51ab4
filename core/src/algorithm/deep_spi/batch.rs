//! Minibatches for the objective: transitions of a rollout with the noise that the world model's
//! loss needs.

use burn::tensor::Device;

use super::objective::draw_noise;
use super::penalty::draw_penalty_noise;
use crate::data::minibatch::{Minibatch, vector};
use crate::data::rollout::Rollout;
use crate::model::Model;
use crate::returns::Advantages;
use crate::run_state::RunState;

/// Gathers the transitions `indices` on `device`. The noise comes from the run's generator.
pub(crate) fn minibatch(
    model: &Model,
    run: &mut RunState,
    rollout: &Rollout,
    indices: &[usize],
    targets: &Advantages,
    device: &Device,
) -> Minibatch {
    let (config, noise) = (&run.config, &mut run.generators.noise);
    let size = [indices.len(), run.spec.actions];
    let mut batch = rollout.minibatch(indices, targets, config.uses_world_model(), device);
    batch.noise = draw_noise(model, config, indices.len(), noise, device);
    batch.penalty = draw_penalty_noise(model, config, size, noise, device);
    if config.has_done_predictor() {
        let ends = rollout.ends(indices, config.world_model.done_labels);
        batch.ends = Some(vector(ends, device));
    }
    batch
}
