//! What the trainer expects of a vectorised environment.
//!
//! The convention is EnvPool's, on purpose (section 2.2, details 1 and 3 of the specification): at the
//! end of an episode the last frame is returned with `done`; the *next* step ignores its action and
//! returns the first frame of the new episode with reward 0 and `done = false`. That fake transition
//! stays in the batch. Front ends supply environments; the trainer owns the loop.

use crate::nn::FrameShape;

/// N environments advancing together.
pub trait VectorEnv {
    /// Why a step could fail.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Number N of environments.
    fn num_envs(&self) -> usize;

    /// Size of one observation.
    fn frame(&self) -> FrameShape;

    /// Number A of actions.
    fn actions(&self) -> usize;

    /// Starts new episodes everywhere; observations are then in [`Self::observations`].
    ///
    /// # Errors
    /// Whatever the environment reports.
    fn reset(&mut self) -> Result<(), Self::Error>;

    /// Takes one action per environment, each below A.
    ///
    /// # Errors
    /// Whatever the environment reports.
    fn step(&mut self, actions: &[u32]) -> Result<(), Self::Error>;

    /// Current observations, `[N, C, H, W]`, oldest frame first.
    fn observations(&self) -> &[u8];

    /// A name for each current observation, `[N]`, if there are few: equal names promise equal
    /// observations, which are then computed once.
    fn observation_ids(&self) -> Option<&[u32]> {
        None
    }

    /// Results of the last step.
    fn outcomes(&self) -> &[Outcome];
}

/// What one environment returned from one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Reward the agent learns from (clipped on Atari).
    pub reward: f32,
    /// Reward of the game itself.
    pub raw_reward: f32,
    /// The episode the agent sees is over (on Atari also at the loss of a life).
    pub done: bool,
    /// The game itself is over: returns are counted up to here.
    pub game_over: bool,
}
