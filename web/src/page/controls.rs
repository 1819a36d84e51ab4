//! The controls: start, pause, one update and reset; experiment, speed and device; the progress of
//! training.
//!
//! The bar with the buttons stays on screen while the page scrolls, so it contains only controls
//! that are always needed. The others are below it, and rarely used ones are in "More".

use deepspi_playground::experiment::AGENTS;
use leptos::prelude::*;

use super::address;
use super::atari::state::Arcade;
use super::copy::CopyButton;
use super::drop_target::DropTarget;
use super::export::{Format, save};
use super::file_input::LoadButton;
use super::settings::Pending;
use super::settings::draft::Draft;
use super::state::{Phase, Playground};
use crate::form::{SEED, Scope};
use crate::link::{DEVICES, PACES};
use crate::offers::{by_key, key_of};
use crate::presets::{PRESETS, Preset, matching};
use crate::run::Run;

/// The bar that stays on screen.
#[component]
pub fn Controls() -> impl IntoView {
    let (playground, draft) = (Playground::here(), Draft::here());
    let ready = move || playground.phase.get() == Phase::Ready;
    let running = Memo::new(move |_| playground.status.get().running);
    let finished = Memo::new(move |_| playground.status.get().finished);
    let toggle = move |_| {
        if running.get_untracked() { playground.pause() } else { draft.start() }
    };
    view! {
        <section class="controls" aria-label="Training">
            <button
                type="button"
                id="start"
                class="primary"
                disabled=move || !ready() || (finished.get() && !running.get())
                on:click=toggle
            >
                {move || if running.get() { "Pause" } else { "Start" }}
            </button>
            <button
                type="button"
                id="step"
                disabled=move || !ready() || running.get() || finished.get()
                on:click=move |_| draft.step()
            >
                "One update"
            </button>
            <button
                type="button"
                id="reset"
                disabled=move || !ready() || !draft.is_valid()
                on:click=move |_| draft.restart()
            >
                "Reset"
            </button>
            <div class="progress">
                {[0, 1].map(|agent| view! { <Progress agent=agent/> }).collect_view()}
            </div>
            <Pending/>
        </section>
    }
}

/// The progress of an agent.
#[component]
fn Progress(agent: usize) -> impl IntoView {
    let playground = Playground::here();
    let done = Memo::new(move |_| playground.agents[agent].run.with(Run::completed));
    let all =
        Memo::new(move |_| playground.opened.with(|opened| opened.agents[agent].num_iterations()));
    let name = move || format!("{} {}", ["A", "B"][agent], playground.agent_name(agent));
    view! {
        <div class=format!("progress-line agent-{agent}")>
            <span class="progress-name">{name}</span>
            <progress
                aria-label=move || format!("Progress of agent {}", name())
                max=move || all.get().to_string()
                value=move || done.get().to_string()
            ></progress>
            <span class="progress-count">{move || format!("{} of {}", done.get(), all.get())}</span>
        </div>
    }
}

/// Experiment, speed and device.
#[component]
pub fn Setup() -> impl IntoView {
    let playground = Playground::here();
    let speed = Memo::new(move |_| {
        let status = playground.status.get();
        if !status.running {
            return if status.finished { "Done.".to_owned() } else { String::new() };
        }
        let rate = status.updates_per_second;
        format!("{rate:.0$} gradient updates/s", usize::from(rate < 10.0))
    });
    let device = move || match (playground.phase.get(), playground.device.get()) {
        (Phase::Preparing(text), _) => format!("{text} …"),
        (_, Some(device)) => format!("Device: {}: {}.", device.name, device.reason),
        (_, None) => String::new(),
    };
    view! {
        <section class="setup" aria-label="Experiment">
            <div class="setup-line">
                <PresetPicker/>
                <SeedBox/>
                <PacePicker/>
            </div>
            <PresetText/>
            <p class="device" id="device">
                {device} " " <span id="speed">{speed}</span>
            </p>
            <More/>
            <DropTarget/>
        </section>
    }
}

#[component]
fn PresetPicker() -> impl IntoView {
    let (playground, draft) = (Playground::here(), Draft::here());
    let current = Memo::new(move |_| playground.experiment.with(matching).map(|preset| preset.key));
    let choose = move |event| {
        let key = event_target_value(&event);
        if let Some(preset) = PRESETS.iter().find(|preset| preset.key == key) {
            draft.replace(preset.experiment());
        }
    };
    let options = PRESETS.iter().map(|preset| {
        let selected = move || current.get() == Some(preset.key);
        view! { <option value=preset.key prop:selected=selected>{preset.title}</option> }
    });
    view! {
        <label class="labelled">
            "Preset"
            <select id="preset" aria-describedby="preset-text" on:change=choose>
                {options.collect_view()}
                <option value="" disabled prop:selected=move || current.get().is_none()>
                    "your own settings"
                </option>
            </select>
        </label>
    }
}

/// Description of the chosen preset.
#[component]
fn PresetText() -> impl IntoView {
    let playground = Playground::here();
    let preset = Memo::new(move |_| playground.experiment.with(matching).map(|preset| preset.key));
    let text = move || {
        let preset = PRESETS.iter().find(|known| Some(known.key) == preset.get());
        preset.map_or_else(
            || "Your own settings. Copy the link under \"More\" to keep them.".to_owned(),
            Preset::text,
        )
    };
    view! { <p id="preset-text" class="preset-text">{text}</p> }
}

