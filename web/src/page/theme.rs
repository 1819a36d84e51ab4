//! The theme: light, dark, or the system's.
//!
//! The choice is an attribute of the document, which `web/style/base.css` uses.

use leptos::prelude::*;

use super::storage::{recall, remember};

const STORED: &str = "theme";
const ATTRIBUTE: &str = "data-theme";
/// Value and label; the first is the default and sets nothing.
const THEMES: [(&str, &str); 3] =
    [("auto", "Theme: auto"), ("light", "Theme: light"), ("dark", "Theme: dark")];

fn known(name: &str) -> &'static str {
    THEMES.iter().find(|theme| theme.0 == name).map_or(THEMES[0].0, |theme| theme.0)
}

fn apply(name: &str) {
    let Some(root) = document().document_element() else { return };
    // Neither call can fail, because the attribute's name is valid.
    drop(if name == THEMES[0].0 {
        root.remove_attribute(ATTRIBUTE)
    } else {
        root.set_attribute(ATTRIBUTE, name)
    });
}

/// The control that selects the theme.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let theme = RwSignal::new(known(&recall(STORED).unwrap_or_default()));
    apply(theme.get_untracked());
    let choose = move |event| {
        let name = known(&event_target_value(&event));
        theme.set(name);
        apply(name);
        remember(STORED, name);
    };
    let options = THEMES.map(|(name, label)| {
        view! { <option value=name prop:selected=move || theme.get() == name>{label}</option> }
    });
    view! {
        <select id="theme" aria-label="Theme" on:change=choose>
            {options.collect_view()}
        </select>
    }
}
