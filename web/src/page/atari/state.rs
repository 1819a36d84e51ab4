//! The state of the Atari room: both screens, who plays on them, and what is shown.
//!
//! The player worker's reports change it in one place, [`Arcade::handle`]. A screen is driven by the
//! browser's frames ([`Arcade::tick`]), not by the reports, so that it plays at its own pace.

use std::collections::VecDeque;
use std::sync::Arc;

use deepspi_playground::emulator::{Games, Opened};
use deepspi_playground::play::{Chooser, LatentPicture, Report, Request, SCREENS, Source, Step};
use deepspi_run::world::World;
use deepspi_worlds::atari::AtariOptions;
use leptos::prelude::*;
use serde_bytes::ByteBuf;

use super::player::{PlayerWorker, Told};
use crate::joystick::Joystick;
use crate::page::state::Playground;
use crate::recording::Recording;
use crate::recording::source::{Agent, Source as Played};
use crate::reel::{Reel, Speed};

/// Steps of which values are kept for the chart.
const REMEMBERED: usize = 300;

/// One step with its pictures.
#[derive(Debug)]
pub struct Shot {
    /// What happened.
    pub step: Step,
    /// `[k, 210, 160]`, palette indices.
    pub frames: Vec<u8>,
    /// `[F, 84, 84]`.
    pub observation: Vec<u8>,
}

/// Who plays on a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    /// The agent, with actions drawn from its policy.
    Sampled,
    /// The agent, with the most probable action.
    Greedy,
    /// The visitor.
    Person,
}

/// Where the agent of a screen comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The agent that is trained on this page; it changes with every update.
    Here,
    /// An agent that was never trained.
    Fresh,
    /// A checkpoint; the text names it.
    File(String),
}

/// Rules of a screen that the visitor can change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// Probability that a frame repeats the previous action.
    pub sticky: f32,
    /// Largest number of no-ops at the start of a game.
    pub noops: u32,
    /// Seed of the games.
    pub seed: u64,
}

/// One screen.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// The game in the console.
    pub opened: RwSignal<Option<Arc<Opened>>>,
    /// Who plays.
    pub hand: RwSignal<Hand>,
    /// Whose agent it is.
    pub origin: RwSignal<Origin>,
    /// Agent steps for which the agent was trained; none without an agent.
    pub trained: RwSignal<Option<u64>>,
    /// Whether the game goes on.
    pub playing: RwSignal<bool>,
    /// How fast.
    pub speed: RwSignal<Speed>,
    /// Its rules.
    pub rules: RwSignal<Rules>,
    /// The step that is shown.
    pub shot: RwSignal<Option<Arc<Shot>>>,
    /// Index of the frame that is shown, within that step.
    pub frame: RwSignal<usize>,
    /// Number and value of the last steps.
    pub values: RwSignal<VecDeque<[f64; 2]>>,
    /// Return of the game so far, and of the last finished one.
    pub returns: RwSignal<(f64, Option<f64>)>,
    /// Latents of the last steps.
    pub latents: RwSignal<Option<Arc<LatentPicture>>>,
    /// Newest frames of the observations of the last steps, by number of the step.
    pub seen: RwSignal<VecDeque<(u64, Arc<[u8]>)>>,
    /// What went wrong, such as why it cannot go on.
    pub problem: RwSignal<Option<String>>,
    /// What the visitor presses.
    pub joystick: RwSignal<Joystick>,
    /// What it has shown since the game was put into the console; none before.
    pub recording: StoredValue<Option<Recording>>,
    reel: StoredValue<Reel<Arc<Shot>>>,
    /// The agent of a file, so that it can be given to a new player, too.
    file: StoredValue<Option<Source>>,
    /// What was put into the console.
    inserted: StoredValue<Option<Games>>,
    /// The algorithm of the agent that the screen was given last.
    algorithm: StoredValue<String>,
}

impl Screen {
    fn new(hand: Hand, seed: u64) -> Self {
        Self {
            opened: RwSignal::new(None),
            hand: RwSignal::new(hand),
            origin: RwSignal::new(Origin::Fresh),
            trained: RwSignal::new(None),
            playing: RwSignal::new(false),
            speed: RwSignal::new(Speed::Times(1.0)),
            rules: RwSignal::new(Rules { sticky: 0.0, noops: 0, seed }),
            shot: RwSignal::new(None),
            frame: RwSignal::new(0),
            values: RwSignal::new(VecDeque::new()),
            returns: RwSignal::new((0.0, None)),
            latents: RwSignal::new(None),
            seen: RwSignal::new(VecDeque::new()),
            problem: RwSignal::new(None),
            joystick: RwSignal::new(Joystick::default()),
            recording: StoredValue::new(None),
            reel: StoredValue::new(Reel::default()),
            file: StoredValue::new(None),
            inserted: StoredValue::new(None),
            algorithm: StoredValue::new(String::new()),
        }
    }

