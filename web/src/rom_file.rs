//! Finds cartridges in the files that a visitor brings: a ROM, a zip file of ROMs, or the wheel of
//! the Python package `ale-py`, which is a zip file with all of them.
//!
//! A cartridge is known by the MD5 of its bytes, whatever its file is called, and no other bytes
//! may reach the emulator ([`roms`] says why). The name of a file only helps to say what is wrong
//! with it. Files are not trusted: no more is unpacked than `LIMITS` allow, and every error is
//! one sentence that says what was found, what was expected, and what to do.

use std::sync::Arc;

use deepspi_playground::archive::looks_like_checkpoint;
use deepspi_playground::unzip::{Limits, Unzip, UnzipError};
use deepspi_worlds::atari::roms;
use deepspi_worlds::atari::{GAMES, Game};
use deepspi_worlds::cartridge::MAZE_CARTRIDGE;

/// Largest size in bytes of a chosen file: ten times that of the wheel.
pub const LARGEST_FILE: u64 = 64 << 20;
/// Size in bytes of the largest cartridge that was ever sold for this console, with room above.
const LARGEST_ROM: u64 = 512 << 10;
/// Size in bytes of the smallest one.
const SMALLEST_ROM: usize = 2 << 10;
/// What is read of a zip file: a collection of all games that there are for this console fits.
const LIMITS: Limits = Limits { files: 20_000, file: LARGEST_ROM, unpacked: 64 << 20 };

/// Where to get the right files.
const REMEDY: &str = "`python3 -m pip download --no-deps ale-py` fetches a wheel that has them all and can be dropped here";

/// The bytes of a game that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cartridge {
    /// Which game.
    pub game: &'static Game,
    /// Its verified bytes.
    pub bytes: Arc<[u8]>,
}

/// What a file holds.
#[derive(Debug, Default)]
pub struct Found {
    /// The cartridges, one of each game, in the order of the file.
    pub cartridges: Vec<Cartridge>,
    /// What could not be read beside them.
    pub damaged: Vec<UnzipError>,
}

/// Why a file gives no cartridge.
#[derive(Debug, thiserror::Error)]
pub enum RomFileError {
    /// No bytes.
    #[error("{name} is empty; a cartridge has 2 KiB or more: copy or download the file again")]
    Empty {
        /// Name of the file.
        name: String,
    },
    /// More bytes than are read.
    #[error(
        "{name} has more than {} MiB, and a cartridge or the ale-py wheel has a tenth of that: choose the file of one game, or the wheel",
        LARGEST_FILE >> 20
    )]
    TooLarge {
        /// Name of the file.
        name: String,
    },
    /// A checkpoint of an agent.
    #[error(
        "{name} is a checkpoint of an agent, not a cartridge: drop it outside this box, or choose it with the button that loads a checkpoint"
    )]
    Checkpoint {
        /// Name of the file.
        name: String,
    },
    /// Packed, but not as a zip file.
    #[error(
        "{name} is packed in the format {format}, and only zip files are unpacked here: unpack it, and choose the .bin or .a26 file"
    )]
    OtherPacking {
        /// Name of the file.
        name: String,
        /// Its format.
        format: &'static str,
    },
    /// No cartridge at all.
    #[error(
        "{name} has {size} bytes and is not a cartridge of the Atari 2600, whose files (.bin or .a26) have 2 to 512 whole KiB: choose such a file, a zip file of them, or the ale-py wheel; {REMEDY}"
    )]
    NoRom {
        /// Name of the file.
        name: String,
        /// Its size.
        size: usize,
    },
    /// The name says a game of the table, the bytes do not.
    #[error(
        "{name} looks like {} by its name, but is another dump (MD5 {found}); the emulator's rules fit only the dump with the MD5 {}, the file {} of the Python package ale-py: {REMEDY}",
        game.name, game.md5, game.file_name()
    )]
    OtherDump {
        /// Name of the file.
        name: String,
        /// The game of that name.
        game: &'static Game,
        /// MD5 of the bytes.
        found: String,
    },
    /// Neither name nor bytes are those of a game of the table.
    #[error(
        "{name} (MD5 {found}) is none of the {} games that can be played here, or another dump of one: the page knows the games of the usual Atari benchmark, each by the MD5 of its file in the Python package ale-py; {REMEDY}",
        GAMES.len()
    )]
    UnknownGame {
        /// Name of the file.
        name: String,
        /// MD5 of the bytes.
        found: String,
    },
    /// A zip file whose end, or list of files, is missing.
    #[error(
        "{name} begins as a zip file and is cut off or damaged ({why}): download or copy it again"
    )]
    CutOff {
        /// Name of the file.
        name: String,
        /// The reason.
        why: String,
    },
    /// The zip file breaks a limit.
    #[error(
        "{name} was not read to its end, because {why}, and this box expects a few cartridges: choose a zip file of cartridges only, or the ale-py wheel"
    )]
    Bomb {
        /// Name of the file.
        name: String,
        /// Which limit.
        why: String,
    },
    /// The zip file holds nothing that could be a cartridge.
    #[error(
        "{name} holds no cartridge (.bin or .a26, 2 to 512 whole KiB): choose a zip file of cartridges, or the ale-py wheel; {REMEDY}"
    )]
    NoRomInside {
        /// Name of the file.
        name: String,
    },
    /// The zip file holds cartridges, none of which is known.
    #[error("none of the {count} cartridges in {name} is a known dump of one of the {} games that can be played here: choose the ale-py wheel; {REMEDY}", GAMES.len())]
    NoneKnown {
        /// Name of the file.
        name: String,
        /// Number of files that could be cartridges.
        count: usize,
    },
    /// What could have been cartridges cannot be unpacked.
    #[error("{name} cannot be used, because {why}: download or copy it again")]
    Damaged {
        /// Name of the file.
        name: String,
        /// Which file in it, and the reason.
        why: String,
    },
}

