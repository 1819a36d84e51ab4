//! One Atari console with a verified cartridge: the safe face of the module `ffi`.
//!
//! Frame skipping, pooling, episode limits and life losses are deliberately not here: ALE's own
//! versions hide the frames they skip and mix a time limit with the end of a game, so the console
//! runs single frames for ever and [`crate::AtariEnv`] does the rest.

use std::{fs, io, path::PathBuf};

use crate::{
    ffi::{Console, Refusal},
    games::Game,
    rom::Rom,
};

/// What went wrong inside or around the emulator.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// The temporary folder from which ALE loads its ROM could not be written.
    #[error("the ROM of {game} could not be written to a temporary folder under {}: {source}; check free space and TMPDIR", folder.display())]
    TempDir {
        /// Name of the game.
        game: &'static str,
        /// Where the folder was to be.
        folder: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// ALE refused a call.
    #[error("ALE failed to {doing} {game}: {message}")]
    Ale {
        /// Name of the game.
        game: &'static str,
        /// The call, as a verb.
        doing: &'static str,
        /// ALE's reason.
        message: String,
    },
    /// ALE's rules for the game have another action set than [`Game::actions`].
    #[error(
        "{game} has the minimal actions {found:?} in ALE, but {expected:?} in the table of games"
    )]
    Actions {
        /// Name of the game.
        game: &'static str,
        /// The table's.
        expected: &'static [u8],
        /// ALE's.
        found: Vec<i32>,
    },
    /// The frame has another size than the one all 57 games share.
    #[error("{game} draws {height} x {width} pixels instead of {FRAME_HEIGHT} x {FRAME_WIDTH}")]
    Size {
        /// Name of the game.
        game: &'static str,
        /// Found.
        height: usize,
        /// Found.
        width: usize,
    },
    /// The sticky-action probability is not one.
    #[error("the repeat-action probability is {0}; it must lie in 0..=1")]
    Probability(f32),
}

/// Rows of every frame.
pub const FRAME_HEIGHT: usize = 210;
/// Columns of every frame.
pub const FRAME_WIDTH: usize = 160;
/// Pixels of every frame.
pub const FRAME_PIXELS: usize = FRAME_HEIGHT * FRAME_WIDTH;

/// The colours behind the 128 palette indices 0, 2, .. 254.
#[derive(Debug, Clone)]
pub struct Palette {
    /// Luminance, ALE's `round(0.2989 R + 0.5870 G + 0.1140 B)`.
    pub gray: [u8; 128],
    /// Red, green, blue.
    pub rgb: [[u8; 3]; 128],
}

/// An emulated console, one frame at a time. `Send`, not `Sync`.
#[derive(Debug)]
pub struct Emulator {
    console: Console,
    game: &'static Game,
    palette: Palette,
}

impl Emulator {
    /// Creates a console, puts the cartridge in and plays up to the first frame of a game.
    ///
    /// `seed` is ALE's `random_seed`; 0 and negative values, which ALE takes for the clock, are
    /// refused. `repeat_action_probability` applies to each frame.
    ///
    /// # Errors
    /// When no temporary file can be written or ALE refuses the ROM.
    pub fn new(
        rom: &Rom,
        seed: i32,
        repeat_action_probability: f32,
    ) -> Result<Self, EmulatorError> {
        if !(0.0..=1.0).contains(&repeat_action_probability) {
            return Err(EmulatorError::Probability(repeat_action_probability));
        }
        let game = rom.game();
        // A fresh folder holds nothing but the ROM. ALE looks there, and only there, for the files
        // that could change its settings or colours. The stem of the file is the id of the game.
        let in_temp = |source| EmulatorError::TempDir {
            game: game.name,
            folder: std::env::temp_dir(),
            source,
        };
        let folder = tempfile::Builder::new().prefix("deepspi-rom-").tempdir().map_err(in_temp)?;
        let file = folder.path().join(game.file_name());
        fs::write(&file, rom.bytes()).map_err(in_temp)?;
        let not_unicode =
            || in_temp(io::Error::new(io::ErrorKind::InvalidFilename, "the path is not Unicode"));
        let base_dir = folder.path().to_str().ok_or_else(not_unicode)?;
        let rom_path = file.to_str().ok_or_else(not_unicode)?;

        let mut console =
            Console::new(base_dir, rom_path, game.stem, seed, repeat_action_probability)
                .map_err(|refusal| failed(game, "load", &refusal))?;

        let found = console
            .minimal_actions()
            .map_err(|refusal| failed(game, "list the actions of", &refusal))?;
        if !found.iter().copied().eq(game.actions.iter().map(|&id| i32::from(id))) {
            return Err(EmulatorError::Actions { game: game.name, expected: game.actions, found });
        }
        let (_, height, width) = console.screen();
        if (height, width) != (FRAME_HEIGHT, FRAME_WIDTH) {
            return Err(EmulatorError::Size { game: game.name, height, width });
        }
        let (gray, rgb) = console.palette();
        let mut emulator = Self { console, game, palette: Palette { gray, rgb } };
        // ALE's own `loadROM` ends with a reset as well; without it every later draw would be
        // shifted.
        emulator.reset()?;
        Ok(emulator)
    }

    /// The game in the console.
    #[must_use]
    pub const fn game(&self) -> &'static Game {
        self.game
    }

    /// Starts a new game.
    ///
    /// # Errors
    /// When ALE throws.
    pub fn reset(&mut self) -> Result<(), EmulatorError> {
        self.console.reset().map_err(|refusal| failed(self.game, "reset", &refusal))
    }

    /// Emulates one frame with an ALE action id and returns its unclipped reward. Nothing moves
    /// after the end.
    ///
    /// # Errors
    /// When the id is above 17, or ALE throws.
    pub fn act(&mut self, action_id: u8) -> Result<i32, EmulatorError> {
        self.console.act(action_id).map_err(|refusal| failed(self.game, "run a frame of", &refusal))
    }

    /// Whether the game has ended; never because of a frame limit.
    #[must_use]
    pub fn game_over(&self) -> bool {
        self.console.game_over()
    }

    /// Remaining lives; constant for some games ([`Game::lives_constant`]).
    #[must_use]
    pub fn lives(&self) -> i32 {
        self.console.lives()
    }

    /// The last frame as palette indices, `[210, 160]`, all even.
    #[must_use]
    pub fn screen(&self) -> &[u8] {
        self.console.screen().0
    }

    /// The colours of the indices.
    #[must_use]
    pub const fn palette(&self) -> &Palette {
        &self.palette
    }

    /// The last frame in colour, `[210, 160, 3]`.
    #[must_use]
    pub fn screen_rgb(&self) -> Vec<u8> {
        self.screen().iter().flat_map(|&index| self.palette.rgb[usize::from(index >> 1)]).collect()
    }

    /// The 128 bytes of RAM; index = address & 0x7F.
    #[must_use]
    pub fn ram(&self) -> [u8; 128] {
        self.console.ram()
    }
}

fn failed(game: &'static Game, doing: &'static str, refusal: &Refusal) -> EmulatorError {
    EmulatorError::Ale { game: game.name, doing, message: refusal.to_string() }
}
