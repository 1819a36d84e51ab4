//! The settings of the Atari room's two screens, and their entries in a link, such as
//! `screen.a.speed=4`.
//!
//! An entry is accepted only if a control of the room could have set it. A file that the visitor
//! brought cannot be in a link: its screen is described as if nobody had chosen an agent.

use deepspi_playground::experiment::Experiment;
use deepspi_playground::play::SCREENS;
use deepspi_run::config::Algorithm;
use deepspi_run::world::World;
use deepspi_worlds::atari::GAMES;
use deepspi_worlds::cartridge::CARTRIDGE_NAME;

use crate::offers::{by_key, key_of};
use crate::reel::{SPEEDS, Speed};

/// Who plays on a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    /// The agent, with actions drawn from its policy.
    Sampled,
    /// The agent, with the most probable action.
    Greedy,
    /// The visitor.
    Person,
}

/// Who can play: name in links, label, hand. The first is the default.
pub const HANDS: [(&str, &str, Hand); 3] = [
    ("sampled", "the agent, actions sampled", Hand::Sampled),
    ("greedy", "the agent, most probable action", Hand::Greedy),
    ("you", "you (arrow keys, space)", Hand::Person),
];

/// Whose agent a screen was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Seat {
    /// Nobody chose one: the first screen has the first agent that the site offers for the game,
    /// the second the second.
    #[default]
    Unchosen,
    /// An agent that was never trained, with this algorithm; none: that of the settings.
    Fresh(Option<Algorithm>),
    /// The agent that is trained on the page.
    Here,
    /// The agent of the site with this name.
    Site(String),
}

/// Rules of a screen that the visitor can change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// Probability that a frame repeats the previous action.
    pub sticky: f32,
    /// Largest number of no-ops at the start of a game.
    pub noops: u32,
    /// Seed of the games.
    pub seed: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self { sticky: 0.0, noops: 0, seed: 1 }
    }
}

/// Largest values of the rules. The seed is a number of JavaScript, too.
pub mod most {
    /// Of sticky actions.
    pub const STICKY: f32 = 1.0;
    /// Of no-ops.
    pub const NOOPS: u32 = 120;
    /// Of the seed.
    pub const SEED: u64 = (1 << 53) - 1;
}

/// The settings of one screen.
#[derive(Clone, Debug, PartialEq)]
pub struct ScreenSettings {
    /// Who plays.
    pub hand: Hand,
    /// Whose agent it has.
    pub seat: Seat,
    /// How fast it plays.
    pub speed: Speed,
    /// Its rules.
    pub rules: Rules,
}

impl Default for ScreenSettings {
    fn default() -> Self {
        Self {
            hand: HANDS[0].2,
            seat: Seat::default(),
            speed: SPEEDS[0].2,
            rules: Rules::default(),
        }
    }
}

/// The settings of both screens.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Those of each screen.
    pub screens: [ScreenSettings; SCREENS],
    /// Name of the game, if it is another one than [`game_of`] says.
    pub game: Option<&'static str>,
}

/// Name of the game on the screens if nobody chooses another one: the game that is trained, or the
/// free cartridge if the trainer has none.
#[must_use]
pub fn game_of(experiment: &Experiment) -> &'static str {
    let world = experiment.world().ok();
    world.as_ref().and_then(World::game).map_or(CARTRIDGE_NAME, |game| game.name)
}

/// Prefix of the entries' keys.
const PART: &str = "screen.";
/// Names of the screens in links.
const LETTERS: [&str; SCREENS] = ["a", "b"];
const GAME: &str = "game";
const HAND: &str = "player";
const SEAT: &str = "agent";
const SPEED: &str = "speed";
const STICKY: &str = "sticky";
const NOOPS: &str = "noops";
const SEED: &str = "seed";
/// Name of an agent that was never trained; with an algorithm, `fresh-ppo` and so on.
pub const FRESH: &str = "fresh";
/// Name of the agent that is trained on the page.
pub const HERE: &str = "here";
/// Largest number of characters of the name of an agent.
const LONGEST_NAME: usize = 40;

/// Keys and values of the settings that differ from the defaults.
#[must_use]
pub fn entries(settings: &Settings) -> Vec<(String, String)> {
    let mut entries = Vec::new();
    let default = ScreenSettings::default();
    for (letter, screen) in LETTERS.into_iter().zip(&settings.screens) {
        let ScreenSettings { hand, seat, speed, rules } = screen;
        let mut push = |name: &str, value: String, is_default: bool| {
            if !is_default {
                entries.push((format!("{PART}{letter}.{name}"), value));
            }
        };
        push(HAND, key_of(&HANDS, hand).to_owned(), *hand == default.hand);
        let name = match seat {
            Seat::Unchosen => String::new(),
            Seat::Fresh(None) => FRESH.to_owned(),
            Seat::Fresh(Some(algorithm)) => format!("{FRESH}-{}", algorithm.name()),
            Seat::Here => HERE.to_owned(),
            Seat::Site(name) => name.clone(),
        };
        push(SEAT, name, *seat == Seat::Unchosen);
        push(SPEED, key_of(&SPEEDS, speed).to_owned(), *speed == default.speed);
        push(STICKY, rules.sticky.to_string(), rules.sticky == default.rules.sticky);
        push(NOOPS, rules.noops.to_string(), rules.noops == default.rules.noops);
        push(SEED, rules.seed.to_string(), rules.seed == default.rules.seed);
    }
    if let Some(game) = settings.game {
        entries.push((format!("{PART}{GAME}"), game.to_owned()));
    }
    entries
}

