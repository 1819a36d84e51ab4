//! Output on the terminal: log lines, progress bars, and plain lines if there is no terminal. All
//! of it goes to standard error, because standard output is for results.

mod count_bar;
mod lines;
mod live_line;
mod log;
mod time;
mod wayland;

use std::io::IsTerminal as _;

pub use count_bar::CountBar;
pub(crate) use lines::{note, say};
pub use lines::{output_failure, to_stderr, to_stdout};
pub use live_line::LiveLine;
pub use log::install_log;
pub use time::time_in_words;
pub use wayland::provide_runtime_folder;

/// Whether standard error is a terminal that understands more than lines of text.
fn is_capable_terminal() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
