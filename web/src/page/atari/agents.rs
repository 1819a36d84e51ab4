//! Agents that were trained before: those that the site offers (`web/agents`), and checkpoints that
//! the visitor brings. They only play; training starts anew or from a checkpoint in the settings.

use deepspi_playground::archive::Archive;
use deepspi_playground::play::{Networks, Source};
use deepspi_run::world::World;
use js_sys::Uint8Array;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Deserialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

use super::state::{Arcade, Origin};
use crate::link::notice;
use crate::screens::{Seat, entry_of_agent};

/// Folder of the agents, relative to the page.
const FOLDER: &str = "./agents/";

/// The card of an agent: what it is, and the commands that made and measured it (`tools/agents`).
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Card {
    /// Name of the agent.
    pub name: String,
    /// Label.
    pub title: String,
    /// Name of its file.
    pub file: String,
    /// Its world.
    pub env: String,
    /// The command that trained it.
    pub training: String,
    /// Processor time that it took, in seconds.
    pub cpu_seconds: u64,
    /// The command that measured it.
    pub evaluation: String,
    /// What was measured.
    pub score: Score,
}

/// The scores of an evaluation.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
pub struct Score {
    /// Mean return of whole games.
    pub mean: f64,
    /// Its interval.
    pub mean_low: f64,
    /// Its interval.
    pub mean_high: f64,
}

#[derive(Deserialize)]
struct List {
    agents: Vec<Card>,
}

/// The agents that the site offers.
#[derive(Clone, Copy, Debug)]
pub struct Agents {
    /// Their cards; empty until they are known, and on a site without them.
    pub cards: RwSignal<Vec<Card>>,
    asked: StoredValue<bool>,
    /// Whether the site has answered.
    known: RwSignal<bool>,
}

impl Agents {
    /// Puts the list into the context. It is empty until somebody asks for it.
    pub fn provide() -> Self {
        let agents = Self {
            cards: RwSignal::new(Vec::new()),
            asked: StoredValue::new(false),
            known: RwSignal::new(false),
        };
        provide_context(agents);
        agents
    }

    /// Asks the site for the list, once.
    pub fn ask(self) {
        if self.asked.get_value() {
            return;
        }
        self.asked.set_value(true);
        spawn_local(async move {
            let bytes = fetch("index.json").await.unwrap_or_default();
            let list = serde_json::from_slice::<List>(&bytes);
            self.cards.set(list.map_or_else(|_| Vec::new(), |list| list.agents));
            self.known.set(true);
        });
    }

    /// The agents of the site, from the context.
    #[must_use]
    pub fn here() -> Self {
        expect_context()
    }

    /// Gives a screen the agent of the site that it should have and has not: the one that a link
    /// names, or if nobody has chosen, one of its own.
    pub fn seat_own(self, arcade: Arcade, index: usize) {
        let (cards, screen) = (self.of_world(arcade), arcade.screens[index]);
        let seat = screen.seat.get();
        let world = arcade.world.get_untracked().filter(|_| self.known.get());
        // An agent is given when the cartridge is there.
        let is_here = world.is_some_and(|world| arcade.playground.emulators.rom(&world).is_some());
        if !is_here || screen.origin.get_untracked() != Origin::Unchosen {
            return;
        }
        let card = match &seat {
            Seat::Site(name) => cards.iter().find(|card| card.name == *name),
            _ => cards.get(index),
        };
        match (card, seat) {
            (Some(card), _) => self.seat(arcade, index, card),
            (None, Seat::Site(name)) => {
                if let Some(text) = notice(&[entry_of_agent(index, &name)]) {
                    arcade.playground.notify(text);
                }
                // Comes back here.
                screen.seat.set(Seat::Unchosen);
            }
            (None, _) => {}
        }
    }

    /// Gives a screen the agent that the visitor has chosen.
    pub fn choose(self, arcade: Arcade, index: usize, card: &Card) {
        let is_first = self.of_world(arcade).get(index) == Some(card);
        let seat = if is_first { Seat::Unchosen } else { Seat::Site(card.name.clone()) };
        arcade.screens[index].seat.set(seat);
        self.seat(arcade, index, card);
    }

    /// The agents for the game on the screens.
    #[must_use]
    pub fn of_world(self, arcade: Arcade) -> Vec<Card> {
        let env = arcade.world.with(|world| world.as_ref().map_or("", World::name));
        self.cards.with(|cards| cards.iter().filter(|card| card.env == env).cloned().collect())
    }

    /// Gives a screen one of the agents, unless another one is chosen before it is loaded.
    fn seat(self, arcade: Arcade, index: usize, card: &Card) {
        let Card { file, title, .. } = card.clone();
        let screen = arcade.screens[index];
        let wanted = move || {
            let seat = screen.seat.get_untracked();
            (arcade.world.get_untracked(), seat, screen.origin.get_untracked())
        };
        let before = wanted();
        spawn_local(async move {
            let loaded = fetch(&file).await;
            if wanted() != before {
                return;
            }
            match loaded {
                Some(bytes) => {
                    give(arcade, index, Archive { name: title, bytes });
                    screen.seat.set(before.1);
                }
                None => screen.problem.set(Some(format!(
                    "The agent {title} could not be loaded from the site; try again, or choose another one."
                ))),
            }
        });
    }
}

/// Gives a screen the agent of a checkpoint, if it belongs to the screen's game.
pub fn give(arcade: Arcade, index: usize, archive: Archive) {
    let screen = arcade.screens[index];
    let refuse = |text: String| screen.problem.set(Some(text));
    let contents = match archive.open() {
        Ok(contents) => contents,
        Err(error) => return refuse(format!("{} cannot be loaded: {error}", archive.name)),
    };
    let own = arcade.world.get_untracked();
    if let Some(info) = &contents.info
        && own.is_some_and(|world| world.name() != info.env)
    {
        let game = own.map_or("", |world| world.name());
        return refuse(format!(
            "{} was trained on {}, and {game} is in the console; choose that game first, or another agent.",
            archive.name, info.env
        ));
    }
    // A checkpoint without the description of its run does not name its game.
    let spec = &contents.checkpoint.state.spec;
    if let Err(error) = spec.check() {
        return refuse(format!(
            "{} cannot be used: its networks have wrong sizes ({error}).",
            archive.name
        ));
    }
    let needed = own.map(|world| (world.name(), world.network()));
    if let Some((game, needed)) = needed
        && (needed.frame, needed.actions) != (spec.frame, spec.actions)
    {
        return refuse(format!(
            "{} was trained with {}, and {game}, which is in the console, has {}; choose an agent of this game.",
            archive.name,
            spec.interface(),
            needed.interface()
        ));
    }
    match Networks::of(&contents.checkpoint) {
        Some(networks) => {
            screen.problem.set(None);
            let source = Source::Trained(Box::new(networks));
            arcade.set_agent(index, Origin::File(archive.name), Some(source));
        }
        None => refuse(format!("{} has no networks: this is no whole checkpoint.", archive.name)),
    }
}

/// A file of the folder; none if the site does not have it.
async fn fetch(name: &str) -> Option<Vec<u8>> {
    let address = format!("{FOLDER}{name}");
    let response = JsFuture::from(window().fetch_with_str(&address)).await.ok()?;
    let response: Response = response.dyn_into().ok()?;
    if !response.ok() {
        return None;
    }
    let buffer = JsFuture::from(response.array_buffer().ok()?).await.ok()?;
    Some(Uint8Array::new(&buffer).to_vec())
}
