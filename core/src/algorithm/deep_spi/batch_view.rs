//! The transitions of one iteration as the objective sees them, for a picture of the batch.
//!
//! The numbers come from [`objective`] itself, so that the picture cannot disagree with the loss
//! that is minimised. They must differ from the iteration's updates in two ways: the model is the
//! updated one, and advantages are normalised over the whole batch instead of one minibatch.

use burn::tensor::{Device, Tensor};
use deepspi_run::batch_view::{BatchView, TransitionLosses};
use deepspi_run::config::Config;
use rand_chacha::ChaCha8Rng;

use super::objective::{draw_noise, objective};
use crate::data::minibatch::vector;
use crate::data::rollout::Rollout;
use crate::loss::normalise;
use crate::model::Model;
use crate::read_floats;
use crate::returns::Advantages;

/// Evaluates the objective on a rollout with `model`, in parts of the size of a minibatch.
/// `targets` are the advantages and returns of the rollout, not normalised; `rng` draws the noise
/// of a sampled transition density.
///
/// # Errors
/// The device's own error.
pub async fn batch_view(
    model: &Model,
    rollout: &Rollout,
    targets: &Advantages,
    config: &Config,
    rng: &mut ChaCha8Rng,
    device: &Device,
) -> Result<BatchView, crate::Error> {
    let size = rollout.len();
    let (advantage, deviation) = if config.norm_adv {
        let (normalised, deviation) = normalise(vector(targets.advantages.clone(), device));
        let mut values = read_floats(Tensor::cat(vec![normalised, deviation], 0)).await?;
        let deviation = values.pop();
        (values, deviation)
    } else {
        (targets.advantages.clone(), None)
    };
    // The advantages are already normalised, over the whole batch and not over the parts below.
    let config = Config { norm_adv: false, ..config.clone() };
    let targets = Advantages { advantages: advantage, returns: targets.returns.clone() };

    let (mut utility, mut ratio) = (Vec::with_capacity(size), Vec::with_capacity(size));
    let mut losses = TransitionLosses { reward: Vec::new(), transition: Vec::new() };
    let all: Vec<usize> = (0..size).collect();
    for indices in all.chunks(config.minibatch_size()) {
        let with_next = config.uses_world_model();
        let mut batch = rollout.minibatch(indices, &targets, with_next, device);
        batch.noise = draw_noise(model, &config, indices.len(), rng, device);
        let terms = objective(model, &batch, &config);
        let mut parts = vec![terms.utilities, terms.ratios];
        parts.extend(terms.reward);
        parts.extend(terms.transition);
        let values = read_floats(Tensor::cat(parts, 0)).await?;
        let lists = [&mut utility, &mut ratio, &mut losses.reward, &mut losses.transition];
        for (list, values) in lists.into_iter().zip(values.chunks(indices.len())) {
            list.extend_from_slice(values);
        }
    }
    Ok(BatchView {
        advantage: targets.advantages,
        deviation,
        utility,
        losses: config.uses_world_model().then_some(losses),
        ratio,
        done: rollout.dones().to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use deepspi_run::config::{Algorithm, TransitionDensity};
    use deepspi_run::maze_preset::TrainingPreset as _;
    use deepspi_run::message::Message;
    use deepspi_worlds::maze::{Maze, MazeConfig, MazeEnvs, MazePreset, MazeView, SeenMaze};

    use super::*;
    use crate::maze::{cells, probe};
    use crate::trainer::Trainer;

    const PRESET: MazePreset = MazePreset::Small;

    fn small(config: &Config) -> Config {
        Config { num_envs: 8, num_steps: 16, num_minibatches: 4, ..config.clone() }
    }

    /// Runs two iterations; returns the trainer and all messages.
    fn run(config: &Config, watched: bool) -> (Trainer, Vec<Message>) {
        let maze = Maze::new(MazeConfig::DEFAULT, config.gamma.into()).expect("valid");
        let mut env = MazeEnvs::new(maze, config.num_envs, config.seed);
        let mut trainer =
            Trainer::new(config.clone(), PRESET.network(), &Device::flex()).expect("valid");
        trainer.watch_batches(watched);
        let mut messages = Vec::new();
        for _ in 0..2 {
            let emit = |message| messages.push(message);
            pollster::block_on(trainer.iterate(&mut env, emit)).expect("trains");
        }
        (trainer, messages)
    }

    fn last_view(messages: &[Message]) -> &BatchView {
        match messages.last() {
            Some(Message::Batch(view)) => view,
            other => panic!("the batch follows its iteration: {other:?}"),
        }
    }

    #[test]
    fn looking_does_not_change_the_run_and_is_off_at_the_start() {
        let config = small(&PRESET.hyper_parameters());
        let (blind, quiet) = run(&config, false);
        let (seen, told) = run(&config, true);
        let told: Vec<_> =
            told.into_iter().filter(|message| !matches!(message, Message::Batch(_))).collect();
        assert_eq!(quiet, told);
        let parameters = |trainer: &Trainer| trainer.parameters().into_data();
        assert_eq!(parameters(&blind), parameters(&seen));
    }

    #[test]
    fn utility_is_advantage_without_weighted_losses_and_advantages_are_normalised() {
        let config = small(&PRESET.hyper_parameters());
        let (trainer, messages) = run(&config, true);
        let view = last_view(&messages);
        let size = config.batch_size();
        let losses = view.losses.as_ref().expect("a world model is in use");
        for list in
            [&view.advantage, &view.utility, &view.ratio, &losses.reward, &losses.transition]
        {
            assert!(list.len() == size && list.iter().all(|x| x.is_finite()));
        }
        assert_eq!(view.done.len(), size);
        assert!(view.done.iter().any(|done| *done), "an episode of 7 steps has ended in 32");
        let (alpha_r, alpha_p) = trainer.config().auxiliary_coefficients();
        for i in 0..size {
            let taken = alpha_r * losses.reward[i] + alpha_p * losses.transition[i];
            assert!((view.utility[i] - (view.advantage[i] - taken)).abs() < 1e-5);
        }
        let mean = view.advantage.iter().sum::<f32>() / size as f32;
        let square = view.advantage.iter().map(|a| a * a).sum::<f32>() / size as f32;
        assert!(mean.abs() < 1e-5 && (square - 1.0).abs() < 1e-4, "{mean} {square}");
        assert!(view.deviation.is_some_and(|deviation| deviation > 0.0));
        let iteration = messages.iter().rev().find_map(|message| match message {
            Message::Iteration(iteration) => Some(iteration),
            _ => None,
        });
        let ratios = iteration.expect("reported").ratios;
        let within = |r: &f32| *r <= ratios.sup * 1.0001 && *r >= ratios.inf * 0.9999;
        assert!(view.ratio.iter().all(within), "ratios of chosen actions are among all");
    }

    #[test]
    fn ppo_has_no_losses_and_its_utility_is_the_advantage() {
        let config =
            Config { algo: Algorithm::Ppo, norm_adv: false, ..small(&PRESET.hyper_parameters()) };
        let (_, messages) = run(&config, true);
        let view = last_view(&messages);
        assert_eq!((&view.utility, &view.losses), (&view.advantage, &None));
        assert_eq!(view.deviation, None);
    }

    #[test]
    fn losses_of_a_step_are_those_of_its_cell() {
        let mut config = small(&PRESET.hyper_parameters());
        config.world_model.transition_density = TransitionDensity::Deterministic;
        let device = Device::flex();
        let maze = Maze::new(MazeConfig::DEFAULT, config.gamma.into()).expect("valid");
        let model = Model::new(&PRESET.network(), &config, &device);
        let seen = SeenMaze { maze: &maze, view: &MazeView::of(&maze) };
        let report = pollster::block_on(probe(&model, seen, &device)).expect("probed");
        let cells = cells(&model, seen, &report, &config, None, &device);
        let expected = pollster::block_on(cells).expect("computed").losses.expect("in use");

        // One step of one environment: it goes up and stays at the start.
        let (mut env, up) = (MazeEnvs::new(maze.clone(), 1, 1), 0);
        let mut rollout = Rollout::start(&env, &[false], 1);
        env.step(&[up]);
        let decision = deepspi_run::decision::Decision::from_logits(&[0.0; 4], vec![0.0], 4);
        rollout.push(decision, vec![up], &env);
        rollout.finish(vec![0.0]);
        let targets = rollout.advantages(0.9, 0.9);
        let mut rng = deepspi_worlds::rng::stream(1, deepspi_worlds::rng::Stream::Noise);
        let view = batch_view(&model, &rollout, &targets, &config, &mut rng, &device);
        let found = pollster::block_on(view).expect("computed").losses.expect("in use");
        let cell = maze.start() * 4 + up as usize;
        assert!((f64::from(found.reward[0]) - expected.reward[cell]).abs() < 1e-6);
        assert!((f64::from(found.transition[0]) - expected.transition[cell]).abs() < 1e-6);
    }
}
