//! Puts the playground's compiled programs and its files together to a site, and serves it on this
//! machine. `tools/web` compiles the programs and calls this; people call `./run web`.
//!
//! It does what trunk and wasm-bindgen's program did, in a fraction of their building time
//! (docs/decisions/0018-site.md).

mod assemble;
mod bind;
mod html;
mod layout;
mod roms;
mod serve;
#[cfg(test)]
mod trial;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::bind::Binder;
use crate::layout::PLAYGROUND;

const USAGE: &str = "\
Usage: site build ROOT COMPILED KEPT OUT [WASM_OPT]
       site bind PROGRAM NAME OUT
       site serve DIR PORT [ROMS]

build  writes the site into OUT; ROOT is the repository, COMPILED the folder of the compiled programs,
       KEPT a folder for results that later builds use, WASM_OPT the program that makes code smaller
bind   writes NAME.js and NAME_bg.wasm for the compiled program PROGRAM into the folder OUT, for a
       program that is no part of the site that `build` writes
serve  serves the site in DIR on http://127.0.0.1:PORT/ until it is ended, and to browsers on this
       machine the ROMs in the folder ROMS";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("site: error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["build", root, compiled, kept, out, ref rest @ ..] if rest.len() <= 1 => {
            let binder = Binder {
                compiled: compiled.into(),
                kept: kept.into(),
                wasm_opt: rest.first().map(PathBuf::from),
            };
            assemble::assemble(&PLAYGROUND, Path::new(root), &binder, Path::new(out))
        }
        ["bind", program, name, out] => bind::bind(Path::new(program), name, Path::new(out)),
        ["serve", site, port, ref rest @ ..] if rest.len() <= 1 => {
            let roms = rest.first().map(Path::new);
            let port = port.parse().with_context(|| format!("{port} is no port: 0 to 65535"))?;
            serve::serve(Path::new(site), roms, port, |port| {
                eprintln!("the playground is at http://127.0.0.1:{port}/ (Ctrl-C ends it)");
            })
        }
        _ => bail!("{USAGE}"),
    }
}
