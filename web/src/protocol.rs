//! What page and worker say to each other.
//!
//! The worker owns the trainers; the page only asks and shows. A request is never answered in place:
//! whatever changes is reported, in the order in which it happened. Messages travel as MessagePack,
//! which keeps NaN (a value function can be undefined) and tagged enums, in a buffer that is handed
//! over, not copied.

use deepspi_run::batch_view::BatchView;
use deepspi_run::maze::{Assessment, MazeCells, MazeReport};
use deepspi_run::message::Message;
use serde::{Deserialize, Serialize};

use crate::archive::Archive;
use crate::experiment::{AGENTS, Experiment};

/// Name of the field with the bytes of a message.
pub const BYTES: &str = "bytes";
/// Name of the field with a canvas that changes hands.
pub const CANVAS: &str = "canvas";

/// Which device the user wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DevicePreference {
    /// WebGPU if it is there, right and faster than the CPU; else the CPU.
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
    /// At most so many iterations a second.
    PerSecond(f64),
}

/// Views that cost time to compute and are made only while somebody looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// Losses and utilities of every cell, and the last batch.
    pub details: bool,
    /// The terms of the theorems.
    pub theory: bool,
}

/// From the page to the worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// Make both agents anew at their first iteration. A device of the same preference is kept.
    Open {
        /// What to train.
        experiment: Box<Experiment>,
        /// On which device.
        device: DevicePreference,
    },
    /// Continue agents from checkpoints (`None`: anew), each with the checkpoint's own configuration.
    Restore {
        /// Maze, and the configuration of the agents that start anew.
        experiment: Box<Experiment>,
        /// On which device.
        device: DevicePreference,
        /// What to continue.
        archives: [Option<Archive>; AGENTS],
    },
    /// Train until paused or done.
    Start,
    /// Stop after the iteration in progress.
    Pause,
    /// One iteration of each agent: a rollout and its updates.
    Step,
    /// See [`Pace`].
    Pace(Pace),
    /// See [`Watch`].
    Watch(Watch),
    /// Report a checkpoint of this agent.
    Save {
        /// Which agent.
        agent: usize,
    },
    /// Draw an agent's latents on the canvas that comes with this message, if the device can.
    Canvas {
        /// Which agent.
        agent: usize,
    },
    /// How the latents are to be drawn from now on.
    Scene {
        /// Which agent.
        agent: usize,
        /// Sizes, ranges and colours.
        scene: LatentScene,
    },
}

/// What the drawing of latents depends on besides the latents. Colours are sRGB, components in [0, 1].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LatentScene {
    /// Pixels of the canvas; `[0, 0]`: nobody looks, nothing is drawn.
    pub size: [u32; 2],
    /// Pixels per CSS pixel.
    pub scale: f32,
    /// Half the height of the picture in latent units; 0 before it is known.
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
    /// Milliseconds in which points glide to their new places; 0: they jump.
    pub glide: f64,
}

/// From the worker to the page; a message holds one or more of them in their order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Report {
    /// The worker is there and can be asked.
    Listening,
    /// What the worker is busy with before it can train.
    Preparing {
        /// One short phrase.
        text: String,
    },
    /// Agents are ready at the iterations they stand at; training is paused. In the same message are
    /// the checkpoints they go on from.
    Opened {
        /// What trains.
        device: DeviceReport,
        /// What is trained, as it came or as the checkpoints say.
        experiment: Box<Experiment>,
        /// Iterations each agent has behind it.
        iterations: [u64; AGENTS],
    },
    /// An event of a trainer.
    Event {
        /// Which agent.
        agent: usize,
        /// What happened.
        message: Message,
    },
    /// Where an agent stands; newer ones replace older ones.
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
        /// Whether the page asked; else it is kept in case the worker dies.
        asked: bool,
        /// A run folder with this checkpoint.
        archive: Archive,
    },
    /// Training began, stopped, or goes on at this speed.
    Status(Status),
    /// Something the user should know; training goes on.
    Notice {
        /// One or two sentences.
        text: String,
    },
    /// A request could not be carried out; what was there goes on as before.
    Refused {
        /// One or two sentences.
        text: String,
    },
    /// Training cannot go on; the last checkpoints are good.
    Fault {
        /// One or two sentences.
        text: String,
    },
    /// Who draws an agent's latents: the worker's GPU, or the page itself.
    Drawing {
        /// Which agent.
        agent: usize,
        /// Whether the worker draws.
        by_worker: bool,
    },
}

/// Where training stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Whether it runs.
    pub running: bool,
    /// Whether all iterations are done.
    pub finished: bool,
    /// Gradient updates a second of both agents, over the last second or so.
    pub updates_per_second: f64,
}

/// The device in use and why.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeviceReport {
    /// Whether it is WebGPU.
    pub is_gpu: bool,
    /// Name of adapter or processor.
    pub name: String,
    /// Whether the adapter is a program, not a graphics card.
    pub is_software: bool,
    /// Why this device: one sentence.
    pub reason: String,
    /// Largest relative difference to the CPU in the self-test; none for the CPU itself.
    pub self_test: Option<f64>,
    /// Milliseconds of one update, where both were measured: WebGPU, then CPU.
    pub update_ms: Option<[f64; 2]>,
}

/// Where an agent stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentView {
    /// Agent steps so far.
    pub global_step: u64,
    /// Policy, values and latents of every state.
    pub report: MazeReport,
    /// Latents on their first two principal components `[S]`; none if they are not numbers.
    pub points: Option<Vec<[f64; 2]>>,
    /// Share of the variance along each axis.
    pub explained: [f64; 2],
    /// Utility and losses of every cell, if they are watched.
    pub cells: Option<MazeCells>,
    /// The batch of the last iteration, if it is watched and there was one.
    pub batch: Option<BatchView>,
    /// The terms of the theorems for the last iteration, if they are watched. They cost more than
    /// the rest together, so most views while training have none.
    pub assessment: Option<Assessment>,
}

/// A message that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("a message between page and worker could not be read ({0}); reload the page")]
pub struct Unreadable(#[from] rmp_serde::decode::Error);

/// A message as bytes.
///
/// # Errors
/// Not with the types of this module.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, rmp_serde::encode::Error> {
    rmp_serde::to_vec_named(message)
}

/// The message in these bytes.
///
/// # Errors
/// If they are of another version of this program.
pub fn decode<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, Unreadable> {
    Ok(rmp_serde::from_slice(bytes)?)
}

#[cfg(test)]
mod tests {
    use deepspi_run::message::Iteration;
    use deepspi_run::metrics::Metrics;
    use deepspi_run::monitor::RatioBounds;

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
        let report = Report::Event { agent: 1, message: Message::Iteration(Box::new(iteration)) };
        let read: Report = decode(&encode(&report).expect("encodes")).expect("decodes");
        let Report::Event { agent: 1, message: Message::Iteration(read) } = read else {
            unreachable!("another message came out: {read:?}");
        };
        assert!(read.explained_variance.is_nan());
        assert_eq!((read.iteration, read.ratios.sup.to_bits()), (3, 1.5_f32.to_bits()));
    }

    #[test]
    fn requests_survive_and_rubbish_is_refused() {
        let request = Request::Open {
            experiment: Box::new(Experiment::default()),
            device: DevicePreference::Cpu,
        };
        let bytes = encode(&request).expect("encodes");
        assert_eq!(decode::<Request>(&bytes).expect("decodes"), request);
        decode::<Request>(&bytes[1..]).expect_err("cut off");
        decode::<Request>(b"hello").expect_err("no message");
    }
}
