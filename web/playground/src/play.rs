//! The messages between the page and the player worker, which plays on the screens of the Atari
//! room.
//!
//! The player decides and explains; an emulator worker plays ([`crate::emulator`]); the trainer
//! trains, in a worker of its own, so that a slow iteration never stops a screen. The page sets the
//! pace: each [`Request::Step`] is one agent step, answered by one [`Report::Played`] or
//! [`Report::Refused`]. Messages are encoded as in [`crate::protocol`]. The screens of a step and
//! the observation after it are fields of their own ([`FRAMES`], [`OBSERVATIONS`]).
//!
//! [`FRAMES`]: crate::emulator::FRAMES
//! [`OBSERVATIONS`]: crate::emulator::OBSERVATIONS

use deepspi_run::checkpoint::{Checkpoint, Encoding, MODEL, Section, State};
use deepspi_run::config::Config;
use deepspi_run::dreaming::LookedAhead;
use deepspi_run::network::NetworkSpec;
use deepspi_run::playing::{Perception, StepTerms};
use deepspi_worlds::atari::StepOutcome;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::emulator::{Games, Opened};

/// Name of the worker, which tells the program of the trainer that it is a player.
pub const WORKER_NAME: &str = "player";

/// Screens of the room.
pub const SCREENS: usize = 2;

/// Most steps of a look into the world model ([`Request::Dream`]).
pub const LONGEST_DREAM: usize = 16;

/// The networks of an agent, without the state of its optimiser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Networks {
    /// Sizes, hyper-parameters and progress.
    pub state: Box<State>,
    /// The parameters.
    pub model: ByteBuf,
}

impl Networks {
    /// The networks in a checkpoint; none if it has no section of parameters.
    #[must_use]
    pub fn of(checkpoint: &Checkpoint) -> Option<Self> {
        let model = ByteBuf::from(checkpoint.section(MODEL)?);
        Some(Self { state: Box::new(checkpoint.state.clone()), model })
    }

    /// A checkpoint with these networks and nothing else.
    #[must_use]
    pub fn into_checkpoint(self) -> Checkpoint {
        let bytes = self.model.into_vec();
        let section = Section { name: MODEL.to_owned(), encoding: Encoding::Safetensors, bytes };
        Checkpoint { sections: vec![section], state: *self.state }
    }
}

/// Who chooses the action of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Chooser {
    /// The agent, from its policy at random.
    Sampled,
    /// The agent, the most probable action.
    Greedy,
    /// The person in front of the screen: an index into the game's actions.
    Person(u32),
}

/// Where the agent of a screen comes from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Source {
    /// No agent.
    Nobody,
    /// An agent that was never trained.
    Fresh {
        /// Hyper-parameters; the seed determines the networks.
        config: Box<Config>,
        /// Sizes of the networks.
        spec: Box<NetworkSpec>,
    },
    /// A trained agent.
    Trained(Box<Networks>),
    /// The agent that is there, after an update: the importance ratio compares the two.
    Updated(Box<Networks>),
}

/// A message from the page to the player.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    /// Start a game on a screen. The port of an emulator worker is sent with this message. There
    /// must be one environment, and it should be filmed.
    Insert {
        /// Which screen.
        screen: usize,
        /// Number of the game; steps of earlier games may still arrive, and carry theirs
        /// ([`Step::game`]).
        game: u64,
        /// Cartridge, rules and seed.
        games: Box<Games>,
    },
    /// Give the screen another agent, or take it away.
    Agent {
        /// Which screen.
        screen: usize,
        /// Who plays from now on.
        source: Source,
    },
    /// Start a new game.
    Reset {
        /// Which screen.
        screen: usize,
    },
    /// Play one agent step.
    Step {
        /// Which screen.
        screen: usize,
        /// Who chooses.
        chooser: Chooser,
    },
    /// Project latents of the last steps on two axes.
    Latents {
        /// Which screen.
        screen: usize,
    },
    /// Imagine the last steps, from where the agent stood before them.
    Dream {
        /// Which screen.
        screen: usize,
        /// How many steps, [`LONGEST_DREAM`] at most.
        horizon: usize,
    },
}

