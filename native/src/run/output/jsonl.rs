//! Writes `metrics.jsonl`, with every message as one line; [`super::log`] reads it.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context, Result};
use deepspi_run::message::Message;
use serde_json::{Value, json};

use super::Rates;

/// Appends messages to the log of a run.
#[derive(Debug)]
pub struct JsonLines {
    file: BufWriter<File>,
}

impl JsonLines {
    /// Opens the file for appending. An incomplete line of a killed process is ended. Lines of
    /// steps that will be repeated stay; the line `resumed` says from which step on.
    pub fn open(path: &Path, global_step: u64) -> Result<Self> {
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        if file.metadata()?.len() > 0 {
            file.seek(SeekFrom::End(-1))?;
            let mut last = [0];
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
            }
            writeln!(file, "{}", json!({"type": "resumed", "global_step": global_step}))?;
        }
        Ok(Self { file: BufWriter::new(file) })
    }

    pub fn write(&mut self, message: &Message, rates: &Rates) -> Result<()> {
        let mut value = serde_json::to_value(message)?;
        if let (Message::Iteration(_), Some(object)) = (message, value.as_object_mut()) {
            object.insert("elapsed_seconds".into(), json!(rates.elapsed));
            object.insert("sps".into(), json!(rates.long));
            object.insert("sps_update".into(), json!(rates.last));
            object.insert("memory_mb".into(), json!(rates.memory_mb));
            // Runs that are not certified have no such column.
            if object.get("certificate").is_some_and(Value::is_null) {
                object.remove("certificate");
            }
        }
        writeln!(self.file, "{value}").context("cannot append to metrics.jsonl")?;
        if !matches!(message, Message::Episode(_)) {
            self.file.flush().context("cannot append to metrics.jsonl")?;
        }
        Ok(())
    }
}
