//! The seeds of the randomness in a game: the emulator's seed and the number of no-ops.

use rand_chacha::ChaCha8Rng;

use crate::rng::{Stream, indexed_stream, key};

/// ALE's seed for environment `index` of a set with a common `seed`, by EnvPool's rule:
/// `seed + index`, wrapped into `1..=i32::MAX`. The seeds of any 2^31 - 1 consecutive environments
/// are distinct. ALE reads 0 as "use the clock", so 0 becomes `i32::MAX`.
#[must_use]
pub fn envpool_seed(seed: u64, index: u64) -> i32 {
    const SEEDS: u128 = i32::MAX as u128;
    let wrapped = (u128::from(seed) + u128::from(index) + SEEDS - 1) % SEEDS;
    i32::try_from(wrapped + 1).unwrap_or(i32::MAX)
}

/// ALE's seed for a game of environment `index`, from 1 to `i32::MAX`; `game` counts the real
/// resets of the environment. The emulator seeds of runs with different seeds are unrelated.
#[must_use]
pub fn hashed_seed(seed: u64, index: u64, game: u64) -> i32 {
    let key = key(seed, Stream::Emulator, &[index, game]);
    let [a, b, c, d, ..] = key;
    i32::from_le_bytes([a, b, c, d & 0x7F]).max(1)
}

/// The generator that draws the numbers of no-ops of environment `index`.
#[must_use]
pub fn noops(seed: u64, index: u64) -> ChaCha8Rng {
    indexed_stream(seed, Stream::Noops, index)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn runs_of_neighbouring_seeds_share_no_emulator_seed() {
        let seeds = |seed| -> HashSet<i32> {
            let games = (0..128).flat_map(|index| (0..20).map(move |game| (index, game)));
            games.map(|(index, game)| hashed_seed(seed, index, game)).collect()
        };
        let (one, next) = (seeds(1), seeds(2));
        assert_eq!((one.len(), next.len()), (128 * 20, 128 * 20), "within a run they differ, too");
        assert!(one.is_disjoint(&next) && one.iter().all(|&seed| seed >= 1));
        // The same with EnvPool's rule.
        let envpool = |seed| (0..128).map(move |index| envpool_seed(seed, index));
        assert_eq!(envpool(1).filter(|seed| envpool(2).any(|other| other == *seed)).count(), 127);
    }

    #[test]
    fn emulator_seeds_stay_positive_and_distinct() {
        assert_eq!(envpool_seed(1, 0), 1);
        assert_eq!(envpool_seed(42, 7), 49);
        assert_eq!(envpool_seed(0, 0), i32::MAX);
        assert_eq!(envpool_seed(0, 1), 1);
        assert_eq!(envpool_seed(i32::MAX as u64, 0), i32::MAX);
        assert_eq!(envpool_seed(i32::MAX as u64, 1), 1);
        for seed in [0, u64::MAX, 1 << 40] {
            let mut seeds: Vec<_> = (0..1000).map(|index| envpool_seed(seed, index)).collect();
            assert!(seeds.iter().all(|&seed| seed >= 1));
            seeds.sort_unstable();
            seeds.dedup();
            assert_eq!(seeds.len(), 1000, "environments share a seed");
        }
    }
}
