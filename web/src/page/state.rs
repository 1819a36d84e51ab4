//! The state of the page, as signals from which everything on the page is derived.
//!
//! Controls reach the worker only through [`Playground`]. Reports of the worker change it in one
//! place (`reports::handle`, which [`Playground::new`] is given); components only read it and call
//! its methods.

use std::sync::Arc;

use deepspi_playground::archive::Archive;
use deepspi_playground::experiment::{AGENTS, Experiment};
use deepspi_playground::play::Networks;
use deepspi_playground::protocol::{
    AgentView, DevicePreference, DeviceReport, Pace, Report, Request, Status, Watch,
};
use deepspi_run::maze::{Assessment, MazeDream};
use deepspi_run::world::World;
use deepspi_worlds::atari::Game;
use deepspi_worlds::maze::Maze;
use leptos::prelude::*;
use serde_bytes::ByteBuf;

use super::bridge::{Attached, Bridge};
use super::download;
use super::emulators::{Emulators, Needs, NeedsError};
use crate::neighbourhood;
pub use crate::room::Room;
use crate::run::Run;

/// Whether the worker can be asked to train.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The worker is being loaded, or does what the text says.
    Preparing(String),
    /// The worker can train.
    Ready,
    /// The worker cannot continue; the text says why. The page offers a restart.
    Faulted(String),
}

impl Phase {
    fn loading() -> Self {
        Self::Preparing("Loading the trainer".to_owned())
    }

    /// Whether the worker is dead.
    #[must_use]
    pub const fn is_faulted(&self) -> bool {
        matches!(self, Self::Faulted(_))
    }
}

/// What came of the last plan of the dream room.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Dreamt {
    /// Nothing yet.
    #[default]
    Unknown,
    /// The agent cannot imagine.
    Impossible,
    /// These steps.
    Steps(Arc<MazeDream>),
}

/// The page's state of one agent.
#[derive(Clone, Copy, Debug)]
pub struct AgentSignals {
    /// Its events and its last checkpoint.
    pub run: RwSignal<Run>,
    /// Its current view.
    pub view: RwSignal<Option<Arc<AgentView>>>,
    /// The terms of the theorems when they were last computed.
    pub assessment: RwSignal<Option<Arc<Assessment>>>,
    /// Whether the worker draws its latents.
    pub drawn_by_worker: RwSignal<bool>,
    /// Its imagined steps, while the dream room shows them.
    pub dream: RwSignal<Dreamt>,
    /// Its networks, while a player needs them.
    pub networks: RwSignal<Option<Arc<Networks>>>,
}

impl AgentSignals {
    /// Removes the views, which belong to another maze or to an abandoned run.
    pub(super) fn forget_views(self) {
        self.view.set(None);
        self.assessment.set(None);
        self.networks.set(None);
        self.dream.set(Dreamt::Unknown);
    }
}

/// The state of the page, and the actions of its controls.
#[derive(Clone, Copy, Debug)]
pub struct Playground {
    /// The settings in the controls; the next reset uses them.
    pub experiment: RwSignal<Experiment>,
    /// What the worker trains.
    pub opened: RwSignal<Experiment>,
    /// The device that the user prefers.
    pub preference: RwSignal<DevicePreference>,
    /// The preferred device when the agents were created.
    pub opened_preference: RwSignal<DevicePreference>,
    /// The device in use.
    pub device: RwSignal<Option<DeviceReport>>,
    /// Whether the worker can be asked to train.
    pub phase: RwSignal<Phase>,
    /// The state of training.
    pub status: RwSignal<Status>,
    /// How fast to train.
    pub pace: RwSignal<Pace>,
    /// Both agents. They live as long as the page, and a reference keeps this struct small.
    pub agents: &'static [AgentSignals; AGENTS],
    /// The selected state of the maze, shared by all rooms.
    pub selected: RwSignal<Option<usize>>,
    /// The settings of the neighbourhood room, kept while other rooms are open.
    pub neighbourhood: RwSignal<neighbourhood::Settings>,
    /// The game whose cartridge the trainer waits for; it starts when the cartridge is there.
    pub awaits: RwSignal<Option<&'static Game>>,
    /// The open room.
    pub room: RwSignal<Room>,
    /// Notices to the user, newest last.
    pub notices: RwSignal<Vec<String>>,
    /// The emulator workers, if any.
    pub emulators: Emulators,
    bridge: StoredValue<Bridge, LocalStorage>,
    /// Handles a report of the worker.
    receive: fn(Self, Report),
}

