//! One screen with its controls: who plays, how fast, with which rules; and what the agent thinks.

use deepspi_run::config::Algorithm;
use deepspi_run::world::World;
use deepspi_worlds::atari::GAMES;
use deepspi_worlds::cartridge::CARTRIDGE_NAME;
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::HtmlInputElement;

use super::agents::{Agents, Card, Score, give};
use super::canvas::{GameCanvas, ObservationCanvas};
use super::linked::world_of;
use super::state::{Arcade, Origin, Screen};
use super::take_away::TakeAway;
use super::thoughts::Thoughts;
use crate::joystick::Part;
use crate::offers::{by_key, key_of};
use crate::page::file_input;
use crate::reel::SPEEDS;
use crate::screens::{FRESH, HANDS, HERE, Hand, Rules, fresh_of, most};

/// A screen.
#[component]
pub fn ConsolePanel(
    /// Index of the screen.
    index: usize,
) -> impl IntoView {
    let arcade = Arcade::here();
    let screen = arcade.screens[index];
    let letter = ["A", "B"][index];
    let press = move |event: &KeyboardEvent, pressed: bool| {
        if screen.hand.get_untracked() != Hand::Person {
            return;
        }
        if let Some(part) = Part::of_key(&event.key()) {
            // Otherwise the arrow keys scroll the page.
            event.prevent_default();
            event.stop_propagation();
            hold(arcade, index, part, pressed, event.repeat());
        }
    };
    let label = Signal::derive(move || {
        let (running, last) = screen.returns.get();
        let game = screen.opened.with(|o| o.as_ref().map_or(String::new(), |o| o.game.clone()));
        let last = last.map_or_else(String::new, |last| format!(", last game {last:.2}"));
        format!("Screen {letter}: {game}, return so far {running:.2}{last}")
    });
    view! {
        <section class=format!("console agent-{index}") aria-label=format!("Screen {letter}")>
            <div
                class="console-picture"
                tabindex="0"
                role="group"
                aria-label=format!("Screen {letter}; with \"you\" chosen, arrow keys and space play")
                on:keydown=move |event| press(&event, true)
                on:keyup=move |event| press(&event, false)
                on:blur=move |_| screen.joystick.set(crate::joystick::Joystick::default())
            >
                <GameCanvas screen label/>
            </div>
            <p class="console-line" role="status">
                {move || screen.problem.get().unwrap_or_default()}
            </p>
            <Buttons index/>
            <TouchButtons index/>
            <Status screen/>
            <TakeAway letter recording=screen.recording/>
            <Choices index/>
            <details class="console-seen" open>
                <summary>"What the agent sees and thinks"</summary>
                <ObservationCanvas screen/>
                <Thoughts index/>
            </details>
        </section>
    }
}

/// Presses or releases a part of the joystick. In a game without an action that does nothing, each
/// press is one step.
fn hold(arcade: Arcade, index: usize, part: Part, pressed: bool, repeated: bool) {
    let screen = arcade.screens[index];
    screen.joystick.update(|joystick| joystick.set(part, pressed));
    if pressed && !repeated && screen.waits_for_person() {
        arcade.step_once(index);
    }
}

#[component]
fn Buttons(index: usize) -> impl IntoView {
    let arcade = Arcade::here();
    let screen = arcade.screens[index];
    let letter = ["a", "b"][index];
    let speed = move |event| {
        if let Some(speed) = by_key(&SPEEDS, &event_target_value(&event)) {
            screen.speed.set(speed);
        }
    };
    let speeds = SPEEDS.iter().map(|(key, label, _)| {
        let selected = move || key_of(&SPEEDS, &screen.speed.get()) == *key;
        view! { <option value=*key prop:selected=selected>{*label}</option> }
    });
    view! {
        <div class="console-line buttons">
            <button
                type="button"
                class="primary"
                id=format!("play-{letter}")
                on:click=move |_| {
                    screen.problem.set(None);
                    screen.playing.update(|playing| *playing = !*playing);
                }
            >
                {move || if screen.playing.get() { "Pause" } else { "Play" }}
            </button>
            <button
                type="button"
                id=format!("one-{letter}")
                disabled=move || screen.playing.get()
                on:click=move |_| arcade.step_once(index)
            >
                "One step"
            </button>
            <button type="button" id=format!("anew-{letter}") on:click=move |_| arcade.reset(index)>
                "New game"
            </button>
            <label class="labelled">
                "Speed"
                <select id=format!("speed-{letter}") on:change=speed>{speeds.collect_view()}</select>
            </label>
        </div>
    }
}

