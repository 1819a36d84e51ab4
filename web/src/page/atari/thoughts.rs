//! What the agent of a screen thinks of the step that is shown.

use deepspi_plot::number;
use leptos::prelude::*;

use super::state::{Arcade, Screen};
use deepspi_worlds::atari::action_name;

/// Policy, value, prediction and the terms of the objective.
#[component]
pub fn Thoughts(
    /// Index of the screen.
    index: usize,
) -> impl IntoView {
    let arcade = Arcade::here();
    let screen = arcade.screens[index];
    view! {
        <div class="thoughts">
            <Policy screen index/>
            <Values screen index/>
            <Terms screen arcade index/>
        </div>
    }
}

/// The policy as bars; the action that was taken is marked.
#[component]
fn Policy(screen: Screen, index: usize) -> impl IntoView {
    let actions = Memo::new(move |_| {
        screen.opened.with(|opened| {
            opened.as_ref().map(|opened| opened.actions.to_vec()).unwrap_or_default()
        })
    });
    let judgement = Memo::new(move |_| screen.judgement());
    let probability = move |action: usize| {
        let of = |log_probs: &[f32]| Some(f64::from(log_probs.get(action)?.exp()));
        if let Some(judged) = judgement.get() {
            return of(&judged.sees.log_probs);
        }
        screen.shot.with(|shot| of(&shot.as_ref()?.step.seen.as_ref()?.log_probs))
    };
    let taken = move |action: usize| {
        let taken = screen.shot.with(|shot| shot.as_ref().and_then(|shot| shot.step.action));
        judgement.with(Option::is_none) && taken.is_some_and(|taken| taken as usize == action)
    };
    let caption = move || match judgement.with(Option::is_some) {
        true => "Policy of the new agent in this picture",
        false => "Policy before the step",
    };
    view! {
        <table class="policy">
            <caption>{caption}</caption>
            <tbody>
                {move || {
                    actions
                        .get()
                        .into_iter()
                        .enumerate()
                        .map(|(action, id)| {
                            let share = move || probability(action).unwrap_or(0.0);
                            view! {
                                <tr class:taken=move || taken(action)>
                                    <th scope="row">{action_name(id).words}</th>
                                    <td class="policy-bar">
                                        <meter
                                            class=["agent-0", "agent-1"][index]
                                            min="0"
                                            max="1"
                                            value=move || format!("{:.3}", share())
                                            aria-label=action_name(id).words
                                        ></meter>
                                    </td>
                                    <td>
                                        {move || {
                                            probability(action)
                                                .map_or_else(|| "–".to_owned(), |p| format!("{p:.2}"))
                                        }}
                                    </td>
                                </tr>
                            }
                        })
                        .collect_view()
                }}
            </tbody>
        </table>
    }
}

/// The value over the last steps.
#[component]
fn Values(screen: Screen, index: usize) -> impl IntoView {
    const SIZE: [f64; 2] = [240.0, 60.0];
    let range = move || {
        screen.values.with(|values| {
            let all = values.iter().map(|[_, value]| *value).filter(|value| value.is_finite());
            let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
            (low < high).then_some((low, high))
        })
    };
    let path = move || {
        let Some((low, high)) = range() else { return String::new() };
        screen.values.with(|values| {
            let last = values.back().map_or(0.0, |[step, _]| *step);
            let point = |[step, value]: &[f64; 2]| {
                let x = SIZE[0] * (1.0 - (last - step) / 300.0);
                let y = SIZE[1] * (1.0 - (value - low) / (high - low));
                format!("{x:.1} {y:.1}")
            };
            let points: Vec<String> =
                values.iter().filter(|[_, value]| value.is_finite()).map(point).collect();
            format!("M{}", points.join("L"))
        })
    };
    let now = move || screen.values.with(|values| values.back().map(|[_, value]| *value));
    view! {
        <figure class="values">
            <figcaption>
                "Value V: "
                <b>{move || now().map_or_else(|| "–".to_owned(), number)}</b>
                {move || range().map(|(low, high)| format!(" (here {} to {})", number(low), number(high)))}
            </figcaption>
            <svg viewBox="0 0 240 60" preserveAspectRatio="none" role="img" aria-label="The value over the last 300 steps">
                <path
                    class="value-line"
                    d=path
                    style:stroke=format!("var(--agent-{index})")
                ></path>
            </svg>
        </figure>
    }
}

/// The terms of the objective for the step.
#[component]
fn Terms(screen: Screen, arcade: Arcade, index: usize) -> impl IntoView {
    // What the step says of an agent is about the one that played it.
    let judged = Memo::new(move |_| screen.judgement().is_some());
    let shot = move || screen.shot.get();
    let own = move || shot().filter(|_| !judged.get());
    let optional =
        |value: Option<f32>| value.map_or_else(|| "–".to_owned(), |value| number(f64::from(value)));
    let term = move |read: fn(&deepspi_run::playing::StepTerms) -> Option<f32>| {
        optional(own().and_then(|shot| read(shot.step.terms.as_ref()?)))
    };
    let chosen = move |list: fn(&deepspi_run::playing::Perception) -> Option<&Vec<f32>>| {
        own().and_then(|shot| {
            let action = shot.step.action? as usize;
            list(shot.step.seen.as_ref()?)?.get(action).copied()
        })
    };
    let predicted = move || optional(chosen(|seen| seen.predicted_rewards.as_ref()));
    let ratio = move || optional(chosen(|seen| seen.ratios.as_ref()));
    let received = move || optional(shot().map(|shot| shot.step.outcome.reward));
    let limits = move || {
        arcade.playground.experiment.with(|experiment| {
            let config = &experiment.agents[index];
            format!(
                "(C = {}, 1/γ = {})",
                number(f64::from(1.0 + config.clip_coef)),
                number(1.0 / f64::from(config.gamma))
            )
        })
    };
    let row = |name: &'static str, value: Signal<String>, note: Signal<String>| {
        view! {
            <tr>
                <th scope="row">{name}</th>
                <td>{value}</td>
                <td class="muted">{note}</td>
            </tr>
        }
    };
    let none = Signal::derive(String::new);
    view! {
        <table class="terms">
            <caption>"This step"</caption>
            <tbody>
                {row("Reward", Signal::derive(received), none)}
                {row("Predicted reward", Signal::derive(predicted), none)}
                {row("Advantage A", Signal::derive(move || term(|t| Some(t.advantage))), none)}
                {row("Utility U", Signal::derive(move || term(|t| Some(t.utility))), none)}
                {row("Reward loss l_R", Signal::derive(move || term(|t| t.reward_loss)), none)}
                {row("Transition loss l_P", Signal::derive(move || term(|t| t.transition_loss)), none)}
                {row("Importance ratio", Signal::derive(ratio), Signal::derive(limits))}
            </tbody>
        </table>
    }
}
