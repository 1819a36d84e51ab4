//! Serves the page's requests and trains both agents.

use std::rc::Rc;

use deepspi_core::maze::ProbeError;
use deepspi_core::run_state::TrainError;
use deepspi_playground::archive::Archive;
use deepspi_playground::experiment::{AGENTS, Experiment};
use deepspi_playground::protocol::{DevicePreference, Event, Report, Request, Status, Watch};
use deepspi_run::maze::DreamPlan;
use deepspi_run::message::Message;
use deepspi_run::world::World;
use serde_bytes::ByteBuf;
use web_sys::MessagePort;

use super::agent::{Agent, AgentError};
use super::device::{self, Chosen, Devices};
use super::drawings::Drawings;
use super::emulators::EmulatorPort;
use super::inbox::Letter;
use super::letters::Letters;
use super::open_world::Emulators;
use super::outbox::{post, post_soon};
use super::tempo::Tempo;
use super::{faults, time};

/// Minimum time between two views of an agent, so that the page has time to draw and to answer
/// input.
const VIEW_MS: f64 = 100.0;
/// Minimum time between two computations of the theorems' terms during training, because one takes
/// as long as an iteration.
const THEORY_MS: f64 = 2_000.0;
/// Minimum time between two automatic checkpoints, which are kept in case the device or the worker
/// is lost.
const KEEP_MS: f64 = 3_000.0;

/// The worker's state.
#[derive(Debug)]
pub struct Session {
    inbox: Letters<Letter>,
    drawings: Drawings,
    devices: Devices,
    chosen: Chosen,
    experiment: Experiment,
    agents: Vec<Slot>,
    /// The emulators of the agents.
    emulators: [Emulators; AGENTS],
    running: bool,
    tempo: Tempo,
    watch: Watch,
    /// Whether players need the networks of the agents.
    networks_wanted: bool,
}

/// An agent with its last checkpoint and the times of its last views.
#[derive(Debug)]
struct Slot {
    agent: Agent,
    /// Its last valid checkpoint.
    kept: Option<Archive>,
    /// The last automatic checkpoint could not be made, and the page was told so.
    copy_failed: bool,
    kept_at: f64,
    viewed_at: f64,
    assessed_at: f64,
    /// Whether it has stopped because a value was not finite.
    stopped: bool,
}

impl Slot {
    const fn new(agent: Agent) -> Self {
        Self {
            agent,
            kept: None,
            copy_failed: false,
            kept_at: f64::NEG_INFINITY,
            viewed_at: f64::NEG_INFINITY,
            assessed_at: f64::NEG_INFINITY,
            stopped: false,
        }
    }

    fn can_go_on(&self) -> bool {
        !self.stopped && !self.agent.trainer().is_finished()
    }
}

/// New agents that have not replaced the current ones yet.
#[derive(Debug)]
struct Prepared {
    experiment: Experiment,
    chosen: Chosen,
    agents: Vec<Slot>,
    emulators: [Emulators; AGENTS],
}

impl Session {
    /// A session without agents.
    pub fn new(inbox: Letters<Letter>, drawings: Drawings) -> Self {
        Self {
            inbox,
            drawings,
            devices: Devices::default(),
            chosen: device::cpu(""),
            experiment: Experiment::default(),
            agents: Vec::new(),
            emulators: Default::default(),
            running: false,
            tempo: Tempo::new(),
            watch: Watch::default(),
            networks_wanted: false,
        }
    }

    /// Serves requests and trains; never returns.
    pub async fn run(mut self) {
        loop {
            while let Some(letter) = self.inbox.take() {
                self.serve(letter).await;
            }
            if self.running {
                let due = self.tempo.wait(&self.inbox).await;
                if due && self.running && self.inbox.is_empty() {
                    self.advance().await;
                }
                time::breathe().await;
            } else {
                self.inbox.wait().await;
            }
        }
    }

