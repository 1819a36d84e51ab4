//! The scores of `evaluation.json` for a model card.

use anyhow::Result;
use deepspi_export::card::Scores;

use crate::evaluate::agent::Agent;
use crate::evaluate::{Evaluation, Summary};

/// The scores of an agent from the evaluation in its run folder; or why the evaluation there does not
/// count.
///
/// # Errors
/// If the file of the evaluation is damaged.
pub fn of(agent: &Agent) -> Result<(Option<Scores>, Option<String>)> {
    let Some(found) = Evaluation::read(&agent.run)? else { return Ok((None, None)) };
    if found.checkpoint != agent.checkpoint {
        let reason = format!(
            "The run has an evaluation of another checkpoint ({}); these are the weights of {}. \
             `native evaluate` measures them.",
            found.checkpoint, agent.checkpoint
        );
        return Ok((None, Some(reason)));
    }
    let Summary { mean, mean_low, mean_high, median, min, max, .. } = found.summary;
    let mut rows = vec![
        ("median return".to_owned(), format!("{median:.2}")),
        ("lowest and highest".to_owned(), format!("{min:.2} and {max:.2}")),
    ];
    if let Some(normalised) = found.summary.human_normalized_mean {
        let value = format!("{normalised:.3} (0 random, 1 human)");
        rows.push(("human-normalised mean".to_owned(), value));
    }
    rows.push(("mean length".to_owned(), format!("{:.1} steps", found.summary.mean_length)));
    let scores =
        Scores { protocol: found.protocol.describe(), mean, interval: [mean_low, mean_high], rows };
    Ok((Some(scores), None))
}
