//! Trained agents for programs that do not know this project: ONNX graphs, a description of what goes
//! in and out of them, and a model card.
//!
//! The crate returns bytes and text and knows no disk, so that a program without one, such as the page, can
//! export the same files. [`files`] makes all of them: [`onnx`] writes the graphs, [`config`] the description, [`card`] the model card.
//! [`proto`] holds the messages of ONNX, with which a graph can be read back.

mod agent;
mod attention;
pub mod card;
pub mod config;
mod density;
mod error;
mod experts;
mod files;
mod graph;
mod layers;
pub mod onnx;
mod place;
pub mod proto;
mod step;
mod subject;
mod transition;
mod world_model;

pub use self::error::ExportError;
pub use self::files::files;
pub use self::subject::Subject;
