//! What the page of the playground and its trainer share.
//!
//! The page (`web`) shows results. The trainer (`web/trainer`) computes them in a web worker with a
//! WebAssembly instance of its own. Both use the same [`experiment`], exchange the messages of
//! [`protocol`], read and write the same [`archive`]s of checkpoints, [`unzip`] foreign files within
//! limits, and draw the same picture of
//! the latents ([`scene`]), whose grid lines are the ticks of an [`axis`]. Both also talk to the
//! emulator workers of Atari games ([`emulator`]), and the page to
//! a second worker that plays on its screens ([`play`]).
//!
//! Both programs are downloaded, so this crate must not depend on anything that only one of them
//! needs: no burn and no leptos. Only `packet`, which hands messages to the browser,
//! needs one; everything else is tested natively.

pub mod archive;
pub mod axis;
pub mod emulator;
pub mod experiment;
#[cfg(target_arch = "wasm32")]
pub mod packet;
pub mod play;
pub mod protocol;
pub mod scene;
pub mod unzip;

/// Version of the workspace, shown at the foot of the page.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Revision of the source as the native program records it: the whole commit, with `-dirty` if the sources
/// had changes; `unknown` if the build does not set it.
pub const REVISION: &str = match option_env!("DEEPSPI_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};
/// The first digits of [`REVISION`], for the captions of figures.
pub const SHORT_REVISION: &str = match REVISION.split_at_checked(7) {
    Some((short, _)) => short,
    None => REVISION,
};
