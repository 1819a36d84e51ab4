//! What the page trains: one maze and two agents in it.
//!
//! Both agents see the same maze and the same seed, so that what differs between them is what the
//! user made differ. Nothing here knows the page or the worker; both speak of an [`Experiment`].

use deepspi_core::config::{Algorithm, Config, ConfigError};
use deepspi_core::maze::MazeConfig;
use serde::{Deserialize, Serialize};

/// Agents trained side by side.
pub const AGENTS: usize = 2;

/// One maze, two agents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// The world of both.
    pub maze: MazeConfig,
    /// Hyper-parameters of each; the seed is the same in both.
    pub agents: [Config; AGENTS],
}

/// A value of an experiment that is out of range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct ExperimentError {
    /// The agent it belongs to; none for the maze.
    pub agent: Option<usize>,
    /// Field, value and what is allowed.
    pub error: ConfigError,
}

impl Default for Experiment {
    /// PPO beside DeepSPI in the paper's maze, in the small size.
    fn default() -> Self {
        let maze = MazeConfig::DEFAULT;
        let agent = |algo| Config { algo, ..maze.preset.hyper_parameters() };
        Self { maze, agents: [agent(Algorithm::Ppo), agent(Algorithm::DeepSpi)] }
    }
}

impl Experiment {
    /// Seed of both agents.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.agents[0].seed
    }

    /// Gives both agents the same seed.
    pub fn set_seed(&mut self, seed: u64) {
        for agent in &mut self.agents {
            agent.seed = seed;
        }
    }

    /// Every value that is out of range; empty means that it can be trained.
    #[must_use]
    pub fn errors(&self) -> Vec<ExperimentError> {
        let maze = self.maze.validate().err().map(|error| ExperimentError { agent: None, error });
        let agents = self.agents.iter().enumerate().filter_map(|(agent, config)| {
            config.validate().err().map(|error| ExperimentError { agent: Some(agent), error })
        });
        maze.into_iter().chain(agents).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid_and_differs_in_the_algorithm_only() {
        let experiment = Experiment::default();
        assert!(experiment.errors().is_empty());
        let [first, second] = experiment.agents;
        assert_eq!(Config { algo: second.algo, ..first }, second);
    }

    #[test]
    fn errors_name_the_agent() {
        let mut experiment = Experiment::default();
        experiment.agents[1].gamma = 1.0;
        experiment.maze.cue = 2.0;
        let errors = experiment.errors();
        assert_eq!(errors.iter().map(|e| e.agent).collect::<Vec<_>>(), [None, Some(1)]);
        assert!(errors[1].to_string().contains("`gamma` is 1"));
    }
}
