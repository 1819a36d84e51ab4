//! Consumers of the trainer's messages: log files, TensorBoard, the terminal.

mod clock;
mod count_bar;
mod jsonl;
mod live_line;
mod log;
mod progress;
pub mod scores;
mod tensorboard;

use std::io::IsTerminal;
use std::path::Path;

use anyhow::Result;
pub use clock::{Clock, Rates};
pub use count_bar::CountBar;
use deepspi_run::config::Config;
use deepspi_run::message::Message;
pub use live_line::LiveLine;
pub use log::{Line, Losses, Sample, read_log};

/// Every message of a run as one line, in its folder.
pub const METRICS: &str = "metrics.jsonl";

/// Sends log lines to standard error; `RUST_LOG` chooses which.
pub fn install_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| "warn,native=info,deepspi_ale=info".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .without_time()
        .with_target(false)
        .init();
}

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
        Ok(Self {
            clock: Clock::start(global_step),
            jsonl: jsonl::JsonLines::open(&folder.join(METRICS), global_step)?,
            tensorboard: tensorboard::TensorBoard::create(folder, game)?,
            progress: progress::Progress::new(config.whole_steps(), global_step),
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

    /// Leaves the terminal in order.
    pub fn finish(&self) {
        self.progress.finish();
    }
}
