//! How much the world model's losses reduced the advantages of the last batch.

use leptos::prelude::*;

use super::signals::MazeSignals;
use crate::cells;
use crate::page::charts::Scatter;
use crate::plot::Dots;

/// A scatter plot for each agent.
#[component]
pub fn Batches(shown: MazeSignals) -> impl IntoView {
    let dots = [0, 1].map(|agent| Signal::derive(move || dots(shown, agent)));
    // Both plots use the same colour scale.
    let value_range = Signal::derive(move || {
        let of_both =
            dots.iter().flat_map(|dots| dots.read().values.to_vec()).filter(|x| x.is_finite());
        let ends = of_both.fold((0.0_f64, 0.0_f64), |(low, high), x| (low.min(x), high.max(x)));
        (ends.0 < ends.1).then_some([ends.0, ends.1])
    });
    let scatter = move |agent: usize| {
        view! {
            <Scatter
                title=Signal::derive(move || format!("{}: utility against advantage", shown.name(agent)))
                x_label=Signal::derive(move || cells::advantage_of_batch(shown.normalised()[agent]))
                y_label="utility U"
                value_label="A − U, subtracted"
                diagonal="U = A"
                dots=dots[agent]
                value_range
            />
        }
    };
    view! {
        <p>
            "Each dot is a step of the batch. DeepSPI subtracts the losses of the world model from \
             the advantage A: a dot below the line counts for less, so the agent prefers steps \
             that its model predicts well. The colour shows how much was subtracted. With PPO and \
             DeepMDP, U is A."
        </p>
        <div class="maze-boards">{scatter(0)} {scatter(1)}</div>
    }
}

fn dots(shown: MazeSignals, agent: usize) -> Dots {
    let view = shown.view(agent);
    let Some(batch) = view.as_ref().and_then(|view| view.batch.as_ref()) else {
        return Dots::default();
    };
    let pairs = || batch.advantage.iter().zip(&batch.utility).map(|(a, u)| [*a, *u].map(f64::from));
    Dots { points: pairs().collect(), values: pairs().map(|[a, u]| a - u).collect() }
}
