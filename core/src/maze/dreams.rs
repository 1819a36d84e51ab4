//! Imagined rollouts beside real ones in the maze, where every true latent is known.

use burn::tensor::Tensor;
use deepspi_run::decision::Decision;
use deepspi_run::maze::HorizonError;
use deepspi_worlds::maze::{ACTIONS, Action, SeenMaze};
use deepspi_worlds::rng::{Stream, stream};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::probe::all_frames;
use crate::dreamer::{distance, typical_distance};
use crate::model::Model;
use crate::read_floats;
use crate::traffic::upload;

/// A real rollout.
struct Real {
    state: usize,
    ended: bool,
    /// Where a second rollout of the same actions is.
    repeat: usize,
}

/// Errors after 1 to `horizon` imagined steps, over `rollouts` rollouts. Each starts in a state that is
/// not terminal, all alike, and takes the actions that the policy draws in the true states: what differs
/// is the world model alone. Horizons at which all rollouts have ended are left out.
///
/// # Errors
/// The device's own error.
///
/// # Panics
/// If the model's critic has an encoder of its own: it cannot judge imagined latents.
pub async fn dream_errors(
    model: &Model,
    SeenMaze { maze, view }: SeenMaze<'_>,
    horizon: usize,
    rollouts: usize,
    seed: u64,
    device: &burn::tensor::Device,
) -> Result<Vec<HorizonError>, crate::Error> {
    let (latents, output) = model.agent.perceive(all_frames(view, device));
    let shape = latents.dims();
    let truth = read_floats(latents).await?;
    let values = read_floats(output.values()).await?;
    let logits = read_floats(output.logits()).await?;
    let policy = Decision::from_logits(&logits, Vec::new(), ACTIONS);
    let width = truth.len() / maze.states();
    let latent = |state: usize| &truth[state * width..][..width];
    let typical = typical_distance(maze.states(), latent);
    let mut rng = stream(seed, Stream::Actions);
    let mut noise = stream(seed, Stream::Noise);
    let live: Vec<usize> = (0..maze.states()).filter(|&s| !maze.tile(s).is_terminal()).collect();
    let mut repeats = stream(seed, Stream::Environment);
    let mut real: Vec<Real> = (0..rollouts)
        .map(|_| live[rng.random_range(0..live.len())])
        .map(|state| Real { state, ended: false, repeat: state })
        .collect();
    let start: Vec<f32> = real.iter().flat_map(|r| latent(r.state)).copied().collect();
    let [_, height, columns, channels] = shape;
    let mut imagined: Tensor<4> = upload(start, [rollouts, height, columns, channels], device);
    let mut errors = Vec::new();
    for h in 1..=horizon {
        let (actions, one_hot) = draw_actions(&policy, &real, &mut rng);
        let one_hot: Tensor<2> = upload(one_hot, [rollouts, ACTIONS], device);
        let drawn = model.world_model.sample_noise(rollouts, &mut noise, device);
        let step = model.world_model.step(imagined, one_hot, drawn);
        imagined = step.latents.clone();
        let rewards = read_floats(step.rewards).await?;
        let found_values = read_floats(model.agent.act(imagined.clone()).values()).await?;
        let continuations = read_floats(step.continuation).await?;
        let found = read_floats(step.latents).await?;
        let (mut sum, mut count) = ([0.0; 7], 0);
        for (i, rollout) in real.iter_mut().enumerate() {
            if rollout.ended {
                continue;
            }
            count += 1;
            let action = Action::ALL.into_iter().find(|a| view.number(*a) == actions[i]);
            let action = action.unwrap_or(Action::ALL[0]);
            let reward = maze.reward(rollout.state, action);
            rollout.state = next_state(&maze.outcomes(rollout.state, action), &mut rng);
            rollout.ended = maze.tile(rollout.state).is_terminal();
            if !maze.tile(rollout.repeat).is_terminal() {
                rollout.repeat = next_state(&maze.outcomes(rollout.repeat, action), &mut repeats);
            }
            let own = &found[i * width..][..width];
            let to_truth = distance(own, latent(rollout.state));
            let others = (0..maze.states()).map(|state| distance(own, latent(state)));
            let repeat = distance(latent(rollout.repeat), latent(rollout.state));
            let is_nearest = others.fold(f64::INFINITY, f64::min) >= to_truth;
            let true_value = f64::from(values[rollout.state]);
            let ended = f64::from(u8::from(rollout.ended));
            for (sum, term) in sum.iter_mut().zip([
                (f64::from(rewards[i]) - reward).abs(),
                (f64::from(found_values[i]) - true_value).abs(),
                if typical > 0.0 { to_truth / typical } else { 0.0 },
                f64::from(u8::from(is_nearest)),
                (1.0 - f64::from(continuations[i]) - ended).abs(),
                if typical > 0.0 { repeat / typical } else { 0.0 },
                f64::from(u8::from(repeat <= 0.0)),
            ]) {
                *sum += term;
            }
        }
        if count == 0 {
            break;
        }
        let [reward, value, latent, nearest, end, repeat_latent, repeat_nearest] =
            sum.map(|sum| sum / f64::from(count));
        errors.push(HorizonError {
            horizon: h,
            rollouts: count as usize,
            reward,
            value,
            latent: (typical > 0.0).then_some(latent),
            nearest,
            repeat_latent: (typical > 0.0).then_some(repeat_latent),
            repeat_nearest,
            end: model.world_model.done.is_some().then_some(end),
        });
    }
    Ok(errors)
}

