//! What the rest of the program needs of a world.

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

/// A kind of worlds: one entry of the list.
#[derive(Debug)]
pub struct Kind {
    /// What messages call it, such as `Atari games`.
    pub title: &'static str,
    /// Fields of the command line that only this kind reads.
    pub fields: &'static [&'static str],
    /// Whether a name on the command line or in a run folder means a world of this kind.
    pub knows: fn(&str) -> bool,
    /// The world of a name.
    pub find: fn(&str, &WorldArgs) -> Result<Box<dyn World>>,
}

/// What the command line or a run folder says of a world besides its name. Each kind reads what concerns it.
#[derive(Clone, Debug, Default)]
pub struct WorldArgs {
    /// The authors' stochastic variant of Atari games.
    pub stochastic: bool,
    /// Threads of the environments; none: all cores.
    pub env_threads: Option<usize>,
    /// Which maze.
    pub maze: Option<MazeConfig>,
    /// How games are played; none for a run that was begun before it was written down.
    pub atari: Option<AtariTraining>,
}

/// A world that is known to exist, not yet started.
pub trait World: Debug + Send + Sync {
    /// Name in run folders and logs.
    fn name(&self) -> &'static str;

    /// Hyper-parameters where nothing else is said.
    fn defaults(&self) -> Config;

    /// Sizes of the networks.
    fn network(&self) -> NetworkSpec;

    /// Adds to the description of a run what it must say to find this world again.
    fn describe(&self, info: &mut RunInfo);

    /// Environments of a training, not yet reset. `roms`: folder with ROMs, if the user named one.
    ///
    /// # Errors
    /// If the hyper-parameters do not fit this world, or an environment cannot be started.
    fn open(&self, config: &Config, seed: u64, roms: Option<&Path>) -> Result<Box<dyn VectorEnv>>;

    /// What is analysed after every iteration; none where nothing is.
    ///
    /// # Errors
    /// If the hyper-parameters do not fit this world.
    fn analysis(&self, _config: &Config) -> Result<Option<Box<dyn Analysis>>> {
        Ok(None)
    }

    /// Whole episodes for an evaluation of an agent trained with discount `gamma`.
    ///
    /// # Errors
    /// If the rules are not for this world, or something it needs is not there.
    fn episodes(&self, gamma: f32, rules: &EpisodeRules) -> Result<Box<dyn Episodes>>;

    /// Threads on which its environments run.
    fn threads(&self) -> usize {
        1
    }

    /// Replaces the probability of sticky actions, where there are any: for measurements.
    fn set_sticky_actions(&mut self, _probability: f32) {}
}

/// A look at the agent after every iteration.
pub trait Analysis: Debug {
    /// What it finds.
    ///
    /// # Errors
    /// If the device fails.
    fn analyse(&self, trainer: &Trainer) -> Result<Message>;
}

/// Whole episodes of one world, by one set of rules.
pub trait Episodes: Debug + Send + Sync {
    /// Whether actions are sticky and starts long.
    fn stochastic(&self) -> bool {
        false
    }

    /// Frames of the game in one agent step.
    fn frame_skip(&self) -> u64 {
        1
    }

    /// The rules in a sentence.
    fn rules(&self) -> String;

    /// The episode that `seed` decides, at its start.
    ///
    /// # Errors
    /// If the environment fails.
    fn start(&self, seed: u64) -> Result<Box<dyn Episode>>;

    /// The same episode on a console, whose screen can be filmed; none for other worlds.
    fn start_on_console(&self, _seed: u64) -> Option<Result<AtariGame>> {
        None
    }
}

/// An episode being played.
pub trait Episode: Debug + Send {
    /// What the agent sees, `[C, H, W]`.
    fn observation(&self) -> &[u8];

    /// One agent step; its raw reward, and the end if it was the last. Not to be called after that.
    ///
    /// # Errors
    /// If the environment fails.
    fn step(&mut self, action: u32) -> Result<(f64, Option<End>)>;
}
