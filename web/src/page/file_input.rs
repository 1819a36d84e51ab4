//! Loads checkpoints from files that are chosen in a file dialog or dropped on the page. Cartridges
//! that are dropped on the page go to the Atari room, which opens.
//!
//! A file is not trusted: all of it is read and verified before the worker gets a request, and
//! errors are shown as text.

use deepspi_playground::archive::Archive;
use deepspi_playground::experiment::{AGENTS, Experiment};
use deepspi_run::world::World;
use js_sys::Uint8Array;
use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DragEvent, File, FileList, HtmlInputElement};

use super::atari::arrivals;
use super::atari::roms::Roms;
use super::atari::state::Arcade;
use super::settings::draft::{Draft, confirmed};
use super::state::{Phase, Playground, Room};
use crate::rom_file::{LARGEST_FILE, meant_as_cartridges};

/// Largest size of a chosen file in bytes. A larger file cannot be a checkpoint and would fill the
/// memory.
const LARGEST: f64 = 256.0 * 1024.0 * 1024.0;

/// A checkpoint that was dropped on the page; the user is asked which agent should load it.
#[derive(Clone, Copy, Debug)]
pub struct Dropped(RwSignal<Option<Archive>>);

/// A button that loads a checkpoint into an agent.
#[component]
pub fn LoadButton(
    /// Which agent.
    agent: usize,
    /// Label of the button.
    label: &'static str,
) -> impl IntoView {
    let (playground, draft) = (Playground::here(), Draft::here());
    let chosen = move |event| {
        let input: HtmlInputElement = event_target(&event);
        let files = list(input.files());
        spawn_local(async move {
            if let Some(archive) = read(playground, files).await {
                load(playground, draft, agent, archive);
            }
            // Clears the input, so that the same file can be chosen again.
            input.set_value("");
        });
    };
    view! {
        <label class="button">
            {label}
            <input
                type="file"
                class="visually-hidden"
                id=format!("load-{agent}")
                multiple
                on:change=chosen
            />
        </label>
    }
}

/// Accepts files that are dropped on the page, and asks which agent should load them.
#[component]
pub fn DropTarget() -> impl IntoView {
    let (playground, draft) = (Playground::here(), Draft::here());
    let (arcade, roms) = (Arcade::here(), Roms::here());
    let dropped = Dropped(RwSignal::new(None));
    let has_files = |event: &DragEvent| {
        event.data_transfer().is_some_and(|data| data.types().includes(&"Files".into(), 0))
    };
    let over = window_event_listener(ev::dragover, move |event| {
        if has_files(&event) {
            event.prevent_default();
        }
    });
    let drop_files = window_event_listener(ev::drop, move |event| {
        if !has_files(&event) {
            return;
        }
        // Otherwise the browser would leave the page and show the file.
        event.prevent_default();
        let files = list(event.data_transfer().and_then(|data| data.files()));
        spawn_local(async move {
            let (cartridges, others) = cartridges_in(files).await;
            if !others.is_empty() || cartridges.is_empty() {
                dropped.0.set(read(playground, others).await);
            }
            if !cartridges.is_empty() {
                bring(arcade, roms, cartridges).await;
            }
        });
    });
    on_cleanup(move || {
        over.remove();
        drop_files.remove();
    });
    let choose = move |agent| {
        if let Some(archive) = dropped.0.get_untracked() {
            dropped.0.set(None);
            load(playground, draft, agent, archive);
        }
    };
    view! {
        <div role="status">
            {move || {
                dropped
                    .0
                    .get()
                    .map(|archive| {
                        view! {
                            <div class="notice">
                                <p>
                                    "Checkpoint \"" {archive.name} "\": which agent should load it?"
                                </p>
                                <div class="buttons">
                                    <button type="button" on:click=move |_| choose(0)>
                                        "Agent A"
                                    </button>
                                    <button type="button" on:click=move |_| choose(1)>
                                        "Agent B"
                                    </button>
                                    <button type="button" on:click=move |_| dropped.0.set(None)>
                                        "Neither"
                                    </button>
                                </div>
                            </div>
                        }
                    })
            }}
        </div>
    }
}

