//! The buttons under a screen that save what it has shown: a GIF of the last minute, the steps as CSV
//! and JSON, and the picture.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use deepspi_film::GifError;
use deepspi_worlds::atari::FRAME_WIDTH;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, HtmlCanvasElement, MessageChannel};

use crate::page::charts::png_of;
use crate::page::download::{offer, offer_blob};
use crate::page::pixels::paint;
use crate::recording::gif::GifMaker;
use crate::recording::{Recording, SECONDS};

/// Longest time for which the GIF keeps the page busy. A frame of the browser has 16 ms.
const SLICE_MS: f64 = 8.0;
/// Enlargement of the saved picture.
const PICTURE_SCALE: usize = 4;
/// What is said if there is nothing to save.
const NOTHING: &str = "Nothing to save yet: let this screen play first.";

/// The buttons that save what a screen has shown.
#[component]
pub fn TakeAway(
    /// Name of the screen, such as `A`, for people who do not see where the buttons are.
    letter: &'static str,
    /// The recording of the screen; none before a game was put into its console. It is read when a
    /// button is pressed, so it need not say that it changes.
    recording: StoredValue<Option<Recording>>,
) -> impl IntoView {
    let status = RwSignal::new(String::new());
    // The share of the GIF that is done, while one is being made.
    let progress = RwSignal::new(None::<f64>);
    let cancelled = StoredValue::new(Arc::new(AtomicBool::new(false)));
    let cancel = move || {
        cancelled.try_with_value(|cancelled| cancelled.store(true, Ordering::Relaxed));
    };
    on_cleanup(cancel);

    // Reads the recording; says so if there is nothing in it.
    let save = move |file: &dyn Fn(&Recording) -> String| {
        let text = recording.with_value(|recording| {
            let kept = recording.as_ref().filter(|recording| !recording.is_empty());
            kept.map_or_else(|| NOTHING.to_owned(), file)
        });
        status.set(text);
    };
    let save_csv = move |_| {
        save(&|recording| {
            let name = format!("{}.csv", recording.name());
            offer(&name, "text/csv", recording.csv().as_bytes());
            said_of_steps(recording, &name)
        });
    };
    let save_json = move |_| {
        save(&|recording| {
            let name = format!("{}.json", recording.name());
            offer(&name, "application/json", recording.json().as_bytes());
            said_of_steps(recording, &name)
        });
    };
    let save_picture = move |_| {
        let found = recording.with_value(|recording| {
            let recording = recording.as_ref()?;
            Some((recording.name(), pixels(recording.picture()?, recording.rgb())))
        });
        let Some((name, pixels)) = found else { return status.set(NOTHING.to_owned()) };
        let name = format!("{name}.png");
        spawn_local(async move {
            let text = match png(&pixels).await {
                Ok(blob) => {
                    offer_blob(&name, &blob);
                    format!("Saved {name}.")
                }
                Err(_) => "This browser could not make a PNG of the screen.".to_owned(),
            };
            // The room may have been closed; then nobody reads it.
            status.try_set(text);
        });
    };
    let save_gif = move |_| {
        if progress.with_untracked(Option::is_some) {
            return cancel();
        }
        let started = recording.with_value(|recording| {
            let recording = recording.as_ref()?;
            recording.gif().map(|maker| Some((recording.name(), maker?))).transpose()
        });
        let (name, maker) = match started {
            None => return status.set(NOTHING.to_owned()),
            Some(Err(error)) => return status.set(failed(&error)),
            Some(Ok(started)) => started,
        };
        let name = format!("{name}.gif");
        status.set("Making the GIF; the game goes on.".to_owned());
        progress.set(Some(0.0));
        let flag = Arc::new(AtomicBool::new(false));
        cancelled.set_value(flag.clone());
        spawn_local(async move {
            let made = make(maker, progress, &flag).await;
            let text = match made {
                Ok(Some(bytes)) => {
                    offer(&name, "image/gif", &bytes);
                    format!("Saved {name}, {}.", size(bytes.len()))
                }
                Ok(None) => "The GIF was not made.".to_owned(),
                Err(error) => failed(&error),
            };
            progress.try_set(None);
            status.try_set(text);
        });
    };
    view! {
        <div class="take-away" role="group" aria-label=format!("Save from screen {letter}")>
            <span class="muted" aria-hidden="true">"Save"</span>
            // One button starts and stops, so that the focus stays where it is.
            <button
                type="button"
                data-save="gif"
                title=format!("The last {SECONDS} seconds of the game")
                on:click=save_gif
            >
                {move || if progress.get().is_some() { "Stop the GIF" } else { "GIF" }}
            </button>
            <button type="button" data-save="csv" title="The steps as a table" on:click=save_csv>
                "CSV"
            </button>
            <button type="button" data-save="json" title="The steps as data" on:click=save_json>
                "JSON"
            </button>
            <button type="button" data-save="png" title="The picture on the screen" on:click=save_picture>
                "PNG"
            </button>
            <Show when=move || progress.get().is_some()>
                <progress
                    max="1"
                    value=move || progress.get().unwrap_or(1.0).to_string()
                    aria-label="Making the GIF"
                ></progress>
            </Show>
            <span class="muted" role="status">
                {status}
            </span>
        </div>
    }
}

