//! The emulator workers of the page, and the cartridges for them.
//!
//! They are started only when a game is needed, because most visitors of the other rooms need none,
//! and a site can be built without them. Every client (the trainer's agents, the players) gets a
//! port of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use deepspi_playground::emulator::{Answer, PORT};
use deepspi_playground::experiment::{AGENTS, Experiment};
use deepspi_playground::packet;
use deepspi_run::world::World;
use deepspi_worlds::atari::Game;
use js_sys::{Array, Object, Reflect, Uint8Array};
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_bytes::ByteBuf;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    MessageChannel, MessageEvent, MessagePort, Response, Worker, WorkerOptions, WorkerType,
};

use super::worker_error::reason;

/// Address of the script that starts an emulator worker, and of the file that says whether there is
/// one, relative to the page.
const SCRIPT: &str = "./emulator/emulator.js";
const ABOUT: &str = "./emulator/about.json";
/// Finds the element that says that there is one (`tools/web` writes it).
const OFFER: &str = "meta[name=\"deepspi-atari\"]";
/// The first worker that emulates for the trainer; the one before is for the screens.
const FIRST_FOR_TRAINING: usize = 1;
/// Largest number of workers for the trainer. More of them need more memory, and the trainer cannot
/// keep them busy.
const MOST_WORKERS: usize = 4;

/// Whether this site has the emulator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Not known yet.
    Unknown,
    /// It is there.
    Here,
    /// It is not there, or this browser cannot run it; a sentence that says why.
    Absent(String),
}

/// What the trainer needs for a world.
#[derive(Debug, Default)]
pub struct Needs {
    /// Ports of emulator workers, the same number for each agent.
    pub ports: Vec<MessagePort>,
    /// The cartridge of a game.
    pub rom: Option<ByteBuf>,
}

/// Why the trainer cannot have what it needs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NeedsError {
    /// The cartridge of the game is not here.
    #[error(
        "The cartridge of {} is not here. Drop its file, or the ale-py wheel, in the room Atari.",
        .0.name
    )]
    NoCartridge(&'static Game),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl From<String> for NeedsError {
    fn from(text: String) -> Self {
        Self::Other(text)
    }
}

/// The emulator workers and cartridges.
#[derive(Clone, Copy, Debug)]
pub struct Emulators {
    /// Whether this site has the emulator.
    pub availability: RwSignal<Availability>,
    /// The cartridges that the visitor has brought, by the name of their game.
    pub cartridges: RwSignal<BTreeMap<&'static str, Arc<[u8]>>>,
    /// The reason why a worker cannot go on, if one has failed.
    pub fault: RwSignal<Option<String>>,
    workers: StoredValue<Vec<Emulator>, LocalStorage>,
}

/// A worker, and its listener, which must live as long as the worker.
struct Emulator {
    worker: Worker,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(web_sys::ErrorEvent)>,
}

