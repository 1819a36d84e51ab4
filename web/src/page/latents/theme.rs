//! The page's colours and preferences, for code that cannot use CSS tokens.

use deepspi_playground::scene::colour::{Rgb, from_hex};
use leptos::prelude::*;

/// Duration of the points' motion to new positions, in milliseconds.
const GLIDE_MS: f64 = 300.0;
/// Replaces a token that is missing or not hexadecimal.
const GREY: Rgb = [0.5; 3];

/// Colours of the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Theme {
    /// Colour of the background.
    pub background: Rgb,
    /// Grid lines.
    pub grid: Rgb,
    /// Outlines of points.
    pub outline: Rgb,
    /// The line between the stars.
    pub line: Rgb,
}

impl Theme {
    /// Reads the current values of the tokens.
    pub fn read() -> Self {
        let root = document().document_element();
        let style = root.and_then(|root| window().get_computed_style(&root).ok().flatten());
        let token = |name: &str| {
            let value = style.as_ref().and_then(|style| style.get_property_value(name).ok());
            value.as_deref().and_then(from_hex).unwrap_or(GREY)
        };
        Self {
            background: token("--surface"),
            grid: token("--grid"),
            outline: token("--text"),
            line: token("--text-muted"),
        }
    }
}

/// Duration of the motion for this user: 0 if reduced motion is preferred.
pub fn glide_ms() -> f64 {
    let query = window().match_media("(prefers-reduced-motion: reduce)").ok().flatten();
    if query.is_some_and(|query| query.matches()) { 0.0 } else { GLIDE_MS }
}
