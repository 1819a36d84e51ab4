//! Command line: subcommands, flags and exit codes.

use std::path::PathBuf;

use anyhow::Result;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use deepspi_run::config::{Algorithm, Config};
use deepspi_worlds::atari::AtariTraining;
use deepspi_worlds::maze::{MazeConfig, MazePreset, MazeReset};

use crate::device::DeviceChoice;
use crate::evaluation::{EvaluateArgs, PlayArgs};
use crate::figures::{Sweep, Which};
use crate::report::ReportArgs;

/// A check found a difference.
pub const EXIT_MISMATCH: u8 = 1;
/// Bad input, a missing file, an unusable device: the message says what to do.
pub const EXIT_BAD_INPUT: u8 = 2;
/// A loss or a parameter became NaN or infinite.
pub const EXIT_NOT_FINITE: u8 = 3;
/// A sweep ended before all its runs did: some failed, or it was stopped.
pub const EXIT_UNFINISHED: u8 = 1;
/// Another process trains the run folder.
pub const EXIT_BUSY: u8 = 4;

/// Trains DeepSPI agents on Atari games and the maze, draws the figures of the theory, and checks and
/// measures this implementation.
///
/// Without a subcommand it trains: `native --env Breakout` is `native train --env Breakout`.
#[derive(Debug, Parser)]
#[command(name = "native", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Training is the default.
    #[command(flatten)]
    pub train: TrainArgs,
}

/// Subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train an agent (the default).
    Train(TrainArgs),
    /// Compare this implementation with golden files of the authors', number by number.
    Parity(ParityArgs),
    /// Measure environments, policy, updates and the whole loop.
    Speed(SpeedArgs),
    /// Draw the figures of the maze experiment and of the theory; trains what they need.
    Figures(FiguresArgs),
    /// Train all runs of a comparison: games x algorithms x seeds. The same command continues.
    Bench(BenchArgs),
    /// Draw the learning curve of a run as SVG, with the numbers as CSV beside it.
    Curve(CurveArgs),
    /// Make the report of a sweep: one page, its figures, and all numbers as CSV and JSON.
    Report(ReportArgs),
    /// Play whole games with a trained agent, on environments of their own: scores with intervals.
    Evaluate(EvaluateArgs),
    /// Record a trained agent as a film: the game, what the agent sees, and what it thinks of it.
    Play(PlayArgs),
}

/// Flags of `train`.
#[derive(Clone, Debug, Args)]
pub struct TrainArgs {
    /// Atari game as CleanRL writes it, for example Breakout or MsPacman; or `maze`.
    #[arg(long, value_name = "ENV", help_heading = "Run")]
    pub env: Option<String>,
    /// Continue a run folder; only `--total-timesteps`, device, ROM folder, threads and saving may be
    /// changed.
    #[arg(
        long,
        value_name = "RUN",
        conflicts_with_all = ["env", "config", "stochastic"],
        help_heading = "Run"
    )]
    pub resume: Option<PathBuf>,
    /// TOML file with hyper-parameters; flags on the command line win over it.
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    pub config: Option<PathBuf>,
    /// Print the resolved configuration as TOML and exit.
    #[arg(long, help_heading = "Run")]
    pub print_config: bool,
    /// Where tensors live: auto (a real GPU, else the CPU), gpu, gpu:NAME (an adapter whose name
    /// contains NAME; the only way to a software rasteriser) or cpu.
    #[arg(long, default_value = "auto", help_heading = "Run")]
    pub device: DeviceChoice,
    /// Folder that holds the run folders.
    #[arg(long, value_name = "DIR", default_value = "runs", help_heading = "Run")]
    pub runs_dir: PathBuf,
    /// The folder of this run itself: begun if it holds no run, continued if it holds this one; a
    /// finished run ends at once, another one is refused. The same command can be given again.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["resume", "runs_dir"], help_heading = "Run")]
    pub run_dir: Option<PathBuf>,
    /// Stop when standard input ends; `native bench` keeps it open for as long as it lives.
    #[arg(long, hide = true)]
    pub stop_with_parent: bool,
    /// Folder with ROMs; else $ALE_ROMS_DIR, the user's cache, an installed ale_py, or a download.
    #[arg(long, value_name = "DIR", help_heading = "Environment")]
    pub roms: Option<PathBuf>,
    /// The authors' stochastic variant: sticky actions 0.3 and up to 60 no-ops.
    #[arg(long, help_heading = "Environment")]
    pub stochastic: bool,
    /// Threads of the environments; default: all cores.
    #[arg(long, value_name = "N", help_heading = "Environment")]
    pub env_threads: Option<usize>,
    /// Agent steps between checkpoints.
    #[arg(long, value_name = "STEPS", default_value_t = 102_400, help_heading = "Saving")]
    pub save_every: u64,
    /// Newest checkpoints to keep, besides the best; at least 1.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=1000), help_heading = "Saving")]
    pub keep_checkpoints: u64,
    /// How games are played.
    #[command(flatten)]
    pub atari: AtariTraining,
    /// The maze, with `--env maze`.
    #[command(flatten)]
    pub maze: MazeConfig,
    /// Hyper-parameters.
    #[command(flatten)]
    pub hyper: Config,
}

