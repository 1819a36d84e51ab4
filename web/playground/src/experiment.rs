//! What the page trains: one maze and two agents in it.
//!
//! Both agents have the same maze and the same seed, so they differ only in the hyper-parameters
//! that the user made different. This module knows neither the page nor the worker; both use an
//! [`Experiment`].

use deepspi_options::ConfigError;
use deepspi_run::config::{Algorithm, Config};
use deepspi_run::maze_preset::TrainingPreset as _;
use deepspi_worlds::maze::{Maze, MazeConfig, MazeReset};
use serde::{Deserialize, Serialize};

/// Agents trained side by side.
pub const AGENTS: usize = 2;

/// One maze, two agents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// The maze of both agents.
    pub maze: MazeConfig,
    /// Hyper-parameters of each agent; the seed is the same in both.
    pub agents: [Config; AGENTS],
}

/// A value of an experiment that is out of range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct ExperimentError {
    /// The agent whose value it is; none for the maze.
    pub agent: Option<usize>,
    /// Field, value and allowed range.
    pub error: ConfigError,
}

impl Default for Experiment {
    /// PPO and DeepSPI in the paper's maze, with the small preset.
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

    /// All values that are out of range, those of the maze first. An experiment without errors can
    /// be trained.
    #[must_use]
    pub fn errors(&self) -> Vec<ExperimentError> {
        let default = Self::default();
        let mut errors = Vec::new();
        let mut add = |agent, found: Vec<ConfigError>| {
            errors.extend(found.into_iter().map(|error| ExperimentError { agent, error }));
        };
        let maze = every(self.maze, MazeConfig::validate, |maze, field| {
            let valid = default.maze.get(field).unwrap_or_default();
            maze.set(field, &valid).is_ok()
        });
        let maze_is_valid = maze.is_empty();
        add(None, maze);
        if self.maze.maze_reset == MazeReset::Parity
            && self.agents.iter().any(|a| a.deep_spi.certified)
        {
            let (field, value) = ("maze_reset", self.maze.maze_reset.to_string());
            let allowed = "terminal with `certified`, which needs the last frames of episodes";
            add(None, vec![ConfigError { field, value, allowed }]);
        }
        for (agent, config) in self.agents.iter().enumerate() {
            let mut found = every(config.clone(), Config::validate, |config, field| {
                let valid = default.agents[agent].get(field).unwrap_or_default();
                config.set(field, &valid).is_ok()
            });
            if maze_is_valid && !found.iter().any(|error| error.field == "gamma") {
                found.extend(Maze::new(self.maze, config.gamma.into()).err());
            }
            add(Some(agent), found);
        }
        errors
    }
}

/// All errors of a configuration, although `validate` stops at the first one: `mend` gives the
/// field in error a valid value, and the configuration is validated again.
fn every<C>(
    mut config: C,
    validate: impl Fn(&C) -> Result<(), ConfigError>,
    mend: impl Fn(&mut C, &str) -> bool,
) -> Vec<ConfigError> {
    let mut errors: Vec<ConfigError> = Vec::new();
    while let Err(error) = validate(&config) {
        // Fields can contradict each other, so a valid value for one of them may not remove the
        // error.
        let known = errors.iter().any(|known| known.field == error.field);
        let goes_on = !known && mend(&mut config, error.field);
        if !known {
            errors.push(error);
        }
        if !goes_on {
            break;
        }
    }
    errors
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
    fn every_error_is_named_with_its_agent() {
        let mut experiment = Experiment::default();
        experiment.agents[1].gamma = 1.0;
        experiment.agents[1].clip_coef = 2.0;
        experiment.maze.cue = 2.0;
        experiment.maze.n_path = 1;
        let errors = experiment.errors();
        let found: Vec<_> = errors.iter().map(|e| (e.agent, e.error.field)).collect();
        let expected =
            [(None, "n_path"), (None, "cue"), (Some(1), "gamma"), (Some(1), "clip_coef")];
        assert_eq!(found, expected);
        assert!(errors[2].to_string().contains("`gamma` is 1"));
    }

    #[test]
    fn what_only_maze_and_agent_together_exclude_is_an_error_too() {
        let mut experiment = Experiment::default();
        experiment.agents[0].gamma = 0.0;
        let fields = |experiment: &Experiment| {
            let errors = experiment.errors();
            errors.iter().map(|e| (e.agent, e.error.field)).collect::<Vec<_>>()
        };
        assert_eq!(
            fields(&experiment),
            [(Some(0), "gamma")],
            "the trap would cost infinitely much"
        );

        let mut experiment = Experiment::default();
        experiment.agents[1] = experiment.agents[1].clone().certify();
        assert_eq!(fields(&experiment), []);
        experiment.maze.maze_reset = MazeReset::Parity;
        assert_eq!(fields(&experiment), [(None, "maze_reset")]);
        experiment.agents[1].clip_coef = 0.5;
        assert_eq!(fields(&experiment), [(None, "maze_reset"), (Some(1), "clip_coef")]);
    }
}
