//! The triangle of all policies over three actions; the points of the policies can be dragged.
//!
//! The drawing must follow the pointer in the same frame. So each part of the drawing updates only
//! its attributes, and no element is created anew.

use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::notation::{action_name, probabilities};
use super::signals::part;
use crate::neighbourhood::Settings;
use crate::neighbourhood::one_state::Findings;
use crate::simplex::{ACTIONS, Distribution, Point, View, level_line, rounded};

const SIZE: Point = [440.0, 404.0];
const MARGIN: f64 = 32.0;
/// Margin around the neighbourhood when it fills the drawing, for names and for a target outside.
const CLOSE_MARGIN: f64 = 90.0;
/// Length of the shortest arrow that is drawn; a shorter one would be only a head.
const SHORTEST_ARROW: f64 = 14.0;
/// Largest number of grid lines for each action.
const MOST_LINES: usize = 24;

/// A point that can be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grip {
    Behaviour,
    Target,
}

impl Grip {
    const fn name(self) -> &'static str {
        match self {
            Self::Behaviour => "Behaviour policy π",
            Self::Target => "New policy π′",
        }
    }

    fn read(self, settings: &Settings) -> Distribution {
        match self {
            Self::Behaviour => settings.state.behaviour,
            Self::Target => settings.state.target,
        }
    }

    fn write(self, settings: &mut Settings, policy: Distribution) {
        match self {
            Self::Behaviour => settings.state.behaviour = policy,
            Self::Target => settings.state.target = policy,
        }
    }
}

