//! Helpers for several test files.

use deepspi_ale::{Rom, RomFinder};
use deepspi_worlds::atari::Game;

/// The ROM of a game, from this machine or downloaded.
pub(crate) fn rom(name: &str) -> Rom {
    RomFinder::from_environment(None).find(Game::find(name).unwrap()).unwrap()
}

/// A small generator of action indices, so that the tests depend on no crate for random numbers.
pub(crate) struct Actions(u32);

impl Actions {
    pub(crate) fn new(seed: u32) -> Self {
        Self(seed.wrapping_mul(747_796_405).wrapping_add(2_891_336_453))
    }

    pub(crate) fn next(&mut self, n_actions: usize) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 16) % u32::try_from(n_actions).unwrap()
    }
}
