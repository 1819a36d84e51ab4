//! One hyper-parameter: label, description, and for each part of the experiment that has it (the
//! maze, or both agents) a number box with a slider, a choice or a check box.

use deepspi_options::{Choice, FieldKind};
use leptos::prelude::*;

use super::draft::Draft;
use crate::form::{Control, Scope, choice_label, default_of, label, nearest_stop, plain};

/// A field in all parts of the experiment that have it.
#[component]
pub fn Field(
    /// The control of the field.
    control: &'static Control,
    /// The parts of the experiment, side by side.
    scopes: &'static [Scope],
) -> impl IntoView {
    let info = control.info(scopes[0]);
    let help_id = format!("help-{}-{}", scopes[0].key(), control.name);
    let open = RwSignal::new(false);
    let choices = match info.kind {
        FieldKind::Choice(choices) => choices,
        FieldKind::Flag | FieldKind::Whole | FieldKind::Real => &[],
    };
    let default = match scopes {
        [scope] => default_of(*scope, control.name),
        _ => {
            let mut all: Vec<_> =
                scopes.iter().map(|scope| default_of(*scope, control.name)).collect();
            all.dedup();
            all.join(" for A, ") + if all.len() > 1 { " for B" } else { "" }
        }
    };
    view! {
        <div class="field">
            <div class="field-name">
                {control.label}
                <button
                    type="button"
                    class="help"
                    aria-label=format!("What is {}?", control.label)
                    aria-expanded=move || open.get().to_string()
                    aria-controls=help_id.clone()
                    on:click=move |_| open.update(|open| *open = !*open)
                >
                    "?"
                </button>
            </div>
            <div class="help-text" id=help_id.clone() hidden=move || !open.get()>
                <p>{plain(&info.description())} " Default: " {default} "."</p>
                {(!choices.is_empty()).then(|| view! { <Meanings choices=choices/> })}
            </div>
            {scopes
                .iter()
                .map(|scope| {
                    view! { <Place control=control scope=*scope help_id=help_id.clone()/> }
                })
                .collect_view()}
        </div>
    }
}

/// The meanings of the choices.
#[component]
fn Meanings(choices: &'static [Choice]) -> impl IntoView {
    let entries = choices.iter().map(|choice| {
        view! { <li><b>{choice_label(choice.name)}</b> ": " {plain(&choice.description())}</li> }
    });
    view! { <ul>{entries.collect_view()}</ul> }
}

/// A field in one part of the experiment.
#[component]
fn Place(control: &'static Control, scope: Scope, help_id: String) -> impl IntoView {
    let (draft, name) = (Draft::here(), control.name);
    let id = format!("{}-{name}", scope.key());
    let error_id = format!("error-{id}");
    let (letter, place_class) = match scope {
        Scope::Maze | Scope::Game => (None, "place"),
        Scope::Agent(agent) => (Some(["A", "B"][agent]), ["place agent-0", "place agent-1"][agent]),
    };
    let label = label(scope, name);
    let default = default_of(scope, name);
    let back = format!("{label}: back to the default, {default}");
    let error = Memo::new(move |_| draft.error(scope, name));
    let differs = Memo::new(move |_| draft.text(scope, name) != default);
    let described = {
        let error_id = error_id.clone();
        move || match error.get() {
            Some(_) => format!("{error_id} {help_id}"),
            None => help_id.clone(),
        }
    };
    let names = Names { id, label, described: Signal::derive(described), error };
    let input = match control.info(scope).kind {
        FieldKind::Flag => view! { <CheckBox control=control scope=scope names=names/> }.into_any(),
        FieldKind::Choice(choices) => {
            view! { <Select control=control scope=scope names=names choices=choices/> }.into_any()
        }
        FieldKind::Whole | FieldKind::Real => {
            view! { <NumberBox control=control scope=scope names=names/> }.into_any()
        }
    };
    view! {
        <div class=place_class class:changed=differs>
            <div class="place-line">
                {letter.map(|letter| view! { <span class="letter" aria-hidden="true">{letter}</span> })}
                {input}
                <button
                    type="button"
                    class="undo"
                    title=back.clone()
                    aria-label=back
                    disabled=move || !differs.get()
                    on:click=move |_| draft.to_default(scope, name)
                >
                    "↺"
                </button>
            </div>
            <p class="error" id=error_id hidden=move || error.get().is_none()>
                {move || error.get().map(|allowed| format!("Allowed: {allowed}."))}
            </p>
        </div>
    }
}

