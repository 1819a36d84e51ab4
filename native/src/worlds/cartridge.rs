//! The maze on a cartridge: an Atari game of this project, whose exact values are known.
//!
//! It is played by the emulator like every game, and analysed like the maze. The analysis needs the
//! observation of every state, which is taken once from a console of its own.

use std::path::Path;

use anyhow::{Context, Result, bail};
use deepspi_ale::{AtariEnvs, Emulator, Rom};
use deepspi_core::maze::probe;
use deepspi_core::trainer::Trainer;
use deepspi_run::config::Config;
use deepspi_run::message::{MazeStatus, Message};
use deepspi_run::network::NetworkSpec;
use deepspi_run::run_files::RunInfo;
use deepspi_run::world::World as Description;
use deepspi_worlds::atari::{AtariOptions, ConsoleError};
use deepspi_worlds::cartridge::{self, CARTRIDGE_NAME};
use deepspi_worlds::env::VectorEnv;
use deepspi_worlds::maze::{Maze, MazeConfig, MazeView, SeenMaze};
use deepspi_worlds::numbered::Numbered;

use super::atari::AtariEpisodes;
use super::episode::EpisodeRules;
use super::world::{Analysis, Episodes, Kind, World, WorldArgs};

/// The cartridge in the list of worlds.
pub static KIND: Kind = Kind {
    title: "the cartridge with the maze",
    fields: &["stochastic", "env_threads", "n_path", "epsilon", "cue", "maze_reset", "preset"],
    names: || vec![(CARTRIDGE_NAME, "the same maze as an Atari game; needs no ROM")],
    knows: cartridge::is_name,
    find: |_, args: &WorldArgs| {
        let maze = args.maze.context("the config.toml of the run does not describe its maze")?;
        cartridge::check_maze(&maze).context("no such cartridge")?;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = args.env_threads.unwrap_or(cores).max(1);
        let (stochastic, sticky) = (args.stochastic, None);
        Ok(Box::new(CartridgeWorld { maze, stochastic, sticky, threads }))
    },
};

/// The cartridge with its rules.
#[derive(Clone, Debug)]
pub struct CartridgeWorld {
    /// Its maze, and the size of the networks.
    maze: MazeConfig,
    /// Sticky actions and no-ops, with which the values of the maze are not exact.
    stochastic: bool,
    /// Another probability of sticky actions, for benchmarks.
    sticky: Option<f32>,
    /// Threads of the emulators.
    threads: usize,
}

impl CartridgeWorld {
    /// The world as run folders describe it.
    const fn described(&self) -> Description {
        Description::Cartridge { maze: self.maze, stochastic: self.stochastic }
    }

    fn maze(&self, gamma: f32) -> Result<Maze> {
        Ok(Maze::new(self.maze, gamma.into())?)
    }

    fn options(&self, maze: &Maze) -> AtariOptions {
        let options = cartridge::options(maze, self.stochastic);
        let repeat_action_probability = self.sticky.unwrap_or(options.repeat_action_probability);
        AtariOptions { repeat_action_probability, ..options }
    }
}

impl World for CartridgeWorld {
    fn name(&self) -> &'static str {
        CARTRIDGE_NAME
    }

    fn defaults(&self) -> Config {
        self.described().defaults()
    }

    fn network(&self) -> NetworkSpec {
        self.described().network()
    }

    fn describe(&self, info: &mut RunInfo) {
        self.described().describe(info);
    }

    fn open(&self, config: &Config, seed: u64, _: Option<&Path>) -> Result<Box<dyn VectorEnv>> {
        let options = self.options(&self.maze(config.gamma)?);
        let rom = Rom::maze_cartridge()?;
        let envs = AtariEnvs::new(&rom, options, config.num_envs, seed, self.threads)
            .context("the emulators could not be started")?;
        Ok(Box::new(Numbered::new(envs)))
    }

    fn analysis(&self, config: &Config) -> Result<Option<Box<dyn Analysis>>> {
        if !self.described().has_exact_values() {
            return Ok(None);
        }
        let maze = self.maze(config.gamma)?;
        let rom = Rom::maze_cartridge()?;
        let console = |seed| Emulator::new(&rom, seed, 0.0).map_err(ConsoleError::from);
        let view = cartridge::view(&maze, console)
            .context("the pictures of the maze's states could not be taken from the cartridge")?;
        Ok(Some(Box::new(ExactValue { maze, view })))
    }

    fn episodes(&self, gamma: f32, rules: &EpisodeRules) -> Result<Box<dyn Episodes>> {
        if rules.training_resets || rules.roms.is_some() {
            bail!(
                "--training-resets and --roms are for Atari games with lives and ROMs, not for the cartridge with the maze; leave them out"
            );
        }
        let world =
            Self { stochastic: rules.stochastic.unwrap_or(self.stochastic), ..self.clone() };
        let options = world.options(&world.maze(gamma)?);
        Ok(Box::new(AtariEpisodes::new(Rom::maze_cartridge()?, options, world.stochastic)))
    }

    fn threads(&self) -> usize {
        self.threads
    }

    fn set_sticky_actions(&mut self, probability: f32) {
        self.sticky = Some(probability);
    }
}

/// Computes the exact value of the agent's policy in the maze after every iteration.
#[derive(Debug)]
struct ExactValue {
    maze: Maze,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worlds::End;

    fn world(preset: &str) -> CartridgeWorld {
        let mut maze = MazeConfig::DEFAULT;
        maze.set("preset", preset).expect("a preset");
        CartridgeWorld { maze, stochastic: false, sticky: None, threads: 2 }
    }

    #[test]
    fn an_episode_is_one_of_the_maze() {
        let games = world("small").episodes(0.99, &EpisodeRules::default()).expect("a cartridge");
        let play = |action, seed| {
            let mut game = games.start(seed).expect("started");
            let mut score = 0.0;
            for step in 1..=200 {
                let (reward, end) = game.step(action).expect("played");
                score += reward;
                if let Some(end) = end {
                    return (step, score, end);
                }
            }
            panic!("an episode ends within 200 steps");
        };
        // Action 1 is RIGHT, action 2 LEFT.
        assert_eq!(play(1, 1), (7, 5.0, End::GameOver));
        assert_eq!(play(2, 1), (200, 0.0, End::TimeLimit));
    }

    #[test]
    fn the_networks_fit_the_observations_and_the_actions() {
        for preset in ["small", "paper"] {
            let world = world(preset);
            let config = Config { num_envs: 1, ..world.defaults() };
            let envs = world.open(&config, 1, None).expect("opened");
            let network = world.network();
            assert_eq!((network.frame, network.actions), (envs.frame(), envs.actions()));
        }
    }

    #[test]
    fn sticky_actions_have_no_exact_values() {
        let config = world("small").defaults();
        assert!(world("small").analysis(&config).expect("analysed").is_some());
        let sticky = CartridgeWorld { stochastic: true, ..world("small") };
        assert!(sticky.analysis(&config).expect("none").is_none());
    }
}
