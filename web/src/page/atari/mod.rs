//! The Atari room: two screens on which agents or the visitor play, and training on the emulator.
//!
//! The emulator is loaded when this room is opened for the first time, not before: the other rooms
//! must not wait for it.

mod agents;
mod canvas;
pub mod cartridges;
mod console;
pub mod kept;
mod latents;
pub mod machine;
mod player;
pub mod roms;
pub mod state;
mod take_away;
mod thoughts;
mod training;

use std::cell::RefCell;
use std::rc::Rc;

use deepspi_playground::play::SCREENS;
use deepspi_run::world::World;
use deepspi_worlds::cartridge::{CARTRIDGE_NAME, MAZE_CARTRIDGE};
use deepspi_worlds::maze::MazeConfig;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::prelude::*;

use self::cartridges::Cartridges;
use self::console::ConsolePanel;
use self::roms::Roms;
use self::state::Arcade;
use self::training::Training;
use crate::page::emulators::Availability;
use crate::rom_file::Cartridge;

/// The room.
#[component]
pub fn AtariRoom() -> impl IntoView {
    let arcade = Arcade::here();
    let emulators = arcade.playground.emulators;
    emulators.ask();
    Effect::new(move || {
        let here = emulators.availability.get() == Availability::Here;
        if here && arcade.world.with_untracked(Option::is_none) {
            arcade.insert(first_world(arcade));
        }
    });
    let agents = agents::Agents::provide(arcade);
    Effect::new(move || {
        arcade.world.track();
        agents.seat_first(arcade);
    });
    follow_training(arcade);
    drive(arcade);
    view! {
        <h2>"Atari"</h2>
        <p>
            "Agents play real Atari 2600 games here, in your browser: the emulator is the Arcade \
             Learning Environment, with the same rules as in the paper. The cartridge "
            <b>{CARTRIDGE_NAME}</b>
            " is the paper's maze, written for this page, so that its exact values are known."
        </p>
        {move || match emulators.availability.get() {
            Availability::Unknown => view! { <p role="status">"Looking for the emulator …"</p> }.into_any(),
            Availability::Absent(why) => {
                view! {
                    <p class="notice" role="status">
                        {why} " All other rooms work without Atari games."
                    </p>
                }
                    .into_any()
            }
            Availability::Here => view! { <Playing arcade/> }.into_any(),
        }}
    }
}

/// Screens and training.
#[component]
fn Playing(arcade: Arcade) -> impl IntoView {
    let fault = move || {
        let own = arcade.fault.get();
        own.or_else(|| arcade.playground.emulators.fault.get())
    };
    view! {
        <div role="alert">
            {move || {
                fault()
                    .map(|text| {
                        view! {
                            <div class="notice fault">
                                <p>{text}</p>
                                <button type="button" id="atari-restart" on:click=move |_| arcade.restart()>
                                    "Start the emulator again"
                                </button>
                            </div>
                        }
                    })
            }}
        </div>
        <div class="screens">
            {(0..SCREENS).map(|index| view! { <ConsolePanel index/> }).collect_view()}
        </div>
        <Shelf/>
        <latents::Latents/>
        <h3>"Training"</h3>
        <Training/>
    }
}

/// The cartridges; the chosen one goes into both consoles.
#[component]
fn Shelf() -> impl IntoView {
    let (arcade, roms) = (Arcade::here(), Roms::here());
    let known = arcade.playground.emulators.cartridges;
    // Those whose bytes are here are offered at the screens, too, and to the trainer.
    Effect::new(move || {
        let here = roms.shelf.with(crate::shelf::Shelf::at_hand);
        known.set(here.into_iter().map(|Cartridge { game, bytes }| (game.name, bytes)).collect());
    });
    let playing =
        Signal::derive(move || arcade.world.with(|world| world.as_ref().and_then(World::game)));
    let choose = Callback::new(move |Cartridge { game, bytes }: Cartridge| {
        // The effect above runs later.
        known.update(|known| drop(known.insert(game.name, bytes)));
        console::insert_game(arcade, game.name);
    });
    // A link may open a game before its cartridge is read from the browser's storage, or asked for
    // from this machine: it goes in as soon as it is there.
    Effect::new(move || {
        let Some(game) = playing.get().filter(|game| **game != MAZE_CARTRIDGE) else { return };
        let missing = known.with_untracked(|known| !known.contains_key(game.name));
        if !missing || !roms.shelf.with(|shelf| shelf.has(game)) {
            return;
        }
        spawn_local(async move {
            let Ok(Cartridge { bytes, .. }) = roms.cartridge(game).await else { return };
            known.update(|known| drop(known.insert(game.name, bytes)));
            if let Some(world) = arcade.world.get_untracked().filter(|w| w.game() == Some(game)) {
                arcade.insert(world);
            }
        });
    });
    view! { <Cartridges playing choose/> }
}

/// The world of the trainer if it is on the emulator, else the free cartridge.
fn first_world(arcade: Arcade) -> World {
    let trained = arcade.playground.experiment.with_untracked(|experiment| experiment.world().ok());
    trained
        .filter(|world| world.game().is_some())
        .unwrap_or(World::Cartridge { maze: MazeConfig::DEFAULT, stochastic: false })
}

/// Passes the networks of the trainer on to the screens while the room is open.
fn follow_training(arcade: Arcade) {
    use deepspi_playground::protocol::Request;
    let playground = arcade.playground;
    playground.send(&Request::Networks(true));
    for index in 0..SCREENS {
        Effect::new(move || {
            let networks = playground.agents[index].networks.get();
            let same = playground.opened.with_untracked(|opened| opened.world().ok())
                == arcade.world.get_untracked();
            if let (Some(networks), true) = (networks, same) {
                arcade.update_agent(index, &networks);
            }
        });
    }
    on_cleanup(move || playground.send(&Request::Networks(false)));
}

/// Calls [`Arcade::tick`] with every frame of the browser while the room is open.
fn drive(arcade: Arcade) {
    let open = StoredValue::new(true);
    on_cleanup(move || open.set_value(false));
    let callback = OnFrame::default();
    let next = callback.clone();
    *callback.borrow_mut() = Some(Closure::new(move |now: f64| {
        // The value is gone once the room is closed.
        if open.try_get_value() != Some(true) {
            next.borrow_mut().take();
            return;
        }
        arcade.tick(now);
        request(&next);
    }));
    request(&callback);
}

/// The function that the browser calls with every frame; it holds itself.
type OnFrame = Rc<RefCell<Option<Closure<dyn FnMut(f64)>>>>;

fn request(callback: &OnFrame) {
    if let Some(callback) = callback.borrow().as_ref() {
        // Fails only for a page that is being closed.
        drop(window().request_animation_frame(callback.as_ref().unchecked_ref()));
    }
}
