//! Plays the episodes of an evaluation, many at a time.
//!
//! Every episode has its own environment and its own random generator. When one ends, the next
//! takes its place in the batch, and all are played to their end: counting the first N that finish
//! would favour short ones. The batch affects only the speed, and the results up to the rounding of
//! the device's sums.

use std::time::Instant;

use anyhow::Result;
use deepspi_worlds::rng::{Stream, stream};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::agent::Agent;
use super::files::Protocol;
use super::summary::Episode;
use crate::terminal::CountBar;
use crate::worlds::{self, End, Episodes, episode_seeds};

/// Games at a time: enough to keep emulators and networks busy, and few enough for any memory.
const AT_A_TIME: usize = 64;

/// An episode that is being played.
struct Running {
    episode: u64,
    seed: u64,
    game: Box<dyn worlds::Episode>,
    /// Random generator for the draws from the policy.
    actions: ChaCha8Rng,
    score: f64,
    length: u64,
}

impl Running {
    /// `used`: a game that has ended and whose place this one takes.
    fn start(
        games: &dyn Episodes,
        (episode, seed): (u64, u64),
        used: Option<Box<dyn worlds::Episode>>,
    ) -> Result<Self> {
        let game = match used {
            Some(used) => used.again(seed)?,
            None => games.start(seed)?,
        };
        let actions = stream(seed, Stream::Actions);
        Ok(Self { episode, seed, game, actions, score: 0.0, length: 0 })
    }

    fn step(&mut self, action: u32) -> Result<Option<End>> {
        let (reward, end) = self.game.step(action)?;
        self.score += reward;
        self.length += 1;
        Ok(end)
    }

    fn finish(&self, ended: End, games: &dyn Episodes) -> Episode {
        Episode {
            episode: self.episode,
            seed: self.seed,
            score: self.score,
            length: self.length,
            frames: self.length * games.frame_skip(),
            ended,
        }
    }
}

/// Plays all episodes of the protocol and returns them in the order of their numbers.
///
/// # Errors
/// If an environment or the device fails.
pub fn play(
    agent: &Agent,
    games: &dyn Episodes,
    protocol: &Protocol,
    progress: &CountBar,
) -> Result<Vec<Episode>> {
    let mut waiting = (0..protocol.episodes).zip(episode_seeds(protocol.seed));
    let mut running: Vec<Running> = Vec::new();
    let mut used = Vec::new();
    let mut finished = Vec::new();
    let (start, mut steps) = (Instant::now(), 0);
    loop {
        let next = waiting.by_ref().take(AT_A_TIME - running.len());
        let next: Vec<_> = next.map(|one| (one, used.pop())).collect();
        let started: Vec<Running> = next
            .into_par_iter()
            .map(|(one, used)| Running::start(games, one, used))
            .collect::<Result<_>>()?;
        running.extend(started);
        if running.is_empty() {
            break;
        }
        let actions = act(agent, &mut running, protocol.greedy)?;
        let ends: Vec<Option<End>> = running
            .par_iter_mut()
            .zip(actions)
            .map(|(one, action)| one.step(action))
            .collect::<Result<_>>()?;
        steps += running.len();
        let before = finished.len();
        let ended = running.iter().zip(&ends).filter_map(|(one, end)| Some((one, (*end)?)));
        finished.extend(ended.map(|(one, end)| one.finish(end, games)));
        let mut ends = ends.into_iter();
        let over = running.extract_if(.., |_| ends.next().flatten().is_some());
        used.extend(over.map(|one| one.game));
        let rate = steps as f64 / start.elapsed().as_secs_f64().max(1e-9);
        let more = (finished.len() - before) as u64;
        progress.advance(more, format!("{steps} steps, {rate:.0} a second"));
    }
    finished.sort_by_key(|one| one.episode);
    Ok(finished)
}

/// One action for each running episode.
fn act(agent: &Agent, running: &mut [Running], greedy: bool) -> Result<Vec<u32>> {
    let pixels: Vec<&[u8]> = running.iter().map(|one| one.game.observation()).collect();
    let decision = agent.decide(&pixels)?;
    let actions = agent.spec.actions;
    if greedy {
        return Ok(decision.greedy(actions));
    }
    let one = |(row, one): (usize, &mut Running)| {
        decision.select(&[row]).sample(actions, &mut one.actions)
    };
    Ok(running.iter_mut().enumerate().flat_map(one).collect())
}
