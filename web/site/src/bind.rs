//! From a compiled program to what a browser loads: JavaScript around it by wasm-bindgen, and
//! smaller code by wasm-opt. Both take long, so the results are kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

/// What wasm-opt may use: what every browser with WebAssembly SIMD has. `-Oz` is the smallest.
const OPTIONS: [&str; 8] = [
    "-Oz",
    "--enable-simd",
    "--enable-bulk-memory",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];
/// Another version of wasm-bindgen, or of this file, writes other files.
const TOOL: [&str; 2] = [include_str!("../Cargo.lock"), include_str!("bind.rs")];

/// Sixteen letters that change with the content.
#[must_use]
pub fn hash(parts: &[&[u8]]) -> String {
    let mut sum = Sha256::new();
    for part in parts {
        sum.update((part.len() as u64).to_le_bytes());
        sum.update(part);
    }
    sum.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// How programs are made ready for the browser.
#[derive(Clone, Debug)]
pub struct Binder {
    /// Folder of the compiled programs.
    pub compiled: PathBuf,
    /// Folder in which the results are kept.
    pub kept: PathBuf,
    /// The program wasm-opt, if the code is to be made smaller.
    pub wasm_opt: Option<PathBuf>,
}

/// A program that is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Folder with all its files.
    pub folder: PathBuf,
    /// The beginning of its files' names; it contains a hash of everything that decides their
    /// content.
    pub name: String,
}

impl Bound {
    /// Name of the JavaScript, which loads the code from its own folder.
    #[must_use]
    pub fn script(&self) -> String {
        format!("{}.js", self.name)
    }

    /// Name of the WebAssembly.
    #[must_use]
    pub fn code(&self) -> String {
        format!("{}_bg.wasm", self.name)
    }
}

impl Binder {
    /// Makes a program ready.
    ///
    /// # Errors
    /// If the program was not compiled, wasm-bindgen refuses it, or wasm-opt fails.
    pub fn bind(&self, program: &str) -> Result<Bound> {
        let input = self.compiled.join(format!("{program}.wasm"));
        let bytes = fs::read(&input).with_context(|| {
            format!("{} cannot be read: compile it with tools/wasm-build first", input.display())
        })?;
        let how = if self.wasm_opt.is_some() { OPTIONS.join(" ") } else { String::new() };
        let hash = hash(&[&bytes, how.as_bytes(), TOOL[0].as_bytes(), TOOL[1].as_bytes()]);
        // Both kinds are kept: the checks use one, a released site the other.
        let kind = if self.wasm_opt.is_some() { "small" } else { "plain" };
        let name = format!("{program}-{hash}");
        let bound = Bound { folder: self.kept.join(kind).join(&name), name };
        if bound.folder.is_dir() {
            return Ok(bound);
        }
        let work = self.kept.join(kind).join("unfinished");
        remove_folder(&work)?;
        bind(&input, &bound.name, &work)?;
        if let Some(wasm_opt) = &self.wasm_opt {
            optimise(wasm_opt, &work.join(bound.code()))?;
        }
        forget(program, &self.kept.join(kind))?;
        name_result(&work, &bound.folder)?;
        Ok(bound)
    }
}

/// Writes `NAME.js` and `NAME_bg.wasm` for a compiled program into the folder `out`.
///
/// # Errors
/// If wasm-bindgen refuses the program.
pub fn bind(program: &Path, name: &str, out: &Path) -> Result<()> {
    Bindgen::new()
        .input_path(program)
        .out_name(name)
        .web(true)?
        .typescript(false)
        // The JavaScript finds the code beside itself.
        .omit_default_module_path(false)
        .generate(out)
        .with_context(|| format!("wasm-bindgen cannot read {}", program.display()))
}

/// Removes an older result of a program, so that the folder does not grow.
fn forget(program: &str, kept: &Path) -> Result<()> {
    for entry in fs::read_dir(kept)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.rsplit_once('-').is_some_and(|(stem, _)| stem == program) {
            remove_folder(&path)?;
        }
    }
    Ok(())
}

/// Only a complete result gets its name.
#[expect(
    clippy::disallowed_methods,
    reason = "a result of a build is made again, not kept for ever"
)]
fn name_result(work: &Path, folder: &Path) -> Result<()> {
    Ok(fs::rename(work, folder)?)
}

fn remove_folder(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("{} cannot be removed", folder.display()))?;
    }
    Ok(())
}

fn optimise(wasm_opt: &Path, code: &Path) -> Result<()> {
    let mut command = Command::new(wasm_opt);
    // It reads all before it writes.
    command.args(OPTIONS).arg(code).arg("-o").arg(code);
    let status = command.status();
    let status = status.with_context(|| format!("{} does not start", wasm_opt.display()))?;
    ensure!(status.success(), "wasm-opt failed for {} ({status})", code.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Folder;

    /// A program that does nothing, which wasm-bindgen accepts.
    const NOTHING: &[u8] = b"\0asm\x01\0\0\0";

    fn binder(folder: &Path) -> Binder {
        fs::write(folder.join("nothing.wasm"), NOTHING).expect("written");
        Binder { compiled: folder.to_owned(), kept: folder.join("kept"), wasm_opt: None }
    }

    #[test]
    fn a_hash_depends_on_each_part_and_on_where_it_ends() {
        assert_eq!(hash(&[b"ab", b"c"]), hash(&[b"ab", b"c"]));
        assert_ne!(hash(&[b"ab", b"c"]), hash(&[b"a", b"bc"]));
        assert_eq!(hash(&[b""]).len(), 16);
    }

    #[test]
    fn a_result_is_kept_until_the_program_changes() {
        let folder = Folder::new();
        let binder = binder(folder.path());
        let first = binder.bind("nothing").expect("bound");
        let code = first.folder.join(first.code());
        let script = fs::read_to_string(first.folder.join(first.script())).expect("there");
        assert!(
            script.contains(&format!("new URL('{}', import.meta.url)", first.code())),
            "{script}"
        );
        fs::write(&code, "marked").expect("written");
        assert_eq!(binder.bind("nothing").expect("bound"), first);
        assert_eq!(fs::read(&code).expect("there"), b"marked", "it was not made again");
        // A custom section changes the bytes and nothing else.
        let changed = [NOTHING, b"\0\x02\x01x"].concat();
        fs::write(folder.path().join("nothing.wasm"), changed).expect("written");
        let second = binder.bind("nothing").expect("bound");
        assert_ne!(first.name, second.name);
        assert!(!first.folder.exists(), "the old result is removed");
    }

    #[test]
    fn what_is_missing_or_broken_is_named() {
        let folder = Folder::new();
        let mut binder = binder(folder.path());
        let missing = binder.bind("absent").expect_err("not there").to_string();
        assert!(
            missing.contains("absent.wasm") && missing.contains("tools/wasm-build"),
            "{missing}"
        );
        fs::write(folder.path().join("text.wasm"), "no program").expect("written");
        let broken = binder.bind("text").expect_err("broken").to_string();
        assert!(broken.contains("text.wasm"), "{broken}");
        binder.wasm_opt = Some(folder.path().join("no-wasm-opt"));
        let absent = binder.bind("nothing").expect_err("no wasm-opt").to_string();
        assert!(absent.contains("no-wasm-opt"), "{absent}");
        let left = fs::read_dir(binder.kept.join("small")).expect("there").count();
        assert_eq!(left, 1, "only what is unfinished is left, under a name that nobody takes");
    }
}
