//! Keeps constructors out of every call into the two programs, and out of the page altogether.
//!
//! Crates of burn register themselves in constructors that run when a program starts. The linker
//! takes a program that never names their caller for a command, which starts anew with each call from
//! outside, and puts all constructors in front of every exported function. Moving a point of the page
//! calls such functions hundreds of times: it took 16 ms, and 1 ms without. Naming the caller tells
//! the linker otherwise. The worker exports it, and `trainer.js` calls it once. The page runs no
//! network: there it is named and not kept, so that wasm-bindgen drops the constructors. What they put
//! into tables of functions stays, the compiler of GPU kernels above all (docs/performance.md).

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32") {
        println!("cargo::rustc-link-arg-bin=worker=--export=__wasm_call_ctors");
        println!("cargo::rustc-link-arg-bin=web=--undefined=__wasm_call_ctors");
    }
}
