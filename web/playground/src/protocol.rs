//! The messages between the page and the worker.
//!
//! The worker owns the trainers; the page sends requests and shows reports. A request has no direct
//! answer: the worker reports every change, in the order in which the changes happened. Messages
//! are encoded with postcard, which keeps NaN (a value function can be undefined) and needs little
//! code (docs/decisions/0020-messages.md). It writes neither names nor types: page and workers of a
//! site are always built together. A type of a message must not use serde's `flatten`, `untagged`,
//! internal `tag` or `skip_serializing_if`.

use deepspi_run::batch_view::BatchView;
use deepspi_run::maze::{Assessment, DreamPlan, MazeCells, MazeDream, MazeReport};
use deepspi_run::message::{Iteration, MazeStatus, Message};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::archive::Archive;
use crate::experiment::{AGENTS, Experiment};
use crate::play::Networks;

/// Name of the field with the bytes of a message.
pub const BYTES: &str = "bytes";
/// Name of the field with an array of `MessagePort`s of emulator workers, an equal number for each
/// agent.
pub const PORTS: &str = "ports";
/// Name of the field with a canvas that is transferred to the worker.
pub const CANVAS: &str = "canvas";

/// Which device the user wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DevicePreference {
    /// WebGPU if it is available, passes the self-test and is faster than the CPU; else the CPU.
    #[default]
    Auto,
    /// WebGPU, even on a software adapter.
    Webgpu,
    /// The CPU: WebAssembly with SIMD.
    Cpu,
}

/// How fast to train.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Pace {
    /// As fast as the device can.
    #[default]
    Max,
    /// At most this number of iterations per second.
    PerSecond(f64),
}

/// Views that are slow to compute, so the worker computes them only while the page shows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// Losses and utilities of all cells, and the last batch.
    pub details: bool,
    /// The terms of the theorems.
    pub theory: bool,
}

/// A message from the page to the worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// Create both agents at their first iteration. The device is kept if the preference is the
    /// same.
    Open {
        /// What to train.
        experiment: Box<Experiment>,
        /// On which device.
        device: DevicePreference,
        /// The cartridge of a game; none for the maze and its cartridge. Ports of emulator workers
        /// are sent with this message if the world is on the emulator.
        rom: Option<ByteBuf>,
    },
    /// Continue agents from checkpoints, each with the configuration in its checkpoint. An agent
    /// without a checkpoint (`None`) starts at its first iteration.
    Restore {
        /// The world, and the configuration of the agents without a checkpoint.
        experiment: Box<Experiment>,
        /// On which device.
        device: DevicePreference,
        /// The checkpoint of each agent.
        archives: [Option<Archive>; AGENTS],
        /// As in [`Self::Open`].
        rom: Option<ByteBuf>,
    },
    /// Train until a pause or the end of the run.
    Start,
    /// Stop after the iteration in progress.
    Pause,
    /// Train one iteration of each agent: a rollout and its updates.
    Step,
    /// Change the training speed.
    Pace(Pace),
    /// Change which slow views are computed.
    Watch(Watch),
    /// Report the networks of both agents now, and from now on after every update that is shown.
    Networks(bool),
    /// Imagine steps of the maze with both agents' world models, and report them.
    Dream(DreamPlan),
    /// Report a checkpoint of this agent.
    Save {
        /// Which agent.
        agent: usize,
    },
    /// Report this agent as files for other programs.
    Export {
        /// Which agent.
        agent: usize,
    },
    /// Draw an agent's latents on the canvas that is sent with this message, if the device can.
    Canvas {
        /// Which agent.
        agent: usize,
    },
    /// Draw the latents in this way from now on.
    Scene {
        /// Which agent.
        agent: usize,
        /// Sizes, ranges and colours.
        scene: LatentScene,
    },
}

/// Everything, except the latents, that determines how the latents are drawn. Colours are sRGB,
/// with components in [0, 1].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LatentScene {
    /// Width and height of the canvas in pixels; `[0, 0]` if it is not shown, and then nothing is
    /// drawn.
    pub size: [u32; 2],
    /// Pixels per CSS pixel.
    pub scale: f32,
    /// Half the height of the picture in latent units; 0 while it is unknown.
    pub extent: f32,
    /// Values at the two ends of the palette.
    pub range: [f32; 2],
    /// Colour of the background.
    pub background: [f32; 3],
    /// Colour of the grid lines.
    pub grid: [f32; 3],
    /// Colour of the outlines of points.
    pub outline: [f32; 3],
    /// Colour of the line between the two stars.
    pub line: [f32; 3],
    /// Colours of the values from low to high.
    pub palette: Vec<[f32; 3]>,
    /// Duration of the points' motion to new positions in milliseconds; 0: they jump.
    pub glide: f64,
}