impl Playground {
    /// The state of the page at its start, while the worker is being loaded. `receive` handles its
    /// reports.
    #[must_use]
    pub fn new(experiment: Experiment, receive: fn(Self, Report)) -> Self {
        let agent = || AgentSignals {
            run: RwSignal::new(Run::reset()),
            view: RwSignal::new(None),
            assessment: RwSignal::new(None),
            drawn_by_worker: RwSignal::new(false),
            networks: RwSignal::new(None),
            dream: RwSignal::new(Dreamt::Unknown),
        };
        Self {
            opened: RwSignal::new(experiment.clone()),
            experiment: RwSignal::new(experiment),
            preference: RwSignal::new(DevicePreference::default()),
            opened_preference: RwSignal::new(DevicePreference::default()),
            device: RwSignal::new(None),
            phase: RwSignal::new(Phase::loading()),
            status: RwSignal::new(Status::default()),
            pace: RwSignal::new(Pace::default()),
            agents: Box::leak(Box::new([agent(), agent()])),
            selected: RwSignal::new(None),
            neighbourhood: RwSignal::new(neighbourhood::Settings::default()),
            awaits: RwSignal::new(None),
            room: RwSignal::new(Room::default()),
            notices: RwSignal::new(Vec::new()),
            emulators: Emulators::new(),
            bridge: StoredValue::new_local(Bridge::default()),
            receive,
        }
    }

    /// The state of this page, from the context.
    #[must_use]
    pub fn here() -> Self {
        expect_context()
    }

    /// The maze on which an agent is trained, with the agent's discount; none if it is not valid, or
    /// if the agent is trained on a game.
    #[must_use]
    pub fn maze(self, agent: usize) -> Option<Maze> {
        self.opened.with(|experiment| {
            let world = experiment.world().ok()?;
            let maze = world.has_exact_values().then(|| world.maze().copied()).flatten()?;
            Maze::new(maze, experiment.agents[agent].gamma.into()).ok()
        })
    }

