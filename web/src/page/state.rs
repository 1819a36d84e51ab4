//! What the page knows, as signals: everything shown is derived from here.
//!
//! [`Playground`] is the only way from a control to the worker. Reports of the worker change it in
//! one place ([`super::reports`]); components only read it and call its methods.

use std::sync::Arc;

use deepspi_core::maze::{Assessment, Maze};
use leptos::prelude::*;

use super::bridge::Bridge;
use crate::archive::Archive;
use crate::experiment::{AGENTS, Experiment};
use crate::history::History;
use crate::neighbourhood;
use crate::protocol::{AgentView, DevicePreference, DeviceReport, Pace, Request, Status, Watch};
pub use crate::room::Room;

/// Whether the worker can be asked to train.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The worker is being loaded, or is busy as the text says.
    Preparing(String),
    /// It can.
    Ready,
    /// It cannot go on; the text says why. A restart is offered.
    Faulted(String),
}

/// What the page knows of one agent.
#[derive(Clone, Copy, Debug)]
pub struct AgentSignals {
    /// Its events.
    pub history: RwSignal<History>,
    /// Where it stands.
    pub view: RwSignal<Option<Arc<AgentView>>>,
    /// The terms of the theorems when they were last computed.
    pub assessment: RwSignal<Option<Arc<Assessment>>>,
    /// Its newest checkpoint, kept in case the worker dies.
    pub kept: RwSignal<Option<Archive>>,
    /// Iterations of its history that a file of the user holds.
    pub saved: RwSignal<usize>,
    /// Whether a checkpoint of another run is being loaded: then its history ends.
    pub replaced: RwSignal<bool>,
    /// Whether the worker draws its latents.
    pub drawn_by_worker: RwSignal<bool>,
}

/// What the page knows and can do.
#[derive(Clone, Copy, Debug)]
pub struct Playground {
    /// What the controls show; the next reset trains it.
    pub experiment: RwSignal<Experiment>,
    /// What the worker trains.
    pub opened: RwSignal<Experiment>,
    /// Device the user wants.
    pub preference: RwSignal<DevicePreference>,
    /// The same when the agents were made.
    pub opened_preference: RwSignal<DevicePreference>,
    /// Device in use.
    pub device: RwSignal<Option<DeviceReport>>,
    /// Whether the worker can be asked to train.
    pub phase: RwSignal<Phase>,
    /// Where training stands.
    pub status: RwSignal<Status>,
    /// How fast to train.
    pub pace: RwSignal<Pace>,
    /// Both agents.
    pub agents: [AgentSignals; AGENTS],
    /// State of the maze that is looked at, in every room.
    pub selected: RwSignal<Option<usize>>,
    /// What the user set in the room of the neighbourhood, kept while other rooms are open.
    pub neighbourhood: RwSignal<neighbourhood::Settings>,
    /// Room that is open.
    pub room: RwSignal<Room>,
    /// Things the user should know, newest last.
    pub notices: RwSignal<Vec<String>>,
    bridge: StoredValue<Bridge, LocalStorage>,
}

impl Playground {
    /// The page at its start; the worker is being loaded.
    #[must_use]
    pub fn new(experiment: Experiment, bridge: Bridge) -> Self {
        let agent = || AgentSignals {
            history: RwSignal::new(History::default()),
            view: RwSignal::new(None),
            assessment: RwSignal::new(None),
            kept: RwSignal::new(None),
            saved: RwSignal::new(0),
            replaced: RwSignal::new(false),
            drawn_by_worker: RwSignal::new(false),
        };
        Self {
            opened: RwSignal::new(experiment.clone()),
            experiment: RwSignal::new(experiment),
            preference: RwSignal::new(DevicePreference::default()),
            opened_preference: RwSignal::new(DevicePreference::default()),
            device: RwSignal::new(None),
            phase: RwSignal::new(Phase::Preparing("Loading the trainer".to_owned())),
            status: RwSignal::new(Status::default()),
            pace: RwSignal::new(Pace::default()),
            agents: [agent(), agent()],
            selected: RwSignal::new(None),
            neighbourhood: RwSignal::new(neighbourhood::Settings::default()),
            room: RwSignal::new(Room::default()),
            notices: RwSignal::new(Vec::new()),
            bridge: StoredValue::new_local(bridge),
        }
    }

    /// The page's state, which every component of it is given.
    #[must_use]
    pub fn here() -> Self {
        expect_context()
    }

    /// The maze that an agent is trained on, with its discount; none if it is not a valid one.
    #[must_use]
    pub fn maze(self, agent: usize) -> Option<Maze> {
        self.opened.with(|experiment| {
            Maze::new(experiment.maze, experiment.agents[agent].gamma.into()).ok()
        })
    }

