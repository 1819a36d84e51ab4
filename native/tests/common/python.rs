//! Python with packages from PyPI, for comparisons with programs that are not ours.
//!
//! The installation takes up to a minute, once; the packages stay in the target folder. No virtual
//! environment is used, because Debian's Python needs a further package for that. Without a network a
//! test prints a line that begins with SKIPPED, except in CI (`CI=true`), where it fails.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// A group of packages that are installed together, with options of pip.
pub(crate) type Group<'a> = (&'a [&'a str], &'a [&'a str]);

/// Python.
pub(crate) fn python() -> Command {
    let mut command = Command::new(if cfg!(windows) { "python" } else { "python3" });
    command.stdin(Stdio::null());
    command
}

/// The tests of a file run at the same time, and one of them installs.
static INSTALLING: Mutex<()> = Mutex::new(());

/// The folder `name` with packages; none without a network, which a printed line says.
pub(crate) fn packages(name: &str, groups: &[Group<'_>]) -> Option<PathBuf> {
    let installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let installed = installed(name, groups);
    drop(installing);
    match installed {
        Ok(folder) => Some(folder),
        Err(reason) => {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{reason}");
            // Not `eprintln!`, because the test harness hides its output when a test passes.
            let line = format!("SKIPPED: no comparison with {name}: {reason}\n");
            std::io::stderr().write_all(line.as_bytes()).expect("standard error is open");
            None
        }
    }
}

/// The folder with packages, which are installed now if they are missing.
fn installed(name: &str, groups: &[Group<'_>]) -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // This file names the versions and is written last, so that an incomplete installation is
    // repeated.
    let finished = folder.join("installed.txt");
    let versions = groups.iter().flat_map(|(_, packages)| *packages).copied();
    let versions = versions.collect::<Vec<_>>().join(" ");
    if std::fs::read_to_string(&finished).is_ok_and(|text| text == versions) {
        return Ok(folder);
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(|error| error.to_string())?;
    }
    for (options, packages) in groups {
        pip(&folder, options, packages)?;
    }
    std::fs::write(&finished, versions).map_err(|error| error.to_string())?;
    Ok(folder)
}

fn pip(folder: &Path, options: &[&str], packages: &[&str]) -> Result<(), String> {
    let output = python()
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"])
        .args(["--timeout", "30", "--retries", "2", "--target"])
        .arg(folder)
        .args(options)
        .args(packages)
        .output()
        .map_err(|error| format!("python3 cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    Err(format!("pip could not install {}: {}", packages.join(" "), text.trim()))
}
