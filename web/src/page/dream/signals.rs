//! The plan of the visitor, and the imagined steps of both agents.

use std::sync::Arc;

use deepspi_playground::experiment::AGENTS;
use deepspi_playground::protocol::Request;
use deepspi_run::maze::{DreamPlan, MazeDream};
use deepspi_worlds::maze::Maze;
use leptos::prelude::*;

use crate::dreamt::{Choices, return_errors};
use crate::page::charts::{COLOURS, DASHES};
use crate::page::maze::signals::MazeSignals;
use crate::page::state::{Dreamt, Phase, Playground};
use crate::plot::{Dash, Series};

/// Minimum time in milliseconds between two requests during training: imagining takes time from it.
const PERIOD: f64 = 1000.0;

/// The signals of the room.
#[derive(Clone, Copy, Debug)]
pub struct DreamSignals {
    /// The mazes and views of the agents.
    pub shown: MazeSignals,
    /// What the visitor chose.
    pub choices: RwSignal<Choices>,
    /// The state where the dream begins.
    pub start: Memo<usize>,
    /// The step that is shown, from 1; none: the last one.
    pub step: RwSignal<Option<usize>>,
    /// The true state of each agent at that step.
    pub places: [RwSignal<Option<usize>>; AGENTS],
}

impl DreamSignals {
    /// Asks the worker whenever the plan or an agent has changed.
    pub fn new(playground: Playground, shown: MazeSignals) -> Self {
        let choices = RwSignal::new(Choices::default());
        let start = Memo::new(move |_| shown.selected());
        // Other rooms begin at a star, where an episode ends after one step.
        Effect::new(move || {
            let begin = shown.mazes[0].with(|maze| maze.as_ref().map(Maze::start));
            if playground.selected.get_untracked().is_none() && begin.is_some() {
                playground.selected.set(begin);
            }
        });
        let dream = Self {
            shown,
            choices,
            start,
            step: RwSignal::new(None),
            places: [0; AGENTS].map(|_| RwSignal::new(None)),
        };
        let ready = Memo::new(move |_| {
            playground.phase.get() == Phase::Ready && shown.mazes[0].with(Option::is_some)
        });
        Effect::new(move || {
            start.track();
            dream.step.set(None);
        });
        let last = StoredValue::new(f64::NEG_INFINITY);
        Effect::new(move |before: Option<Option<DreamPlan>>| {
            shown.drawn.track();
            let plan = choices.with(|choices| choices.plan(start.get()));
            let plan = ready.get().then_some(plan);
            let now = window().performance().map_or(0.0, |performance| performance.now());
            let running = playground.status.get_untracked().running;
            let is_new = before.is_none_or(|before| before != plan);
            if let Some(plan) = &plan
                && (is_new || !running || now - last.get_value() > PERIOD)
            {
                last.set_value(now);
                playground.send(&Request::Dream(plan.clone()));
            }
            plan
        });
        Effect::new(move || {
            for agent in 0..AGENTS {
                let state = dream.shown_step(agent).map(|(dream, step)| dream.states[step]);
                dream.places[agent].set(state);
            }
        });
        dream
    }

    /// What came of the plan.
    pub fn of(self, agent: usize) -> Dreamt {
        self.shown.playground().agents[agent].dream.get()
    }

    /// The imagined steps of an agent, and the index of the one that is shown; none if it has none.
    pub fn shown_step(self, agent: usize) -> Option<(Arc<MazeDream>, usize)> {
        let Dreamt::Steps(dream) = self.of(agent) else { return None };
        let last = dream.states.len().checked_sub(1)?;
        let step = self.step.get().map_or(last, |step| step.saturating_sub(1).min(last));
        Some((dream, step))
    }

    /// The largest number of steps of the agents.
    pub fn longest(self) -> usize {
        let steps = |agent| self.shown_step(agent).map_or(0, |(dream, _)| dream.states.len());
        (0..AGENTS).map(steps).max().unwrap_or(0)
    }

    /// Errors of the return and their bounds.
    pub fn errors(self) -> Signal<Vec<Series>> {
        self.curves(move |agent, dream| {
            let gamma = self.shown.playground().opened.with(|opened| opened.agents[agent].gamma);
            let errors = return_errors(&dream.looked, gamma.into());
            vec![errors.iter().map(|e| e[0]).collect(), errors.iter().map(|e| e[1]).collect()]
        })
    }

    /// Distances of imagined latents.
    pub fn distances(self) -> Signal<Vec<Series>> {
        self.curves(|_, dream| {
            let relative = |distance: f32| f64::from(distance) / dream.typical_distance;
            vec![dream.looked.steps.iter().map(|step| relative(step.distance)).collect()]
        })
    }

    /// Curves over steps for each agent; the second one of an agent is a bound.
    fn curves(
        self,
        of: impl Fn(usize, &MazeDream) -> Vec<Vec<f64>> + Copy + Send + Sync + 'static,
    ) -> Signal<Vec<Series>> {
        Signal::derive(move || {
            let curves = |agent: usize| {
                let Dreamt::Steps(dream) = self.of(agent) else { return Vec::new() };
                let label = self.shown.playground().agent_label(agent);
                let series =
                    |(k, values): (usize, Vec<f64>)| curve(agent, label.clone(), k > 0, values);
                of(agent, &dream).into_iter().enumerate().map(series).collect::<Vec<_>>()
            };
            (0..AGENTS).flat_map(curves).collect()
        })
    }
}

/// A curve over imagined steps, from 1, of an agent; a bound is dotted.
pub fn curve(agent: usize, label: String, is_bound: bool, values: Vec<f64>) -> Series {
    Series {
        label: if is_bound { format!("bound of {label}") } else { label }.into(),
        colour: COLOURS[agent],
        dash: if is_bound { Dash::Dotted } else { DASHES[agent] },
        points: values.into_iter().enumerate().map(|(t, y)| [(t + 1) as f64, y]).collect(),
    }
}