/// Files that are meant as cartridges, and the others.
async fn cartridges_in(files: Vec<File>) -> (Vec<File>, Vec<File>) {
    let mut contents = Vec::with_capacity(files.len());
    for file in &files {
        #[expect(clippy::cast_precision_loss, reason = "a power of two")]
        let bytes = if file.size() > LARGEST_FILE as f64 { None } else { bytes_of(file).await };
        // What cannot be read is no cartridge; who reads it next says why.
        contents.push((file.name(), bytes.unwrap_or_default()));
    }
    let meant = meant_as_cartridges(&contents);
    let (cartridges, others): (Vec<_>, Vec<_>) =
        files.into_iter().zip(meant).partition(|(_, meant)| *meant);
    let files = |list: Vec<(File, bool)>| list.into_iter().map(|(file, _)| file).collect();
    (files(cartridges), files(others))
}

/// Opens the Atari room with these cartridges; a single one plays. What is wrong with them is said at
/// the top of the page, too, because the list of cartridges may be out of sight.
async fn bring(arcade: Arcade, roms: Roms, files: Vec<File>) {
    arcade.playground.room.set(Room::Atari);
    let choose = Callback::new(move |cartridge| arrivals::play(arcade, cartridge));
    roms.take(files, choose).await;
    for remark in roms.remarks.get_untracked().into_iter().filter(|remark| remark.failed) {
        arcade.playground.notify(remark.text);
    }
}

/// The files in a browser's list.
pub fn list(files: Option<FileList>) -> Vec<File> {
    files
        .map(|files| (0..files.length()).filter_map(|i| files.get(i)).collect())
        .unwrap_or_default()
}

/// The content of a file; none if it cannot be read.
pub async fn bytes_of(file: &File) -> Option<Vec<u8>> {
    let buffer = JsFuture::from(file.array_buffer()).await.ok()?;
    Some(Uint8Array::new(&buffer).to_vec())
}

/// Reads the checkpoint in these files; errors are shown to the user.
pub async fn read(playground: Playground, files: Vec<File>) -> Option<Archive> {
    if files.is_empty() {
        return None;
    }
    let mut contents = Vec::with_capacity(files.len());
    for file in files {
        if file.size() > LARGEST {
            playground.notify(format!("{} is too large for a checkpoint.", file.name()));
            return None;
        }
        let Some(bytes) = bytes_of(&file).await else {
            playground.notify(format!("{} could not be read.", file.name()));
            return None;
        };
        contents.push((file.name(), bytes));
    }
    match Archive::from_upload(&contents) {
        Ok(archive) => Some(archive),
        Err(error) => {
            playground.notify(format!("This file cannot be loaded: {error}"));
            None
        }
    }
}

/// Continues an agent from a checkpoint. The other agent continues from its own last checkpoint; if
/// the checkpoint has another world, the other agent starts at its first iteration.
fn load(playground: Playground, draft: Draft, agent: usize, archive: Archive) {
    const SAME_WORLD: &str = "Load the checkpoint? The run in progress of this agent is replaced, and the other \
                             agent goes back to its last automatic checkpoint.";
    const OTHER_WORLD: &str = "Load the checkpoint? It is of another world, and both agents live in the same one. \
                              The run in progress of this agent is replaced, and the run of the other agent is \
                              lost: it starts anew in the other world.";
    if playground.phase.with_untracked(Phase::is_faulted) {
        playground.notify("The trainer has stopped. Restart it, then load the checkpoint again.");
        return;
    }
    let info = archive.open().ok().and_then(|contents| contents.info);
    let world = info.map(|info| World::of_run(&info));
    let same_world =
        world.is_none_or(|world| world == playground.opened.with_untracked(Experiment::world));
    let question = if same_world { SAME_WORLD } else { OTHER_WORLD };
    if untrack(move || draft.has_progress()) && !confirmed(question) {
        return;
    }
    let mut archives = [const { None }; AGENTS];
    if same_world {
        archives =
            playground.agents.map(|agent| agent.run.with_untracked(|run| run.kept().cloned()));
    }
    archives[agent] = Some(archive);
    playground.load(agent, archives);
}
