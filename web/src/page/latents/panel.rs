//! One agent's latents with title, labels and menu.

use leptos::html::Div;
use leptos::prelude::*;

use super::canvases::Canvases;
use super::model::Panel;
use super::overlay::Overlay;
use super::picker::Picker;
use crate::cells;
use crate::latents_svg::Sheet;
use crate::page::charts::{SaveMenu, Standalone, font, of_run, width_of};
use crate::page::state::Playground;

/// The panel of an agent.
#[component]
pub fn LatentPanel(
    /// Which agent.
    agent: usize,
) -> impl IntoView {
    let plate = NodeRef::<Div>::new();
    let panel = Panel::new(agent, width_of(plate));
    let playground = Playground::here();
    let name = move || playground.agent_label(agent);
    let share = move |axis: usize| {
        let share = panel.view.with(|view| view.as_ref().map(|view| view.explained[axis]));
        share.map_or_else(String::new, |share| format!(": {:.0} % of the variance", 100.0 * share))
    };
    let steps = move || {
        panel
            .view
            .with(|view| view.as_ref().map(|view| format!(" after {} steps", view.global_step)))
    };
    let title =
        Signal::derive(move || format!("Latents of {}{}", name(), steps().unwrap_or_default()));
    let draw = Callback::new(move |(title, source): (String, String)| {
        let axes = [(0, "first component"), (1, "second component")]
            .map(|(axis, name)| name.to_owned() + &untrack(|| share(axis)));
        let (scene, shot) = (panel.scene.get_untracked(), panel.target());
        let sheet = Sheet {
            title: &title,
            axes: [&axes[0], &axes[1]],
            source: &source,
            font: &font(),
            scene: &scene,
            roles: untrack(|| panel.roles()),
            shot: &shot,
        };
        let (markup, size) = sheet.draw();
        Some(Standalone { markup, size })
    });
    let source = of_run();
    let csv = Callback::new(move |()| {
        let both = panel.maze.get_untracked().zip(panel.view.get_untracked());
        both.map_or_else(String::new, |(maze, view)| {
            cells::latents_csv(&maze, &view, &source.get_untracked().text)
        })
    });
    view! {
        <section class="latents-panel card" class=("agent-1", agent == 1)>
            <h3>
                <span class="agent">{name}</span>
                <span class="muted">{steps}</span>
            </h3>
            <div class="latents-plot">
                <p class="axis second" aria-hidden="true">"second" {move || share(1)}</p>
                <div class="latents-plate" node_ref=plate>
                    <Canvases panel=panel/>
                    <Overlay panel=panel/>
                    <Picker
                        panel=panel
                        label=Signal::derive(move || format!("Latents of {}: cells of the maze", name()))
                    />
                    <p class="latents-absent">{move || absent(panel)}</p>
                    <SaveMenu title draw source csv/>
                </div>
                <p class="axis first" aria-hidden="true">"first component" {move || share(0)}</p>
            </div>
            <p class="caption">{move || caption(panel)}</p>
        </section>
    }
}

/// The reason why there is no picture; none if there is one.
fn absent(panel: Panel) -> Option<&'static str> {
    panel.view.with(|view| match view {
        None => Some("The agent is being made."),
        Some(view) if view.points.is_none() => {
            Some("The latents are not finite any more: this agent cannot continue.")
        }
        Some(_) => None,
    })
}

fn caption(panel: Panel) -> Option<String> {
    panel.view.with(|view| {
        let report = &view.as_ref()?.report;
        let [upper, lower] = panel.maze.with(|maze| Some(report.up_at_stars(maze.as_ref()?)))?;
        Some(format!(
            "The stars' latents are {:.2} times their own length apart. The agent goes up with a \
             probability of {:.0} % at the upper star and of {:.0} % at the lower one.",
            report.relative_star_distance,
            100.0 * upper,
            100.0 * lower,
        ))
    })
}
