//! The loss of actor and critic on imagined steps: the clipped surrogate without auxiliary losses.

use burn::tensor::Tensor;
use deepspi_run::config::Config;

use crate::model::Model;
use crate::ops::policy_objective::{Inputs, PolicyObjective, policy_objective};

/// The loss of a minibatch of imagined samples: latents `[B, h, w, c]` and targets `[4, B]` (see
/// [`Inputs::targets`]), both without autodiff; `config` is that of imagination.
#[must_use]
pub fn imagined_objective(
    model: &Model,
    latents: Tensor<4>,
    targets: Tensor<2>,
    config: &Config,
) -> PolicyObjective {
    let outputs = model.agent.act(latents.autodiff()).outputs;
    policy_objective(Inputs { outputs, auxiliary: None, targets: targets.autodiff() }, config)
}
