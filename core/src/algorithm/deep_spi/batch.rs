//! Minibatches as the objective needs them: transitions of a rollout with the noise of the world model's loss.

use burn::tensor::Device;

use super::objective::draw_noise;
use crate::data::minibatch::Minibatch;
use crate::data::rollout::Rollout;
use crate::model::Model;
use crate::returns::Advantages;
use crate::run_state::RunState;

/// The transitions `indices` on `device`. Noise is drawn from the run's generator.
pub(super) fn minibatch(
    model: &Model,
    run: &mut RunState,
    rollout: &Rollout,
    indices: &[usize],
    targets: &Advantages,
    device: &Device,
) -> Minibatch {
    let config = &run.config;
    let mut batch = rollout.minibatch(indices, targets, config.uses_world_model(), device);
    batch.noise = draw_noise(model, config, indices.len(), &mut run.generators.noise, device);
    batch
}
