//! What the page trains: one world and two agents in it.
//!
//! Both agents have the same world and the same seed, so they differ only in the hyper-parameters
//! that the user made different. This module knows neither the page nor the worker; both use an
//! [`Experiment`].

use deepspi_options::ConfigError;
use deepspi_run::config::{Algorithm, Config};
use deepspi_run::maze_preset::TrainingPreset as _;
use deepspi_run::world::{MAZE_NAME, World, WorldError};
use deepspi_worlds::atari::AtariTraining;
use deepspi_worlds::cartridge;
use deepspi_worlds::maze::{Maze, MazeConfig, MazeReset};
use serde::{Deserialize, Serialize};

/// Name of the field with the name of the world.
pub const ENV: &str = "env";

/// Agents trained side by side.
pub const AGENTS: usize = 2;

/// One world, two agents. It keeps the settings of every kind of world, so that a visitor who
/// changes the world and comes back finds them again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// Name of the world: `maze`, `MazeCartridge`, or a game as on the command line.
    pub env: String,
    /// The maze of both agents, and of the cartridge.
    pub maze: MazeConfig,
    /// Sticky actions and long no-op starts, on the emulator.
    pub stochastic: bool,
    /// The rules of a game.
    pub atari: AtariTraining,
    /// Hyper-parameters of each agent; the seed is the same in both.
    pub agents: [Config; AGENTS],
}

/// A value of an experiment that is out of range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct ExperimentError {
    /// The agent whose value it is; none for the world.
    pub agent: Option<usize>,
    /// Field, value and allowed range.
    pub error: ConfigError,
}

impl Default for Experiment {
    /// PPO and DeepSPI in the paper's maze, with the small preset.
    fn default() -> Self {
        let maze = MazeConfig::DEFAULT;
        let agent = |algo| Config { algo, ..maze.preset.hyper_parameters() };
        Self {
            env: MAZE_NAME.to_owned(),
            maze,
            stochastic: false,
            atari: AtariTraining::DEFAULT,
            agents: [agent(Algorithm::Ppo), agent(Algorithm::DeepSpi)],
        }
    }
}

impl Experiment {
    /// Its world.
    ///
    /// # Errors
    /// If no world has the name, or a setting is out of range.
    pub fn world(&self) -> Result<World, WorldError> {
        World::find(&self.env, self.stochastic, Some(self.maze), Some(self.atari))
    }

    /// Takes over the settings of a world.
    pub fn set_world(&mut self, world: &World) {
        self.env = world.name().to_owned();
        match *world {
            World::Maze(maze) => self.maze = maze,
            World::Cartridge { maze, stochastic } => {
                (self.maze, self.stochastic) = (maze, stochastic);
            }
            World::Game { stochastic, training, .. } => {
                self.stochastic = stochastic;
                self.atari = training.unwrap_or(AtariTraining::UNSAID);
            }
        }
    }

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
        let atari = every(self.atari, AtariTraining::validate, |atari, field| {
            let valid = default.atari.get(field).unwrap_or_default();
            atari.set(field, &valid).is_ok()
        });
        let maze_is_valid = maze.is_empty();
        add(None, maze);
        add(None, atari);
        let world = self.world();
        match &world {
            Err(WorldError::Game(_)) => {
                let allowed = "maze, MazeCartridge, or the name of one of the 57 games";
                add(None, vec![ConfigError { field: ENV, value: self.env.clone(), allowed }]);
            }
            // What the cartridge has no maze for; other errors were found above.
            Err(WorldError::Config(error)) if maze_is_valid && cartridge::is_name(&self.env) => {
                add(None, vec![error.clone()]);
            }
            _ => {}
        }
        let in_maze = !matches!(world, Ok(World::Game { .. }) | Err(WorldError::Game(_)));
        if in_maze
            && self.maze.maze_reset == MazeReset::Parity
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
            if in_maze && maze_is_valid && !found.iter().any(|error| error.field == "gamma") {
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
    #[test]
    fn a_world_is_taken_over_and_checked() {
        let mut experiment = Experiment::default();
        let fields = |experiment: &Experiment| {
            experiment.errors().iter().map(|e| (e.agent, e.error.field)).collect::<Vec<_>>()
        };
        experiment.env = "Brekout".to_owned();
        assert_eq!(fields(&experiment), [(None, ENV)]);
        experiment.env = "breakout".to_owned();
        experiment.atari.max_episode_steps = 0;
        assert_eq!(fields(&experiment), [(None, "max_episode_steps")]);
        experiment.atari = AtariTraining { max_episode_steps: 9, ..AtariTraining::DEFAULT };
        assert_eq!(fields(&experiment), []);
        let world = experiment.world().expect("a game");
        let mut other = Experiment::default();
        other.set_world(&world);
        assert_eq!((other.env.as_str(), other.atari), ("Breakout", experiment.atari));

        let mut experiment = Experiment { env: "MazeCartridge".to_owned(), ..other };
        assert_eq!(fields(&experiment), []);
        experiment.maze.cue = 0.5;
        assert_eq!(fields(&experiment), [(None, "cue")], "the cartridge has one maze only");
    }
}
