//! What a recording is of: cartridge, rules, seed and agent. Every saved file says it.

use std::sync::Arc;

use deepspi_playground::emulator::{Games, Opened};
use deepspi_playground::{SHORT_REVISION, VERSION};
use deepspi_worlds::atari::{AtariOptions, action_name, roms};
use serde::Serialize;

/// The game in the console of a screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Name of the game.
    pub game: String,
    /// MD5 of the cartridge.
    pub cartridge_md5: String,
    /// Common seed of the games, and which environment of the set this is.
    pub seed: u64,
    /// See `seed`.
    pub environment: u64,
    /// The rules.
    pub rules: AtariOptions,
    /// ALE's ids of the actions, `[A]`.
    pub actions: Vec<u8>,
    /// Red, green and blue of the palette indices 0, 2, .. 254.
    pub rgb: [[u8; 3]; 128],
}

impl Source {
    /// What was asked for, and what the emulator answered. A colour that the answer lacks is black.
    #[must_use]
    pub fn new(games: &Games, opened: &Opened) -> Self {
        let mut rgb = [[0; 3]; 128];
        for (colour, bytes) in rgb.iter_mut().zip(opened.rgb.chunks_exact(3)) {
            colour.copy_from_slice(bytes);
        }
        Self {
            game: opened.game.clone(),
            cartridge_md5: roms::md5_hex(&games.rom),
            seed: games.seed,
            environment: games.first_index,
            rules: games.options,
            actions: opened.actions.clone(),
            rgb,
        }
    }

    /// Names of the actions in words, `[A]`.
    #[must_use]
    pub fn action_names(&self) -> Vec<&'static str> {
        self.actions.iter().map(|&id| action_name(id).words).collect()
    }

    /// A sentence for the inside of a picture file, in ASCII.
    #[must_use]
    pub fn sentence(&self, agent: Option<&Agent>) -> String {
        let agent = agent.map_or_else(|| "no agent".to_owned(), Agent::sentence);
        let Self { game, cartridge_md5, seed, environment, rules, .. } = self;
        let text = format!(
            "{game}, cartridge MD5 {cartridge_md5}, seed {seed}, environment {environment}; {}; {agent}; \
             DeepSPI in Rust {VERSION}, revision {SHORT_REVISION}",
            rules.describe(),
        );
        text.chars().map(|letter| if letter.is_ascii() { letter } else { '?' }).collect()
    }
}

/// The agent of a screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Agent {
    /// Name of the algorithm that trained it, such as `deep-spi`.
    pub algorithm: String,
    /// Agent steps for which it was trained; 0: never.
    pub trained_steps: u64,
    /// Where it comes from, such as the name of a file; may be empty.
    pub origin: String,
}

impl Agent {
    fn sentence(&self) -> String {
        let Self { algorithm, trained_steps, origin } = self;
        let origin = if origin.is_empty() { String::new() } else { format!(" ({origin})") };
        format!("agent {algorithm}{origin} after {trained_steps} steps of training")
    }
}

/// An agent that many steps share.
pub type SharedAgent = Option<Arc<Agent>>;

#[cfg(test)]
mod tests {
    use deepspi_worlds::frame::FrameShape;
    use serde_bytes::ByteBuf;

    use super::*;

    #[test]
    fn a_source_names_what_the_emulator_plays() {
        let games = Games {
            game: "breakout".into(),
            rom: ByteBuf::from(b"abc".to_vec()),
            options: AtariOptions::stochastic(),
            seed: 7,
            first_index: 2,
            envs: 1,
            film: true,
        };
        let opened = Opened {
            game: "Breakout".into(),
            actions: vec![0, 1, 3, 4],
            frame: FrameShape { channels: 4, height: 84, width: 84 },
            rgb: ByteBuf::from((0..6).collect::<Vec<u8>>()),
            gray: ByteBuf::from(vec![0; 128]),
        };
        let source = Source::new(&games, &opened);
        assert_eq!(source.action_names(), ["no-op", "fire", "right", "left"]);
        assert_eq!(source.rgb[..3], [[0, 1, 2], [3, 4, 5], [0; 3]]);
        let agent = Agent { algorithm: "ppo".into(), trained_steps: 512, origin: "ü.zip".into() };
        let sentence = source.sentence(Some(&agent));
        assert!(sentence.is_ascii());
        for part in [
            "Breakout",
            "900150983cd24fb0d6963f7d28e17f72",
            "seed 7, environment 2",
            "sticky actions 0.3",
            "agent ppo (?.zip) after 512 steps",
            VERSION,
        ] {
            assert!(sentence.contains(part), "`{sentence}` does not say {part}");
        }
        assert!(source.sentence(None).contains("no agent"));
    }
}
