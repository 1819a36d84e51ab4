//! Files that are whole or not there: a figure half-written by a killed process would pass for one.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

/// Writes a file under another name in the same folder, which then replaces the old one.
///
/// # Errors
/// If the folder cannot be written; the old file is then still there.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = || -> Result<()> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        // As any new file, less what the user's mask forbids: a temporary file is private otherwise.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.prefix(".writing-").tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    written().with_context(|| format!("cannot write {}", path.display()))
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
        assert_eq!(std::fs::read(&path).expect("read"), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 1);
    }

    #[test]
    fn an_error_names_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("missing").join("a.svg");
        let error = write_whole(&path, b"").expect_err("the folder is missing");
        assert!(error.to_string().contains("missing"), "{error}");
    }
}