/// The triangle.
#[component]
pub fn Triangle(
    /// Both policies.
    settings: RwSignal<Settings>,
    /// The results of the theory for them.
    findings: Memo<Option<Findings>>,
    /// Whether the neighbourhood fills the drawing.
    #[prop(into)]
    close: Signal<bool>,
) -> impl IntoView {
    let svg = NodeRef::<leptos::svg::Svg>::new();
    let held = RwSignal::new(None::<Grip>);
    // While a point is dragged the view does not change, because the point would move away from the
    // pointer.
    let view = Memo::new(move |old: Option<&View>| match old {
        Some(old) if held.get().is_some() => *old,
        _ if close.get() => findings.with(|found| {
            let corners = found.as_ref().map_or(&[][..], |found| &found.corners);
            View::close(SIZE, CLOSE_MARGIN, corners)
        }),
        _ => View::whole(SIZE, MARGIN),
    });
    let place = move |event: &web_sys::MouseEvent| -> Option<Distribution> {
        let at = pixels(svg, event)?;
        let view = view.get_untracked();
        Some(rounded(view.distribution(at), view.digits()))
    };
    let on_tap = move |event: web_sys::MouseEvent| {
        if let Some(policy) = place(&event) {
            settings.update(|settings| settings.state.target = policy);
        }
    };
    let grip = move |grip: Grip| {
        let policy = part(settings, move |settings| grip.read(settings));
        let at = move || view.get().point(policy.get());
        let on_down = move |event: web_sys::PointerEvent| {
            let element =
                event.current_target().and_then(|t| t.dyn_into::<web_sys::Element>().ok());
            if let Some(element) = element.filter(|_| event.button() == 0) {
                // This fails only if the pointer does not exist any more.
                drop(element.set_pointer_capture(event.pointer_id()));
                held.set(Some(grip));
            }
        };
        let on_move = move |event: web_sys::PointerEvent| {
            if held.get_untracked() == Some(grip)
                && let Some(policy) = place(&event)
            {
                settings.update(|settings| grip.write(settings, policy));
            }
        };
        let on_key = move |event: web_sys::KeyboardEvent| {
            let [x, y] = match event.key().as_str() {
                "ArrowLeft" => [-1.0, 0.0],
                "ArrowRight" => [1.0, 0.0],
                "ArrowUp" => [0.0, -1.0],
                "ArrowDown" => [0.0, 1.0],
                _ => return,
            };
            event.prevent_default();
            let view = view.get_untracked();
            let steps = if event.shift_key() { 10.0 } else { 2.0 };
            let reach = steps * 10_f64.powi(1 - view.digits() as i32) / 2.0 * view.side();
            settings.update(|settings| {
                let from = view.point(grip.read(settings));
                let to = [from[0] + x * reach, from[1] + y * reach];
                grip.write(settings, rounded(view.distribution(to), view.digits()));
            });
        };
        let shape = match grip {
            Grip::Behaviour => view! { <circle class="nb-dot" r="8"/> }.into_any(),
            Grip::Target => {
                view! { <rect class="nb-dot" x="-7.5" y="-7.5" width="15" height="15" rx="2"/> }
                    .into_any()
            }
        };
        let (label, label_at) = match grip {
            Grip::Behaviour => ("π", [-18.0, 20.0]),
            Grip::Target => ("π′", [14.0, -12.0]),
        };
        view! {
            <g
                class="nb-grip"
                class:nb-behaviour=grip == Grip::Behaviour
                class:nb-target=grip == Grip::Target
                class:nb-held=move || held.get() == Some(grip)
                id=match grip {
                    Grip::Behaviour => "nb-behaviour",
                    Grip::Target => "nb-target",
                }
                tabindex="0"
                role="slider"
                aria-label=grip.name()
                aria-roledescription="point in the triangle, moved with the arrow keys"
                aria-valuemin="0"
                aria-valuemax="1"
                aria-valuenow=move || policy.get()[0].to_string()
                aria-valuetext=move || {
                    let outside = findings
                        .with(|found| found.as_ref().is_some_and(|found| found.violation.is_some()));
                    in_words(policy.get(), grip, outside)
                }
                transform=move || {
                    let [x, y] = at();
                    format!("translate({x:.2} {y:.2})")
                }
                on:touchstart=|event: web_sys::TouchEvent| event.prevent_default()
                on:pointerdown=on_down
                on:pointermove=on_move
                on:pointerup=move |_| held.set(None)
                on:pointercancel=move |_| held.set(None)
                on:keydown=on_key
            >
                <circle class="nb-hit" r="26"/>
                <circle class="nb-ring" r="14"/>
                {shape}
                <text class="nb-name" x=label_at[0] y=label_at[1]>{label}</text>
            </g>
        }
    };
    let region = move |corners: fn(&Findings) -> Option<[Distribution; 6]>| {
        move || {
            let view = view.get();
            findings.with(|found| {
                found.as_ref().and_then(corners).map_or_else(String::new, |c| polygon(&view, &c))
            })
        }
    };
    let beyond = part(settings, |s| s.c * s.gamma > 1.0);
    let behaviour = part(settings, |s| s.state.behaviour);
    let target = part(settings, |s| s.state.target);
    let hidden = move || {
        let [x, y] = view.get().point(target.get());
        !((0.0..=SIZE[0]).contains(&x) && (0.0..=SIZE[1]).contains(&y))
    };
    view! {
        <svg
            node_ref=svg
            class="nb-triangle"
            viewBox=format!("0 0 {} {}", SIZE[0], SIZE[1])
            role="group"
            aria-label="All policies over three actions as a triangle; each corner always takes one action"
        >
            <defs>
                <pattern id="nb-hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                    <rect class="nb-hatch-line" width="2.5" height="7"/>
                </pattern>
                <marker
                    id="nb-head"
                    viewBox="0 0 10 10"
                    refX="9"
                    refY="5"
                    markerWidth="6"
                    markerHeight="6"
                    orient="auto"
                >
                    <path class="nb-arrowhead" d="M0 0.5L10 5L0 9.5z"/>
                </marker>
            </defs>
            <polygon class="nb-field" points=move || outline(&view.get()) on:click=on_tap/>
            <path class="nb-grid" d=move || grid(&view.get())/>
            <polygon
                class="nb-region"
                class:nb-region-beyond=move || beyond.get()
                points=region(|found| Some(found.corners))
            />
            <polygon class="nb-region-within" class:nb-shown=move || beyond.get() points=region(|found| found.limit)/>
            <polygon class="nb-limit-line" points=region(|found| found.limit)/>
            <path
                class="nb-level"
                d=move || {
                    let view = view.get();
                    findings.with(|found| found.as_ref().map_or_else(String::new, |f| level(&view, f)))
                }
            />
            <path
                class="nb-arrow"
                marker-end="url(#nb-head)"
                d=move || {
                    let view = view.get();
                    let from = behaviour.get();
                    findings.with(|found| found.as_ref().map_or_else(String::new, |f| arrow(&view, from, f.best)))
                }
            />
            {(0..ACTIONS)
                .map(|action| {
                    let at = move || corner_label(&view.get(), action);
                    view! {
                        <text
                            class="nb-corner"
                            text-anchor=["start", "end", "middle"][action]
                            x=move || at()[0]
                            y=move || at()[1]
                        >
                            {format!("always {}", action_name(action))}
                        </text>
                    }
                })
                .collect_view()}
            <text class="nb-scale" x="6" y="16">
                {move || format!("grid: {}", view.get().grid())}
            </text>
            <text class="nb-scale" x="6" y=SIZE[1] - 8.0>
                {move || if hidden() { "π′ is outside this view" } else { "" }}
            </text>
            {grip(Grip::Behaviour)}
            {grip(Grip::Target)}
        </svg>
    }
}

