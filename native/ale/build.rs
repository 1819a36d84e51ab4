//! Compiles `src/shim.cpp` against the headers that the `ale-sys` crate carries.
//!
//! `ale-sys` declares no `links` key, so Cargo does not pass its folder to other build scripts.
//! This script finds the folder with `cargo metadata`, offline first, because the build must work
//! without a network. The last resort is Cargo's registry folder, for a checkout in which only the
//! dependencies of this crate were ever downloaded.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use cargo_metadata::MetadataCommand;

const ALE_SYS: &str = "ale-sys";
const ALE_SYS_VERSION: &str = "0.1.2";

#[expect(clippy::panic, reason = "how a build script reports an error")]
fn ale_sys_not_found() -> ! {
    panic!(
        "the sources of {ALE_SYS} {ALE_SYS_VERSION} were not found; run `cargo fetch` once with a network connection"
    )
}

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/shim.cpp");

    let root = ale_sys_root();
    println!("cargo:rerun-if-changed={}", root.join("Cargo.toml").display());
    let source = root.join("ale/src");

    let mut build = cc::Build::new();
    build
        .cpp(true)
        .std("c++11")
        // The same two definitions as in ALE's own CMakeLists.txt: the headers must be read with
        // the settings that the library was compiled with.
        .define("HAVE_INTTYPES", None)
        .define("__STDC_CONSTANT_MACROS", None)
        .file("src/shim.cpp");
    for folder in [
        "",
        "common",
        "emucore",
        "emucore/m6502/src",
        "emucore/m6502/src/bspf/src",
        "environment",
        "games",
        "external/zlib",
    ] {
        // `-isystem` silences the warnings in ALE's headers, which are not ours to fix.
        if build.get_compiler().is_like_msvc() {
            build.include(source.join(folder));
        } else {
            build.flag("-isystem").flag(source.join(folder));
        }
    }
    // This also emits the link directive of the C++ runtime, which `ale-sys` forgets. The directive
    // reaches every binary, test and bench of every dependent crate; `rustc-link-arg` would not.
    build.compile("deepspi_ale_shim");
}

/// The folder of the `ale-sys` sources.
fn ale_sys_root() -> PathBuf {
    let manifest =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("Cargo sets CARGO_MANIFEST_DIR"))
            .join("Cargo.toml");
    let target = env::var("TARGET").expect("Cargo sets TARGET");
    let from_metadata = |offline: bool| {
        let mut options = vec!["--filter-platform".to_owned(), target.clone()];
        if offline {
            options.push("--offline".to_owned());
        }
        let metadata =
            MetadataCommand::new().manifest_path(&manifest).other_options(options).exec().ok()?;
        let package = metadata.packages.iter().find(|package| {
            package.name.as_str() == ALE_SYS && package.version.to_string() == ALE_SYS_VERSION
        })?;
        Some(package.manifest_path.parent()?.as_std_path().to_path_buf())
    };
    from_metadata(true)
        .or_else(from_registry)
        .or_else(|| from_metadata(false))
        .filter(|root| root.join("ale/src/environment/stella_environment.hpp").is_file())
        .unwrap_or_else(|| ale_sys_not_found())
}

/// `$CARGO_HOME/registry/src/<index>/ale-sys-<version>`, where Cargo unpacks a crate before it
/// builds it.
fn from_registry() -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".cargo")))?;
    fs::read_dir(home.join("registry/src"))
        .ok()?
        .filter_map(Result::ok)
        .map(|index| index.path().join(format!("{ALE_SYS}-{ALE_SYS_VERSION}")))
        .find(|path| path.is_dir())
}
