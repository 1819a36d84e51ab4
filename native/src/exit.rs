//! Exit codes of the program, all in one place.
//!
//! This module imports nothing of the program: commands return [`Exit`], the command line turns it
//! into the exit code of the process, and a sweep reads that code from the processes that it
//! starts. What must not be broken: scripts and job schedulers rely on the numbers.

use std::process::ExitCode;

/// How a command ended, other than with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The command did what it was asked for.
    Success,
    /// A check found a difference.
    Mismatch,
    /// A sweep ended before all of its runs: some failed, or the sweep was stopped.
    Unfinished,
    /// Bad input, a missing file, an unusable device: the message says what to do.
    BadInput,
    /// A loss or a parameter became NaN or infinite.
    NotFinite,
    /// Another process is training in the run folder.
    Busy,
}

impl Exit {
    /// The exit code of the process.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Mismatch | Self::Unfinished => 1,
            Self::BadInput => 2,
            Self::NotFinite => 3,
            Self::Busy => 4,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
