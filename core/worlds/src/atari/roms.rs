//! Recognises a cartridge by its checksum.
//!
//! ALE's rules of a game read fixed addresses of its memory, and its selection of a mode loops for
//! ever on a cartridge that it does not expect. So no byte may reach an emulator before [`check`]
//! has accepted it, natively as in the browser.

use md5::{Digest, Md5};

use super::games::{GAMES, Game};

/// The bytes are not those of the game's known dump.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{game}: the cartridge has the MD5 {found}, expected {expected}; take the file {file} of the Python package ale-py"
)]
pub struct WrongRom {
    /// Name of the game.
    pub game: &'static str,
    /// Name of the game's file.
    pub file: String,
    /// [`Game::md5`].
    pub expected: &'static str,
    /// MD5 of the bytes.
    pub found: String,
}

/// The MD5 of some bytes: 32 lower-case hexadecimal digits.
#[must_use]
pub fn md5_hex(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Checks that the bytes are the game's cartridge.
///
/// # Errors
/// [`WrongRom`] if they are not.
pub fn check(game: &'static Game, bytes: &[u8]) -> Result<(), WrongRom> {
    let found = md5_hex(bytes);
    if found == game.md5 {
        return Ok(());
    }
    Err(WrongRom { game: game.name, file: game.file_name(), expected: game.md5, found })
}

/// The game whose cartridge these bytes are, whatever the name of the file; `None` if they are no
/// cartridge of the table.
#[must_use]
pub fn recognise(bytes: &[u8]) -> Option<&'static Game> {
    let found = md5_hex(bytes);
    GAMES.iter().find(|game| game.md5 == found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_bytes_pass() {
        assert_eq!(md5_hex(b"abc"), "900150983cd24fb0d6963f7d28e17f72");
        static GAME: Game = Game {
            name: "Abc",
            stem: "a_bc",
            md5: "900150983cd24fb0d6963f7d28e17f72",
            actions: &[0],
            lives_constant: true,
        };
        assert_eq!(check(&GAME, b"abc"), Ok(()));
        let error = check(&GAME, b"abd").expect_err("other bytes").to_string();
        for part in ["Abc", "a_bc.bin", GAME.md5, md5_hex(b"abd").as_str(), "ale-py"] {
            assert!(error.contains(part), "`{error}` does not say {part}");
        }
        assert_eq!(recognise(b"abc"), None);
    }
}
