//! Flags of `play`.

use std::path::PathBuf;

use clap::Args;

use crate::evaluate::args::HowArgs;

/// Flags of `play`.
#[derive(Clone, Debug, Args)]
pub struct PlayArgs {
    /// Agent and rules.
    #[command(flatten)]
    pub how: HowArgs,
    /// Film to write: FILE.gif, FILE.mp4 (needs ffmpeg), or a folder for one PNG per step, such as
    /// frames/.
    #[arg(long, value_name = "FILE")]
    pub record: PathBuf,
    /// Number of whole games to record: the first games of `evaluate` with the same seed.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub episodes: u64,
    /// Stop each game after this many agent steps; a second of film shows 15 steps, and 1,000 steps
    /// need 65 MB of memory.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=27_000))]
    pub max_steps: u64,
}
