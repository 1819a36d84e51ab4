//! One imagined rollout in the maze, beside what really happens: for a user who looks into the dream or
//! takes it over.

use burn::tensor::Device;
use deepspi_run::decision::Decision;
use deepspi_run::maze::{DreamPlan, MazeDream};
use deepspi_worlds::maze::{ACTIONS, SeenMaze};
use deepspi_worlds::rng::{Stream, stream};

use super::dreams::{draw_action, next_state};
use super::probe::all_frames;
use crate::dreamer::{RealSteps, SeenLatents, look_ahead, typical_distance};
use crate::model::Model;
use crate::read_floats;

/// Carries out a plan. Rewards are the expected ones of the maze, and the true value after the end is 0.
///
/// # Errors
/// The device's own error.
///
/// # Panics
/// If the plan starts in no state of the maze, or the model's critic has an encoder of its own.
pub async fn dream(
    model: &Model,
    SeenMaze { maze, view }: SeenMaze<'_>,
    plan: DreamPlan,
    gamma: f32,
    device: &Device,
) -> Result<MazeDream, crate::Error> {
    let (latents, output) = model.agent.perceive(all_frames(view, device));
    let truth = read_floats(latents).await?;
    let logits = read_floats(output.logits()).await?;
    let policy = Decision::from_logits(&logits, Vec::new(), ACTIONS);
    let width = truth.len() / maze.states();
    let mut seen = SeenLatents::new(maze.states());
    for latent in truth.chunks_exact(width) {
        seen.push(latent);
    }
    // Every step draws once from each, so that a longer plan begins as a shorter one.
    let mut choices = stream(plan.seed, Stream::Actions);
    let mut chances = stream(plan.seed, Stream::Environment);
    let mut noise = stream(plan.seed, Stream::Noise);
    let (mut state, mut states, mut actions) = (plan.start, Vec::new(), Vec::new());
    let (mut numbers, mut rewards) = (Vec::new(), Vec::new());
    for step in 0..plan.actions.len() + plan.follow {
        if maze.tile(state).is_terminal() {
            break;
        }
        let drawn = draw_action(&policy, state, &mut choices);
        let action = plan.actions.get(step).copied().unwrap_or(view.actions[drawn]);
        actions.push(action);
        #[expect(clippy::cast_possible_truncation, reason = "one of four actions")]
        numbers.push(view.number(action) as u32);
        #[expect(clippy::cast_possible_truncation, reason = "agents compute in f32")]
        rewards.push(maze.reward(state, action) as f32);
        state = next_state(&maze.outcomes(state, action), &mut chances);
        states.push(state);
    }
    let observations = std::iter::once(plan.start).chain(states.iter().copied());
    let real = RealSteps {
        observations: observations.map(|state| view.frames[state].as_slice()).collect(),
        actions: &numbers,
        rewards: &rewards,
        ended: maze.tile(state).is_terminal(),
    };
    let looked = if actions.is_empty() {
        Default::default()
    } else {
        look_ahead(model, view.shape, &real, &seen, gamma, &mut noise, device).await?
    };
    let typical_distance =
        typical_distance(maze.states(), |state| &truth[state * width..][..width]);
    Ok(MazeDream { plan, actions, states, looked, typical_distance })
}

#[cfg(test)]
mod tests {
    use deepspi_run::config::{Algorithm, Config};
    use deepspi_run::maze_preset::TrainingPreset as _;
    use deepspi_worlds::maze::{Action, Maze, MazeConfig, MazeView};

    use super::*;

    #[test]
    fn a_longer_plan_begins_as_a_shorter_one_and_ends_where_the_episode_does() {
        let preset = MazeConfig::DEFAULT.preset;
        let config = Config { algo: Algorithm::DreamSpi, ..preset.hyper_parameters() };
        let device = Device::flex();
        let maze = Maze::new(MazeConfig::DEFAULT, config.gamma.into()).expect("valid");
        let view = MazeView::of(&maze);
        let model = Model::new(&preset.network(), &config, &device);
        let dreamt = |plan: DreamPlan| {
            let seen = SeenMaze { maze: &maze, view: &view };
            pollster::block_on(dream(&model, seen, plan, config.gamma, &device)).expect("computed")
        };
        let right = Action::ALL.into_iter().find(|action| format!("{action:?}") == "Right");
        let right = right.expect("an action to the right");
        let plan = |actions: usize, follow| DreamPlan {
            start: maze.start(),
            actions: vec![right; actions],
            follow,
            seed: 3,
        };
        let (short, long) = (dreamt(plan(2, 0)), dreamt(plan(2, 3)));
        assert_eq!((short.states.len(), long.states.len()), (2, 5));
        assert_eq!(short.states, long.states[..2]);
        assert_eq!(short.looked.steps[0].imagined_reward, long.looked.steps[0].imagined_reward);
        assert_eq!(short.actions, [right; 2]);
        let walked = dreamt(plan(200, 0));
        assert!(walked.states.len() < 200, "the episode ends at the exit");
        let last = walked.states.last().copied().expect("steps");
        assert!(maze.tile(last).is_terminal());
        assert_eq!(walked.looked.steps.last().map(|step| step.value), Some(0.0));
        for step in &walked.looked.steps {
            let (state, near) = step.nearest.expect("all states are known");
            assert!(state < maze.states() && near <= step.distance + 1e-6);
        }
        let nothing = dreamt(DreamPlan { start: last, ..plan(3, 3) });
        assert_eq!((nothing.states.len(), nothing.looked.steps.len()), (0, 0));
        assert!(nothing.typical_distance > 0.0);
    }
}