/// A joystick for touch screens, while a person plays.
#[component]
fn TouchButtons(index: usize) -> impl IntoView {
    let arcade = Arcade::here();
    let screen = arcade.screens[index];
    let buttons = move || {
        Part::ALL
            .map(|part| {
                let (sign, name) = part.label();
                let press = move |pressed: bool| hold(arcade, index, part, pressed, false);
                view! {
                    <button
                        type="button"
                        aria-label=name
                        on:pointerdown=move |_| press(true)
                        on:pointerup=move |_| press(false)
                        on:pointerleave=move |_| press(false)
                    >
                        {sign}
                    </button>
                }
            })
            .collect_view()
    };
    view! {
        <Show when=move || screen.hand.get() == Hand::Person>
            <div class="joystick buttons">{buttons()}</div>
        </Show>
    }
}

/// Return, lives and step.
#[component]
fn Status(screen: Screen) -> impl IntoView {
    let text = move || {
        let (running, last) = screen.returns.get();
        let last = last.map_or_else(|| "–".to_owned(), |last| format!("{last:.2}"));
        screen.shot.with(|shot| {
            let (step, lives) =
                shot.as_ref().map_or((0, 0), |shot| (shot.step.number, shot.step.outcome.lives));
            format!("Return {running:.2} · last game {last} · lives {lives} · step {step}")
        })
    };
    let agent = move || match (screen.origin.get(), screen.trained.get()) {
        (Origin::Here, None) => "The trainer's agent is not here yet.".to_owned(),
        (_, None) => "No agent.".to_owned(),
        (Origin::Here, Some(steps)) => format!("Agent trained here for {steps} steps."),
        (Origin::Fresh | Origin::Unchosen, Some(_)) => {
            let name = screen.algorithm.get().map_or("agent", Algorithm::label);
            format!("An agent that was never trained: {name}.")
        }
        (Origin::File(name), Some(steps)) => format!("{name}, trained for {steps} steps."),
    };
    let latency = move || {
        let of_step = || {
            screen.shot.with(|shot| {
                let step = shot.as_ref().map(|shot| &shot.step);
                step.filter(|step| step.sees.is_some()).map(|step| step.decision_ms)
            })
        };
        let ms = screen.judgement().map(|judged| judged.decision_ms).or_else(of_step);
        ms.map(|ms| format!(" A decision takes {ms:.1} ms."))
    };
    view! {
        <p class="console-line">{text}</p>
        <p class="console-line muted">{agent} {latency}</p>
    }
}

/// Game, player, agent and rules.
#[component]
fn Choices(index: usize) -> impl IntoView {
    let arcade = Arcade::here();
    let screen = arcade.screens[index];
    let letter = ["a", "b"][index];
    let hand = move |event| {
        if let Some(hand) = by_key(&HANDS, &event_target_value(&event)) {
            screen.hand.set(hand);
        }
    };
    let hands = HANDS.iter().map(|(key, label, _)| {
        let selected = move || key_of(&HANDS, &screen.hand.get()) == *key;
        view! { <option value=*key prop:selected=selected>{*label}</option> }
    });
    let agents = Agents::here();
    let origin = move |event| match event_target_value(&event).as_str() {
        HERE => arcade.set_agent(index, Origin::Here, None),
        name => {
            let cards = agents.of_world(arcade);
            if let Some(algorithm) = fresh_of(name) {
                arcade.set_fresh(index, Some(algorithm));
            } else if let Some(card) = cards.iter().find(|card| card.name == name) {
                agents.choose(arcade, index, card);
            }
        }
    };
    let offered = move || {
        agents
            .of_world(arcade)
            .into_iter()
            .map(|Card { name, title, .. }| {
                let same = title.clone();
                let selected = move || screen.origin.get() == Origin::File(same.clone());
                view! { <option value=name prop:selected=selected>{title} ", trained before"</option> }
            })
            .collect_view()
    };
    let brought = move || match screen.origin.get() {
        Origin::File(name) if !agents.cards.with(|cards| cards.iter().any(|c| c.title == name)) => {
            Some(view! { <option value="" disabled prop:selected=true>{name}</option> })
        }
        _ => None,
    };
    let card = move || match screen.origin.get() {
        Origin::File(title) => agents.of_world(arcade).into_iter().find(|c| c.title == title),
        _ => None,
    };
    let chosen = move |event| {
        let input: HtmlInputElement = event_target(&event);
        let files = file_input::list(input.files());
        spawn_local(async move {
            if let Some(archive) = file_input::read(arcade.playground, files).await {
                give(arcade, index, archive);
            }
            // Clears the input, so that the same file can be chosen again.
            input.set_value("");
        });
    };
    let fresh = Algorithm::IN_ORDER_OF_COLOUR.map(|algorithm| {
        let selected = move || {
            matches!(screen.origin.get(), Origin::Fresh | Origin::Unchosen)
                && screen.algorithm.get() == Some(algorithm)
        };
        view! {
            <option value=format!("{FRESH}-{}", algorithm.name()) prop:selected=selected>
                {algorithm.label()} ", never trained"
            </option>
        }
    });
    let here = move || screen.origin.get() == Origin::Here;
    view! {
        <div class="console-line">
            <GamePicker index/>
            <label class="labelled">
                "Player"
                <select id=format!("hand-{letter}") on:change=hand>{hands.collect_view()}</select>
            </label>
            <label class="labelled">
                "Agent"
                <select id=format!("agent-{letter}") on:change=origin>
                    {fresh.collect_view()}
                    <option value=HERE prop:selected=here>"trained here"</option>
                    {offered}
                    {brought}
                </select>
            </label>
            <label class="button">
                "Checkpoint …"
                <input
                    type="file"
                    class="visually-hidden"
                    id=format!("checkpoint-{letter}")
                    multiple
                    on:change=chosen
                />
            </label>
        </div>
        {move || card().map(|card| view! { <ModelCard card/> })}
        <RulesOf index/>
    }
}

