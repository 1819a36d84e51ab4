//! One screen of the Atari room: its game, who plays on it, what it shows, and what it remembers.
//!
//! [`Arcade`](super::state::Arcade) decides when something happens; everything here is about a single
//! screen.

use std::collections::VecDeque;
use std::sync::Arc;

use deepspi_playground::emulator::{Games, Opened};
use deepspi_playground::play::{Chooser, Judged, LatentPicture, ScreenDream, Source, Step};
use deepspi_run::config::Algorithm;
use deepspi_run::dreaming::LookedAhead;
use deepspi_worlds::atari::Game;
use leptos::prelude::*;

use crate::joystick::Joystick;
use crate::recording::Recording;
use crate::recording::source::{Agent, Source as Played};
use crate::reel::{Due, Reel, Speed};
use crate::screens::{Hand, Rules, ScreenSettings, Seat};

/// Steps of which values are kept for the chart.
const REMEMBERED: usize = 300;
/// Looks into the world model of which means are formed.
const LOOKS: usize = 1_000;

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

/// Where the agent of a screen comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody chose: one of the site's agents if it has one for the game, else one that was never
    /// trained.
    Unchosen,
    /// The agent that is trained on this page; it changes with every update.
    Here,
    /// An agent that was never trained.
    Fresh,
    /// A checkpoint; the text names it.
    File(String),
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
    /// Whose agent was chosen, as links say it.
    pub seat: RwSignal<Seat>,
    /// Algorithm of the agent that the screen was given last.
    pub algorithm: RwSignal<Option<Algorithm>>,
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
    /// What the agent sees in a picture that was there before it; see [`Self::judgement`].
    pub judged: RwSignal<Option<Arc<Judged>>>,
    /// Index of the frame that is shown, within that step.
    pub frame: RwSignal<usize>,
    /// Number and value of the last steps.
    pub values: RwSignal<VecDeque<[f64; 2]>>,
    /// Return of the game so far, and of the last finished one.
    pub returns: RwSignal<(f64, Option<f64>)>,
    /// Latents of the last steps.
    pub latents: RwSignal<Option<Arc<LatentPicture>>>,
    /// The last steps as the agent imagines them.
    pub dream: RwSignal<Arc<ScreenDream>>,
    /// All looks of the agent into its world model.
    pub looks: RwSignal<Vec<LookedAhead>>,
    /// Newest frames of the observations of the last steps, by number of the step.
    pub seen: RwSignal<VecDeque<(u64, Arc<[u8]>)>>,
    /// The game whose cartridge is missing, if that is why it stands still.
    pub missing: RwSignal<Option<&'static Game>>,
    /// How many parts of the page show it; see [`super::watch`].
    pub(super) watched: RwSignal<usize>,
    /// What went wrong, such as why it cannot go on.
    pub problem: RwSignal<Option<String>>,
    /// What the visitor presses.
    pub joystick: RwSignal<Joystick>,
    /// What it has shown since the game was put into the console; none before.
    pub recording: StoredValue<Option<Recording>>,
    /// The steps that were played and not shown yet.
    pub(super) reel: StoredValue<Reel<Arc<Shot>>>,
    /// The agent of a file, so that it can be given to a new player, too.
    pub(super) file: StoredValue<Option<Source>>,
    /// Number of the game in the console, counted over all games that were put into it.
    pub(super) game: StoredValue<u64>,
    /// What was put into the console.
    pub(super) inserted: StoredValue<Option<Games>>,
    /// Whether the player has networks of the run on this page: the next ones are an update of them.
    pub(super) follows_run: StoredValue<bool>,
}

