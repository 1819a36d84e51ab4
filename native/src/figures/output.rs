//! The files of a figure: SVG and PNG, its numbers, and its settings.

use std::path::{Path, PathBuf};

use anyhow::Result;
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
    /// Writes all files into `folder`, each file whole or not at all.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        let mut paths = chart::write(&self.figure, &folder.join(&self.name))?;
        let csv = folder.join(format!("{}.csv", self.name));
        self.table.write(&csv)?;
        let json = folder.join(format!("{}.json", self.name));
        let settings = json!({
            "figure": self.name,
            "version": env!("CARGO_PKG_VERSION"),
            "revision": env!("DEEPSPI_REVISION"),
            "settings": self.settings,
        });
        write_whole(&json, format!("{settings:#}\n").as_bytes())?;
        paths.extend([csv, json]);
        Ok(paths)
    }
}

/// Converts a description to JSON; NaN and infinite numbers become null.
pub fn describe(value: impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}
