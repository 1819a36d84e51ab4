//! An agent that walks through its maze. The page samples its actions from the last reported
//! policy.
//!
//! The walk does not influence training: it has a maze and random numbers of its own.

use deepspi_run::decision::Decision;
use deepspi_worlds::maze::{ACTIONS, Maze, MazeEnvs};
use deepspi_worlds::rng::Generators;

/// The walk of one agent.
#[derive(Clone, Debug)]
pub struct Walk {
    maze: MazeEnvs,
    generators: Generators,
}

impl Walk {
    /// A walk at the start of the maze.
    #[must_use]
    pub fn new(maze: Maze, seed: u64) -> Self {
        Self { maze: MazeEnvs::new(maze, 1, seed), generators: Generators::new(seed) }
    }

    /// The current state.
    #[must_use]
    pub fn state(&self) -> usize {
        self.maze.states()[0] as usize
    }

    /// Takes one step with a policy `[S, A]`, or returns to the start after the end of an episode.
    /// A policy without probabilities for the current state (one of another maze) is ignored.
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

    /// Steps until the agent is in another cell, at most `limit` times: an agent that runs against
    /// walls would seem to stand still.
    pub fn move_on(&mut self, policy: &[f64], limit: usize) {
        let before = self.state();
        for _ in 0..limit {
            self.step(policy);
            if self.state() != before {
                return;
            }
        }
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
        // Seven steps lead to an end, and one leads back to the start.
        assert_eq!((ends, starts), (11, 11));
    }

    #[test]
    fn an_agent_that_runs_against_walls_is_shown_where_it_gets_on() {
        let maze = Maze::new(MazeConfig::DEFAULT, 0.99).expect("valid");
        let uniform = vec![0.25; maze.states() * ACTIONS];
        let mut walk = Walk::new(maze.clone(), 3);
        for _ in 0..50 {
            let before = walk.state();
            walk.move_on(&uniform, 100);
            assert_ne!(walk.state(), before);
        }
        // A policy that only runs against a wall ends, too.
        let up = [1.0, 0.0, 0.0, 0.0].repeat(maze.states());
        let mut walk = Walk::new(maze.clone(), 3);
        walk.move_on(&up, 100);
        assert_eq!(walk.state(), maze.start());
    }

    #[test]
    fn a_foreign_policy_is_not_followed() {
        let maze = Maze::new(MazeConfig::DEFAULT, 0.99).expect("valid");
        let mut walk = Walk::new(maze.clone(), 1);
        walk.step(&[0.25; 4]);
        assert_eq!(walk.state(), maze.start());
    }
}
