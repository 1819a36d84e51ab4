//! `native play --dream`: imagined steps beside what really happens in the agent's games.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use deepspi_core::dreamer::{RealSteps, SeenLatents, latents_of, look_ahead};
use deepspi_run::dreaming::{LookedAhead, mean_errors};
use deepspi_worlds::rng::{Stream, stream};
use serde_json::json;

use super::PlayArgs;
use crate::evaluate::agent::Agent;
use crate::terminal::say;
use crate::worlds::{Episodes, episode_seeds};

/// Latents among which the nearest is found; the first ones of all games.
const SEEN: usize = 4_000;
/// Imagined rollouts that are printed step by step.
const PRINTED: usize = 3;

/// Plays games and imagines `horizon` steps, again and again from where the agent stands.
///
/// # Errors
/// If the agent has no world model or cannot judge imagined latents; failures of disk, device or
/// emulator.
pub(super) fn run(args: &PlayArgs, horizon: usize) -> Result<()> {
    let agent = Agent::load(&args.how.path, &args.how.device)?;
    ensure!(
        agent.config.uses_world_model(),
        "{} has no world model that was trained, so there is nothing to imagine; take a run of deep-spi, \
         deep-mdp or dream-spi",
        agent.title()
    );
    ensure!(
        agent.config.can_imagine(),
        "the critic of {} has an encoder of its own and cannot judge imagined latents",
        agent.title()
    );
    let games = agent.world.episodes(agent.config.gamma, &args.how.games.rules())?;
    say!("{}, {}", agent.title(), games.rules());
    let mut file = args.dream_file.as_deref().map(Lines::create).transpose()?;
    let (mut seen, mut all) = (SeenLatents::new(SEEN), Vec::new());
    for (episode, seed) in (1..=args.episodes).zip(episode_seeds(args.how.seed)) {
        let windows = play(&agent, &*games, seed, horizon, args, &mut seen)?;
        for (start, looked) in windows {
            if all.len() < PRINTED {
                say!("\ngame {episode}, from step {start}:");
                print_steps(&looked);
            }
            if let Some(file) = &mut file {
                file.write(&json!({ "game": episode, "step": start, "steps": looked.steps }));
            }
            all.push(looked);
        }
    }
    let written = file.map_or(Ok(()), Lines::finish);
    print_means(&all, seen.len());
    written
}

/// One game; the imagined rollouts with the steps from which they start.
fn play(
    agent: &Agent,
    games: &dyn Episodes,
    seed: u64,
    horizon: usize,
    args: &PlayArgs,
    seen: &mut SeenLatents,
) -> Result<Vec<(u64, LookedAhead)>> {
    let mut game = games.start(seed)?;
    let mut draws = stream(seed, Stream::Actions);
    let mut noise = stream(seed, Stream::Noise);
    let (actions, device) = (agent.spec.actions, &agent.device.device);
    let mut windows = Vec::new();
    let (mut step, mut is_over) = (0, false);
    while step < args.max_steps && !is_over {
        let mut frames = vec![game.observation().to_vec()];
        let (mut taken, mut rewards) = (Vec::new(), Vec::new());
        while taken.len() < horizon && step + (taken.len() as u64) < args.max_steps && !is_over {
            let decision = agent.decide(&[game.observation()])?;
            let chosen = if args.how.greedy {
                decision.greedy(actions)
            } else {
                decision.sample(actions, &mut draws)
            };
            let action = chosen.first().copied().context("no action was chosen")?;
            let (reward, end) = game.step(action)?;
            is_over = end.is_some();
            taken.push(action);
            rewards.push(games.learned_reward(reward));
            frames.push(game.observation().to_vec());
        }
        let pixels: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
        let latents =
            pollster::block_on(latents_of(&agent.model, agent.spec.frame, &pixels, device))?;
        // The last observation is the first of the next window.
        let kept = if is_over { pixels.len() } else { pixels.len() - 1 };
        for latent in latents.chunks(latents.len() / pixels.len()).take(kept) {
            seen.push(latent);
        }
        let real =
            RealSteps { observations: pixels, actions: &taken, rewards: &rewards, ended: is_over };
        let (frame, gamma) = (agent.spec.frame, agent.config.gamma);
        let looked = look_ahead(&agent.model, frame, &real, seen, gamma, &mut noise, device);
        windows.push((step, pollster::block_on(looked)?));
        step += taken.len() as u64;
    }
    Ok(windows)
}

