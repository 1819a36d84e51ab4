//! Keeps constructors out of every call into the two programs.
//!
//! Crates of burn register themselves in constructors that run when a program starts. The linker
//! takes a program that never calls them for a command, which starts anew with each call from
//! outside, and puts all constructors in front of every exported function. Moving a point of the page
//! calls such functions hundreds of times: it took 16 ms, and 1 ms without. Exporting their caller by
//! name tells the linker otherwise. The page never needs them: it runs no network. The worker does:
//! `trainer.js` calls them once.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32") {
        println!("cargo::rustc-link-arg-bins=--export=__wasm_call_ctors");
    }
}
