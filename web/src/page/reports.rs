//! Writes the worker's reports into the page's signals. No other code does this.

use std::sync::Arc;

use deepspi_playground::experiment::Experiment;
use deepspi_playground::protocol::{Report, Status};
use leptos::prelude::*;

use super::download;
use super::state::{Dreamt, Phase, Playground};
use crate::run::Run;

/// Handles a report.
pub fn handle(playground: Playground, report: Report) {
    match report {
        Report::Listening => playground.worker_listens(),
        Report::Preparing { text } => playground.phase.set(Phase::Preparing(text)),
        Report::Opened { device, experiment, iterations } => {
            let world = playground.opened.with_untracked(Experiment::world);
            for (agent, iterations) in playground.agents.iter().zip(iterations) {
                agent.run.update(|run| run.opened(iterations));
                // The old views belong to the states of another world.
                if world != experiment.world() {
                    agent.forget_views();
                }
            }
            playground.device.set(Some(device));
            if playground.opened.get_untracked() != *experiment {
                playground.experiment.set((*experiment).clone());
                playground.opened.set(*experiment);
            }
            playground.status.set(Status::default());
            playground.phase.set(Phase::Ready);
        }
        Report::Event { agent, event } => {
            playground.agents[agent].run.update(|run| run.push(event));
        }
        Report::View { agent, view } => {
            let signals = playground.agents[agent];
            if signals.run.with_untracked(Run::is_given_up) {
                return;
            }
            // Most views have no assessment; then the last one stays.
            if let Some(assessment) = &view.assessment {
                signals.assessment.set(Some(Arc::new(assessment.clone())));
            }
            signals.view.set(Some(Arc::from(view)));
        }
        Report::Checkpoint { agent, asked: true, archive } => playground.offer(agent, archive),
        Report::Checkpoint { agent, asked: false, archive } => {
            playground.agents[agent].run.update(|run| run.checkpoint(archive, false));
        }
        Report::Export(archive) => download::offer_archive(&archive),
        Report::Dream { agent, dream } => {
            let found = dream.map_or(Dreamt::Impossible, |dream| Dreamt::Steps(Arc::from(dream)));
            playground.agents[agent].dream.set(found);
        }
        Report::Networks { agent, networks } => {
            playground.agents[agent].networks.set(Some(Arc::from(networks)));
        }
        Report::Status(status) => playground.status.set(status),
        Report::Notice { text } => playground.notify(text),
        Report::Refused { text } => {
            for agent in playground.agents {
                agent.run.update(Run::stays);
            }
            let waits = playground.awaits.get_untracked().is_some();
            if !waits && matches!(playground.phase.get_untracked(), Phase::Preparing(_)) {
                playground.phase.set(Phase::Ready);
            }
            playground.notify(text);
        }
        Report::Fault { text } => fault(playground, text),
        Report::Drawing { agent, by_worker } => {
            playground.agents[agent].drawn_by_worker.set(by_worker);
        }
    }
}

/// Notes that this worker cannot continue. Only the first fault is shown, because later ones are
/// its consequences.
pub fn fault(playground: Playground, text: String) {
    if playground.phase.with_untracked(Phase::is_faulted) {
        return;
    }
    playground.status.set(Status::default());
    playground.phase.set(Phase::Faulted(text));
}