    async fn serve(&mut self, letter: Letter) {
        let Letter { request, canvas, ports } = letter;
        match request {
            Request::Open { experiment, device, rom } => {
                let emulators = emulators(ports, rom);
                self.open(*experiment, device, [None, None], emulators).await;
            }
            Request::Restore { experiment, device, archives, rom } => {
                self.open(*experiment, device, archives, emulators(ports, rom)).await;
            }
            Request::Start => {
                self.tempo.begin();
                self.set_running(self.agents.iter().any(Slot::can_go_on));
            }
            Request::Pause => {
                self.set_running(false);
                self.show_all().await;
            }
            Request::Step => {
                self.set_running(false);
                self.advance().await;
                self.show_all().await;
                self.report_status();
            }
            Request::Pace(pace) => self.tempo.set_pace(pace),
            Request::Watch(watch) => {
                self.watch = watch;
                if !self.running {
                    self.show_all().await;
                }
            }
            Request::Networks(wanted) => {
                self.networks_wanted = wanted;
                for agent in 0..self.agents.len() {
                    self.report_networks(agent).await;
                }
            }
            Request::Dream(plan) => self.dream(&plan).await,
            Request::Save { agent } => self.save(agent).await,
            Request::Export { agent } => self.export(agent).await,
            Request::Canvas { agent } => {
                self.drawings.begin(agent, canvas, self.chosen.setup.as_ref()).await;
                if let Some(error) = self.chosen.report.is_gpu.then(faults::device_error).flatten()
                {
                    self.device_lost(&error).await;
                }
            }
            Request::Scene { agent, scene } => self.drawings.set_scene(agent, scene),
        }
    }

    /// Creates both agents, new or from checkpoints. If that fails, the current agents stay
    /// unchanged.
    async fn open(
        &mut self,
        experiment: Experiment,
        preference: DevicePreference,
        archives: [Option<Archive>; AGENTS],
        emulators: [Emulators; AGENTS],
    ) {
        match self.prepare(experiment, preference, archives, emulators).await {
            Ok(prepared) => self.take(prepared).await,
            Err(text) => post(Report::Refused { text }),
        }
    }

    /// Creates agents without changing the current ones.
    async fn prepare(
        &mut self,
        mut experiment: Experiment,
        preference: DevicePreference,
        archives: [Option<Archive>; AGENTS],
        emulators: [Emulators; AGENTS],
    ) -> Result<Prepared, String> {
        // The world of a checkpoint is the world of both agents.
        let mut unpacked = [const { None }; AGENTS];
        for (contents, archive) in unpacked.iter_mut().zip(&archives) {
            let found = archive.as_ref().map(Archive::open).transpose();
            *contents = found.map_err(|error| error.to_string())?;
            let info = contents.as_ref().and_then(|contents| contents.info.as_ref());
            if let Some(info) = info {
                let world = World::of_run(info).map_err(|error| error.to_string())?;
                experiment.set_world(&world);
            }
        }
        if let Some(error) = experiment.errors().first() {
            return Err(error.to_string());
        }
        let slowest = &experiment.agents[AGENTS - 1];
        let world = experiment.world().map_err(|error| error.to_string())?;
        let chosen = self.devices.choose(preference, &world, slowest).await;
        let mut agents = Vec::with_capacity(AGENTS);
        let parts = archives.into_iter().zip(unpacked).zip(&emulators).enumerate();
        for (index, ((kept, contents), emulators)) in parts {
            let config = &experiment.agents[index];
            let agent = match contents {
                Some(contents) => Agent::restore(contents, world, emulators, &chosen.device).await,
                None => Agent::new(world, config, emulators, &chosen.device).await,
            };
            let agent = agent.map_err(|error: AgentError| error.to_string())?;
            experiment.agents[index] = agent.trainer().config().clone();
            agents.push(Slot { kept, ..Slot::new(agent) });
        }
        Ok(Prepared { experiment, chosen, agents, emulators })
    }

    async fn take(&mut self, prepared: Prepared) {
        self.set_running(false);
        let Prepared { experiment, chosen, agents, emulators } = prepared;
        self.emulators = emulators;
        self.experiment = experiment;
        self.chosen = chosen;
        self.agents = agents;
        if self.chosen.setup.is_none() {
            self.drawings.end();
        }
        self.announce();
        self.show_all().await;
        for agent in 0..self.agents.len() {
            self.report_networks(agent).await;
        }
    }

    fn announce(&self) {
        let mut iterations = [0; AGENTS];
        for (iteration, slot) in iterations.iter_mut().zip(&self.agents) {
            *iteration = slot.agent.trainer().iteration();
        }
        post_soon(Report::Opened {
            device: self.chosen.report.clone(),
            experiment: Box::new(self.experiment.clone()),
            iterations,
        });
        // In the same message, because the page has dropped its earlier checkpoints.
        for (agent, slot) in self.agents.iter().enumerate() {
            if let Some(archive) = slot.kept.clone() {
                post_soon(Report::Checkpoint { agent, asked: false, archive });
            }
        }
        self.report_status();
    }

