//! Looking into the world model: imagined steps beside what really happened.
//!
//! The imagined rollout begins in the latent of a real observation and takes the actions that were really
//! taken, so that what differs is the world model alone.

mod recent;
mod seen;

use burn::tensor::{Device, Tensor};
use deepspi_run::dreaming::{DreamtStep, LookedAhead};
use rand_chacha::ChaCha8Rng;
pub use recent::RecentSteps;
pub use seen::SeenLatents;
pub(crate) use seen::{distance, typical_distance};

use crate::data::rollout::observations;
use crate::model::Model;
use crate::read_floats;
use crate::traffic::upload;

/// What really happened in H steps.
#[derive(Clone, Debug)]
pub struct RealSteps<'a> {
    /// Observations `[C, H, W]` before the first step and after every step, `H + 1`.
    pub observations: Vec<&'a [u8]>,
    /// Actions.
    pub actions: &'a [u32],
    /// Rewards as the agent learns from them.
    pub rewards: &'a [f32],
    /// Whether the episode ended with the last step. The true value after it is 0, whatever the critic
    /// says of the last picture.
    pub ended: bool,
}

/// Latents of observations `[C, H, W]`, one after the other.
///
/// # Errors
/// If the device fails.
pub async fn latents_of(
    model: &Model,
    frame: deepspi_worlds::frame::FrameShape,
    pixels: &[&[u8]],
    device: &Device,
) -> Result<Vec<f32>, crate::Error> {
    let input = observations(frame, pixels.len(), device, |i| pixels[i]);
    read_floats(model.agent.encode(input)).await
}

/// Imagines the steps of `real` from its first observation, and compares.
///
/// The bound of each step is the sum of Theorem 2 up to it, `sum_t gamma^t (l_R + gamma K_V l_P)` of the
/// model's errors in single steps from the true latents, with `K_V = 1 / (1 - gamma)`. It bounds the
/// difference of the two returns up to there only if the premises of a certified run hold.
///
/// # Errors
/// If the device fails.
///
/// # Panics
/// If the numbers of observations, actions and rewards do not fit.
pub async fn look_ahead(
    model: &Model,
    frame: deepspi_worlds::frame::FrameShape,
    real: &RealSteps<'_>,
    seen: &SeenLatents,
    gamma: f32,
    rng: &mut ChaCha8Rng,
    device: &Device,
) -> Result<LookedAhead, crate::Error> {
    let horizon = real.actions.len();
    assert_eq!((real.observations.len(), real.rewards.len()), (horizon + 1, horizon), "H steps");
    let input = observations(frame, horizon + 1, device, |i| real.observations[i]);
    let (latents, output) = model.agent.perceive(input);
    let shape = latents.dims();
    let choices = output.logits().dims()[1];
    let true_values = read_floats(output.values()).await?;
    let true_latents = read_floats(latents.clone()).await?;
    let width = true_latents.len() / (horizon + 1);
    let truth = |t: usize| &true_latents[t * width..][..width];
    let one_hot = |actions: &[u32]| -> Tensor<2> {
        let mut rows = vec![0.0; actions.len() * choices];
        for (row, action) in rows.chunks_mut(choices).zip(actions) {
            row[*action as usize] = 1.0;
        }
        upload(rows, [actions.len(), choices], device)
    };
    let value_lipschitz = 1.0 / (1.0 - gamma);
    let mut imagined = latents.clone().narrow(0, 0, 1);
    let (mut steps, mut bound, mut discount) = (Vec::with_capacity(horizon), 0.0, 1.0);
    for t in 0..horizon {
        // From the imagined latent and from the true one. Noise is drawn step by step, so that a longer
        // rollout begins as a shorter one.
        let both = Tensor::cat(vec![imagined, latents.clone().narrow(0, t, 1)], 0);
        let action = real.actions[t];
        let noise = model.world_model.sample_noise(2, rng, device);
        let step = model.world_model.step(both, one_hot(&[action, action]), noise);
        let next = read_floats(step.latents.clone()).await?;
        let (own, single) = next.split_at(width);
        imagined = step.latents.narrow(0, 0, 1).reshape([1, shape[1], shape[2], shape[3]]);
        let value = model.agent.act(imagined.clone()).values();
        let numbers = Tensor::cat(vec![step.rewards, step.continuation, value], 0);
        let numbers = read_floats(numbers).await?;
        // Two rewards, two continuations and a value.
        let (imagined_reward, continuation, imagined_value) = (numbers[0], numbers[2], numbers[4]);
        let reward_loss = (numbers[1] - real.rewards[t]).abs();
        let transition_loss = distance(single, truth(t + 1)) as f32;
        bound += discount * (reward_loss + gamma * value_lipschitz * transition_loss);
        discount *= gamma;
        steps.push(DreamtStep {
            action,
            imagined_reward,
            reward: real.rewards[t],
            imagined_value,
            value: if real.ended && t + 1 == horizon { 0.0 } else { true_values[t + 1] },
            continuation,
            distance: distance(own, truth(t + 1)) as f32,
            nearest: seen.nearest(own),
            bound,
        });
    }
    Ok(LookedAhead { steps })
}

