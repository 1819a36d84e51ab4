//! One Atari console with a verified cartridge: the safe wrapper around the module `ffi`.

use std::{fs, io, path::PathBuf};

use deepspi_worlds::atari::{
    Console, ConsoleError, FRAME_HEIGHT, FRAME_WIDTH, Game, Palette, RAM_BYTES,
};

use crate::{
    ffi::{Handle, Refusal},
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
        /// Where the folder should have been created.
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
    /// ALE's action set for the game differs from [`Game::actions`].
    #[error(
        "{game} has the minimal actions {found:?} in ALE, but {expected:?} in the table of games"
    )]
    Actions {
        /// Name of the game.
        game: &'static str,
        /// Action set in the table of games.
        expected: &'static [u8],
        /// Action set of ALE.
        found: Vec<i32>,
    },
    /// The frame does not have the size that all 57 games share.
    #[error("{game} draws {height} x {width} pixels instead of {FRAME_HEIGHT} x {FRAME_WIDTH}")]
    Size {
        /// Name of the game.
        game: &'static str,
        /// Height that was found.
        height: usize,
        /// Width that was found.
        width: usize,
    },
    /// The sticky-action probability is outside 0..=1.
    #[error("the repeat-action probability is {0}; it must lie in 0..=1")]
    Probability(f32),
}

/// An emulated console, one frame at a time. `Send`, not `Sync`.
#[derive(Debug)]
pub struct Emulator {
    handle: Handle,
    game: &'static Game,
    palette: Palette,
}

impl Emulator {
    /// Creates a console, puts the cartridge in and plays up to the first frame of a game.
    ///
    /// `seed` is ALE's `random_seed`. 0 and negative values are refused, because ALE replaces them
    /// by the time of day. `repeat_action_probability` applies to each frame.
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
        // A new folder contains nothing but the ROM. ALE looks only there for the files that could
        // change its settings or colours. The stem of the file is the id of the game.
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

        let mut handle =
            Handle::new(base_dir, rom_path, game.stem, seed, repeat_action_probability)
                .map_err(|refusal| failed(game, "load", &refusal))?;

        let found = handle
            .minimal_actions()
            .map_err(|refusal| failed(game, "list the actions of", &refusal))?;
        if !found.iter().copied().eq(game.actions.iter().map(|&id| i32::from(id))) {
            return Err(EmulatorError::Actions { game: game.name, expected: game.actions, found });
        }
        let (_, height, width) = handle.screen();
        if (height, width) != (FRAME_HEIGHT, FRAME_WIDTH) {
            return Err(EmulatorError::Size { game: game.name, height, width });
        }
        let (gray, rgb) = handle.palette();
        let mut emulator = Self { handle, game, palette: Palette { gray, rgb } };
        // ALE's own `loadROM` also ends with a reset. Without this reset every later random draw
        // would be shifted.
        emulator.restart()?;
        Ok(emulator)
    }

    /// Makes this console what [`Emulator::new`] with `seed` gives for the same cartridge and
    /// probability, whatever was played before. Many games on one console need no more memory than
    /// one: consoles that are created and destroyed leave holes in the memory of the C library.
    ///
    /// # Errors
    /// When the seed is below 1 or ALE refuses the call.
    pub fn renew(&mut self, seed: i32) -> Result<(), EmulatorError> {
        self.handle.renew(seed).map_err(|refusal| failed(self.game, "restart", &refusal))?;
        self.restart()
    }

    /// Lines of the last frame; the NTSC standard has 262.
    #[must_use]
    pub fn scanlines(&self) -> i32 {
        self.handle.scanlines()
    }

    /// Sets the left difficulty switch to A or B from the next frame on, until
    /// [`Console::reset_with_seed`] sets it to B. Cartridges give it a meaning of their own.
    pub fn set_left_difficulty_a(&mut self, a: bool) {
        self.handle.set_difficulty(i32::from(a));
    }

    fn restart(&mut self) -> Result<(), EmulatorError> {
        self.handle.reset().map_err(|refusal| failed(self.game, "reset", &refusal))
    }
}

impl Console for Emulator {
    fn game(&self) -> &'static Game {
        self.game
    }

    fn reset(&mut self) -> Result<(), ConsoleError> {
        Ok(self.restart()?)
    }

    fn reset_with_seed(&mut self, seed: i32) -> Result<(), ConsoleError> {
        let done = self.handle.reset_with_seed(seed);
        Ok(done.map_err(|refusal| failed(self.game, "reset", &refusal))?)
    }

    fn act(&mut self, action_id: u8) -> Result<i32, ConsoleError> {
        let reward = self.handle.act(action_id);
        Ok(reward.map_err(|refusal| failed(self.game, "run a frame of", &refusal))?)
    }

    fn game_over(&self) -> bool {
        self.handle.game_over()
    }

    fn lives(&self) -> i32 {
        self.handle.lives()
    }

    fn screen(&self) -> &[u8] {
        self.handle.screen().0
    }

    fn palette(&self) -> &Palette {
        &self.palette
    }

    fn ram(&self) -> [u8; RAM_BYTES] {
        self.handle.ram()
    }
}

fn failed(game: &'static Game, doing: &'static str, refusal: &Refusal) -> EmulatorError {
    EmulatorError::Ale { game: game.name, doing, message: refusal.to_string() }
}
