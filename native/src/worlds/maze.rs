//! The maze of the paper as a world.

use std::path::Path;

use anyhow::{Context, Result, bail};
use deepspi_core::maze::probe;
use deepspi_core::trainer::Trainer;
use deepspi_run::config::Config;
use deepspi_run::message::{MazeStatus, Message};
use deepspi_run::network::NetworkSpec;
use deepspi_run::run_files::RunInfo;
pub use deepspi_run::world::MAZE_NAME as MAZE;
use deepspi_run::world::World as Description;
use deepspi_worlds::env::VectorEnv;
use deepspi_worlds::maze::{Maze, MazeConfig, MazeEnvs, MazeReset, MazeView, SeenMaze};

use super::episode::{End, EpisodeRules};
use super::world::{Analysis, Episode, Episodes, Kind, World, WorldArgs};

/// The maze in the list of worlds.
pub static KIND: Kind = Kind {
    title: "the maze",
    fields: MazeConfig::FIELDS,
    names: || vec![(MAZE, "the maze of the paper; needs no ROM, and its exact values are known")],
    knows: |name| name.eq_ignore_ascii_case(MAZE),
    find: |_, args: &WorldArgs| {
        let maze = args.maze.context("the config.toml of the run does not describe its maze")?;
        maze.validate().context("no such maze")?;
        Ok(Box::new(MazeWorld(maze)))
    },
};

/// One maze.
#[derive(Clone, Copy, Debug)]
pub struct MazeWorld(pub MazeConfig);

impl MazeWorld {
    fn maze(&self, config: &Config) -> Result<Maze> {
        Ok(Maze::new(self.0, config.gamma.into())?)
    }
}

impl World for MazeWorld {
    fn name(&self) -> &'static str {
        MAZE
    }

    fn defaults(&self) -> Config {
        Description::Maze(self.0).defaults()
    }

    fn network(&self) -> NetworkSpec {
        Description::Maze(self.0).network()
    }

    fn describe(&self, info: &mut RunInfo) {
        Description::Maze(self.0).describe(info);
    }

    fn open(&self, config: &Config, seed: u64, _: Option<&Path>) -> Result<Box<dyn VectorEnv>> {
        if config.deep_spi.certified && self.0.maze_reset == MazeReset::Parity {
            bail!(
                "--certified needs the terminal frames of episodes, which --maze-reset parity hides; leave one of them out"
            );
        }
        Ok(Box::new(MazeEnvs::new(self.maze(config)?, config.num_envs, seed)))
    }

    fn analysis(&self, config: &Config) -> Result<Option<Box<dyn Analysis>>> {
        let maze = self.maze(config)?;
        let view = MazeView::of(&maze);
        Ok(Some(Box::new(ExactValue { maze, view })))
    }

    fn episodes(&self, gamma: f32, rules: &EpisodeRules) -> Result<Box<dyn Episodes>> {
        let EpisodeRules { stochastic, training_resets, roms } = rules;
        if stochastic.is_some() || *training_resets || roms.is_some() {
            bail!(
                "--stochastic, --training-resets and --roms are for Atari games, not for the maze; leave them out"
            );
        }
        // The other setting would only hide the last frame, and with it the reason why an episode
        // ended.
        let config = MazeConfig { maze_reset: MazeReset::Terminal, ..self.0 };
        Ok(Box::new(MazeEpisodes(Maze::new(config, gamma.into())?)))
    }
}

/// Computes the exact value of the agent's policy in the maze after every iteration.
#[derive(Debug)]
struct ExactValue {
    maze: Maze,
    /// What the agent sees in every state.
    view: MazeView,
}

impl Analysis for ExactValue {
    fn analyse(&self, trainer: &Trainer) -> Result<Message> {
        let Self { maze, view } = self;
        let model = trainer.policy();
        let report = probe(&model, SeenMaze { maze, view }, trainer.device());
        let report = pollster::block_on(report)?;
        Ok(Message::Maze(MazeStatus::new(&report, maze, trainer.global_step())))
    }
}

/// Whole episodes of the maze.
#[derive(Debug)]
struct MazeEpisodes(Maze);

impl Episodes for MazeEpisodes {
    fn rules(&self) -> String {
        "whole episodes of the maze, at most 200 steps".to_owned()
    }

    fn start(&self, seed: u64) -> Result<Box<dyn Episode>> {
        Ok(Box::new(MazeEpisode(MazeEnvs::new(self.0.clone(), 1, seed))))
    }
}

/// One episode of the maze.
#[derive(Debug)]
struct MazeEpisode(MazeEnvs);

impl Episode for MazeEpisode {
    fn observation(&self) -> &[u8] {
        self.0.observations()
    }

    fn step(&mut self, action: u32) -> Result<(f64, Option<End>)> {
        let Self(maze) = self;
        maze.step(&[action]);
        let outcome = maze.outcomes()[0];
        let terminal = maze.maze().tile(maze.states()[0] as usize).is_terminal();
        let end = if terminal { End::GameOver } else { End::TimeLimit };
        Ok((f64::from(outcome.raw_reward), outcome.game_over.then_some(end)))
    }

    fn again(self: Box<Self>, seed: u64) -> Result<Box<dyn Episode>> {
        Ok(Box::new(Self(MazeEnvs::new(self.0.maze().clone(), 1, seed))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_episode_of_the_maze_knows_why_it_ended() {
        let world = MazeWorld(MazeConfig::DEFAULT);
        let games = world.episodes(0.99, &EpisodeRules::default()).expect("a maze");
        let play = |action| {
            let mut game = games.start(1).expect("started");
            for step in 1..=200 {
                if let (_, Some(end)) = game.step(action).expect("infallible") {
                    return (step, end);
                }
            }
            panic!("an episode ends within 200 steps");
        };
        // Action 3 (right) runs to the exit of a corridor of 5 cells; action 2 (left)
        // runs into the wall for ever.
        assert_eq!(play(3), (7, End::GameOver));
        assert_eq!(play(2), (200, End::TimeLimit));
        for chosen in [
            EpisodeRules { stochastic: Some(true), ..EpisodeRules::default() },
            EpisodeRules { training_resets: true, ..EpisodeRules::default() },
        ] {
            let error = world.episodes(0.99, &chosen);
            assert!(error.expect_err("no such maze").to_string().contains("--stochastic"));
        }
    }
}