/// A report from the worker to the page. One message holds one or more reports, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Report {
    /// The worker is loaded and accepts requests.
    Listening,
    /// What the worker does before it can train.
    Preparing {
        /// One short phrase.
        text: String,
    },
    /// The agents are ready and training is paused. The same message holds the checkpoints from
    /// which they continue.
    Opened {
        /// The device that trains.
        device: DeviceReport,
        /// What is trained: the experiment of the request, or the one in the checkpoints.
        experiment: Box<Experiment>,
        /// Number of completed iterations of each agent.
        iterations: [u64; AGENTS],
    },
    /// An event of a trainer.
    Event {
        /// Which agent.
        agent: usize,
        /// What happened.
        event: Event,
    },
    /// The current state of an agent. A newer view replaces an older one.
    View {
        /// Which agent.
        agent: usize,
        /// What to show.
        view: Box<AgentView>,
    },
    /// A checkpoint.
    Checkpoint {
        /// Which agent.
        agent: usize,
        /// Whether the page asked for it. If not, the page keeps it in case the worker dies.
        asked: bool,
        /// A run folder that holds this checkpoint.
        archive: Archive,
    },
    /// An agent as files for other programs ([`Request::Export`]), in one zip file.
    Export(Archive),
    /// Imagined steps of an agent in the maze ([`Request::Dream`]).
    Dream {
        /// Which agent.
        agent: usize,
        /// The steps; none if the agent has no world model, or none that can imagine.
        dream: Option<Box<MazeDream>>,
    },
    /// The networks of an agent, for a player ([`Request::Networks`]).
    Networks {
        /// Which agent.
        agent: usize,
        /// Its networks.
        networks: Box<Networks>,
    },
    /// Training started, stopped, or runs at this speed.
    Status(Status),
    /// Information for the user; training continues.
    Notice {
        /// One or two sentences.
        text: String,
    },
    /// A request could not be carried out; nothing else has changed.
    Refused {
        /// One or two sentences.
        text: String,
    },
    /// Training cannot continue; the last checkpoints are valid.
    Fault {
        /// One or two sentences.
        text: String,
    },
    /// Whether the worker's GPU or the page draws an agent's latents.
    Drawing {
        /// Which agent.
        agent: usize,
        /// Whether the worker draws.
        by_worker: bool,
    },
}

/// What the page keeps of a trainer's messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// A rollout and its updates are complete.
    Iteration(Box<Iteration>),
    /// The exact evaluation of the agent after that.
    Maze(MazeStatus),
}

impl Event {
    /// The event in a message; none in a message that the page does not show. Single episodes are
    /// too many, and a batch is a part of the view.
    #[must_use]
    pub fn of(message: Message) -> Option<Self> {
        match message {
            Message::Iteration(iteration) => Some(Self::Iteration(iteration)),
            Message::Maze(status) => Some(Self::Maze(status)),
            Message::Episode(_)
            | Message::Batch(_)
            | Message::CheckpointWritten { .. }
            | Message::Warning { .. }
            | Message::Failure { .. } => None,
        }
    }
}

/// The state of training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Whether training runs.
    pub running: bool,
    /// Whether no agent can continue, because each has done all its iterations or has stopped.
    pub finished: bool,
    /// Gradient updates per second of both agents together, averaged over the last 1.5 seconds.
    pub updates_per_second: f64,
}

/// The device in use, and the reason for the choice.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeviceReport {
    /// Whether it is WebGPU.
    pub is_gpu: bool,
    /// Name of adapter or processor.
    pub name: String,
    /// Whether the adapter is software, not a graphics card.
    pub is_software: bool,
    /// Why this device was chosen, in one sentence.
    pub reason: String,
    /// Largest relative difference from the CPU in the self-test; none if the device is the CPU.
    pub self_test: Option<f64>,
    /// Milliseconds per update on WebGPU and on the CPU, if both were measured.
    pub update_ms: Option<[f64; 2]>,
}

/// The current state of an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentView {
    /// Agent steps so far.
    pub global_step: u64,
    /// Policy, values and latents of every state.
    pub report: MazeReport,
    /// Latents projected on their first two principal components, `[S]`; none if they are not
    /// finite.
    pub points: Option<Vec<[f64; 2]>>,
    /// Share of the variance that each axis explains.
    pub explained: [f64; 2],
    /// Utility and losses of all cells, if [`Watch::details`] is set.
    pub cells: Option<MazeCells>,
    /// The batch of the last iteration, if [`Watch::details`] is set and there was an iteration.
    pub batch: Option<BatchView>,
    /// The terms of the theorems for the last iteration, if [`Watch::theory`] is set. They cost
    /// more time than the rest of the view, so most views during training have none.
    pub assessment: Option<Assessment>,
}

/// A message that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("a message between page and worker could not be read ({0}); reload the page")]
pub struct Unreadable(String);

/// Encodes a message.
///
/// # Errors
/// Never with the types of this module.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, postcard::Error> {
    postcard::to_stdvec(message)
}

