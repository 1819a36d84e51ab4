//! The messages between an emulator worker and its clients.
//!
//! An emulator worker (`web/emulator`) plays Atari games. Its clients are the page and the trainer.
//! The page starts the worker and gives it one end of a `MessageChannel` for each client, in a
//! message `{ port }` ([`PORT`]) without further content; the other end goes to the client. Each
//! client has games of its own, and knows nothing of the others.
//!
//! Over its port a client sends a [`Request`] and receives exactly one [`Answer`] to each, in the
//! same order, except to [`Request::Close`], which has none. Requests may be sent at any time, also
//! before the worker has loaded: they wait in the port. A message is an object whose field
//! [`BYTES`](crate::protocol::BYTES) holds the encoded request or answer
//! ([`encode`](crate::protocol::encode), [`decode`](crate::protocol::decode)); large arrays are
//! fields of their own ([`OBSERVATIONS`], [`FRAMES`]). All buffers are transferred, not copied.
//!
//! If the worker cannot go on at all, every client gets [`Answer::Failed`], also without a request,
//! and the page gets it as a message of the worker itself.

use deepspi_worlds::atari::{AtariOptions, StepOutcome};
use deepspi_worlds::frame::FrameShape;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// Name of the field with the port of a new client.
pub const PORT: &str = "port";
/// Name of the field with the observations after a step, a `Uint8Array` `[n, F, 84, 84]`.
pub const OBSERVATIONS: &str = "observations";
/// Name of the field with the filmed screens, a `Uint8Array` `[k, 210, 160]` of palette indices
/// (all even).
pub const FRAMES: &str = "frames";

/// Largest number of environments of a client.
pub const MAX_ENVS: u32 = 256;

/// A set of environments of one game, or a part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Games {
    /// Name of the game, such as `Breakout`.
    pub game: String,
    /// The cartridge; its checksum must be that of the game.
    pub rom: ByteBuf,
    /// The rules.
    pub options: AtariOptions,
    /// Common seed of all environments of the set, those of other workers included.
    pub seed: u64,
    /// Index of the first environment within the set. With the same seed, environment `i` plays the
    /// same games in whichever worker it is.
    pub first_index: u64,
    /// Number n of environments here, from 1 to [`MAX_ENVS`].
    pub envs: u32,
    /// Whether every emulated frame is to be sent, for a screen that shows the game.
    pub film: bool,
}

/// A message from a client to the worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// Create environments, in place of those that the client has. They must be reset before the
    /// first step. Answer: [`Answer::Opened`].
    Open(Box<Games>),
    /// Start new games in all environments. Answer: [`Answer::Stepped`].
    Reset,
    /// Play one agent step in every environment; those whose last step was `done` are reset
    /// instead. Answer: [`Answer::Stepped`].
    Step {
        /// `[n]`, indices into [`Opened::actions`].
        actions: Vec<u32>,
    },
    /// Report the state of all environments. Answer: [`Answer::Stored`].
    Store,
    /// Replay stored games up to the point where they were stored, which takes as long as the games
    /// took. Answer: [`Answer::Stepped`] with the results of the last step before that point. After
    /// an error the environments must be reset.
    Load {
        /// `[n]`, as in [`Answer::Stored`].
        games: Vec<ByteBuf>,
    },
    /// Report what an agent sees in every state of the maze on the free cartridge. Answer:
    /// [`Answer::MazeView`].
    MazeView,
    /// Forget the client and its environments. No answer.
    Close,
}

/// A message from the worker to a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// The environments exist.
    Opened(Box<Opened>),
    /// All environments have played a step, or were reset or loaded. The message has the field
    /// [`OBSERVATIONS`], and [`FRAMES`] if the games are filmed.
    Stepped {
        /// `[n]`. After a reset the rewards are 0 and nothing is done.
        outcomes: Vec<StepOutcome>,
        /// `[n]`: how many of the filmed screens belong to each environment; they follow one
        /// another in the order of the environments. Empty if the games are not filmed.
        ///
        /// A step has `frame_skip` screens, fewer if the game ended in it. A reset has one for each
        /// no-op and for FIRE, after the first screen of the game if it is a new one. Loading has
        /// one.
        filmed: Vec<u32>,
    },
    /// The state of all environments.
    Stored {
        /// `[n]`, for [`Request::Load`] and for
        /// [`set::join`](deepspi_worlds::atari::set::join); none if games with these options cannot
        /// be stored.
        games: Option<Vec<ByteBuf>>,
    },
    /// What an agent sees in every state of the maze.
    MazeView {
        /// Observation `[C, H, W]` of every state, `[S]`.
        frames: Vec<ByteBuf>,
    },
    /// The request could not be carried out. A wrong request has changed nothing.
    Failed {
        /// One or two sentences.
        text: String,
    },
}

/// What a client must know of its environments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// Name of the game, as in the table of games.
    pub game: String,
    /// ALE's ids of the actions, `[A]`; an action of the agent is an index into them.
    pub actions: Vec<u8>,
    /// Size of an observation, `[F, 84, 84]`.
    pub frame: FrameShape,
    /// Red, green and blue of the palette indices 0, 2, .. 254, `[128, 3]`.
    pub rgb: ByteBuf,
    /// Luminance of the same indices, `[128]`: the grey of the observations.
    pub gray: ByteBuf,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{decode, encode};

    #[test]
    fn messages_survive() {
        let games = Games {
            game: "Breakout".into(),
            rom: ByteBuf::from(vec![0, 255, 7]),
            options: AtariOptions::stochastic(),
            seed: u64::MAX,
            first_index: 3,
            envs: 2,
            film: true,
        };
        let requests = [
            Request::Open(Box::new(games)),
            Request::Reset,
            Request::Step { actions: vec![0, 3] },
            Request::Store,
            Request::MazeView,
            Request::Load { games: vec![ByteBuf::from(vec![1, 2])] },
            Request::Close,
        ];
        for request in requests {
            let bytes = encode(&request).expect("encodes");
            assert_eq!(decode::<Request>(&bytes).expect("decodes"), request);
        }
        let outcome = StepOutcome { reward: -1.0, lives: 3, done: true, ..StepOutcome::default() };
        let opened = Opened {
            game: "Breakout".into(),
            actions: vec![0, 1, 3, 4],
            frame: FrameShape { channels: 4, height: 84, width: 84 },
            rgb: ByteBuf::from(vec![9; 384]),
            gray: ByteBuf::from(vec![8; 128]),
        };
        let answers = [
            Answer::Opened(Box::new(opened)),
            Answer::Stepped { outcomes: vec![outcome; 2], filmed: vec![4, 1] },
            Answer::Stored { games: None },
            Answer::Stored { games: Some(vec![ByteBuf::from(vec![1])]) },
            Answer::MazeView { frames: vec![ByteBuf::from(vec![1, 2])] },
            Answer::Failed { text: "no".into() },
        ];
        for answer in answers {
            let bytes = encode(&answer).expect("encodes");
            assert_eq!(decode::<Answer>(&bytes).expect("decodes"), answer);
        }
    }

    /// The worker's starter writes this one message by hand, if the program cannot be loaded
    /// (`web/emulator/emulator.js`).
    #[test]
    fn the_starters_own_message_is_a_failure() {
        // The index of the variant, the length with seven bits in a byte, the text.
        let text = "it is gone. ".repeat(20);
        let mut bytes = vec![4, (text.len() & 127 | 128) as u8, (text.len() >> 7) as u8];
        bytes.extend(text.bytes());
        let read = decode::<Answer>(&bytes).expect("decodes");
        assert_eq!(read, Answer::Failed { text });
    }
}
