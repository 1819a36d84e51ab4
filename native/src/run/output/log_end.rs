//! Reads the newest position from the end of a log. Logs grow to many megabytes, and they are read
//! while another process, perhaps on another machine, writes them.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use serde_json::Value;

/// Bytes read from the end of a log at a time.
const BLOCK: u64 = 64 * 1024;

/// Agent steps of the run and their speed, from the newest line of a log that has them, so that
/// steps which a continued run repeats do not count; `None` if the log is missing or has no such
/// line yet.
#[must_use]
pub fn last_position(log: &Path) -> Option<(u64, Option<f64>)> {
    let mut file = File::open(log).ok()?;
    let mut start = file.metadata().ok()?.len();
    let mut tail = Vec::new();
    while start > 0 {
        let length = start.min(BLOCK);
        start -= length;
        file.seek(SeekFrom::Start(start)).ok()?;
        let mut block = vec![0; length as usize];
        file.read_exact(&mut block).ok()?;
        block.extend(&tail);
        tail = block;
        // The bytes before the first line end may be part of a longer line.
        let whole = if start == 0 {
            0
        } else {
            tail.iter().position(|b| *b == b'\n').unwrap_or(tail.len())
        };
        if let Some(found) = tail[whole..].rsplit(|b| *b == b'\n').find_map(position) {
            return Some(found);
        }
        tail.truncate(whole);
    }
    None
}

/// The position in a line of the log; `None` for other or incomplete lines.
fn position(line: &[u8]) -> Option<(u64, Option<f64>)> {
    let record: Value = serde_json::from_slice(line).ok()?;
    let kind = record["type"].as_str()?;
    // After a continuation the steps of earlier lines are repeated, so the run is at the step of
    // `resumed`.
    matches!(kind, "iteration" | "resumed")
        .then(|| Some((record["global_step"].as_u64()?, record["sps"].as_f64())))?
}
