//! One environment for one whole game, and where such environments come from.

use anyhow::{Context, Result, bail};
use deepspi_atari::{AtariEnv, EnvError, EnvOptions, Rom, RomFinder, StepOutcome};
use deepspi_worlds::env::{self, Outcome, Pending, VectorEnv, ready};
use deepspi_worlds::frame::FrameShape;
use deepspi_worlds::maze::{Maze, MazeConfig, MazeEnvs, MazeReset};
use deepspi_worlds::rng::{Stream, stream};
use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::agent::Agent;
use super::args::GameArgs;
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
    /// Whole games of what an agent was trained on, by its own rules where `chosen` names no other.
    ///
    /// # Errors
    /// If there is no ROM, or the maze is asked to follow rules of Atari games.
    pub fn new(agent: &Agent, chosen: &GameArgs) -> Result<Self> {
        Self::of(&agent.task, agent.config.gamma, chosen)
    }

    fn of(task: &Task, gamma: f32, chosen: &GameArgs) -> Result<Self> {
        match task {
            Task::Maze(config) => {
                let GameArgs { stochastic, training_resets, roms } = chosen;
                if stochastic.is_some() || *training_resets || roms.is_some() {
                    bail!(
                        "--stochastic, --training-resets and --roms are for Atari games, not for the maze; leave them out"
                    );
                }
                // The other setting only hides the last frame, and with it why an episode ended.
                let config = MazeConfig { maze_reset: MazeReset::Terminal, ..*config };
                Ok(Self::Maze(Box::new(Maze::new(config, gamma.into())?)))
            }
            Task::Atari(settings) => {
                let stochastic = chosen.stochastic.unwrap_or(settings.stochastic);
                let options = EnvOptions {
                    // A game whose resets are those of training is told of lost lives, and ends at
                    // none of them: see `AtariGame`.
                    episodic_life: chosen.training_resets,
                    // Raw rewards are reported in any case, and they alone are scored. The clipped
                    // ones are what critic and world model know.
                    reward_clip: true,
                    ..EnvOptions::training(stochastic)
                };
                let rom =
                    RomFinder::from_environment(chosen.roms.as_deref()).find(settings.game)?;
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
                 up to {} no-ops{}",
                options.max_episode_steps,
                options.frame_skip,
                options.repeat_action_probability,
                options.noop_max,
                if options.episodic_life {
                    ", after lost lives as well, and then FIRE"
                } else {
                    ""
                }
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

/// A console with one whole game, as a vector of one environment. An environment with episodic life
/// resets after a lost one, and the game goes on.
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

    /// Starts a new game.
    ///
    /// # Errors
    /// If the emulator fails.
    pub fn reset(&mut self) -> Result<(), EnvError> {
        self.last = self.env.reset(&mut self.stack)?;
        self.outcome = [Outcome::default()];
        Ok(())
    }

    /// Takes one action.
    ///
    /// # Errors
    /// If the action is out of range or the emulator fails.
    pub fn step(&mut self, actions: &[u32]) -> Result<(), EnvError> {
        let &[action] = actions else {
            let (what, expected, found) = ("actions", 1, actions.len());
            return Err(EnvError::Length { what, expected, found });
        };
        self.last = self.env.step(action, &mut self.stack)?;
        if self.last.done && self.end().is_none() {
            // The environment resets in place of a step, whatever the action.
            let reset = self.env.step(action, &mut self.stack)?;
            // The other lives went while nobody acted: it has begun another game.
            self.last.terminated |= reset.terminated || reset.lives > self.last.lives;
        }
        let StepOutcome { reward, raw_reward, terminated, truncated, .. } = self.last;
        let over = terminated || truncated;
        // A lost life is no end here, and the reset after it no step of its own: the losses of the
        // step that lost it compare with the frame after the reset.
        self.outcome = [Outcome { reward, raw_reward, done: over, game_over: over }];
        Ok(())
    }
}

impl VectorEnv for AtariGame {
    fn num_envs(&self) -> usize {
        1
    }

    fn frame(&self) -> FrameShape {
        FRAME
    }

    fn actions(&self) -> usize {
        self.env.game().n_actions()
    }

    fn send_reset(&mut self) -> Result<(), env::EnvError> {
        self.reset().map_err(env::EnvError::new)
    }

    fn send(&mut self, actions: &[u32]) -> Result<(), env::EnvError> {
        self.step(actions).map_err(env::EnvError::new)
    }

    fn receive(&mut self) -> Pending<'_> {
        ready()
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
        let games = Games::of(&Task::Maze(MazeConfig::DEFAULT), 0.99, &GameArgs::default())
            .expect("a maze");
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
        for chosen in [
            GameArgs { stochastic: Some(true), ..GameArgs::default() },
            GameArgs { training_resets: true, ..GameArgs::default() },
        ] {
            let error = Games::of(&Task::Maze(MazeConfig::DEFAULT), 0.99, &chosen);
            assert!(error.expect_err("no such maze").to_string().contains("--stochastic"));
        }
    }

    #[test]
    fn a_lost_life_ends_nothing_and_returns_are_raw() {
        let settings = AtariSettings::new("Breakout", true, None).expect("a game");
        let games = Games::of(&Task::Atari(settings), 0.99, &GameArgs::default()).expect("a ROM");
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

    #[test]
    fn resets_of_training_bring_the_next_ball_and_end_nothing() {
        let settings = AtariSettings::new("Breakout", false, None).expect("a game");
        let task = Task::Atari(settings);
        // Lives after each step of an agent that does nothing, until the game ends.
        let lives = |training_resets, steps| {
            let chosen = GameArgs { training_resets, ..GameArgs::default() };
            let games = Games::of(&task, 0.99, &chosen).expect("a ROM");
            assert_eq!(games.rules().contains("after lost lives as well"), training_resets);
            let Game::Atari(mut game) = games.start(3).expect("started") else {
                panic!("a game of the emulator");
            };
            let mut lives = vec![game.last().lives];
            for _ in 0..steps {
                game.step(&[0]).expect("played");
                lives.push(game.last().lives);
                assert_eq!(game.outcomes()[0].done, game.end().is_some());
                if game.end().is_some() {
                    break;
                }
            }
            lives.dedup();
            (lives, game.end())
        };
        assert_eq!(lives(false, 1000), (vec![5, 4], None), "nobody presses FIRE");
        assert_eq!(lives(true, 1000), (vec![5, 4, 3, 2, 1, 0], Some(End::GameOver)));
    }
}
