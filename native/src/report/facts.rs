//! What a reader must know of a sweep before its numbers.

use std::collections::BTreeSet;
use std::ffi::OsString;

use deepspi_run::run_files::RunInfo;
use deepspi_worlds::atari::AtariOptions;
use serde::Serialize;

use super::analysis::Report;
use super::request::{Effort, Request};
use super::runs::{RunData, protocol};
use crate::sweep::Sweep;

/// Settings and origin of a sweep and of its report.
#[derive(Clone, Debug, Serialize)]
pub struct Facts {
    /// Specification of the sweep.
    pub sweep: Sweep,
    /// Agent steps of every run.
    pub steps: u64,
    /// Number of runs in the sweep.
    pub runs: usize,
    /// Number of finished runs.
    pub finished: usize,
    /// Devices that trained.
    pub devices: BTreeSet<String>,
    /// Versions and source revisions of the programs that trained.
    pub revisions: BTreeSet<String>,
    /// Version and source revision of the program that made the report.
    pub report_revision: String,
    /// Protocols of the evaluations.
    pub evaluations: BTreeSet<String>,
    /// The command that made the report.
    pub command: String,
    /// Resamples of the bootstrap.
    pub effort: Effort,
}

impl Facts {
    /// Collects the facts for a report.
    pub fn new(sweep: &Sweep, report: &Report, request: &Request<'_>) -> Self {
        let infos = || report.runs.iter().filter_map(|run| run.info.as_ref());
        let revision = |info: &RunInfo| format!("{} {}", info.version, info.revision);
        let evaluations = report.runs.iter().filter_map(RunData::evaluated);
        Self {
            sweep: sweep.clone(),
            steps: report.runs.iter().map(|run| run.total).max().unwrap_or(0),
            runs: report.runs.len(),
            finished: report.runs.iter().filter(|run| RunData::is_finished(run)).count(),
            devices: infos().map(|info| info.device.clone()).collect(),
            revisions: infos().map(revision).collect(),
            report_revision: format!("{} {}", env!("CARGO_PKG_VERSION"), env!("DEEPSPI_REVISION")),
            evaluations: evaluations.map(|evaluation| evaluation.protocol.describe()).collect(),
            command: command(&request.arguments),
            effort: request.effort,
        }
    }

    /// The environments of training, in words.
    pub fn protocol(&self) -> String {
        let stochastic = self.sweep.stochastic;
        let rules = AtariOptions::training(stochastic, self.sweep.atari.as_ref()).describe();
        format!("{}: {rules}", protocol(stochastic))
    }
}

/// A command as it is typed into a shell.
fn command(arguments: &[OsString]) -> String {
    let words: Vec<_> = arguments.iter().map(|word| word.to_string_lossy()).collect();
    let words = || words.iter().map(AsRef::as_ref);
    // Joining fails only for a zero byte, which no argument contains.
    let arguments = shlex::try_join(words()).unwrap_or_else(|_| words().collect());
    format!("native {arguments}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_given_again() {
        let words = ["report", "my sweep", "--out", "a"].map(OsString::from);
        assert_eq!(command(&words), "native report 'my sweep' --out a");
    }
}
