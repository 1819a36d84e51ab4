//! The tours of the page ([`crate::tour`]): a card explains one part of the page at a time, and the
//! part is outlined.
//!
//! The card is not a dialog: the page stays usable, so that the user can do what the card says. A
//! tour starts only on request.

use deepspi_run::world::World;
use leptos::html::{Button, Div};
use leptos::prelude::*;
use web_sys::{
    Element, KeyboardEvent, ScrollBehavior, ScrollIntoViewOptions, ScrollLogicalPosition,
};

use super::atari::linked::show_free_cartridge;
use super::atari::state::Arcade;
use super::emulators::{Availability, Emulators};
use super::motion::is_calm;
use super::state::Room;
use super::storage::{recall, remember};
use crate::tour::{Step, TOURS};

const STORED: &str = "tour";
const SEEN: &str = "seen";
/// CSS class of the element that a step explains.
const TARGET: &str = "tour-target";

/// Where a tour is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    /// Index of the tour.
    tour: usize,
    /// Index of the step, among those that this site can show.
    step: usize,
}

/// The tours, of which at most one is running.
#[derive(Clone, Copy, Debug)]
pub struct Tours {
    arcade: Arcade,
    place: RwSignal<Option<Place>>,
    seen: RwSignal<bool>,
}

impl Tours {
    /// Provides the state of the tours, none of which is running, as a context.
    pub fn provide(arcade: Arcade) {
        let seen = recall(STORED).as_deref() == Some(SEEN);
        provide_context(Self { arcade, place: RwSignal::new(None), seen: RwSignal::new(seen) });
    }

    /// Whether this site has the emulator. Nothing is asked for: a first visit must load nothing of
    /// Atari.
    fn has_emulator(self) -> bool {
        match self.arcade.playground.emulators.availability.get() {
            Availability::Here => true,
            Availability::Unknown => Emulators::is_offered(),
            Availability::Absent(_) => false,
        }
    }

    fn is_offered(self, tour: usize) -> bool {
        let world = self.arcade.playground.opened.with(|opened| opened.world().ok());
        let has_maze = world.as_ref().is_some_and(World::has_exact_values);
        TOURS[tour].is_offered(self.has_emulator(), has_maze)
    }

    /// The steps of a tour on this site.
    fn steps(self, tour: usize) -> Vec<&'static Step> {
        TOURS[tour].steps(self.has_emulator()).collect()
    }

    fn current(self) -> Option<&'static Step> {
        let place = self.place.get()?;
        self.steps(place.tour).get(place.step).copied()
    }

    fn start(self, tour: usize) {
        // So that it is known when the tour comes to the games.
        if Emulators::is_offered() {
            self.arcade.playground.emulators.ask();
        }
        self.go(Place { tour, step: 0 });
    }

    fn go(self, place: Place) {
        let Some(step) = untrack(move || self.steps(place.tour)).get(place.step).copied() else {
            return;
        };
        if let Some(room) = step.room {
            if room == Room::Atari && TOURS[place.tour].is_about_cartridge {
                show_free_cartridge(self.arcade);
            }
            self.arcade.playground.room.set(room);
        }
        self.place.set(Some(place));
    }

    fn end(self) {
        self.place.set(None);
        self.seen.set(true);
        remember(STORED, SEEN);
    }
}

/// The buttons that start the tours.
#[component]
pub fn TourButtons() -> impl IntoView {
    let tours = expect_context::<Tours>();
    (0..TOURS.len())
        .map(|tour| {
            view! {
                <Show when=move || tours.is_offered(tour)>
                    <TourButton tour/>
                </Show>
            }
        })
        .collect_view()
}

#[component]
fn TourButton(tour: usize) -> impl IntoView {
    let tours = expect_context::<Tours>();
    let button = NodeRef::<Button>::new();
    let was_on = StoredValue::new(false);
    Effect::new(move |_| {
        let place = tours.place.get();
        // At the end of the tour the focus returns to its button, for users of the keyboard.
        if let Some(button) = button.get().filter(|_| was_on.get_value() && place.is_none()) {
            drop(button.focus());
        }
        was_on.set_value(place.is_some_and(|place| place.tour == tour));
    });
    let is_first = tour == 0;
    view! {
        <button
            type="button"
            id=TOURS[tour].id
            title=format!("A tour: {}", TOURS[tour].about)
            class:primary=move || is_first && !tours.seen.get()
            node_ref=button
            on:click=move |_| tours.start(tour)
        >
            {TOURS[tour].label}
        </button>
    }
}

/// The card.
#[component]
pub fn TourCard() -> impl IntoView {
    let tours = expect_context::<Tours>();
    let card = NodeRef::<Div>::new();
    Effect::new(move |_| {
        outline(tours.current());
        if let Some(card) = card.get() {
            drop(card.focus());
        }
    });
    let on_key = move |event: KeyboardEvent| {
        let Some(Place { tour, step }) = tours.place.get_untracked() else { return };
        let last = untrack(move || tours.steps(tour)).len() - 1;
        match event.key().as_str() {
            "Escape" => tours.end(),
            "ArrowRight" => tours.go(Place { tour, step: (step + 1).min(last) }),
            "ArrowLeft" => tours.go(Place { tour, step: step.saturating_sub(1) }),
            _ => return,
        }
        event.prevent_default();
    };
    let view_step = move |Place { tour, step: index }: Place| {
        let steps = tours.steps(tour);
        let (step, last) = (steps.get(index)?, steps.len() - 1);
        let go = move |step: usize| tours.go(Place { tour, step });
        let next = move |_| if index < last { go(index + 1) } else { tours.end() };
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
                    <span class="muted">{format!("{} of {}", index + 1, steps.len())}</span>
                    <button
                        type="button"
                        disabled=index == 0
                        on:click=move |_| go(index.saturating_sub(1))
                    >
                        "Back"
                    </button>
                    <button type="button" class="primary" on:click=next>
                        {if index < last { "Next" } else { "Done" }}
                    </button>
                    <button type="button" on:click=move |_| tours.end()>
                        "Close"
                    </button>
                </div>
            </div>
        })
    };
    move || tours.place.get().map(view_step)
}

/// Outlines the element of a step, and no other element.
fn outline(step: Option<&Step>) {
    if let Some(old) = find(&format!(".{TARGET}")) {
        drop(old.class_list().remove_1(TARGET));
    }
    // A room does not always contain the element; then the room itself is outlined.
    let target = step.and_then(|step| find(step.selector).or_else(|| find("#room")));
    let Some(target) = target else { return };
    // The visitor may have folded the part away.
    if let Ok(Some(folded)) = target.closest("details") {
        drop(folded.set_attribute("open", ""));
    }
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
