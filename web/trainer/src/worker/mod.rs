//! The web worker: trainers, devices, checkpoints.
//!
//! One task does everything in a loop: it takes requests, trains an iteration of each agent,
//! reports, and yields to the browser. It must wait for the GPU only with `await`, and must yield
//! between two iterations, because requests arrive only then.

mod agent;
mod device;
mod drawings;
mod emulators;
mod faults;
mod inbox;
mod latent_renderer;
mod letters;
mod open_world;
mod outbox;
pub mod player;
mod session;
mod tempo;
mod time;

use deepspi_playground::protocol::Report;
use wasm_bindgen_futures::spawn_local;

use self::drawings::Drawings;
use self::session::Session;

/// Starts the worker.
pub fn start() {
    faults::install(|text| outbox::post(Report::Fault { text }));
    let drawings = Drawings::default();
    let inbox = inbox::install(drawings.clone());
    outbox::post(Report::Listening);
    spawn_local(Session::new(inbox, drawings).run());
}