/// Finds the cartridges in a file.
///
/// # Errors
/// [`RomFileError`] if there is none.
pub fn find(name: &str, bytes: &[u8]) -> Result<Found, RomFileError> {
    find_by(name, bytes, recognise)
}

/// The game whose cartridge these bytes are, the project's own included.
#[must_use]
pub fn recognise(bytes: &[u8]) -> Option<&'static Game> {
    if bytes.len() as u64 > LARGEST_ROM {
        return None;
    }
    let found = roms::md5_hex(bytes);
    std::iter::once(&MAZE_CARTRIDGE).chain(&GAMES).find(|game| game.md5 == found)
}

/// How a game is recognised; tests have no ROMs, and take another way.
type Recognise = fn(&[u8]) -> Option<&'static Game>;

fn find_by(name: &str, bytes: &[u8], recognise: Recognise) -> Result<Found, RomFileError> {
    let name = || name.to_owned();
    if bytes.is_empty() {
        return Err(RomFileError::Empty { name: name() });
    }
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(RomFileError::TooLarge { name: name() });
    }
    if let Some(game) = recognise(bytes) {
        let cartridge = Cartridge { game, bytes: bytes.into() };
        return Ok(Found { cartridges: vec![cartridge], damaged: Vec::new() });
    }
    if bytes.starts_with(b"PK") {
        return find_in_zip(&name(), bytes, recognise);
    }
    if looks_like_checkpoint([name().as_str()]) {
        return Err(RomFileError::Checkpoint { name: name() });
    }
    if let Some((_, format)) = PACKINGS.iter().find(|(start, _)| bytes.starts_with(start)) {
        return Err(RomFileError::OtherPacking { name: name(), format });
    }
    Err(refusal(name(), &name(), bytes))
}

