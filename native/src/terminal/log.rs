//! Log lines of this program and its libraries.

use std::io::IsTerminal;

/// Sends log lines to standard error; `RUST_LOG` selects them.
pub fn install_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| "warn,native=info,deepspi_ale=info".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .without_time()
        .with_target(false)
        .init();
}
