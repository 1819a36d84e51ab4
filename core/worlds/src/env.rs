//! The contract between a trainer and N environments that advance together.
//!
//! A step is two calls, as in EnvPool: [`VectorEnv::send`] hands the actions over, [`VectorEnv::receive`] waits
//! for the results. Between the two, environments may work in a thread pool or in web workers while the caller
//! does something else. Environments that compute at once do so in `send`, and `receive` is then ready.
//!
//! The reset convention is EnvPool's, on purpose (docs/deepspi.md): at the end of an episode the last frame is
//! returned with `done`; the *next* step ignores its action and returns the first frame of the new episode with
//! reward 0 and `done = false`. That fake transition stays in the batch. Front ends supply environments; the
//! trainer owns the loop.

use std::fmt::Debug;
use std::pin::Pin;

use crate::frame::FrameShape;
use crate::snapshot::SnapshotError;

/// Why an environment failed; transparent, so that the text is that of the environment's own error.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct EnvError(#[from] Box<dyn std::error::Error + Send + Sync>);

impl EnvError {
    /// Wraps an environment's own error.
    pub fn new(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }
}

/// A result that is waited for. Not `Send`: in the browser it may hold handles of JavaScript.
pub type Pending<'a> = Pin<Box<dyn Future<Output = Result<(), EnvError>> + 'a>>;

/// N environments advancing together.
pub trait VectorEnv: Debug {
    /// Number N of environments.
    fn num_envs(&self) -> usize;

    /// Size of one observation.
    fn frame(&self) -> FrameShape;

    /// Number A of actions.
    fn actions(&self) -> usize;

    /// Asks for new episodes everywhere; [`Self::receive`] waits for their first observations.
    ///
    /// # Errors
    /// Whatever the environment reports.
    fn send_reset(&mut self) -> Result<(), EnvError>;

    /// Hands over one action per environment, each below A. Exactly one [`Self::receive`] must follow before
    /// the next call of this or of [`Self::send_reset`].
    ///
    /// # Errors
    /// Whatever the environment reports; where it is about the actions, nothing has moved.
    fn send(&mut self, actions: &[u32]) -> Result<(), EnvError>;

    /// Waits until the step that was sent is done everywhere; then [`Self::observations`] and
    /// [`Self::outcomes`] are its results.
    fn receive(&mut self) -> Pending<'_>;

    /// Current observations, `[N, C, H, W]`, oldest frame first.
    fn observations(&self) -> &[u8];

    /// A name for each current observation, `[N]`, if there are few: equal names promise equal
    /// observations, which are then computed once.
    fn observation_ids(&self) -> Option<&[u32]> {
        None
    }

    /// Results of the last step.
    fn outcomes(&self) -> &[Outcome];

    /// All that decides what happens next, as bytes for [`Self::restore`], which then goes on exactly as these
    /// environments. None where they cannot be stored: after a restart they begin anew. Not between
    /// [`Self::send`] and [`Self::receive`].
    ///
    /// # Errors
    /// Whatever the environment reports.
    fn snapshot(&self) -> Result<Option<Vec<u8>>, EnvError> {
        Ok(None)
    }

    /// Brings environments that were made with the same arguments to where others were stored. After an error
    /// they must be reset.
    ///
    /// # Errors
    /// If the bytes are damaged or were stored by other environments, or whatever the environment reports.
    fn restore(&mut self, _snapshot: &[u8]) -> Result<(), EnvError> {
        Err(EnvError::new(SnapshotError::Misfit("these environments are never stored".into())))
    }
}

/// Takes one step of all environments and waits for it.
///
/// # Errors
/// Whatever the environment reports.
pub async fn step(env: &mut dyn VectorEnv, actions: &[u32]) -> Result<(), EnvError> {
    env.send(actions)?;
    env.receive().await
}

/// Starts new episodes in all environments and waits for their first observations.
///
/// # Errors
/// Whatever the environment reports.
pub async fn reset(env: &mut dyn VectorEnv) -> Result<(), EnvError> {
    env.send_reset()?;
    env.receive().await
}

/// The answer of environments that have computed in [`VectorEnv::send`].
#[must_use]
pub fn ready() -> Pending<'static> {
    Box::pin(std::future::ready(Ok(())))
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