    /// Name of an agent for labels: its algorithm.
    #[must_use]
    pub fn agent_name(self, agent: usize) -> &'static str {
        self.opened.with(|experiment| match experiment.agents[agent].algo.name() {
            "ppo" => "PPO",
            "deep-mdp" => "DeepMDP",
            _ => "DeepSPI",
        })
    }

    /// Name of an agent, unlike the other's.
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

    /// Trains until paused or done.
    pub fn start(self) {
        self.send(&Request::Start);
    }

    /// Stops after the iteration in progress.
    pub fn pause(self) {
        self.send(&Request::Pause);
    }

    /// One iteration of each agent.
    pub fn step(self) {
        self.send(&Request::Step);
    }

    /// Starts anew with what the controls show.
    pub fn reset(self) {
        let experiment = self.experiment.get_untracked();
        if !experiment.errors().is_empty() {
            return;
        }
        self.forget();
        self.opened.set(experiment.clone());
        let device = self.preference.get_untracked();
        self.opened_preference.set(device);
        self.send(&Request::Open { experiment: Box::new(experiment), device });
    }

    /// Changes the speed.
    pub fn set_pace(self, pace: Pace) {
        self.pace.set(pace);
        self.send(&Request::Pace(pace));
    }

    /// Asks for a checkpoint, which is then offered as a download.
    pub fn save(self, agent: usize) {
        self.send(&Request::Save { agent });
    }

    /// Puts an agent in the place of another; see [`Self::restore`].
    pub fn load(self, agent: usize, archives: [Option<Archive>; AGENTS]) {
        self.agents[agent].replaced.set(true);
        self.restore(archives);
    }

    /// Continues agents from checkpoints; the others start anew with what the controls show.
    pub fn restore(self, archives: [Option<Archive>; AGENTS]) {
        self.restore_with(self.experiment.get_untracked(), archives);
    }

    fn restore_with(self, experiment: Experiment, archives: [Option<Archive>; AGENTS]) {
        let experiment = Box::new(experiment);
        let device = self.preference.get_untracked();
        self.opened_preference.set(device);
        self.send(&Request::Restore { experiment, device, archives });
    }

    /// Which views are wanted that cost time.
    pub fn watch(self, watch: Watch) {
        self.send(&Request::Watch(watch));
    }

    /// Loads the worker and makes both agents.
    pub fn launch(self) {
        self.new_worker();
        self.reset();
    }

    /// Loads a new worker and continues from the checkpoints kept.
    pub fn restart_worker(self) {
        self.phase.set(Phase::Preparing("Loading the trainer".to_owned()));
        self.new_worker();
        let kept = self.agents.map(|agent| agent.kept.get_untracked());
        // The run goes on as it was; settings that were changed meanwhile stay in the controls.
        self.restore_with(self.opened.get_untracked(), kept);
    }

    fn new_worker(self) {
        self.bridge.update_value(|bridge| bridge.restart(self));
        self.send(&Request::Pace(self.pace.get_untracked()));
    }

    /// Tells the user something; a text that is there already becomes the newest.
    pub fn notify(self, text: impl Into<String>) {
        let text = text.into();
        self.notices.update(|notices| {
            notices.retain(|known| *known != text);
            notices.push(text);
        });
    }

    /// Takes a notice away.
    pub fn dismiss(self, text: &str) {
        self.notices.update(|notices| notices.retain(|known| known != text));
    }

    /// Whether there is training that closing the page would lose.
    #[must_use]
    pub fn has_unsaved_run(self) -> bool {
        self.agents.iter().any(|agent| {
            let trained = agent.history.with_untracked(|history| history.iterations.len());
            trained > agent.saved.get_untracked()
        })
    }

    /// Forgets both runs.
    pub(super) fn forget(self) {
        for agent in self.agents {
            agent.history.set(History::default());
            agent.view.set(None);
            agent.assessment.set(None);
            agent.kept.set(None);
            agent.saved.set(0);
        }
    }

    /// The worker is there: what was asked meanwhile is sent.
    pub(super) fn worker_listens(self) {
        self.bridge.update_value(Bridge::listening);
    }

    /// Sends a request to the worker.
    pub fn send(self, request: &Request) {
        self.bridge.update_value(|bridge| bridge.send(request, None));
    }

    /// Sends a request with a canvas that the worker will own.
    pub fn send_canvas(self, request: &Request, canvas: &web_sys::OffscreenCanvas) {
        self.bridge.update_value(|bridge| bridge.send(request, Some(canvas)));
    }
}
