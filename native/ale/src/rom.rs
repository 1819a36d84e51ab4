//! Finds the ROMs of games and verifies them.
//!
//! ROMs may not be redistributed freely, so neither the repository nor any release contains one,
//! except the project's own ([`deepspi_worlds::cartridge`]).
//! They are looked for on the user's machine; if none is found, they are taken once from the Python
//! package `ale-py`, which is downloaded. Whatever the source, no byte reaches the emulator before
//! its checksum matched ([`deepspi_worlds::atari::games`] says why). Only [`Rom::new`] makes a
//! [`Rom`].

use std::{
    env, fmt, fs,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::Arc,
};

use deepspi_worlds::atari::games::{GAMES, Game};
use deepspi_worlds::atari::roms::{self, WrongRom};
use deepspi_worlds::cartridge;

use crate::search;

/// The requirement handed to pip; wheels carry ROMs since 0.9.0.
const PACKAGE: &str = "ale-py>=0.9.0";
/// The folder of the ROMs inside the wheel.
const WHEEL_FOLDER: &str = "ale_py/roms/";
/// No cartridge is larger; the limit protects against a wheel that unpacks without end.
const MAX_FILE: u64 = 1 << 20;

/// How to obtain ROMs by hand; part of every error about a missing ROM.
const BY_HAND: &str = "with a network connection run `python3 -m pip download --no-deps ale-py`, unzip the wheel, \
                       and point --roms or ALE_ROMS_DIR at its folder ale_py/roms";

/// Why there is no ROM.
#[derive(Debug, thiserror::Error)]
pub enum RomError {
    /// The folder named by the user does not contain the file.
    #[error("{game}: there is no ROM {}; {BY_HAND}", path.display())]
    Missing {
        /// Name of the game.
        game: &'static str,
        /// Where it was expected.
        path: PathBuf,
    },
    /// The folder or file named by the user does not contain the game.
    #[error(
        "{game}: no ROM of it is in {}: neither {file} nor a file of another name, in sub-folders and zip files too, \
         has its MD5 {expected}; {BY_HAND}",
        path.display()
    )]
    NotIn {
        /// Name of the game.
        game: &'static str,
        /// The folder or file.
        path: PathBuf,
        /// The usual name of the ROM.
        file: String,
        /// [`Game::md5`].
        expected: &'static str,
    },
    /// The file exists and cannot be read.
    #[error("{game}: the ROM {} cannot be read: {source}", path.display())]
    Unreadable {
        /// Name of the game.
        game: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The bytes are not those of the game's known dump.
    #[error("{game}: {} has the MD5 {found}, expected {expected}; replace it by the file of the same name in the Python package ale-py", path.display())]
    Checksum {
        /// Name of the game.
        game: &'static str,
        /// The file.
        path: PathBuf,
        /// [`Game::md5`].
        expected: &'static str,
        /// MD5 of the file.
        found: String,
    },
    /// No source had the ROM, and the download failed.
    #[error("{game}: no ROM was found and fetching it failed: {reason}; {BY_HAND}")]
    Fetch {
        /// Name of the game.
        game: &'static str,
        /// What went wrong.
        reason: String,
    },
    /// No source had the ROM, and downloading is off.
    #[error("{game}: no ROM was found and downloading is switched off; {BY_HAND}")]
    NotFound {
        /// Name of the game.
        game: &'static str,
    },
}

/// The verified bytes of one game's ROM. Cheap to clone.
#[derive(Clone)]
pub struct Rom {
    game: &'static Game,
    bytes: Arc<[u8]>,
    origin: PathBuf,
}

