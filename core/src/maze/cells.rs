//! The terms of Eq. 6 for every action in every state of a maze.
//!
//! Losses and utility come from [`objective`], on a minibatch with every possible step of the maze,
//! so that a cell shows what training would compute there. Only the advantage differs: it is exact
//! here, and estimated in training.

use burn::tensor::{Device, Tensor, TensorData};
use deepspi_run::config::Config;
use deepspi_run::maze::{CellLosses, MazeCells, MazeReport};
use deepspi_theory::{Policy, TheoryError, discounted_occupancy};
use deepspi_worlds::maze::{ACTIONS, Action, Maze, SeenMaze};
use deepspi_worlds::rng::{Stream, stream};

use super::probe::ProbeError;
use crate::algorithm::deep_spi::{draw_noise, objective};
use crate::data::minibatch::{Minibatch, Targets, vector};
use crate::data::rollout::observations;
use crate::model::Model;
use crate::read_floats;
use crate::sharing::{Distinct, Sharing};

/// Number of samples of the next latent over which a sampled l_P is averaged.
const DRAWS: usize = 8;
/// Transitions in one forward pass: the size of the paper's minibatch, which fits wherever training
/// does.
const LARGEST_BATCH: usize = 256;

/// One possible step of the maze.
#[derive(Clone, Copy)]
struct Step {
    state: usize,
    action: Action,
    next: usize,
    /// Weight in its cell: the probability of the next state divided by the number of draws.
    weight: f64,
}

/// Utility and losses of all actions in all states. `report` must be the result of
/// [`probe`](fn@super::probe) for the same model and view.
///
/// `deviation` is the number by which training divided the last batch's advantages
/// ([`BatchView::deviation`](deepspi_run::batch_view::BatchView::deviation)). Without it, and if
/// advantages are normalised, the exact advantage's own standard deviation over the policy's
/// discounted steps is used. It is ignored if advantages are not normalised.
///
/// # Errors
/// If the device fails or the report's policy is not a distribution.
pub async fn cells(
    model: &Model,
    seen: SeenMaze<'_>,
    report: &MazeReport,
    config: &Config,
    deviation: Option<f32>,
    device: &Device,
) -> Result<MazeCells, ProbeError> {
    let maze = seen.maze;
    let deviation = match deviation {
        _ if !config.norm_adv => 1.0,
        Some(deviation) => deviation.into(),
        None => own_deviation(maze, report)?,
    };
    // The advantages are already divided by `deviation`.
    let config = Config { norm_adv: false, ..config.clone() };
    let advantage: Vec<f64> = report.advantage.iter().map(|a| a / deviation).collect();
    let sampled = config.uses_world_model() && model.world_model.loss_is_sampled();
    let draws = if sampled { DRAWS } else { 1 };
    let mut rng = stream(0, Stream::Noise);
    // The tables of utility, l_R and l_P.
    let mut tables = vec![vec![0.0; advantage.len()]; 3];
    for steps in steps(maze, draws).chunks(LARGEST_BATCH) {
        let mut batch = minibatch(seen, steps, &advantage, &config, device);
        batch.noise = draw_noise(model, &config, steps.len(), &mut rng, device);
        let terms = objective(model, &batch, &config);
        let mut parts = vec![terms.utilities];
        parts.extend(terms.reward);
        parts.extend(terms.transition);
        let values = read_floats(Tensor::cat(parts, 0)).await?;
        for (table, values) in tables.iter_mut().zip(values.chunks(steps.len())) {
            for (step, value) in steps.iter().zip(values) {
                table[step.cell()] += step.weight * f64::from(*value);
            }
        }
    }
    let transition = tables.pop().unwrap_or_default();
    let reward = tables.pop().unwrap_or_default();
    Ok(MazeCells {
        deviation,
        utility: tables.pop().unwrap_or_default(),
        losses: config.uses_world_model().then_some(CellLosses { reward, transition }),
    })
}

/// Root mean square of the exact advantage, whose mean is 0, over the policy's discounted steps. It
/// exists even if episodes never end.
fn own_deviation(maze: &Maze, report: &MazeReport) -> Result<f64, TheoryError> {
    let policy = Policy::new(maze.states(), ACTIONS, report.policy.clone())?;
    let visits = discounted_occupancy(&maze.mdp()?, &policy)?;
    let squares = report.policy.iter().zip(&report.advantage).map(|(p, a)| p * a * a);
    let weighted = squares.enumerate().map(|(i, square)| visits[i / ACTIONS] * square);
    let total: f64 = visits.iter().sum();
    Ok((weighted.sum::<f64>() / total).sqrt() + 1e-8)
}

/// Every step from a state that is not terminal, `draws` times.
fn steps(maze: &Maze, draws: usize) -> Vec<Step> {
    let live = (0..maze.states()).filter(|&state| !maze.tile(state).is_terminal());
    let pairs = live.flat_map(|state| Action::ALL.map(|action| (state, action)));
    let steps = pairs.flat_map(|(state, action)| {
        maze.outcomes(state, action).into_iter().map(move |(probability, next)| Step {
            state,
            action,
            next,
            weight: probability / draws as f64,
        })
    });
    steps.flat_map(|step| std::iter::repeat_n(step, draws)).collect()
}

