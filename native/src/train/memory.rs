//! Whether the replay buffer of a run fits into memory.

use anyhow::{Result, bail};
use deepspi_core::data::replay::bytes_needed;
use deepspi_run::config::Config;
use deepspi_worlds::frame::FrameShape;
use sysinfo::System;

/// What a run with a replay buffer says before it starts or goes on (`is_resumed`); nothing without one.
///
/// # Errors
/// If the full buffer will be larger than the memory that is free now.
pub fn of_replay(config: &Config, frame: FrameShape, is_resumed: bool) -> Result<Option<String>> {
    if !(config.is_dream() && config.dream.use_replay_buffer) {
        return Ok(None);
    }
    let needed = bytes_needed(frame, config.dream.replay_capacity) as u64;
    check(needed, free_memory(), config.dream.replay_capacity, is_resumed).map(Some)
}

/// Bytes that a program may still use, within the limit of a container; none if the system does not say.
fn free_memory() -> Option<u64> {
    let mut system = System::new();
    system.refresh_memory();
    let free = system.cgroup_limits().map_or_else(|| system.available_memory(), |c| c.free_memory);
    (free > 0).then_some(free)
}

fn check(needed: u64, free: Option<u64>, capacity: usize, is_resumed: bool) -> Result<String> {
    let gigabytes = |bytes: u64| bytes as f64 / 1e9;
    if let Some(free) = free.filter(|free| *free < needed) {
        let remedy = if is_resumed {
            "end other programs, or continue the run on a machine with more memory; its buffer keeps its \
             size, and nothing was changed"
                .to_owned()
        } else {
            let fitting = (capacity as f64 * 0.8 * free as f64 / needed as f64) as u64;
            format!("choose fewer steps with --replay-capacity (at most about {fitting})")
        };
        bail!(
            "the replay buffer of {capacity} steps will need {:.1} GB of memory, and {:.1} GB are free; {remedy}",
            gigabytes(needed),
            gigabytes(free),
        );
    }
    Ok(format!(
        "replay buffer: {capacity} steps, {:.2} GB of memory when full, and as much on disk in every checkpoint",
        gigabytes(needed)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_that_does_not_fit_is_refused_with_both_sizes() {
        let error = check(8_000_000_000, Some(4_000_000_000), 1000, false).expect_err("refused");
        let text = error.to_string();
        assert!(text.contains("8.0 GB") && text.contains("4.0 GB are free"), "{text}");
        assert!(text.contains("--replay-capacity (at most about 400)"), "{text}");
        let error = check(8_000_000_000, Some(4_000_000_000), 1000, true).expect_err("refused");
        let text = error.to_string();
        assert!(text.contains("nothing was changed") && !text.contains("--replay"), "{text}");
        let said = check(4_000_000_000, Some(8_000_000_000), 1000, true).expect("it fits");
        assert!(said.contains("4.00 GB"), "{said}");
        check(u64::MAX, None, 1, false).expect("the system does not say");
        assert!(free_memory().is_none_or(|free| free > 1_000_000), "some memory is free");
    }
}
