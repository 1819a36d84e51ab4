//! Selects a point with pointer, finger or keys.
//!
//! For keyboards and screen readers this is a list box whose options are the cells of the maze.
//! Arrow keys move to the next point in their direction.

use deepspi_playground::scene::pick;
use leptos::prelude::*;
use web_sys::{KeyboardEvent, PointerEvent};

use super::model::Panel;
use crate::cells;

/// Largest distance from a point at which it is selected, in CSS pixels: with a mouse, with a
/// finger.
const REACH: [f32; 2] = [16.0, 28.0];

/// The layer that takes pointer and keys.
#[component]
pub fn Picker(
    /// The panel that it covers.
    panel: Panel,
    /// Its name for screen readers.
    #[prop(into)]
    label: Signal<String>,
) -> impl IntoView {
    let desk = panel.desk;
    let selected = desk.selected;
    let agent = panel.agent;
    let id = move |state: usize| format!("latent-{agent}-{state}");
    let under = move |event: &PointerEvent| {
        let reach = REACH[usize::from(event.pointer_type() == "touch")];
        #[expect(clippy::cast_precision_loss, reason = "pixels")]
        let pointer = [event.offset_x() as f32, event.offset_y() as f32];
        untrack(|| pick::at(&panel.places(), pointer, reach))
    };
    let hover = move |state: Option<usize>| {
        if desk.hovered.get_untracked() != state {
            desk.hovered.set(state);
        }
    };
    let on_key = move |event: KeyboardEvent| {
        if event.ctrl_key() || event.alt_key() || event.meta_key() {
            return;
        }
        let key = event.key();
        let next = untrack(|| pick::by_key(&panel.places(), desk.focus(), &key));
        if next.is_some() || key == "Escape" {
            event.prevent_default();
            hover(None);
            selected.set(next);
        }
    };
    let options = move || {
        panel.maze.with(|maze| {
            let maze = maze.as_ref()?;
            let option = |state: usize| {
                let is_selected = move || (desk.focus() == Some(state)).to_string();
                view! {
                    <div role="option" class="visually-hidden" id=id(state) aria-selected=is_selected>
                        {cells::heading(maze, state)}
                    </div>
                }
            };
            Some((0..maze.states()).map(option).collect_view())
        })
    };
    view! {
        <div
            class="latents-picker"
            class:over=move || desk.hovered.get().is_some()
            role="listbox"
            tabindex="0"
            aria-label=label
            aria-activedescendant=move || desk.focus().map(id)
            on:keydown=on_key
            on:pointermove=move |event| hover(under(&event))
            on:pointerleave=move |_| hover(None)
            on:pointerup=move |event| selected.set(under(&event))
        >
            {options}
        </div>
    }
}
