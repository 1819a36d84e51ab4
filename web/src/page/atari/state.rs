//! The state of the Atari room: both screens, and the player worker that plays on them.
//!
//! The player worker's reports change it in one place, [`Arcade::handle`]. A screen is driven by the
//! browser's frames ([`Arcade::tick`]), not by the reports, so that it plays at its own pace.

use std::collections::VecDeque;
use std::sync::Arc;

use deepspi_playground::emulator::Games;
use deepspi_playground::play::{Networks, Report, Request, SCREENS, Source};
use deepspi_run::config::{Algorithm, Config};
use deepspi_run::world::World;
use deepspi_worlds::atari::AtariOptions;
use leptos::prelude::*;
use serde_bytes::ByteBuf;

use super::player::{PlayerWorker, Told};
pub use super::screen::{Origin, Screen, Shot};
use crate::page::state::Playground;
use crate::reel::Reel;
use crate::screens::Seat;

/// The state of the room.
#[derive(Clone, Copy, Debug)]
pub struct Arcade {
    /// The page.
    pub playground: Playground,
    /// Both screens. They live as long as the page, and a reference keeps this struct small.
    pub screens: &'static [Screen; SCREENS],
    /// The world that is played; none before the first.
    pub world: RwSignal<Option<World>>,
    /// Why the player cannot go on, if it cannot.
    pub fault: RwSignal<Option<String>>,
    /// What few functions need; a reference for the same reason.
    pub rare: &'static Rare,
}

/// The part of [`Arcade`] that few functions need.
#[derive(Debug)]
pub struct Rare {
    /// The game that a link asks for, if it is not the trainer's.
    pub wished: RwSignal<Option<&'static str>>,
    player: StoredValue<Option<PlayerWorker>, LocalStorage>,
}

impl Arcade {
    /// The room before it is opened for the first time.
    #[must_use]
    pub fn new(playground: Playground) -> Self {
        Self {
            playground,
            screens: Box::leak(Box::new([Screen::new(), Screen::new()])),
            world: RwSignal::new(None),
            fault: RwSignal::new(None),
            rare: Box::leak(Box::new(Rare {
                wished: RwSignal::new(None),
                player: StoredValue::new_local(None),
            })),
        }
    }

    /// The room of this page, from the context.
    #[must_use]
    pub fn here() -> Self {
        expect_context()
    }

    /// Puts the cartridge of a world into both consoles. Agents from files leave.
    pub fn insert(self, world: World) {
        let before = self.world.get_untracked();
        let is_other = before.is_some_and(|before| before.name() != world.name());
        for screen in *self.screens {
            if is_other && matches!(screen.seat.get_untracked(), Seat::Site(_)) {
                screen.seat.set(Seat::Unchosen);
            }
            // An agent from a file plays the game it was trained on, and no other.
            if matches!(screen.origin.get_untracked(), Origin::File(_)) {
                screen.origin.set(Origin::Unchosen);
            }
        }
        self.world.set(Some(world));
        for screen in 0..SCREENS {
            self.start_game(screen);
        }
    }

    /// Puts the cartridge into the console of a screen anew, with the screen's rules.
    pub fn start_game(self, index: usize) {
        let Some(world) = self.world.get_untracked() else { return };
        let screen = self.screens[index];
        screen.problem.set(None);
        let config = self.config(index);
        let prepared = (|| {
            let game = world.game().ok_or_else(|| "The maze itself is no game.".to_owned())?;
            let options = world.options(config.gamma).map_err(|error| error.to_string())?;
            let options = options.ok_or_else(|| "The maze itself is no game.".to_owned())?;
            let emulators = self.playground.emulators;
            let rom = emulators.rom(&world);
            screen.missing.set(rom.is_none().then_some(game));
            let rom = rom.ok_or_else(|| {
                format!(
                    "The cartridge of {} is not here: drop its file or the ale-py wheel.",
                    game.name
                )
            })?;
            Ok::<_, String>((game, options, rom, emulators.for_screen()?))
        })();
        let (game, options, rom, port) = match prepared {
            Ok(prepared) => prepared,
            Err(text) => {
                screen.playing.set(false);
                return screen.problem.set(Some(text));
            }
        };
        let rules = screen.rules.get_untracked();
        let options = AtariOptions {
            repeat_action_probability: rules.sticky,
            noop_max: rules.noops,
            episodic_life: false,
            ..options
        };
        screen.judge(None);
        screen.reel.update_value(Reel::clear);
        screen.values.update(VecDeque::clear);
        screen.seen.update(VecDeque::clear);
        screen.returns.set((0.0, None));
        let games = Games {
            game: game.name.to_owned(),
            rom: ByteBuf::from(&rom[..]),
            options,
            seed: rules.seed,
            first_index: 0,
            envs: 1,
            film: true,
        };
        screen.recording.set_value(None);
        screen.inserted.set_value(Some(games.clone()));
        let game = screen.game.get_value() + 1;
        screen.game.set_value(game);
        self.send(Request::Insert { screen: index, game, games: Box::new(games) }, Some(port));
        self.give_agent(index);
        screen.reel.update_value(|reel| _ = reel.ask_once());
        self.send(Request::Reset { screen: index }, None);
    }

