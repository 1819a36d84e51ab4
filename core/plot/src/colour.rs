//! Colours of charts: a palette for series that is safe for colour-blind readers, a scale for
//! values, and readable text on it. A colour is red, green and blue in sRGB, 0 to 255.

/// The palette of Okabe and Ito without yellow, which is not visible on white.
pub const SERIES: [[u8; 3]; 7] = [
    [0, 114, 178],
    [230, 159, 0],
    [0, 158, 115],
    [213, 94, 0],
    [204, 121, 167],
    [86, 180, 233],
    [0, 0, 0],
];

/// Viridis at equally spaced positions.
const VIRIDIS: [[u8; 3]; 10] = [
    [68, 1, 84],
    [72, 40, 120],
    [62, 74, 137],
    [49, 104, 142],
    [38, 130, 142],
    [31, 158, 137],
    [53, 183, 121],
    [109, 205, 89],
    [180, 222, 44],
    [253, 231, 37],
];

/// Colour of the series with this index; after its last colour the palette starts again.
#[must_use]
pub const fn series(index: usize) -> [u8; 3] {
    SERIES[index % SERIES.len()]
}

/// The viridis scale at a share of its length. It looks evenly spaced, also with red-green
/// blindness, and its lightness increases steadily, also when printed in grey.
///
/// A share outside 0 to 1 has the colour of the nearer end; NaN has the colour of 0.
#[must_use]
pub fn viridis(share: f64) -> [u8; 3] {
    let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
    let last = VIRIDIS.len() - 1;
    let place = share * last as f64;
    let index = (place as usize).min(last - 1);
    let (from, to) = (VIRIDIS[index].map(f64::from), VIRIDIS[index + 1].map(f64::from));
    std::array::from_fn(|c| (from[c] + (to[c] - from[c]) * (place - index as f64)).round() as u8)
}

/// The colour in the notation of CSS and SVG: `#45065a`.
#[must_use]
pub fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// The text colour of two that has the larger contrast to the background.
#[must_use]
pub fn readable_on(background: [u8; 3], inks: [[u8; 3]; 2]) -> [u8; 3] {
    let [first, second] = inks;
    if contrast(background, second) > contrast(background, first) { second } else { first }
}

/// Contrast of two colours as defined by WCAG 2: 1 for equal colours, 21 for black and white. Text
/// should have at least 4.5.
#[must_use]
pub fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
    let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
    a.max(b) / a.min(b)
}

/// Relative luminance, from 0 for black to 1 for white.
fn luminance(colour: [u8; 3]) -> f64 {
    let [red, green, blue] = colour.map(|channel| {
        let x = f64::from(channel) / 255.0;
        if x <= 0.04045 { x / 12.92 } else { ((x + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_ends_where_it_should_and_grows_lighter() {
        assert_eq!(viridis(0.0), [68, 1, 84]);
        assert_eq!(viridis(1.0), [253, 231, 37]);
        assert_eq!(viridis(7.0), viridis(1.0));
        assert_eq!([viridis(-1.0), viridis(f64::NAN)], [viridis(0.0); 2]);
        let lights: Vec<f64> =
            (0..=100).map(|i| luminance(viridis(f64::from(i) / 100.0))).collect();
        assert!(lights.is_sorted_by(|a, b| a < b), "{lights:?}");
    }

    #[test]
    fn the_palette_starts_again() {
        assert_eq!(series(7), series(0));
        assert_eq!(hex(series(2)), "#009e73");
    }

    #[test]
    fn text_on_the_scale_has_enough_contrast() {
        let inks = [[0; 3], [255; 3]];
        assert!((contrast(inks[0], inks[1]) - 21.0).abs() < 1e-9);
        for index in 0..=100 {
            let background = viridis(f64::from(index) / 100.0);
            let ink = readable_on(background, inks);
            assert!(contrast(background, ink) >= 4.5, "{index}: {}", contrast(background, ink));
        }
    }
}
