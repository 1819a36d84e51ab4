//! One console with one whole game, for an evaluation.

use anyhow::{Context, Result};
use deepspi_ale::{Emulator, Rom, environment};
use deepspi_worlds::atari::{AtariEnv, AtariError, AtariOptions, StepOutcome};
use deepspi_worlds::env::{EnvError, Outcome, Pending, VectorEnv, ready};
use deepspi_worlds::frame::FrameShape;

use super::episode::End;

/// A console with one whole game, as a vector of one environment. An environment with episodic life
/// resets after a lost one, and the game goes on.
#[derive(Debug)]
pub struct AtariGame {
    env: AtariEnv<Emulator>,
    /// `[F, H, W]`
    stack: Vec<u8>,
    last: StepOutcome,
    outcome: [Outcome; 1],
}

impl AtariGame {
    /// A console at the start of a game.
    ///
    /// # Errors
    /// If the emulator fails.
    pub fn start(rom: &Rom, options: AtariOptions, seed: u64) -> Result<Self> {
        let env = environment(rom, options, seed, 0).context("the game could not be started")?;
        let mut game = Self {
            env,
            stack: vec![0; options.observation_len()],
            last: StepOutcome::default(),
            outcome: [Outcome::default()],
        };
        game.reset().context("the game could not be started")?;
        Ok(game)
    }

    /// The console, for pictures.
    #[must_use]
    pub const fn env(&self) -> &AtariEnv<Emulator> {
        &self.env
    }

    /// What the last step gave.
    #[must_use]
    pub const fn last(&self) -> StepOutcome {
        self.last
    }

    /// Whether and why the game has ended.
    #[must_use]
    pub const fn end(&self) -> Option<End> {
        match self.last {
            StepOutcome { terminated: true, .. } => Some(End::GameOver),
            StepOutcome { truncated: true, .. } => Some(End::TimeLimit),
            _ => None,
        }
    }

    /// Starts a new game.
    ///
    /// # Errors
    /// If the emulator fails.
    pub fn reset(&mut self) -> Result<(), AtariError> {
        self.last = self.env.reset(&mut self.stack)?;
        self.outcome = [Outcome::default()];
        Ok(())
    }

    /// Takes one action.
    ///
    /// # Errors
    /// If the action is out of range or the emulator fails.
    pub fn step(&mut self, actions: &[u32]) -> Result<(), AtariError> {
        let &[action] = actions else {
            let (what, expected, found) = ("actions", 1, actions.len());
            return Err(AtariError::Length { what, expected, found });
        };
        self.last = self.env.step(action, &mut self.stack)?;
        if self.last.done && self.end().is_none() {
            // The environment resets in place of a step, whatever the action.
            let reset = self.env.step(action, &mut self.stack)?;
            // The other lives went while nobody acted: it has begun another game.
            self.last.terminated |= reset.terminated || reset.lives > self.last.lives;
        }
        let StepOutcome { reward, raw_reward, terminated, truncated, .. } = self.last;
        let over = terminated || truncated;
        // A lost life is no end here, and the reset after it no step of its own: the losses of the
        // step that lost it compare with the frame after the reset.
        self.outcome = [Outcome { reward, raw_reward, done: over, game_over: over }];
        Ok(())
    }
}

impl VectorEnv for AtariGame {
    fn num_envs(&self) -> usize {
        1
    }

    fn frame(&self) -> FrameShape {
        self.env.options().frame()
    }

    fn actions(&self) -> usize {
        self.env.game().n_actions()
    }

    fn send_reset(&mut self) -> Result<(), EnvError> {
        self.reset().map_err(EnvError::new)
    }

    fn send(&mut self, actions: &[u32]) -> Result<(), EnvError> {
        self.step(actions).map_err(EnvError::new)
    }

    fn receive(&mut self) -> Pending<'_> {
        ready()
    }

    fn observations(&self) -> &[u8] {
        &self.stack
    }

    fn outcomes(&self) -> &[Outcome] {
        &self.outcome
    }
}