#[cfg(test)]
mod tests {
    use deepspi_run::config::{Algorithm, Config, TransitionDensity};
    use deepspi_run::maze_preset::TrainingPreset as _;
    use deepspi_worlds::maze::{Maze, MazeConfig};
    use deepspi_worlds::rng::{Stream, stream};

    use super::*;

    #[test]
    fn imagined_steps_are_those_of_the_world_model_and_the_nearest_frame_is_found() {
        let preset = MazeConfig::DEFAULT.preset;
        let mut config = Config { algo: Algorithm::DreamSpi, ..preset.hyper_parameters() };
        config.world_model.transition_density = TransitionDensity::Deterministic;
        let device = Device::flex();
        let spec = preset.network();
        let model = Model::new(&spec, &config, &device);
        let maze = Maze::new(MazeConfig::DEFAULT, 0.9).expect("valid");
        let frames: Vec<Vec<u8>> = (0..4).map(|state| maze.frame(state)).collect();
        let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
        let all = pollster::block_on(latents_of(&model, spec.frame, &frames, &device));
        let all = all.expect("computed");
        let width = all.len() / 4;
        let mut seen = SeenLatents::new(3);
        for latent in all.chunks(width) {
            seen.push(latent);
        }
        assert_eq!(seen.len(), 3, "no more than the limit");
        assert_eq!(seen.nearest(&all[width..2 * width]), Some((1, 0.0)));
        let real = RealSteps {
            observations: frames,
            actions: &[3, 1, 0],
            rewards: &[1.0, 0.0, -1.0],
            ended: true,
        };
        let look = || {
            let mut rng = stream(1, Stream::Noise);
            let looked = look_ahead(&model, spec.frame, &real, &seen, 0.9, &mut rng, &device);
            pollster::block_on(looked).expect("computed")
        };
        let found = look();
        assert_eq!(found, look());
        assert_eq!(found.steps.len(), 3);
        let values: Vec<bool> = found.steps.iter().map(|step| step.value == 0.0).collect();
        assert_eq!(values, [false, false, true], "nothing comes after the end");
        assert!(found.steps.iter().map(|s| s.bound).is_sorted(), "the bound grows: {found:?}");
        // The first imagined step is a single step from the true latent.
        let first = found.steps[0];
        let expected = (first.imagined_reward - 1.0).abs() + 0.9 * 10.0 * first.distance;
        assert!((first.bound - expected).abs() < 1e-3 * expected, "{first:?} {expected}");
        assert!(found.steps.iter().all(|s| (0.0..=1.0).contains(&s.continuation)));
    }
}
