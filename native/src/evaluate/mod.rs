//! `native evaluate`: measures how well a trained agent plays.
//!
//! The protocol differs from that of training, and neither replaces the other. Training scores come
//! from the games that the agent learned from, while it changed. An evaluation plays separate games
//! from beginning to end with an agent that no longer changes. What must not be broken:
//! - The episodes that count are fixed before the first is played, so none is left out for being
//!   long.
//! - An episode is a function of agent and seed. It depends neither on the number of episodes
//!   played beside it nor on threads.
//! - No file is written before all results are known, and each file is written whole or not at all.

pub mod agent;
pub mod args;
mod episodes;
mod files;
mod summary;

use agent::Agent;
use anyhow::{Context, Result};
pub use args::EvaluateArgs;
pub use files::{Evaluation, Protocol};
pub use summary::{Episode, Summary};

use crate::terminal::{CountBar, say};
use crate::whole_file::require_writable;

/// Runs `native evaluate`.
///
/// # Errors
/// Bad input, or a failure of disk, device or emulator; no file is then written.
pub fn run(args: &EvaluateArgs) -> Result<()> {
    let agent = Agent::load(&args.how.path, &args.how.device)?;
    let games = agent.world.episodes(agent.config.gamma, &args.how.games.rules())?;
    let protocol = Protocol {
        episodes: args.episodes,
        seed: args.how.seed,
        greedy: args.how.greedy,
        stochastic: games.stochastic(),
        training_resets: args.how.games.training_resets,
        rules: games.rules(),
    };
    let folder = args.out.as_deref().unwrap_or(&agent.run);
    files::check(folder, &agent, &protocol, args.how.overwrite)?;
    require_writable(folder).context("choose a place for the results with --out DIR")?;

    let progress = CountBar::new(agent.world.name(), "episodes", protocol.episodes);
    let episodes = episodes::play(&agent, &*games, &protocol, &progress);
    progress.finish();
    let episodes = episodes?;
    let evaluation = Evaluation::new(&agent, protocol, &episodes)?;
    let written = evaluation.write(folder, &episodes);
    // Hours of games must not be lost because the disk is full now.
    say!("{}", evaluation.table().trim_end());
    let remedy = "the results above are not kept; free some space, or repeat this with --out DIR";
    for path in written.context(remedy)? {
        say!("wrote {}", path.display());
    }
    Ok(())
}
