//! What a screen of the Atari room has shown, so that a visitor can take it away: the last seconds as
//! a film, and the steps as a table.
//!
//! A recording runs all the time, because nobody presses a button before something worth keeping
//! happens. So its memory is bounded, and a step costs little time. Nothing here needs a browser.

pub mod film;
pub mod gif;
pub mod source;
mod table;
pub mod trajectory;

use std::sync::Arc;

use deepspi_film::GifError;
use deepspi_playground::play::Step;

use self::film::Film;
use self::gif::GifMaker;
use self::source::{Agent, SharedAgent, Source};
use self::trajectory::Trajectory;
use crate::plot::file_name;

/// Seconds of the game that the film keeps.
pub const SECONDS: usize = 60;
/// Memory of the film. Games need a tenth of it.
const FILM_BYTES: usize = 32 << 20;
/// Memory of the steps: more than the longest game of the benchmark, 27,000 steps, with all 18
/// actions.
const STEP_BYTES: usize = 8 << 20;
/// Enlargement of the pixels of a GIF.
const GIF_SCALE: usize = 2;

/// The recording of a screen, from the moment when a game was put into its console.
#[derive(Debug)]
pub struct Recording {
    source: Source,
    agent: SharedAgent,
    film: Film,
    trajectory: Trajectory,
}

impl Recording {
    /// Starts the recording of a game.
    #[must_use]
    pub fn new(source: Source) -> Self {
        let film = Film::new(SECONDS, FILM_BYTES);
        Self { source, agent: None, film, trajectory: Trajectory::new(STEP_BYTES) }
    }

    /// Notes which agent the screen has from now on.
    pub fn set_agent(&mut self, agent: Option<Agent>) {
        if self.agent.as_deref() != agent.as_ref() {
            self.agent = agent.map(Arc::new);
        }
    }

    /// Appends a step with its pictures, `[k, 210, 160]` of palette indices. Starts of games are
    /// steps, too.
    pub fn push(&mut self, step: &Step, frames: &[u8]) {
        self.film.push(frames);
        self.trajectory.push(step, self.agent.clone());
    }

    /// Whether there is nothing to save yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.trajectory.rows().len() == 0
    }

    /// The colours of the palette indices 0, 2, .. 254.
    #[must_use]
    pub const fn rgb(&self) -> &[[u8; 3]; 128] {
        &self.source.rgb
    }

    /// The picture on the screen, `[210, 160]` of palette indices; none before the first.
    #[must_use]
    pub fn picture(&self) -> Option<&[u8]> {
        self.film.last()
    }

    /// Starts a GIF of the last seconds; none if there are no pictures. What is recorded later does
    /// not change it.
    ///
    /// # Errors
    /// If the GIF cannot be started.
    pub fn gif(&self) -> Result<Option<GifMaker>, GifError> {
        if self.film.last().is_none() {
            return Ok(None);
        }
        let comment = self.source.sentence(self.agent.as_deref());
        GifMaker::start(self.film.clip(), self.rgb(), GIF_SCALE, &comment).map(Some)
    }

    /// The steps as CSV.
    #[must_use]
    pub fn csv(&self) -> String {
        table::csv(&self.source, &self.trajectory)
    }

    /// The steps as JSON.
    #[must_use]
    pub fn json(&self) -> String {
        table::json(&self.source, self.agent.as_deref(), &self.trajectory)
    }

    /// Steps from before the first that is kept.
    #[must_use]
    pub const fn steps_left_out(&self) -> u64 {
        self.trajectory.dropped()
    }

    /// Name of a file without its ending: game, agent, seed and last step.
    #[must_use]
    pub fn name(&self) -> String {
        let agent = self.agent.as_ref().map_or("", |agent| agent.algorithm.as_str());
        let step = self.trajectory.last().map_or(0, |row| row.step);
        let Source { game, seed, .. } = &self.source;
        file_name(&format!("deepspi {game} {agent} seed {seed} step {step}"))
    }
}

#[cfg(test)]
mod tests {
    use deepspi_worlds::atari::{AtariOptions, FRAME_PIXELS};

    use super::trajectory::tests::step;
    use super::*;

    #[test]
    fn a_recording_saves_what_was_pushed() {
        let mut recording = Recording::new(Source {
            game: "MazeCartridge".into(),
            cartridge_md5: "0".repeat(32),
            seed: 5,
            environment: 0,
            rules: AtariOptions::default(),
            actions: vec![2, 5],
            rgb: [[8; 3]; 128],
        });
        assert!(recording.is_empty() && recording.picture().is_none());
        assert!(recording.gif().expect("no error").is_none(), "no picture, no GIF");
        recording.push(&step(1, None), &[4; 3 * FRAME_PIXELS]);
        let agent = Agent { algorithm: "deep-spi".into(), trained_steps: 1, origin: String::new() };
        recording.set_agent(Some(agent.clone()));
        let first = recording.agent.clone();
        recording.set_agent(Some(agent));
        let (Some(first), Some(second)) = (first, &recording.agent) else {
            unreachable!("an agent was set");
        };
        assert!(Arc::ptr_eq(&first, second), "the same agent is stored once");
        recording.push(&step(2, Some(1)), &[6; 4 * FRAME_PIXELS]);
        assert_eq!(recording.picture(), Some(&[6; FRAME_PIXELS][..]));
        assert_eq!(recording.name(), "deepspi-mazecartridge-deep-spi-seed-5-step-2");
        assert_eq!(recording.csv().lines().count(), 3);
        assert!(recording.json().contains("\"action\":[null,\"down\"]"));
        let mut maker = recording.gif().expect("no error").expect("pictures");
        while maker.advance().expect("encoded") {}
        let bytes = maker.finish().expect("finished");
        let comment = b"MazeCartridge, cartridge MD5 000";
        assert!(bytes.windows(comment.len()).any(|part| part == comment));
    }

    #[test]
    fn the_longest_game_of_the_benchmark_is_kept_whole() {
        const STEPS: u64 = 27_000;
        let mut steps = Trajectory::new(STEP_BYTES);
        let mut step = step(1, Some(0));
        if let Some(seen) = &mut step.seen {
            seen.log_probs = vec![18_f32.recip().ln(); 18];
        }
        for number in 1..=STEPS {
            step.number = number;
            steps.push(&step, None);
        }
        assert_eq!((steps.dropped(), steps.rows().len() as u64), (0, STEPS));
    }
}