/// The entry that gives a screen an agent of the site, as in a link.
#[must_use]
pub fn entry_of_agent(screen: usize, name: &str) -> String {
    format!("{PART}{}.{SEAT}={name}", LETTERS[screen])
}

/// Applies one entry; none if the key is unknown, or if no control could have set the value.
#[must_use]
pub fn apply(settings: &mut Settings, key: &str, value: &str) -> Option<()> {
    let key = key.strip_prefix(PART)?;
    if key == GAME {
        let known = GAMES.iter().map(|game| game.name).chain([CARTRIDGE_NAME]);
        settings.game = Some(known.into_iter().find(|name| *name == value)?);
        return Some(());
    }
    let (letter, field) = key.split_once('.')?;
    let index = LETTERS.iter().position(|known| *known == letter)?;
    let screen = &mut settings.screens[index];
    let rules = &mut screen.rules;
    match field {
        HAND => screen.hand = by_key(&HANDS, value)?,
        SEAT => screen.seat = seat(value)?,
        SPEED => screen.speed = by_key(&SPEEDS, value)?,
        STICKY => {
            let in_range = |sticky: &f32| (0.0..=most::STICKY).contains(sticky);
            rules.sticky = value.parse().ok().filter(in_range)?;
        }
        NOOPS => rules.noops = value.parse().ok().filter(|noops| *noops <= most::NOOPS)?,
        SEED => rules.seed = value.parse().ok().filter(|seed| *seed <= most::SEED)?,
        _ => return None,
    }
    Some(())
}

/// Whether the site has an agent of the name is known only when its list is there.
fn seat(value: &str) -> Option<Seat> {
    let is_name = |text: &str| {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !text.is_empty() && text.len() <= LONGEST_NAME && text.chars().all(allowed)
    };
    match value {
        FRESH => Some(Seat::Fresh(None)),
        HERE => Some(Seat::Here),
        name => match fresh_of(name) {
            Some(algorithm) => Some(Seat::Fresh(Some(algorithm))),
            None => is_name(name).then(|| Seat::Site(name.to_owned())),
        },
    }
}

/// The algorithm of an agent that was never trained, by its name.
#[must_use]
pub fn fresh_of(name: &str) -> Option<Algorithm> {
    let name = name.strip_prefix(FRESH)?.strip_prefix('-')?;
    Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_can_be_set_survives_and_the_default_is_nothing() {
        assert_eq!(entries(&Settings::default()), []);
        let mut all = Vec::new();
        for hand in HANDS {
            for speed in SPEEDS {
                let fresh = Algorithm::ALL.map(|algorithm| Seat::Fresh(Some(algorithm)));
                let site = Seat::Site("x-1".to_owned());
                let seats = [Seat::Unchosen, Seat::Fresh(None), Seat::Here, site];
                for seat in seats.into_iter().chain(fresh) {
                    let rules = Rules { sticky: 0.3, noops: most::NOOPS, seed: most::SEED };
                    all.push(ScreenSettings { hand: hand.2, seat, speed: speed.2, rules });
                }
            }
        }
        for (first, second) in all.iter().zip(all.iter().rev()) {
            let screens = [first.clone(), second.clone()];
            let settings = Settings { screens, game: Some("Breakout") };
            let mut found = Settings::default();
            for (key, value) in entries(&settings) {
                apply(&mut found, &key, &value).expect("its own entry");
            }
            assert_eq!(found, settings);
        }
    }

    #[test]
    fn every_setting_has_an_entry_of_its_own() {
        let mut changed = Settings { game: Some(CARTRIDGE_NAME), ..Settings::default() };
        changed.screens[1] = ScreenSettings {
            hand: Hand::Person,
            seat: Seat::Here,
            speed: Speed::Most,
            rules: Rules { sticky: 0.25, noops: 30, seed: 0 },
        };
        let text: Vec<_> = entries(&changed).iter().map(|(k, v)| format!("{k}={v}")).collect();
        let expected = [
            "screen.b.player=you",
            "screen.b.agent=here",
            "screen.b.speed=max",
            "screen.b.sticky=0.25",
            "screen.b.noops=30",
            "screen.b.seed=0",
            "screen.game=MazeCartridge",
        ];
        assert_eq!(text, expected);
        assert_eq!(entry_of_agent(1, HERE), expected[1]);
    }

    #[test]
    fn what_no_control_sets_is_refused() {
        let mut settings = Settings::default();
        for (key, value) in [
            ("screen.game", "Brekout"),
            ("screen.game", "maze"),
            ("screen.c.seed", "1"),
            ("screen.a", "1"),
            ("screen.a.player", "nobody"),
            ("screen.a.agent", ""),
            ("screen.a.agent", "../secret"),
            ("screen.a.agent", "a-name-that-is-longer-than-any-name-of-an-agent"),
            ("screen.a.speed", "3"),
            ("screen.a.sticky", "1.1"),
            ("screen.a.sticky", "NaN"),
            ("screen.a.sticky", "-0.1"),
            ("screen.a.noops", "121"),
            ("screen.a.noops", "-1"),
            ("screen.a.seed", "9007199254740992"),
            ("screen.a.rules", "1"),
            ("a.player", "greedy"),
        ] {
            assert_eq!(apply(&mut settings, key, value), None, "{key}={value}");
        }
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn the_screens_show_the_game_that_is_trained() {
        let of = |env: &str| game_of(&Experiment { env: env.to_owned(), ..Experiment::default() });
        assert_eq!(
            ["maze", "MazeCartridge", "Pong"].map(of),
            [CARTRIDGE_NAME, CARTRIDGE_NAME, "Pong"]
        );
    }
}
