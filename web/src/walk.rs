//! An agent walking in its maze, for the eye: sampled in the page from the policy it was last seen with.
//!
//! Training is not touched: the walk has a maze and random numbers of its own.

use deepspi_run::decision::Decision;
use deepspi_worlds::maze::{ACTIONS, Maze, MazeEnvs};
use deepspi_worlds::rng::Generators;

/// One agent on its way.
#[derive(Clone, Debug)]
pub struct Walk {
    maze: MazeEnvs,
    generators: Generators,
}

impl Walk {
    /// At the start.
    #[must_use]
    pub fn new(maze: Maze, seed: u64) -> Self {
        Self { maze: MazeEnvs::new(maze, 1, seed), generators: Generators::new(seed) }
    }

    /// Where it is.
    #[must_use]
    pub fn state(&self) -> usize {
        self.maze.states()[0] as usize
    }

    /// One step by a policy `[S, A]`; after an end, back to the start. A policy that is not one of this
    /// maze is not followed.
    pub fn step(&mut self, policy: &[f64]) {
        let Some(row) = policy.get(self.state() * ACTIONS..).and_then(|rest| rest.get(..ACTIONS))
        else {
            return;
        };
        let log_probs = row.iter().map(|p| p.ln() as f32).collect();
        let decision = Decision { log_probs, values: Vec::new() };
        let action = decision.sample(ACTIONS, &mut self.generators.actions);
        self.maze.step(&action);
    }
}

#[cfg(test)]
mod tests {
    use deepspi_worlds::maze::{Action, MazeConfig};

    use super::*;

    #[test]
    fn the_best_policy_walks_to_the_goal_and_starts_again() {
        let maze = Maze::new(MazeConfig::DEFAULT, 0.99).expect("valid");
        let best = maze.policy_with_stars([Action::Up, Action::Right]).expect("valid");
        let mut walk = Walk::new(maze.clone(), 1);
        let (mut ends, mut starts) = (0, 0);
        for _ in 0..90 {
            walk.step(best.table());
            ends += usize::from(maze.tile(walk.state()).is_terminal());
            starts += usize::from(walk.state() == maze.start());
        }
        // Seven steps to either end and one back to the start.
        assert_eq!((ends, starts), (11, 11));
    }

    #[test]
    fn a_foreign_policy_is_not_followed() {
        let maze = Maze::new(MazeConfig::DEFAULT, 0.99).expect("valid");
        let mut walk = Walk::new(maze.clone(), 1);
        walk.step(&[0.25; 4]);
        assert_eq!(walk.state(), maze.start());
    }
}
