//! A flag that Ctrl-C, SIGTERM, SIGHUP or the end of the parent process sets; the training loop checks it
//! between iterations.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use anyhow::{Context, Result};

use super::stop_signals::on_signal;
use crate::terminal::note;

/// Whether a stop of the run was requested.
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<Causes>);

#[derive(Debug, Default)]
struct Causes {
    signals: AtomicU32,
    input_ended: AtomicBool,
}

impl StopFlag {
    /// Catches Ctrl-C, SIGTERM and SIGHUP for the rest of the process; a second signal ends the process at
    /// once. A signal that the process was started to ignore stays ignored.
    ///
    /// # Errors
    /// If the handler cannot be installed.
    pub fn install() -> Result<Self> {
        Self::catch(|count| {
            if count > 1 {
                // A second signal ends the process at once. Checkpoints are written atomically, so
                // none is damaged.
                std::process::exit(130);
            }
            note!("stopping after this iteration; press Ctrl-C again to stop at once");
        })
    }

    /// Catches the same signals in a process that must end its children before itself: see
    /// [`Self::is_urgent`].
    ///
    /// # Errors
    /// If the handler cannot be installed.
    pub fn install_for_children() -> Result<Self> {
        Self::catch(|count| {
            note!(
                "{}",
                if count > 1 {
                    "stopping at once"
                } else {
                    "stopping: every run saves after its iteration; press Ctrl-C again to stop at once"
                }
            );
        })
    }

    /// Calls `signalled` with the number of signals so far.
    fn catch(signalled: impl Fn(u32) + Send + 'static) -> Result<Self> {
        let flag = Self::default();
        let seen = flag.clone();
        on_signal(move || {
            signalled(seen.0.signals.fetch_add(1, Ordering::SeqCst).saturating_add(1));
        })
        .context("cannot catch Ctrl-C")?;
        Ok(flag)
    }

    /// Also requests a stop when standard input ends. A parent that keeps the other end of a pipe
    /// open, and never writes to it, stops its child by closing it. When the parent is killed, the
    /// system closes the pipe.
    pub fn set_when_input_ends(&self) {
        let flag = self.clone();
        std::thread::spawn(move || {
            let mut ignored = [0; 64];
            // If the input cannot be read, it is not a pipe that a parent will close.
            while std::io::stdin().read(&mut ignored).is_ok_and(|count| count > 0) {}
            note!(
                "stopping after this iteration: the process that started this one asked for it, or has ended"
            );
            flag.0.input_ended.store(true, Ordering::SeqCst);
        });
    }

    /// Requests a stop, for tests.
    #[cfg(test)]
    pub(crate) fn set(&self) {
        self.0.input_ended.store(true, Ordering::SeqCst);
    }

    /// Whether a stop was requested.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.signals.load(Ordering::SeqCst) > 0 || self.0.input_ended.load(Ordering::SeqCst)
    }

    /// Whether a stop was requested more than once.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        self.0.signals.load(Ordering::SeqCst) > 1
    }
}
