//! The state of the page as the fragment of its address: experiment, device, speed, room, and the
//! settings of the neighbourhood room and of the Atari room's screens.
//!
//! A link contains only values that differ from the defaults, under the names of the structs'
//! fields, as in `maze.cue=0.3&a.algo=ppo&b.clip_coef=0.2&seed=3&room=latents`. A link is not
//! trusted: each entry that is unknown or out of range is ignored and reported to the user, and all
//! other entries of an old or damaged link are used.

use deepspi_playground::experiment::{ENV, Experiment};
use deepspi_playground::protocol::{DevicePreference, Pace};

use crate::form::{Scope, default_of};
use crate::neighbourhood::{self, link as neighbourhood_link};
use crate::offers::{by_key, key_of};
use crate::room::Room;
use crate::screens;

/// The content of a link.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Link {
    /// World and agents.
    pub experiment: Experiment,
    /// The preferred device.
    pub device: DevicePreference,
    /// How fast to train.
    pub pace: Pace,
    /// The open room.
    pub room: Room,
    /// The settings of the neighbourhood room.
    pub neighbourhood: neighbourhood::Settings,
    /// The settings of the Atari room's screens.
    pub screens: screens::Settings,
}

/// The speeds on offer: name in links, label, speed. The first is the default.
pub const PACES: [(&str, &str, Pace); 5] = [
    ("max", "as fast as it can", Pace::Max),
    ("20", "20 iterations/s", Pace::PerSecond(20.0)),
    ("5", "5 iterations/s", Pace::PerSecond(5.0)),
    ("2", "2 iterations/s", Pace::PerSecond(2.0)),
    ("1", "1 iteration/s", Pace::PerSecond(1.0)),
];

/// The devices on offer: name in links, label, preference. The first is the default.
pub const DEVICES: [(&str, &str, DevicePreference); 3] = [
    ("auto", "choose for me", DevicePreference::Auto),
    ("webgpu", "WebGPU", DevicePreference::Webgpu),
    ("cpu", "CPU", DevicePreference::Cpu),
];

const SEED: &str = "seed";
const STOCHASTIC: &str = "stochastic";
/// Largest number of characters of an ignored entry, and of ignored entries, that the user is
/// shown.
const SHOWN_CHARS: usize = 40;
const SHOWN_ENTRIES: usize = 4;

impl Link {
    /// The fragment, without `#`; empty if all values are the defaults.
    #[must_use]
    pub fn to_fragment(&self) -> String {
        let mut entries = Vec::new();
        let mut push = |key: String, value: &str| entries.push(format!("{key}={value}"));
        let Experiment { env, stochastic, .. } = &self.experiment;
        if *env != Experiment::default().env {
            push(ENV.to_owned(), env);
        }
        if *stochastic {
            push(STOCHASTIC.to_owned(), "true");
        }
        let [first, second] = &self.experiment.agents;
        let shared_seed = first.seed == second.seed;
        for scope in Scope::ALL {
            for field in scope.fields() {
                let value = scope.get(&self.experiment, field.name).unwrap_or_default();
                if value == default_of(scope, field.name) || (shared_seed && field.name == SEED) {
                    continue;
                }
                push(format!("{}.{}", scope.key(), field.name), &value);
            }
        }
        if shared_seed && first.seed != Experiment::default().seed() {
            push(SEED.to_owned(), &first.seed.to_string());
        }
        let default = Self::default();
        if self.device != default.device {
            push("device".to_owned(), key_of(&DEVICES, &self.device));
        }
        if self.pace != default.pace {
            push("pace".to_owned(), key_of(&PACES, &self.pace));
        }
        if self.room != default.room {
            push("room".to_owned(), self.room.key());
        }
        let rooms = neighbourhood_link::entries(&self.neighbourhood);
        for (key, value) in rooms.into_iter().chain(screens::entries(&self.screens)) {
            push(key, &value);
        }
        entries.join("&")
    }

