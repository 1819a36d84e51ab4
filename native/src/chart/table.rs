//! Tidy tables as CSV beside the figures: one observation per row, so that others can draw figures
//! of their own.

use std::fmt::Display;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::whole_file::write_whole;

/// A table being filled in.
#[derive(Clone, Debug)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table with these columns.
    pub fn new(header: &[&str]) -> Self {
        Self { header: header.iter().map(ToString::to_string).collect(), rows: Vec::new() }
    }

    /// Adds a row of text and numbers; an `f64` is written with all its digits.
    ///
    /// # Errors
    /// If the row has more or fewer fields than the table has columns.
    pub fn push(&mut self, row: &[&dyn Display]) -> Result<()> {
        ensure!(
            row.len() == self.header.len(),
            "a row of {} fields does not fit the columns {}",
            row.len(),
            self.header.join(", ")
        );
        self.rows.push(row.iter().map(ToString::to_string).collect());
        Ok(())
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let cannot = || format!("cannot write {}", path.display());
        write_whole(path, &self.bytes().with_context(cannot)?)
    }

    /// The content of the file.
    ///
    /// # Errors
    /// Never; a table in memory can be written.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.header)?;
        for row in &self.rows {
            writer.write_record(row)?;
        }
        writer.into_inner().context("cannot finish the table")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_only_where_they_must_be() {
        let mut table = Table::new(&["game", "seed", "score"]);
        table.push(&[&"Ms. Pacman, \"hard\"", &1, &0.1]).expect("three fields");
        table.push(&[&"Pong", &2, &-21.0]).expect("three fields");
        let text = String::from_utf8(table.bytes().expect("a table")).expect("text");
        assert_eq!(text, "game,seed,score\n\"Ms. Pacman, \"\"hard\"\"\",1,0.1\nPong,2,-21\n");
    }

    #[test]
    fn a_row_must_fit() {
        let error = Table::new(&["a", "b"]).push(&[&1]).expect_err("a field is missing");
        assert!(error.to_string().contains("a, b"), "{error}");
    }
}
