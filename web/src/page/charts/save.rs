//! The menu that saves a chart, and the description of its origin that a saved chart contains.

use deepspi_playground::experiment::Experiment;
use deepspi_playground::{SHORT_REVISION, VERSION};
use deepspi_run::world::World;
use leptos::prelude::*;
use leptos::svg::Svg;

use super::export::{self, Standalone};
use crate::page::download;
use crate::page::state::Playground;
use crate::plot::file_name;

/// The origin of numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// A sentence for the foot of a picture and for tables, with everything that is needed to
    /// reproduce the numbers.
    pub text: String,
    /// A few words for the file name.
    pub tag: String,
}

/// The origin of the runs of the page: algorithms, seed, maze, device, version.
pub fn of_run() -> Signal<Provenance> {
    let playground = Playground::here();
    Signal::derive(move || {
        let [first, second] = [0, 1].map(|agent| playground.agent_label(agent));
        let device = playground.device.get().map_or_else(String::new, |device| device.name);
        playground.opened.with(|experiment| {
            let (world, seed) = (world_of(experiment), experiment.seed());
            Provenance {
                text: format!(
                    "{first} and {second}, seed {seed}; {world}; {device}; DeepSPI in Rust \
                     {VERSION}, revision {SHORT_REVISION}"
                ),
                tag: format!("{first} {second} seed {seed}"),
            }
        })
    })
}

/// The world and its settings in a few words.
fn world_of(experiment: &Experiment) -> String {
    let Experiment { env, maze, stochastic, atari, .. } = experiment;
    let sticky = if *stochastic { ", stochastic" } else { "" };
    match experiment.world() {
        Ok(World::Game { game, .. }) => format!(
            "{}{sticky}, networks {}, episodes of at most {} steps",
            game.name,
            atari.network.name(),
            atari.max_episode_steps,
        ),
        _ => format!(
            "{env}{sticky}, n {}, epsilon {}, cue {}, preset {}",
            maze.n_path,
            maze.epsilon,
            maze.cue,
            maze.preset.name(),
        ),
    }
}

/// Makes the file of a picture from a title and a description of its origin.
pub type Draw = Callback<(String, String), Option<Standalone>>;

/// Makes a file of the picture that the page currently shows.
pub fn as_shown(svg: NodeRef<Svg>) -> Draw {
    Callback::new(move |(title, source): (String, String)| {
        export::standalone(svg.get_untracked()?.as_ref(), &title, &source)
    })
}

/// The menu in the corner of a picture.
#[component]
pub fn SaveMenu(
    /// Title of the picture.
    #[prop(into)]
    title: Signal<String>,
    /// Makes the file of the picture.
    draw: Draw,
    /// Origin of the numbers.
    source: Signal<Provenance>,
    /// The numbers as CSV.
    csv: Callback<(), String>,
) -> impl IntoView {
    let playground = Playground::here();
    let menu = NodeRef::<leptos::html::Details>::new();
    let close = move || {
        if let Some(menu) = menu.get_untracked() {
            menu.set_open(false);
        }
    };
    let name = move |ending: &str| {
        let tag = source.get_untracked().tag;
        format!("{}.{ending}", file_name(&format!("{} {tag}", title.get_untracked())))
    };
    let picture = move || draw.run((title.get_untracked(), source.get_untracked().text));
    let save_svg = move |_| {
        close();
        if let Some(picture) = picture() {
            download::offer(&name("svg"), "image/svg+xml", picture.markup.as_bytes());
        }
    };
    let save_png = move |_| {
        close();
        let Some(picture) = picture() else { return };
        let name = name("png");
        leptos::task::spawn_local(async move {
            match export::png(&picture).await {
                Ok(blob) => download::offer_blob(&name, &blob),
                Err(_) => playground
                    .notify("This browser could not make a PNG of the chart. Save it as SVG."),
            }
        });
    };
    let save_csv = move |_| {
        close();
        download::offer(&name("csv"), "text/csv", csv.run(()).as_bytes());
    };
    let key = move |event: web_sys::KeyboardEvent| {
        if event.key() == "Escape" {
            close();
        }
    };
    view! {
        <details class="chart-menu" node_ref=menu on:keydown=key>
            <summary aria-label=move || format!("Save: {}", title.get())>"Save"</summary>
            <div>
                <button type="button" on:click=save_svg>"SVG"</button>
                <button type="button" on:click=save_png>"PNG"</button>
                <button type="button" on:click=save_csv>"CSV"</button>
            </div>
        </details>
    }
}
