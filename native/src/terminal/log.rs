//! Log lines of this program and its libraries.

use super::is_capable_terminal;

/// What is logged without `RUST_LOG`. Of a GPU that fails, every launch after the first failure would be a line; the
/// error of the training names the first.
const DEFAULT: &str = "warn,native=info,deepspi_ale=info,cubecl_runtime::logging::server=off,cubecl_wgpu::compute::stream=error";

/// Sends log lines to standard error; `RUST_LOG` selects them. They are coloured on a terminal, unless
/// `NO_COLOR` is set (<https://no-color.org>). A line that cannot be written is lost, and nothing else.
pub fn install_log() {
    let filter =
        tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| DEFAULT.into());
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(is_capable_terminal() && !no_colour)
        .log_internal_errors(false)
        .without_time()
        .with_target(false)
        .init();
}