    /// Reads a fragment, with or without `#`. Returns the link and the entries that were ignored.
    #[must_use]
    pub fn from_fragment(fragment: &str) -> (Self, Vec<String>) {
        let fragment = fragment.strip_prefix('#').unwrap_or(fragment);
        let mut entries: Vec<&str> = Vec::new();
        for entry in fragment.split('&').filter(|entry| !entry.is_empty()) {
            // Of several entries with the same name, the last one counts.
            let key = |entry: &str| entry.split_once('=').map(|(key, _)| key.to_owned());
            entries.retain(|known| key(known).is_none() || key(known) != key(entry));
            entries.push(entry);
        }
        let mut ignored = Vec::new();
        loop {
            let mut link = Self::default();
            entries.retain(|entry| {
                let understood = link.apply(entry).is_some();
                if !understood {
                    ignored.push((*entry).to_owned());
                }
                understood
            });
            // Ranges may depend on other fields, so they are checked after all entries are applied.
            let Some(error) = link.experiment.errors().into_iter().next() else {
                // The game that is shown anyway is no choice.
                let own = screens::game_of(&link.experiment);
                link.screens.game = link.screens.game.filter(|game| *game != own);
                return (link, ignored);
            };
            let scope = Scope::of_error(error.agent, error.error.field);
            let guilty = blame(&entries, scope, error.error.field);
            ignored.push(entries.remove(guilty).to_owned());
        }
    }

    /// Applies one entry; none if that is impossible.
    fn apply(&mut self, entry: &str) -> Option<()> {
        let (key, value) = entry.split_once('=')?;
        match key {
            ENV => self.experiment.env = value.to_owned(),
            STOCHASTIC => self.experiment.stochastic = value.parse().ok()?,
            SEED => self.experiment.set_seed(value.parse().ok()?),
            "device" => self.device = by_key(&DEVICES, value)?,
            "pace" => self.pace = by_key(&PACES, value)?,
            "room" => self.room = Room::ALL.into_iter().find(|room| room.key() == value)?,
            _ if neighbourhood_link::apply(&mut self.neighbourhood, key, value).is_some() => {}
            _ if screens::apply(&mut self.screens, key, value).is_some() => {}
            _ => {
                let (part, field) = key.split_once('.')?;
                let scope = Scope::ALL.into_iter().find(|scope| scope.key() == part)?;
                scope.set(&mut self.experiment, field, value).ok()?;
            }
        }
        Some(())
    }
}

/// Index of the entry to ignore because of an error in this field: the entry of the field, else the
/// last entry of the same part, else the last entry. Defaults are valid, so an error implies that
/// there is an entry.
fn blame(entries: &[&str], scope: Scope, field: &str) -> usize {
    let part = format!("{}.", scope.key());
    // The world is no field of a part, and the seed may be given for both agents at once.
    let own = [format!("{part}{field}="), format!("{field}="), part];
    let last_with = |start: &String| entries.iter().rposition(|entry| entry.starts_with(&**start));
    own.iter().find_map(last_with).unwrap_or(entries.len() - 1)
}

/// A sentence that names the ignored entries; none if there are none.
#[must_use]
pub fn notice(ignored: &[String]) -> Option<String> {
    if ignored.is_empty() {
        return None;
    }
    let shown: Vec<String> =
        ignored.iter().take(SHOWN_ENTRIES).map(|entry| shorten(entry)).collect();
    let more = ignored.len().saturating_sub(SHOWN_ENTRIES);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    Some(format!(
        "The link has {}{more}, which this version does not know or accept; the default is used.",
        shown.join(", ")
    ))
}

