//! What the site consists of. A new program or file of the site is named here, and nowhere else in
//! this crate.

/// Everything that is put into the site.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The page, relative to the root of the repository. Its attributes name the other files: a
    /// value that starts with `web/` is a file of the repository, and one that starts with
    /// `site:` is one of `programs` or `workers` (see [`crate::html`]).
    pub page: &'static str,
    /// Programs of the page: names of binaries compiled for the browser.
    pub programs: &'static [&'static str],
    /// Programs of web workers.
    pub workers: &'static [Worker],
}

/// A program that runs in a web worker.
#[derive(Clone, Copy, Debug)]
pub struct Worker {
    /// Name in the page, as in `site:trainer`.
    pub key: &'static str,
    /// Name of the binary.
    pub program: &'static str,
    /// The script that starts it, relative to the root of the repository. It imports
    /// `./<program>.js`.
    pub script: &'static str,
}

/// The playground.
pub const PLAYGROUND: Layout = Layout {
    page: "index.html",
    programs: &["web"],
    workers: &[Worker { key: "trainer", program: "worker", script: "web/trainer/trainer.js" }],
};