    /// Label of an agent: the name of its algorithm.
    #[must_use]
    pub fn agent_name(self, agent: usize) -> &'static str {
        self.opened.with(|experiment| experiment.agents[agent].algo.label())
    }

    /// Label of an agent, different from the other agent's.
    #[must_use]
    pub fn agent_label(self, agent: usize) -> String {
        let [first, second] = [0, 1].map(|agent| self.agent_name(agent));
        match (first == second, agent) {
            (true, 0) => format!("{first} 1"),
            (true, _) => format!("{second} 2"),
            (false, 0) => first.to_owned(),
            (false, _) => second.to_owned(),
        }
    }

    /// Trains until a pause or the end of the run.
    pub fn start(self) {
        self.send(&Request::Start);
    }

    /// Stops after the iteration in progress.
    pub fn pause(self) {
        self.send(&Request::Pause);
    }

    /// Trains one iteration of each agent.
    pub fn step(self) {
        self.send(&Request::Step);
    }

    /// Creates both agents anew with the settings in the controls.
    pub fn reset(self) {
        let experiment = self.experiment.get_untracked();
        if !experiment.errors().is_empty() {
            return;
        }
        if self.phase.with_untracked(Phase::is_faulted) {
            self.new_worker();
        }
        for agent in self.agents {
            agent.run.set(Run::reset());
            agent.forget_views();
        }
        self.opened.set(experiment.clone());
        let device = self.preference.get_untracked();
        self.opened_preference.set(device);
        let boxed = Box::new(experiment.clone());
        let request = |rom| Request::Open { experiment: boxed, device, rom };
        match self.send_opening(request, &experiment) {
            Ok(()) => {}
            Err(NeedsError::NoCartridge(game)) => {
                self.awaits.set(Some(game));
                let text = format!("Waiting for the cartridge of {}", game.name);
                self.phase.set(Phase::Preparing(text));
            }
            Err(error @ NeedsError::Other(_)) => self.notify(error.to_string()),
        }
    }

    /// Changes the speed.
    pub fn set_pace(self, pace: Pace) {
        self.pace.set(pace);
        self.send(&Request::Pace(pace));
    }

    /// Requests a checkpoint, which is then offered as a download. If the worker is dead, the last
    /// checkpoint that the page has is offered.
    pub fn save(self, agent: usize) {
        if !self.phase.with_untracked(Phase::is_faulted) {
            return self.send(&Request::Save { agent });
        }
        let kept = self.agents[agent].run.with_untracked(|run| run.kept().cloned());
        let letter = ["A", "B"][agent];
        self.notify(match kept {
            Some(archive) => {
                self.offer(agent, archive);
                format!("The trainer has stopped: the file is the last automatic checkpoint of agent {letter}.")
            }
            None => format!(
                "The trainer has stopped, and there is no checkpoint of agent {letter} that could be saved."
            ),
        });
    }

    /// Requests an agent as files for other programs, which are then offered as a download.
    pub fn export(self, agent: usize) {
        if !self.phase.with_untracked(Phase::is_faulted) {
            return self.send(&Request::Export { agent });
        }
        self.notify(
            "The trainer has stopped, and only it can write these files. Start it again, or save the agent: the \
             command line exports it, too (native export).",
        );
    }

    /// Offers a checkpoint as a download, and keeps it.
    pub(super) fn offer(self, agent: usize, archive: Archive) {
        download::offer_archive(&archive);
        self.agents[agent].run.update(|run| run.checkpoint(archive, true));
    }

    /// Loads a checkpoint into an agent; the other agent continues from its own checkpoint in
    /// `archives`. An agent without a checkpoint starts anew with the settings in the controls.
    pub fn load(self, agent: usize, archives: [Option<Archive>; AGENTS]) {
        if let Some(archive) = archives[agent].clone() {
            self.agents[agent].run.update(|run| run.replace(archive));
        }
        let mut experiment = self.experiment.get_untracked();
        let info = archives[agent].as_ref().and_then(|archive| archive.open().ok()?.info);
        // The world of the checkpoint becomes that of both agents, and may need a cartridge.
        if let Some(Ok(world)) = info.map(|info| World::of_run(&info)) {
            experiment.set_world(&world);
        }
        self.restore(&experiment, archives);
    }

    fn restore(self, experiment: &Experiment, archives: [Option<Archive>; AGENTS]) {
        let device = self.preference.get_untracked();
        self.opened_preference.set(device);
        let boxed = Box::new(experiment.clone());
        let request = |rom| Request::Restore { experiment: boxed, device, archives, rom };
        if let Err(error) = self.send_opening(request, experiment) {
            self.notify(error.to_string());
        }
    }

    /// Tells the worker which slow views to compute.
    pub fn watch(self, watch: Watch) {
        self.send(&Request::Watch(watch));
    }

    /// Loads the worker and creates both agents.
    pub fn launch(self) {
        self.new_worker();
        self.reset();
    }

    /// Loads a new worker and continues from the kept checkpoints. Without any, the settings in the
    /// controls are used: those of before may be why the worker died.
    pub fn restart_worker(self) {
        let kept = self.agents.map(|agent| {
            // A checkpoint that was being loaded was lost with the old worker.
            agent.run.update(Run::stays);
            agent.run.with_untracked(|run| run.kept().cloned())
        });
        let is_valid = self.experiment.with_untracked(|experiment| experiment.errors().is_empty());
        if is_valid && kept.iter().all(Option::is_none) {
            return self.launch();
        }
        self.new_worker();
        // The run continues with its own settings; settings changed since then stay in the
        // controls.
        self.restore(&self.opened.get_untracked(), kept);
    }

    fn new_worker(self) {
        self.phase.set(Phase::loading());
        let receive = move |report| (self.receive)(self, report);
        let started = self.bridge.try_update_value(|bridge| bridge.restart(receive));
        if let Some(Err(why)) = started {
            self.phase.set(Phase::Faulted(why));
        }
        self.send(&Request::Pace(self.pace.get_untracked()));
    }

    /// Shows a notice to the user. A notice with the same text is moved to the newest place.
    pub fn notify(self, text: impl Into<String>) {
        let text = text.into();
        self.notices.update(|notices| {
            notices.retain(|known| *known != text);
            notices.push(text);
        });
    }

    /// Removes a notice.
    pub fn dismiss(self, text: &str) {
        self.notices.update(|notices| notices.retain(|known| known != text));
    }

    /// Whether closing the page would lose training.
    #[must_use]
    pub fn has_unsaved_run(self) -> bool {
        self.agents.iter().any(|agent| agent.run.with_untracked(Run::has_unsaved))
    }

    /// Sends the waiting requests, because the worker now accepts requests.
    pub(super) fn worker_listens(self) {
        self.bridge.update_value(Bridge::listening);
    }

    /// Sends a request to the worker.
    pub fn send(self, request: &Request) {
        self.bridge.update_value(|bridge| bridge.send(request, Attached::default()));
    }

    /// Sends a request with a canvas, which is transferred to the worker.
    pub fn send_canvas(self, request: &Request, canvas: &web_sys::OffscreenCanvas) {
        let attached = Attached { canvas: Some(canvas.clone()), ..Attached::default() };
        self.bridge.update_value(|bridge| bridge.send(request, attached));
    }

    /// Sends a request that opens agents, with ports of emulator workers if the world needs them.
    fn send_opening(
        self,
        request: impl FnOnce(Option<ByteBuf>) -> Request,
        world: &Experiment,
    ) -> Result<(), NeedsError> {
        match self.emulators.needs_of(world) {
            Ok(Needs { ports, rom }) => {
                if self.awaits.get_untracked().is_some() {
                    self.awaits.set(None);
                    self.phase.set(Phase::Preparing("Creating both agents".to_owned()));
                }
                let attached = Attached { ports, ..Attached::default() };
                let request = request(rom);
                self.bridge.update_value(|bridge| bridge.send(&request, attached));
                Ok(())
            }
            Err(error) => {
                for agent in self.agents {
                    agent.run.update(Run::stays);
                }
                Err(error)
            }
        }
    }
}