/// How files in other formats of packing begin.
const PACKINGS: [(&[u8], &str); 5] = [
    (b"\x1f\x8b", "gzip"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!", "rar"),
    (b"\xfd7zXZ", "xz"),
    (b"BZh", "bzip2"),
];

/// What to say of the bytes of the file `path`, which are no known cartridge.
fn refusal(name: String, path: &str, bytes: &[u8]) -> RomFileError {
    let size = bytes.len();
    if !may_be_rom(size) {
        return RomFileError::NoRom { name, size };
    }
    let found = roms::md5_hex(bytes);
    match game_of_name(path) {
        Some(game) => RomFileError::OtherDump { name, game, found },
        None => RomFileError::UnknownGame { name, found },
    }
}

/// Whether a cartridge can have this size in bytes: whole KiB, with few exceptions, or a little
/// more.
fn may_be_rom(size: usize) -> bool {
    /// Dumps of the one cartridge with an extra chip, whose memory some dumps end with.
    const ODD: [usize; 2] = [10_495, 10_496];
    /// One load of the extension that reads games from cassettes.
    const LOAD: usize = 8448;
    let in_range = size >= SMALLEST_ROM && size as u64 <= LARGEST_ROM;
    in_range && (size.is_multiple_of(1 << 10) || size.is_multiple_of(LOAD) || ODD.contains(&size))
}

/// The game of the table that a file name means, such as `Ms. Pac-Man (1982) (Atari) [!].a26`.
fn game_of_name(name: &str) -> Option<&'static Game> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let title = stem.split(['(', '[']).next().unwrap_or(stem);
    // Collections add other titles of a game after a dash.
    let short = title.split(" - ").next().unwrap_or(title);
    [stem, title, short].into_iter().find_map(|name| {
        let letters = letters(name);
        GAMES.iter().find(|game| letters == self::letters(game.stem))
    })
}

/// Letters and digits alone, in lower case.
fn letters(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether a file is called like a cartridge.
#[must_use]
pub fn has_rom_ending(path: &str) -> bool {
    let ending = path.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| ["bin", "a26", "rom"].contains(&ending.as_str()))
}

fn find_in_zip(name: &str, bytes: &[u8], recognise: Recognise) -> Result<Found, RomFileError> {
    let file = || name.to_owned();
    let mut zip = Unzip::open(bytes, LIMITS).map_err(|error| match error {
        UnzipError::NotZip(why) => RomFileError::CutOff { name: file(), why },
        error => RomFileError::Bomb { name: file(), why: error.to_string() },
    })?;
    let names = zip.names().to_vec();
    let mut found = Found::default();
    // Files that could be cartridges, and the last of them that is not known.
    let mut count = 0;
    let mut unknown = None;
    for (index, path) in names.iter().enumerate() {
        let size = zip.stated_size(index);
        if size > LARGEST_ROM || !usize::try_from(size).is_ok_and(may_be_rom) {
            continue;
        }
        let bytes = match zip.read(index) {
            Ok(bytes) => bytes,
            Err(error @ UnzipError::Damaged { .. }) => {
                if has_rom_ending(path) {
                    found.damaged.push(error);
                }
                continue;
            }
            Err(error) => return Err(RomFileError::Bomb { name: file(), why: error.to_string() }),
        };
        if let Some(game) = recognise(&bytes) {
            if found.cartridges.iter().all(|known| known.game != game) {
                found.cartridges.push(Cartridge { game, bytes: bytes.into() });
            }
        } else if has_rom_ending(path) {
            count += 1;
            unknown = Some(refusal(format!("{path} in {name}"), path, &bytes));
        }
    }
    if !found.cartridges.is_empty() {
        return Ok(found);
    }
    if looks_like_checkpoint(names.iter().map(String::as_str)) {
        return Err(RomFileError::Checkpoint { name: file() });
    }
    Err(match (found.damaged.first(), unknown, count) {
        (Some(error), ..) => RomFileError::Damaged { name: file(), why: error.to_string() },
        (None, Some(refusal), 1) => refusal,
        (None, _, 0) => RomFileError::NoRomInside { name: file() },
        (None, _, count) => RomFileError::NoneKnown { name: file(), count },
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::{Cursor, Write};

    use deepspi_worlds::cartridge::ROM;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    /// A made-up cartridge: the stem of a game, and noise, which cannot be packed.
    fn made_up(stem: &str) -> Vec<u8> {
        let mut bytes = stem.as_bytes().to_vec();
        let mut state = 1_u32;
        bytes.resize_with(4096, || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_le_bytes()[3]
        });
        bytes
    }

    /// Recognises the made-up cartridges of the table's games.
    fn by_stem(bytes: &[u8]) -> Option<&'static Game> {
        GAMES.iter().find(|game| bytes == made_up(game.stem))
    }

    pub fn pack<'a>(files: impl IntoIterator<Item = (&'a str, Vec<u8>)>) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            writer.start_file(name, SimpleFileOptions::default()).expect("started");
            writer.write_all(&bytes).expect("written");
        }
        writer.finish().expect("finished").into_inner()
    }

    /// A file like the wheel of `ale-py`: all games, others that are not in the table, and other
    /// files.
    fn wheel() -> Vec<u8> {
        let paths: Vec<String> =
            GAMES.iter().map(|game| format!("ale_py/roms/{}", game.file_name())).collect();
        let games = paths.iter().zip(&GAMES).map(|(path, game)| (&**path, made_up(game.stem)));
        let others = [
            ("ale_py/__init__.py", b"import os".to_vec()),
            ("ale_py/_ale_py.so", vec![1; 4 << 20]),
            ("ale_py/roms/adventure.bin", made_up("adventure")),
            ("ale_py/roms/md5.json", b"{}".to_vec()),
        ];
        pack(others.into_iter().chain(games))
    }

    fn games(found: &Found) -> Vec<&str> {
        found.cartridges.iter().map(|cartridge| cartridge.game.name).collect()
    }

    /// The sentence that is said of a file, which must have these parts.
    fn refused(name: &str, bytes: &[u8], parts: &[&str]) -> RomFileError {
        let error = find_by(name, bytes, by_stem).expect_err("refused");
        let text = error.to_string();
        for part in parts {
            assert!(text.contains(part), "`{text}` does not say {part}");
        }
        assert!(text.contains(": "), "`{text}` does not say what to do");
        error
    }

    #[test]
    fn a_cartridge_is_known_by_its_bytes_whatever_its_name() {
        let found = find("holiday.jpg", ROM).expect("the project's own");
        assert_eq!(games(&found), [MAZE_CARTRIDGE.name]);
        assert_eq!(*found.cartridges[0].bytes, ROM[..]);
        let zipped = pack([("a/b.txt", b"hello".to_vec()), ("a/no name", ROM.to_vec())]);
        assert_eq!(games(&find("x.zip", &zipped).expect("inside")), [MAZE_CARTRIDGE.name]);
        let found = find_by("x", &made_up("pong"), by_stem).expect("a game");
        assert_eq!(games(&found), ["Pong"]);
    }

    #[test]
    fn the_wheel_has_every_game_once() {
        let found = find_by("ale_py-0.11.2-cp312.whl", &wheel(), by_stem).expect("all of them");
        assert_eq!(found.cartridges.len(), GAMES.len());
        assert!(found.damaged.is_empty());
        let twice = pack([("a.bin", made_up("pong")), ("b.bin", made_up("pong"))]);
        assert_eq!(games(&find_by("x.zip", &twice, by_stem).expect("one")), ["Pong"]);
    }

    #[test]
    fn a_wheel_that_is_cut_off_is_not_called_another_kind_of_file() {
        let wheel = wheel();
        for part in [2, 3, 100] {
            let cut = &wheel[..wheel.len() - wheel.len() / part];
            let error = refused("ale_py.whl", cut, &["ale_py.whl", "cut off", "download"]);
            assert!(matches!(error, RomFileError::CutOff { .. }), "{error:?}");
        }
    }

    #[test]
    fn damaged_cartridges_are_reported_beside_the_others() {
        let mut bytes = pack([("a/pong.bin", made_up("pong")), ("alien.bin", made_up("alien"))]);
        bytes[2000] ^= 0xff;
        let found = find_by("x.zip", &bytes, by_stem).expect("the other one");
        assert_eq!(games(&found), ["Alien"]);
        assert!(found.damaged[0].to_string().contains("a/pong.bin"), "{:?}", found.damaged);
        let mut bytes = pack([("a/pong.bin", made_up("pong"))]);
        bytes[2000] ^= 0xff;
        refused("x.zip", &bytes, &["x.zip", "a/pong.bin", "damaged", "again"]);
    }

    #[test]
    fn another_dump_is_refused_with_the_one_that_is_wanted() {
        let other = made_up("other");
        let (found, pacman) = (roms::md5_hex(&other), Game::find("MsPacman").expect("there"));
        for name in ["ms_pacman.bin", "Ms. Pac-Man (1982) (Atari) [!].a26", "MsPacman.BIN"] {
            let parts = [name, &found, "MsPacman", pacman.md5, "ms_pacman.bin", "ale-py"];
            let error = refused(name, &other, &parts);
            assert!(matches!(error, RomFileError::OtherDump { .. }), "{error:?}");
        }
        let zipped = pack([("roms/ms_pacman.bin", other)]);
        refused("x.zip", &zipped, &["roms/ms_pacman.bin in x.zip", pacman.md5]);
    }

    #[test]
    fn a_game_that_cannot_be_played_is_not_taken_for_one_that_can() {
        let other = made_up("other");
        for name in ["Adventure (1980) (Atari).bin", "Pitfall II - Lost Caverns (1984).a26", "x"] {
            let error = refused(name, &other, &[name, &roms::md5_hex(&other), "57 games"]);
            assert!(matches!(error, RomFileError::UnknownGame { .. }), "{error:?}");
        }
        let zipped = pack([("a.bin", made_up("a")), ("b.a26", made_up("b"))]);
        refused("x.zip", &zipped, &["none of the 2 cartridges in x.zip", "ale-py"]);
    }

    #[test]
    fn files_that_are_no_cartridges_are_refused_with_what_is_expected() {
        refused("pong.bin", &[], &["pong.bin is empty", "2 KiB"]);
        for (name, size) in [("photo.jpg", 2000), ("pong.bin", 4095), ("film.mp4", 1 << 20)] {
            let size_text = format!("{size} bytes");
            refused(name, &vec![9; size], &[name, &size_text, ".bin or .a26", "ale-py wheel"]);
        }
        refused("pong.7z", b"7z\xbc\xaf\x27\x1c....", &["pong.7z", "7z", "unpack it"]);
        refused("x.zip", &pack([("readme.txt", b"hello".to_vec())]), &["x.zip holds no cartridge"]);
        let large = vec![0; usize::try_from(LARGEST_FILE).expect("fits") + 1];
        refused("disk.img", &large, &["disk.img", "64 MiB"]);
    }

    #[test]
    fn a_checkpoint_is_sent_to_its_place() {
        refused("model.safetensors", &[1; 4096], &["checkpoint of an agent", "outside this box"]);
        let run = pack([
            ("run/config.toml", b"[run]".to_vec()),
            ("run/checkpoints/step_1/state.json", b"{}".to_vec()),
            ("run/checkpoints/step_1/environments.bin", vec![0; 4096]),
        ]);
        refused("run.zip", &run, &["run.zip is a checkpoint of an agent"]);
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        // An honest one: nothing in it has the size of a cartridge.
        const SIZE: u32 = 0x0102_0304;
        let honest = pack([("pong.bin", vec![0; SIZE as usize])]);
        assert!(honest.len() < 100_000);
        refused("bomb.zip", &honest, &["holds no cartridge"]);
        // One that says to be small.
        let mut lying = honest;
        for at in 0..lying.len() - 4 {
            if lying[at..at + 4] == SIZE.to_le_bytes() {
                lying[at..at + 4].copy_from_slice(&4096_u32.to_le_bytes());
            }
        }
        refused("bomb.zip", &lying, &["bomb.zip", "pong.bin", "larger than"]);
        // Many that are as large as allowed.
        let files: Vec<String> = (0..129).map(|i| format!("{i}.bin")).collect();
        let many = pack(files.iter().map(|name| (&**name, vec![0; 512 << 10])));
        refused("bomb.zip", &many, &["bomb.zip", "64 MiB"]);
        // A long list.
        let mut list = pack([("a", Vec::new())]);
        list.extend(b"PK\x01\x02".repeat(20_000));
        refused("bomb.zip", &list, &["bomb.zip", "20000 files"]);
    }
}
