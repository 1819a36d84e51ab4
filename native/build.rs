//! Records the source revision, so that a run folder can name the program that made it.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=../.git/HEAD");
    println!("cargo:rerun-if-changed=../.git/index");
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let revision = match git(&["rev-parse", "HEAD"]) {
        Some(head) => {
            let dirty = git(&["status", "--porcelain"]).is_none_or(|changes| !changes.is_empty());
            format!("{head}{}", if dirty { "-dirty" } else { "" })
        }
        None => "unknown".to_owned(),
    };
    println!("cargo:rustc-env=DEEPSPI_REVISION={revision}");
}