impl Emulators {
    /// No workers and no cartridges yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            availability: RwSignal::new(Availability::Unknown),
            cartridges: RwSignal::new(BTreeMap::new()),
            fault: RwSignal::new(None),
            workers: StoredValue::new_local(Vec::new()),
        }
    }

    /// Finds out whether this site has the emulator, if that is not known yet.
    pub fn ask(self) {
        if self.availability.get_untracked() == Availability::Unknown {
            spawn_local(async move { self.availability.set(availability().await) });
        }
    }

    /// Whether the page says that this site has the emulator. Nothing is asked for.
    #[must_use]
    pub fn is_offered() -> bool {
        document().query_selector(OFFER).is_ok_and(|element| element.is_some())
    }

    /// The cartridge of a game, if it is here.
    #[must_use]
    pub fn rom(self, world: &World) -> Option<Arc<[u8]>> {
        match world {
            World::Maze(_) => None,
            World::Cartridge { .. } => Some(deepspi_worlds::cartridge::ROM[..].into()),
            World::Game { game, .. } => {
                self.cartridges.with_untracked(|known| known.get(game.name).cloned())
            }
        }
    }

    /// What the trainer needs for this world.
    ///
    /// # Errors
    /// If the site has no emulator, or the cartridge is not here.
    pub fn needs_of(self, experiment: &Experiment) -> Result<Needs, NeedsError> {
        let world = experiment.world().map_err(|error| error.to_string())?;
        let Some(game) = world.game() else { return Ok(Needs::default()) };
        let rom = self.rom(&world).ok_or(NeedsError::NoCartridge(game))?;
        let count = workers_for_training();
        self.start(FIRST_FOR_TRAINING + count)?;
        let ports = (0..AGENTS * count).map(|port| self.connect(FIRST_FOR_TRAINING + port % count));
        let ports = ports.collect::<Result<_, _>>()?;
        Ok(Needs { ports, rom: Some(ByteBuf::from(&rom[..])) })
    }

    /// A port of the emulator worker for the screens. Those that train are others, so that a screen
    /// does not wait for them.
    ///
    /// # Errors
    /// If the browser cannot start a worker.
    pub fn for_screen(self) -> Result<MessagePort, String> {
        self.start(FIRST_FOR_TRAINING)?;
        self.connect(0)
    }

    /// Starts workers until there are at least this many.
    fn start(self, wanted: usize) -> Result<(), String> {
        if let Availability::Absent(why) = self.availability.get_untracked() {
            return Err(why);
        }
        if let Some(why) = unsupported() {
            return Err(why);
        }
        self.workers
            .try_update_value(|workers| {
                while workers.len() < wanted {
                    workers.push(Emulator::start(self.fault)?);
                }
                Ok(())
            })
            .unwrap_or_else(|| Err("The page is being closed.".to_owned()))
    }

    fn connect(self, index: usize) -> Result<MessagePort, String> {
        let connected = self.workers.with_value(|workers| {
            let channel = MessageChannel::new()?;
            let message = Object::new();
            Reflect::set(&message, &PORT.into(), &channel.port1())?;
            let worker = &workers[index].worker;
            worker.post_message_with_transfer(&message, &Array::of1(&channel.port1()))?;
            Ok::<_, JsValue>(channel.port2())
        });
        connected.map_err(|error| format!("An emulator worker could not be reached: {error:?}"))
    }

    /// Ends all workers after a failure; new ones are started when they are needed.
    pub fn restart(self) {
        self.fault.set(None);
        self.workers.update_value(|workers| {
            for emulator in workers.drain(..) {
                emulator.worker.terminate();
            }
        });
    }
}

impl Default for Emulators {
    fn default() -> Self {
        Self::new()
    }
}

impl Emulator {
    fn start(fault: RwSignal<Option<String>>) -> Result<Self, String> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(SCRIPT, &options)
            .map_err(|error| format!("This browser could not start a web worker: {error:?}"))?;
        // A worker writes to the page itself only when it cannot go on.
        let on_message = Closure::new(move |event: MessageEvent| {
            if let Ok(Answer::Failed { text }) = packet::message(&event.data()) {
                fault.set(Some(text));
            }
        });
        let on_error = Closure::new(move |event: web_sys::ErrorEvent| {
            event.prevent_default();
            fault.set(Some(format!("The emulator stopped unexpectedly: {}", reason(&event))));
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Ok(Self { worker, _on_message: on_message, _on_error: on_error })
    }
}

/// Workers that emulate for the trainer: one core is the trainer's own.
fn workers_for_training() -> usize {
    let cores = window().navigator().hardware_concurrency();
    (cores as usize).saturating_sub(1).clamp(1, MOST_WORKERS)
}

/// Why this browser cannot run the emulator, if it cannot.
fn unsupported() -> Option<String> {
    // A module with one function, which contains `try catch_all end`. This is the first form of
    // exceptions, to which ALE is compiled (`tools/ale-build`).
    const TRY: [u8; 28] =
        *b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x08\x01\x06\0\x06\x40\x19\x0b\x0b";
    let known = js_sys::WebAssembly::validate(&Uint8Array::from(&TRY[..]).into());
    (known != Ok(true)).then(|| {
        "This browser has no WebAssembly exceptions, which the emulator needs: Chrome and Edge 95, \
         Firefox 100, Safari 15.2 and later have them."
            .to_owned()
    })
}

/// Asks the site for its emulator.
async fn availability() -> Availability {
    #[derive(serde::Deserialize)]
    struct About {
        available: bool,
        #[serde(default)]
        reason: String,
    }
    let without = |why: &str| {
        Availability::Absent(format!("This site was built without Atari games: {why}."))
    };
    let text = async {
        let response: Response =
            JsFuture::from(window().fetch_with_str(ABOUT)).await.ok()?.dyn_into().ok()?;
        if !response.ok() {
            return None;
        }
        JsFuture::from(response.text().ok()?).await.ok()?.as_string()
    };
    match text.await.and_then(|text| serde_json::from_str::<About>(&text).ok()) {
        Some(About { available: true, .. }) => {
            unsupported().map_or(Availability::Here, Availability::Absent)
        }
        Some(About { reason, .. }) => without(&reason),
        None => without("its folder emulator is missing"),
    }
}