    /// Hyper-parameters of the agent of a screen.
    fn config(self, index: usize) -> Config {
        self.playground.experiment.with_untracked(|experiment| experiment.agents[index].clone())
    }

    /// Hyper-parameters of an agent of a screen that was never trained.
    fn fresh_config(self, index: usize, world: &World) -> Config {
        let set = self.config(index);
        let algo = match self.screens[index].seat.get_untracked() {
            Seat::Fresh(Some(algorithm)) => algorithm,
            _ => set.algo,
        };
        let config = Config { algo, ..set };
        // Some settings of one algorithm forbid another one.
        match config.validate() {
            Ok(()) => config,
            Err(_) => Config { algo, seed: config.seed, ..world.defaults() },
        }
    }

    /// Gives a screen the agent of its origin.
    fn give_agent(self, index: usize) {
        let (screen, Some(world)) = (self.screens[index], self.world.get_untracked()) else {
            return;
        };
        let networks = || {
            let networks = self.playground.agents[index].networks.get_untracked();
            networks.map(|networks| Source::Trained(Box::new((*networks).clone())))
        };
        let source = match screen.origin.get_untracked() {
            Origin::Here => networks(),
            Origin::Fresh | Origin::Unchosen => Some(Source::Fresh {
                config: Box::new(self.fresh_config(index, &world)),
                spec: Box::new(world.network()),
            }),
            Origin::File(_) => screen.file.get_value(),
        };
        if let Some(source) = source {
            self.give(index, source);
        }
    }

    /// Sends an agent to a screen.
    fn give(self, index: usize, source: Source) {
        let algorithm = match &source {
            Source::Nobody => None,
            Source::Fresh { config, .. } => Some(config.algo),
            Source::Trained(networks) | Source::Updated(networks) => {
                Some(networks.state.config.algo)
            }
        };
        let screen = self.screens[index];
        screen.follows_run.set_value(screen.origin.get_untracked() == Origin::Here);
        screen.algorithm.set(algorithm);
        self.send(Request::Agent { screen: index, source }, None);
    }

    /// Gives a screen another agent.
    pub fn set_agent(self, index: usize, origin: Origin, source: Option<Source>) {
        let seat = match origin {
            Origin::Here => Seat::Here,
            Origin::Fresh => Seat::Fresh(None),
            // A file cannot be in a link; for an agent of the site `Agents::seat` says which.
            Origin::Unchosen | Origin::File(_) => Seat::Unchosen,
        };
        self.take(index, seat, origin, source);
    }

    fn take(self, index: usize, seat: Seat, origin: Origin, source: Option<Source>) {
        let screen = self.screens[index];
        screen.seat.set(seat);
        screen.origin.set(origin);
        screen.file.set_value(source.clone());
        screen.follows_run.set_value(false);
        match source {
            Some(source) => self.give(index, source),
            None => self.give_agent(index),
        }
    }

    /// Gives a screen an agent that was never trained; without an algorithm, that of the settings.
    pub fn set_fresh(self, index: usize, algorithm: Option<Algorithm>) {
        self.take(index, Seat::Fresh(algorithm), Origin::Fresh, None);
    }

    /// Passes the networks of the agent that is trained here on to its screen.
    pub fn update_agent(self, index: usize, networks: &Networks) {
        let screen = self.screens[index];
        if screen.origin.get_untracked() == Origin::Here {
            let networks = Box::new(networks.clone());
            self.give(
                index,
                if screen.follows_run.get_value() {
                    Source::Updated(networks)
                } else {
                    Source::Trained(networks)
                },
            );
        }
    }

