//! What the worker reports, into the page's signals: the only place that writes them for it.

use std::sync::Arc;

use leptos::prelude::*;

use super::state::{Phase, Playground};
use crate::history::History;
use crate::protocol::{Report, Status};

/// Takes in a report.
pub fn handle(playground: Playground, report: Report) {
    match report {
        Report::Listening => playground.worker_listens(),
        Report::Preparing { text } => playground.phase.set(Phase::Preparing(text)),
        Report::Opened { device, experiment, iterations } => {
            for (agent, iterations) in playground.agents.iter().zip(iterations) {
                if agent.replaced.get_untracked() {
                    agent.replaced.set(false);
                    agent.history.set(History::default());
                } else {
                    agent.history.update(|history| history.truncate(iterations));
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
        Report::Event { agent, message } => {
            playground.agents[agent].history.update(|history| history.push(message));
        }
        Report::View { agent, view } => {
            // Most views have none: the last one stays.
            if let Some(assessment) = &view.assessment {
                playground.agents[agent].assessment.set(Some(Arc::new(assessment.clone())));
            }
            playground.agents[agent].view.set(Some(Arc::from(view)));
        }
        Report::Checkpoint { agent, asked, archive } => {
            if asked {
                let signals = playground.agents[agent];
                signals.saved.set(signals.history.with_untracked(|h| h.iterations.len()));
                super::download::offer(
                    &format!("{}.zip", archive.name),
                    "application/zip",
                    &archive.bytes,
                );
            }
            playground.agents[agent].kept.set(Some(archive));
        }
        Report::Status(status) => playground.status.set(status),
        Report::Notice { text } => playground.notify(text),
        Report::Refused { text } => {
            for agent in playground.agents {
                agent.replaced.set(false);
            }
            playground.notify(text);
        }
        Report::Fault { text } => fault(playground, text),
        Report::Drawing { agent, by_worker } => {
            playground.agents[agent].drawn_by_worker.set(by_worker);
        }
    }
}

/// Training cannot go on with this worker. Said once: what follows a fault is its consequence.
pub fn fault(playground: Playground, text: String) {
    if matches!(playground.phase.get_untracked(), Phase::Faulted(_)) {
        return;
    }
    playground.status.set(Status::default());
    playground.phase.set(Phase::Faulted(text));
}
