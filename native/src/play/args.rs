//! Flags of `play`.

use std::path::PathBuf;

use clap::Args;
use deepspi_options::flags::whole_number;

use crate::evaluate::args::HowArgs;

/// Flags of `play`.
#[derive(Clone, Debug, Args)]
pub struct PlayArgs {
    /// Agent and rules.
    #[command(flatten)]
    pub how: HowArgs,
    /// Film to write: FILE.gif, FILE.mp4 (needs ffmpeg), or a folder for one PNG per step, such as
    /// frames/.
    #[arg(long, value_name = "FILE", required_unless_present = "dream")]
    pub record: Option<PathBuf>,
    /// Instead of a film: look into the world model. Every H steps, imagine the next H from where the
    /// agent stands, and print them beside what really happens.
    #[arg(long, value_name = "H", num_args = 0..=1, default_missing_value = "8", conflicts_with = "record", value_parser = whole_number::<u64>(1..=256))]
    pub dream: Option<u64>,
    /// New file for all imagined steps, one JSON object per line.
    #[arg(long, value_name = "FILE", requires = "dream")]
    pub dream_file: Option<PathBuf>,
    /// Number of whole games to record: the first games of `evaluate` with the same seed.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole_number::<u64>(1..=100))]
    pub episodes: u64,
    /// Stop each game after this many agent steps; a second of film shows 15 steps, and 1,000 steps
    /// need 65 MB of memory.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = whole_number::<u64>(1..=27_000))]
    pub max_steps: u64,
}