/// Id, label, description and error of an input.
#[derive(Clone, Debug)]
struct Names {
    id: String,
    label: String,
    described: Signal<String>,
    error: Memo<Option<String>>,
}

impl Names {
    fn invalid(&self) -> impl Fn() -> &'static str + Copy + Send + Sync + use<> {
        let error = self.error;
        move || if error.with(Option::is_some) { "true" } else { "false" }
    }
}

#[component]
fn NumberBox(control: &'static Control, scope: Scope, names: Names) -> impl IntoView {
    let (draft, name) = (Draft::here(), control.name);
    let invalid = names.invalid();
    let text = Memo::new(move |_| draft.text(scope, name));
    // The text as the user types it: "0.0" must not become "0" before the user has typed "0.05".
    let writing = RwSignal::new(None::<(String, String)>);
    let shown = move || match writing.get() {
        Some((written, meant)) if meant == text.get() => written,
        _ => text.get(),
    };
    let on_input = move |event| {
        let written = event_target_value(&event);
        draft.enter(scope, name, &written);
        writing.set(Some((written, text.get_untracked())));
    };
    let stops = StoredValue::new(control.slider.map(|slider| slider.stops()).unwrap_or_default());
    let at = move || stops.with_value(|stops| nearest_stop(stops, &draft.value(scope, name)));
    let last = stops.with_value(|stops| stops.len().saturating_sub(1));
    let enter_stop = move |index: usize| {
        if let Some(stop) = stops.with_value(|stops| stops.get(index).cloned()) {
            writing.set(None);
            draft.enter(scope, name, &stop);
        }
    };
    let on_key = move |event: web_sys::KeyboardEvent| {
        let here = untrack(at);
        let next = match event.key().as_str() {
            "ArrowUp" => (here + 1).min(last),
            "ArrowDown" => here.saturating_sub(1),
            _ => return,
        };
        event.prevent_default();
        enter_stop(next);
    };
    let slid = move |event| {
        if let Ok(index) = event_target_value(&event).parse() {
            enter_stop(index);
        }
    };
    let slider = (last > 0).then(|| {
        let default = stops.with_value(|stops| nearest_stop(stops, &default_of(scope, name)));
        let mark = format!("{:.4}", default as f64 / last as f64);
        view! {
            <span class="slide">
                <span class="default-mark" style=("--at", mark) aria-hidden="true"></span>
                <input
                    type="range"
                    min="0"
                    max=last
                    step="1"
                    aria-label=format!("{}, slider", names.label)
                    aria-valuetext=move || draft.value(scope, name)
                    prop:value=move || at().to_string()
                    on:input=slid
                />
            </span>
        }
    });
    view! {
        <input
            type="text"
            class="number"
            id=names.id
            inputmode="decimal"
            autocomplete="off"
            spellcheck="false"
            aria-label=names.label
            aria-describedby=move || names.described.get()
            aria-invalid=invalid
            prop:value=shown
            on:input=on_input
            on:keydown=on_key
            on:change=move |_| writing.set(None)
        />
        {slider}
    }
}

#[component]
fn Select(
    control: &'static Control,
    scope: Scope,
    names: Names,
    choices: &'static [Choice],
) -> impl IntoView {
    let (draft, name) = (Draft::here(), control.name);
    let invalid = names.invalid();
    let options = choices.iter().map(|choice| {
        let selected = move || draft.value(scope, name) == choice.name;
        view! {
            <option value=choice.name prop:selected=selected>{choice_label(choice.name)}</option>
        }
    });
    view! {
        <select
            id=names.id
            aria-label=names.label
            aria-describedby=move || names.described.get()
            aria-invalid=invalid
            on:change=move |event| draft.enter(scope, name, &event_target_value(&event))
        >
            {options.collect_view()}
        </select>
    }
}

#[component]
fn CheckBox(control: &'static Control, scope: Scope, names: Names) -> impl IntoView {
    let (draft, name) = (Draft::here(), control.name);
    let invalid = names.invalid();
    let on = move || draft.value(scope, name) == "true";
    view! {
        <input
            type="checkbox"
            id=names.id
            aria-label=names.label
            aria-describedby=move || names.described.get()
            aria-invalid=invalid
            prop:checked=on
            on:change=move |event| draft.enter(scope, name, &event_target_checked(&event).to_string())
        />
        <span class="state" aria-hidden="true">{move || if on() { "on" } else { "off" }}</span>
    }
}
