//! The interface between the rules and an emulator: one console with one cartridge, frame by frame.
//!
//! A console must not skip or pool frames, limit steps or treat lost lives. ALE's own versions of
//! these rules hide the skipped frames and do not distinguish a time limit from the end of a game.
//! So a console runs single frames without limit, and [`super::AtariEnv`] does the rest.

use std::fmt::Debug;

use super::games::Game;

/// Rows of every console frame.
pub const FRAME_HEIGHT: usize = 210;
/// Columns of every console frame.
pub const FRAME_WIDTH: usize = 160;
/// Pixels of every console frame.
pub const FRAME_PIXELS: usize = FRAME_HEIGHT * FRAME_WIDTH;
/// Bytes of a console's RAM.
pub const RAM_BYTES: usize = 128;

/// An error of the emulator.
pub type ConsoleError = Box<dyn std::error::Error + Send + Sync>;

/// The colours of the 128 palette indices 0, 2, .. 254.
#[derive(Debug, Clone)]
pub struct Palette {
    /// Luminance, ALE's `round(0.2989 R + 0.5870 G + 0.1140 B)`.
    pub gray: [u8; 128],
    /// Red, green, blue.
    pub rgb: [[u8; 3]; 128],
}

/// An emulated console with a cartridge in it.
pub trait Console: Debug {
    /// The game of the cartridge.
    fn game(&self) -> &'static Game;

    /// Starts a new game. The console's random number generator continues.
    ///
    /// # Errors
    /// When the emulator fails.
    fn reset(&mut self) -> Result<(), ConsoleError>;

    /// Starts a new game as on a console just switched on. `seed`, at least 1, determines all
    /// randomness of the game, sticky actions included: the same seed and actions give the same
    /// game, whatever was played before.
    ///
    /// # Errors
    /// When the emulator fails.
    fn reset_with_seed(&mut self, seed: i32) -> Result<(), ConsoleError>;

    /// Emulates one frame with an ALE action id and returns the unclipped reward. After the end of
    /// a game nothing changes, and the reward is 0.
    ///
    /// # Errors
    /// When the id is above 17 or the emulator fails.
    fn act(&mut self, action_id: u8) -> Result<i32, ConsoleError>;

    /// Whether the game has ended. A frame limit never ends it.
    fn game_over(&self) -> bool;

    /// Remaining lives; constant for some games ([`Game::lives_constant`]).
    fn lives(&self) -> i32;

    /// The last frame as palette indices, `[210, 160]`, all even.
    fn screen(&self) -> &[u8];

    /// The colours of the palette indices.
    fn palette(&self) -> &Palette;

    /// The RAM after the last frame; the index is the address & 0x7F.
    fn ram(&self) -> [u8; RAM_BYTES];

    /// The last frame in colour, `[210, 160, 3]`.
    fn screen_rgb(&self) -> Vec<u8> {
        let rgb = &self.palette().rgb;
        self.screen().iter().flat_map(|&index| rgb[usize::from(index >> 1)]).collect()
    }
}
