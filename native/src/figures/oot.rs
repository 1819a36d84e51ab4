//! The out-of-trajectory example: which planner is misled by the model's error.

use anyhow::Result;
use deepspi_theory::OutOfTrajectory;
use deepspi_theory::out_of_trajectory::Record;
use serde_json::json;

use super::layers::{line, reference};
use super::output::{Output, describe};
use crate::chart::table::Table;
use crate::chart::{Axis, Colour, Figure, Layer, Panel};

/// Colours of the planner without a neighbourhood and of the planner with one.
const COLOURS: [Colour; 2] = [Colour::Series(0), Colour::Series(2)];

/// `figures oot`; nothing is trained.
///
/// # Errors
/// Never with the default parameters.
pub fn make() -> Result<Vec<Output>> {
    let example = OutOfTrajectory::default();
    let comparison = example.run()?;
    let without = ("unconstrained", &comparison.unconstrained, COLOURS[0]);
    let within = ("within N^C", &comparison.constrained, COLOURS[1]);
    let lines = |quantity: &dyn Fn(&Record) -> Option<f64>| -> Vec<Layer> {
        [without, within]
            .into_iter()
            .map(|(label, records, colour)| {
                let point = |r: &Record| Some((r.iteration as f64, quantity(r)?));
                line(label, colour, records.iter().filter_map(point))
            })
            .collect()
    };
    let panel = |title: &str, y: Axis, layers| Panel {
        title: title.into(),
        x: Axis::linear("improvements"),
        y,
        layers,
        legend: false,
    };
    let mut truth = vec![reference("always the safe action", example.safe_reward)];
    truth.extend(lines(&|r| Some(r.true_return)));
    let figure = Figure {
        title: "Out of the trajectory: planning in a model that hallucinates".into(),
        subtitle: Some(format!(
            "a_2 is taken with probability {} by the behaviour policy; the model believes the region behind it pays {}, it pays {}; gamma = {}, C = {}",
            example.epsilon,
            example.hallucinated_reward,
            example.true_reward,
            example.gamma,
            example.c
        )),
        panels: vec![
            panel("Return in the real environment", Axis::linear("rho(pi, M)"), truth),
            panel(
                "Return the model promises",
                Axis::linear("rho(pi, Mbar)"),
                lines(&|r| Some(r.model_return)),
            ),
            panel(
                "Probability of the bait a_2",
                Axis::log10("pi(a_2 | start)"),
                lines(&|r| Some(r.bait_probability.max(1e-6))),
            ),
        ],
        columns: 3,
        shared_legend: true,
        footnote: Some(format!(
            "The model is refreshed from {} steps of the current policy before each improvement. The neighbourhood does not forbid the bait: it lets its probability grow by C at most, so that data correct the model before the policy depends on it.",
            example.steps_per_iteration
        )),
    };
    let mut table = Table::new(&[
        "planner",
        "iteration",
        "true_return",
        "model_return",
        "bait_probability",
        "believed_reward",
        "visits",
        "zeta",
        "zeta_tight",
    ]);
    for (label, records, _) in [without, within] {
        for record in records {
            let guarantee = record.guarantee.as_ref();
            let number = |x: Option<f64>| x.map_or_else(String::new, |x| x.to_string());
            table.push(&[
                &label,
                &record.iteration,
                &record.true_return,
                &record.model_return,
                &record.bait_probability,
                &record.believed_reward,
                &record.visits,
                &number(guarantee.and_then(|g| g.zeta)),
                &number(guarantee.and_then(|g| g.zeta_tight)),
            ])?;
        }
    }
    let settings = json!({ "example": describe(example) });
    Ok(vec![Output { name: "out-of-trajectory".into(), figure, table, settings }])
}