impl fmt::Debug for Rom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rom")
            .field("game", &self.game.name)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl Rom {
    /// Checks that the MD5 of the bytes is that of the game. `origin` names their source in
    /// messages.
    ///
    /// # Errors
    /// [`RomError::Checksum`].
    pub fn new(
        game: &'static Game,
        bytes: impl Into<Arc<[u8]>>,
        origin: impl Into<PathBuf>,
    ) -> Result<Self, RomError> {
        let (bytes, origin) = (bytes.into(), origin.into());
        match roms::check(game, &bytes) {
            Ok(()) => Ok(Self { game, bytes, origin }),
            Err(WrongRom { game, expected, found, .. }) => {
                Err(RomError::Checksum { game, path: origin, expected, found })
            }
        }
    }

    /// The project's own cartridge, which is part of the program.
    ///
    /// # Errors
    /// Never, unless the program was built from bytes that are not those of the cartridge.
    pub fn maze_cartridge() -> Result<Self, RomError> {
        Self::new(&cartridge::MAZE_CARTRIDGE, &cartridge::ROM[..], "the program itself")
    }

    /// Reads and checks one file.
    ///
    /// # Errors
    /// [`RomError::Missing`], [`RomError::Unreadable`] or [`RomError::Checksum`].
    pub fn read(game: &'static Game, path: &Path) -> Result<Self, RomError> {
        let mut bytes = Vec::new();
        match File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes)) {
            Ok(_) => Self::new(game, bytes, path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(RomError::Missing { game: game.name, path: path.to_path_buf() })
            }
            Err(source) => {
                Err(RomError::Unreadable { game: game.name, path: path.to_path_buf(), source })
            }
        }
    }

    /// The game.
    #[must_use]
    pub const fn game(&self) -> &'static Game {
        self.game
    }

    /// The cartridge.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file it was read from.
    #[must_use]
    pub fn origin(&self) -> &Path {
        &self.origin
    }
}

/// Where to look for ROMs; [`RomFinder::find`] documents the order.
#[derive(Debug, Clone)]
pub struct RomFinder {
    /// Folder, or ROM or zip file, named by the user for this run. No other source is tried: a ROM missing there is an
    /// error.
    pub explicit_dir: Option<PathBuf>,
    /// `$ALE_ROMS_DIR`. If a ROM is missing there, the other sources are tried; a wrong ROM is an
    /// error.
    pub env_dir: Option<PathBuf>,
    /// Python interpreter with which an installed `ale_py` is located and pip is run.
    pub python: Option<PathBuf>,
    /// This program's own folder of ROMs, filled by the download.
    pub cache_dir: Option<PathBuf>,
    /// Whether to download into `cache_dir` as the last resort.
    pub download: bool,
    /// Called with one line of text before a download starts.
    pub announce: fn(&str),
}

impl RomFinder {
    /// The usual sources: `explicit_dir`, `$ALE_ROMS_DIR`, `python3`, `<user cache>/deepspi/roms`,
    /// download.
    #[must_use]
    pub fn from_environment(explicit_dir: Option<&Path>) -> Self {
        Self {
            explicit_dir: explicit_dir.map(Path::to_path_buf),
            env_dir: env::var_os("ALE_ROMS_DIR").filter(|dir| !dir.is_empty()).map(PathBuf::from),
            python: Some(PathBuf::from(if cfg!(windows) { "python" } else { "python3" })),
            cache_dir: directories::BaseDirs::new()
                .map(|dirs| dirs.cache_dir().join("deepspi").join("roms")),
            download: true,
            announce: |line| tracing::info!("{line}"),
        }
    }

    /// Finds or downloads the ROM of a game.
    ///
    /// # Errors
    /// When a folder that the user named is wrong, or no source has the ROM.
    pub fn find(&self, game: &'static Game) -> Result<Rom, RomError> {
        if let Some(dir) = &self.explicit_dir {
            return named(game, dir);
        }
        if let Some(dir) = &self.env_dir {
            match named(game, dir) {
                Err(error @ RomError::NotIn { .. }) => tracing::debug!("{error}"),
                answer => return answer,
            }
        }
        // The cache is checked before Python although it comes later in the list: it contains only
        // verified copies of the same files, and starting an interpreter takes longer than a whole
        // reset.
        if let Some(rom) = self.cached(game) {
            return Ok(rom);
        }
        if let Some(dir) = self.installed_dir() {
            match Rom::read(game, &dir.join(game.file_name())) {
                Ok(rom) => return Ok(rom),
                Err(error) => tracing::warn!("the installed ale_py cannot be used: {error}"),
            }
        }
        self.fetch(game)
    }

