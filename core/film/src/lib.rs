//! Films of games as GIF, shared by `native play` and the playground.
//!
//! The crate knows neither games nor files: it takes pictures of palette indices and returns bytes.
//! It must stay small, because the page loads it.

mod gif;

pub use self::gif::{Gif, GifError, delay};
