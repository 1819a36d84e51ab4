//! Painting pictures of single pixels on a canvas: frames of games and observations of agents.

use wasm_bindgen::{Clamped, JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ImageData};

/// Opaque pixels `[H, W, 4]` of grey levels `[H, W]`.
#[must_use]
pub fn grey(levels: &[u8]) -> Vec<u8> {
    levels.iter().flat_map(|&level| [level, level, level, 255]).collect()
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
