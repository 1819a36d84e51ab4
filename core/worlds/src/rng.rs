//! The seeded generator of a run.
//!
//! All random numbers are drawn on the CPU from here, never from a device's own generator: the
//! trace of actions, shuffles and noise is then the same on every backend and in the browser, and a
//! checkpoint that stores these generators resumes the very same run.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// What a stream of random numbers is for; streams of one seed never overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Initial parameters.
    Parameters,
    /// Actions of the rollout.
    Actions,
    /// Permutations of the minibatches.
    Shuffle,
    /// Noise of the transition samples.
    Noise,
    /// Start vectors of the power iterations.
    PowerIteration,
    /// Chance inside environments of the core.
    Environment,
    /// Seeds of the episodes of an evaluation: never those of the training's own environments.
    Evaluation,
}

/// A fresh generator for one purpose of a run.
#[must_use]
pub fn stream(seed: u64, stream: Stream) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream as u64);
    rng
}

/// The generators a training run advances; part of every checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generators {
    /// Actions of the rollout.
    pub actions: ChaCha8Rng,
    /// Permutations of the minibatches.
    pub shuffle: ChaCha8Rng,
    /// Noise of the transition samples.
    pub noise: ChaCha8Rng,
}

impl Generators {
    /// The generators at the start of a run.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            actions: stream(seed, Stream::Actions),
            shuffle: stream(seed, Stream::Shuffle),
            noise: stream(seed, Stream::Noise),
        }
    }
}
