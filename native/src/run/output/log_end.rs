//! Where a log stands, from its end alone: it is read while another process, perhaps on another machine,
//! writes it, and logs grow to many megabytes.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use serde_json::Value;

/// Bytes that are read from the end of a log at a time.
const BLOCK: u64 = 64 * 1024;

/// Agent steps of the newest iteration of a log and their speed, less what a continued run does again;
/// none if the log is missing, or says nothing yet.
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
        // Before the first line end there may be the rest of a longer line.
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

/// Where a line of the log says the run stands; a line of something else, or half a line, says nothing.
fn position(line: &[u8]) -> Option<(u64, Option<f64>)> {
    let record: Value = serde_json::from_slice(line).ok()?;
    let kind = record["type"].as_str()?;
    // After a continuation the steps of earlier lines are done again: the run stands where it says.
    matches!(kind, "iteration" | "resumed")
        .then(|| Some((record["global_step"].as_u64()?, record["sps"].as_f64())))?
}
