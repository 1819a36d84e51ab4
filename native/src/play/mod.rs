//! `native play`: a film of an agent's game with its policy, values and losses, or a look into its world
//! model (`dream`).
//!
//! A game is first played and then drawn, because advantages, and with them U, depend on later
//! steps. The games are those of `native evaluate` with the same seed, so that scored games can be
//! filmed.

mod args;
mod dream;
mod film;
mod frame_rate;
mod gif_colours;
mod mp4;
mod picture;
mod recording;
mod svg;

use anyhow::{Result, bail};
pub use args::PlayArgs;
use film::{Film, Target};
use picture::Painter;
use rayon::prelude::*;
use recording::{Recording, points};

use crate::evaluate::agent::Agent;
use crate::terminal::{CountBar, note, say};
use crate::worlds::episode_seeds;

/// Pictures drawn at a time.
const AT_A_TIME: usize = 16;

/// Runs `native play`.
///
/// # Errors
/// Bad input, or a failure of disk, device, emulator or ffmpeg; no file is then written.
pub fn run(args: &PlayArgs) -> Result<()> {
    let record = match (&args.record, args.dream) {
        (_, Some(horizon)) => return dream::run(args, horizon as usize),
        (Some(record), None) => record,
        (None, None) => {
            bail!("give --record FILE for a film, or --dream to look into the world model")
        }
    };
    let target = Target::new(record, args.how.overwrite)?;
    let agent = Agent::load(&args.how.path, &args.how.device)?;
    let games = agent.world.episodes(agent.config.gamma, &args.how.games.rules())?;
    let mut film = None;
    for (episode, seed) in (1..=args.episodes).zip(episode_seeds(args.how.seed)) {
        let Some(game) = games.start_on_console(seed) else {
            bail!(
                "`native play` records Atari games, and {} is a run of {}; view it in the \
                 playground, or score it with `native evaluate`",
                args.how.path.display(),
                agent.world.name()
            );
        };
        if episode == 1 {
            target.require_writable()?;
            note!("{}, {}", agent.title(), games.rules());
        }
        let label = format!("game {episode}/{}", args.episodes);
        let progress = CountBar::new(&format!("{label} played"), "steps", args.max_steps);
        let recording =
            Recording::play(&agent, game?, seed, args.how.greedy, args.max_steps, &progress);
        progress.finish();
        let recording = recording?;
        let end = recording.end.map_or("not at its end", |_| "at its end");
        let score = points(recording.score);
        say!("{label}: {} steps, return {score}, {end}", recording.moments.len());
        let painter = Painter::new(&agent, &recording)?;
        let film = match &mut film {
            Some(film) => film,
            none => none.insert(Film::start(&target, painter.size(), &recording.palette)?),
        };
        let progress =
            CountBar::new(&format!("{label} drawn"), "steps", recording.moments.len() as u64);
        let steps: Vec<usize> = (0..recording.moments.len()).collect();
        for steps in steps.chunks(AT_A_TIME) {
            let pictures =
                steps.par_iter().map(|&step| painter.paint(step)).collect::<Result<Vec<_>>>()?;
            for picture in &pictures {
                film.push(picture)?;
            }
            progress.advance(steps.len() as u64, "");
        }
        progress.finish();
    }
    if let Some(film) = film {
        film.finish(&target)?;
    }
    say!("wrote {}", target.path.display());
    Ok(())
}