fn print_steps(looked: &LookedAhead) {
    say!(
        "{:>4} {:>6} {:>17} {:>17} {:>9} {:>9} {:>17} {:>9}",
        "step",
        "action",
        "reward dream/real",
        "V dream/real",
        "goes on",
        "distance",
        "nearest frame",
        "bound"
    );
    for (index, step) in looked.steps.iter().enumerate() {
        let nearest = step.nearest.map_or_else(
            || "-".to_owned(),
            |(frame, distance)| format!("{frame} at {distance:.2}"),
        );
        say!(
            "{:>4} {:>6} {:>8.3} {:>8.3} {:>8.3} {:>8.3} {:>9.3} {:>9.3} {nearest:>17} {:>9.2}",
            index + 1,
            step.action,
            step.imagined_reward,
            step.reward,
            step.imagined_value,
            step.value,
            step.continuation,
            step.distance,
            step.bound
        );
    }
}

fn print_means(all: &[LookedAhead], seen: usize) {
    say!(
        "\nmean errors over {} imagined rollouts; nearest frames are among {seen} of these games. The bound \
         is the sum of Theorem 2, which holds only for certified runs.",
        all.len()
    );
    say!(
        "{:>5} {:>8} {:>9} {:>9} {:>9} {:>10}",
        "steps",
        "rollouts",
        "reward",
        "V",
        "distance",
        "bound"
    );
    for (index, means) in mean_errors(all).iter().enumerate() {
        say!(
            "{:>5} {:>8} {:>9.4} {:>9.4} {:>9.3} {:>10.2}",
            index + 1,
            means.count,
            means.reward,
            means.value,
            means.distance,
            means.bound
        );
    }
}

/// A file with one JSON object per line. A failure is reported at the end: the games go on, because their means are
/// printed.
struct Lines {
    writer: BufWriter<File>,
    path: PathBuf,
    failed: Option<io::Error>,
}

impl Lines {
    fn create(path: &Path) -> Result<Self> {
        let file = File::create_new(path).with_context(|| {
            format!("cannot create {}; choose a new file with --dream-file", path.display())
        })?;
        Ok(Self { writer: BufWriter::new(file), path: path.to_owned(), failed: None })
    }

    fn write(&mut self, line: &serde_json::Value) {
        if self.failed.is_none() {
            self.failed = writeln!(self.writer, "{line}").err();
        }
    }

    /// An incomplete file is removed, so that the same command can be repeated.
    fn finish(mut self) -> Result<()> {
        let written = self.failed.take().map_or_else(|| self.writer.flush(), Err);
        if let Err(error) = written {
            // The error to report is the one from writing.
            drop(fs::remove_file(&self.path));
            let path = self.path.display();
            return Err(error).with_context(|| {
                format!("cannot write {path}, which was removed; free some space, or choose another place with --dream-file")
            });
        }
        say!("wrote {}", self.path.display());
        Ok(())
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_reported_at_the_end() {
        let path = PathBuf::from("/dev/full");
        let file = File::options().write(true).open(&path).expect("Linux has it");
        // Not the device, which must not be removed.
        let path = PathBuf::from("/dev/full/steps.jsonl");
        let mut lines = Lines { writer: BufWriter::with_capacity(1, file), path, failed: None };
        for step in 0..3 {
            lines.write(&json!({ "step": step }));
        }
        let error = format!("{:#}", lines.finish().expect_err("full"));
        assert!(error.contains("steps.jsonl") && error.contains("--dream-file"), "{error}");
        assert!(error.contains("No space left"), "{error}");
    }
}
