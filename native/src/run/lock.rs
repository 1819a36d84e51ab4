//! One process per folder: two processes that train in the same run folder would mix their logs and
//! checkpoints.
//!
//! The lock is one of the operating system on a file in the folder, because the system releases it
//! however the process ends. A file that says "busy" would remain after a killed process.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

/// Name of the file, in the folder.
const LOCK: &str = ".lock";
/// Number of attempts to take the lock: a process that only checks it holds it for a moment.
const TRIES: u32 = 20;
/// Time between two attempts.
const PAUSE: Duration = Duration::from_millis(25);

/// The exclusive right to write into a folder; it ends when this value is dropped.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the lock of a folder; `None` if another process has it.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn take(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(LOCK);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        for attempt in 1..=TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Self { _file: file })),
                Err(TryLockError::WouldBlock) if attempt < TRIES => std::thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => return Ok(None),
                // The file could be written, so only the lock is missing: the file system has none, or its lock
                // server does not answer (ENOLCK on NFS). A refusal would leave the user of such a disk no way.
                Err(TryLockError::Error(error)) => {
                    tracing::warn!("{}", no_locks(folder, &error));
                    return Ok(Some(Self { _file: file }));
                }
            }
        }
        Ok(None)
    }
}

fn no_locks(folder: &Path, error: &std::io::Error) -> String {
    format!(
        "the file system of {} gives no locks ({error}): make sure that no second process writes there",
        folder.display()
    )
}

/// Whether a process on this machine, or on one that shares its locks, has the lock of a folder.
#[must_use]
pub fn is_held(folder: &Path) -> bool {
    File::open(folder.join(LOCK))
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_owner_until_it_is_gone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(!is_held(folder.path()));
        let lock = FolderLock::take(folder.path()).expect("writable").expect("free");
        assert!(is_held(folder.path()));
        assert!(FolderLock::take(folder.path()).expect("writable").is_none());
        drop(lock);
        assert!(!is_held(folder.path()));
        assert!(FolderLock::take(folder.path()).expect("writable").is_some());
        FolderLock::take(&folder.path().join("missing")).expect_err("no folder");
    }
}