    fn cached(&self, game: &'static Game) -> Option<Rom> {
        match Rom::read(game, &self.cache_dir.as_ref()?.join(game.file_name())) {
            Ok(rom) => Some(rom),
            Err(RomError::Missing { .. }) => None,
            Err(error) => {
                tracing::warn!("the cached copy is ignored: {error}");
                None
            }
        }
    }

    /// The ROM folder of an installed `ale_py`, which is located without importing the package.
    fn installed_dir(&self) -> Option<PathBuf> {
        const ASK: &str = "import importlib.util as u; s = u.find_spec('ale_py'); print(s.origin if s and s.origin else '')";
        let output = Command::new(self.python.as_ref()?)
            .args(["-c", ASK])
            .stdin(Stdio::null())
            .output()
            .ok()?;
        let origin = String::from_utf8(output.stdout).ok()?;
        let dir = Path::new(origin.trim()).parent()?.join("roms");
        dir.is_dir().then_some(dir)
    }

    fn fetch(&self, game: &'static Game) -> Result<Rom, RomError> {
        let (true, Some(python), Some(cache)) = (self.download, &self.python, &self.cache_dir)
        else {
            return Err(RomError::NotFound { game: game.name });
        };
        let failed = |reason: String| RomError::Fetch { game: game.name, reason };
        let Some(parent) = cache.parent() else {
            return Err(failed(format!("{} has no parent folder", cache.display())));
        };
        let in_parent = |error: io::Error| failed(format!("{}: {error}", parent.display()));
        fs::create_dir_all(parent).map_err(in_parent)?;
        // One download at a time on this machine: a process that had to wait finds the cache
        // filled.
        let lock = File::create(parent.join("roms.lock")).map_err(in_parent)?;
        // Without locks (some network file systems) two processes may both download; the files are equal.
        if let Err(error) = lock.lock() {
            tracing::debug!("{} has no locks: {error}", parent.display());
        }
        if let Some(rom) = self.cached(game) {
            return Ok(rom);
        }
        (self.announce)(&format!(
            "downloading the Atari ROMs once, from the Python package ale-py into {}",
            cache.display()
        ));
        let work =
            tempfile::Builder::new().prefix(".roms-").tempdir_in(parent).map_err(in_parent)?;
        let wheel = download_wheel(python, work.path()).map_err(failed)?;
        let unpacked = work.path().join("roms");
        unpack(&wheel, &unpacked)
            .map_err(|error| failed(format!("{}: {error}", wheel.display())))?;
        for game in &GAMES {
            Rom::read(game, &unpacked.join(game.file_name()))
                .map_err(|error| failed(error.to_string()))?;
        }
        install(&unpacked, cache)
            .map_err(|error| failed(format!("{}: {error}", cache.display())))?;
        Rom::read(game, &cache.join(game.file_name()))
    }
}

/// The ROM of a game in a folder that the user named, by its usual name or by its bytes; or in the file that was
/// named instead of a folder.
fn named(game: &'static Game, path: &Path) -> Result<Rom, RomError> {
    let is_file = path.is_file();
    let usual = if is_file { path.to_path_buf() } else { path.join(game.file_name()) };
    let error = match Rom::read(game, &usual) {
        Ok(rom) => return Ok(rom),
        Err(error) => error,
    };
    let search = if is_file { search::in_named_file } else { search::in_folder };
    match (search(path, game), error) {
        (Some(found), _) => Rom::new(game, found.bytes, found.origin),
        (None, RomError::Missing { game: name, .. }) => Err(RomError::NotIn {
            game: name,
            path: path.to_path_buf(),
            file: game.file_name(),
            expected: game.md5,
        }),
        // The file is there and is not usable: its own error says more.
        (None, error) => Err(error),
    }
}

