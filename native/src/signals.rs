//! Ctrl-C and SIGTERM as a flag that the training loop looks at between iterations.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

/// Whether the user asked the run to stop.
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// Catches Ctrl-C and SIGTERM for the rest of the process; a second one ends it at once.
    ///
    /// # Errors
    /// If the handler cannot be installed.
    pub fn install() -> Result<Self> {
        let flag = Self::default();
        let seen = flag.clone();
        ctrlc::set_handler(move || {
            if seen.0.swap(true, Ordering::SeqCst) {
                // The user insists; checkpoints are written atomically, so nothing is lost.
                std::process::exit(130);
            }
            eprintln!("stopping after this iteration; once more to stop at once");
        })
        .context("cannot catch Ctrl-C")?;
        Ok(flag)
    }

    /// Whether a stop was asked for.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
