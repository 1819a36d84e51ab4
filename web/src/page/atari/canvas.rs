//! The picture of a screen, and what the agent sees.

use std::sync::Arc;

use deepspi_worlds::atari::{FRAME_HEIGHT, FRAME_PIXELS, FRAME_WIDTH, OBS_PIXELS, OBS_SIDE};
use leptos::html::Canvas;
use leptos::prelude::*;

use super::state::Screen;
use crate::page::pixels::{grey, paint};

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
    game_view(canvas, label)
}

/// The canvas of a game's picture.
pub fn game_view(canvas: NodeRef<Canvas>, label: Signal<String>) -> impl IntoView {
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
                pixels.extend(grey(&shot.observation[start..start + OBS_SIDE]));
            }
        }
        drop(paint(&canvas, &pixels, count * OBS_SIDE));
    });
    observation_view(canvas, "What the agent sees: the last frames in grey, the oldest on the left")
}

/// The canvas of an observation.
fn observation_view(canvas: NodeRef<Canvas>, label: &'static str) -> impl IntoView {
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
        drop(paint(&canvas, &grey(&picture), OBS_SIDE));
    });
    observation_view(canvas, label)
}
