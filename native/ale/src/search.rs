//! Finds a ROM by its MD5 in a folder as people have it: sub-folders, names of collections such as
//! `Pong (1978) (Atari) [!].a26`, and zip files.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use deepspi_worlds::atari::Game;
use deepspi_worlds::atari::roms::md5_hex;

/// Largest size in bytes of a cartridge of the table, with room to spare.
const LARGEST_ROM: u64 = 1 << 16;
/// Largest size in bytes of a zip file that is opened; the Python package with all ROMs has a few MiB.
const LARGEST_ZIP: u64 = 1 << 28;
/// Levels of sub-folders, so that a link to a folder above ends.
const DEPTH: usize = 6;
/// Files and folders that are looked at; a whole disk is no folder of ROMs.
const MOST: usize = 100_000;

/// A ROM that was found.
#[derive(Debug)]
pub struct Found {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The file, or the zip file with the path in it.
    pub origin: PathBuf,
}

/// The ROM of a game in a folder, its sub-folders and zip files; files that cannot be read are passed over.
#[must_use]
pub fn in_folder(folder: &Path, game: &Game) -> Option<Found> {
    let mut folders = VecDeque::from([(folder.to_owned(), 0)]);
    let mut seen = 0;
    while let Some((folder, depth)) = folders.pop_front() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        let mut paths: Vec<PathBuf> =
            entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        // The same file is found on every machine.
        paths.sort();
        for path in paths {
            seen += 1;
            if seen > MOST {
                return None;
            }
            match fs::metadata(&path) {
                Ok(about) if about.is_dir() && depth < DEPTH => {
                    folders.push_back((path, depth + 1));
                }
                Ok(about) if about.is_file() => {
                    if let Some(found) = in_file(&path, about.len(), game) {
                        return Some(found);
                    }
                }
                _ => {}
            }
        }
    }
    None
}

/// The ROM of a game as a file or in a zip file, of any name.
fn in_file(path: &Path, size: u64, game: &Game) -> Option<Found> {
    let mut file = File::open(path).ok()?;
    if size <= LARGEST_ROM {
        let mut bytes = Vec::new();
        file.by_ref().take(LARGEST_ROM).read_to_end(&mut bytes).ok()?;
        if md5_hex(&bytes) == game.md5 {
            return Some(Found { bytes, origin: path.to_owned() });
        }
        file.rewind().ok()?;
    }
    let mut magic = [0; 4];
    if size > LARGEST_ZIP || file.read_exact(&mut magic).is_err() || magic != *b"PK\x03\x04" {
        return None;
    }
    file.rewind().ok()?;
    in_zip(path, file, game)
}

fn in_zip(path: &Path, file: File, game: &Game) -> Option<Found> {
    let mut zip = zip::ZipArchive::new(file).ok()?;
    for index in 0..zip.len().min(MOST) {
        let Ok(member) = zip.by_index(index) else { continue };
        if member.is_dir() || member.size() > LARGEST_ROM {
            continue;
        }
        let name = String::from_utf8_lossy(member.name_raw()).replace('\\', "/");
        let mut bytes = Vec::new();
        // The size in the list may be wrong, so that a small file can unpack without end.
        if member.take(LARGEST_ROM + 1).read_to_end(&mut bytes).is_ok()
            && md5_hex(&bytes) == game.md5
        {
            return Some(Found { bytes, origin: path.join(name) });
        }
    }
    None
}

/// The ROM of a game in one file that the user named: the cartridge itself, or a zip file.
#[must_use]
pub fn in_named_file(path: &Path, game: &Game) -> Option<Found> {
    in_file(path, fs::metadata(path).ok()?.len(), game)
}
