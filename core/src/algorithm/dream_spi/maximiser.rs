//! The updates of the discriminator: it maximises the difference between its outputs for true and for
//! imagined next latents. Encoder and world model are fixed.

use burn::tensor::Tensor;
use deepspi_run::config::{Config, DreamMode};

use crate::algorithm::deep_spi::{Encoded, encode, seen_by};
use crate::data::minibatch::Minibatch;
use crate::model::Model;
use crate::world_model::discriminator::Judged;

/// Passes over the rollout.
pub const EPOCHS: usize = 5;
/// Minibatches of a pass.
pub const MINIBATCHES: usize = 4;

/// The loss of the discriminator on a minibatch, with its parts.
#[derive(Clone, Debug)]
pub struct MaximiserTerms {
    /// `-mean(D(z') - D(zhat))`, `[1]`.
    pub loss: Tensor<1>,
    /// True next latents, `[B, h, w, c]`.
    pub next: Tensor<4>,
    /// Imagined next latents, `[B, h, w, c]`.
    pub imagined: Tensor<4>,
    /// Outputs `[B]` for the true ones.
    pub of_true: Tensor<1>,
    /// Outputs `[B]` for the imagined ones.
    pub of_imagined: Tensor<1>,
}

/// The loss; `plain` has the same parameters as `model` and no autodiff, and `batch` neither. None
/// without a discriminator.
///
/// After an end the next latent is that of the state itself, as in the loss of the world model; in the
/// authors' code it is that of the next observation.
#[must_use]
pub fn maximiser_loss(
    model: &Model,
    plain: &Model,
    batch: &Minibatch,
    config: &Config,
) -> Option<MaximiserTerms> {
    let discriminator = model.discriminator.as_ref()?;
    let Encoded { latents, both, .. } = encode(plain, batch);
    let dones = match config.dream.dream_mode {
        DreamMode::Corrected => batch.dones.clone(),
        DreamMode::Parity => batch.dones.zeros_like(),
    };
    let world_model = &plain.world_model;
    let alignment = world_model.alignment();
    let next = alignment.natural(alignment.targets(both?, dones));
    let statistics = world_model.predict(latents.clone(), batch.actions.clone());
    let imagined = world_model.sample(statistics, batch.noise.clone());
    let judged = Judged {
        observations: seen_by(discriminator, batch).map(Tensor::autodiff),
        actions: batch.actions.clone().autodiff(),
        latents: latents.autodiff(),
    };
    let (next, imagined) = (next.autodiff(), imagined.autodiff());
    let of_true = discriminator.judge(judged.clone(), next.clone());
    let of_imagined = discriminator.judge(judged, imagined.clone());
    let loss = (of_imagined.clone() - of_true.clone()).mean();
    Some(MaximiserTerms { loss, next, imagined, of_true, of_imagined })
}
