//! What there is to train on: an Atari game or the maze.

use anyhow::{Context, Result, bail};
use clap::{ArgMatches, parser::ValueSource};
use deepspi_run::config::Config;
use deepspi_run::maze_preset::TrainingPreset as _;
use deepspi_run::network::NetworkSpec;
use deepspi_run::run_files::RunInfo;
use deepspi_worlds::maze::MazeConfig;

use crate::atari::AtariSettings;
use crate::cli::TrainArgs;
use crate::run_folder::info_now;

/// Name of the maze on the command line and in run folders.
pub const MAZE: &str = "maze";

/// An environment that is known to exist, not yet started.
#[derive(Clone, Debug)]
pub enum Task {
    /// A game of the emulator.
    Atari(AtariSettings),
    /// The maze of the paper.
    Maze(MazeConfig),
}

impl Task {
    /// The task that the command line names.
    ///
    /// # Errors
    /// If it names none, an unknown one, or says of one what only the other has.
    pub fn from_args(args: &TrainArgs, matches: &ArgMatches) -> Result<Self> {
        let Some(name) = &args.env else {
            bail!(
                "which environment? Name a game with --env, for example `--env Breakout`, or `--env maze`, or continue a run with --resume RUN"
            );
        };
        let given = |field: &&&str| matches.value_source(field) == Some(ValueSource::CommandLine);
        let flag = |field: &str| format!("--{}", field.replace('_', "-"));
        if name.eq_ignore_ascii_case(MAZE) {
            let atari = ["stochastic", "roms", "env_threads"];
            if let Some(field) = atari.iter().find(given) {
                bail!("{} is for Atari games, not for the maze; leave it out", flag(field));
            }
            args.maze.validate().context("no such maze")?;
            return Ok(Self::Maze(args.maze));
        }
        if let Some(field) = MazeConfig::FIELDS.iter().find(given) {
            bail!("{} is for `--env maze` only; leave it out for a game", flag(field));
        }
        Ok(Self::Atari(AtariSettings::new(name, args.stochastic, args.env_threads)?))
    }

    /// The task of a run folder.
    ///
    /// # Errors
    /// If this program does not know its game.
    pub fn from_run(info: &RunInfo, env_threads: Option<usize>) -> Result<Self> {
        Ok(match info.maze {
            Some(maze) => Self::Maze(maze),
            None => Self::Atari(AtariSettings::new(&info.env, info.stochastic, env_threads)?),
        })
    }

    /// Name in run folders and logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Atari(settings) => settings.game.name,
            Self::Maze(_) => MAZE,
        }
    }

    /// Hyper-parameters where nothing else is said.
    #[must_use]
    pub const fn defaults(&self) -> Config {
        match self {
            Self::Atari(_) => Config::DEFAULT,
            Self::Maze(maze) => maze.preset.hyper_parameters(),
        }
    }

    /// Sizes of the networks.
    #[must_use]
    pub fn network(&self) -> NetworkSpec {
        match self {
            Self::Atari(settings) => settings.network(),
            Self::Maze(maze) => maze.preset.network(),
        }
    }

    /// What a new run folder says of it.
    #[must_use]
    pub fn describe(&self, device: &str) -> RunInfo {
        match self {
            Self::Atari(settings) => info_now(settings.game.name, settings.stochastic, device),
            Self::Maze(maze) => RunInfo { maze: Some(*maze), ..info_now(MAZE, false, device) },
        }
    }
}