/// Flags of `parity`.
#[derive(Clone, Debug, Args)]
pub struct ParityArgs {
    /// Golden files (JSON).
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Device to check: auto, gpu, gpu:NAME or cpu.
    #[arg(long, default_value = "cpu")]
    pub device: DeviceChoice,
}

/// Flags of `figures`.
#[derive(Clone, Debug, Args)]
pub struct FiguresArgs {
    /// Which figure.
    #[arg(value_enum, value_name = "FIGURE")]
    pub which: Which,
    /// With `maze`: end points as a function of this quantity.
    #[arg(long, value_enum)]
    pub sweep: Option<Sweep>,
    /// Seeds 1 to N of every run.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub seeds: u64,
    /// Folder for the figures; finished runs are kept in it, so that the same command continues.
    #[arg(long, value_name = "DIR", default_value = "figures")]
    pub out: PathBuf,
    /// Size of frames and networks; default: small on the CPU, paper on a GPU.
    #[arg(long, value_enum)]
    pub preset: Option<MazePreset>,
    /// Device to train on: auto, gpu, gpu:NAME or cpu.
    #[arg(long, default_value = "auto")]
    pub device: DeviceChoice,
    /// Runs at a time; default: one a core on the CPU, one on a GPU.
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// TOML file with hyper-parameters that replace the preset's; seed and algorithm are the figure's.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Iterations of every run; default: the preset's.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub iterations: Option<u64>,
    /// Length of the corridors; default: the experiment's.
    #[arg(long, value_name = "N")]
    pub n_path: Option<usize>,
    /// Probability of the lower corridor; default: the experiment's.
    #[arg(long, value_name = "P")]
    pub epsilon: Option<f64>,
    /// How well the corridors can be told apart, 0 to 1; default: the experiment's.
    #[arg(long, value_name = "X")]
    pub cue: Option<f64>,
    /// What an episode's last step returns; default: the terminal frame.
    #[arg(long, value_enum)]
    pub maze_reset: Option<MazeReset>,
}

/// Flags of `curve`.
#[derive(Clone, Debug, Args)]
pub struct CurveArgs {
    /// Run folder.
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// SVG file to write; the CSV gets the same name with another ending.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Agent steps per point: games that finished within them are averaged.
    #[arg(long, value_name = "STEPS", default_value_t = 20_480, value_parser = clap::value_parser!(u64).range(1..))]
    pub window: u64,
}

/// Flags of `bench`.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
// A sweep has several of both: `--algos` and `--seeds`. Still accepted, so that the refusal can say it.
#[command(mut_arg("algo", |arg| arg.hide(true)), mut_arg("seed", |arg| arg.hide(true)))]
pub struct BenchArgs {
    /// What to do instead of training.
    #[command(subcommand)]
    pub command: Option<BenchCommand>,
    /// Games: ale57, ale26 (Atari 100k), smoke (does everything work?), or a file: one game a line, or
    /// TOML with `games`, `seeds` and a table `config`.
    #[arg(long, value_name = "SUITE", help_heading = "Sweep")]
    pub suite: Option<String>,
    /// Algorithms to compare.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "ALGOS",
        default_value = "deep-spi,deep-mdp,ppo",
        help_heading = "Sweep"
    )]
    pub algos: Vec<Algorithm>,
    /// Seeds 1 to N of every game and algorithm; default: the suite's.
    #[arg(long, value_name = "N", help_heading = "Sweep")]
    pub seeds: Option<u64>,
    /// The authors' stochastic variant: sticky actions 0.3 and up to 60 no-ops.
    #[arg(long, help_heading = "Sweep")]
    pub stochastic: bool,
    /// TOML file with hyper-parameters for all runs; flags on the command line win over it.
    #[arg(long, value_name = "FILE", help_heading = "Sweep")]
    pub config: Option<PathBuf>,
    /// Folder of the sweep; default: `bench/` and the name of the suite.
    #[arg(long, value_name = "DIR", help_heading = "Sweep")]
    pub out: Option<PathBuf>,
    /// Print the plan, the time and the disk space it takes, and exit.
    #[arg(long, conflicts_with = "overwrite", help_heading = "Sweep")]
    pub dry_run: bool,
    /// Delete the sweep that the folder holds and begin anew.
    #[arg(long, help_heading = "Sweep")]
    pub overwrite: bool,
    /// Runs at a time; default: one a core on the CPU, one on a GPU, no limit with Slurm.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000), help_heading = "Processes")]
    pub jobs: Option<u64>,
    /// What starts the runs: this process, or Slurm, which gets them as job arrays.
    #[arg(long, value_enum, default_value = "local", help_heading = "Processes")]
    pub launcher: Launcher,
    /// Further arguments for `sbatch`, in one string: "--partition=gpu --gres=gpu:1 --time=2-0".
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true, help_heading = "Processes")]
    pub slurm_args: Option<String>,
    /// How every run is trained.
    #[command(flatten)]
    pub options: RunOptions,
    /// How games are played.
    #[command(flatten)]
    pub atari: AtariTraining,
    /// Hyper-parameters.
    #[command(flatten)]
    pub hyper: Config,
}

