//! Files that are dropped on the page, wherever that is: the user is asked which agent should load a
//! checkpoint, and cartridges go to the Atari room, which opens.

use deepspi_playground::archive::Archive;
use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::{DragEvent, File};

use super::atari::arrivals;
use super::atari::roms::Roms;
use super::atari::state::Arcade;
use super::file_input::{LARGEST, bytes_of, list, load, read, size_of};
use super::settings::draft::Draft;
use super::state::{Playground, Room};
use crate::dropped::meant_as_cartridges;
use crate::rom_file::LARGEST_FILE;

/// A checkpoint that was dropped on the page; the user is asked which agent should load it.
#[derive(Clone, Copy, Debug)]
pub struct Dropped(RwSignal<Option<Archive>>);

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
    // Who drops a folder of films would fill the memory; who reads them next says so.
    if size_of(&files) > LARGEST {
        return (Vec::new(), files);
    }
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
