//! The cell that is looked at: its frame, and what both agents make of it.

use deepspi_core::maze::{ACTIONS, Action, Maze};
use leptos::html::Canvas;
use leptos::prelude::*;
use wasm_bindgen::{Clamped, JsCast};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ImageData};

use super::model::Desk;
use crate::experiment::AGENTS;
use crate::page::state::Playground;
use crate::protocol::AgentView;
use crate::scene::cells::describe;

/// The part below the panels.
#[component]
pub fn Details() -> impl IntoView {
    let desk = Desk::here();
    let playground = desk.playground;
    let maze = Memo::new(move |_| playground.maze(0));
    let state = Memo::new(move |_| {
        let states = maze.with(|maze| maze.as_ref().map_or(0, Maze::states));
        desk.focus().filter(|state| *state < states)
    });
    let frame = NodeRef::<Canvas>::new();
    Effect::new(move |_| {
        let (Some(canvas), Some(state)) = (frame.get(), state.get()) else { return };
        maze.with(|maze| maze.as_ref().and_then(|maze| show_frame(&canvas, maze, state)));
    });
    let title = move || {
        let describe = |state| maze.with(|maze| maze.as_ref().map(|maze| describe(maze, state)));
        state.get().and_then(describe)
    };
    view! {
        <section class="latents-details card" aria-label="The cell that is looked at">
            {move || {
                let title = title();
                let hint = "Point at a cell, or click it to keep it. With the keyboard: arrow keys go \
                            from point to point, Page Up and Page Down through all cells, Escape \
                            lets go.";
                if title.is_none() {
                    return view! { <p class="muted">{hint}</p> }.into_any();
                }
                view! {
                    <div class="latents-frame">
                        <canvas role="img" aria-label="What the agent sees there" node_ref=frame></canvas>
                        <p class="muted">"what the agent sees"</p>
                    </div>
                    <div class="latents-numbers">
                        <h3>{title}</h3>
                        {move || state.get().map(|state| numbers(playground, state))}
                    </div>
                }
                    .into_any()
            }}
        </section>
    }
}

fn numbers(playground: Playground, state: usize) -> impl IntoView {
    let agents: [usize; AGENTS] = std::array::from_fn(|agent| agent);
    let column = move |of: fn(&AgentView, usize) -> Option<f64>, digits: usize| {
        let cell = move |agent: usize| {
            let value = playground.agents[agent]
                .view
                .with(|view| view.as_ref().and_then(|view| of(view, state)));
            let text = value.map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"));
            view! { <td>{text.replace('-', "\u{2212}")}</td> }
        };
        agents.map(cell).collect_view()
    };
    let chance = move |action: usize| {
        let cell = move |agent: usize| {
            let chance = playground.agents[agent].view.with(|view| {
                view.as_ref().and_then(|v| v.report.policy.get(state * ACTIONS + action).copied())
            });
            chance.map(|chance| {
                let percent = format!("{:.1} %", 100.0 * chance);
                let width = format!("{:.1}%", 100.0 * chance);
                view! {
                    <td class="chance" class=("agent-1", agent == 1)>
                        <span class="bar" aria-hidden="true"><span style:width=width></span></span>
                        {percent}
                    </td>
                }
            })
        };
        agents.map(cell).collect_view()
    };
    view! {
        <table>
            <thead>
                <tr>
                    <td></td>
                    {agents
                        .map(|agent| view! { <th scope="col">{playground.agent_name(agent)}</th> })
                        .collect_view()}
                </tr>
            </thead>
            <tbody>
                <tr>
                    <th scope="row">"V, exact"</th>
                    {column(|view, state| view.report.values.get(state).copied(), 2)}
                </tr>
                <tr>
                    <th scope="row">"V, its own estimate"</th>
                    {column(|view, state| view.report.critic.get(state).copied(), 2)}
                </tr>
                {Action::ALL
                    .map(|action| {
                        view! {
                            <tr>
                                <th scope="row">{format!("\u{3c0}({})", arrow(action))}</th>
                                {chance(action as usize)}
                            </tr>
                        }
                    })
                    .collect_view()}
            </tbody>
        </table>
    }
}

const fn arrow(action: Action) -> &'static str {
    match action {
        Action::Up => "up",
        Action::Down => "down",
        Action::Left => "left",
        Action::Right => "right",
    }
}

/// Puts the frame of a state on a canvas, a pixel for a pixel; the style sheet enlarges it.
fn show_frame(canvas: &HtmlCanvasElement, maze: &Maze, state: usize) -> Option<()> {
    let shape = maze.config().preset.frame();
    let (width, height) = (u32::try_from(shape.width).ok()?, u32::try_from(shape.height).ok()?);
    canvas.set_width(width);
    canvas.set_height(height);
    let pixels: Vec<u8> =
        maze.frame(state).into_iter().flat_map(|grey| [grey, grey, grey, 255]).collect();
    let image =
        ImageData::new_with_u8_clamped_array_and_sh(Clamped(&pixels), width, height).ok()?;
    let context = canvas.get_context("2d").ok()??.dyn_into::<CanvasRenderingContext2d>().ok()?;
    context.put_image_data(&image, 0.0, 0.0).ok()
}
