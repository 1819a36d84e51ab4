//! Everything known of the state that is looked at, for both agents.

use std::sync::Arc;

use deepspi_core::maze::{ACTIONS, Maze};
use leptos::prelude::*;

use super::Shown;
use super::frame::Frame;
use crate::cells::{self, ACTION_NAMES};
use crate::plot::{bars, number};
use crate::protocol::AgentView;

/// Size of the strip of a latent's bars, in its own units.
const STRIP: [f64; 2] = [320.0, 44.0];

/// The panel below the boards.
#[component]
pub fn Detail(shown: Shown) -> impl IntoView {
    let state = Memo::new(move |_| shown.selected());
    let heading = move || {
        let maze = shown.mazes[0].read();
        maze.as_ref().map(|maze| cells::heading(maze, state.get()))
    };
    view! {
        <section class="card maze-detail" aria-label="The cell that is looked at">
            <h3>{heading}</h3>
            <div class="maze-facts">
                <Frame maze=shown.mazes[0] state caption="What an agent sees here."/>
                <Facts shown agent=0 state/>
                <Facts shown agent=1 state/>
            </div>
            <p class="muted">
                "π policy; V, Q and A are exact for this policy. U is what the clipped ratio is multiplied \
                 with: A divided by its standard deviation in the batch and, with DeepSPI, less the weighted \
                 losses of the world model, l_R for the reward and l_P for the next latent."
            </p>
        </section>
    }
}

/// One agent in the state that is looked at.
#[component]
fn Facts(shown: Shown, agent: usize, state: Memo<usize>) -> impl IntoView {
    let facts = move || {
        let (maze, view) = (shown.mazes[agent].read(), shown.view(agent));
        match (maze.as_ref(), view) {
            (Some(maze), Some(view)) => known(maze, &view, state.get()).into_any(),
            _ => view! { <p class="muted">"The agent is not there yet."</p> }.into_any(),
        }
    };
    view! {
        <div class="maze-agent-facts">
            <h4 class=format!("agent-{agent}")>{move || shown.name(agent)}</h4>
            {facts}
        </div>
    }
}

fn known(maze: &Maze, view: &Arc<AgentView>, state: usize) -> impl IntoView + use<> {
    let report = &view.report;
    let latent = report.latent(state);
    let largest = report.latents.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    let path = bars(latent, f64::from(largest), STRIP);
    let ends = maze.tile(state).is_terminal();
    let values = if ends {
        "An episode ends here: no action is taken, and V is 0.".to_owned()
    } else {
        let [exact, critic] = [&report.values, &report.critic].map(|v| number(v[state]));
        format!("V {exact} (exact); its critic says {critic}.")
    };
    view! {
        <p>{values}</p>
        {(!ends).then(|| table(view, state))}
        <svg
            class="maze-latent"
            viewBox=format!("0 0 {} {}", STRIP[0], STRIP[1])
            preserveAspectRatio="none"
            role="img"
            aria-label=format!("Latent of this cell: {} numbers", latent.len())
        >
            <path class="middle" d=format!("M0 {0}H{1}", STRIP[1] / 2.0, STRIP[0])/>
            <path class="bars" d=path/>
        </svg>
        <p class="muted maze-latent-name">
            {format!("Latent: {} numbers, from −{1} to {1}", latent.len(), number(largest.into()))}
        </p>
    }
}

/// One row for each action.
fn table(view: &AgentView, state: usize) -> impl IntoView + use<> {
    let (report, cells) = (&view.report, view.cells.as_ref());
    let losses = cells.and_then(|cells| cells.losses.as_ref());
    let rows = ACTION_NAMES.iter().enumerate().map(|(action, name)| {
        let index = state * ACTIONS + action;
        let of = |table: Option<&Vec<f64>>| {
            table.and_then(|table| table.get(index)).map_or_else(|| "–".to_owned(), |x| number(*x))
        };
        let numbers = [
            of(Some(&report.q)),
            of(Some(&report.advantage)),
            of(cells.map(|cells| &cells.utility)),
            of(losses.map(|losses| &losses.reward)),
            of(losses.map(|losses| &losses.transition)),
        ];
        let share = report.policy.get(index).map_or(f64::NAN, |p| *p);
        view! {
            <tr>
                <th scope="row">{*name}</th>
                <td>{format!("{share:.3}")}</td>
                {numbers.map(|number| view! { <td>{number}</td> }).into_iter().collect_view()}
            </tr>
        }
    });
    let heads = ["π", "Q", "A", "U", "l_R", "l_P"];
    view! {
        <table class="maze-table">
            <thead>
                <tr>
                    <th scope="col">"action"</th>
                    {heads.map(|head| view! { <th scope="col">{head}</th> }).into_iter().collect_view()}
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    }
}
