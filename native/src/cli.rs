//! Command line: subcommands, flags and exit codes.

use std::path::PathBuf;

use anyhow::Result;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use deepspi_core::config::Config;
use deepspi_core::maze::{MazeConfig, MazePreset, MazeReset};

use crate::device::DeviceChoice;
use crate::evaluation::{EvaluateArgs, PlayArgs};
use crate::figures::{Sweep, Which};

/// A check found a difference.
pub const EXIT_MISMATCH: u8 = 1;
/// Bad input, a missing file, an unusable device: the message says what to do.
pub const EXIT_BAD_INPUT: u8 = 2;
/// A loss or a parameter became NaN or infinite.
pub const EXIT_NOT_FINITE: u8 = 3;

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
    /// Continue a run folder; only `--total-timesteps`, device, folders and saving may be changed.
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
    /// Folder with ROMs; else $ALE_ROMS_DIR, an installed ale_py, or the user's cache.
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

/// Flags of `report`.
#[derive(Clone, Debug, Args)]
pub struct ReportArgs {
    /// Folder of the sweep, as `native bench` made it.
    #[arg(value_name = "SWEEP")]
    pub sweep: PathBuf,
    /// Folder for the report; default: `report` in the folder of the sweep. A report on the same sweep
    /// is replaced, anything else only with --overwrite.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Published scores to set beside, in the format of CleanRL's result table (CSV).
    #[arg(long, value_name = "FILE")]
    pub baselines: Option<PathBuf>,
    /// Replace files that no report on this sweep wrote.
    #[arg(long)]
    pub overwrite: bool,
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
    /// Folder with ROMs; else $ALE_ROMS_DIR, an installed ale_py, or the user's cache.
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