    /// Trains one iteration of each agent that can continue.
    async fn advance(&mut self) {
        let mut updates = 0;
        for index in 0..self.agents.len() {
            if !self.agents[index].can_go_on() {
                continue;
            }
            let result = self.iterate(index).await;
            let device_error = self.chosen.report.is_gpu.then(faults::device_error).flatten();
            match (result, device_error) {
                (Ok(()), None) => {
                    let config = self.agents[index].agent.trainer().config();
                    updates += config.update_epochs * config.num_minibatches;
                }
                (Err(error @ TrainError::NotFinite(_)), None) => {
                    self.agents[index].stopped = true;
                    let name = self.experiment.agents[index].algo.name();
                    let text = format!(
                        "{name} stopped: {error}. A smaller learning rate or clip range may help; \
                         change it and restart."
                    );
                    post(Report::Notice { text });
                }
                (result, error) => {
                    let why = error.or_else(|| result.err().map(|error| error.to_string()));
                    return self.device_lost(&why.unwrap_or_default()).await;
                }
            }
        }
        self.tempo.note(updates);
        if !self.agents.iter().any(Slot::can_go_on) {
            self.set_running(false);
            self.show_all().await;
        }
        post_soon(Report::Status(self.status()));
    }

    async fn iterate(&mut self, index: usize) -> Result<(), TrainError> {
        let slot = &mut self.agents[index];
        let due = !self.running || time::now_ms() - slot.viewed_at >= VIEW_MS;
        slot.agent.iterate(self.watch.details, |message| forward(index, message)).await?;
        self.show(index, due).await?;
        if due {
            self.report_networks(index).await;
        }
        if time::now_ms() - self.agents[index].kept_at >= KEEP_MS {
            self.keep(index, false).await;
        }
        Ok(())
    }

    /// Reports the state of an agent: the status always, the view only if it is `due`.
    async fn show(&mut self, index: usize, due: bool) -> Result<(), TrainError> {
        let slot = &mut self.agents[index];
        let now = time::now_ms();
        let theory_due = !self.running || now - slot.assessed_at >= THEORY_MS;
        let wanted = due.then_some(Watch {
            details: self.watch.details,
            theory: self.watch.theory && theory_due,
        });
        if wanted.is_some_and(|wanted| wanted.theory) {
            slot.assessed_at = now;
        }
        let (status, view) = match slot.agent.look(wanted).await {
            Ok(Some(found)) => found,
            // A game has no exact values.
            Ok(None) => return Ok(()),
            Err(ProbeError::Core(error)) => return Err(error.into()),
            // The policy is not a distribution. The next iteration reports which number is not
            // finite.
            Err(ProbeError::Theory(_)) => return Ok(()),
        };
        forward(index, Message::Maze(status));
        if let Some(view) = view {
            slot.viewed_at = time::now_ms();
            if let Some(maze) = slot.agent.maze() {
                self.drawings.set_view(index, maze, &view);
            }
            post(Report::View { agent: index, view: Box::new(view) });
        }
        Ok(())
    }

    /// Sends the networks of an agent to its player, if there is one.
    async fn report_networks(&mut self, agent: usize) {
        if !self.networks_wanted {
            return;
        }
        self.agents[agent].viewed_at = time::now_ms();
        // If the device is lost, the next iteration notices it and handles it.
        if let Ok(Some(networks)) = self.agents[agent].agent.networks().await {
            post(Report::Networks { agent, networks: Box::new(networks) });
        }
    }

    async fn show_all(&mut self) {
        for index in 0..self.agents.len() {
            // If the device is lost, the next iteration notices it and handles it.
            drop(self.show(index, true).await);
        }
    }

    /// Reports imagined steps of both agents.
    async fn dream(&mut self, plan: &DreamPlan) {
        for agent in 0..self.agents.len() {
            // If the device is lost, the next iteration notices it and handles it.
            if let Ok(dream) = self.agents[agent].agent.dream(plan).await {
                post(Report::Dream { agent, dream: dream.map(Box::new) });
            }
        }
    }