impl Screen {
    /// A screen without a game.
    pub(super) fn new() -> Self {
        let ScreenSettings { hand, seat, speed, rules } = ScreenSettings::default();
        Self {
            opened: RwSignal::new(None),
            hand: RwSignal::new(hand),
            origin: RwSignal::new(Origin::Unchosen),
            seat: RwSignal::new(seat),
            algorithm: RwSignal::new(None),
            trained: RwSignal::new(None),
            playing: RwSignal::new(false),
            speed: RwSignal::new(speed),
            rules: RwSignal::new(rules),
            shot: RwSignal::new(None),
            judged: RwSignal::new(None),
            frame: RwSignal::new(0),
            values: RwSignal::new(VecDeque::new()),
            returns: RwSignal::new((0.0, None)),
            latents: RwSignal::new(None),
            dream: RwSignal::default(),
            looks: RwSignal::default(),
            seen: RwSignal::new(VecDeque::new()),
            missing: RwSignal::new(None),
            watched: RwSignal::new(0),
            problem: RwSignal::new(None),
            joystick: RwSignal::new(Joystick::default()),
            recording: StoredValue::new(None),
            reel: StoredValue::new(Reel::default()),
            file: StoredValue::new(None),
            game: StoredValue::new(0),
            inserted: StoredValue::new(None),
            follows_run: StoredValue::new(false),
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

    /// What the agent sees in the picture that is shown, if the agent came after that step: what the
    /// step says of an agent is then about another one. None while the game goes on, because the
    /// next step says it.
    pub fn judgement(self) -> Option<Arc<Judged>> {
        let judged = self.judged.get().filter(|_| !self.playing.get())?;
        let shown = self.shot.with(|shot| shot.as_ref().map(|shot| shot.step.number));
        (shown == Some(judged.number)).then_some(judged)
    }

    /// Notes what a new agent sees in the picture of a step.
    pub(super) fn judge(self, judged: Option<Judged>) {
        self.judged.set(judged.map(Arc::new));
        self.value_again();
    }

    /// Notes what the agent imagines.
    pub(super) fn look(self, dream: ScreenDream) {
        if let ScreenDream::Steps { looked, .. } = &dream {
            self.looks.update(|looks| {
                if looks.len() < LOOKS {
                    looks.push(looked.clone());
                }
            });
        }
        self.dream.set(Arc::new(dream));
    }

    /// Puts the value of the agent that came last in place of that of the agent before, at the step
    /// that is shown.
    fn value_again(self) {
        let shown = self.shot.with_untracked(|shot| shot.as_ref().map(|shot| shot.step.number));
        let judged = self.judged.get_untracked().filter(|judged| Some(judged.number) == shown);
        let Some(judged) = judged else { return };
        let point = [judged.number as f64, f64::from(judged.sees.value)];
        self.values.update(|values| {
            while values.back().is_some_and(|last| last[0] >= point[0]) {
                values.pop_back();
            }
            remember(values, point, REMEMBERED);
        });
    }

    /// Who chooses the next action; none while a person presses nothing that the game has.
    pub(super) fn chooser(self) -> Option<Chooser> {
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
    pub(super) fn record(self, opened: &Opened) {
        let source = self.inserted.with_value(|games| Some(Played::new(games.as_ref()?, opened)));
        self.recording.set_value(source.map(Recording::new));
        self.record_agent();
    }

    /// Notes the agent in the recording.
    pub(super) fn record_agent(self) {
        let origin = match self.origin.get_untracked() {
            Origin::Here => "trained on this page".to_owned(),
            Origin::Fresh | Origin::Unchosen => String::new(),
            Origin::File(name) => name,
        };
        let algorithm = self.algorithm.get_untracked();
        let algorithm = algorithm.map_or_else(String::new, |algorithm| algorithm.name().to_owned());
        let agent = self.trained.get_untracked();
        let agent = agent.map(|trained_steps| Agent { algorithm, trained_steps, origin });
        self.recording.update_value(|recording| {
            if let Some(recording) = recording {
                recording.set_agent(agent);
            }
        });
    }

    /// Lets the game go on for `elapsed` milliseconds.
    pub(super) fn advance(self, elapsed: f64) {
        let speed = self.speed.get_untracked();
        self.show(self.reel.try_update_value(|reel| reel.advance(elapsed, speed)));
    }

    /// Shows everything that was played.
    pub(super) fn catch_up(self) {
        self.show(self.reel.try_update_value(Reel::finish));
    }

    /// Shows steps whose first frame is reached.
    fn show(self, due: Option<Due<Arc<Shot>>>) {
        let Some(Due { begun, frame }) = due else { return };
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
            let over = step.outcome.game_over;
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
            self.value_again();
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