    /// Whether a person must press something for the game to go on: it has no action that does
    /// nothing.
    #[must_use]
    pub fn waits_for_person(self) -> bool {
        self.hand.get_untracked() == Hand::Person
            && self.opened.with_untracked(|opened| {
                opened
                    .as_ref()
                    .is_some_and(|opened| Joystick::default().action(&opened.actions).is_none())
            })
    }

    /// Who chooses the next action; none while a person presses nothing that the game has.
    fn chooser(self) -> Option<Chooser> {
        match self.hand.get_untracked() {
            Hand::Sampled => Some(Chooser::Sampled),
            Hand::Greedy => Some(Chooser::Greedy),
            Hand::Person => {
                let joystick = self.joystick.get_untracked();
                let opened = self.opened.get_untracked()?;
                joystick.action(&opened.actions).map(Chooser::Person)
            }
        }
    }

    /// Starts the recording of the game that was put into the console.
    fn record(self, opened: &Opened) {
        let source = self.inserted.with_value(|games| Some(Played::new(games.as_ref()?, opened)));
        self.recording.set_value(source.map(Recording::new));
        self.record_agent();
    }

    /// Notes the agent in the recording.
    fn record_agent(self) {
        let origin = match self.origin.get_untracked() {
            Origin::Here => "trained on this page".to_owned(),
            Origin::Fresh => String::new(),
            Origin::File(name) => name,
        };
        let algorithm = self.algorithm.get_value();
        let agent = self.trained.get_untracked();
        let agent = agent.map(|trained_steps| Agent { algorithm, trained_steps, origin });
        self.recording.update_value(|recording| {
            if let Some(recording) = recording {
                recording.set_agent(agent);
            }
        });
    }

    /// Shows steps whose first frame is reached.
    fn show(self, begun: Vec<Arc<Shot>>, frame: Option<usize>) {
        self.recording.update_value(|recording| {
            for shot in &begun {
                if let Some(recording) = recording {
                    recording.push(&shot.step, &shot.frames);
                }
            }
        });
        for shot in &begun {
            let step = &shot.step;
            let reward = f64::from(step.outcome.raw_reward);
            let over = step.outcome.terminated || step.outcome.truncated;
            self.returns.update(|(running, last)| match step.action {
                None => *running = 0.0,
                Some(_) => {
                    *running += reward;
                    if over {
                        (*last, *running) = (Some(*running), 0.0);
                    }
                }
            });
            if let Some(sees) = &step.sees {
                self.values.update(|values| {
                    remember(values, [step.number as f64, f64::from(sees.value)], REMEMBERED);
                });
            }
            let newest = shot.observation.len().saturating_sub(deepspi_worlds::atari::OBS_PIXELS);
            let picture: Arc<[u8]> = shot.observation[newest..].into();
            self.seen.update(|seen| remember(seen, (step.number, picture), 1_000));
        }
        if let Some(last) = begun.into_iter().next_back() {
            self.shot.set(Some(last));
        }
        if let Some(frame) = frame {
            self.frame.set(frame);
        }
    }
}

fn remember<T>(list: &mut VecDeque<T>, entry: T, most: usize) {
    if list.len() == most {
        list.pop_front();
    }
    list.push_back(entry);
}

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
    player: StoredValue<Option<PlayerWorker>, LocalStorage>,
    last_tick: StoredValue<f64>,
}

impl Arcade {
    /// The room before it is opened for the first time.
    #[must_use]
    pub fn new(playground: Playground) -> Self {
        Self {
            playground,
            screens: Box::leak(Box::new([
                Screen::new(Hand::Sampled, 1),
                Screen::new(Hand::Sampled, 1),
            ])),
            world: RwSignal::new(None),
            fault: RwSignal::new(None),
            player: StoredValue::new_local(None),
            last_tick: StoredValue::new(0.0),
        }
    }

