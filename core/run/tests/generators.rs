//! Generators from checkpoints that were written before each purpose had its own key must stay
//! readable.

use deepspi_worlds::rng::Generators;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[test]
fn generators_of_an_old_checkpoint_are_read_and_continued() {
    // As old versions made them: one key for all, and a stream number for each purpose.
    let old = |stream| {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        rng.set_stream(stream);
        let _: [u64; 9] = rng.random();
        rng
    };
    let mut stored = Generators { actions: old(1), shuffle: old(2), noise: old(3) };
    let text = serde_json::to_string(&stored).expect("writable");
    let mut read: Generators = serde_json::from_str(&text).expect("readable");
    assert_eq!(read, stored);
    assert_ne!(read, Generators::new(7), "a new run of this seed has other generators");
    for _ in 0..100 {
        assert_eq!(read.actions.random::<u32>(), stored.actions.random::<u32>());
        assert_eq!(read.shuffle.random::<u32>(), stored.shuffle.random::<u32>());
        assert_eq!(read.noise.random::<u32>(), stored.noise.random::<u32>());
    }
}
