//! The settings of the screens as a link holds them: read from the screens, and applied to them.
//!
//! A link may be read before the room was opened; then there is no world yet, and the screens only
//! remember what they will need.

use deepspi_run::world::{World, WorldError};
use deepspi_worlds::atari::{AtariNetwork, AtariTraining};
use deepspi_worlds::cartridge::CARTRIDGE_NAME;
use deepspi_worlds::maze::MazeConfig;
use leptos::prelude::*;

use super::state::{Arcade, Origin};
use crate::screens::{ScreenSettings, Seat, Settings, game_of};

/// The project's own cartridge, with its exact values.
pub const FREE_CARTRIDGE: World = World::Cartridge { maze: MazeConfig::DEFAULT, stochastic: false };

/// The settings of the screens.
pub fn settings(arcade: Arcade) -> Settings {
    let playing = arcade.world.with(|world| world.as_ref().map(World::name));
    let own = arcade.playground.experiment.with(game_of);
    Settings {
        screens: (*arcade.screens).map(|screen| ScreenSettings {
            hand: screen.hand.get(),
            seat: screen.seat.get(),
            speed: screen.speed.get(),
            rules: screen.rules.get(),
        }),
        game: playing.or(arcade.rare.wished.get()).filter(|game| *game != own),
    }
}

/// Gives the screens these settings. What does not change goes on.
pub fn apply(arcade: Arcade, settings: Settings) {
    let Settings { screens, game } = settings;
    let changed = arcade.screens.iter().zip(&screens).map(|(screen, wanted)| {
        screen.hand.set(wanted.hand);
        screen.speed.set(wanted.speed);
        let changed = screen.rules.get_untracked() != wanted.rules;
        screen.rules.set(wanted.rules);
        changed
    });
    let changed: Vec<_> = changed.collect();
    let before = arcade.world.get_untracked();
    arcade.rare.wished.set(game);
    if let Some(before) = before {
        let after = first_world(arcade);
        if after.name() != before.name() {
            arcade.insert(after);
        } else {
            for index in (0..changed.len()).filter(|index| changed[*index]) {
                arcade.start_game(index);
            }
        }
    }
    for (index, ScreenSettings { seat, .. }) in screens.into_iter().enumerate() {
        if arcade.screens[index].seat.get_untracked() == seat {
            continue;
        }
        match seat {
            Seat::Here => arcade.set_agent(index, Origin::Here, None),
            Seat::Fresh(algorithm) => arcade.set_fresh(index, algorithm),
            // `Agents::seat_own` follows the seat.
            Seat::Unchosen | Seat::Site(_) => {
                arcade.set_agent(index, Origin::Unchosen, None);
                arcade.screens[index].seat.set(seat);
            }
        }
    }
}

/// The world that is put into the consoles first: that of the game that a link asks for, or that of
/// the trainer, if it is on the emulator, or the free cartridge.
pub fn first_world(arcade: Arcade) -> World {
    let trained = arcade.playground.experiment.with_untracked(|experiment| experiment.world().ok());
    let wished = arcade.rare.wished.get_untracked().and_then(|name| world_of(name).ok());
    wished.or_else(|| trained.filter(|world| world.game().is_some())).unwrap_or(FREE_CARTRIDGE)
}

/// Sees to it that the free cartridge is in the consoles, now or when the room is opened. The
/// trainer must have no other game.
pub fn show_free_cartridge(arcade: Arcade) {
    arcade.rare.wished.set(None);
    let world = arcade.world.get_untracked();
    if world.is_some_and(|world| world.name() != CARTRIDGE_NAME) {
        arcade.insert(first_world(arcade));
    }
}

/// The world of a game, with the rules of the page's own agents.
///
/// # Errors
/// If there is no such game.
pub fn world_of(name: &str) -> Result<World, WorldError> {
    let training = AtariTraining { network: AtariNetwork::Small, ..AtariTraining::DEFAULT };
    World::find(name, false, Some(MazeConfig::DEFAULT), Some(training))
}
