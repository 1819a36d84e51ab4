//! The last steps of a screen as its agent's world model imagines them, beside what really happened.
//!
//! The player imagines ([`deepspi_playground::play::Request::Dream`]) from where the agent stood before
//! these steps, with the actions that were taken since: the agent's or the visitor's.

use std::sync::Arc;
use std::time::Duration;

use deepspi_playground::play::{LONGEST_DREAM, SCREENS, ScreenDream};
use deepspi_playground::{SHORT_REVISION, VERSION};
use deepspi_run::dreaming::{DreamtStep, mean_errors};
use deepspi_worlds::atari::action_name;
use leptos::prelude::*;

use super::canvas::GreyCanvas;
use super::state::{Arcade, Screen};
use crate::dreamt::{return_errors, sentence_of_distances};
use crate::page::charts::{LineChart, Provenance};
use crate::page::clock::every_while;
use crate::page::dream::{Row, curve, table};
use crate::plot::{Series, YAxis};

/// Time between two looks while a game goes on. A look takes some hundredths of a second.
const PERIOD: Duration = Duration::from_secs(1);

/// The dreams of both screens.
#[component]
pub fn Dreams() -> impl IntoView {
    let arcade = Arcade::here();
    let open = RwSignal::new(false);
    let horizon = RwSignal::new(8_usize);
    let asked = StoredValue::new([None; SCREENS]);
    // Only if something has happened since.
    let ask = move || {
        for index in 0..SCREENS {
            let screen = arcade.screens[index];
            let now = (number_of(screen), horizon.get_untracked());
            let unknown = screen.dream.with_untracked(|dream| **dream == ScreenDream::Nothing);
            if unknown || asked.with_value(|asked| asked[index] != Some(now)) {
                asked.update_value(|asked| asked[index] = Some(now));
                arcade.ask_dream(index, horizon.get_untracked());
            }
        }
    };
    every_while(open, PERIOD, ask);
    // A visitor who plays step by step does not wait.
    Effect::new(move || {
        horizon.track();
        for screen in arcade.screens {
            screen.shot.track();
        }
        let still = arcade.screens.iter().any(|screen| !screen.playing.get_untracked());
        if open.get() && still {
            ask();
        }
    });
    view! {
        <details
            class="screen-dreams"
            on:toggle:target=move |event| open.set(event.target().has_attribute("open"))
        >
            <summary>"Looking into the dream"</summary>
            <p class="muted">
                "The world model of each agent imagines the last steps of its screen, from where it stood \
                 before them and with the actions that were really taken. An imagined latent is no picture: \
                 it is shown as the picture of this screen whose latent is nearest. Play yourself, and your \
                 actions are imagined."
            </p>
            <label class="labelled">
                "Imagined steps"
                <input
                    type="range"
                    id="screen-dream-horizon"
                    min="1"
                    max=LONGEST_DREAM
                    prop:value=horizon
                    on:input:target=move |event| {
                        if let Ok(steps) = event.target().value().parse::<usize>() {
                            horizon.set(steps.clamp(1, LONGEST_DREAM));
                        }
                    }
                />
                {horizon}
            </label>
            <Show when=move || open.get()>
                <div class="screens">
                    {(0..SCREENS).map(|index| view! { <Column index/> }).collect_view()}
                </div>
                <Charts/>
            </Show>
        </details>
    }
}

/// Number of the step that is shown.
fn number_of(screen: Screen) -> Option<u64> {
    screen.shot.with_untracked(|shot| shot.as_ref().map(|shot| shot.step.number))
}

/// Errors by the number of imagined steps.
#[component]
fn Charts() -> impl IntoView {
    let arcade = Arcade::here();
    let label = move |index: usize| {
        let algorithm = arcade.screens[index].algorithm.get();
        let name = algorithm.map_or("no agent", deepspi_run::config::Algorithm::label);
        format!("{name}, screen {}", ["A", "B"][index])
    };
    let source = Signal::derive(move || {
        let game = arcade.world.with(|world| world.as_ref().map_or("", |world| world.name()));
        let of = |index: usize| {
            let steps = arcade.screens[index].trained.get().unwrap_or(0);
            format!("{} trained for {steps} steps", label(index))
        };
        let text = format!(
            "{game}; {}; {}; DeepSPI in Rust {VERSION}, revision {SHORT_REVISION}",
            of(0),
            of(1)
        );
        Provenance { text, tag: game.to_owned() }
    });
    let errors = Signal::derive(move || {
        let curves = |index: usize| -> Vec<Series> {
            let dream = arcade.screens[index].dream.get();
            let ScreenDream::Steps { looked, gamma, .. } = &*dream else { return Vec::new() };
            let errors = return_errors(looked, (*gamma).into());
            let [found, bound] = [0, 1].map(|k| errors.iter().map(|e| e[k]).collect());
            let name = label(index);
            vec![curve(index, name.clone(), false, found), curve(index, name, true, bound)]
        };
        (0..SCREENS).flat_map(curves).collect::<Vec<_>>()
    });
    let distances = Signal::derive(move || {
        let curves = |index: usize| {
            let screen = arcade.screens[index];
            let typical = typical(&screen.dream.get())?;
            let means = screen.looks.with(|looks| mean_errors(looks));
            let relative = means.iter().map(|mean| mean.distance / typical).collect();
            Some(curve(index, label(index), false, relative))
        };
        (0..SCREENS).filter_map(curves).collect::<Vec<_>>()
    });
    view! {
        <div class="charts">
            <LineChart
                title="Error of the imagined return"
                x_label="imagined steps"
                y_label="|imagined − real return|, and its bound"
                series=errors
                y_axis=YAxis::Log
                source
            >
                "Of the steps above. The dotted lines are the sum of Theorem 2 over the steps; it bounds the \
                 error only for agents that were trained with the preset “Certified”."
            </LineChart>
            <LineChart
                title="Mean distance of the imagined latents"
                x_label="imagined steps"
                y_label="relative distance to the true latent"
                series=distances
                y_axis=YAxis::FromZero
                source
            >
                "Over all looks since this panel was opened or the agent changed. At 1 the imagined latent is \
                 as far from the true one as the latents of two pictures of this screen are on average."
            </LineChart>
        </div>
    }
}