/// Position of a pointer, in the units of the drawing.
fn pixels(svg: NodeRef<leptos::svg::Svg>, event: &web_sys::MouseEvent) -> Option<Point> {
    let area = svg.get_untracked()?.get_bounding_client_rect();
    let scale = SIZE[0] / area.width().max(1.0);
    Some([
        (f64::from(event.client_x()) - area.left()) * scale,
        (f64::from(event.client_y()) - area.top()) * scale,
    ])
}

/// Description of a point for screen readers.
fn in_words(policy: Distribution, grip: Grip, outside: bool) -> String {
    let place = match (grip, outside) {
        (Grip::Behaviour, _) => "",
        (Grip::Target, false) => "; in the neighbourhood",
        (Grip::Target, true) => "; outside the neighbourhood",
    };
    format!("{}{place}", probabilities(policy, 3))
}

/// The attribute `points` of a polygon.
pub fn polygon(view: &View, corners: &[Distribution]) -> String {
    let text = |corner: &Distribution| {
        let [x, y] = view.point(*corner);
        format!("{x:.2},{y:.2}")
    };
    corners.iter().map(text).collect::<Vec<_>>().join(" ")
}

/// The outline of the triangle.
pub fn outline(view: &View) -> String {
    polygon(view, &[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
}

/// An arrow from one policy to another; empty if it would be too short.
fn arrow(view: &View, from: Distribution, to: Distribution) -> String {
    let ([x, y], [to_x, to_y]) = (view.point(from), view.point(to));
    if (to_x - x).hypot(to_y - y) < SHORTEST_ARROW {
        return String::new();
    }
    format!("M{x:.2} {y:.2}L{to_x:.2} {to_y:.2}")
}

/// The line of policies with the same value as the exact step; no policy of the neighbourhood is
/// beyond it.
fn level(view: &View, found: &Findings) -> String {
    // Advantages differ from action values by a constant, so the level of the step is its gain in
    // value.
    level_line(found.advantage, found.value[2] - found.value[0]).map_or_else(String::new, |ends| {
        let [[x, y], [to_x, to_y]] = ends.map(|end| view.point(end));
        format!("M{x:.2} {y:.2}L{to_x:.2} {to_y:.2}")
    })
}

/// Lines of equal probability for each action, where they cross the drawing.
fn grid(view: &View) -> String {
    let step = view.grid();
    let corners =
        [[0.0, 0.0], [SIZE[0], 0.0], [0.0, SIZE[1]], SIZE].map(|at| view.distribution(at));
    let mut path = String::new();
    for action in 0..ACTIONS {
        let low = corners.iter().map(|p| p[action]).fold(1.0, f64::min);
        let first = (low / step).ceil().max(1.0);
        for line in 0..MOST_LINES {
            let p = (first + line as f64) * step;
            if p > 1.0 - 1e-9 {
                break;
            }
            let (mut from, mut to) = ([0.0; ACTIONS], [0.0; ACTIONS]);
            (from[action], to[action]) = (p, p);
            from[(action + 1) % ACTIONS] = 1.0 - p;
            to[(action + 2) % ACTIONS] = 1.0 - p;
            let [[x, y], [to_x, to_y]] = [from, to].map(|end| view.point(end));
            path.push_str(&format!("M{x:.1} {y:.1}L{to_x:.1} {to_y:.1}"));
        }
    }
    path
}

fn corner_label(view: &View, action: usize) -> Point {
    let mut corner = [0.0; ACTIONS];
    corner[action] = 1.0;
    let [x, y] = view.point(corner);
    match action {
        0 => [x - 24.0, y + 22.0],
        1 => [x + 24.0, y + 22.0],
        _ => [x, y - 12.0],
    }
}