    /// Plays one step of a screen that stands still.
    pub fn step_once(self, index: usize) {
        let screen = self.screens[index];
        let Some(chooser) = screen.chooser() else { return };
        screen.catch_up();
        if screen.reel.try_update_value(Reel::ask_once) == Some(true) {
            self.send(Request::Step { screen: index, chooser }, None);
        }
    }

    /// Starts a new game on a screen.
    pub fn reset(self, index: usize) {
        let screen = self.screens[index];
        // What was played is shown, so that the recording has no gap.
        screen.catch_up();
        screen.reel.update_value(Reel::ask_anyway);
        self.send(Request::Reset { screen: index }, None);
    }

    /// Asks for the latents of a screen.
    pub fn ask_latents(self, index: usize) {
        self.send(Request::Latents { screen: index }, None);
    }

    /// Asks for the last steps of a screen as its agent imagines them.
    pub fn ask_dream(self, index: usize, horizon: usize) {
        self.send(Request::Dream { screen: index, horizon }, None);
    }

    /// One frame of the browser: shows what is due on the screens that somebody looks at, and asks for
    /// more. `elapsed` are the milliseconds since the frame before.
    pub fn tick(self, elapsed: f64) {
        for (index, screen) in self.screens.iter().copied().enumerate() {
            if screen.watched.get_untracked() == 0 {
                continue;
            }
            let playing = screen.playing.get_untracked() && !screen.waits_for_person();
            if playing {
                screen.advance(elapsed);
            } else {
                screen.catch_up();
            }
            // A problem that stops the game has ended `playing`. Others, such as a file that is no
            // agent of this game, must not stop it.
            if !playing || screen.opened.with_untracked(Option::is_none) {
                continue;
            }
            while let Some(chooser) = screen.chooser() {
                if screen.reel.try_update_value(Reel::ask) != Some(true) {
                    break;
                }
                self.send(Request::Step { screen: index, chooser }, None);
            }
        }
    }

    /// Handles a report of the player.
    fn handle(self, told: Told) {
        let Told { report, frames, observation } = told;
        match report {
            Report::Listening => {
                self.rare.player.update_value(|player| {
                    if let Some(player) = player {
                        player.listening();
                    }
                });
            }
            Report::Inserted { screen, opened } => {
                self.screens[screen].record(&opened);
                self.screens[screen].opened.set(Some(Arc::from(opened)));
            }
            Report::Agent { screen, global_step, judged } => {
                let screen = self.screens[screen];
                screen.trained.set(global_step);
                screen.dream.set(Arc::default());
                screen.looks.update(Vec::clear);
                screen.record_agent();
                screen.judge(judged.map(|judged| *judged));
            }
            // Steps of the game before may arrive late. They belong to no recording any more.
            Report::Played { screen, step }
                if step.game != self.screens[screen].game.get_value() => {}
            Report::Played { screen, step } => {
                let count = step.filmed as usize;
                let shot = Arc::new(Shot { step: *step, frames, observation });
                self.screens[screen].reel.update_value(|reel| reel.push(shot, count));
            }
            Report::Latents { screen, picture } => {
                self.screens[screen].latents.set(picture.map(Arc::new));
            }
            Report::Dream { screen, dream } => self.screens[screen].look(dream),
            Report::Refused { screen, text } => {
                let screen = self.screens[screen];
                screen.reel.update_value(Reel::fail);
                screen.playing.set(false);
                // The first problem is the cause; later ones are its consequences.
                screen.problem.update(|problem| _ = problem.get_or_insert(text));
            }
            Report::Fault { text } => {
                if self.fault.with_untracked(Option::is_none) {
                    self.fault.set(Some(text));
                }
            }
        }
    }

    /// Starts the player again after a fault, and both games.
    pub fn restart(self) {
        self.fault.set(None);
        self.playground.emulators.restart();
        self.rare.player.set_value(None);
        for screen in 0..SCREENS {
            self.start_game(screen);
        }
    }

    fn send(self, request: Request, port: Option<web_sys::MessagePort>) {
        let started = self.rare.player.try_update_value(|player| {
            if player.is_none() {
                *player = Some(PlayerWorker::start(move |told| self.handle(told))?);
            }
            if let Some(player) = player {
                player.send(request, port);
            }
            Ok::<_, String>(())
        });
        if let Some(Err(text)) = started {
            self.fault.set(Some(text));
        }
    }
}