/// Mean distance of two latents of a screen, if it is known and not 0.
fn typical(dream: &ScreenDream) -> Option<f64> {
    match dream {
        ScreenDream::Steps { typical_distance, .. } if *typical_distance > 0.0 => {
            Some(*typical_distance)
        }
        _ => None,
    }
}

/// The imagined steps of one screen.
#[component]
fn Column(index: usize) -> impl IntoView {
    let screen = Arcade::here().screens[index];
    let letter = ["a", "b"][index];
    // From 1; none: the last one.
    let chosen = RwSignal::new(None::<usize>);
    let count = move || screen.dream.with(|dream| length(dream));
    let shown = move || chosen.get().unwrap_or_else(count).min(count());
    let at = move |pick: fn(&ScreenDream, usize) -> Option<u64>| {
        Signal::derive(move || {
            let number = screen.dream.with(|dream| pick(dream, shown().checked_sub(1)?))?;
            screen.seen.with(|seen| {
                seen.iter().find(|(seen, _)| *seen == number).map(|(_, frame)| Arc::clone(frame))
            })
        })
    };
    let truth = at(|dream, k| match dream {
        ScreenDream::Steps { numbers, .. } => numbers.get(k).copied(),
        _ => None,
    });
    let nearest = at(|dream, k| match dream {
        ScreenDream::Steps { looked, .. } => Some(looked.steps.get(k)?.nearest?.0 as u64),
        _ => None,
    });
    let found = Memo::new(move |_| count() > 0);
    view! {
        <section class="dream-agent" aria-label=format!("Dream of screen {}", ["A", "B"][index])>
            {move || {
                (!found.get())
                    .then(|| view! { <p class="notice">{why(&screen.dream.get())}</p> })
            }}
            <Show when=move || found.get()>
                <label class="labelled">
                    {move || format!("Step {} of {}", shown(), count())}
                    <input
                        type="range"
                        id=format!("screen-dream-step-{letter}")
                        min="1"
                        max=count
                        prop:value=shown
                        on:input:target=move |event| chosen.set(event.target().value().parse().ok())
                    />
                </label>
                <div class="dream-cells">
                    <figure>
                        <GreyCanvas picture=truth label="The picture that really was there"/>
                        <figcaption>"What really was there."</figcaption>
                    </figure>
                    <figure>
                        <GreyCanvas
                            picture=nearest
                            label="The picture whose latent is nearest to the imagined one"
                        />
                        <figcaption>"Nearest to what is imagined."</figcaption>
                    </figure>
                </div>
                <p class="dream-words">{move || words(&screen.dream.get(), shown())}</p>
                <div class="dream-scroll" tabindex="0" role="group" aria-label="All imagined steps">
                    {move || table("picture", rows(screen, &screen.dream.get()), shown().checked_sub(1))}
                </div>
            </Show>
        </section>
    }
}

fn length(dream: &ScreenDream) -> usize {
    match dream {
        ScreenDream::Steps { looked, .. } => looked.steps.len(),
        ScreenDream::Nothing | ScreenDream::Impossible => 0,
    }
}

/// Why there are no steps.
const fn why(dream: &ScreenDream) -> &'static str {
    match dream {
        ScreenDream::Impossible => {
            "This agent cannot imagine: PPO has no world model, and with a decoupled representation the \
             critic cannot judge imagined latents. Choose an agent of DeepMDP, DeepSPI or DreamSPI."
        }
        _ => "Nothing is imagined yet: an agent must be on this screen, and a step must be played.",
    }
}

fn words(dream: &ScreenDream, shown: usize) -> String {
    let (ScreenDream::Steps { numbers, looked, .. }, Some(k)) = (dream, shown.checked_sub(1))
    else {
        return String::new();
    };
    let (Some(step), Some(number)) = (looked.steps.get(k), numbers.get(k)) else {
        return String::new();
    };
    let Some((near, distance)) = step.nearest else { return String::new() };
    let verdict = if near as u64 == *number {
        "the true one".to_owned()
    } else {
        format!("that of step {near}; the true one is that of step {number}")
    };
    let distances = typical(dream).map_or_else(String::new, |typical| {
        format!(" {}", sentence_of_distances([distance, step.distance], typical, "pictures"))
    });
    format!("The nearest picture is {verdict}.{distances}")
}

fn rows(screen: Screen, dream: &ScreenDream) -> Vec<Row> {
    let ScreenDream::Steps { numbers, looked, .. } = dream else { return Vec::new() };
    let actions =
        screen.opened.with(|opened| opened.as_ref().map(|opened| opened.actions.to_vec()));
    let actions = actions.unwrap_or_default();
    let row = |(number, step): (&u64, &DreamtStep)| Row {
        action: actions
            .get(step.action as usize)
            .map_or("", |id| action_name(*id).words)
            .to_owned(),
        truth: number.to_string(),
        nearest: step.nearest.map_or_else(String::new, |(near, _)| near.to_string()),
        step: *step,
    };
    numbers.iter().zip(&looked.steps).map(row).collect()
}
