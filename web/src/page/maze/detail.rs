//! All data of the selected state, for both agents.

use std::sync::Arc;

use deepspi_playground::protocol::AgentView;
use deepspi_worlds::maze::{ACTIONS, Maze};
use leptos::prelude::*;

use super::frame::Frame;
use super::signals::MazeSignals;
use crate::cells::{self, ACTION_NAMES};
use crate::plot::{bars, number};

/// Size of the strip with a latent's bars, in its own units.
const STRIP: [f64; 2] = [320.0, 44.0];

/// The panel below the boards.
#[component]
pub fn Detail(shown: MazeSignals) -> impl IntoView {
    let state = Memo::new(move |_| shown.selected());
    let heading = move || {
        let maze = shown.mazes[0].read();
        maze.as_ref().map(|maze| cells::heading(maze, state.get()))
    };
    view! {
        <section class="card maze-detail" aria-label="The selected cell">
            <h3>{heading}</h3>
            <div class="maze-facts">
                <Frame maze=shown.mazes[0] state caption="What an agent sees here."/>
                <Facts shown agent=0 state/>
                <Facts shown agent=1 state/>
            </div>
            <p class="muted">
                "π policy; V, Q and A are exact for this policy. U is the factor of the clipped \
                 ratio: " {move || cells::advantage_in_utility(shown.normalised())}
                "; DeepSPI subtracts from it the weighted losses of the world model, l_R for the \
                 reward and l_P for the next latent."
            </p>
        </section>
    }
}

/// The data of one agent in the selected state.
#[component]
fn Facts(shown: MazeSignals, agent: usize, state: Memo<usize>) -> impl IntoView {
    let facts = move || {
        let (maze, view) = (shown.mazes[agent].read(), shown.view(agent));
        match (maze.as_ref(), view) {
            (Some(maze), Some(view)) => known(maze, &view, state.get()).into_any(),
            _ => view! { <p class="muted">"The agent is not ready yet."</p> }.into_any(),
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
    // All cells use the same scale, so that they can be compared.
    let range = report.latents.iter().map(|x| f64::from(*x)).filter(|x| x.is_finite());
    let [low, high] = range.fold([0.0_f64; 2], |[low, high], x| [low.min(x), high.max(x)]);
    let path = bars(latent, [low, high], STRIP);
    let axis = if low < high { high / (high - low) * STRIP[1] } else { STRIP[1] };
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
            <path class="middle" d=format!("M0 {axis}H{}", STRIP[0])/>
            <path class="bars" d=path/>
        </svg>
        <p class="muted maze-latent-name">
            {format!("Latent: {} numbers, from {} to {}", latent.len(), number(low), number(high))}
        </p>
    }
}

/// A table with one column for each action.
fn table(view: &AgentView, state: usize) -> impl IntoView + use<> {
    let (report, cells) = (&view.report, view.cells.as_ref());
    let losses = cells.and_then(|cells| cells.losses.as_ref());
    let quantities = [
        ("π", Some(&report.policy)),
        ("Q", Some(&report.q)),
        ("A", Some(&report.advantage)),
        ("U", cells.map(|cells| &cells.utility)),
        ("l_R", losses.map(|losses| &losses.reward)),
        ("l_P", losses.map(|losses| &losses.transition)),
    ];
    let rows = quantities.map(|(name, table)| {
        let of = |action: usize| {
            let value = table.and_then(|table| table.get(state * ACTIONS + action));
            view! { <td>{value.map_or_else(|| "–".to_owned(), |x| number(*x))}</td> }
        };
        view! {
            <tr>
                <th scope="row">{name}</th>
                {(0..ACTIONS).map(of).collect_view()}
            </tr>
        }
    });
    let heads = ACTION_NAMES.map(|name| view! { <th scope="col">{name}</th> });
    view! {
        <table class="maze-table">
            <thead>
                <tr>
                    <td></td>
                    {heads.into_iter().collect_view()}
                </tr>
            </thead>
            <tbody>{rows.into_iter().collect_view()}</tbody>
        </table>
    }
}
