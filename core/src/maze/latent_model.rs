//! The agent's world model as a finite one, over the latents of the maze's states.
//!
//! The theorems are about a latent MDP. The agent's own has a continuum of latents; here it is
//! reduced to the latents of the maze's states, so that every term of the theorems can be computed
//! exactly.
//!
//! Unchanged: the encoder on all states, the Euclidean distances, the reward network.
//! Changed:
//! - latents closer than [`SAME`] times the longest latent become one, which takes the prediction
//!   of its first state: single precision does not distinguish them;
//! - the next latent is distributed over [`DRAWS`] samples of the network's density with equal
//!   weights, and each sample is moved to the nearest latent of the maze. The mean distance moved
//!   is reported: it bounds the change of every Wasserstein distance to a prediction
//!   ([`FiniteModel::moved`]). The Lipschitz constants of the finite model are over the maze's
//!   latents only, and may be smaller or larger than those of the network;
//! - terminal latents end the episode, whatever the network predicts there.

use burn::tensor::{Device, Tensor};
use deepspi_run::maze::MazeReport;
use deepspi_theory::{Abstraction, Mdp, MdpParts, Metric, TheoryError, WorldModel};
use deepspi_worlds::maze::{ACTIONS, Action, Maze, SeenMaze};
use deepspi_worlds::rng::{Stream, stream};

use super::probe::{ProbeError, all_frames};
use crate::model::Model;
use crate::read_floats;

/// Distance, relative to the longest latent, up to which two latents count as the same.
const SAME: f64 = 1e-5;
/// Number of samples of the next latent, for a sampled density.
const DRAWS: usize = 16;

/// The distinct latents of a maze, numbered in the order of the first state that has them.
pub(super) struct Latents {
    /// Latent of each state, `[S]`.
    of: Vec<usize>,
    /// First state of each latent, `[Z]`.
    firsts: Vec<usize>,
    /// Euclidean distances `[Z, Z]`.
    distances: Vec<f64>,
}

impl Latents {
    /// The latents of a report.
    pub(super) fn of(report: &MazeReport) -> Self {
        let states = report.values.len();
        let length = |state| {
            let squares = report.latent(state).iter().map(|x| f64::from(*x).powi(2));
            squares.sum::<f64>().sqrt()
        };
        let same = SAME * (0..states).map(length).fold(0.0, f64::max);
        let between = |a, b| distance(report.latent(a), report.latent(b));
        let mut firsts: Vec<usize> = Vec::new();
        let mut of = Vec::with_capacity(states);
        for state in 0..states {
            let known = firsts.iter().position(|&first| between(first, state) <= same);
            of.push(known.unwrap_or(firsts.len()));
            if known.is_none() {
                firsts.push(state);
            }
        }
        let pairs = firsts.iter().flat_map(|&a| firsts.iter().map(move |&b| (a, b)));
        let distances = pairs.map(|(a, b)| between(a, b)).collect();
        Self { of, firsts, distances }
    }

    /// Number Z of latents.
    pub(super) const fn len(&self) -> usize {
        self.firsts.len()
    }

    /// First state with the latent of a state.
    pub(super) fn first(&self, state: usize) -> usize {
        self.firsts[self.of[state]]
    }

    /// Distance of the latents of two states; 0 if the states share a latent.
    pub(super) fn distance(&self, first: usize, second: usize) -> f64 {
        self.distances[self.of[first] * self.len() + self.of[second]]
    }

    /// Rows `[Z, A]` of the latents' first states.
    pub(super) fn rows(&self, table: &[f64]) -> Vec<f64> {
        self.firsts.iter().flat_map(|first| row(table, *first)).copied().collect()
    }

    /// A table `[S, A]` in which every state takes the row of the first state with its latent.
    pub(super) fn lifted(&self, table: &[f64]) -> Vec<f64> {
        let rows = (0..self.of.len()).flat_map(|state| row(table, self.first(state)));
        rows.copied().collect()
    }

    /// Mean of a table over latents `[Z, A]` under weights `[S]` of states and a policy `[S, A]`.
    pub(super) fn mean(&self, table: &[f64], weights: &[f64], policy: &[f64]) -> f64 {
        let of_state = |state: usize| -> f64 {
            let row = row(table, self.of[state]).iter().zip(row(policy, state));
            weights[state] * row.map(|(x, p)| x * p).sum::<f64>()
        };
        (0..self.of.len()).map(of_state).sum()
    }

    /// A terminal state and a live one with the same latent, if there are such.
    pub(super) fn merged_end(&self, maze: &Maze) -> Option<(usize, usize)> {
        let ends = |state: usize| maze.tile(state).is_terminal();
        let differs = |&state: &usize| ends(state) != ends(self.first(state));
        let state = (0..self.of.len()).find(differs)?;
        let (first, ended) = (self.first(state), ends(state));
        Some(if ended { (state, first) } else { (first, state) })
    }
}

/// A finite latent model and how far its samples were moved.
pub(super) struct FiniteModel {
    /// The model; its encoder is phi on the maze's states.
    pub(super) world_model: WorldModel,
    /// Mean distance by which samples were moved to a latent of the maze, `[Z, A]`; 0 for terminal
    /// latents.
    pub(super) moved: Vec<f64>,
}

