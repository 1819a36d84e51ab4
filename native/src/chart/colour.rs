//! The colours of `deepspi_plot` as the figures use them, and those of text, axes and grid.
//!
//! A series has the same index, and so the same colour, in every figure: readers learn it once.

use deepspi_plot::colour;
use plotters::style::RGBColor;
use serde::Serialize;

/// Colour of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Colour {
    /// Index of the series; after index 7 the colours repeat. [`Colour::PPO`] and the constants
    /// after it name fixed indices.
    Series(usize),
    /// For everything that is not a series.
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
            Self::Series(index) => rgb(colour::series(index)),
            Self::Grey => RGBColor(120, 120, 120),
        }
    }
}

/// Text and frames.
pub(super) const INK: RGBColor = RGBColor(34, 34, 34);
/// Less prominent text, and axes.
pub(super) const FAINT: RGBColor = RGBColor(95, 95, 95);
/// Lines of the grid.
pub(super) const GRID: RGBColor = RGBColor(228, 228, 228);
/// A missing value.
pub(super) const MISSING: RGBColor = RGBColor(224, 224, 224);
/// The background.
pub(super) const WHITE: RGBColor = RGBColor(255, 255, 255);

/// Colour at `share` of the colour scale of values; grey if `share` is not finite.
pub(super) fn viridis(share: f64) -> RGBColor {
    if share.is_finite() { rgb(colour::viridis(share)) } else { MISSING }
}

/// Dark or white, whichever is easier to read on `background`.
pub(super) fn text_on(background: RGBColor) -> RGBColor {
    let bytes = |RGBColor(red, green, blue)| [red, green, blue];
    rgb(colour::readable_on(bytes(background), [bytes(INK), bytes(WHITE)]))
}

const fn rgb([red, green, blue]: [u8; 3]) -> RGBColor {
    RGBColor(red, green, blue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_not_finite_is_grey() {
        assert_eq!([viridis(f64::NAN), viridis(f64::INFINITY)], [MISSING; 2]);
        assert_eq!(viridis(1.0), RGBColor(253, 231, 37));
    }

    #[test]
    fn text_is_readable_on_both_ends() {
        assert_eq!(text_on(viridis(0.0)), WHITE);
        assert_eq!(text_on(viridis(1.0)), INK);
    }
}
