//! The picture of a screen, and what the agent sees.

use std::sync::Arc;

use deepspi_worlds::atari::{FRAME_HEIGHT, FRAME_PIXELS, FRAME_WIDTH, OBS_PIXELS, OBS_SIDE};
use leptos::html::Canvas;
use leptos::prelude::*;
use wasm_bindgen::{Clamped, JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ImageData};

use super::state::Screen;

/// The game, 160 x 210 pixels, enlarged by a whole number (style/atari.css).
#[component]
pub fn GameCanvas(
    /// The screen.
    screen: Screen,
    /// Description for people who do not see it.
    #[prop(into)]
    label: Signal<String>,
) -> impl IntoView {
    let canvas = NodeRef::<Canvas>::new();
    Effect::new(move || {
        let frame = screen.frame.get();
        let (Some(canvas), Some(shot), Some(opened)) =
            (canvas.get(), screen.shot.get(), screen.opened.get())
        else {
            return;
        };
        let count = shot.frames.len() / FRAME_PIXELS;
        let Some(first) = count.checked_sub(1).map(|last| frame.min(last) * FRAME_PIXELS) else {
            return;
        };
        let rgb = &opened.rgb;
        let pixels = shot.frames[first..first + FRAME_PIXELS].iter().flat_map(|&index| {
            let at = usize::from(index >> 1) * 3;
            [rgb[at], rgb[at + 1], rgb[at + 2], 255]
        });
        // If painting fails, the numbers beside the picture still show the game.
        drop(paint(&canvas, &pixels.collect::<Vec<_>>(), FRAME_WIDTH));
    });
    view! {
        <canvas
            class="game"
            width=FRAME_WIDTH
            height=FRAME_HEIGHT
            role="img"
            aria-label=label
            node_ref=canvas
        ></canvas>
    }
}

/// The observation: its frames side by side, the oldest first.
#[component]
pub fn ObservationCanvas(
    /// The screen.
    screen: Screen,
) -> impl IntoView {
    let canvas = NodeRef::<Canvas>::new();
    Effect::new(move || {
        let (Some(canvas), Some(shot)) = (canvas.get(), screen.shot.get()) else { return };
        let count = shot.observation.len() / OBS_PIXELS;
        canvas.set_width((count * OBS_SIDE) as u32);
        let mut pixels = Vec::with_capacity(shot.observation.len() * 4);
        for row in 0..OBS_SIDE {
            for frame in 0..count {
                let start = frame * OBS_PIXELS + row * OBS_SIDE;
                let grey = &shot.observation[start..start + OBS_SIDE];
                pixels.extend(grey.iter().flat_map(|&level| [level, level, level, 255]));
            }
        }
        drop(paint(&canvas, &pixels, count * OBS_SIDE));
    });
    view! {
        <canvas
            class="observation"
            width=OBS_SIDE
            height=OBS_SIDE
            role="img"
            aria-label="What the agent sees: the last frames in grey, the oldest on the left"
            node_ref=canvas
        ></canvas>
    }
}

/// One grey frame `[84, 84]`.
#[component]
pub fn GreyCanvas(
    /// The frame.
    #[prop(into)]
    picture: Signal<Option<Arc<[u8]>>>,
    /// Description.
    label: &'static str,
) -> impl IntoView {
    let canvas = NodeRef::<Canvas>::new();
    Effect::new(move || {
        let (Some(canvas), Some(picture)) = (canvas.get(), picture.get()) else { return };
        let pixels: Vec<u8> = picture.iter().flat_map(|&grey| [grey, grey, grey, 255]).collect();
        drop(paint(&canvas, &pixels, OBS_SIDE));
    });
    view! {
        <canvas
            class="observation"
            width=OBS_SIDE
            height=OBS_SIDE
            role="img"
            aria-label=label
            node_ref=canvas
        ></canvas>
    }
}

/// Paints pixels `[H, width, 4]`.
///
/// # Errors
/// If the browser refuses.
pub fn paint(canvas: &HtmlCanvasElement, pixels: &[u8], width: usize) -> Result<(), JsValue> {
    if width == 0 || pixels.is_empty() {
        return Ok(());
    }
    let context: CanvasRenderingContext2d =
        canvas.get_context("2d")?.ok_or(JsValue::NULL)?.dyn_into()?;
    let height = pixels.len() / 4 / width;
    let image =
        ImageData::new_with_u8_clamped_array_and_sh(Clamped(pixels), width as u32, height as u32)?;
    context.put_image_data(&image, 0.0, 0.0)
}