/// Puts the cartridge of a game into both consoles, with the rules of the page's own agents.
pub fn insert_game(arcade: Arcade, name: &str) {
    match world_of(name) {
        Ok(world) => arcade.insert(world),
        Err(error) => arcade.playground.notify(error.to_string()),
    }
}

/// How an agent of the site was made, and what it scores.
#[component]
fn ModelCard(card: Card) -> impl IntoView {
    let Score { mean, mean_low, mean_high } = card.score;
    view! {
        <details class="console-rules">
            <summary>"About this agent"</summary>
            <p>
                "Mean return " {format!("{mean:.2}")} " (interval "
                {format!("{mean_low:.2} to {mean_high:.2}")} "), measured by "
                <code>{card.evaluation}</code> "."
            </p>
            <p>
                "Trained in " {card.cpu_seconds} " seconds of processor time by "
                <code>{card.training}</code> "."
            </p>
        </details>
    }
}

/// The game, which is the same on both screens.
#[component]
fn GamePicker(index: usize) -> impl IntoView {
    let arcade = Arcade::here();
    let emulators = arcade.playground.emulators;
    let letter = ["a", "b"][index];
    let current = move || arcade.world.with(|world| world.as_ref().map_or("", World::name));
    let choose = move |event| insert_game(arcade, &event_target_value(&event));
    let names = move || {
        emulators.cartridges.with(|known| {
            let is_here = |name: &str| known.contains_key(name);
            // A link may open a game whose cartridge is not here.
            let playing = current();
            let others = GAMES.iter().map(|game| game.name);
            let shown = others.filter(|name| is_here(name) || *name == playing);
            let noted = shown.map(|name| (name, if is_here(name) { "" } else { " (not here)" }));
            std::iter::once((CARTRIDGE_NAME, ""))
                .chain(noted)
                .map(|(name, note)| {
                    let selected = move || current() == name;
                    view! { <option value=name prop:selected=selected>{name} {note}</option> }
                })
                .collect_view()
        })
    };
    view! {
        <label class="labelled">
            "Game (both screens)"
            <select id=format!("game-{letter}") on:change=choose>{names}</select>
        </label>
    }
}

/// Sticky actions, no-ops and seed; a change starts a new game.
#[component]
fn RulesOf(index: usize) -> impl IntoView {
    let arcade = Arcade::here();
    let screen = arcade.screens[index];
    let letter = ["a", "b"][index];
    let change = move |set: fn(&mut Rules, f64)| {
        move |event| {
            let Ok(value) = event_target_value(&event).parse::<f64>() else { return };
            screen.rules.update(|rules| set(rules, value));
            arcade.start_game(index);
        }
    };
    let number = move |name: &'static str,
                       id: &'static str,
                       [low, high, step]: [f64; 3],
                       value: Signal<f64>,
                       set: fn(&mut Rules, f64)| {
        view! {
            <label class="labelled">
                {name}
                <input
                    type="number"
                    id=format!("{id}-{letter}")
                    min=low
                    max=high
                    step=step
                    prop:value=move || value.get().to_string()
                    on:change=change(set)
                />
            </label>
        }
    };
    let of = move |read: fn(&Rules) -> f64| Signal::derive(move || screen.rules.with(read));
    view! {
        <details class="console-rules">
            <summary>"Rules of this screen"</summary>
            <div class="console-line">
                {number(
                    "Sticky actions",
                    "sticky",
                    [0.0, most::STICKY.into(), 0.05],
                    // Through text, so that 0.3 is shown as 0.3.
                    of(|rules| rules.sticky.to_string().parse().unwrap_or_default()),
                    |rules, value| rules.sticky = (value as f32).clamp(0.0, most::STICKY),
                )}
                {number(
                    "No-ops at the start, at most",
                    "noops",
                    [0.0, most::NOOPS.into(), 1.0],
                    of(|rules| f64::from(rules.noops)),
                    |rules, value| rules.noops = (value as u32).min(most::NOOPS),
                )}
                {number(
                    "Seed",
                    "seed",
                    [0.0, most::SEED as f64, 1.0],
                    of(|rules| rules.seed as f64),
                    |rules, value| rules.seed = (value as u64).min(most::SEED),
                )}
            </div>
        </details>
    }
}
