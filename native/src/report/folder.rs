//! Checks where a report may be written: into an empty folder, or over an earlier report on the
//! same sweep, which may have grown since.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::sweep::Sweep;
use crate::whole_file::{entries, require_writable, write_whole};

/// Marks a folder as a report, with its sweep and the list of its files. It is written before these
/// files, so that an interrupted report can be made again.
const MARKER: &str = "report.toml";

#[derive(Serialize, Deserialize)]
struct Marker {
    files: Vec<String>,
    sweep: Sweep,
}

/// A folder that a report may be written to.
#[derive(Debug)]
pub struct ReportFolder {
    path: PathBuf,
    sweep: Sweep,
    overwrite: bool,
    /// Files of the earlier report.
    own: Vec<String>,
}

impl ReportFolder {
    /// Checks the folder before the run folders are read, which can take long.
    ///
    /// # Errors
    /// If the folder contains anything other than a report on the same sweep, or on a part of it,
    /// and `overwrite` is off.
    pub fn new(path: &Path, sweep: &Sweep, overwrite: bool) -> Result<Self> {
        let shown = path.display();
        let remedy = "choose another folder with --out, or replace its files with --overwrite";
        let mut own = Vec::new();
        match fs::read_to_string(path.join(MARKER)).map(|text| toml::from_str::<Marker>(&text)) {
            Ok(Ok(marker)) => {
                let conflicts = marker.sweep.conflicts(sweep)?;
                if !overwrite && !conflicts.is_empty() {
                    bail!(
                        "{shown} contains a report on another sweep: {}; {remedy}",
                        conflicts.join(", ")
                    );
                }
                own = marker.files;
            }
            _ if overwrite => {}
            _ => {
                let found = entries(path).with_context(|| format!("cannot list {shown}"))?;
                if let Some(entry) = found.first() {
                    let name = entry.file_name().unwrap_or_default();
                    bail!(
                        "{shown} is not empty and not a report of this program: it contains {}; {remedy}",
                        name.display()
                    );
                }
            }
        }
        Ok(Self { path: path.to_owned(), sweep: sweep.clone(), overwrite, own })
    }

    /// Fails if nothing can be written into the folder, before the statistics are computed.
    ///
    /// # Errors
    /// If it cannot be created or written.
    pub fn require_writable(&self) -> Result<()> {
        require_writable(&self.path).context("choose a writable folder with --out")
    }

    /// Prepares the folder for `files`.
    ///
    /// # Errors
    /// If one of the files exists and does not belong to the earlier report, or the folder cannot
    /// be written.
    pub fn begin(&self, files: &[String]) -> Result<()> {
        let shown = self.path.display();
        fs::create_dir_all(&self.path).with_context(|| {
            format!("cannot create {shown}; choose a writable folder with --out")
        })?;
        let foreign =
            files.iter().find(|name| !self.own.contains(name) && self.path.join(name).exists());
        if let (Some(name), false) = (foreign, self.overwrite) {
            bail!(
                "{shown} contains a file {name} that no report of this program wrote; move it away, or replace it with --overwrite"
            );
        }
        // Files of the earlier report that the new one does not have are removed; they would look
        // like a part of it.
        let plain = |name: &&String| Path::new(name).file_name() == Some(name.as_ref());
        for name in self.own.iter().filter(plain).filter(|name| !files.contains(name)) {
            match fs::remove_file(self.path.join(name)) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error)
                        .with_context(|| format!("cannot remove the old {name} in {shown}"));
                }
                _ => {}
            }
        }
        let marker = Marker { files: files.to_vec(), sweep: self.sweep.clone() };
        write_whole(&self.path.join(MARKER), toml::to_string(&marker)?.as_bytes())
    }
}