/// Decodes a message.
///
/// # Errors
/// If the bytes are not a message of this version of the program.
pub fn decode<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, Unreadable> {
    match postcard::take_from_bytes(bytes) {
        Ok((message, [])) => Ok(message),
        Ok((_, rest)) => Err(Unreadable(format!("{} bytes too many", rest.len()))),
        Err(error) => Err(Unreadable(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use deepspi_run::metrics::Metrics;
    use deepspi_run::monitor::RatioBounds;
    use deepspi_worlds::maze::Action;

    use super::*;

    #[test]
    fn an_iteration_survives_with_its_nan() {
        let iteration = Iteration {
            iteration: 3,
            global_step: 2048,
            learning_rate: 1e-3,
            last: Metrics::default(),
            mean: Metrics::default(),
            explained_variance: f32::NAN,
            ratios: RatioBounds { sup: 1.5, inf: 0.5, limit: 1.01, premise_holds: false },
            certificate: None,
            avg_episodic_return: 0.0,
            finished_return: None,
            avg_episodic_length: 0.0,
            episodes: 0,
        };
        let report = Report::Event { agent: 1, event: Event::Iteration(Box::new(iteration)) };
        let read: Report = decode(&encode(&report).expect("encodes")).expect("decodes");
        let Report::Event { agent: 1, event: Event::Iteration(read) } = read else {
            unreachable!("another message came out: {read:?}");
        };
        assert!(read.explained_variance.is_nan());
        assert_eq!((read.iteration, read.ratios.sup.to_bits()), (3, 1.5_f32.to_bits()));
    }

    fn survives<T: Serialize + for<'de> Deserialize<'de> + PartialEq + std::fmt::Debug>(all: &[T]) {
        for message in all {
            let bytes = encode(message).expect("encodes");
            assert_eq!(&decode::<T>(&bytes).expect("decodes"), message);
        }
    }

    #[test]
    fn requests_survive_and_rubbish_is_refused() {
        let experiment = Box::new(Experiment::default());
        let archive = Archive { name: "run".into(), bytes: vec![80, 75] };
        let open = Request::Open {
            experiment: experiment.clone(),
            device: DevicePreference::Cpu,
            rom: Some(ByteBuf::from(vec![1, 2])),
        };
        let bytes = encode(&open).expect("encodes");
        survives(&[
            open,
            Request::Restore {
                experiment,
                device: DevicePreference::Webgpu,
                archives: [None, Some(archive)],
                rom: None,
            },
            Request::Start,
            Request::Pause,
            Request::Step,
            Request::Pace(Pace::PerSecond(2.5)),
            Request::Watch(Watch { details: true, theory: false }),
            Request::Networks(true),
            Request::Dream(DreamPlan { start: 2, actions: vec![Action::Up], follow: 3, seed: 4 }),
            Request::Save { agent: 1 },
            Request::Export { agent: 0 },
            Request::Canvas { agent: 0 },
            Request::Scene {
                agent: 1,
                scene: LatentScene { palette: vec![[0.5; 3]; 2], ..LatentScene::default() },
            },
        ]);
        decode::<Request>(&bytes[..bytes.len() - 1]).expect_err("cut off");
        decode::<Request>(&[&bytes[..], &[0]].concat()).expect_err("too long");
        decode::<Request>(b"hello").expect_err("no message");
    }

    #[test]
    fn reports_survive() {
        let mut experiment = Experiment::default();
        experiment.agents[1].world_model.transition_loss_coef = 0.1;
        let report = MazeReport {
            start_value: 8.25,
            star_distance: 0.5,
            relative_star_distance: 1.0,
            policy: vec![0.25; 8],
            values: vec![1.0, -1.0],
            q: vec![0.0; 8],
            advantage: vec![0.0; 8],
            critic: vec![0.5, 0.5],
            latents: vec![1.5; 4],
        };
        let view = AgentView {
            global_step: 128,
            report,
            points: Some(vec![[0.0, 1.0]]),
            explained: [0.75, 0.25],
            cells: None,
            batch: None,
            assessment: None,
        };
        let status = MazeStatus {
            global_step: 128,
            start_value: 8.25,
            star_distance: 0.5,
            relative_star_distance: 1.0,
            up_at_stars: [0.25, 0.75],
        };
        survives(&[
            Report::Listening,
            Report::Preparing { text: "compiling".into() },
            Report::Opened {
                device: DeviceReport { update_ms: Some([1.0, 2.0]), ..DeviceReport::default() },
                experiment: Box::new(experiment),
                iterations: [3, u64::MAX],
            },
            Report::Event { agent: 0, event: Event::Maze(status) },
            Report::Dream { agent: 0, dream: None },
            Report::View { agent: 1, view: Box::new(view) },
            Report::Checkpoint {
                agent: 0,
                asked: true,
                archive: Archive { name: "run".into(), bytes: vec![0; 300] },
            },
            Report::Export(Archive { name: "agent".into(), bytes: vec![1] }),
            Report::Status(Status { running: true, finished: false, updates_per_second: 0.5 }),
            Report::Notice { text: "slow".into() },
            Report::Refused { text: "no".into() },
            Report::Fault { text: String::new() },
            Report::Drawing { agent: 1, by_worker: true },
        ]);
    }
}
