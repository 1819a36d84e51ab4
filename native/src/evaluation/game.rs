//! One environment for one whole game, and where such environments come from.

use std::path::Path;

use anyhow::{Context, Result, bail};
use deepspi_atari::{AtariEnv, EnvError, EnvOptions, Rom, RomFinder, StepOutcome};
use deepspi_core::env::{Outcome, VectorEnv};
use deepspi_core::maze::{Maze, MazeConfig, MazeEnvs, MazeReset};
use deepspi_core::nn::FrameShape;
use deepspi_core::rng::{Stream, stream};
use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::agent::Agent;
use crate::atari::FRAME;
use crate::task::Task;

/// Seeds of episode 0, 1, .. of an evaluation, each decides its game and the draws from the policy.
/// More episodes begin with the same ones.
pub fn episode_seeds(seed: u64) -> impl Iterator<Item = u64> {
    let mut rng = stream(seed, Stream::Evaluation);
    // 32 bits: what reads the table as floating point must not round them.
    std::iter::repeat_with(move || u64::from(rng.random::<u32>()))
}

/// Why an episode ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The game was over.
    GameOver,
    /// The game went on, but its time was up.
    TimeLimit,
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::GameOver => "game_over",
            Self::TimeLimit => "time_limit",
        })
    }
}

/// What games are played, and by which rules.
#[derive(Clone, Debug)]
pub enum Games {
    /// A game of the emulator.
    Atari {
        /// Its cartridge.
        rom: Rom,
        /// Rules.
        options: EnvOptions,
        /// Sticky actions and long no-op starts.
        stochastic: bool,
    },
    /// The maze.
    Maze(Box<Maze>),
}

impl Games {
    /// Whole games of what an agent was trained on. `stochastic` replaces its own setting.
    ///
    /// # Errors
    /// If there is no ROM, or the maze is asked to be stochastic.
    pub fn new(agent: &Agent, stochastic: Option<bool>, roms: Option<&Path>) -> Result<Self> {
        Self::of(&agent.task, agent.config.gamma, stochastic, roms)
    }

    fn of(task: &Task, gamma: f32, stochastic: Option<bool>, roms: Option<&Path>) -> Result<Self> {
        match task {
            Task::Maze(config) => {
                if stochastic.is_some() || roms.is_some() {
                    bail!(
                        "--stochastic and --roms are for Atari games, not for the maze; leave them out"
                    );
                }
                // The other setting only hides the last frame, and with it why an episode ended.
                let config = MazeConfig { maze_reset: MazeReset::Terminal, ..*config };
                Ok(Self::Maze(Box::new(Maze::new(config, gamma.into())?)))
            }
            Task::Atari(settings) => {
                let stochastic = stochastic.unwrap_or(settings.stochastic);
                let options =
                    if stochastic { EnvOptions::stochastic() } else { EnvOptions::default() };
                // Raw rewards are reported in any case, and they alone are scored. The clipped ones
                // are what critic and world model know.
                let options = EnvOptions { reward_clip: true, ..options.full_game() };
                let rom = RomFinder::from_environment(roms).find(settings.game)?;
                Ok(Self::Atari { rom, options, stochastic })
            }
        }
    }

    /// Whether actions are sticky and starts long.
    #[must_use]
    pub const fn stochastic(&self) -> bool {
        matches!(self, Self::Atari { stochastic: true, .. })
    }

    /// Frames of the game in one agent step.
    #[must_use]
    pub const fn frame_skip(&self) -> u64 {
        match self {
            Self::Atari { options, .. } => options.frame_skip as u64,
            Self::Maze(_) => 1,
        }
    }

    /// The rules in a sentence.
    #[must_use]
    pub fn rules(&self) -> String {
        match self {
            Self::Atari { options, .. } => format!(
                "whole games over all lives, raw rewards, at most {} steps of {} frames, sticky actions {}, \
                 up to {} no-ops",
                options.max_episode_steps,
                options.frame_skip,
                options.repeat_action_probability,
                options.noop_max
            ),
            Self::Maze(_) => "whole episodes of the maze, at most 200 steps".to_owned(),
        }
    }

    /// An environment at the start of the game that `seed` decides.
    ///
    /// # Errors
    /// If the emulator fails.
    pub fn start(&self, seed: u64) -> Result<Game> {
        Ok(match self {
            Self::Atari { rom, options, .. } => {
                Game::Atari(Box::new(AtariGame::start(rom, *options, seed)?))
            }
            Self::Maze(maze) => Game::Maze(Box::new(MazeEnvs::new((**maze).clone(), 1, seed))),
        })
    }
}

/// A game being played.
#[derive(Debug)]
pub enum Game {
    /// In the emulator.
    Atari(Box<AtariGame>),
    /// In the maze.
    Maze(Box<MazeEnvs>),
}

impl Game {
    /// What the agent sees, `[C, H, W]`.
    #[must_use]
    pub fn observation(&self) -> &[u8] {
        match self {
            Self::Atari(game) => game.observations(),
            Self::Maze(maze) => maze.observations(),
        }
    }

