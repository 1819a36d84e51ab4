//! The latents of the last steps on two principal components: points coloured by V, the trajectory
//! as a line, and the frame of the point that the visitor points at.

use std::sync::Arc;
use std::time::Duration;

use deepspi_playground::play::{LatentPicture, SCREENS};
use deepspi_plot::colour::viridis;
use leptos::prelude::*;

use super::canvas::GreyCanvas;
use super::state::Arcade;
use crate::page::clock::every_while;

/// Time between two pictures. A thousand latents take some tenths of a second.
const PERIOD: Duration = Duration::from_secs(2);
/// Size of the picture in its own units.
const SIZE: f64 = 300.0;

/// The latents of both screens.
#[component]
pub fn Latents() -> impl IntoView {
    let arcade = Arcade::here();
    let open = RwSignal::new(false);
    let ask = move || {
        for index in 0..SCREENS {
            arcade.ask_latents(index);
        }
    };
    Effect::new(move || {
        if open.get() {
            ask();
        }
    });
    every_while(open, PERIOD, ask);
    view! {
        <details
            class="screen-latents"
            on:toggle:target=move |event| {
                open.set(event.target().has_attribute("open"));
            }
        >
            <summary>"Latents of the last thousand steps"</summary>
            <p class="muted">
                "Each point is the latent of an observation, projected on the two directions in \
                 which these latents differ most. Dark is a low value, yellow a high one; the line \
                 is the order of the last hundred steps. Point at a point, or move along the line with \
                 the slider, to see its frame."
            </p>
            <div class="screens">
                {(0..SCREENS).map(|index| view! { <Cloud index/> }).collect_view()}
            </div>
        </details>
    }
}

#[component]
fn Cloud(index: usize) -> impl IntoView {
    let arcade = Arcade::here();
    let screen = arcade.screens[index];
    let chosen = RwSignal::new(None::<usize>);
    let picture = screen.latents;
    let frame = Signal::derive(move || {
        let step = picture.with(|picture| {
            let picture = picture.as_ref()?;
            let last = picture.steps.len().checked_sub(1)?;
            Some(picture.steps[chosen.get().unwrap_or(last).min(last)])
        })?;
        screen.seen.with(|seen| {
            seen.iter().find(|(number, _)| *number == step).map(|(_, frame)| Arc::clone(frame))
        })
    });
    let most = move || picture.with(|p| p.as_ref().map_or(0, |p| p.steps.len().saturating_sub(1)));
    let text = move || {
        picture.with(|picture| match picture {
            None => "Nothing was played yet.".to_owned(),
            Some(picture) => {
                let at = chosen.get().unwrap_or(most()).min(most());
                let value = picture.values.get(at).copied().unwrap_or(f32::NAN);
                let [first, second] = picture.explained.map(|share| 100.0 * share);
                format!(
                    "{} points; the axes explain {first:.0} % and {second:.0} % of the variance. \
                     Step {}: V = {value:.2}.",
                    picture.points.len(),
                    picture.steps.get(at).copied().unwrap_or(0),
                )
            }
        })
    };
    view! {
        <figure class="cloud">
            <svg viewBox="0 0 300 300" role="img" aria-label="The latents of this screen">
                {move || {
                    picture.get().map(|picture| draw(&picture, index, chosen))
                }}
            </svg>
            <label class="labelled">
                "Step"
                <input
                    type="range"
                    min="0"
                    max=most
                    prop:value=move || chosen.get().unwrap_or(most()).to_string()
                    on:input=move |event| chosen.set(event_target_value(&event).parse().ok())
                />
            </label>
            <figcaption>
                {text}
                <GreyCanvas picture=frame label="The newest frame of this step's observation"/>
            </figcaption>
        </figure>
    }
}

fn draw(
    picture: &LatentPicture,
    index: usize,
    chosen: RwSignal<Option<usize>>,
) -> impl IntoView + use<> {
    let extent = picture.points.iter().flatten().fold(1e-9_f64, |most, x| most.max(x.abs()));
    let place = |[x, y]: [f64; 2]| [x, -y].map(|at| SIZE / 2.0 + at / extent * (SIZE / 2.0 - 8.0));
    let places: Vec<[f64; 2]> = picture.points.iter().map(|&point| place(point)).collect();
    let (low, high) = picture
        .values
        .iter()
        .filter(|value| value.is_finite())
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
    let recent = &places[places.len().saturating_sub(100)..];
    let line: Vec<String> = recent.iter().map(|[x, y]| format!("{x:.1} {y:.1}")).collect();
    let points =
        places.into_iter().zip(&picture.values).enumerate().map(|(at, ([x, y], value))| {
            let share = if high > low { f64::from((value - low) / (high - low)) } else { 0.5 };
            let [red, green, blue] = viridis(share);
            let fill = format!("rgb({red} {green} {blue})");
            view! {
                <circle
                    cx=format!("{x:.1}")
                    cy=format!("{y:.1}")
                    r="3"
                    fill=fill
                    class:chosen=move || chosen.get() == Some(at)
                    on:pointerenter=move |_| chosen.set(Some(at))
                ></circle>
            }
        });
    view! {
        <path class=format!("trajectory agent-{index}") d=format!("M{}", line.join("L"))></path>
        {points.collect_view()}
    }
}
