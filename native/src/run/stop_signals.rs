//! Calls a function at every signal that asks the process to end.
//!
//! A signal that the process was started to ignore stays ignored: `nohup` ignores SIGHUP for its command, and
//! a shell script SIGINT for what it starts in the background.

use std::io;

/// Calls `signalled` at each Ctrl-C, SIGTERM and SIGHUP for the rest of the process, from another thread.
///
/// # Errors
/// If the system refuses the handler.
#[cfg(unix)]
pub(super) fn on_signal(signalled: impl Fn() + Send + 'static) -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

    let ignored = ignored_signals();
    let wanted = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !contains(ignored, *signal));
    let mut signals = signal_hook::iterator::Signals::new(wanted)?;
    let watch = move || signals.forever().for_each(|_| signalled());
    std::thread::Builder::new().name("signals".to_owned()).spawn(watch)?;
    Ok(())
}

/// Calls `signalled` at each Ctrl-C for the rest of the process, from another thread.
///
/// # Errors
/// If the system refuses the handler.
#[cfg(not(unix))]
pub(super) fn on_signal(signalled: impl Fn() + Send + 'static) -> io::Result<()> {
    ctrlc::set_handler(signalled).map_err(io::Error::other)
}

/// The signals that this process ignores, as a mask; 0 if the system does not say.
#[cfg(target_os = "linux")]
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    line.map_or(0, mask)
}

/// The signals that this process ignores, as a mask; 0 if the system does not say.
#[cfg(all(unix, not(target_os = "linux")))]
fn ignored_signals() -> u64 {
    let process = std::process::id().to_string();
    let output =
        std::process::Command::new("ps").args(["-o", "sigignore=", "-p", &process]).output();
    output.map_or(0, |output| mask(&String::from_utf8_lossy(&output.stdout)))
}

/// A mask of signals in hexadecimal; 0 if the text is none.
#[cfg(unix)]
fn mask(text: &str) -> u64 {
    u64::from_str_radix(text.trim(), 16).unwrap_or(0)
}

/// Whether a signal is in a mask, whose lowest bit is signal 1.
#[cfg(unix)]
const fn contains(mask: u64, signal: i32) -> bool {
    (mask >> (signal - 1)) & 1 == 1
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_mask_begins_with_signal_1() {
        let of_nohup = mask(" 0000000000001001\n");
        assert_eq!(
            [1, 2, 13, 15].map(|signal| contains(of_nohup, signal)),
            [true, false, true, false]
        );
        assert_eq!(mask("?"), 0);
    }
}
