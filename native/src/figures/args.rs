//! Flags of `figures`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use deepspi_options::flags::whole_number;
use deepspi_worlds::maze::{MazePreset, MazeReset};

use super::maze_sweep::SweptQuantity;
use crate::device::DeviceChoice;

/// Flags of `figures`.
#[derive(Clone, Debug, Args)]
pub struct FiguresArgs {
    /// Figure to make.
    #[arg(value_enum, value_name = "FIGURE")]
    pub figure: FigureName,
    /// With `maze`: plot final values as a function of this quantity.
    #[arg(long, value_enum)]
    pub sweep: Option<SweptQuantity>,
    /// Number of seeds; every run is trained with seeds 1 to N.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = whole_number::<u64>(1..=10_000))]
    pub seeds: u64,
    /// Folder for the figures. Finished runs are kept in it, so the same command continues.
    #[arg(long, value_name = "DIR", default_value = "figures")]
    pub out: PathBuf,
    /// Size of frames and networks; default: small on the CPU, paper on a GPU.
    #[arg(long, value_enum)]
    pub preset: Option<MazePreset>,
    /// Device to train on: auto, gpu, gpu:NAME, gpu:NUMBER or cpu.
    #[arg(long, default_value = "auto")]
    pub device: DeviceChoice,
    /// Runs at a time; default: one per core on the CPU, one on a GPU.
    #[arg(long, value_name = "N", value_parser = whole_number::<usize>(1..=10_000))]
    pub jobs: Option<usize>,
    /// TOML file with hyper-parameters that replace those of the preset; the figure sets seed and
    /// algorithm.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Iterations of every run; default: as in the preset.
    #[arg(long, value_name = "N", value_parser = whole_number::<u64>(1..=1_000_000))]
    pub iterations: Option<u64>,
    /// Length of the corridors; default: as in the experiment.
    #[arg(long, value_name = "N", value_parser = whole_number::<usize>(0..=10_000))]
    pub n_path: Option<usize>,
    /// Probability of the lower corridor; default: as in the experiment.
    #[arg(long, value_name = "P")]
    pub epsilon: Option<f64>,
    /// How well the corridors can be told apart, 0 to 1; default: as in the experiment.
    #[arg(long, value_name = "X")]
    pub cue: Option<f64>,
    /// What the last step of an episode returns; default: the terminal frame.
    #[arg(long, value_enum)]
    pub maze_reset: Option<MazeReset>,
}

/// A figure by its name on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FigureName {
    /// V(s_I) and distance of the critical cells over training; with --sweep, their final values.
    Maze,
    /// Whether each method separates the critical cells, as a function of cue, epsilon and corridor
    /// length.
    Phase,
    /// Importance ratios over training, compared with 1 +- eps and 1/gamma.
    Sir,
    /// Exact safe policy iteration, and the bound of Theorem 2 beside the gap that it bounds.
    Theory,
    /// The out-of-trajectory example.
    Oot,
    /// Principal components of the latents, early and late.
    Latents,
    /// A run that keeps the ratio premise of Theorem 3, beside a run that does not.
    Certified,
    /// DreamSPI in its forms beside DeepSPI and PPO, and the error of its world model by horizon.
    Dream,
    /// All figures, with all sweeps.
    All,
}