/// What is said of a table that was saved.
fn said_of_steps(recording: &Recording, name: &str) -> String {
    match recording.steps_left_out() {
        0 => format!("Saved {name}."),
        steps => {
            format!("Saved {name}, without its first {steps} steps, which are no longer kept.")
        }
    }
}

/// A number of bytes in words.
fn size(bytes: usize) -> String {
    match bytes.div_ceil(1000) {
        kilobytes @ ..1000 => format!("{kilobytes} kB"),
        kilobytes => format!("{:.1} MB", kilobytes as f64 / 1e3),
    }
}

fn failed(error: &GifError) -> String {
    format!("The GIF could not be made: {error}.")
}

/// Makes a GIF while the page goes on. None if it was cancelled.
async fn make(
    mut maker: GifMaker,
    progress: RwSignal<Option<f64>>,
    cancelled: &AtomicBool,
) -> Result<Option<Vec<u8>>, GifError> {
    loop {
        let until = now_ms() + SLICE_MS;
        while now_ms() < until {
            if !maker.advance()? {
                return maker.finish().map(Some);
            }
        }
        progress.try_set(Some(maker.progress()));
        breathe().await;
        if cancelled.load(Ordering::Relaxed) {
            return Ok(None);
        }
    }
}

/// Milliseconds since the page was opened.
fn now_ms() -> f64 {
    window().performance().map_or_else(js_sys::Date::now, |clock| clock.now())
}

/// Lets the browser do what is waiting. The function waits for a message to itself, because a timer
/// would take 4 ms each time, and a second in a hidden tab.
async fn breathe() {
    let Ok(channel) = MessageChannel::new() else { return };
    let promise =
        js_sys::Promise::new(&mut |resolve, _| channel.port1().set_onmessage(Some(&resolve)));
    if channel.port2().post_message(&JsValue::NULL).is_ok() {
        drop(JsFuture::from(promise).await);
    }
    channel.port1().close();
}

/// A picture `[210, 160]` of palette indices, enlarged: `[210 scale, 160 scale, 4]`.
fn pixels(picture: &[u8], rgb: &[[u8; 3]; 128]) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(picture.len() * 4 * PICTURE_SCALE * PICTURE_SCALE);
    for row in picture.chunks(FRAME_WIDTH) {
        for _ in 0..PICTURE_SCALE {
            for index in row {
                let [red, green, blue] = rgb[usize::from(index >> 1)];
                pixels.extend([red, green, blue, u8::MAX].repeat(PICTURE_SCALE));
            }
        }
    }
    pixels
}

/// The pixels of [`pixels`] as PNG.
async fn png(pixels: &[u8]) -> Result<Blob, JsValue> {
    let canvas: HtmlCanvasElement = document().create_element("canvas")?.dyn_into()?;
    let width = FRAME_WIDTH * PICTURE_SCALE;
    canvas.set_width(width as u32);
    canvas.set_height((pixels.len() / 4 / width) as u32);
    paint(&canvas, pixels, width)?;
    png_of(&canvas).await
}
