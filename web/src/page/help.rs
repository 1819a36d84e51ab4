//! The list of keys, opened by `?` or by its button.

use leptos::html::Dialog;
use leptos::prelude::*;

use super::state::Room;
use super::storage::{recall, remember};

const STORED: &str = "keys";
const OFF: &str = "off";

/// Whether the dialog is open, and whether keys are enabled.
#[derive(Clone, Copy, Debug)]
pub struct Help {
    /// Whether the dialog is open.
    pub open: RwSignal<bool>,
    /// Whether single keys are enabled.
    pub keys: RwSignal<bool>,
}

impl Help {
    /// Creates the state; keys are enabled unless the user has disabled them.
    #[must_use]
    pub fn provide() -> Self {
        let keys = recall(STORED).as_deref() != Some(OFF);
        let help = Self { open: RwSignal::new(false), keys: RwSignal::new(keys) };
        provide_context(help);
        help
    }
}

/// Keys and their effects, as [`super::keys`] and the screens of the room Atari implement them.
const KEYS: [(&str, &str); 8] = [
    ("Space", "start or pause"),
    (". or n", "one update"),
    ("r", "reset; asks if there is progress"),
    ("1 to 6", "go to a room"),
    ("arrow keys and Space", "play, on a screen of the room Atari whose player is you"),
    ("?", "this list"),
    ("Esc", "close this list or the tour"),
    ("↑ ↓", "in a number box: the next round value"),
];

const _: () = assert!(Room::ALL.len() == 6, "the list of keys names the number of rooms");

/// The dialog.
#[component]
pub fn HelpDialog() -> impl IntoView {
    let help = expect_context::<Help>();
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        if help.open.get() && !dialog.open() {
            // This fails only for a dialog that is not in the page.
            drop(dialog.show_modal());
        } else if !help.open.get() && dialog.open() {
            dialog.close();
        }
    });
    let toggle = move |event| {
        let on = event_target_checked(&event);
        help.keys.set(on);
        remember(STORED, if on { "on" } else { OFF });
    };
    let rows = KEYS.map(|(key, meaning)| {
        view! {
            <tr>
                <th scope="row">
                    <kbd>{key}</kbd>
                </th>
                <td>{meaning}</td>
            </tr>
        }
    });
    view! {
        <dialog
            class="keys"
            aria-labelledby="keys-title"
            node_ref=dialog
            on:close=move |_| help.open.set(false)
        >
            <h2 id="keys-title">"Keys"</h2>
            <table>
                <tbody>{rows.collect_view()}</tbody>
            </table>
            <label class="check">
                <input type="checkbox" prop:checked=move || help.keys.get() on:change=toggle/>
                "Listen to these keys"
            </label>
            <button type="button" class="primary" on:click=move |_| help.open.set(false)>
                "Close"
            </button>
        </dialog>
    }
}
