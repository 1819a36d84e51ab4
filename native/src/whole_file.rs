//! Writes files and folders that are complete or absent, so that a file which a killed process left
//! incomplete is never taken for a complete figure or checkpoint.
//!
//! New content is first written under a temporary name and flushed to the disk; then it replaces
//! the old. [`is_leftover`](deepspi_run::run_files::is_leftover) recognises the temporary names
//! that a killed process leaves.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use deepspi_run::run_files::{REPLACED_SUFFIX, WRITING_PREFIX};

/// Writes a file under a temporary name in the same folder; it then replaces the old file.
///
/// # Errors
/// If the folder cannot be written; the old file is then unchanged.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = || -> Result<()> {
        let mut builder = tempfile::Builder::new();
        // Gives the file the usual permissions of the user's mask; a temporary file would be
        // private otherwise.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.prefix(WRITING_PREFIX).tempfile_in(parent(path))?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    written().with_context(|| format!("cannot write {}", path.display()))
}

/// Writes a folder of files, each given as name and bytes, in the same way; missing parent folders
/// are created. The write is durable: a power failure loses neither the new folder nor the one that
/// it replaces.
///
/// # Errors
/// If the folder cannot be written; no incomplete folder is left then.
#[expect(
    clippy::disallowed_methods,
    reason = "the only place with durable renames: files and folder are flushed first"
)]
pub fn write_whole_folder(path: &Path, files: &[(impl AsRef<Path>, Vec<u8>)]) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!("{WRITING_PREFIX}{name}"));
    let replaced = path.with_file_name(format!("{name}{REPLACED_SUFFIX}"));
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
        // The old folder is removed only after the new one is in place.
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
        // The error to report is the one from writing.
        drop(fs::remove_dir_all(&temporary));
    }
    result.with_context(|| format!("cannot write {}", path.display()))
}

/// Writes files, each given as name and bytes, into a folder that exists, in place of the files `old` of it. All are
/// written under temporary names before the first old one is replaced, so that a full disk changes nothing.
///
/// # Errors
/// If the folder cannot be written.
#[expect(
    clippy::disallowed_methods,
    reason = "durable renames: files and folder are flushed first"
)]
pub fn replace_files(
    folder: &Path,
    old: &[PathBuf],
    files: &[(impl AsRef<Path>, Vec<u8>)],
) -> Result<()> {
    let written = || -> Result<()> {
        let temporary = tempfile::Builder::new().prefix(WRITING_PREFIX).tempdir_in(folder)?;
        for (name, bytes) in files {
            let mut file = File::create(temporary.path().join(name.as_ref()))?;
            file.write_all(bytes)?;
            file.sync_all()?;
        }
        let new: Vec<PathBuf> = files.iter().map(|(name, _)| folder.join(name.as_ref())).collect();
        for ((name, _), path) in files.iter().zip(&new) {
            fs::rename(temporary.path().join(name.as_ref()), path)?;
        }
        for path in old.iter().filter(|path| !new.contains(path)) {
            fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
        sync_folder(folder)
    };
    written().with_context(|| format!("cannot write into {}", folder.display()))
}

/// Fails if no file can be created in a folder, which is created if it does not exist; nothing is left in it. Commands
/// that work for minutes and write at the end call this first.
///
/// # Errors
/// If the folder cannot be created or written.
pub fn require_writable(folder: &Path) -> Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    tempfile::Builder::new()
        .prefix(WRITING_PREFIX)
        .tempfile_in(folder)
        .map(drop)
        .with_context(|| format!("cannot write into {}", folder.display()))
}

/// Refuses to replace a file that `what` does not describe: it does not begin as such files do. A run folder has
/// `evaluation.csv`, which a curve named `evaluation.svg` would lose.
///
/// # Errors
/// If there is such a file, and not an empty one.
pub fn require_replaceable(path: &Path, beginning: &str, what: &str) -> Result<()> {
    let mut old = Vec::new();
    let read =
        File::open(path).and_then(|file| file.take(beginning.len() as u64).read_to_end(&mut old));
    if read.is_ok() && !old.is_empty() && old != beginning.as_bytes() {
        bail!(
            "{} exists and is not {what}, so it is not replaced; choose another name with --out",
            path.display()
        );
    }
    Ok(())
}

/// Whether an error says that a file does not exist; all other errors leave that open.
#[must_use]
pub fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The entries of a folder; none if it does not exist.
///
/// # Errors
/// If it exists and cannot be listed.
pub fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Err(error) if is_absent(&error) => Ok(Vec::new()),
        listed => listed?.map(|entry| Ok(entry?.path())).collect(),
    }
}

/// The folder that contains a file or folder.
#[must_use]
pub fn parent(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Flushes the entries of a folder; without this, a power failure may undo a rename.
fn sync_folder(path: &Path) -> Result<()> {
    // Windows cannot open a folder for flushing; its renames are journalled.
    #[cfg(unix)]
    File::open(path)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests {
    use deepspi_run::run_files::is_leftover;

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
    fn only_a_file_of_the_same_kind_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("evaluation.csv");
        let check = || require_replaceable(&path, "step,games", "the numbers of a curve");
        check().expect("no file");
        for kept in ["", "step,games", "step,games,mean\n1,2,3\n"] {
            fs::write(&path, kept).expect("written");
            check().expect("a curve");
        }
        for other in ["episode,seed\n", "step", "x"] {
            fs::write(&path, other).expect("written");
            let error = check().expect_err("another table").to_string();
            assert!(error.contains("evaluation.csv") && error.contains("--out"), "{error}");
        }
    }

    #[test]
    fn a_folder_is_replaced_whatever_an_earlier_process_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep").join("step_1");
        write_whole_folder(&path, &[("a", b"old".into()), ("b", b"old".into())]).expect("written");
        // As a process leaves them that is killed while it replaces a folder.
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

    #[test]
    fn files_of_a_folder_are_replaced_and_a_failure_changes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let names = || -> Vec<String> {
            let mut names: Vec<_> = entries(folder.path())
                .expect("listed")
                .iter()
                .map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned())
                .collect();
            names.sort();
            names
        };
        for name in ["a", "b", "mine"] {
            fs::write(path(name), "old").expect("written");
        }
        let old = [path("a"), path("b")];
        // A name in a folder that does not exist stands for a disk that is full at the second file.
        let error =
            replace_files(folder.path(), &old, &[("a", b"new".into()), ("none/c", b"".into())]);
        assert!(error.expect_err("refused").to_string().contains("cannot write into"));
        assert_eq!(names(), ["a", "b", "mine"]);
        assert_eq!(fs::read(path("a")).expect("there"), b"old");
        replace_files(folder.path(), &old, &[("a", b"new".into()), ("c", b"new".into())])
            .expect("written");
        assert_eq!(names(), ["a", "c", "mine"]);
        assert_eq!(fs::read(path("a")).expect("there"), b"new");
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
