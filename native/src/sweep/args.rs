//! Flags of `bench` and its subcommands.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use deepspi_options::flags::{boolean, whole_number};
use deepspi_run::config::{Algorithm, ConfigOverrides};
use deepspi_run::run_files::Saving;
use deepspi_worlds::atari::AtariOverrides;

use crate::device::DeviceChoice;

/// Flags of `bench`.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
// A sweep has `--algos` and `--seeds` instead. The singular flags are still accepted, so that the
// error can say so.
#[command(mut_arg("algo", |arg| arg.hide(true)), mut_arg("seed", |arg| arg.hide(true)))]
pub struct BenchArgs {
    /// What to do instead of training.
    #[command(subcommand)]
    pub command: Option<BenchCommand>,
    /// Games: ale57, ale26 (Atari 100k), smoke (a test of the installation), or a file: one game
    /// per line, or TOML with `games`, `seeds` and a table `config`.
    #[arg(long, value_name = "SUITE", help_heading = "Sweep")]
    pub suite: Option<String>,
    /// Algorithms to compare.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "ALGOS",
        default_value = Algorithm::NAMES,
        help_heading = "Sweep"
    )]
    pub algos: Vec<Algorithm>,
    /// Number of seeds; every game and algorithm is trained with seeds 1 to N; default: as in the
    /// suite.
    #[arg(long, value_name = "N", value_parser = whole_number::<u64>(0..=10_000), help_heading = "Sweep")]
    pub seeds: Option<u64>,
    /// The authors' stochastic variant: sticky actions 0.3 and up to 60 no-ops.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", value_parser = boolean, help_heading = "Sweep")]
    pub stochastic: Option<bool>,
    /// TOML file with hyper-parameters for all runs, and in a table `run` the rules of the games; flags on the command
    /// line win over it.
    #[arg(long, value_name = "FILE", help_heading = "Sweep")]
    pub config: Option<PathBuf>,
    /// Folder of the sweep; default: `bench/` followed by the name of the suite.
    #[arg(long, value_name = "DIR", help_heading = "Sweep")]
    pub out: Option<PathBuf>,
    /// Print the plan and the time and disk space that it needs, and exit.
    #[arg(long, conflicts_with = "overwrite", help_heading = "Sweep")]
    pub dry_run: bool,
    /// Delete the sweep in the folder and begin a new one.
    #[arg(long, help_heading = "Sweep")]
    pub overwrite: bool,
    /// Runs at a time; default: one per core on the CPU, one on a GPU, no limit with Slurm.
    #[arg(long, value_name = "N", value_parser = whole_number::<u64>(1..=10_000), help_heading = "Processes")]
    pub jobs: Option<u64>,
    /// What starts the runs: this process, or Slurm as job arrays.
    #[arg(long, value_enum, default_value = "local", help_heading = "Processes")]
    pub launcher: Launcher,
    /// Further arguments for `sbatch`, in one string: "--partition=gpu --gres=gpu:1 --time=2-0".
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true, help_heading = "Processes")]
    pub slurm_args: Option<String>,
    /// Options of every run.
    #[command(flatten)]
    pub options: RunOptions,
    /// Rules of the games.
    #[command(flatten)]
    pub atari: AtariOverrides,
    /// Hyper-parameters.
    #[command(flatten)]
    pub hyper: ConfigOverrides,
}

/// What starts the runs of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Launcher {
    /// Processes on this machine.
    Local,
    /// Job arrays of Slurm.
    Slurm,
}

/// Options that a sweep passes on to its runs, besides game, algorithm, seed and hyper-parameters.
#[derive(Clone, Debug, Args)]
pub struct RunOptions {
    /// Device to train on: auto, gpu, gpu:NAME, gpu:NUMBER or cpu.
    #[arg(long, default_value = "auto", help_heading = "Processes")]
    pub device: DeviceChoice,
    /// Folder with ROMs; else $ALE_ROMS_DIR, the user's cache, an installed ale_py, or a download.
    #[arg(long, value_name = "DIR", help_heading = "Processes")]
    pub roms: Option<PathBuf>,
    /// Number of threads of a run's environments; default: its share of the cores.
    #[arg(long, value_name = "N", value_parser = whole_number::<usize>(1..=4096), help_heading = "Processes")]
    pub env_threads: Option<usize>,
    /// Agent steps between checkpoints; default: 102400, or a tenth of a run if that is less.
    #[arg(long, value_name = "STEPS", value_parser = whole_number::<u64>(1..=Saving::LARGEST), help_heading = "Processes")]
    pub save_every: Option<u64>,
    /// Number of newest checkpoints of a run to keep, besides the best; at least 1; default: 2. Runs that have begun keep
    /// to what they were given.
    #[arg(long, value_name = "N", value_parser = whole_number::<u64>(1..=1000), help_heading = "Processes")]
    pub keep_checkpoints: Option<u64>,
}

impl RunOptions {
    /// The same options as command-line arguments.
    #[must_use]
    pub fn arguments(&self) -> Vec<OsString> {
        let mut all: Vec<OsString> = vec!["--device".into(), self.device.to_string().into()];
        if let Some(roms) = &self.roms {
            all.extend(["--roms".into(), roms.into()]);
        }
        let numbers = [
            ("--env-threads", self.env_threads.map(|n| n as u64)),
            ("--save-every", self.save_every),
            ("--keep-checkpoints", self.keep_checkpoints),
        ];
        for (flag, number) in numbers {
            if let Some(number) = number {
                all.extend([flag.into(), number.to_string().into()]);
            }
        }
        all
    }
}

/// Subcommands of `bench`.
#[derive(Clone, Debug, Subcommand)]
pub enum BenchCommand {
    /// Show the progress of a sweep, from its folder alone; works while it runs, and on another
    /// machine.
    Status {
        /// Folder of the sweep; default: the one in `bench`.
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Train one run of a sweep, as a task of a job array does.
    #[command(hide = true)]
    Task {
        /// Folder of the sweep.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// Name of the run, which is also the name of its folder.
        #[arg(value_name = "RUN")]
        name: String,
        /// Options of the run.
        #[command(flatten)]
        options: RunOptions,
    },
}