/// Steps as transitions of a batch, for an advantage `[S, A]`. Cells do not depend on the ratio to
/// the behaviour policy and on the returns.
fn minibatch(
    SeenMaze { maze, view }: SeenMaze<'_>,
    steps: &[Step],
    advantage: &[f64],
    config: &Config,
    device: &Device,
) -> Minibatch {
    let size = steps.len();
    let mut one_hot = vec![0.0; size * ACTIONS];
    for (row, step) in one_hot.chunks_mut(ACTIONS).zip(steps) {
        row[view.number(step.action)] = 1.0;
    }
    let mut states: Vec<usize> = steps.iter().map(|step| step.state).collect();
    if config.uses_world_model() {
        states.extend(steps.iter().map(|step| step.next));
    }
    let distinct = Distinct::of(states.iter().copied());
    let pairs = Distinct::of(steps.iter().map(Step::cell));
    let frames: Vec<&[u8]> =
        distinct.firsts.iter().map(|&first| &view.frames[states[first]][..]).collect();
    let advantages = steps.iter().map(|step| advantage[step.cell()] as f32);
    let rewards = steps.iter().map(|step| maze.reward(step.state, step.action) as f32);
    Minibatch {
        observations: observations(view.shape, frames.len(), device, |i| frames[i]),
        sharing: Some(Sharing::new(&distinct, &pairs, device)),
        actions: Tensor::from_data(TensorData::new(one_hot, [size, ACTIONS]), device),
        targets: Targets {
            log_probs: vec![0.0; size],
            advantages: advantages.collect(),
            returns: vec![0.0; size],
            actions: steps.iter().map(|step| view.number(step.action) as u32).collect(),
        }
        .upload(device),
        rewards: vector(rewards.collect(), device),
        dones: Tensor::zeros([size], device),
        noise: None,
        penalty: None,
        ends: None,
    }
}

impl Step {
    /// Entry of a table `[S, A]`.
    const fn cell(&self) -> usize {
        self.state * ACTIONS + self.action as usize
    }
}

#[cfg(test)]
mod tests {
    use deepspi_run::config::{Algorithm, LatentDistance, TransitionDensity, WorldModelConfig};
    use deepspi_run::maze_preset::TrainingPreset as _;
    use deepspi_theory::evaluate;
    use deepspi_worlds::maze::{MazeConfig, MazePreset, MazeView};

    use super::super::probe;
    use super::*;

    const PRESET: MazePreset = MazeConfig::DEFAULT.preset;

    fn seen(config: &Config, deviation: Option<f32>) -> (Maze, Model, MazeReport, MazeCells) {
        let device = Device::flex();
        let maze = Maze::new(MazeConfig::DEFAULT, config.gamma.into()).expect("valid");
        let model = Model::new(&PRESET.network(), config, &device);
        let seen = SeenMaze { maze: &maze, view: &MazeView::of(&maze) };
        let report = pollster::block_on(probe(&model, seen, &device)).expect("probed");
        let cells = cells(&model, seen, &report, config, deviation, &device);
        let cells = pollster::block_on(cells).expect("computed");
        (maze, model, report, cells)
    }

    fn euclidean(config: &Config) -> Config {
        Config {
            world_model: WorldModelConfig {
                transition_density: TransitionDensity::Deterministic,
                latent_distance: LatentDistance::Euclidean,
                ..config.world_model
            },
            ..config.clone()
        }
    }

    #[test]
    fn losses_are_those_of_predictions_made_one_by_one() {
        let config = euclidean(&PRESET.hyper_parameters());
        let (maze, model, report, cells) = seen(&config, None);
        losses_are_those_of_predictions(&maze, &MazeView::of(&maze), &model, &report, cells);
    }

