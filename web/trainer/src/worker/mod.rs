//! The worker: trainers, devices, checkpoints.
//!
//! One task does everything in turn: it takes requests, trains an iteration of each agent, reports,
//! and lets the browser breathe. It must never wait for the GPU other than by `await`, and never train
//! two iterations without a pause in between: requests arrive only there.

mod agent;
mod device;
mod drawings;
mod faults;
mod inbox;
mod latent_renderer;
mod outbox;
mod session;
mod time;

use deepspi_playground::protocol::Report;
use wasm_bindgen_futures::spawn_local;

use self::drawings::Drawings;
use self::inbox::Inbox;
use self::session::Session;

/// Starts the worker.
pub fn start() {
    faults::install();
    let drawings = Drawings::default();
    let inbox = Inbox::install(drawings.clone());
    outbox::post(Report::Listening);
    spawn_local(Session::new(inbox, drawings).run());
}
