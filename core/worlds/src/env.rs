//! The contract between a trainer and N environments that advance together.
//!
//! A step is two calls, as in EnvPool: [`VectorEnv::send`] passes the actions,
//! [`VectorEnv::receive`] waits for the results. Between the two calls environments may work in a
//! thread pool or in web workers while the caller does something else. Environments that compute
//! synchronously do so in `send`; `receive` is then ready at once.
//!
//! The reset convention is EnvPool's and must be kept (docs/deepspi.md, section 8): at the end of
//! an episode the last frame is returned with `done`. The *next* step ignores its action and
//! returns the first frame of the new episode with reward 0 and `done = false`. This fake
//! transition stays in the batch. Front ends supply environments; the trainer runs the loop.

use std::fmt::Debug;
use std::pin::Pin;

use crate::frame::FrameShape;
use crate::snapshot::SnapshotError;

/// Why an environment failed. The type is transparent: its text is that of the environment's own
/// error.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct EnvError(#[from] Box<dyn std::error::Error + Send + Sync>);

impl EnvError {
    /// Wraps an environment's own error.
    pub fn new(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }
}

/// A future result. It is not `Send`, because in the browser it may hold JavaScript handles.
pub type Pending<'a, T = ()> = Pin<Box<dyn Future<Output = Result<T, EnvError>> + 'a>>;

/// N environments advancing together.
pub trait VectorEnv: Debug {
    /// Number N of environments.
    fn num_envs(&self) -> usize;

    /// Size of one observation.
    fn frame(&self) -> FrameShape;

    /// Number A of actions.
    fn actions(&self) -> usize;

    /// Requests new episodes in all environments; [`Self::receive`] waits for their first
    /// observations.
    ///
    /// # Errors
    /// Errors of the environment.
    fn send_reset(&mut self) -> Result<(), EnvError>;

    /// Passes one action per environment, each below A. Exactly one [`Self::receive`] must follow
    /// before the next call of this function or of [`Self::send_reset`].
    ///
    /// # Errors
    /// Errors of the environment; if the actions are wrong, nothing has changed.
    fn send(&mut self, actions: &[u32]) -> Result<(), EnvError>;

    /// Waits until the step that was sent is done in all environments; [`Self::observations`] and
    /// [`Self::outcomes`] are then its results.
    fn receive(&mut self) -> Pending<'_>;

    /// Current observations, `[N, C, H, W]`, oldest frame first.
    fn observations(&self) -> &[u8];

    /// An identifier for each current observation, `[N]`, if there are few different ones: equal
    /// identifiers must mean equal observations, which are then computed once.
    fn observation_ids(&self) -> Option<&[u32]> {
        None
    }

    /// Results of the last step.
    fn outcomes(&self) -> &[Outcome];

    /// The complete state of the environments as bytes for [`Self::restore`]; environments restored
    /// from them continue exactly as these would. None if the environments cannot be stored: a
    /// resumed run then resets them. Must not be called between [`Self::send`] and
    /// [`Self::receive`].
    ///
    /// # Errors
    /// Errors of the environment.
    fn snapshot(&mut self) -> Pending<'_, Option<Vec<u8>>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Restores the state of environments that were created with the same arguments. After an error
    /// the environments must be reset.
    ///
    /// # Errors
    /// If the bytes are damaged or come from other environments; errors of the environment.
    fn restore<'a>(&'a mut self, _snapshot: &'a [u8]) -> Pending<'a> {
        let never = SnapshotError::Misfit("these environments are never stored".into());
        Box::pin(std::future::ready(Err(EnvError::new(never))))
    }
}

/// Takes one step of all environments and waits for it.
///
/// # Errors
/// Errors of the environment.
pub async fn step(env: &mut dyn VectorEnv, actions: &[u32]) -> Result<(), EnvError> {
    env.send(actions)?;
    env.receive().await
}

/// Starts new episodes in all environments and waits for their first observations.
///
/// # Errors
/// Errors of the environment.
pub async fn reset(env: &mut dyn VectorEnv) -> Result<(), EnvError> {
    env.send_reset()?;
    env.receive().await
}

/// The result of [`VectorEnv::receive`] for environments that compute in [`VectorEnv::send`].
#[must_use]
pub fn ready() -> Pending<'static> {
    Box::pin(std::future::ready(Ok(())))
}

/// Result of one step of one environment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Reward that the agent learns from (clipped on Atari).
    pub reward: f32,
    /// Unclipped reward of the game.
    pub raw_reward: f32,
    /// The episode that the agent sees has ended (on Atari also at the loss of a life).
    pub done: bool,
    /// The game itself has ended: the return of a game is counted up to here. True once a game.
    pub game_over: bool,
    /// The end of a game as EnvPool reports it, and the authors count it: not for a game that ends in the no-ops of a
    /// reset after a lost life, and twice for one that ends with FIRE in such a reset. Elsewhere equal to `game_over`.
    pub reported_end: bool,
}
