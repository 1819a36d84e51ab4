//! Flags of `train`.

use std::path::PathBuf;

use clap::Args;
use deepspi_options::flags::{boolean, whole_number};
use deepspi_run::config::ConfigOverrides;
use deepspi_run::run_files::Saving;
use deepspi_worlds::atari::AtariOverrides;
use deepspi_worlds::maze::MazeOverrides;

use crate::device::DeviceChoice;

/// Flags of `train`.
#[derive(Clone, Debug, Args)]
pub struct TrainArgs {
    /// Atari game as CleanRL writes it, for example Breakout or MsPacman; `maze`; or `MazeCartridge`,
    /// the maze as an Atari game, which needs no ROM. Without a value: list all of them.
    #[arg(long, value_name = "ENV", num_args = 0..=1, default_missing_value = "", help_heading = "Run")]
    pub env: Option<String>,
    /// Continue the run in this folder; only `--total-timesteps`, device, ROM folder, threads and
    /// saving may be changed.
    #[arg(
        long,
        value_name = "RUN",
        conflicts_with_all = ["env", "config", "stochastic"],
        help_heading = "Run"
    )]
    pub resume: Option<PathBuf>,
    /// TOML file with hyper-parameters, and in a table `run` the world, such as the config.toml of a run; flags on the
    /// command line win over it.
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    pub config: Option<PathBuf>,
    /// Print the resolved configuration as TOML and exit.
    #[arg(long, help_heading = "Run")]
    pub print_config: bool,
    /// Device of the tensors: auto (a real GPU, else the CPU), gpu, gpu:NAME (the adapter whose name
    /// contains NAME), gpu:NUMBER (of several equal adapters; an error lists them) or cpu. Only a name or
    /// a number takes a software rasteriser.
    #[arg(long, default_value = "auto", help_heading = "Run")]
    pub device: DeviceChoice,
    /// Folder that contains the run folders. It is an `Option` because `--resume` must know whether
    /// it was given; the help text states the default.
    #[arg(
        long,
        value_name = "DIR",
        help_heading = "Run",
        help = "Folder that holds the run folders [default: runs]",
        long_help = "Folder that holds the run folders\n\n[default: runs]"
    )]
    pub runs_dir: Option<PathBuf>,
    /// Folder of this run. The run begins if the folder has no run, and continues if it has this
    /// one; a finished run ends at once, and another run is refused. The same command can be
    /// repeated.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["resume", "runs_dir"], help_heading = "Run")]
    pub run_dir: Option<PathBuf>,
    /// Stop when standard input ends; `native bench` keeps it open while it runs.
    #[arg(long, hide = true)]
    pub stop_with_parent: bool,
    /// Folder with ROMs; else $ALE_ROMS_DIR, the user's cache, an installed ale_py, or a download.
    #[arg(long, value_name = "DIR", help_heading = "Environment")]
    pub roms: Option<PathBuf>,
    /// The authors' stochastic variant: sticky actions 0.3 and up to 60 no-ops.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", value_parser = boolean, help_heading = "Environment")]
    pub stochastic: Option<bool>,
    /// Number of threads of the environments; default: all cores.
    #[arg(long, value_name = "N", value_parser = whole_number::<usize>(1..=4096), help_heading = "Environment")]
    pub env_threads: Option<usize>,
    /// Agent steps between checkpoints; default: 102400, or as before when a run is continued.
    #[arg(long, value_name = "STEPS", value_parser = whole_number::<u64>(1..=Saving::LARGEST), help_heading = "Saving")]
    pub save_every: Option<u64>,
    /// Number of newest checkpoints to keep, besides the best; at least 1; default: 3, or as before when a run is
    /// continued.
    #[arg(long, value_name = "N", value_parser = whole_number::<u64>(1..=1000), help_heading = "Saving")]
    pub keep_checkpoints: Option<u64>,
    /// The maze, with `--env maze` or `--env MazeCartridge`.
    #[command(flatten)]
    pub maze: MazeOverrides,
    /// Rules of the games.
    #[command(flatten)]
    pub atari: AtariOverrides,
    /// Hyper-parameters.
    #[command(flatten)]
    pub hyper: ConfigOverrides,
}

impl TrainArgs {
    /// Whether the user gave a field that belongs to only one kind of world.
    #[must_use]
    pub fn gives(&self, field: &str) -> bool {
        match field {
            "stochastic" => self.stochastic.is_some(),
            "roms" => self.roms.is_some(),
            "env_threads" => self.env_threads.is_some(),
            _ => self.maze.given().chain(self.atari.given()).any(|given| given == field),
        }
    }

    /// How the run is saved, which `before` says for a run that is continued.
    #[must_use]
    pub fn saving(&self, before: Option<Saving>) -> Saving {
        let before = before.unwrap_or(Saving::DEFAULT);
        Saving {
            every: self.save_every.unwrap_or(before.every),
            keep: self.keep_checkpoints.unwrap_or(before.keep),
        }
    }
}
