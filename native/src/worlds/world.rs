//! The interface of a world to the rest of the program.

use std::fmt::Debug;
use std::path::Path;

use anyhow::Result;
use deepspi_core::trainer::Trainer;
use deepspi_run::config::Config;
use deepspi_run::message::Message;
use deepspi_run::network::NetworkSpec;
use deepspi_run::run_files::RunInfo;
use deepspi_worlds::atari::AtariTraining;
use deepspi_worlds::env::VectorEnv;
use deepspi_worlds::maze::MazeConfig;

use super::atari_game::AtariGame;
use super::episode::{End, EpisodeRules};

/// A kind of world: one entry of the list.
#[derive(Debug)]
pub struct Kind {
    /// Name in messages, such as `Atari games`.
    pub title: &'static str,
    /// Fields of the command line that only this kind reads.
    pub fields: &'static [&'static str],
    /// The names of its worlds, each with a few words for a list of all worlds.
    pub names: fn() -> Vec<(&'static str, &'static str)>,
    /// Whether a name on the command line or in a run folder means a world of this kind.
    pub knows: fn(&str) -> bool,
    /// Makes the world of a name.
    pub find: fn(&str, &WorldArgs) -> Result<Box<dyn World>>,
}

/// What the command line or a run folder says about a world besides its name. Each kind reads its
/// own fields.
#[derive(Clone, Debug, Default)]
pub struct WorldArgs {
    /// The authors' stochastic variant of Atari games.
    pub stochastic: bool,
    /// Number of threads of the environments; `None`: all cores.
    pub env_threads: Option<usize>,
    /// Settings of the maze.
    pub maze: Option<MazeConfig>,
    /// Rules of the games; `None` for a run that began before the rules were recorded.
    pub atari: Option<AtariTraining>,
}

/// A world that exists but is not running yet.
pub trait World: Debug + Send + Sync {
    /// Name in run folders and logs.
    fn name(&self) -> &'static str;

    /// Default hyper-parameters.
    fn defaults(&self) -> Config;

    /// Sizes of the networks for this world.
    fn network(&self) -> NetworkSpec;

    /// Adds to the description of a run what is needed to find this world again.
    fn describe(&self, info: &mut RunInfo);

    /// Environments for training, not yet reset. `roms`: folder with ROMs, if the user named one.
    ///
    /// # Errors
    /// If the hyper-parameters do not fit this world, or an environment cannot be started.
    fn open(&self, config: &Config, seed: u64, roms: Option<&Path>) -> Result<Box<dyn VectorEnv>>;

    /// The analysis after every iteration, if there is any.
    ///
    /// # Errors
    /// If the hyper-parameters do not fit this world.
    fn analysis(&self, _config: &Config) -> Result<Option<Box<dyn Analysis>>> {
        Ok(None)
    }

    /// Whole episodes for an evaluation of an agent trained with discount `gamma`.
    ///
    /// # Errors
    /// If this world does not have these rules, or something that it needs is missing.
    fn episodes(&self, gamma: f32, rules: &EpisodeRules) -> Result<Box<dyn Episodes>>;

    /// Number of threads on which its environments run.
    fn threads(&self) -> usize {
        1
    }

    /// Replaces the probability of sticky actions, if the world has them; for benchmarks.
    fn set_sticky_actions(&mut self, _probability: f32) {}
}

/// An analysis of the agent after every iteration.
pub trait Analysis: Debug {
    /// Result of the analysis, as a message.
    ///
    /// # Errors
    /// If the device fails.
    fn analyse(&self, trainer: &Trainer) -> Result<Message>;
}

/// Whole episodes of one world with one set of rules.
pub trait Episodes: Debug + Send + Sync {
    /// Whether actions are sticky and no-op starts long.
    fn stochastic(&self) -> bool {
        false
    }

    /// Number of game frames per agent step.
    fn frame_skip(&self) -> u64 {
        1
    }

    /// The rules as a sentence.
    fn rules(&self) -> String;

    /// The episode that `seed` determines, at its start.
    ///
    /// # Errors
    /// If the environment fails.
    fn start(&self, seed: u64) -> Result<Box<dyn Episode>>;

    /// A raw reward as an agent learns from it.
    #[expect(clippy::cast_possible_truncation, reason = "rewards of a step are small")]
    fn learned_reward(&self, raw: f64) -> f32 {
        raw as f32
    }

    /// The same episode on a console whose screen can be filmed; `None` for worlds without a
    /// console.
    fn start_on_console(&self, _seed: u64) -> Option<Result<AtariGame>> {
        None
    }
}

/// An episode being played.
pub trait Episode: Debug + Send {
    /// Observation of the agent, `[C, H, W]`.
    fn observation(&self) -> &[u8];

    /// Takes one agent step; returns its raw reward, and the end if the step was the last. Must not
    /// be called after that.
    ///
    /// # Errors
    /// If the environment fails.
    fn step(&mut self, action: u32) -> Result<(f64, Option<End>)>;

    /// The episode that [`Episodes::start`] gives for `seed`, with what this one has: so many
    /// episodes in turn need the memory of one.
    ///
    /// # Errors
    /// If the environment fails.
    fn again(self: Box<Self>, seed: u64) -> Result<Box<dyn Episode>>;
}