    /// Makes a checkpoint of an agent, keeps it and sends it to the page.
    async fn keep(&mut self, index: usize, asked: bool) {
        let slot = &mut self.agents[index];
        slot.kept_at = time::now_ms();
        match slot.agent.archive(&self.chosen.report.name).await {
            Ok(archive) => {
                slot.kept = Some(archive.clone());
                slot.copy_failed = false;
                post(Report::Checkpoint { agent: index, asked, archive });
            }
            Err(error) if asked => {
                post(Report::Refused { text: format!("No checkpoint could be made: {error}") });
            }
            // Said once, until a copy succeeds.
            Err(_) if slot.copy_failed => {}
            Err(error) => {
                slot.copy_failed = true;
                let letter = ["A", "B"][index];
                let text = format!(
                    "The automatic copy of agent {letter} failed: {error}. If the trainer stops, the steps since the \
                     last copy are lost."
                );
                post(Report::Notice { text });
            }
        }
    }

    async fn save(&mut self, index: usize) {
        let refuse = |text: &str| post(Report::Refused { text: text.to_owned() });
        match self.agents.get(index) {
            // Its parameters are not finite any more, so only the last valid checkpoint can be
            // saved.
            Some(slot) if slot.stopped => match slot.kept.clone() {
                Some(archive) => {
                    post(Report::Checkpoint { agent: index, asked: true, archive });
                    let text =
                        "The agent has stopped: the file is its last checkpoint before that.";
                    post(Report::Notice { text: text.to_owned() });
                }
                None => refuse(
                    "The agent stopped before its first checkpoint: there is nothing that could be saved.",
                ),
            },
            Some(_) => self.keep(index, true).await,
            None => refuse("There is no such agent to save."),
        }
    }

    async fn export(&self, index: usize) {
        let device = &self.chosen.report.name;
        let found = match self.agents.get(index) {
            Some(slot) if slot.stopped => {
                Err("The agent has stopped, and its parameters are not numbers any more. \
                Save it: the file is its last checkpoint before that, which the command line can export (native export)."
                    .to_owned())
            }
            Some(slot) => slot.agent.export(device).await.map_err(|error| {
                format!("The agent cannot be written for other programs: {error}.")
            }),
            None => Err("There is no such agent.".to_owned()),
        };
        post(match found {
            Ok(archive) => Report::Export(archive),
            Err(text) => Report::Refused { text },
        });
    }

    /// Continues from the last checkpoints on the CPU.
    async fn device_lost(&mut self, why: &str) {
        if !self.chosen.report.is_gpu {
            self.set_running(false);
            return post(Report::Fault { text: format!("The CPU backend failed: {why}") });
        }
        self.devices.give_up_gpu("WebGPU failed while it trained");
        let was_running = self.running;
        let archives: Vec<_> = self.agents.iter().map(|slot| slot.kept.clone()).collect();
        let archives = <[_; AGENTS]>::try_from(archives).unwrap_or_default();
        let emulators = self.emulators.clone();
        let experiment = self.experiment.clone();
        match self.prepare(experiment, DevicePreference::Cpu, archives, emulators).await {
            Ok(mut prepared) => {
                prepared.chosen.report.reason = "WebGPU failed while it trained".to_owned();
                self.take(prepared).await;
                post(Report::Notice {
                    text: format!(
                        "WebGPU failed ({why}). Training goes on, on the CPU, from the last checkpoint in \
                         memory; at most the last seconds are trained again."
                    ),
                });
                self.set_running(was_running);
            }
            Err(error) => {
                self.set_running(false);
                let text =
                    format!("WebGPU failed ({why}), and the CPU could not take over: {error}");
                post(Report::Fault { text });
            }
        }
    }

    fn set_running(&mut self, running: bool) {
        if self.running != running {
            self.running = running;
            self.report_status();
        }
    }

    fn report_status(&self) {
        post(Report::Status(self.status()));
    }

    fn status(&self) -> Status {
        Status {
            running: self.running,
            finished: !self.agents.is_empty() && !self.agents.iter().any(Slot::can_go_on),
            updates_per_second: self.tempo.updates_per_second(),
        }
    }
}

/// The emulators of each agent: an equal share of the ports, and the cartridge.
fn emulators(ports: Vec<MessagePort>, rom: Option<ByteBuf>) -> [Emulators; AGENTS] {
    let share = ports.len() / AGENTS;
    let rom: Option<Rc<[u8]>> = rom.map(|rom| rom.into_vec().into());
    let mut ports = ports.into_iter().map(|port| Rc::new(EmulatorPort::new(port)));
    std::array::from_fn(|_| Emulators {
        ports: ports.by_ref().take(share).collect(),
        rom: rom.clone(),
    })
}

/// Forwards what the page shows of a trainer's messages.
fn forward(agent: usize, message: Message) {
    if let Some(event) = Event::of(message) {
        post_soon(Report::Event { agent, event });
    }
}
