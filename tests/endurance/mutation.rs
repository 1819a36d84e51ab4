//! Mutated inputs: valid files, changed in a few places in the ways in which files are really damaged, and in some that
//! an attacker would choose.

use arbitrary::{Arbitrary, Unstructured};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;

/// Values that readers of numbers, paths and lists get wrong.
const WORDS: [&str; 28] = [
    "-1",
    "0",
    "1e999",
    "-1e999",
    "nan",
    "inf",
    "null",
    "18446744073709551615",
    "9223372036854775808",
    "4294967296",
    "1000000000000",
    "0.0000000000000000000001",
    "true",
    "\"\"",
    "[]",
    "{}",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":",
    "../../../../etc/passwd",
    "/",
    "\u{0}",
    "\u{feff}",
    "\u{202e}",
    "\r\n",
    "ÄÖ\u{1f47e}",
    "%s%n%x",
    "=",
    "#",
];

/// One change of a file. Positions are fractions of its length, so that they fit every file.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub(crate) enum Mutation {
    /// A bit is flipped.
    Flip { at: u16, bit: u8 },
    /// A byte is replaced.
    Set { at: u16, byte: u8 },
    /// The rest is missing, as after a full disk.
    Cut { at: u16 },
    /// A part is missing.
    Remove { at: u16, len: u8 },
    /// A part is zero, as after a power failure.
    Zero { at: u16, len: u8 },
    /// A part is there twice.
    Repeat { at: u16, len: u16 },
    /// A number is replaced by a word of the list.
    Number { at: u16, word: u8 },
    /// A word of the list is inserted.
    Insert { at: u16, word: u8 },
    /// A line is missing, or there twice.
    Line { at: u16, twice: bool },
}

impl Mutation {
    /// The file with this change.
    fn apply(self, bytes: &mut Vec<u8>) {
        let place = |at: u16, len: usize| usize::from(at) * len / (usize::from(u16::MAX) + 1);
        let len = bytes.len();
        match self {
            Self::Flip { at, bit } if len > 0 => bytes[place(at, len)] ^= 1 << (bit % 8),
            Self::Set { at, byte } if len > 0 => bytes[place(at, len)] = byte,
            Self::Cut { at } => bytes.truncate(place(at, len)),
            Self::Remove { at, len: part } => {
                let start = place(at, len);
                bytes.drain(start..len.min(start + usize::from(part)));
            }
            Self::Zero { at, len: part } => {
                let start = place(at, len);
                bytes[start..len.min(start + usize::from(part))].fill(0);
            }
            Self::Repeat { at, len: part } => {
                let start = place(at, len);
                let copy = bytes[start..len.min(start + usize::from(part))].to_vec();
                bytes.splice(start..start, copy);
            }
            Self::Number { at, word } => {
                let start = place(at, len);
                let is_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                let digit = bytes[start..].iter().position(u8::is_ascii_digit);
                if let Some(first) = digit.map(|found| start + found) {
                    let end = bytes[first..].iter().position(|byte| !is_number(byte));
                    let end = end.map_or(len, |found| first + found);
                    bytes.splice(first..end, word_of(word).bytes());
                }
            }
            Self::Insert { at, word } => {
                let start = place(at, len);
                bytes.splice(start..start, word_of(word).bytes());
            }
            Self::Line { at, twice } => {
                let start = place(at, len);
                let first =
                    bytes[..start].iter().rposition(|byte| *byte == b'\n').map_or(0, |i| i + 1);
                let end = bytes[start..].iter().position(|byte| *byte == b'\n');
                let end = end.map_or(len, |found| start + found + 1);
                let line = bytes[first..end].to_vec();
                bytes.splice(first..end, if twice { line.repeat(2) } else { Vec::new() });
            }
            Self::Flip { .. } | Self::Set { .. } => {}
        }
    }
}

fn word_of(word: u8) -> &'static str {
    WORDS[usize::from(word) % WORDS.len()]
}

/// A generator of mutated files, which a number makes again.
#[derive(Debug)]
pub(crate) struct Mutator {
    rng: ChaCha8Rng,
}

impl Mutator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.rng.random_range(0..end)
    }

    /// One to four changes.
    pub(crate) fn changes(&mut self) -> Vec<Mutation> {
        let count = self.rng.random_range(1..=4);
        let mut raw = [0; 64];
        self.rng.fill(&mut raw);
        let mut source = Unstructured::new(&raw);
        (0..count).filter_map(|_| Mutation::arbitrary(&mut source).ok()).collect()
    }
}

/// A file with some changes.
pub(crate) fn mutated(bytes: &[u8], changes: &[Mutation]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for change in changes {
        change.apply(&mut bytes);
    }
    bytes
}

/// The fewest of these changes with which `fails` is still true.
pub(crate) fn smallest(
    changes: &[Mutation],
    mut fails: impl FnMut(&[Mutation]) -> bool,
) -> Vec<Mutation> {
    let mut left = changes.to_vec();
    let mut at = 0;
    while at < left.len() {
        let mut fewer = left.clone();
        fewer.remove(at);
        if fails(&fewer) {
            left = fewer;
        } else {
            at += 1;
        }
    }
    left
}