    /// The room of this page, from the context.
    #[must_use]
    pub fn here() -> Self {
        expect_context()
    }

    /// Puts the cartridge of a world into both consoles, and gives both screens fresh agents.
    pub fn insert(self, world: World) {
        for screen in *self.screens {
            // An agent from a file plays the game it was trained on, and no other.
            if matches!(screen.origin.get_untracked(), Origin::File(_)) {
                screen.origin.set(Origin::Fresh);
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
            let rom = emulators.rom(&world).ok_or_else(|| {
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
        self.send(Request::Insert { screen: index, games: Box::new(games) }, Some(port));
        self.give_agent(index);
        screen.reel.update_value(|reel| _ = reel.ask_once());
        self.send(Request::Reset { screen: index }, None);
    }

    /// Hyper-parameters of the agent of a screen.
    fn config(self, index: usize) -> deepspi_run::config::Config {
        self.playground.experiment.with_untracked(|experiment| experiment.agents[index].clone())
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
            Origin::Fresh => Some(Source::Fresh {
                config: Box::new(self.config(index)),
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
        let name = algorithm.map_or_else(String::new, |algorithm| algorithm.name().to_owned());
        self.screens[index].algorithm.set_value(name);
        self.send(Request::Agent { screen: index, source }, None);
    }

    /// Gives a screen another agent.
    pub fn set_agent(self, index: usize, origin: Origin, source: Option<Source>) {
        let screen = self.screens[index];
        screen.origin.set(origin);
        screen.file.set_value(source.clone());
        match source {
            Some(source) => self.give(index, source),
            None => self.give_agent(index),
        }
    }

    /// Passes the networks of the agent that is trained here on to its screen.
    pub fn update_agent(self, index: usize, networks: &deepspi_playground::play::Networks) {
        if self.screens[index].origin.get_untracked() == Origin::Here {
            self.give(index, Source::Updated(Box::new(networks.clone())));
        }
    }

    /// Plays one step of a screen that stands still.
    pub fn step_once(self, index: usize) {
        let screen = self.screens[index];
        let Some(chooser) = screen.chooser() else { return };
        let free = screen.reel.try_update_value(|reel| {
            let due = reel.finish();
            (due, reel.ask_once())
        });
        let Some((due, free)) = free else { return };
        screen.show(due.begun, due.frame);
        if free {
            self.send(Request::Step { screen: index, chooser }, None);
        }
    }

    /// Starts a new game on a screen.
    pub fn reset(self, index: usize) {
        self.screens[index].reel.update_value(|reel| {
            reel.clear();
            reel.ask_once();
        });
        self.send(Request::Reset { screen: index }, None);
    }

    /// Asks for the latents of a screen.
    pub fn ask_latents(self, index: usize) {
        self.send(Request::Latents { screen: index }, None);
    }

    /// One frame of the browser: shows what is due and asks for more. `now` in milliseconds.
    pub fn tick(self, now: f64) {
        let elapsed = now - self.last_tick.get_value();
        self.last_tick.set_value(now);
        for (index, screen) in self.screens.iter().copied().enumerate() {
            let playing = screen.playing.get_untracked() && !screen.waits_for_person();
            let due = screen.reel.try_update_value(|reel| {
                if playing {
                    reel.advance(elapsed, screen.speed.get_untracked())
                } else {
                    reel.finish()
                }
            });
            if let Some(due) = due {
                screen.show(due.begun, due.frame);
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
                self.player.update_value(|player| {
                    if let Some(player) = player {
                        player.listening();
                    }
                });
            }
            Report::Inserted { screen, opened } => {
                self.screens[screen].record(&opened);
                self.screens[screen].opened.set(Some(Arc::from(opened)));
            }
            Report::Agent { screen, global_step } => {
                self.screens[screen].trained.set(global_step);
                self.screens[screen].record_agent();
            }
            Report::Played { screen, step } => {
                let count = step.filmed as usize;
                let shot = Arc::new(Shot { step: *step, frames, observation });
                self.screens[screen].reel.update_value(|reel| reel.push(shot, count));
            }
            Report::Latents { screen, picture } => {
                self.screens[screen].latents.set(picture.map(Arc::new));
            }
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
        self.player.set_value(None);
        for screen in 0..SCREENS {
            self.start_game(screen);
        }
    }

    fn send(self, request: Request, port: Option<web_sys::MessagePort>) {
        let started = self.player.try_update_value(|player| {
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
