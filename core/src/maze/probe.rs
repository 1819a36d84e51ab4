//! Policy, values and latents of an agent in all states of the maze; the values are computed
//! exactly.

use burn::tensor::{Device, Tensor};
use deepspi_run::decision::Decision;
use deepspi_run::maze::MazeReport;
use deepspi_theory::{Policy, TheoryError, evaluate};
use deepspi_worlds::maze::{ACTIONS, MazeView, SeenMaze};

use crate::data::rollout::observations;
use crate::model::Model;
use crate::read_floats;

/// Why a maze could not be analysed.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The device failed.
    #[error(transparent)]
    Core(#[from] crate::Error),
    /// The policy is not a distribution, for example because a parameter is NaN.
    #[error(transparent)]
    Theory(#[from] TheoryError),
}

/// Evaluates `model` in all states of a maze, as it sees them. The report is in the order of the
/// maze's actions.
///
/// # Errors
/// If the device fails or the policy is not a distribution.
pub async fn probe(
    model: &Model,
    seen: SeenMaze<'_>,
    device: &Device,
) -> Result<MazeReport, ProbeError> {
    let SeenMaze { maze, view } = seen;
    let (latents, output) = model.agent.perceive(all_frames(view, device));
    let latents = read_floats(latents).await?;
    let critic = read_floats(output.values()).await?;
    let logits = read_floats(output.logits()).await?;
    let decision = Decision::from_logits(&logits, Vec::new(), ACTIONS);
    let policy = normalised(&view.in_order_of_maze(&decision.log_probs));
    let exact = evaluate(&maze.mdp()?, &Policy::new(maze.states(), ACTIONS, policy.clone())?)?;

    let width = latents.len() / maze.states();
    let [upper, lower] = maze.stars().map(|star| &latents[star * width..][..width]);
    let square = |x: f32| f64::from(x).powi(2);
    let difference: f64 = upper.iter().zip(lower).map(|(a, b)| square(a - b)).sum();
    let length: f64 = upper.iter().chain(lower).map(|x| square(*x)).sum::<f64>() / 2.0;
    Ok(MazeReport {
        start_value: exact.v[maze.start()],
        star_distance: difference / width as f64,
        relative_star_distance: if length > 0.0 { (difference / length).sqrt() } else { 0.0 },
        policy,
        values: exact.v,
        q: exact.q,
        advantage: exact.advantage,
        critic: critic.into_iter().map(f64::from).collect(),
        latents,
    })
}

/// Observations of all states, `[S, H, W, C]`.
pub(super) fn all_frames(view: &MazeView, device: &Device) -> Tensor<4> {
    observations(view.shape, view.frames.len(), device, |i| &view.frames[i])
}

/// Probabilities in double precision, rescaled so that rows sum to 1 more accurately than in single
/// precision.
fn normalised(log_probs: &[f32]) -> Vec<f64> {
    let rows = log_probs.chunks(ACTIONS).flat_map(|row| {
        let row: Vec<f64> = row.iter().map(|x| f64::from(*x).exp()).collect();
        let sum: f64 = row.iter().sum();
        row.into_iter().map(move |p| p / sum)
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use deepspi_run::maze_preset::TrainingPreset as _;
    use deepspi_worlds::maze::{Maze, MazeConfig};

    use super::*;

    #[test]
    fn an_untrained_agent_is_close_to_uniform_and_an_invisible_cue_merges_the_stars() {
        let preset = MazeConfig::DEFAULT.preset;
        let device = Device::flex();
        let model = Model::new(&preset.network(), &preset.hyper_parameters(), &device);
        let report = |cue| {
            let maze = Maze::new(MazeConfig { cue, ..MazeConfig::DEFAULT }, 0.99).expect("valid");
            let seen = SeenMaze { maze: &maze, view: &MazeView::of(&maze) };
            (pollster::block_on(probe(&model, seen, &device)).expect("probed"), maze)
        };
        let (seen, maze) = report(1.0);
        let uniform = maze.mdp().expect("valid");
        let policy = Policy::uniform(maze.states(), ACTIONS);
        let uniform = evaluate(&uniform, &policy).expect("solvable");
        assert!((seen.start_value - uniform.v[maze.start()]).abs() < 0.5, "{}", seen.start_value);
        assert!(seen.relative_star_distance > 0.01);
        let (blind, _) = report(0.0);
        assert!(blind.star_distance.abs() < 1e-12, "{}", blind.star_distance);
    }
}
