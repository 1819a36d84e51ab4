//! The table of imagined steps beside real ones, in the dream room and in the Atari room.

use deepspi_run::dreaming::DreamtStep;
use leptos::prelude::*;

use crate::plot::number;

/// One step with what the room calls its action and its places.
#[derive(Clone, Debug)]
pub struct Row {
    /// The action.
    pub action: String,
    /// Where it really led.
    pub truth: String,
    /// What is nearest to the imagined latent; empty if nothing was seen.
    pub nearest: String,
    /// The numbers.
    pub step: DreamtStep,
}

/// The steps; `place` is what a true state is called, and the row with the index `shown` is marked.
pub fn table(place: &'static str, rows: Vec<Row>, shown: Option<usize>) -> impl IntoView {
    let row = move |(k, Row { action, truth, nearest, step }): (usize, Row)| {
        let real = |x: f32| number(f64::from(x));
        view! {
            <tr class:shown=shown == Some(k)>
                <th scope="row">{k + 1}</th>
                <td>{action}</td>
                <td>{truth}</td>
                <td>{nearest}</td>
                <td>{real(step.reward)}</td>
                <td>{real(step.imagined_reward)}</td>
                <td>{real(step.value)}</td>
                <td>{real(step.imagined_value)}</td>
                <td>{format!("{:.0} %", 100.0 * step.continuation)}</td>
            </tr>
        }
    };
    view! {
        <table class="dream-table">
            <thead>
                <tr>
                    <th scope="col">"step"</th>
                    <th scope="col">"action"</th>
                    <th scope="col">{place}</th>
                    <th scope="col">"imagined"</th>
                    <th scope="col">"r"</th>
                    <th scope="col">"imagined"</th>
                    <th scope="col">"V"</th>
                    <th scope="col">"imagined"</th>
                    <th scope="col">"goes on"</th>
                </tr>
            </thead>
            <tbody>{rows.into_iter().enumerate().map(row).collect_view()}</tbody>
        </table>
    }
}
