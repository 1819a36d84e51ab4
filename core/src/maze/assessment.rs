//! Theorems 2, 3 and 4 for an agent of the maze, with every term computed exactly.
//!
//! The agent's world model is first reduced to a finite one ([`super::latent_model`] describes the
//! reduction and its effects); all numbers are then computed by [`deepspi_theory`]. Nothing here is
//! estimated from a batch, so the numbers differ from those of a certified run. A failed premise is
//! part of the answer and not an error, because every agent must be assessable while it trains.
//!
//! The theory itself sets one limit: the theorems use one encoder for both policies. Here the old
//! policy is a table over states, stored before an iteration, and the encoder is the one after it.

use burn::tensor::Device;
use deepspi_run::config::Config;
use deepspi_run::maze::{Assessment, FailedPremise, Judged, MazeReport, ValuePair};
use deepspi_theory::{
    Behaviour, Policy, Premise, TheoryError, episodic_chain, evaluate, ratios, theorems,
};
use deepspi_worlds::maze::{ACTIONS, SeenMaze};

use super::latent_model::{Latents, finite_model};
use super::probe::ProbeError;
use crate::model::Model;

/// Largest difference of probabilities at which the old policy counts as equal in two states.
const SAME_POLICY: f64 = 1e-4;

/// Theorems 2 to 4 for the step from the policy `before` to the agent after the iteration. `before`
/// is the table `[S, A]` of the agent before the iteration ([`MazeReport::policy`]), `report` the
/// result of [`probe`](fn@super::probe) after it, and `epsilon > 0` the slack of Theorem 4.
///
/// It solves `Z^2 / 2` small linear programmes for each policy.
///
/// # Errors
/// If the device fails, a policy is not a distribution, a prediction is not a number, `epsilon` is
/// not above 0, or a linear programme fails. A premise that fails is no error.
pub async fn assess(
    model: &Model,
    seen: SeenMaze<'_>,
    before: &[f64],
    report: &MazeReport,
    config: &Config,
    epsilon: f64,
    device: &Device,
) -> Result<Assessment, ProbeError> {
    let maze = seen.maze;
    let mdp = maze.mdp()?;
    let latents = Latents::of(report);
    let policy = |table: Vec<f64>| Policy::new(table.len() / ACTIONS, ACTIONS, table);
    // Policies on latents, lifted to states: states with the same latent take the first state's
    // row.
    let new = policy(latents.lifted(&report.policy))?;
    let lifted = latents.lifted(before);
    let live: Vec<usize> = mdp.live_states().collect();
    let unlike = most_different(&live, before, &lifted).filter(|(_, most)| *most > SAME_POLICY);
    let old = policy(if unlike.is_some() { before.to_vec() } else { lifted })?;

    let gamma = mdp.gamma();
    let found = ratios(&mdp, &old, &new)?;
    let (old_values, new_values) = (evaluate(&mdp, &old)?, evaluate(&mdp, &new)?);
    let chain = match episodic_chain(&mdp, &old) {
        Ok(chain) => Some(chain),
        Err(TheoryError::UnreachableTerminal { .. } | TheoryError::Singular { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let stationary = chain.as_ref().map(|chain| chain.stationary.as_slice());
    let pair = |first: usize, second: usize| ValuePair {
        states: [first, second],
        probability: stationary.map(|xi| 2.0 * xi[first] * xi[second]),
        value_gap: (new_values.v[first] - new_values.v[second]).abs(),
        distance: latents.distance(first, second),
    };
    let [upper, lower] = maze.stars();

    // Premises without which a theorem cannot be computed.
    let no_model = (!config.uses_world_model()).then_some(FailedPremise::NoWorldModel);
    let merged = latents
        .merged_end(maze)
        .map(|(terminal, live)| FailedPremise::EndMerged { terminal, live });
    let endless = chain.is_none().then_some(FailedPremise::EndlessEpisodes);
    let missing: Vec<_> = [no_model, merged, endless].into_iter().flatten().collect();
    let finite = if missing.is_empty() {
        Some(finite_model(model, seen, &mdp, &latents, device).await?)
    } else {
        None
    };
    let failed = |k_p: Option<f64>, more: Option<FailedPremise>| {
        let of_theorem = Premise::failures(&found, gamma, k_p).into_iter();
        let all = missing.iter().copied().chain(more).chain(of_theorem.map(FailedPremise::Theorem));
        all.collect::<Vec<_>>()
    };
    let latent_old = policy(latents.rows(old.table()))?;
    let behaviour =
        if unlike.is_some() { Behaviour::States(&old) } else { Behaviour::Latents(&latent_old) };
    let latent_new = policy(latents.rows(new.table()))?;
    let numbers = match &finite {
        None => None,
        Some(finite) => Some(theorems(&mdp, &finite.world_model, behaviour, &latent_new, epsilon)?),
    };
    let not_latent = unlike.map(|(state, difference)| FailedPremise::OldPolicyNotLatent {
        states: [latents.first(state), state],
        difference,
    });
    let (two, four) = numbers.map(|all| (all.two, all.four)).unzip();
    let three = numbers.and_then(|all| all.three);
    Ok(Assessment {
        gamma,
        ratios: found,
        limit: 1.0 / gamma,
        average_episode_length: chain.as_ref().map(|chain| chain.ael),
        return_before: old_values.start_return,
        return_after: new_values.start_return,
        latents: latents.len(),
        moved: finite
            .as_ref()
            .zip(stationary)
            .map(|(finite, xi)| latents.mean(&finite.moved, xi, old.table())),
        theorem_two: Judged { failed: failed(two.map(|two| two.terms.k_p), None), numbers: two },
        theorem_three: Judged {
            failed: failed(three.map(|three| three.terms.k_p), not_latent),
            numbers: three,
        },
        theorem_four: Judged {
            failed: failed(four.map(|four| four.terms.k_p), None),
            numbers: four,
        },
        stars: pair(upper, lower),
        pairs: (1..live.len())
            .flat_map(|second| live[..second].iter().map(move |&first| (first, second)))
            .map(|(first, second)| pair(first, live[second]))
            .collect(),
    })
}

/// The state of `states` whose rows in two tables `[S, A]` differ most in one entry, and that
/// difference.
fn most_different(states: &[usize], first: &[f64], second: &[f64]) -> Option<(usize, f64)> {
    let differences = states.iter().map(|&state| {
        let cells = state * ACTIONS..(state + 1) * ACTIONS;
        let pairs = first[cells.clone()].iter().zip(&second[cells]);
        (state, pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max))
    });
    differences.max_by(|a, b| a.1.total_cmp(&b.1))
}

#[cfg(test)]
mod tests {
    use deepspi_run::config::{Algorithm, LatentDistance, TransitionDensity, WorldModelConfig};
    use deepspi_run::maze_preset::TrainingPreset as _;
    use deepspi_theory::Terms;
    use deepspi_worlds::maze::{Action, Maze, MazeConfig, MazePreset, MazeView, Tile};

    use super::super::{cells, probe};
    use super::*;
    use crate::params::{flatten, unflatten};

    const PRESET: MazePreset = MazePreset::Small;
    const EPSILON: f64 = 0.1;

    /// An untrained agent: the maze, the model and its report.
    fn agent(config: &Config, cue: f64) -> (Maze, Model, MazeReport) {
        let device = Device::flex();
        let maze = Maze::new(MazeConfig { cue, ..MazeConfig::DEFAULT }, config.gamma.into());
        let maze = maze.expect("valid");
        let model = Model::new(&PRESET.network(), config, &device);
        let seen = SeenMaze { maze: &maze, view: &MazeView::of(&maze) };
        let report = pollster::block_on(probe(&model, seen, &device)).expect("probed");
        (maze, model, report)
    }

    fn assessed(
        (maze, model, report): &(Maze, Model, MazeReport),
        before: &[f64],
        config: &Config,
    ) -> Assessment {
        let device = Device::flex();
        let seen = SeenMaze { maze, view: &MazeView::of(maze) };
        let found = assess(model, seen, before, report, config, EPSILON, &device);
        pollster::block_on(found).expect("assessed")
    }

    /// The policy with a part of every row moved to going up.
    fn upwards(policy: &[f64], part: f64) -> Vec<f64> {
        let moved =
            |(i, p): (usize, &f64)| p * (1.0 - part) + if i % ACTIONS == 0 { part } else { 0.0 };
        policy.iter().enumerate().map(moved).collect()
    }

    #[test]
    fn without_a_step_all_ratios_are_one_and_nothing_improves() {
        for config in [
            PRESET.hyper_parameters(),
            Config { gamma: 0.9, ..PRESET.hyper_parameters() }.certify(),
            Config {
                world_model: WorldModelConfig {
                    lipschitz_nets: false,
                    ..WorldModelConfig::DEFAULT
                },
                ..PRESET.hyper_parameters()
            },
        ] {
            let agent = agent(&config, 1.0);
            let found = assessed(&agent, &agent.2.policy, &config);
            assert!((found.ratios.sup - 1.0).abs() < 1e-12, "{:?}", found.ratios);
            assert!((found.return_after - agent.2.start_value).abs() < 1e-12);
            assert_eq!((found.return_before, found.latents), (found.return_after, 16));
            let three = found.theorem_three.numbers.expect("a world model and full support");
            assert_eq!((three.improvement_true, three.improvement_model), (0.0, 0.0));
            let Terms { l_r, l_p, k_r, k_p, .. } = three.terms;
            assert!([l_r, l_p, k_r, k_p].into_iter().all(|x| x.is_finite() && x > 0.0));
            let two = found.theorem_two.numbers.expect("a world model");
            assert_eq!(two.right_hand_side.is_some(), found.theorem_two.failed.is_empty());
            assert!(two.right_hand_side.is_none_or(|right| two.gap <= right));
            assert!(found.moved.is_some_and(|moved| moved > 0.0));
        }
    }

    #[test]
    fn terms_are_those_of_the_cells_and_of_the_chain() {
        let config = Config {
            world_model: WorldModelConfig {
                transition_density: TransitionDensity::Deterministic,
                latent_distance: LatentDistance::Euclidean,
                ..WorldModelConfig::DEFAULT
            },
            ..PRESET.hyper_parameters()
        };
        let agent = agent(&config, 1.0);
        let (maze, model, report) = &agent;
        let before = upwards(&report.policy, 0.001);
        let found = assessed(&agent, &before, &config);
        let device = Device::flex();
        let seen = SeenMaze { maze, view: &MazeView::of(maze) };
        let cells = cells(model, seen, report, &config, None, &device);
        let losses = pollster::block_on(cells).expect("computed").losses.expect("in use");

        // Expected visits by power iteration, from the maze's own rules.
        let (mut visits, mut share) = (vec![0.0; maze.states()], vec![0.0; maze.states()]);
        share[maze.start()] = 1.0;
        for _ in 0..2000 {
            let mut next = vec![0.0; maze.states()];
            for state in (0..maze.states()).filter(|&s| !maze.tile(s).is_terminal()) {
                visits[state] += share[state];
                for action in Action::ALL {
                    let p = before[state * ACTIONS + action as usize] * share[state];
                    for (q, to) in maze.outcomes(state, action) {
                        next[to] += p * q;
                    }
                }
            }
            share = next;
        }
        let ael: f64 = visits.iter().sum();
        let length = found.average_episode_length.expect("episodes end");
        assert!((length - ael).abs() < 1e-6 * ael, "{length} {ael}");
        let mean = |table: &[f64]| {
            let weighted = table.iter().zip(&before).enumerate();
            weighted.map(|(i, (x, p))| visits[i / ACTIONS] / ael * p * x).sum::<f64>()
        };
        let terms = found.theorem_two.numbers.expect("a world model").terms;
        let l_r = mean(&losses.reward);
        assert!((terms.l_r - l_r).abs() < 1e-5 * l_r, "{} {l_r}", terms.l_r);
        // All steps of the maze but one are deterministic, so l_P is the distance to the predicted
        // point, which was moved.
        let (l_p, moved) = (mean(&losses.transition), found.moved.expect("a finite model"));
        assert!((terms.l_p - l_p).abs() <= moved + 1e-4, "{} {l_p} {moved}", terms.l_p);
        let sup = before.iter().zip(&report.policy).enumerate();
        let live = |i: usize| !maze.tile(i / ACTIONS).is_terminal();
        let sup = sup.filter(|(i, _)| live(*i)).fold(0.0_f64, |m, (_, (b, a))| m.max(a / b));
        assert!((found.ratios.sup - sup).abs() < 1e-12 && sup > 1.0);
    }

    #[test]
    fn a_step_too_large_leaves_the_terms_and_takes_the_bounds() {
        let config = PRESET.hyper_parameters();
        let agent = agent(&config, 1.0);
        let found = assessed(&agent, &upwards(&agent.2.policy, 0.2), &config);
        let large = |failed: &[FailedPremise]| {
            let is = |premise: &FailedPremise| {
                matches!(premise, FailedPremise::Theorem(Premise::RatioTooLarge { .. }))
            };
            failed.iter().any(is)
        };
        assert!(large(&found.theorem_two.failed) && large(&found.theorem_three.failed));
        assert!(large(&found.theorem_four.failed) && found.ratios.sup > found.limit);
        let three = found.theorem_three.numbers.expect("its terms are there");
        assert!(three.zeta.is_none() && three.terms.l_r.is_finite());
        assert!(three.improvement_true < found.return_after.abs() + found.return_before.abs());
        let difference = found.return_after - found.return_before;
        assert!((three.improvement_true - difference).abs() < 1e-12);
    }

    #[test]
    fn ppo_has_no_world_model_and_everything_else() {
        let config = Config { algo: Algorithm::Ppo, ..PRESET.hyper_parameters() };
        let agent = agent(&config, 1.0);
        let found = assessed(&agent, &agent.2.policy, &config);
        assert_eq!(found.theorem_two.failed, [FailedPremise::NoWorldModel]);
        assert_eq!(found.theorem_three.failed, [FailedPremise::NoWorldModel]);
        assert_eq!(found.theorem_four.failed, [FailedPremise::NoWorldModel]);
        assert!(found.theorem_two.numbers.is_none() && found.moved.is_none());
        assert!(found.average_episode_length.is_some_and(|length| length > 7.0));
        let total: f64 = found.pairs.iter().filter_map(|pair| pair.probability).sum();
        assert!(total > 0.5 && total < 1.0, "the rest is the same state twice: {total}");
        assert_eq!(found.pairs.len(), 12 * 11 / 2, "16 states, 4 of them ends");
        let [upper, lower] = agent.0.stars();
        let star = |s: usize| agent.2.values[s];
        assert_eq!(found.stars.states, [upper, lower]);
        assert!((found.stars.value_gap - (star(upper) - star(lower)).abs()).abs() < 1e-12);
        assert!((found.stars.allowed(2.0, 0.5) - (2.0 * found.stars.distance + 0.5)).abs() < 1e-12);
    }

    #[test]
    fn an_encoder_that_merges_an_end_fails_a_premise_and_nothing_else() {
        let config = PRESET.hyper_parameters();
        let (maze, model, _) = agent(&config, 1.0);
        let blank = unflatten(model.clone(), &(flatten(&model) * 0.0), false);
        let seen = SeenMaze { maze: &maze, view: &MazeView::of(&maze) };
        let report = pollster::block_on(probe(&blank, seen, &Device::flex())).expect("probed");
        let agent = (maze, blank, report);
        let found = assessed(&agent, &agent.2.policy, &config);
        let [FailedPremise::EndMerged { terminal, live }] = found.theorem_two.failed[..] else {
            panic!("{:?}", found.theorem_two.failed);
        };
        assert!(agent.0.tile(terminal).is_terminal() && !agent.0.tile(live).is_terminal());
        assert_eq!((found.latents, found.stars.distance), (1, 0.0));
        assert!(found.theorem_four.numbers.is_none());
    }

    #[test]
    fn merged_stars_share_a_latent_and_an_old_policy_that_told_them_apart_is_named() {
        let config = PRESET.hyper_parameters();
        let agent = agent(&config, 0.0);
        let found = assessed(&agent, &agent.2.policy, &config);
        assert!(found.latents < 16 && found.stars.distance == 0.0 && found.stars.value_gap > 1.0);
        assert!(found.theorem_three.numbers.is_some());
        let four = found.theorem_four.numbers.expect("a world model");
        assert!(four.violating_mass.is_none_or(|mass| mass > 0.0), "the stars violate it");

        let [_, lower] = agent.0.stars();
        let mut before = agent.2.policy.clone();
        before[lower * ACTIONS..][..ACTIONS].copy_from_slice(&[0.1, 0.2, 0.3, 0.4]);
        // The policy's rows at states without actions do not matter.
        let exits: Vec<usize> =
            (0..agent.0.states()).filter(|&s| agent.0.tile(s) == Tile::Exit).collect();
        before[exits[1] * ACTIONS..][..ACTIONS].copy_from_slice(&[0.0, 0.0, 0.0, 1.0]);
        let found = assessed(&agent, &before, &config);
        let named = |premise: &FailedPremise| matches!(premise, FailedPremise::OldPolicyNotLatent { states: [_, s], .. } if *s == lower);
        assert!(found.theorem_three.failed.iter().any(named), "{:?}", found.theorem_three.failed);
        assert!(!found.theorem_two.failed.iter().any(named));
        assert!(found.theorem_two.numbers.is_some() && found.theorem_three.numbers.is_none());
        let text = found.theorem_three.failed.iter().map(ToString::to_string).collect::<String>();
        assert!(text.contains("the old policy differs"), "{text}");
    }

    #[test]
    fn a_policy_that_never_leaves_the_start_has_no_episode_length() {
        let config = PRESET.hyper_parameters();
        let agent = agent(&config, 1.0);
        let mut before = agent.2.policy.clone();
        before[agent.0.start() * ACTIONS..][..ACTIONS].copy_from_slice(&[1.0, 0.0, 0.0, 0.0]);
        let found = assessed(&agent, &before, &config);
        assert_eq!(found.average_episode_length, None);
        assert!(found.theorem_two.failed.contains(&FailedPremise::EndlessEpisodes));
        assert!(found.pairs.iter().all(|pair| pair.probability.is_none()));
    }
}
