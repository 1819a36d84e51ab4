//! Files and folders that are whole or not there: a figure half-written by a killed process would pass
//! for one, and half a checkpoint for a place to go on from.
//!
//! What is written gets a name of its own first and is flushed to the disk before it replaces anything.
//! What a killed process leaves has a name that [`is_leftover`] knows.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result};

/// Names of what is being written begin with this.
const WRITING: &str = ".writing_";
/// The name of a folder that is being replaced ends with this for a moment.
const REPLACED: &str = ".replaced";

/// Writes a file under another name in the same folder, which then replaces the old one.
///
/// # Errors
/// If the folder cannot be written; the old file is then still there.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = || -> Result<()> {
        let mut builder = tempfile::Builder::new();
        // As any new file, less what the user's mask forbids: a temporary file is private otherwise.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.prefix(WRITING).tempfile_in(parent(path))?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    written().with_context(|| format!("cannot write {}", path.display()))
}

/// Writes a folder of files, each a name and bytes, in the same way; folders above it are made. Durable:
/// neither the new folder nor the one that it replaces is lost with the power.
///
/// # Errors
/// If that cannot be written; nothing half is left then.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that renames what matters: files and folder are flushed first"
)]
pub fn write_whole_folder(path: &Path, files: &[(impl AsRef<Path>, Vec<u8>)]) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!("{WRITING}{name}"));
    let replaced = path.with_file_name(format!("{name}{REPLACED}"));
    let written = || -> Result<()> {
        for left in [&temporary, &replaced] {
            if left.exists() {
                fs::remove_dir_all(left)?;
            }
        }
        fs::create_dir_all(&temporary)?;
        for (name, bytes) in files {
            let mut file = File::create(temporary.join(name.as_ref()))?;
            file.write_all(bytes)?;
            file.sync_all()?;
        }
        sync_folder(&temporary)?;
        // The old one is only removed once the new one is in place.
        if path.exists() {
            fs::rename(path, &replaced)?;
        }
        fs::rename(&temporary, path)?;
        sync_folder(parent(path))?;
        if replaced.exists() {
            fs::remove_dir_all(&replaced)?;
        }
        Ok(())
    };
    let result = written();
    if result.is_err() {
        // The error of writing is the one to report.
        drop(fs::remove_dir_all(&temporary));
    }
    result.with_context(|| format!("cannot write {}", path.display()))
}

/// Whether this is the name of something that a process had not finished when it was killed.
#[must_use]
pub fn is_leftover(name: &str) -> bool {
    name.starts_with(WRITING) || name.ends_with(REPLACED)
}

/// Whether an error says that something is not there; all others leave open what it is.
#[must_use]
pub fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The folder that something is in.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Flushes the entries of a folder; without it a rename may be lost with the power.
fn sync_folder(path: &Path) -> Result<()> {
    // Windows cannot open a folder for this; its renames are journalled.
    #[cfg(unix)]
    File::open(path)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.svg");
        write_whole(&path, b"old").expect("written");
        write_whole(&path, b"new").expect("replaced");
        assert_eq!(fs::read(&path).expect("read"), b"new");
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1);
    }

    #[test]
    fn a_folder_is_replaced_whatever_an_earlier_process_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep").join("step_1");
        write_whole_folder(&path, &[("a", b"old".into()), ("b", b"old".into())]).expect("written");
        // Killed in the middle of replacing it.
        for left in [".writing_step_1", "step_1.replaced"] {
            assert!(is_leftover(left));
            fs::create_dir(path.with_file_name(left)).expect("created");
            fs::write(path.with_file_name(left).join("a"), "half").expect("written");
        }
        write_whole_folder(&path, &[("a", b"new".into())]).expect("replaced");
        assert_eq!(fs::read(path.join("a")).expect("read"), b"new");
        assert!(!path.join("b").exists(), "nothing of the old one is in the new one");
        assert_eq!(fs::read_dir(folder.path().join("deep")).expect("listed").count(), 1);
        assert!(!is_leftover("step_1"));
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_what_they_may_read_of_any_new_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let mode = |name: &str| {
            let file = fs::metadata(folder.path().join(name)).expect("there");
            file.permissions().mode()
        };
        fs::write(folder.path().join("any"), "").expect("written");
        write_whole(&folder.path().join("whole"), b"").expect("written");
        assert_eq!(mode("whole"), mode("any"));
    }

    #[test]
    fn an_error_names_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("missing").join("a.svg");
        let error = write_whole(&path, b"").expect_err("the folder is missing");
        assert!(error.to_string().contains("missing"), "{error}");
    }
}
