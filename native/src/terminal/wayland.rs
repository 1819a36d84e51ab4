//! Keeps lines of another library out of this program's output.
//!
//! Mesa's Vulkan drivers ask Wayland for a display. Without the variable XDG_RUNTIME_DIR (no desktop session: `ssh`,
//! `cron`, a container) Wayland's library prints `error: XDG_RUNTIME_DIR is invalid or not set in the environment.` each
//! time, which looks like an error of this program. A process cannot change its own environment safely, so it starts
//! itself again with the variable set.

#[cfg(target_os = "linux")]
mod variable {
    use std::env;
    use std::os::unix::process::CommandExt as _;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    const VARIABLE: &str = "XDG_RUNTIME_DIR";

    /// Starts the program again with the variable, if it is missing; else, or if that fails, returns.
    pub fn provide() {
        // Wayland accepts absolute paths only.
        if env::var_os(VARIABLE).is_some_and(|folder| Path::new(&folder).is_absolute()) {
            return;
        }
        let Ok(program) = env::current_exe() else { return };
        let mut arguments = env::args_os();
        let name = arguments.next().unwrap_or_else(|| program.clone().into());
        let folder = env::temp_dir();
        let folder = if folder.is_absolute() { folder } else { PathBuf::from("/tmp") };
        let mut again = Command::new(program);
        // Process, files and ignored signals stay the same. On success this call does not return.
        drop(again.arg0(name).args(arguments).env(VARIABLE, folder).exec());
    }
}

/// See the module; only Linux has Wayland.
pub fn provide_runtime_folder() {
    #[cfg(target_os = "linux")]
    variable::provide();
}
