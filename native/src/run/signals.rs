//! Ctrl-C and SIGTERM as a flag that the training loop looks at between iterations; the end of a parent
//! process, too.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use anyhow::{Context, Result};

/// Whether the user asked the run to stop.
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<Causes>);

#[derive(Debug, Default)]
struct Causes {
    signals: AtomicU32,
    input_ended: AtomicBool,
}

impl StopFlag {
    /// Catches Ctrl-C and SIGTERM for the rest of the process; a second one ends it at once.
    ///
    /// # Errors
    /// If the handler cannot be installed.
    pub fn install() -> Result<Self> {
        Self::catch(|count| {
            if count > 1 {
                // The user insists; checkpoints are written atomically, so nothing is lost.
                std::process::exit(130);
            }
            eprintln!("stopping after this iteration; once more to stop at once");
        })
    }

    /// Catches the same for a process that has to end others before itself: see [`Self::is_urgent`].
    ///
    /// # Errors
    /// If the handler cannot be installed.
    pub fn install_for_children() -> Result<Self> {
        Self::catch(|count| {
            eprintln!(
                "{}",
                if count > 1 {
                    "stopping at once"
                } else {
                    "stopping: every run saves after its iteration; once more to stop at once"
                }
            );
        })
    }

    /// `signalled` gets the number of signals so far.
    fn catch(signalled: impl Fn(u32) + Send + 'static) -> Result<Self> {
        let flag = Self::default();
        let seen = flag.clone();
        ctrlc::set_handler(move || {
            signalled(seen.0.signals.fetch_add(1, Ordering::SeqCst).saturating_add(1));
        })
        .context("cannot catch Ctrl-C")?;
        Ok(flag)
    }

    /// Asks for a stop, too, when standard input ends. A parent that keeps the other end of a pipe, and
    /// never writes to it, stops its child by closing it; when the parent is killed, the system does.
    pub fn set_when_input_ends(&self) {
        let flag = self.clone();
        std::thread::spawn(move || {
            let mut ignored = [0; 64];
            // An input that cannot be read is one that nobody will close.
            while std::io::stdin().read(&mut ignored).is_ok_and(|count| count > 0) {}
            eprintln!(
                "stopping after this iteration: the process that started this one wants it, or has ended"
            );
            flag.0.input_ended.store(true, Ordering::SeqCst);
        });
    }

    /// Asks for a stop, as a test can.
    #[cfg(test)]
    pub(crate) fn set(&self) {
        self.0.input_ended.store(true, Ordering::SeqCst);
    }

    /// Whether a stop was asked for.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.signals.load(Ordering::SeqCst) > 0 || self.0.input_ended.load(Ordering::SeqCst)
    }

    /// Whether it was asked for more than once.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        self.0.signals.load(Ordering::SeqCst) > 1
    }
}
