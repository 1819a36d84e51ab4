//! A picture of the page as a file that does not depend on the page.
//!
//! Colours and fonts come from style sheets, which a file does not have. So the computed style of
//! every element, in the current theme, is written into its copy.

use js_sys::Uint8Array;
use leptos::prelude::{document, window};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, BlobPropertyBag, CanvasRenderingContext2d, CssStyleDeclaration, Element,
    HtmlCanvasElement, HtmlImageElement, Url, XmlSerializer,
};

use crate::plot::wrap;

const SVG: &str = "http://www.w3.org/2000/svg";
/// The CSS properties that are copied.
const PROPERTIES: &[&str] = &[
    "fill",
    "fill-opacity",
    "stroke",
    "stroke-width",
    "stroke-opacity",
    "stroke-linecap",
    "stroke-linejoin",
    "stroke-dasharray",
    "opacity",
    "paint-order",
    "font-family",
    "font-size",
    "font-weight",
    "text-anchor",
];
/// Font size and line spacing of the foot.
const FOOT: f64 = 10.0;
const FOOT_LINE: f64 = 14.0;
const MARGIN: f64 = 8.0;
/// Pixels of a PNG for each pixel of the page.
const SCALE: f64 = 2.0;

/// A picture that does not depend on the page.
#[derive(Clone, Debug)]
pub struct Standalone {
    /// SVG.
    pub markup: String,
    /// Width and height in pixels.
    pub size: [f64; 2],
}

/// A copy of `svg` with its styles, a title, a background, and `source` at its foot. None if the
/// browser refuses an operation.
pub fn standalone(svg: &Element, title: &str, source: &str) -> Option<Standalone> {
    let copy = svg.clone_node_with_deep(true).ok()?.dyn_into::<Element>().ok()?;
    write_looks(svg, &copy)?;
    let bounds: Vec<f64> =
        svg.get_attribute("viewBox")?.split(' ').filter_map(|x| x.parse().ok()).collect();
    let [left, top, width, height] = bounds[..] else { return None };
    let foot = wrap(source, FOOT, width - 2.0 * MARGIN);
    let size = [width, height + foot.len() as f64 * FOOT_LINE + MARGIN];
    copy.set_attribute("xmlns", SVG).ok()?;
    copy.set_attribute("viewBox", &format!("{left} {top} {} {}", size[0], size[1])).ok()?;
    copy.set_attribute("width", &size[0].to_string()).ok()?;
    copy.set_attribute("height", &size[1].to_string()).ok()?;

    let body = style_of(document().body()?.as_ref())?;
    let element = |name: &str, attributes: &[(&str, String)]| {
        let element = document().create_element_ns(Some(SVG), name).ok()?;
        for (name, value) in attributes {
            element.set_attribute(name, value).ok()?;
        }
        Some(element)
    };
    let background = element(
        "rect",
        &[
            ("x", left.to_string()),
            ("y", top.to_string()),
            ("width", size[0].to_string()),
            ("height", size[1].to_string()),
            ("fill", value(&body, "background-color")),
        ],
    )?;
    copy.prepend_with_node_1(&background).ok()?;
    let name = element("title", &[])?;
    name.set_text_content(Some(title));
    copy.prepend_with_node_1(&name).ok()?;
    for (index, line) in foot.iter().enumerate() {
        let baseline = top + height + (index as f64 + 0.7) * FOOT_LINE;
        let text = element(
            "text",
            &[
                ("x", (left + MARGIN).to_string()),
                ("y", baseline.to_string()),
                ("fill", value(&body, "color")),
                ("font-size", FOOT.to_string()),
                ("font-family", value(&body, "font-family")),
            ],
        )?;
        text.set_text_content(Some(line));
        copy.append_child(&text).ok()?;
    }
    let markup = XmlSerializer::new().ok()?.serialize_to_string(&copy).ok()?;
    Some(Standalone { markup, size })
}

/// The font of the page.
#[must_use]
pub fn font() -> String {
    let style = document().body().and_then(|body| style_of(body.as_ref()));
    style.map_or_else(|| "sans-serif".to_owned(), |style| value(&style, "font-family"))
}

/// The picture as PNG, at twice its size.
pub async fn png(picture: &Standalone) -> Result<Blob, JsValue> {
    let properties = BlobPropertyBag::new();
    properties.set_type("image/svg+xml");
    let parts = js_sys::Array::of1(&Uint8Array::from(picture.markup.as_bytes()));
    let blob = Blob::new_with_u8_array_sequence_and_options(&parts, &properties)?;
    let address = Url::create_object_url_with_blob(&blob)?;
    let image = HtmlImageElement::new()?;
    image.set_src(&address);
    let decoded = JsFuture::from(image.decode()).await;
    Url::revoke_object_url(&address)?;
    decoded?;

    let canvas: HtmlCanvasElement = document().create_element("canvas")?.dyn_into()?;
    let [width, height] = picture.size.map(|side| side * SCALE);
    canvas.set_width(width.ceil() as u32);
    canvas.set_height(height.ceil() as u32);
    let context = canvas.get_context("2d")?.ok_or(JsValue::NULL)?;
    let context: CanvasRenderingContext2d = context.dyn_into()?;
    context.draw_image_with_html_image_element_and_dw_and_dh(&image, 0.0, 0.0, width, height)?;
    png_of(&canvas).await
}

/// The content of a canvas as PNG.
///
/// # Errors
/// If the browser refuses.
pub async fn png_of(canvas: &HtmlCanvasElement) -> Result<Blob, JsValue> {
    let made = js_sys::Promise::new(&mut |resolve, _| {
        // This throws if the canvas cannot be read; the caller then gets no blob.
        if canvas.to_blob(&resolve).is_err() {
            drop(resolve.call1(&JsValue::NULL, &JsValue::NULL));
        }
    });
    JsFuture::from(made).await?.dyn_into()
}

fn write_looks(original: &Element, copy: &Element) -> Option<()> {
    let style = style_of(original)?;
    for name in PROPERTIES {
        let value = value(&style, name);
        if !value.is_empty() {
            copy.set_attribute(name, &value).ok()?;
        }
    }
    for name in ["class", "style", "color", "tabindex", "role", "aria-pressed"] {
        copy.remove_attribute(name).ok()?;
    }
    let (originals, copies) = (original.children(), copy.children());
    for index in 0..originals.length() {
        write_looks(&originals.item(index)?, &copies.item(index)?)?;
    }
    Some(())
}

fn style_of(element: &Element) -> Option<CssStyleDeclaration> {
    window().get_computed_style(element).ok()?
}

fn value(style: &CssStyleDeclaration, name: &str) -> String {
    style.get_property_value(name).unwrap_or_default()
}
