//! The seeded generators of a run.
//!
//! All random numbers must be drawn on the CPU from these generators, or be computed from a key that
//! was drawn from them, as the noise of the transition samples is; never from a device's own
//! generator. The sequence of actions, shuffles and noise is then the same on every backend and in
//! the browser, and a checkpoint that stores the generators continues exactly the same run.
//!
//! Every generator has its own key: the SHA-256 of its purpose, the seed and an index. So the keys
//! of two generators differ by construction for all seeds and indices, and no numbers of streams
//! have to be kept apart by hand.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Version of the key derivation. Another version would give different numbers for the same seed.
const DERIVATION: &str = "deepspi random stream 1";

/// The purpose of a random stream.
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
    /// Randomness of the maze.
    Environment,
    /// Seeds of evaluation episodes, which differ from those of the training environments.
    Evaluation,
    /// Numbers of no-ops at the start of games; one stream per environment.
    Noops,
    /// Seeds of the emulator; one stream per environment and game.
    Emulator,
}

impl Stream {
    /// All purposes.
    pub const ALL: [Self; 8] = [
        Self::Parameters,
        Self::Actions,
        Self::Shuffle,
        Self::Noise,
        Self::Environment,
        Self::Evaluation,
        Self::Noops,
        Self::Emulator,
    ];

    /// The name from which keys are derived. It must not change: it determines all numbers of the
    /// stream.
    const fn domain(self) -> &'static str {
        match self {
            Self::Parameters => "parameters",
            Self::Actions => "actions",
            Self::Shuffle => "shuffle",
            Self::Noise => "noise",
            Self::Environment => "environment",
            Self::Evaluation => "evaluation",
            Self::Noops => "no-ops",
            Self::Emulator => "emulator",
        }
    }
}

/// The key of a stream: SHA-256 of the texts, each followed by a zero byte, and of the numbers as 8
/// bytes each, little-endian.
#[must_use]
pub fn key(seed: u64, stream: Stream, index: &[u64]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for text in [DERIVATION, stream.domain()] {
        hash.update(text.as_bytes());
        hash.update([0]);
    }
    hash.update(seed.to_le_bytes());
    for number in index {
        hash.update(number.to_le_bytes());
    }
    hash.finalize().into()
}

/// A new generator for one purpose of a run.
#[must_use]
pub fn stream(seed: u64, stream: Stream) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(key(seed, stream, &[]))
}

/// A new generator for one of several instances, such as environments.
#[must_use]
pub fn indexed_stream(seed: u64, stream: Stream, index: u64) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(key(seed, stream, &[index]))
}

/// The generators that a training run advances; part of every checkpoint.
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::RngExt;

    use super::*;
    use crate::atari::seeds;

    #[test]
    fn no_two_streams_of_neighbouring_runs_begin_alike() {
        let mut beginnings = HashSet::new();
        let mut count = 0;
        let mut add = |mut rng: ChaCha8Rng| {
            count += 1;
            beginnings.insert(rng.random::<u128>());
        };
        for seed in [0, 1, 2, u64::MAX] {
            for purpose in Stream::ALL {
                add(stream(seed, purpose));
                for environment in 0..128 {
                    add(indexed_stream(seed, purpose, environment));
                }
            }
            // The generators of a run must be among the streams that were compared.
            let Generators { actions, shuffle, noise } = Generators::new(seed);
            assert_eq!(actions, stream(seed, Stream::Actions));
            assert_eq!(shuffle, stream(seed, Stream::Shuffle));
            assert_eq!(noise, stream(seed, Stream::Noise));
            assert_eq!(seeds::noops(seed, 5), indexed_stream(seed, Stream::Noops, 5));
        }
        assert_eq!(beginnings.len(), count);
    }

    #[test]
    fn a_seed_keeps_its_numbers() {
        // Another derivation would change the run of every seed: announce it in the change log.
        let hex: String = key(1, Stream::Actions, &[]).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "fa9610054125d6cc67396ba995d68f27a8bdfa580cfc7ec258604af13a5f3332");
    }
}