/// Downloads a wheel of the package into `folder` with pip.
fn download_wheel(python: &Path, folder: &Path) -> Result<PathBuf, String> {
    // The ROMs are the same in every wheel. If there is no wheel for this interpreter, the wheel of
    // another platform is used.
    const ANY_PLATFORM: [&str; 4] =
        ["--platform", "manylinux_2_28_x86_64", "--python-version", "3.12"];
    let mut reasons = Vec::new();
    for extra in [&[][..], &ANY_PLATFORM[..]] {
        let output = Command::new(python)
            .args([
                "-m",
                "pip",
                "download",
                "--quiet",
                "--disable-pip-version-check",
                "--no-input",
                "--no-deps",
            ])
            .args(["--only-binary=:all:", "--timeout", "30", "--retries", "2", "--dest"])
            .arg(folder)
            .args(extra)
            .arg(PACKAGE)
            .stdin(Stdio::null())
            .output();
        match output {
            Ok(output) if output.status.success() => {
                let wheel = fs::read_dir(folder)
                    .map_err(|error| error.to_string())?
                    .filter_map(Result::ok)
                    .map(|entry| entry.path())
                    .find(|path| path.extension().is_some_and(|extension| extension == "whl"));
                return wheel.ok_or_else(|| "pip reported success but wrote no wheel".to_owned());
            }
            Ok(output) => reasons.push(last_line(&output)),
            Err(error) => return Err(format!("{} cannot be run: {error}", python.display())),
        }
    }
    reasons.dedup();
    Err(reasons.join("; then, for any platform, "))
}

fn last_line(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no message");
    format!("pip: {} ({})", line.trim(), output.status)
}

/// Unpacks the ROMs and their list of checksums, and nothing else.
fn unpack(wheel: &Path, folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)?;
    let mut archive = zip::ZipArchive::new(File::open(wheel)?)?;
    for index in 0..archive.len() {
        let member = archive.by_index(index)?;
        let Some(name) = member.name()?.strip_prefix(WHEEL_FOLDER).map(str::to_owned) else {
            continue;
        };
        // Only plain file names are accepted, so that nothing is written outside `folder`.
        let plain = !name.contains(['/', '\\', ':']) && !name.starts_with('.');
        if plain && (name.ends_with(".bin") || name == "md5.json") {
            let mut bytes = Vec::new();
            member.take(MAX_FILE).read_to_end(&mut bytes)?;
            fs::write(folder.join(name), bytes)?;
        }
    }
    Ok(())
}

/// Moves the finished folder into place, or only its files if an older, damaged cache exists.
#[expect(
    clippy::disallowed_methods,
    reason = "a cache need not be durable: every file is checked when it is read"
)]
fn install(unpacked: &Path, cache: &Path) -> io::Result<()> {
    if fs::rename(unpacked, cache).is_ok() {
        return Ok(());
    }
    fs::create_dir_all(cache)?;
    for entry in fs::read_dir(unpacked)? {
        let entry = entry?;
        fs::rename(entry.path(), cache.join(entry.file_name()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_roms_leave_the_wheel() {
        use std::io::Write as _;
        let folder = tempfile::tempdir().unwrap();
        let wheel = folder.path().join("x.whl");
        let mut writer = zip::ZipWriter::new(File::create(&wheel).unwrap());
        for name in [
            "ale_py/roms/pong.bin",
            "ale_py/roms/md5.json",
            "ale_py/roms/../../evil.bin",
            "ale_py/roms/sub/x.bin",
            "ale_py/roms/__init__.py",
            "evil.bin",
        ] {
            writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(name.as_bytes()).unwrap();
        }
        writer.finish().unwrap();
        let out = folder.path().join("roms");
        unpack(&wheel, &out).unwrap();
        let mut names: Vec<_> =
            fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["md5.json", "pong.bin"]);
        assert!(!folder.path().join("evil.bin").exists());
    }

    #[test]
    fn a_damaged_cache_is_replaced_file_by_file() {
        let folder = tempfile::tempdir().unwrap();
        let (fresh, cache) = (folder.path().join("fresh"), folder.path().join("roms"));
        for (dir, text) in [(&fresh, "new"), (&cache, "old")] {
            fs::create_dir(dir).unwrap();
            fs::write(dir.join("pong.bin"), text).unwrap();
        }
        install(&fresh, &cache).unwrap();
        assert_eq!(fs::read_to_string(cache.join("pong.bin")).unwrap(), "new");
    }
}
