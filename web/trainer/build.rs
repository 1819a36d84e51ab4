//! Has the trainer's constructors run once, when `trainer.js` says so, and not with every call.
//!
//! Crates of burn register themselves in constructors that run when a program starts. The linker
//! takes a program that never names their caller for a command, which starts anew with each call from
//! outside, and puts all constructors in front of every exported function: a call took 16 ms, and 1 ms
//! without. Naming the caller tells the linker otherwise: the trainer exports it, and `trainer.js` calls
//! it once.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32") {
        println!("cargo::rustc-link-arg-bins=--export=__wasm_call_ctors");
    }
}
