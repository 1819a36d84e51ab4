//! Cartridges on their way: what is on the shelf reaches screens and trainer, and whoever waits for a
//! cartridge goes on as soon as it is there.
//!
//! A link may name a game whose cartridge the page must first read from the browser's storage, load
//! from this machine, or be brought by the visitor. It then waits; nothing is lost.

use deepspi_worlds::atari::Game;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::console::insert_game;
use super::roms::Roms;
use super::state::Arcade;
use crate::page::emulators::NeedsError;
use crate::rom_file::Cartridge;
use crate::shelf::Shelf;

/// Brings cartridges to where they are needed; called once for the page.
pub fn follow(arcade: Arcade, roms: Roms) {
    let playground = arcade.playground;
    let known = playground.emulators.cartridges;
    Effect::new(move || {
        let here = roms.shelf.with(Shelf::at_hand);
        known.set(here.into_iter().map(|Cartridge { game, bytes }| (game.name, bytes)).collect());
    });
    let missing = arcade.screens[0].missing;
    for wanted in [missing, playground.awaits] {
        Effect::new(move || {
            let Some(game) = wanted.get() else { return };
            if known.with_untracked(|known| !known.contains_key(game.name))
                && roms.shelf.with(|shelf| shelf.has(game))
            {
                fetch(arcade, roms, game);
            }
        });
    }
    let has = move |game: Option<&'static Game>| {
        game.filter(|game| known.with(|known| known.contains_key(game.name)))
    };
    Effect::new(move || {
        let world = arcade.world.get_untracked();
        if let (Some(game), Some(world)) = (has(missing.get()), world)
            && world.game() == Some(game)
        {
            arcade.insert(world);
        }
    });
    Effect::new(move || {
        if let Some(game) = has(playground.awaits.get()) {
            playground.dismiss(&NeedsError::NoCartridge(game).to_string());
            playground.reset();
        }
    });
    // Said when it is clear that the visitor must bring it.
    Effect::new(move || {
        let Some(game) = playground.awaits.get().filter(|_| roms.looked.get()) else { return };
        if !roms.shelf.with(|shelf| shelf.has(game)) {
            playground.notify(NeedsError::NoCartridge(game).to_string());
        }
    });
}

/// Loads a game that the server on this machine offers; [`follow`] sees that it is there.
fn fetch(arcade: Arcade, roms: Roms, game: &'static Game) {
    spawn_local(async move {
        if let Err(text) = roms.cartridge(game).await {
            arcade.playground.notify(text);
        }
    });
}

/// Puts a cartridge that the visitor chose into both consoles.
pub fn play(arcade: Arcade, Cartridge { game, bytes }: Cartridge) {
    // The effect that does this, too, runs later.
    arcade.playground.emulators.cartridges.update(|known| drop(known.insert(game.name, bytes)));
    insert_game(arcade, game.name);
}
