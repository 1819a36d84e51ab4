//! Lines of output that cannot end the program.
//!
//! `println!` panics when nobody reads any more: a run whose output goes through `tee` would end together
//! with `tee`, before its checkpoint is saved. What must not be broken: this crate prints in no other way
//! (`lib.rs` denies it).

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write as _};
use std::sync::OnceLock;

/// Why a result could not be written, other than that nobody reads it.
static FAILURE: OnceLock<String> = OnceLock::new();

/// Writes a line of results to standard output. Whoever stops reading has seen enough; any other error is
/// kept for [`output_failure`].
pub fn to_stdout(text: Arguments<'_>) {
    let mut output = io::stdout().lock();
    let written = writeln!(output, "{text}").and_then(|()| output.flush());
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        drop(FAILURE.set(error.to_string()));
    }
}

/// Writes a line to standard error, if anybody reads it.
pub fn to_stderr(text: Arguments<'_>) {
    drop(writeln!(io::stderr().lock(), "{text}"));
}

/// Why results are missing on standard output, for example because the disk is full; none if they are
/// complete or nobody read them.
#[must_use]
pub fn output_failure() -> Option<&'static str> {
    FAILURE.get().map(String::as_str)
}

/// [`to_stdout`] with a format string.
macro_rules! say {
    ($($text:tt)*) => { $crate::terminal::to_stdout(format_args!($($text)*)) };
}

/// [`to_stderr`] with a format string.
macro_rules! note {
    ($($text:tt)*) => { $crate::terminal::to_stderr(format_args!($($text)*)) };
}

pub(crate) use {note, say};
