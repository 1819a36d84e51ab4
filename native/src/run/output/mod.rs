//! Consumers of the trainer's messages: log files, TensorBoard, the terminal.

mod clock;
mod jsonl;
mod log;
mod log_end;
mod progress;
mod tensorboard;

use std::path::Path;

use anyhow::Result;
pub use clock::{Clock, Rates, resident_memory_mb};
use deepspi_run::config::Config;
use deepspi_run::message::Message;
pub use log::{Line, Losses, Sample, read_log, read_whole_lines};
pub use log_end::last_position;

use super::folder::METRICS;

/// All consumers of one run.
#[derive(Debug)]
pub struct Outputs {
    clock: Clock,
    jsonl: jsonl::JsonLines,
    tensorboard: tensorboard::TensorBoard,
    progress: progress::Progress,
}

impl Outputs {
    /// Opens the files in the run folder; a resumed run appends.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn open(folder: &Path, game: &str, config: &Config, global_step: u64) -> Result<Self> {
        let metrics = config.algo.info().metrics;
        Ok(Self {
            clock: Clock::start(global_step),
            jsonl: jsonl::JsonLines::open(&folder.join(METRICS), global_step)?,
            tensorboard: tensorboard::TensorBoard::create(folder, game, config)?,
            progress: progress::Progress::new(config.whole_steps(), global_step, metrics),
        })
    }

    /// Hands one message to every consumer.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn handle(&mut self, message: &Message) -> Result<()> {
        if let Message::Iteration(iteration) = message {
            self.clock.tick(iteration.global_step);
        }
        let rates = self.clock.rates();
        self.jsonl.write(message, &rates)?;
        self.tensorboard.write(message, &rates)?;
        self.progress.show(message, &rates);
        Ok(())
    }

    /// Ends the progress bar.
    pub fn finish(&self) {
        self.progress.finish();
    }
}