/// What starts the runs of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Launcher {
    /// Processes of this machine.
    Local,
    /// Job arrays of Slurm.
    Slurm,
}

/// What a sweep passes on to its runs besides what they are.
#[derive(Clone, Debug, Args)]
pub struct RunOptions {
    /// Device to train on: auto, gpu, gpu:NAME or cpu.
    #[arg(long, default_value = "auto", help_heading = "Processes")]
    pub device: DeviceChoice,
    /// Folder with ROMs; else $ALE_ROMS_DIR, the user's cache, an installed ale_py, or a download.
    #[arg(long, value_name = "DIR", help_heading = "Processes")]
    pub roms: Option<PathBuf>,
    /// Threads of a run's environments; default: its share of the cores.
    #[arg(long, value_name = "N", help_heading = "Processes")]
    pub env_threads: Option<usize>,
    /// Agent steps between checkpoints; default: 102400, or a tenth of a run if that is less.
    #[arg(long, value_name = "STEPS", help_heading = "Processes")]
    pub save_every: Option<u64>,
    /// Newest checkpoints of a run to keep, besides the best; at least 1.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=1000), help_heading = "Processes")]
    pub keep_checkpoints: u64,
}

/// Subcommands of `bench`.
#[derive(Clone, Debug, Subcommand)]
pub enum BenchCommand {
    /// How far a sweep is, from its folder alone; also while it runs, and on another machine.
    Status {
        /// Folder of the sweep; default: the one in `bench`.
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// One run of a sweep: what a task of a job array does.
    #[command(hide = true)]
    Task {
        /// Folder of the sweep.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// Name of the run, which is that of its folder.
        #[arg(value_name = "RUN")]
        name: String,
        /// How it is trained.
        #[command(flatten)]
        options: RunOptions,
    },
}

/// Flags of `speed`.
#[derive(Clone, Debug, Args)]
pub struct SpeedArgs {
    /// Device to measure: auto, gpu, gpu:NAME or cpu.
    #[arg(long, default_value = "auto")]
    pub device: DeviceChoice,
    /// Atari game.
    #[arg(long, value_name = "GAME", default_value = "Breakout")]
    pub env: String,
    /// Folder with ROMs; else $ALE_ROMS_DIR, the user's cache, an installed ale_py, or a download.
    #[arg(long, value_name = "DIR")]
    pub roms: Option<PathBuf>,
    /// Threads of the environments; default: all cores.
    #[arg(long, value_name = "N")]
    pub env_threads: Option<usize>,
    /// Repetitions; medians are reported.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub repeats: u64,
    /// Also run this many updates and report how resident memory grows.
    #[arg(long, value_name = "UPDATES")]
    pub memory_updates: Option<u64>,
    /// One JSON object instead of a table.
    #[arg(long)]
    pub json: bool,
    /// How games are played.
    #[command(flatten)]
    pub atari: AtariTraining,
    /// Hyper-parameters.
    #[command(flatten)]
    pub hyper: Config,
}

impl Cli {
    /// Parses the arguments of the process; prints help or errors and exits as clap does.
    #[must_use]
    pub fn matches() -> ArgMatches {
        Self::command().get_matches()
    }

    /// The typed form.
    ///
    /// # Errors
    /// Never after [`Self::matches`], which has judged the arguments already.
    pub fn from_matches(matches: &ArgMatches) -> Result<Self> {
        Ok(<Self as FromArgMatches>::from_arg_matches(matches)?)
    }

    /// The matches that hold the flags of `bench`.
    #[must_use]
    pub fn bench_matches(matches: &ArgMatches) -> &ArgMatches {
        matches.subcommand_matches("bench").unwrap_or(matches)
    }

    /// The matches that hold the training flags.
    #[must_use]
    pub fn train_matches(matches: &ArgMatches) -> &ArgMatches {
        matches.subcommand_matches("train").unwrap_or(matches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn training_is_the_default_command() {
        for arguments in [
            vec!["native", "--env", "Pong", "--clip-coef", "0.2"],
            vec!["native", "train", "--env", "Pong", "--clip-coef", "0.2"],
        ] {
            let matches = Cli::command().get_matches_from(arguments);
            let cli = Cli::from_matches(&matches).expect("valid");
            let args = match cli.command {
                Some(Command::Train(args)) => args,
                _ => cli.train,
            };
            assert_eq!(args.env.as_deref(), Some("Pong"));
            assert!((args.hyper.clip_coef - 0.2).abs() < 1e-6);
        }
    }
}
