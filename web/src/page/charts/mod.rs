//! Charts: lines over training, and scatters, as SVG that follows the page's colours.
