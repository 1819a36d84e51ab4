//! Makes the trainer's constructors run once, when `trainer.js` calls them, and not with every call
//! from JavaScript.
//!
//! Crates of burn register themselves in constructors that run when a program starts. The function
//! `__wasm_call_ctors` calls them. If a program never refers to this function, the linker treats
//! the program as a command, which starts anew with each call from outside, and makes every
//! exported function run all constructors first: a call took 16 ms, and 1 ms without them. The
//! trainer therefore exports `__wasm_call_ctors`, and `trainer.js` calls it once.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32") {
        println!("cargo::rustc-link-arg-bins=--export=__wasm_call_ctors");
    }
}
