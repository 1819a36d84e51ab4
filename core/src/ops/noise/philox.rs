//! Philox4x32-10, a counter-based random number generator (Salmon et al., SC 2011), on the CPU and in
//! kernels.
//!
//! A counter and a key give four random words, with no state between calls, so every unit of a GPU draws
//! its own numbers and no number has to be stored. The crates that have it run on the CPU only. Both
//! forms must give the published vectors.

pub(super) const ROUNDS: usize = 10;
/// Factors of the two products of a round.
pub(super) const FACTORS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
/// What is added to the key after each round.
pub(super) const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// Calls that are computed together, in the registers of a vector.
pub(super) const TOGETHER: usize = 16;

/// Four words for each of the counters `(first, second, 0, 0)`, `(first + 1, second, 0, 0)`, ...; words 0
/// of all calls come first.
pub(super) fn words(first: u32, second: u32, key: [u32; 2]) -> [[u32; TOGETHER]; 4] {
    let mut counter = [[0; TOGETHER]; 4];
    for (i, word) in (0..).zip(&mut counter[0]) {
        *word = first.wrapping_add(i);
    }
    counter[1] = [second; TOGETHER];
    rounds(counter, key)
}

/// The generator, for [`TOGETHER`] counters.
#[expect(clippy::cast_possible_truncation, reason = "the halves of a product")]
fn rounds(mut counter: [[u32; TOGETHER]; 4], mut key: [u32; 2]) -> [[u32; TOGETHER]; 4] {
    for _ in 0..ROUNDS {
        let [c0, c1, c2, c3] = &mut counter;
        for i in 0..TOGETHER {
            let product_0 = u64::from(c0[i]) * u64::from(FACTORS[0]);
            let product_1 = u64::from(c2[i]) * u64::from(FACTORS[1]);
            c0[i] = (product_1 >> 32) as u32 ^ c1[i] ^ key[0];
            c2[i] = (product_0 >> 32) as u32 ^ c3[i] ^ key[1];
            c1[i] = product_1 as u32;
            c3[i] = product_0 as u32;
        }
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Counter, key and words, as published with Random123 (`kat_vectors`).
    pub(in crate::ops::noise) const KNOWN: [([u32; 4], [u32; 2], [u32; 4]); 3] = [
        ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
        ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
        (
            [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
            [0xa409_3822, 0x299f_31d0],
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
        ),
    ];

    #[test]
    fn the_published_vectors_are_met() {
        for (counter, key, expected) in KNOWN {
            let found = rounds(counter.map(|word| [word; TOGETHER]), key);
            for i in 0..TOGETHER {
                assert_eq!(found.map(|words| words[i]), expected);
            }
        }
        let calls = words(7, 3, [1, 2]);
        let mut counter = [[0; TOGETHER]; 4];
        counter[0] = [12; TOGETHER];
        counter[1] = [3; TOGETHER];
        assert_eq!(calls.map(|words| words[5]), rounds(counter, [1, 2]).map(|words| words[0]));
    }
}