    #[test]
    fn losses_of_an_agent_with_other_numbers_of_actions_are_in_the_order_of_the_maze() {
        let config = euclidean(&PRESET.hyper_parameters());
        let device = Device::flex();
        let maze = Maze::new(MazeConfig::DEFAULT, config.gamma.into()).expect("valid");
        let model = Model::new(&PRESET.network(), &config, &device);
        let actions = [Action::Up, Action::Right, Action::Left, Action::Down];
        let view = MazeView { actions, ..MazeView::of(&maze) };
        let seen = SeenMaze { maze: &maze, view: &view };
        let report = pollster::block_on(probe(&model, seen, &device)).expect("probed");
        let plain = SeenMaze { maze: &maze, view: &MazeView::of(&maze) };
        let plain = pollster::block_on(probe(&model, plain, &device)).expect("probed");
        // The order of a sum differs, and with it the last digit.
        let expected = view.in_order_of_maze(&plain.policy);
        assert!(report.policy.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12));
        let cells = cells(&model, seen, &report, &config, None, &device);
        let cells = pollster::block_on(cells).expect("computed");
        losses_are_those_of_predictions(&maze, &view, &model, &report, cells);
    }

    fn losses_are_those_of_predictions(
        maze: &Maze,
        view: &MazeView,
        model: &Model,
        report: &MazeReport,
        cells: MazeCells,
    ) {
        let losses = cells.losses.expect("a world model is in use");
        let device = Device::flex();
        for state in 0..maze.states() {
            for action in Action::ALL {
                let index = state * ACTIONS + action as usize;
                let (reward, transition) = (losses.reward[index], losses.transition[index]);
                if maze.tile(state).is_terminal() {
                    assert_eq!((reward, transition, cells.utility[index]), (0.0, 0.0, 0.0));
                    continue;
                }
                let frame = maze.frame(state);
                let shape = maze.config().preset.frame();
                let latent = model.agent.encode(observations(shape, 1, &device, |_| &frame));
                let mut chosen = [0.0; ACTIONS];
                chosen[view.number(action)] = 1.0;
                let chosen = Tensor::<2>::from_floats([chosen], &device);
                let step = model.world_model.step(latent, chosen, None);
                let predicted = f64::from(step.rewards.into_scalar::<f32>());
                let missed = (predicted - maze.reward(state, action)).abs();
                assert!((reward - missed).abs() < 1e-5 * missed.max(1.0), "{reward} {missed}");

                let expected: f64 = maze
                    .outcomes(state, action)
                    .into_iter()
                    .map(|(p, next)| {
                        let [h, w, c] = PRESET.network().latent();
                        let next = Tensor::<1>::from_floats(report.latent(next), &device);
                        let error = next.reshape([1, h, w, c]) - step.latents.clone();
                        let square = (error.clone() * error).sum().into_scalar::<f32>();
                        p * f64::from(square).sqrt()
                    })
                    .sum();
                assert!((transition - expected).abs() < 1e-4, "{transition} {expected}");
            }
        }
    }

    #[test]
    fn utility_is_the_advantage_without_the_weighted_losses() {
        let base = PRESET.hyper_parameters();
        let free = WorldModelConfig { lipschitz_nets: false, ..base.world_model };
        let close = |a: f64, b: f64| (a - b).abs() < 1e-5 * b.abs().max(1.0);
        for (config, deviation) in [
            (base.clone(), Some(2.5)),
            (base.clone(), None),
            (Config { world_model: free, ..base.clone() }, None),
            (Config { norm_adv: false, ..euclidean(&base) }, Some(2.5)),
        ] {
            let (_, _, report, cells) = seen(&config, deviation);
            let losses = cells.losses.as_ref().expect("a world model is in use");
            assert!(losses.reward.iter().chain(&losses.transition).all(|x| x.is_finite()));
            let (alpha_r, alpha_p) = config.auxiliary_coefficients();
            for index in 0..report.advantage.len() {
                let taken = f64::from(alpha_r) * losses.reward[index]
                    + f64::from(alpha_p) * losses.transition[index];
                let expected = report.advantage[index] / cells.deviation - taken;
                let found = cells.utility[index];
                assert!(close(found, expected), "{config:?}: {found} {expected}");
            }
            match (config.norm_adv, deviation) {
                (false, _) => assert_eq!(cells.deviation, 1.0),
                (true, Some(given)) => assert_eq!(cells.deviation, f64::from(given)),
                // The trap costs 47, so the advantages of an untrained agent are far from unit
                // variance.
                (true, None) => assert!(cells.deviation > 1.0, "{}", cells.deviation),
            }
        }
    }

    #[test]
    fn action_values_are_the_exact_ones_of_the_policy() {
        let (maze, _, report, _) = seen(&PRESET.hyper_parameters(), None);
        let policy = Policy::new(maze.states(), ACTIONS, report.policy.clone()).expect("a policy");
        let exact = evaluate(&maze.mdp().expect("valid"), &policy).expect("solvable");
        assert_eq!((report.q, report.advantage), (exact.q, exact.advantage));
    }

    #[test]
    fn only_deep_spi_takes_losses_off_and_ppo_has_none() {
        let base = PRESET.hyper_parameters();
        let with = |algo| seen(&Config { algo, ..base.clone() }, None);
        let undiminished = |report: &MazeReport, cells: &MazeCells| {
            let pairs = report.advantage.iter().zip(&cells.utility);
            pairs.fold(0.0_f64, |most, (a, u)| most.max((a / cells.deviation - u).abs()))
        };
        let (_, _, report, mdp) = with(Algorithm::DeepMdp);
        assert!(mdp.losses.is_some() && undiminished(&report, &mdp) < 1e-5);
        let (_, _, report, ppo) = with(Algorithm::Ppo);
        assert!(ppo.losses.is_none() && undiminished(&report, &ppo) < 1e-5);
        let (_, _, report, spi) = with(Algorithm::DeepSpi);
        assert!(undiminished(&report, &spi) > 1e-3);
        let mut off = base;
        (off.world_model.reward_loss_coef, off.world_model.transition_loss_coef) = (0.0, 0.0);
        assert!(seen(&off, None).3.losses.is_none(), "both coefficients 0");
    }
}
