//! The list of cartridges, and the box into which files are dropped.

use deepspi_worlds::atari::Game;
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::{DragEvent, HtmlInputElement};

use super::roms::{Remark, Roms};
use crate::page::file_input::list;
use crate::rom_file::Cartridge;
use crate::shelf::Source;

/// The games that can be played, as buttons, and the controls that bring, keep and forget
/// cartridges. Needs [`Roms::provide`] in a component above.
#[component]
pub fn Cartridges(
    /// The game that is being played, whose button is shown as pressed.
    #[prop(into)]
    playing: Signal<Option<&'static Game>>,
    /// Called with the verified cartridge when a game was chosen, or dropped alone.
    choose: Callback<Cartridge>,
) -> impl IntoView {
    let roms = Roms::here();
    let pick = move |game: &'static Game| {
        spawn_local(async move {
            match roms.cartridge(game).await {
                Ok(cartridge) => choose.run(cartridge),
                Err(text) => roms.remarks.set(vec![Remark { text, failed: true }]),
            }
        });
    };
    let games = move || roms.shelf.with(|shelf| shelf.games());
    let has = move |wanted| games().iter().any(|(_, source)| *source == wanted);
    let brought = Memo::new(move |_| has(Source::Brought));
    let offered = Memo::new(move |_| has(Source::Machine));
    view! {
        <section class="card cartridges" aria-labelledby="cartridges-title">
            <h3 id="cartridges-title">"Cartridges"</h3>
            <ul class="cartridge-list" aria-labelledby="cartridges-title">
                <For each=games key=|(game, source)| (game.name, source.label()) let((game, source))>
                    <li>
                        <button
                            type="button"
                            data-game=game.stem
                            aria-pressed=move || (playing.get() == Some(game)).to_string()
                            on:click=move |_| pick(game)
                        >
                            {game.name} " " <span class="muted">{source.label()}</span>
                        </button>
                    </li>
                </For>
            </ul>
            <Show when=move || offered.get()>
                <p class="muted" id="cartridges-here">
                    "Games without a mark are ROMs on this machine, which ./run web offers to this page."
                </p>
            </Show>
            <DropBox choose=choose/>
            <Remarks/>
            <div class="cartridge-keep">
                <label>
                    <input
                        type="checkbox"
                        id="keep-cartridges"
                        prop:checked=move || roms.keeps.get()
                        on:change=move |event| roms.set_keeps(event_target_checked(&event))
                    />
                    " Keep my cartridges in this browser"
                </label>
                <button
                    type="button"
                    id="forget-cartridges"
                    disabled=move || !brought.get() && !roms.keeps.get()
                    on:click=move |_| roms.forget()
                >
                    "Forget my cartridges"
                </button>
            </div>
        </section>
    }
}

/// Takes files, dropped or chosen.
#[component]
fn DropBox(choose: Callback<Cartridge>) -> impl IntoView {
    let roms = Roms::here();
    let over = RwSignal::new(false);
    // The page itself takes files that are dropped anywhere else, as checkpoints.
    let dragged = move |event: DragEvent| {
        event.prevent_default();
        event.stop_propagation();
        over.set(true);
    };
    let dropped = move |event: DragEvent| {
        event.prevent_default();
        event.stop_propagation();
        over.set(false);
        let files = list(event.data_transfer().and_then(|data| data.files()));
        if !files.is_empty() {
            roms.bring(files, choose);
        }
    };
    let chosen = move |event| {
        let input: HtmlInputElement = event_target(&event);
        let files = list(input.files());
        // Clears the input, so that the same file can be chosen again; the files stay valid.
        input.set_value("");
        if !files.is_empty() {
            roms.bring(files, choose);
        }
    };
    view! {
        <div
            class="drop-box"
            class:over=move || over.get()
            on:dragover=dragged
            on:dragleave=move |_| over.set(false)
            on:drop=dropped
        >
            <p>
                "Drop your own ROMs here: .bin or .a26 files, a zip file of them, or the wheel of the \
                 Python package ale-py, which has all 57 games."
            </p>
            <label class="button">
                "Choose files"
                <input
                    type="file"
                    class="visually-hidden"
                    id="cartridge-files"
                    aria-describedby="cartridge-note"
                    multiple
                    on:change=chosen
                />
            </label>
            <p class="muted" id="cartridge-note">
                "They are found by their content, whatever their names, and never leave this browser."
            </p>
        </div>
    }
}

/// What became of the files; read aloud by screen readers.
#[component]
fn Remarks() -> impl IntoView {
    let roms = Roms::here();
    let remarks = move || {
        let remark = |Remark { text, failed }: Remark| {
            view! { <p class="notice" class:fault=failed>{text}</p> }
        };
        roms.remarks.get().into_iter().map(remark).collect_view()
    };
    view! {
        <div class="cartridge-remarks" role="status">
            {remarks}
            {move || (roms.busy.get() > 0).then(|| view! { <p class="muted">"Reading …"</p> })}
        </div>
    }
}
