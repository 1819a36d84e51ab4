//! One console that plays one whole game, for an evaluation.

use anyhow::{Context, Result};
use deepspi_ale::{Emulator, Rom, environment, environment_again};
use deepspi_worlds::atari::{AtariEnv, AtariError, AtariOptions, StepOutcome};
use deepspi_worlds::env::{EnvError, Outcome, Pending, VectorEnv, ready};
use deepspi_worlds::frame::FrameShape;

use super::episode::End;

/// A console that plays one whole game, as a vector of one environment. With episodic life the
/// environment resets after a lost life, and the game continues.
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
        Self::begin(environment(rom, options, seed, 0))
    }

    /// The game that [`AtariGame::start`] gives for another seed, on the console of this one.
    ///
    /// # Errors
    /// If the emulator fails.
    pub fn again(self, seed: u64) -> Result<Self> {
        Self::begin(environment_again(self.env, seed, 0))
    }

    fn begin(env: Result<AtariEnv<Emulator>, AtariError>) -> Result<Self> {
        let env = env.context("the game could not be started")?;
        let stack = vec![0; env.options().observation_len()];
        let mut game =
            Self { env, stack, last: StepOutcome::default(), outcome: [Outcome::default()] };
        game.reset().context("the game could not be started")?;
        Ok(game)
    }

    /// The console, for pictures.
    #[must_use]
    pub const fn env(&self) -> &AtariEnv<Emulator> {
        &self.env
    }

    /// The outcome of the last step.
    #[must_use]
    pub const fn last(&self) -> StepOutcome {
        self.last
    }

    /// The reason why the game has ended; `None` while it continues.
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
            // The environment resets instead of taking a step; the action is ignored.
            let reset = self.env.step(action, &mut self.stack)?;
            self.last.terminated |= reset.game_over;
        }
        let StepOutcome { reward, raw_reward, terminated, truncated, .. } = self.last;
        let over = terminated || truncated;
        // A lost life is not an end here, and the reset after it is not a separate step: the losses
        // of the step that lost the life compare with the frame after the reset.
        self.outcome =
            [Outcome { reward, raw_reward, done: over, game_over: over, reported_end: over }];
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
