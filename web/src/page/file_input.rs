//! Loads checkpoints from files.
//!
//! A file is not trusted: all of it is read and verified before the worker gets a request, and
//! errors are shown as text.

use deepspi_playground::archive::Archive;
use deepspi_playground::experiment::{AGENTS, Experiment};
use deepspi_run::world::World;
use js_sys::Uint8Array;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, FileList, HtmlInputElement};

use super::settings::draft::{Draft, confirmed};
use super::state::{Phase, Playground};

/// Largest size of all chosen files in bytes. More cannot be a checkpoint and would fill the memory.
pub const LARGEST: f64 = 256.0 * 1024.0 * 1024.0;
/// What a checkpoint is, for those who chose something else.
const REMEDY: &str = "choose one zip file with a run folder, or all files of one checkpoint";

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

/// The files in a browser's list.
pub fn list(files: Option<FileList>) -> Vec<File> {
    files
        .map(|files| (0..files.length()).filter_map(|i| files.get(i)).collect())
        .unwrap_or_default()
}

/// Bytes of all files together.
pub fn size_of(files: &[File]) -> f64 {
    files.iter().map(|file| file.size()).sum()
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
    let what = match &files[..] {
        [file] => file.name(),
        files => format!("{} and {} more", files[0].name(), files.len() - 1),
    };
    if size_of(&files) > LARGEST {
        playground
            .notify(format!("{what}: more than 256 MiB, too large for a checkpoint; {REMEDY}."));
        return None;
    }
    let mut contents = Vec::with_capacity(files.len());
    for file in files {
        let Some(bytes) = bytes_of(&file).await else {
            let name = file.name();
            playground.notify(format!("{name} could not be read. If it is a folder, {REMEDY}."));
            return None;
        };
        contents.push((file.name(), bytes));
    }
    match Archive::from_upload(&contents) {
        Ok(archive) => Some(archive),
        Err(error) => {
            playground.notify(format!("This file cannot be loaded ({what}): {error}; {REMEDY}."));
            None
        }
    }
}

/// Continues an agent from a checkpoint. The other agent continues from its own last checkpoint; if
/// the checkpoint has another world, the other agent starts at its first iteration.
pub fn load(playground: Playground, draft: Draft, agent: usize, archive: Archive) {
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
            playground.agents.map(|agent| agent.run.with_untracked(|run| run.newest().cloned()));
    }
    archives[agent] = Some(archive);
    playground.load(agent, archives);
}
