//! The canvas that the worker draws on, and the one that the page draws on itself.
//!
//! The page can never draw on a canvas again after it has transferred the canvas to the worker. So
//! there are two, one on top of the other: the page's canvas, on which the page draws unless the
//! worker draws, and the worker's canvas, which is new for each attempt and visible only while the
//! worker reports that it draws.

use std::f64::consts::TAU;

use deepspi_playground::protocol::{LatentScene, Request};
use deepspi_playground::scene::colour::to_css;
use deepspi_playground::scene::picture::{Mark, Shape, marks, star_corners};
use leptos::html::{Canvas, Div};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, HtmlDivElement, OffscreenCanvas};

use super::model::Panel;
use crate::page::state::{Phase, Playground};

/// Both canvases of a panel.
#[component]
pub fn Canvases(panel: Panel) -> impl IntoView {
    let playground = Playground::here();
    let agent = panel.agent;
    let drawn_by_worker = playground.agents[agent].drawn_by_worker;
    // The worker's earlier canvas was removed together with the room.
    drawn_by_worker.set(false);
    let own = NodeRef::<Canvas>::new();
    let given = NodeRef::<Div>::new();
    let is_ready = Memo::new(move |_| playground.phase.get() == Phase::Ready);
    let on_gpu = move || playground.device.with(|device| device.as_ref().is_some_and(|d| d.is_gpu));

    Effect::new(move |_| {
        let (false, Some(canvas)) = (drawn_by_worker.get(), own.get()) else { return };
        let roles = panel.roles();
        panel.scene.with(|scene| {
            let marks = panel.shot.with(|shot| marks(scene, roles, shot));
            draw(&canvas, scene, &marks);
        });
    });
    Effect::new(move |_| {
        let (Some(place), on_gpu) = (given.get(), on_gpu()) else { return };
        if !is_ready.get() {
            // The worker or its device has changed.
            drawn_by_worker.set(false);
        } else if on_gpu && !drawn_by_worker.get_untracked() {
            // If the browser cannot transfer a canvas, the page keeps drawing.
            if let Some(canvas) = new_canvas(&place) {
                playground.send_canvas(&Request::Canvas { agent }, &canvas);
            }
        }
    });
    Effect::new(move |_| {
        if is_ready.get() && on_gpu() {
            playground.send(&Request::Scene { agent, scene: panel.scene.get() });
        }
    });
    on_cleanup(move || {
        drawn_by_worker.set(false);
        // The room is closed, so the worker stops drawing.
        playground.send(&Request::Scene { agent, scene: LatentScene::default() });
    });
    view! {
        <canvas class="latents-canvas" aria-hidden="true" node_ref=own></canvas>
        <div class="latents-given" class:seen=move || drawn_by_worker.get() node_ref=given></div>
    }
}

/// Creates a canvas in this element and returns the part that is transferred to the worker.
fn new_canvas(place: &HtmlDivElement) -> Option<OffscreenCanvas> {
    let canvas: HtmlCanvasElement = document().create_element("canvas").ok()?.dyn_into().ok()?;
    canvas.set_class_name("latents-canvas");
    canvas.set_attribute("aria-hidden", "true").ok()?;
    place.replace_children_with_node_1(&canvas);
    canvas.transfer_control_to_offscreen().ok()
}

/// Draws marks as `shaders/latents.wgsl` does.
fn draw(canvas: &HtmlCanvasElement, scene: &LatentScene, marks: &[Mark]) {
    let [width, height] = scene.size;
    if canvas.width() != width || canvas.height() != height {
        canvas.set_width(width);
        canvas.set_height(height);
    }
    let context = canvas.get_context("2d").ok().flatten();
    let Some(context) = context.and_then(|c| c.dyn_into::<CanvasRenderingContext2d>().ok()) else {
        return;
    };
    context.set_fill_style_str(&to_css(scene.background));
    context.fill_rect(0.0, 0.0, width.into(), height.into());
    for mark in marks {
        draw_mark(&context, mark);
    }
}

fn draw_mark(context: &CanvasRenderingContext2d, mark: &Mark) {
    let [[x, y], end] = mark.ends.map(|point| point.map(f64::from));
    let (radius, border) = (f64::from(mark.radius), f64::from(mark.border));
    let (edge, fill) = (to_css(mark.edge), to_css(mark.fill));
    // Outer radius first, then the inner one.
    let layers = [(radius, &edge), (radius - border, &fill)];
    match mark.shape {
        Shape::Disc => {
            for (radius, colour) in layers {
                context.set_fill_style_str(colour);
                context.begin_path();
                // This fails only for negative radii.
                drop(context.arc(x, y, radius.max(0.0), 0.0, TAU));
                context.fill();
            }
        }
        Shape::Square => {
            for (half, colour) in layers {
                context.set_fill_style_str(colour);
                context.fill_rect(x - half, y - half, 2.0 * half, 2.0 * half);
            }
        }
        Shape::StarUp | Shape::StarDown => {
            context.begin_path();
            for [x, y] in star_corners(mark.ends[0], mark.radius, mark.shape == Shape::StarUp) {
                context.line_to(x.into(), y.into());
            }
            context.close_path();
            context.set_fill_style_str(&fill);
            context.fill();
            // The border lies inside the outline, so the outer half of the stroke is clipped.
            context.save();
            context.clip();
            context.set_stroke_style_str(&edge);
            context.set_line_width(2.0 * border);
            context.stroke();
            context.restore();
        }
        Shape::Segment => {
            context.set_stroke_style_str(&fill);
            context.set_line_width(2.0 * radius);
            context.set_line_cap("round");
            context.begin_path();
            context.move_to(x, y);
            context.line_to(end[0], end[1]);
            context.stroke();
        }
    }
}
