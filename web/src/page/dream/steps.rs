//! The imagined steps of one agent: the cells of the shown step, and a table of all.

use deepspi_run::dreaming::DreamtStep;
use deepspi_run::maze::MazeDream;
use deepspi_worlds::maze::Maze;
use leptos::prelude::*;

use super::signals::DreamSignals;
use super::table::{Row, table};
use crate::dreamt::{action, cell, csv, sentence_of_distances};
use crate::page::charts::of_run;
use crate::page::download;
use crate::page::maze::frame::Frame;
use crate::page::state::Dreamt;

/// What came of the plan for one agent.
#[component]
pub fn Steps(dream: DreamSignals, agent: usize) -> impl IntoView {
    let maze = dream.shown.mazes[agent];
    let found = Memo::new(move |_| dream.shown_step(agent).is_some());
    let truth = Signal::derive(move || {
        dream.shown_step(agent).map_or(0, |(dream, step)| dream.states[step])
    });
    let nearest = Signal::derive(move || {
        let step = dream.shown_step(agent);
        let near = step.and_then(|(dream, step)| dream.looked.steps[step].nearest);
        near.map_or(0, |(state, _)| state)
    });
    let words = move || {
        let (dream, step) = dream.shown_step(agent)?;
        let maze = maze.read();
        let maze = maze.as_ref()?;
        Some(sentence(maze, &dream, step))
    };
    let table = move || {
        let (dream, step) = dream.shown_step(agent)?;
        let maze = maze.read();
        Some(table("cell", rows(maze.as_ref()?, &dream), Some(step)))
    };
    let source = of_run();
    let save = move |_| {
        let step = dream.shown_step(agent);
        let maze = maze.read_untracked();
        if let (Some((steps, _)), Some(maze)) = (step, maze.as_ref()) {
            let text = csv(maze, &steps, &source.get_untracked().text);
            let name = format!("dream of {}.csv", dream.shown.name(agent));
            download::offer(&name, "text/csv", text.as_bytes());
        }
    };
    view! {
        {move || (!found.get()).then(|| view! { <p class="notice">{why(&dream.of(agent))}</p> })}
        <Show when=move || found.get()>
            <div class="dream-cells">
                <Frame maze state=truth caption="What really is there."/>
                <Frame maze state=nearest caption="The cell nearest to what is imagined."/>
            </div>
            <p class="dream-words">{words}</p>
            <button type="button" class="dream-save" on:click=save>"Save these steps as CSV"</button>
            <div class="dream-scroll" tabindex="0" role="group" aria-label="All imagined steps">{table}</div>
        </Show>
    }
}

/// Why there are no steps.
const fn why(dreamt: &Dreamt) -> &'static str {
    match dreamt {
        Dreamt::Unknown => "Nothing is imagined yet.",
        Dreamt::Impossible => {
            "This agent cannot imagine: PPO has no world model, and with a decoupled representation the \
             critic cannot judge imagined latents. Choose DeepMDP, DeepSPI or DreamSPI in the settings."
        }
        Dreamt::Steps(_) => "The episode ends in this cell: select another one.",
    }
}

fn sentence(maze: &Maze, dream: &MazeDream, k: usize) -> String {
    let step = &dream.looked.steps[k];
    let Some((near, distance)) = step.nearest else { return String::new() };
    let is_right = near == dream.states[k];
    let verdict = if is_right { "it is the true one" } else { "the true one is another" };
    format!(
        "Step {}, {}: the nearest cell is {}; {verdict}. {}",
        k + 1,
        action(dream.actions[k]),
        cell(maze, near),
        sentence_of_distances([distance, step.distance], dream.typical_distance, "cells")
    )
}

fn rows(maze: &Maze, dream: &MazeDream) -> Vec<Row> {
    let row = |(k, step): (usize, &DreamtStep)| Row {
        action: action(dream.actions[k]).to_owned(),
        truth: cell(maze, dream.states[k]),
        nearest: step.nearest.map_or_else(String::new, |(state, _)| cell(maze, state)),
        step: *step,
    };
    dream.looked.steps.iter().enumerate().map(row).collect()
}
