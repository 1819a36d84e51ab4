//! What decides chance in a game: the emulator's seed and the number of no-ops.

use rand_chacha::ChaCha8Rng;

use crate::rng::{Stream, indexed_stream};

/// ALE's seed for environment `index` of a set with a common `seed`, as EnvPool chooses it: `seed + index`,
/// wrapped into `1..=i32::MAX`, so distinct for any 2^31 - 1 neighbours. ALE reads 0 as "use the clock", so 0
/// becomes `i32::MAX`.
#[must_use]
pub fn envpool_seed(seed: u64, index: u64) -> i32 {
    const SEEDS: u128 = i32::MAX as u128;
    let wrapped = (u128::from(seed) + u128::from(index) + SEEDS - 1) % SEEDS;
    i32::try_from(wrapped + 1).unwrap_or(i32::MAX)
}

/// The generator that draws the numbers of no-ops of environment `index`.
#[must_use]
pub fn noops(seed: u64, index: u64) -> ChaCha8Rng {
    indexed_stream(seed, Stream::Noops, index)
}

#[cfg(test)]
mod tests {
    use super::*;

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
