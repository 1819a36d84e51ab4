//! The controls: who acts, which step is shown, and other random numbers.

use deepspi_worlds::maze::Action;
use leptos::prelude::*;
use web_sys::KeyboardEvent;

use super::signals::DreamSignals;
use crate::cells;
use crate::dreamt::{self, LONGEST};

/// Keys, signs and actions of the pad.
const KEYS: [(&str, &str, Action); 4] = [
    ("ArrowUp", "↑", Action::Up),
    ("ArrowDown", "↓", Action::Down),
    ("ArrowLeft", "←", Action::Left),
    ("ArrowRight", "→", Action::Right),
];

/// All controls of the room.
#[component]
pub fn Pad(dream: DreamSignals) -> impl IntoView {
    let choices = dream.choices;
    let press = move |action| {
        choices.update(|choices| choices.press(action));
        dream.step.set(None);
    };
    let is_full = move || choices.with(|choices| choices.own.len() >= LONGEST);
    let button = move |(_, sign, action): (&'static str, &'static str, Action)| {
        view! {
            <button
                type="button"
                class="dream-key"
                data-action=dreamt::action(action)
                aria-label=dreamt::action(action)
                aria-disabled=move || is_full().to_string()
                on:click=move |_| press(action)
            >
                {sign}
            </button>
        }
    };
    let by_key = move |event: KeyboardEvent| {
        let found = KEYS.iter().find(|(key, ..)| *key == event.key());
        let modified = event.ctrl_key() || event.alt_key() || event.meta_key();
        if let (Some((_, _, action)), false) = (found, modified) {
            event.prevent_default();
            press(*action);
        }
    };
    let has_own = Memo::new(move |_| choices.with(|choices| !choices.own.is_empty()));
    let change = move |change: &dyn Fn(&mut dreamt::Choices)| {
        choices.update(|choices| change(choices));
        dream.step.set(None);
    };
    let who = move || {
        choices.with(|choices| match choices.own.len() {
            0 => format!(
                "Each agent acts as its policy says, for {} steps. Press an action to take over.",
                choices.horizon
            ),
            LONGEST => {
                format!("You act. {LONGEST} steps are the most; take one back or start again.")
            }
            steps => format!(
                "You act: {}.",
                choices.own[..steps]
                    .iter()
                    .map(|a| dreamt::action(*a))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        })
    };
    let start = move || {
        let state = dream.start.get();
        let maze = dream.shown.mazes[0].read();
        maze.as_ref().map(|maze| format!("From: {}. ", cells::heading(maze, state)))
    };
    let step = move || dream.step.get().unwrap_or_else(|| dream.longest()).min(dream.longest());
    view! {
        <section class="card dream-pad" aria-label="The dream">
            <p class="dream-who" aria-live="polite">{start} {who}</p>
            <div class="dream-controls">
                <div class="dream-keys" role="group" aria-label="Actions" on:keydown=by_key>
                    {KEYS.map(button).into_iter().collect_view()}
                </div>
                <div class="buttons">
                    <button
                        type="button"
                        disabled=move || !has_own.get()
                        on:click=move |_| change(&|choices| { choices.own.pop(); })
                    >
                        "Take one back"
                    </button>
                    <button
                        type="button"
                        id="dream-agent-acts"
                        disabled=move || !has_own.get()
                        on:click=move |_| change(&|choices| choices.own.clear())
                    >
                        "Let the agent act"
                    </button>
                    <button
                        type="button"
                        id="dream-chance"
                        on:click=move |_| change(&|choices| choices.seed += 1)
                    >
                        "Other random numbers"
                    </button>
                </div>
                <label>
                    "Steps of the agent "
                    <input
                        type="range"
                        id="dream-horizon"
                        min="1"
                        max=LONGEST
                        prop:value=move || choices.with(|choices| choices.horizon)
                        disabled=move || has_own.get()
                        on:input:target=move |event| {
                            if let Ok(steps) = event.target().value().parse::<usize>() {
                                change(&|choices| choices.horizon = steps.clamp(1, LONGEST));
                            }
                        }
                    />
                    {move || choices.with(|choices| choices.horizon)}
                </label>
                <label>
                    "Shown step "
                    <input
                        type="range"
                        id="dream-step"
                        min="1"
                        max=move || dream.longest().max(1)
                        prop:value=step
                        on:input:target=move |event| {
                            dream.step.set(event.target().value().parse().ok());
                        }
                    />
                    {move || format!("{} of {}", step(), dream.longest())}
                </label>
            </div>
        </section>
    }
}