    /// One agent step; its raw reward, and the end if it was the last. Not to be called after that.
    ///
    /// # Errors
    /// If the emulator fails.
    pub fn step(&mut self, action: u32) -> Result<(f64, Option<End>)> {
        match self {
            Self::Atari(game) => {
                game.step(&[action]).context("the game failed")?;
                Ok((f64::from(game.last.raw_reward), game.end()))
            }
            Self::Maze(maze) => {
                maze.step(&[action])?;
                let outcome = maze.outcomes()[0];
                let terminal = maze.maze().tile(maze.states()[0] as usize).is_terminal();
                let end = if terminal { End::GameOver } else { End::TimeLimit };
                Ok((f64::from(outcome.raw_reward), outcome.game_over.then_some(end)))
            }
        }
    }
}

/// A console with one game, as a vector of one environment.
#[derive(Debug)]
pub struct AtariGame {
    env: AtariEnv,
    /// `[F, H, W]`
    stack: Vec<u8>,
    last: StepOutcome,
    outcome: [Outcome; 1],
}

impl AtariGame {
    /// A console at the start of a game.
    ///
    /// # Errors
    /// If the emulator fails.
    pub fn start(rom: &Rom, options: EnvOptions, seed: u64) -> Result<Self> {
        let env = AtariEnv::new(rom, options, seed, 0).context("the game could not be started")?;
        let mut game = Self {
            env,
            stack: vec![0; options.observation_len()],
            last: StepOutcome::default(),
            outcome: [Outcome::default()],
        };
        game.reset().context("the game could not be started")?;
        Ok(game)
    }

    /// The console, for pictures.
    #[must_use]
    pub const fn env(&self) -> &AtariEnv {
        &self.env
    }

    /// What the last step gave.
    #[must_use]
    pub const fn last(&self) -> StepOutcome {
        self.last
    }

    /// Whether and why the game has ended.
    #[must_use]
    pub const fn end(&self) -> Option<End> {
        match self.last {
            StepOutcome { terminated: true, .. } => Some(End::GameOver),
            StepOutcome { truncated: true, .. } => Some(End::TimeLimit),
            _ => None,
        }
    }
}

impl VectorEnv for AtariGame {
    type Error = EnvError;

    fn num_envs(&self) -> usize {
        1
    }

    fn frame(&self) -> FrameShape {
        FRAME
    }

    fn actions(&self) -> usize {
        self.env.game().n_actions()
    }

    fn reset(&mut self) -> Result<(), EnvError> {
        self.last = self.env.reset(&mut self.stack)?;
        self.outcome = [Outcome::default()];
        Ok(())
    }

    fn step(&mut self, actions: &[u32]) -> Result<(), EnvError> {
        let &[action] = actions else {
            let (what, expected, found) = ("actions", 1, actions.len());
            return Err(EnvError::Length { what, expected, found });
        };
        self.last = self.env.step(action, &mut self.stack)?;
        let StepOutcome { reward, raw_reward, done, terminated, truncated, .. } = self.last;
        self.outcome = [Outcome { reward, raw_reward, done, game_over: terminated || truncated }];
        Ok(())
    }

    fn observations(&self) -> &[u8] {
        &self.stack
    }

    fn outcomes(&self) -> &[Outcome] {
        &self.outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atari::AtariSettings;

    #[test]
    fn more_episodes_begin_with_the_same_ones_and_seeds_differ() {
        let seeds = |seed, n| episode_seeds(seed).take(n).collect::<Vec<_>>();
        assert_eq!(seeds(1, 30), seeds(1, 60)[..30]);
        assert_ne!(seeds(1, 30), seeds(2, 30));
        let mut distinct = seeds(1, 1000);
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 1000);
    }

    #[test]
    fn an_episode_of_the_maze_knows_why_it_ended() {
        let games = Games::of(&Task::Maze(MazeConfig::DEFAULT), 0.99, None, None).expect("a maze");
        let play = |action| {
            let mut game = games.start(1).expect("started");
            for step in 1..=200 {
                if let (_, Some(end)) = game.step(action).expect("infallible") {
                    return (step, end);
                }
            }
            panic!("an episode ends within 200 steps");
        };
        // Right runs into the exit of a corridor of 5 cells; left runs into the wall for ever.
        assert_eq!(play(3), (7, End::GameOver));
        assert_eq!(play(2), (200, End::TimeLimit));
        let error = Games::of(&Task::Maze(MazeConfig::DEFAULT), 0.99, Some(true), None);
        assert!(error.expect_err("no such maze").to_string().contains("--stochastic"));
    }

    #[test]
    fn a_lost_life_ends_nothing_and_returns_are_raw() {
        let settings = AtariSettings::new("Breakout", true, None).expect("a game");
        let games = Games::of(&Task::Atari(settings), 0.99, None, None).expect("a ROM");
        assert!(games.stochastic() && games.rules().contains("sticky actions 0.3"));
        let Game::Atari(mut game) = games.start(3).expect("started") else {
            panic!("a game of the emulator");
        };
        let mut lives = vec![game.last().lives];
        for step in 0_u32.. {
            // Fire, then anything.
            game.step(&[if step % 4 == 0 { 1 } else { step / 7 % 4 }]).expect("played");
            let last = game.last();
            if lives.last() != Some(&last.lives) {
                lives.push(last.lives);
            }
            assert_eq!(last.done, last.lives == 0, "only the last life ends a game");
            assert_eq!(last.reward, if last.raw_reward > 0.0 { 1.0 } else { 0.0 });
            if let Some(end) = game.end() {
                assert_eq!(end, End::GameOver);
                break;
            }
        }
        assert_eq!(lives, [5, 4, 3, 2, 1, 0]);
    }
}
