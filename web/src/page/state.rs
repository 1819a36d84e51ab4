//! What the page knows, as signals: everything shown is derived from here.
//!
//! [`Playground`] is the only way from a control to the worker. Reports of the worker change it in
//! one place (`reports::handle`, which [`Playground::new`] is given); components only read it and
//! call its methods.

use std::sync::Arc;

use deepspi_playground::archive::Archive;
use deepspi_playground::experiment::{AGENTS, Experiment};
use deepspi_playground::protocol::{
    AgentView, DevicePreference, DeviceReport, Pace, Report, Request, Status, Watch,
};
use deepspi_run::maze::Assessment;
use deepspi_worlds::maze::Maze;
use leptos::prelude::*;

use super::bridge::Bridge;
use super::download;
use crate::neighbourhood;
pub use crate::room::Room;
use crate::run::Run;

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

/// What the page knows of one agent.
#[derive(Clone, Copy, Debug)]
pub struct AgentSignals {
    /// Its events, and what of them is kept.
    pub run: RwSignal<Run>,
    /// Where it stands.
    pub view: RwSignal<Option<Arc<AgentView>>>,
    /// The terms of the theorems when they were last computed.
    pub assessment: RwSignal<Option<Arc<Assessment>>>,
    /// Whether the worker draws its latents.
    pub drawn_by_worker: RwSignal<bool>,
}

impl AgentSignals {
    /// What is shown is of another maze, or of a run that was given up.
    pub(super) fn forget_views(self) {
        self.view.set(None);
        self.assessment.set(None);
    }
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
    /// Takes in a report of the worker.
    receive: fn(Self, Report),
}

impl Playground {
    /// The page at its start; the worker is being loaded. `receive` takes in its reports.
    #[must_use]
    pub fn new(experiment: Experiment, receive: fn(Self, Report)) -> Self {
        let agent = || AgentSignals {
            run: RwSignal::new(Run::reset()),
            view: RwSignal::new(None),
            assessment: RwSignal::new(None),
            drawn_by_worker: RwSignal::new(false),
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
            agents: [agent(), agent()],
            selected: RwSignal::new(None),
            neighbourhood: RwSignal::new(neighbourhood::Settings::default()),
            room: RwSignal::new(Room::default()),
            notices: RwSignal::new(Vec::new()),
            bridge: StoredValue::new_local(Bridge::default()),
            receive,
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
        self.opened.with(|experiment| experiment.agents[agent].algo.label())
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
        self.send(&Request::Open { experiment: Box::new(experiment), device });
    }

    /// Changes the speed.
    pub fn set_pace(self, pace: Pace) {
        self.pace.set(pace);
        self.send(&Request::Pace(pace));
    }

    /// Asks for a checkpoint, which is then offered as a download. A dead worker has none to give:
    /// then it is the last one that the page was given.
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

    /// Offers a checkpoint as a download, and keeps it.
    pub(super) fn offer(self, agent: usize, archive: Archive) {
        download::offer(&format!("{}.zip", archive.name), "application/zip", &archive.bytes);
        self.agents[agent].run.update(|run| run.checkpoint(archive, true));
    }

    /// Puts an agent in the place of another. Those without a checkpoint start anew with what the
    /// controls show.
    pub fn load(self, agent: usize, archives: [Option<Archive>; AGENTS]) {
        self.agents[agent].run.update(Run::replace);
        self.restore(self.experiment.get_untracked(), archives);
    }

    fn restore(self, experiment: Experiment, archives: [Option<Archive>; AGENTS]) {
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
        self.new_worker();
        let kept = self.agents.map(|agent| {
            // A checkpoint that was being loaded went with the old worker.
            agent.run.update(Run::stays);
            agent.run.with_untracked(|run| run.kept().cloned())
        });
        // The run goes on as it was; settings that were changed meanwhile stay in the controls.
        self.restore(self.opened.get_untracked(), kept);
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
        self.agents.iter().any(|agent| agent.run.with_untracked(Run::has_unsaved))
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
