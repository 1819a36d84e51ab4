//! What the user sees on the terminal: log lines, progress bars, and plain lines where there is no
//! terminal. Everything goes to standard error; standard output is for results.

mod count_bar;
mod live_line;
mod log;

pub use count_bar::CountBar;
pub use live_line::LiveLine;
pub use log::install_log;