/// Actions of the policy in the true states, by their numbers and one-hot.
fn draw_actions(policy: &Decision, real: &[Real], rng: &mut ChaCha8Rng) -> (Vec<usize>, Vec<f32>) {
    let mut one_hot = vec![0.0; real.len() * ACTIONS];
    let draw = |(i, rollout): (usize, &Real)| {
        let chosen = draw_action(policy, rollout.state, rng);
        one_hot[i * ACTIONS + chosen] = 1.0;
        chosen
    };
    let actions = real.iter().enumerate().map(draw).collect();
    (actions, one_hot)
}

/// The agent's number of an action that the policy draws in a state.
pub(super) fn draw_action(policy: &Decision, state: usize, rng: &mut ChaCha8Rng) -> usize {
    let log_probs = &policy.log_probs[state * ACTIONS..][..ACTIONS];
    let mut left: f32 = rng.random();
    let chosen = log_probs.iter().position(|log_prob| {
        left -= log_prob.exp();
        left < 0.0
    });
    chosen.unwrap_or(ACTIONS - 1)
}

/// One of the outcomes, by its probability.
pub(super) fn next_state(outcomes: &deepspi_worlds::maze::Outcomes, rng: &mut ChaCha8Rng) -> usize {
    let mut left: f64 = rng.random();
    let mut last = 0;
    for (probability, next) in outcomes.clone() {
        last = next;
        left -= probability;
        if left < 0.0 {
            break;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use deepspi_run::config::{Algorithm, Config};
    use deepspi_run::maze_preset::TrainingPreset as _;
    use deepspi_worlds::maze::{Maze, MazeConfig, MazeEnvs, MazeView};

    use super::*;
    use crate::trainer::Trainer;

    #[test]
    fn a_trained_model_errs_less_than_an_untrained_one_and_more_with_every_step() {
        let preset = MazeConfig::DEFAULT.preset;
        let config = Config {
            algo: Algorithm::DreamSpi,
            total_timesteps: 100 * 512,
            ..preset.hyper_parameters()
        };
        let device = Device::flex();
        let maze = Maze::new(MazeConfig::DEFAULT, config.gamma.into()).expect("valid");
        let view = MazeView::of(&maze);
        let seen = SeenMaze { maze: &maze, view: &view };
        let errors = |model: &Model| {
            pollster::block_on(dream_errors(model, seen, 16, 200, 1, &device)).expect("computed")
        };
        let mut trainer = Trainer::new(config.clone(), preset.network(), &device).expect("valid");
        let before = errors(&trainer.policy());
        let mut env = MazeEnvs::new(maze.clone(), config.num_envs, config.seed);
        for _ in 0..60 {
            pollster::block_on(trainer.iterate(&mut env, |_| ())).expect("trains");
        }
        let after = errors(&trainer.policy());
        assert!(after[0].reward < 0.7 * before[0].reward, "{:?} {:?}", before[0], after[0]);
        assert!(after[0].end < before[0].end, "{:?} {:?}", before[0], after[0]);
        assert!(after[0].latent.is_some() && after[0].latent < after[3].latent, "{after:?}");
        let counts: Vec<usize> = before.iter().map(|error| error.rollouts).collect();
        assert!(counts.is_sorted_by(|a, b| a >= b) && counts[0] == 200, "{counts:?}");
        assert!(before.iter().all(|e| e.end.is_some() && (0.0..=1.0).contains(&e.nearest)));
        // The maze is slippery, so that even a repetition of the same actions leads elsewhere.
        let repeats: Vec<f64> = after.iter().map(|e| e.repeat_nearest).collect();
        assert!(repeats[0] > 0.6 && repeats[0] < 1.0 && repeats[3] < repeats[0], "{repeats:?}");
        assert!(after[0].repeat_latent > Some(0.0) && after[0].repeat_latent < after[0].latent);
    }
}
