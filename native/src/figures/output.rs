//! The files of a figure: SVG and PNG, its numbers, and its settings.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use serde::Serialize;
use serde_json::{Value, json};

use crate::chart::{self, Figure, table::Table};
use crate::whole_file::write_whole;

/// A finished figure.
#[derive(Debug)]
pub struct Output {
    /// Name of its files without an ending.
    pub name: String,
    /// The figure.
    pub figure: Figure,
    /// All of its numbers.
    pub table: Table,
    /// All settings needed to make it again.
    pub settings: Value,
}

impl Output {
    /// Names of its files.
    pub fn names(&self) -> [String; 4] {
        ["svg", "png", "csv", "json"].map(|ending| format!("{}.{ending}", self.name))
    }

    /// Refuses to replace files with the names of this figure that no figure of this program wrote: its
    /// JSON names the figure.
    ///
    /// # Errors
    /// If there are such files.
    pub fn require_own(&self, folder: &Path) -> Result<()> {
        let paths = self.names().map(|name| folder.join(name));
        let Some(taken) = paths.iter().find(|path| path.exists()) else { return Ok(()) };
        let [.., json] = &paths;
        let settings = fs::read(json).ok();
        let settings = settings.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        ensure!(
            settings.is_some_and(|settings| settings["figure"] == self.name),
            "{} exists and is not of this figure, so it is not replaced; move it away, or choose another folder with --out",
            taken.display()
        );
        Ok(())
    }

    /// Writes all files into `folder`, each file whole or not at all.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        // The JSON first: it says whose the others are, should this be interrupted.
        let json = folder.join(format!("{}.json", self.name));
        let settings = json!({
            "figure": self.name,
            "version": env!("CARGO_PKG_VERSION"),
            "revision": env!("DEEPSPI_REVISION"),
            "settings": self.settings,
        });
        write_whole(&json, format!("{settings:#}\n").as_bytes())?;
        let mut paths = chart::write(&self.figure, &folder.join(&self.name))?;
        let csv = folder.join(format!("{}.csv", self.name));
        self.table.write(&csv)?;
        paths.extend([csv, json]);
        Ok(paths)
    }
}

/// Converts a description to JSON; NaN and infinite numbers become null.
pub fn describe(value: impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_same_figure_are_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let output = Output {
            name: "maze".into(),
            figure: Figure { title: "t".into(), ..Figure::default() },
            table: Table::new(&["a"]),
            settings: Value::Null,
        };
        let check = || output.require_own(folder.path());
        check().expect("nothing there");
        output.write(folder.path()).expect("written");
        check().expect("its own");
        let json = folder.path().join("maze.json");
        for other in ["{\"figure\": \"phase\"}", "[1, 2]", "mine"] {
            fs::write(&json, other).expect("written");
            let error = check().expect_err("foreign").to_string();
            assert!(error.contains("maze.svg") && error.contains("--out"), "{error}");
        }
        for ending in ["svg", "png", "json"] {
            fs::remove_file(folder.path().join(format!("maze.{ending}"))).expect("removed");
        }
        let error = check().expect_err("a table without a figure").to_string();
        assert!(error.contains("maze.csv"), "{error}");
    }
}
