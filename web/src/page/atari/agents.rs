//! Agents that were trained before: those that the site offers (`web/agents`), and checkpoints that
//! the visitor brings. They only play; training starts anew or from a checkpoint in the settings.

use deepspi_playground::archive::Archive;
use deepspi_playground::play::{Networks, Source};
use deepspi_run::network::NetworkSpec;
use deepspi_run::world::World;
use deepspi_worlds::frame::FrameShape;
use js_sys::Uint8Array;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Deserialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

use super::state::{Arcade, Origin};

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

/// The agents that the site offers; empty until they are known, and on a site without them.
#[derive(Clone, Copy, Debug)]
pub struct Agents(pub RwSignal<Vec<Card>>);

impl Agents {
    /// Puts the list into the context and asks the site for it.
    pub fn provide(arcade: Arcade) -> Self {
        let agents = Self(RwSignal::new(Vec::new()));
        provide_context(agents);
        spawn_local(async move {
            let Some(bytes) = fetch("index.json").await else { return };
            let Ok(list) = serde_json::from_slice::<List>(&bytes) else { return };
            agents.0.set(list.agents);
            agents.seat_first(arcade);
        });
        agents
    }

    /// The agents of the site, from the context.
    #[must_use]
    pub fn here() -> Self {
        expect_context()
    }

    /// Gives each screen an agent of its own, if the visitor has not chosen one.
    pub fn seat_first(self, arcade: Arcade) {
        for index in 0..arcade.screens.len() {
            let untouched = arcade.screens[index].origin.get_untracked() == Origin::Fresh;
            if let (Some(card), true) = (self.of_world(arcade).into_iter().nth(index), untouched) {
                self.seat(arcade, index, &card);
            }
        }
    }

    /// The agents for the game on the screens.
    #[must_use]
    pub fn of_world(self, arcade: Arcade) -> Vec<Card> {
        let env = arcade.world.with(|world| world.as_ref().map_or("", World::name));
        self.0.with(|cards| cards.iter().filter(|card| card.env == env).cloned().collect())
    }

    /// Gives a screen one of the agents.
    pub fn seat(self, arcade: Arcade, index: usize, card: &Card) {
        let Card { file, title, .. } = card.clone();
        spawn_local(async move {
            match fetch(&file).await {
                Some(bytes) => give(arcade, index, Archive { name: title, bytes }),
                None => arcade.screens[index].problem.set(Some(format!(
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
    let words = |spec: &NetworkSpec| {
        let FrameShape { channels, height, width } = spec.frame;
        format!("{} actions and {channels} frames of {height}x{width}", spec.actions)
    };
    let needed = own.map(|world| (world.name(), world.network()));
    if let Some((game, needed)) = needed
        && (needed.frame, needed.actions) != (spec.frame, spec.actions)
    {
        return refuse(format!(
            "{} was trained with {}, and {game}, which is in the console, has {}; choose an agent of this game.",
            archive.name,
            words(spec),
            words(&needed)
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
