//! Flags of `evaluate`, and those that `play` has as well.

use std::path::PathBuf;

use clap::Args;
use deepspi_options::flags::whole_number;

use crate::device::DeviceChoice;
use crate::worlds::EpisodeRules;

/// Flags of `evaluate`.
#[derive(Clone, Debug, Args)]
pub struct EvaluateArgs {
    /// Agent and rules.
    #[command(flatten)]
    pub how: HowArgs,
    /// Whole games to play.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = whole_number::<u64>(1..=100_000))]
    pub episodes: u64,
    /// Folder for evaluation.json and evaluation.csv; default: the run folder. Files there are
    /// replaced if they are an evaluation with the same settings of the same agent, trained as long
    /// or shorter; all others only with --overwrite.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Flags of `evaluate` and `play`.
#[derive(Clone, Debug, Args)]
pub struct HowArgs {
    /// Run folder, whose newest intact checkpoint plays; or the folder of one checkpoint, such as
    /// RUN/checkpoints/step_000001024000 (RUN/checkpoints/best.json names the best).
    #[arg(value_name = "RUN|CHECKPOINT")]
    pub path: PathBuf,
    /// Rules of Atari games.
    #[command(flatten)]
    pub games: GameArgs,
    /// Take the most probable action instead of drawing from the policy.
    #[arg(long)]
    pub greedy: bool,
    /// Seed of all games and of the draws from the policy; the games of one seed are the same for
    /// every agent. They are never the games of training, whatever its seed was.
    #[arg(long, default_value_t = 1, value_parser = whole_number::<u64>(0..=u64::MAX))]
    pub seed: u64,
    /// Device for the networks: auto, gpu, gpu:NAME, gpu:NUMBER or cpu. Numbers differ in the last digits
    /// between devices, so the games can differ as well.
    #[arg(long, default_value = "auto")]
    pub device: DeviceChoice,
    /// Replace files that exist already.
    #[arg(long)]
    pub overwrite: bool,
}

/// Flags that only Atari games have.
#[derive(Clone, Debug, Default, Args)]
pub struct GameArgs {
    /// Sticky actions 0.3 and up to 60 no-ops; default: as the run was trained.
    /// `--stochastic=false` turns both off for an agent that was trained with them.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub stochastic: Option<bool>,
    /// After each lost life, continue as training does: some no-ops, then FIRE if the game has it.
    /// Without this flag nothing presses FIRE for the agent, and an agent that never learned to
    /// press it may wait for ever.
    #[arg(long)]
    pub training_resets: bool,
    /// Folder with ROMs; else $ALE_ROMS_DIR, the user's cache, an installed ale_py, or a download.
    #[arg(long, value_name = "DIR")]
    pub roms: Option<PathBuf>,
}

impl GameArgs {
    /// The rules that these flags choose.
    #[must_use]
    pub fn rules(&self) -> EpisodeRules {
        let Self { stochastic, training_resets, roms } = self.clone();
        EpisodeRules { stochastic, training_resets, roms }
    }
}
