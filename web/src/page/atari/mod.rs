//! The Atari room: two screens on which agents or the visitor play, and training on the emulator.
//!
//! The emulator is loaded when this room is opened for the first time, or when the first screen's
//! cartridge is asked to play, not before: the rest of the page must not wait for it.

mod agents;
pub mod arrivals;
pub mod canvas;
pub mod cartridges;
mod console;
mod dream;
pub mod kept;
mod latents;
pub mod linked;
pub mod machine;
mod player;
pub mod roms;
mod screen;
pub mod state;
mod take_away;
mod thoughts;
mod training;
mod watch;

use deepspi_playground::play::SCREENS;
use deepspi_run::world::World;
use deepspi_worlds::cartridge::CARTRIDGE_NAME;
use leptos::prelude::*;

use self::cartridges::Cartridges;
use self::console::ConsolePanel;
use self::roms::Roms;
use self::state::Arcade;
use self::training::Training;
use crate::page::emulators::Availability;
use crate::page::state::Playground;
use crate::screens::Settings;

/// Provides what the room and the first screen share, with the screens' settings of the link; called
/// once for the page.
pub fn provide(playground: Playground, settings: Settings) -> Arcade {
    let arcade = Arcade::new(playground);
    linked::apply(arcade, settings);
    provide_context(arcade);
    let (roms, agents) = (Roms::provide(), agents::Agents::provide());
    arrivals::follow(arcade, roms);
    watch::follow(arcade, agents);
    arcade
}

/// The room.
#[component]
pub fn AtariRoom() -> impl IntoView {
    let arcade = Arcade::here();
    let emulators = arcade.playground.emulators;
    emulators.ask();
    Effect::new(move || {
        let here = emulators.availability.get() == Availability::Here;
        if here && arcade.world.with_untracked(Option::is_none) {
            arcade.insert(linked::first_world(arcade));
        }
    });
    for screen in arcade.screens {
        screen.watch();
        on_cleanup(move || screen.unwatch());
    }
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
        <dream::Dreams/>
        <h3>"Training"</h3>
        <Training/>
    }
}

/// The cartridges; the chosen one goes into both consoles.
#[component]
fn Shelf() -> impl IntoView {
    let arcade = Arcade::here();
    let playing =
        Signal::derive(move || arcade.world.with(|world| world.as_ref().and_then(World::game)));
    let choose = Callback::new(move |cartridge| arrivals::play(arcade, cartridge));
    view! { <Cartridges playing choose/> }
}
