//! Colours that people with any kind of colour vision can tell apart, the same ones everywhere.
//!
//! The index of a series is its colour in every figure: readers learn it once. Series are the palette
//! of Okabe and Ito, scales are viridis, which also grows lighter evenly when printed in grey.

use plotters::style::RGBColor;
use serde::Serialize;

/// Colour of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Colour {
    /// By its index, which starts again after 7; see [`Colour::PPO`] and the ones after it.
    Series(usize),
    /// For what is not a series of its own.
    Grey,
}

impl Colour {
    /// PPO in every figure.
    pub const PPO: Self = Self::Series(0);
    /// DeepMDP in every figure.
    pub const DEEP_MDP: Self = Self::Series(1);
    /// DeepSPI in every figure.
    pub const DEEP_SPI: Self = Self::Series(2);

    pub(super) fn rgb(self) -> RGBColor {
        match self {
            Self::Series(index) => SERIES[index % SERIES.len()],
            Self::Grey => RGBColor(120, 120, 120),
        }
    }
}

/// Okabe and Ito without their yellow, which disappears on white.
const SERIES: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

/// Text and frames.
pub(super) const INK: RGBColor = RGBColor(34, 34, 34);
/// Text of less weight, and axes.
pub(super) const FAINT: RGBColor = RGBColor(95, 95, 95);
/// Lines of the grid.
pub(super) const GRID: RGBColor = RGBColor(228, 228, 228);
/// A value that is not there.
pub(super) const MISSING: RGBColor = RGBColor(224, 224, 224);
/// The background.
pub(super) const WHITE: RGBColor = RGBColor(255, 255, 255);

/// Viridis at equal distances.
const VIRIDIS: [(u8, u8, u8); 10] = [
    (68, 1, 84),
    (72, 40, 120),
    (62, 74, 137),
    (49, 104, 142),
    (38, 130, 142),
    (31, 158, 137),
    (53, 183, 121),
    (109, 205, 89),
    (180, 222, 44),
    (253, 231, 37),
];

/// Colour of `share` of the way along the scale; grey where it is not finite.
pub(super) fn viridis(share: f64) -> RGBColor {
    if !share.is_finite() {
        return MISSING;
    }
    let last = VIRIDIS.len() - 1;
    let place = share.clamp(0.0, 1.0) * last as f64;
    let index = (place as usize).min(last - 1);
    let (a, b) = (VIRIDIS[index], VIRIDIS[index + 1]);
    let mix = |a: u8, b: u8| {
        (f64::from(a) + (f64::from(b) - f64::from(a)) * (place - index as f64)).round() as u8
    };
    RGBColor(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

/// Black or white, whichever is easier to read on `background`.
pub(super) fn text_on(background: RGBColor) -> RGBColor {
    let RGBColor(r, g, b) = background;
    let light = 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b);
    if light > 140.0 { INK } else { WHITE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_ends_where_it_should() {
        assert_eq!(viridis(0.0), RGBColor(68, 1, 84));
        assert_eq!(viridis(1.0), RGBColor(253, 231, 37));
        assert_eq!(viridis(7.0), viridis(1.0), "values beyond the range keep the last colour");
        assert_eq!(viridis(f64::NAN), MISSING);
    }

    #[test]
    fn text_is_readable_on_both_ends() {
        assert_eq!(text_on(viridis(0.0)), WHITE);
        assert_eq!(text_on(viridis(1.0)), INK);
    }
}
