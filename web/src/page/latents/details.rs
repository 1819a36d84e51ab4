//! The selected cell: its frame, and both agents' values and policies there.

use deepspi_playground::experiment::AGENTS;
use deepspi_playground::protocol::AgentView;
use deepspi_worlds::maze::ACTIONS;
use leptos::prelude::*;

use super::model::Desk;
use crate::cells::{self, ACTION_NAMES};
use crate::page::maze::frame::Frame;
use crate::page::state::Playground;
use crate::plot::number;

/// The part below the panels.
#[component]
pub fn Details() -> impl IntoView {
    let desk = Desk::here();
    let playground = Playground::here();
    let maze = desk.maze;
    let state = Memo::new(move |_| desk.focus().unwrap_or_default());
    let title =
        move || maze.with(|maze| maze.as_ref().map(|maze| cells::heading(maze, state.get())));
    let is_end = move || {
        maze.with(|maze| maze.as_ref().is_some_and(|maze| maze.tile(state.get()).is_terminal()))
    };
    view! {
        <section class="latents-details card" aria-label="The selected cell">
            <Frame maze state caption="What an agent sees here."/>
            <div class="latents-numbers">
                <h3>{title}</h3>
                {move || numbers(playground, state.get(), is_end())}
                <p class="muted">
                    "Point at a cell, or click it to keep it. With the keyboard, arrow keys go from \
                     point to point and Page Up and Page Down through all cells."
                </p>
            </div>
        </section>
    }
}

fn numbers(playground: Playground, state: usize, is_end: bool) -> impl IntoView {
    let agents: [usize; AGENTS] = std::array::from_fn(|agent| agent);
    let column = move |of: fn(&AgentView, usize) -> Option<f64>| {
        let cell = move |agent: usize| {
            let value = playground.agents[agent]
                .view
                .with(|view| view.as_ref().and_then(|view| of(view, state)));
            view! { <td>{number(value.unwrap_or(f64::NAN))}</td> }
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
    let actions = ACTION_NAMES.iter().enumerate().map(|(action, name)| {
        view! {
            <tr>
                <th scope="row">{format!("π({name})")}</th>
                {chance(action)}
            </tr>
        }
    });
    let actions = (!is_end).then(|| actions.collect_view());
    view! {
        <table>
            <thead>
                <tr>
                    <td></td>
                    {agents
                        .map(|agent| view! { <th scope="col">{playground.agent_label(agent)}</th> })
                        .collect_view()}
                </tr>
            </thead>
            <tbody>
                <tr>
                    <th scope="row">"V, exact"</th>
                    {column(|view, state| view.report.values.get(state).copied())}
                </tr>
                <tr>
                    <th scope="row">"V, its own estimate"</th>
                    {column(|view, state| view.report.critic.get(state).copied())}
                </tr>
                {actions}
            </tbody>
        </table>
        {is_end.then(|| view! { <p>"An episode ends here: no action is taken, and V is 0."</p> })}
    }
}