fn shorten(entry: &str) -> String {
    if entry.chars().count() <= SHOWN_CHARS {
        format!("\"{entry}\"")
    } else {
        format!("\"{}…\"", entry.chars().take(SHOWN_CHARS).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use deepspi_options::FieldKind;
    use deepspi_run::config::Algorithm;

    use super::*;
    use crate::reel::SPEEDS;
    use crate::screens::{Rules, Seat, most};

    /// A few random bits: splitmix64.
    struct Bits(u64);

    impl Bits {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }

        fn text(&mut self, kind: FieldKind) -> String {
            let unit = |bits: u64| bits as f64 / u64::MAX as f64;
            match kind {
                FieldKind::Flag => self.next().is_multiple_of(2).to_string(),
                FieldKind::Whole => (self.next() >> (self.next() % 64)).to_string(),
                FieldKind::Choice(choices) => {
                    choices[self.next() as usize % choices.len()].name.to_owned()
                }
                FieldKind::Real if self.next().is_multiple_of(2) => unit(self.next()).to_string(),
                FieldKind::Real => f64::from_bits(self.next()).abs().to_string(),
            }
        }
    }

    /// Screens on which a visitor may have changed anything.
    fn screens(bits: &mut Bits, own: &str) -> screens::Settings {
        let mut settings = screens::Settings::default();
        for screen in &mut settings.screens {
            let hands = &screens::HANDS;
            screen.hand = hands[bits.next() as usize % hands.len()].2;
            screen.speed = SPEEDS[bits.next() as usize % SPEEDS.len()].2;
            let site = Seat::Site(format!("agent-{}", bits.next()));
            let fresh = Algorithm::ALL[bits.next() as usize % Algorithm::ALL.len()];
            let fresh = Seat::Fresh(Some(fresh));
            let seats = [Seat::Unchosen, Seat::Fresh(None), fresh, Seat::Here, site];
            screen.seat = seats[bits.next() as usize % seats.len()].clone();
            screen.rules = Rules {
                sticky: (bits.next() as f64 / u64::MAX as f64) as f32,
                noops: bits.next() as u32 % (most::NOOPS + 1),
                seed: bits.next() >> (11 + bits.next() % 53),
            };
        }
        let games = [None, Some("Pong"), Some("MazeCartridge"), Some("Breakout")];
        settings.game = games[bits.next() as usize % games.len()].filter(|game| *game != own);
        settings
    }

    #[test]
    fn any_valid_page_survives_its_link_exactly() {
        let mut bits = Bits(1);
        let mut fields_changed = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let mut link = Link {
                device: DEVICES[bits.next() as usize % DEVICES.len()].2,
                pace: PACES[bits.next() as usize % PACES.len()].2,
                room: Room::ALL[bits.next() as usize % Room::ALL.len()],
                ..Link::default()
            };
            let worlds = ["maze", "MazeCartridge", "Breakout"];
            link.experiment.env = worlds[bits.next() as usize % worlds.len()].to_owned();
            link.experiment.stochastic = bits.next().is_multiple_of(2);
            link.screens = screens(&mut bits, screens::game_of(&link.experiment));
            for scope in Scope::ALL {
                for field in scope.fields().iter().chain(scope.fields()) {
                    let mut changed = link.experiment.clone();
                    let text = bits.text(field.kind);
                    let set = scope.set(&mut changed, field.name, &text);
                    if set.is_ok() && changed.errors().is_empty() {
                        link.experiment = changed;
                        fields_changed.insert((scope, field.name));
                    }
                }
            }
            let fragment = link.to_fragment();
            assert_eq!(Link::from_fragment(&fragment), (link, vec![]), "{fragment}");
        }
        let all = Scope::ALL.iter().map(|scope| scope.fields().len()).sum::<usize>();
        assert_eq!(fields_changed.len(), all, "every field was varied: {fields_changed:?}");
    }

    #[test]
    fn the_default_is_empty_and_what_differs_is_readable() {
        assert_eq!(Link::default().to_fragment(), "");
        let mut link = Link { room: Room::Latents, ..Link::default() };
        link.experiment.maze.cue = 0.3;
        link.experiment.agents[0].algo = Algorithm::DeepMdp;
        link.experiment.agents[1].clip_coef = 0.2;
        link.experiment.set_seed(3);
        let text = "maze.cue=0.3&a.algo=deep-mdp&b.clip_coef=0.2&seed=3&room=latents";
        assert_eq!(link.to_fragment(), text);
        assert_eq!(Link::from_fragment(&format!("#{text}")), (link, vec![]));
    }

    #[test]
    fn the_game_of_the_screens_is_named_only_if_it_is_not_the_trained_one() {
        for (text, rest) in [
            ("screen.game=MazeCartridge", ""),
            ("screen.game=Pong", "screen.game=Pong"),
            ("env=Pong&screen.game=Pong", "env=Pong"),
            ("env=Pong&screen.game=MazeCartridge", "env=Pong&screen.game=MazeCartridge"),
        ] {
            let (link, ignored) = Link::from_fragment(text);
            assert_eq!((link.to_fragment().as_str(), ignored), (rest, vec![]), "{text}");
        }
    }

    #[test]
    fn seeds_that_differ_survive() {
        // The largest one that a run folder can hold.
        let largest = i64::MAX as u64;
        let mut link = Link::default();
        link.experiment.agents[1].seed = largest;
        assert_eq!(link.to_fragment(), format!("b.seed={largest}"));
        assert_eq!(Link::from_fragment(&link.to_fragment()).0, link);
        let beyond = format!("b.seed={}", u64::MAX);
        assert_eq!(Link::from_fragment(&beyond), (Link::default(), vec![beyond.clone()]));
        // One for both agents, too, and nothing else with it.
        let beyond = format!("seed={}", u64::MAX);
        let text = format!("a.clip_coef=0.2&{beyond}&b.clip_coef=0.3&room=latents");
        let (link, ignored) = Link::from_fragment(&text);
        assert_eq!(ignored, [beyond]);
        assert_eq!(link.to_fragment(), "a.clip_coef=0.2&b.clip_coef=0.3&room=latents");
    }

    #[test]
    fn what_cannot_be_is_left_out_one_by_one() {
        let text = "a.gamma=0.9&maze.cue=7&x=1&<b>&a.algo=sarsa&room=attic&pace=-3&device=abacus\
                    &c.gamma=1&seed=1e9&b.gamma=NaN&maze.cue&a.num_minibatches=3&b.ent_coef=0.02&&\
                    screen.a.noops=500&screen.b.player=greedy&screen.game=Brekout";
        let (link, ignored) = Link::from_fragment(text);
        assert_eq!(link.to_fragment(), "a.gamma=0.9&b.ent_coef=0.02&screen.b.player=greedy");
        assert_eq!(ignored.len(), 14, "{ignored:?}");
        let notice = notice(&ignored).expect("something was left out");
        assert!(notice.contains("\"x=1\"") && notice.contains("and 10 more"), "{notice}");
        assert_eq!(super::notice(&[]), None);
    }

    #[test]
    fn entries_that_contradict_each_other_give_a_valid_page() {
        for text in [
            "b.certified=true&b.clip_coef=0.5",
            "b.certified=true&maze.maze_reset=parity",
            "a.num_envs=3&a.num_steps=5",
            "maze.n_path=80",
            "maze.preset=paper&maze.n_path=80&a.gamma=0.5",
            "env=Brekout",
            "env=MazeCartridge&maze.cue=0.3",
            "env=Pong&game.max_episode_steps=0",
            "b.total_timesteps=1&b.num_envs=65536&b.num_steps=65536",
        ] {
            let (link, ignored) = Link::from_fragment(text);
            assert_eq!(link.experiment.errors(), [], "{text}");
            assert!(!ignored.is_empty(), "{text}");
        }
    }

    #[test]
    fn the_last_of_several_counts_and_a_long_entry_is_cut() {
        let (link, ignored) = Link::from_fragment("seed=1&seed=2&seed=3");
        assert_eq!((link.experiment.seed(), ignored), (3, vec![]));
        let long = "é".repeat(10_000);
        let (link, ignored) = Link::from_fragment(&long);
        assert_eq!(link, Link::default());
        assert!(notice(&ignored).is_some_and(|text| text.chars().count() < 160));
    }
}