/// A message from the player to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Report {
    /// The worker is loaded.
    Listening,
    /// A game is in the console, and not started yet.
    Inserted {
        /// Which screen.
        screen: usize,
        /// Actions and colours.
        opened: Box<Opened>,
    },
    /// A screen has an agent, or none.
    Agent {
        /// Which screen.
        screen: usize,
        /// Agent steps for which it was trained; none: the screen has no agent.
        global_step: Option<u64>,
        /// What it sees in the picture on the screen; none without a picture or an agent.
        judged: Option<Box<Judged>>,
    },
    /// A step was played, or a game was started.
    Played {
        /// Which screen.
        screen: usize,
        /// What happened.
        step: Box<Step>,
    },
    /// The latents of the last steps.
    Latents {
        /// Which screen.
        screen: usize,
        /// Where they lie; none while there are fewer than two.
        picture: Option<LatentPicture>,
    },
    /// The last steps, imagined.
    Dream {
        /// Which screen.
        screen: usize,
        /// What came of it.
        dream: ScreenDream,
    },
    /// A request could not be carried out; the screen goes on as it was.
    Refused {
        /// Which screen.
        screen: usize,
        /// One or two sentences.
        text: String,
    },
    /// The worker cannot go on.
    Fault {
        /// One or two sentences.
        text: String,
    },
}

/// One step of a screen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The number that was given with its game ([`Request::Insert`]).
    pub game: u64,
    /// Number of the step since the game was inserted; a reset is a step, too.
    pub number: u64,
    /// The action; none: a new game was started.
    pub action: Option<u32>,
    /// Who chose it.
    pub chooser: Option<Chooser>,
    /// What the agent saw before the step; none without an agent. Its latent is left out.
    pub seen: Option<Perception>,
    /// The terms of the objective for this step; none without an agent.
    pub terms: Option<StepTerms>,
    /// Reward, end and lives.
    pub outcome: StepOutcome,
    /// What the agent sees now. Its latent is left out.
    pub sees: Option<Perception>,
    /// How many screens were filmed.
    pub filmed: u32,
    /// Milliseconds from the observation to the policy that it gives.
    pub decision_ms: f64,
}

/// What an agent sees in a picture that was there before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Number of the step with this picture.
    pub number: u64,
    /// What the agent sees. Its latent is left out.
    pub sees: Perception,
    /// Milliseconds from the observation to the policy.
    pub decision_ms: f64,
}

/// A look of a screen's agent into its world model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum ScreenDream {
    /// No step was played yet by an agent, or a new game has begun.
    #[default]
    Nothing,
    /// The agent has no world model that was trained, or a critic that cannot judge latents.
    Impossible,
    /// The last steps of the game, imagined with the actions that were taken.
    Steps {
        /// Number of the step with which each ended, `[H]`.
        numbers: Vec<u64>,
        /// The steps, `[H]`; `nearest` has the number of the step after which that picture was there.
        looked: LookedAhead,
        /// Mean distance of the latents of two steps of this screen.
        typical_distance: f64,
        /// Discount factor of the agent.
        gamma: f32,
    },
}

/// Latents projected on their first two principal components.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LatentPicture {
    /// Numbers of the steps after which the latents were computed, `[n]`.
    pub steps: Vec<u64>,
    /// Where each lies, `[n]`.
    pub points: Vec<[f64; 2]>,
    /// The agent's value of each, `[n]`.
    pub values: Vec<f32>,
    /// Share of the variance that each axis explains.
    pub explained: [f64; 2],
}

#[cfg(test)]
mod tests {
    use deepspi_run::checkpoint::FORMAT;
    use deepspi_run::maze_preset::TrainingPreset as _;
    use deepspi_run::monitor::EpisodeTracker;
    use deepspi_worlds::maze::MazePreset;
    use deepspi_worlds::rng::Generators;

    use super::*;
    use crate::protocol::{decode, encode};

    #[test]
    fn networks_lose_the_optimiser_and_keep_the_rest() {
        let section = |name: &str, bytes| {
            let encoding = Encoding::Safetensors;
            Section { name: name.to_owned(), encoding, bytes }
        };
        let state = State {
            format: FORMAT,
            config: MazePreset::Small.hyper_parameters(),
            spec: MazePreset::Small.network(),
            iteration: 3,
            optimiser_steps: vec![24],
            generators: Generators::new(1),
            tracker: EpisodeTracker::new(4),
            dones: vec![false; 4],
        };
        let sections = vec![section("optimiser", vec![1; 99]), section(MODEL, vec![7, 8])];
        let checkpoint = Checkpoint { sections, state };
        let networks = Networks::of(&checkpoint).expect("it has parameters");
        let request = Request::Agent { screen: 1, source: Source::Updated(Box::new(networks)) };
        let bytes = encode(&request).expect("encodes");
        let Request::Agent { source: Source::Updated(read), .. } = decode(&bytes).expect("decodes")
        else {
            unreachable!("another message came out");
        };
        let read = read.into_checkpoint();
        assert_eq!(read.sections, [section(MODEL, vec![7, 8])]);
        assert_eq!((read.state.iteration, read.state.spec), (3, checkpoint.state.spec.clone()));
        assert!(Networks::of(&Checkpoint { sections: Vec::new(), ..checkpoint }).is_none());
    }
}
