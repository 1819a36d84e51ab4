//! Environments in which nothing moves: a stand-in for a world when only the speed of an agent
//! matters.

use crate::env::{EnvError, Outcome, Pending, VectorEnv, ready};
use crate::frame::FrameShape;

/// N environments whose observations are always grey, without rewards and without an end.
#[derive(Clone, Debug)]
pub struct StillEnvs {
    frame: FrameShape,
    actions: usize,
    observations: Vec<u8>,
    outcomes: Vec<Outcome>,
}

impl StillEnvs {
    /// `num_envs` environments with observations of this size and this number of actions.
    #[must_use]
    pub fn new(frame: FrameShape, actions: usize, num_envs: usize) -> Self {
        Self {
            frame,
            actions,
            observations: vec![128; num_envs * frame.len()],
            outcomes: vec![Outcome::default(); num_envs],
        }
    }
}

impl VectorEnv for StillEnvs {
    fn num_envs(&self) -> usize {
        self.outcomes.len()
    }

    fn frame(&self) -> FrameShape {
        self.frame
    }

    fn actions(&self) -> usize {
        self.actions
    }

    fn send_reset(&mut self) -> Result<(), EnvError> {
        Ok(())
    }

    fn send(&mut self, _actions: &[u32]) -> Result<(), EnvError> {
        Ok(())
    }

    fn receive(&mut self) -> Pending<'_> {
        ready()
    }

    fn observations(&self) -> &[u8] {
        &self.observations
    }

    fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }
}