#[component]
fn SeedBox() -> impl IntoView {
    const OWNER: Scope = Scope::Agent(0);
    let draft = Draft::here();
    let error = move || draft.error(OWNER, SEED.name);
    // Only links and checkpoints can give the agents different seeds.
    let other = move || {
        let [a, b] = [0, 1].map(|agent| draft.value(Scope::Agent(agent), SEED.name));
        (a != b).then_some(b)
    };
    let enter = move |event| draft.enter(OWNER, SEED.name, &event_target_value(&event));
    view! {
        <label class="labelled">
            {SEED.label}
            <input
                type="text"
                id="seed"
                class="number"
                inputmode="numeric"
                autocomplete="off"
                aria-describedby="seed-error"
                aria-invalid=move || error().is_some().to_string()
                prop:value=move || draft.text(OWNER, SEED.name)
                on:input=enter
            />
            <span class="error" id="seed-error">
                {move || error().map(|allowed| format!("Allowed: {allowed}."))}
            </span>
            {move || other().map(|seed| format!("agent B has {seed}"))}
        </label>
    }
}

#[component]
fn PacePicker() -> impl IntoView {
    let playground = Playground::here();
    let choose = move |event| {
        if let Some(pace) = by_key(&PACES, &event_target_value(&event)) {
            playground.set_pace(pace);
        }
    };
    let options = PACES.map(|(key, label, _)| {
        let selected = move || key_of(&PACES, &playground.pace.get()) == key;
        view! { <option value=key prop:selected=selected>{label}</option> }
    });
    view! {
        <label class="labelled">
            "Speed" <select id="pace" on:change=choose>
                {options.collect_view()}
            </select>
        </label>
    }
}

/// Rarely used controls.
#[component]
fn More() -> impl IntoView {
    let (playground, arcade) = (Playground::here(), Arcade::here());
    let files = (0..AGENTS).map(|agent| {
        let (save_label, load_label) =
            [("Save A", "Load into A"), ("Save B", "Load into B")][agent];
        view! {
            <button type="button" id=format!("save-{agent}") on:click=move |_| playground.save(agent)>
                {save_label}
            </button>
            <LoadButton agent=agent label=load_label/>
        }
    });
    let exports = (0..AGENTS).map(|agent| {
        let export = move |_| playground.export(agent);
        view! {
            <button type="button" id=format!("export-{agent}") on:click=export>
                {["Export A", "Export B"][agent]}
            </button>
        }
    });
    view! {
        <details class="more" id="more">
            <summary>"More: device, link, checkpoints, exports, data"</summary>
            <dl>
                <dt>"Device"</dt>
                <dd>
                    <DevicePicker/>
                </dd>
                <dt>"Link"</dt>
                <dd>
                    <CopyButton
                        label="Copy link"
                        text=Callback::new(move |()| address::whole(arcade))
                    />
                    <span class="muted">
                        "The address of this page contains all settings and the seed, so it \
                         reproduces the run elsewhere."
                    </span>
                </dd>
                <dt>"Checkpoints"</dt>
                <dd>
                    {files.collect_view()}
                    <span class="muted">
                        "A zip file with the agent, its optimiser and its random state, as the command line \
                         writes it. Drop one anywhere on the page to load it."
                    </span>
                </dd>
                <dt>"Other programs"</dt>
                <dd>
                    {exports.collect_view()}
                    <span class="muted">
                        "A zip file with the agent for Python and others: ONNX graphs, safetensors, a description \
                         and a model card, as the command line writes them."
                    </span>
                </dd>
                <dt>"Data"</dt>
                <dd>
                    <button type="button" id="csv" on:click=move |_| save(playground, Format::Csv)>
                        "CSV"
                    </button>
                    <button type="button" id="json" on:click=move |_| save(playground, Format::Json)>
                        "JSON"
                    </button>
                    <span class="muted">
                        "Every number reported so far, of both agents."
                    </span>
                </dd>
            </dl>
        </details>
    }
}

#[component]
fn DevicePicker() -> impl IntoView {
    let playground = Playground::here();
    let choose = move |event| {
        if let Some(device) = by_key(&DEVICES, &event_target_value(&event)) {
            playground.preference.set(device);
        }
    };
    let options = DEVICES.map(|(key, label, _)| {
        let selected = move || key_of(&DEVICES, &playground.preference.get()) == key;
        view! { <option value=key prop:selected=selected>{label}</option> }
    });
    let detail = move || {
        let device = playground.device.get()?;
        let mut text = String::new();
        if device.is_software {
            text.push_str("It is software, not a graphics card. ");
        }
        if let Some(difference) = device.self_test {
            text.push_str(&format!(
                "Self-test: differs from the CPU by {difference:.1e} at most. "
            ));
        }
        if let Some([gpu, cpu]) = device.update_ms {
            text.push_str(&format!("One update: {gpu:.1} ms with WebGPU, {cpu:.1} ms on the CPU."));
        }
        Some(text)
    };
    view! {
        <select id="device-preference" aria-label="Device" on:change=choose>
            {options.collect_view()}
        </select>
        <span class="muted">{detail}</span>
    }
}
