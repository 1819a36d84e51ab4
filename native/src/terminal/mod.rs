//! Output on the terminal: log lines, progress bars, and plain lines if there is no terminal. All
//! of it goes to standard error, because standard output is for results.

mod count_bar;
mod live_line;
mod log;

pub use count_bar::CountBar;
pub use live_line::LiveLine;
pub use log::install_log;