/// The finite model of an agent that does not give terminal and live states the same latent.
pub(super) async fn finite_model(
    model: &Model,
    SeenMaze { maze, view }: SeenMaze<'_>,
    mdp: &Mdp,
    latents: &Latents,
    device: &Device,
) -> Result<FiniteModel, ProbeError> {
    let encoded = model.agent.encode(all_frames(view, device));
    let [states, height, width, channels] = encoded.dims();
    let places = read_floats(encoded.clone()).await?;
    // All pairs of state and action, in the order of the maze's actions.
    let repeated = encoded.unsqueeze_dim::<5>(1).repeat_dim(1, ACTIONS);
    let repeated = repeated.reshape([states * ACTIONS, height, width, channels]);
    let one_hot = Action::ALL.map(|action| {
        let mut row = [0.0_f32; ACTIONS];
        row[view.number(action)] = 1.0;
        row
    });
    let chosen = Tensor::<2>::from_floats(one_hot, device).repeat_dim(0, states);
    let rewards = model.world_model.predict_reward(repeated.clone(), chosen.clone());
    let rewards: Vec<f64> = read_floats(rewards).await?.into_iter().map(f64::from).collect();
    let mut rng = stream(0, Stream::Noise);
    let draws = model.world_model.draws(repeated, chosen, DRAWS, &mut rng);
    let drawn = read_floats(Tensor::cat(draws, 0)).await?;

    let len = places.len() / states;
    let places: Vec<&[f32]> =
        latents.firsts.iter().map(|first| &places[first * len..][..len]).collect();
    let draws: Vec<&[f32]> = drawn.chunks(states * ACTIONS * len).collect();
    let terminal: Vec<bool> =
        latents.firsts.iter().map(|&first| maze.tile(first).is_terminal()).collect();
    let mut transitions = vec![Vec::new(); latents.len() * ACTIONS];
    let mut moved = vec![0.0; transitions.len()];
    let weight = 1.0 / draws.len() as f64;
    for (index, row) in transitions.iter_mut().enumerate() {
        if terminal[index / ACTIONS] {
            continue;
        }
        let source = latents.firsts[index / ACTIONS] * ACTIONS + index % ACTIONS;
        for draw in &draws {
            let (next, far) = nearest(&places, &draw[source * len..][..len]);
            row.push((next, weight));
            moved[index] += weight * far;
        }
    }
    let parts = MdpParts {
        states: latents.len(),
        actions: ACTIONS,
        transitions,
        rewards: latents.rows(&rewards),
        gamma: mdp.gamma(),
        start: latents.of[mdp.start()],
        terminal: terminal.clone(),
    };
    let build = || -> Result<WorldModel, TheoryError> {
        let abstraction = Abstraction::new(mdp, latents.of.clone(), terminal)?;
        let metric = Metric::new(latents.len(), latents.distances.clone())?;
        WorldModel::given(mdp, abstraction, Mdp::new(parts)?, metric)
    };
    Ok(FiniteModel { world_model: build()?, moved })
}

/// One row of a table `[_, A]`.
fn row(table: &[f64], index: usize) -> &[f64] {
    &table[index * ACTIONS..][..ACTIONS]
}

/// Euclidean distance.
fn distance(first: &[f32], second: &[f32]) -> f64 {
    let squares = first.iter().zip(second).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
    squares.sum::<f64>().sqrt()
}

/// Index of the nearest place to a point (the first of several), and its distance.
fn nearest(places: &[&[f32]], point: &[f32]) -> (usize, f64) {
    let distances = places.iter().map(|place| distance(place, point)).enumerate();
    distances.fold(
        (0, f64::INFINITY),
        |best, (place, far)| {
            if far < best.1 { (place, far) } else { best }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(latents: &[[f32; 2]]) -> MazeReport {
        let states = latents.len();
        MazeReport {
            start_value: 0.0,
            star_distance: 0.0,
            relative_star_distance: 0.0,
            policy: vec![0.25; states * ACTIONS],
            values: vec![0.0; states],
            q: vec![0.0; states * ACTIONS],
            advantage: vec![0.0; states * ACTIONS],
            critic: vec![0.0; states],
            latents: latents.as_flattened().to_vec(),
        }
    }

    #[test]
    fn latents_that_differ_by_rounding_are_one() {
        let latents = Latents::of(&report(&[[3.0, 4.0], [0.0, 0.0], [3.0, 4.000_01], [0.0, 1e-3]]));
        assert_eq!(
            (latents.len(), &latents.of[..], &latents.firsts[..]),
            (3, &[0, 1, 0, 2][..], &[0, 1, 3][..])
        );
        assert_eq!((latents.distance(0, 2), latents.distance(2, 1)), (0.0, 5.0));
        assert!((latents.distance(3, 1) - 1e-3).abs() < 1e-9, "small, but not rounding");
    }

    #[test]
    fn rows_and_means_follow_the_map() {
        let latents = Latents::of(&report(&[[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]));
        let table: Vec<f64> = (0..12).map(f64::from).collect();
        assert_eq!(latents.rows(&table), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        assert_eq!(latents.lifted(&table)[8..], [0.0, 1.0, 2.0, 3.0]);
        // The means of the rows are 1.5 and 5.5; states 0 and 2 share the first latent.
        let mean = latents.mean(&table[..8], &[0.5, 0.25, 0.25], &[0.25; 12]);
        assert!((mean - (0.75 * 1.5 + 0.25 * 5.5)).abs() < 1e-12, "{mean}");
    }

    #[test]
    fn the_nearest_place_is_the_first_of_equally_near_ones() {
        let places: [&[f32]; 3] = [&[0.0, 0.0], &[2.0, 0.0], &[0.0, 3.0]];
        assert_eq!(nearest(&places, &[0.0, 2.0]), (2, 1.0));
        assert_eq!(nearest(&places, &[1.0, 0.0]), (0, 1.0));
    }
}
