//! A tour of the page in a few steps: a card explains one part of the page at a time, and the part
//! is outlined.
//!
//! The card is not a dialog: the page stays usable, so that the user can do what the card says. The
//! tour starts only on request.

use leptos::html::{Button, Div};
use leptos::prelude::*;
use web_sys::{
    Element, KeyboardEvent, ScrollBehavior, ScrollIntoViewOptions, ScrollLogicalPosition,
};

use super::motion::is_calm;
use super::state::{Playground, Room};
use super::storage::{recall, remember};

const STORED: &str = "tour";
const SEEN: &str = "seen";
/// CSS class of the element that a step explains.
const TARGET: &str = "tour-target";

struct Step {
    room: Option<Room>,
    /// Selector of the element that the step explains.
    selector: &'static str,
    title: &'static str,
    text: &'static str,
}

const STEPS: [Step; 8] = [
    Step {
        room: Some(Room::Neighbourhood),
        selector: ".nb-triangle",
        title: "A policy near a policy",
        text: "An agent that learns a model of its world may trust the model only where it has been. \
               DeepSPI therefore keeps each new policy near the old one: no action may become more than \
               C times as likely. This room shows that neighbourhood.",
    },
    Step {
        room: Some(Room::Maze),
        selector: ".maze-boards",
        title: "Two agents, one maze",
        text: "Two corridors look alike. Going up at the end of the upper one pays, at the end of the lower \
               one it costs dearly. An agent that does not tell them apart had better go right.",
    },
    Step {
        room: Some(Room::Maze),
        selector: "#start",
        title: "Train",
        text: "Start trains both agents with the same seed, here on your machine. Space does the same. \
               One update makes a single step, so that you can watch what it changes.",
    },
    Step {
        room: Some(Room::Maze),
        selector: ".charts",
        title: "Watch",
        text: "V at the start is computed exactly, not estimated. Compare it with the optimum and with an agent \
               that always goes right. Point at a cell to see what the agent thinks there.",
    },
    Step {
        room: Some(Room::Latents),
        selector: ".latents-panels",
        title: "What the agent sees",
        text: "Each state of the maze becomes a latent, a point. The line joins the ends of the two \
               corridors: as long as it is short, the agent can hardly tell them apart.",
    },
    Step {
        room: Some(Room::Theory),
        selector: "#room",
        title: "What is guaranteed",
        text: "The terms of the theorems with the current numbers. If a premise fails, the bound \
               says nothing, and the page names the premise.",
    },
    Step {
        room: None,
        selector: "#preset",
        title: "Other experiments",
        text: "Presets are instructive experiments, each with its measured results. The seed \
               changes only the random numbers: try several before you believe a curve.",
    },
    Step {
        room: None,
        selector: "#settings-title",
        title: "Your own",
        text: "All settings of both agents can be changed here. The address of the page changes \
               with them, so its link reproduces your experiment. Have fun.",
    },
];

/// The current step of the tour; none if the tour is not running.
#[derive(Clone, Copy, Debug)]
pub struct Tour {
    step: RwSignal<Option<usize>>,
    seen: RwSignal<bool>,
}

impl Tour {
    /// Provides the state of the tour, which is not running, as a context.
    pub fn provide() {
        let seen = recall(STORED).as_deref() == Some(SEEN);
        provide_context(Self { step: RwSignal::new(None), seen: RwSignal::new(seen) });
    }

    fn go(self, playground: Playground, index: usize) {
        let Some(step) = STEPS.get(index) else { return };
        if let Some(room) = step.room {
            playground.room.set(room);
        }
        self.step.set(Some(index));
    }

    fn end(self) {
        self.step.set(None);
        self.seen.set(true);
        remember(STORED, SEEN);
    }
}

/// The button that starts the tour.
#[component]
pub fn TourButton() -> impl IntoView {
    let (playground, tour) = (Playground::here(), expect_context::<Tour>());
    let button = NodeRef::<Button>::new();
    let was_on = StoredValue::new(false);
    Effect::new(move |_| {
        let on = tour.step.get().is_some();
        // At the end of the tour the focus returns to this button, for users of the keyboard.
        if let Some(button) = button.get().filter(|_| was_on.get_value() && !on) {
            drop(button.focus());
        }
        was_on.set_value(on);
    });
    view! {
        <button
            type="button"
            id="tour"
            class:primary=move || !tour.seen.get()
            node_ref=button
            on:click=move |_| tour.go(playground, 0)
        >
            "Tour"
        </button>
    }
}

/// The card.
#[component]
pub fn TourCard() -> impl IntoView {
    let (playground, tour) = (Playground::here(), expect_context::<Tour>());
    let card = NodeRef::<Div>::new();
    Effect::new(move |_| {
        outline(tour.step.get().and_then(|index| STEPS.get(index)));
        if let Some(card) = card.get() {
            drop(card.focus());
        }
    });
    let last = STEPS.len() - 1;
    let on_key = move |event: KeyboardEvent| {
        let Some(here) = tour.step.get_untracked() else { return };
        match event.key().as_str() {
            "Escape" => tour.end(),
            "ArrowRight" => tour.go(playground, (here + 1).min(last)),
            "ArrowLeft" => tour.go(playground, here.saturating_sub(1)),
            _ => return,
        }
        event.prevent_default();
    };
    let view_step = move |index: usize| {
        let step = STEPS.get(index)?;
        let next = move |_| if index < last { tour.go(playground, index + 1) } else { tour.end() };
        Some(view! {
            <div
                class="tour card"
                role="region"
                aria-labelledby="tour-title"
                aria-describedby="tour-text"
                tabindex="-1"
                node_ref=card
                on:keydown=on_key
            >
                <h2 id="tour-title">{step.title}</h2>
                <p id="tour-text">{step.text}</p>
                <div class="buttons">
                    <span class="muted">{format!("{} of {}", index + 1, STEPS.len())}</span>
                    <button
                        type="button"
                        disabled=index == 0
                        on:click=move |_| tour.go(playground, index.saturating_sub(1))
                    >
                        "Back"
                    </button>
                    <button type="button" class="primary" on:click=next>
                        {if index < last { "Next" } else { "Done" }}
                    </button>
                    <button type="button" on:click=move |_| tour.end()>
                        "Close"
                    </button>
                </div>
            </div>
        })
    };
    move || tour.step.get().map(view_step)
}

/// Outlines the element of a step, and no other element.
fn outline(step: Option<&Step>) {
    if let Some(old) = find(&format!(".{TARGET}")) {
        drop(old.class_list().remove_1(TARGET));
    }
    // A room does not always contain the element; then the room itself is outlined.
    let target = step.and_then(|step| find(step.selector).or_else(|| find("#room")));
    let Some(target) = target else { return };
    drop(target.class_list().add_1(TARGET));
    // The bar of the controls is always visible, so the page need not scroll.
    if target.closest(".controls").is_ok_and(|bar| bar.is_some()) {
        return;
    }
    let options = ScrollIntoViewOptions::new();
    options.set_behavior(if is_calm() { ScrollBehavior::Instant } else { ScrollBehavior::Smooth });
    options.set_block(ScrollLogicalPosition::Start);
    target.scroll_into_view_with_scroll_into_view_options(&options);
}

fn find(selector: &str) -> Option<Element> {
    document().query_selector(selector).ok().flatten()
}
