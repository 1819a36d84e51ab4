//! From console frames to observations: luminance, maximum of two frames, area resize.
//!
//! Policies trained elsewhere see frames made by `OpenCV`'s `INTER_AREA`, so the resize must give
//! the same byte for every pixel. This fixes the order of every `f32` operation: the horizontal sum
//! of a source row in tap order, then the vertical sum in tap order; multiply then add, never
//! fused. It is allowed to change which of these operations run in parallel, and to reuse the sum
//! of a row that is already known.
//!
//! The order of the stages must not change either: both frames become gray, then the maximum is
//! taken, then the resize (EnvPool, ALE, Gymnasium). A maximum of colours gives different pixels.

use std::ops::Range;

use super::console::Palette;

/// Widest source row that the resize accepts: column numbers are bytes, so that the hot loop needs
/// no bounds checks.
const MAX_WIDTH: usize = 256;

/// Luminance of palette indices, for one frame and for the maximum of two frames.
#[derive(Debug)]
pub struct GrayPool {
    /// `pair[a / 2 * 128 + b / 2]` = max(gray(a), gray(b)); one table lookup per pixel instead of
    /// two.
    pair: Box<[u8; 1 << 14]>,
}

impl GrayPool {
    /// Precomputes the table for one palette.
    #[must_use]
    pub fn new(palette: &Palette) -> Self {
        let mut pair = Box::new([0; 1 << 14]);
        for (a, &gray_a) in palette.gray.iter().enumerate() {
            for (b, &gray_b) in palette.gray.iter().enumerate() {
                pair[a << 7 | b] = gray_a.max(gray_b);
            }
        }
        Self { pair }
    }

    fn lookup(&self, a: u8, b: u8) -> u8 {
        // `& 0x7F` shows the compiler that the index is inside the table.
        self.pair[usize::from(a >> 1 & 0x7F) << 7 | usize::from(b >> 1 & 0x7F)]
    }

    /// Luminance of one frame of palette indices. All slices have the same length.
    pub fn gray(&self, frame: &[u8], out: &mut [u8]) {
        self.max(frame, frame, out);
    }

    /// Pixelwise maximum of the luminances of two frames of palette indices. All slices have the
    /// same length.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn max(&self, first: &[u8], second: &[u8], out: &mut [u8]) {
        assert!(first.len() == out.len() && second.len() == out.len(), "frames of different sizes");
        let (first_words, first_rest) = first.as_chunks::<8>();
        let (second_words, second_rest) = second.as_chunks::<8>();
        let (out_words, out_rest) = out.as_chunks_mut::<8>();
        for ((a, b), out) in first_words.iter().zip(second_words).zip(out_words) {
            // Most of a screen is background: eight equal pixels need one lookup.
            if *a == [a[0]; 8] && *b == [b[0]; 8] {
                *out = [self.lookup(a[0], b[0]); 8];
            } else {
                for ((&a, &b), out) in a.iter().zip(b).zip(out) {
                    *out = self.lookup(a, b);
                }
            }
        }
        for ((&a, &b), out) in first_rest.iter().zip(second_rest).zip(out_rest) {
            *out = self.lookup(a, b);
        }
    }
}

/// The source samples of one output sample: `weights[i]` is the weight of source sample
/// `first + i`.
#[derive(Debug, Clone, PartialEq)]
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

impl Taps {
    const fn range(&self) -> Range<usize> {
        self.first..self.first + self.weights.len()
    }
}

/// `OpenCV`'s area weights along one axis, from `source` to `output` samples.
#[expect(clippy::cast_precision_loss, reason = "image sizes are far below 2^52")]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "floor and ceil of non-negative image coordinates; weights are f32 in OpenCV"
)]
fn area_taps(source: usize, output: usize) -> Vec<Taps> {
    // OpenCV computes the scale from the inverse scale, both in f64; this rounding affects the
    // result.
    let scale = 1.0 / (output as f64 / source as f64);
    (0..output)
        .map(|k| {
            let left = k as f64 * scale;
            let right = left + scale;
            let span = scale.min(source as f64 - left);
            let last = (right.floor() as usize).min(source - 1);
            let begin = (left.ceil() as usize).min(last);
            let mut taps = Taps { first: begin, weights: Vec::new() };
            if begin as f64 - left > 1e-3 {
                taps.first = begin - 1;
                taps.weights.push(((begin as f64 - left) / span) as f32);
            }
            taps.weights.extend(std::iter::repeat_n((1.0 / span) as f32, last - begin));
            if right - last as f64 > 1e-3 {
                taps.weights.push(((right - last as f64).min(1.0).min(span) / span) as f32);
            }
            taps
        })
        .collect()
}

/// One horizontal tap of every output column.
#[derive(Debug)]
struct Column {
    /// `[W]`: source column.
    source: Vec<u8>,
    /// `[W]`: weight; 0 if this output has fewer taps than others, which adds an exact zero.
    weight: Vec<f32>,
}

/// Area downscaling of 8-bit images with fixed sizes, equal to `OpenCV`'s `INTER_AREA` bit for bit.
///
/// One case is not equal: if both sides shrink by a whole factor, `OpenCV` sums integers instead,
/// which rounds some pixels to a neighbouring value.
#[derive(Debug)]
pub struct AreaResize {
    source: (usize, usize),
    output: (usize, usize),
    columns: Vec<Column>,
    rows: Vec<Taps>,
    /// `[W]`: horizontal sums of the last source row that was summed.
    row_sums: Vec<f32>,
    /// `[W]`: vertical sums of the current output row.
    accumulator: Vec<f32>,
}

impl AreaResize {
    /// Prepares the taps for resizing from `source` to `output`, each as (height, width).
    ///
    /// # Panics
    /// When a size is 0, an output side exceeds its source side (`OpenCV` switches to another
    /// method there), or the source is wider than 256.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "columns are below MAX_WIDTH")]
    pub fn new(source: (usize, usize), output: (usize, usize)) -> Self {
        assert!(
            output.0 > 0 && output.1 > 0 && output.0 <= source.0 && output.1 <= source.1,
            "not a downscale"
        );
        assert!(source.1 <= MAX_WIDTH, "source rows are at most {MAX_WIDTH} wide");
        let taps = area_taps(source.1, output.1);
        let most = taps.iter().map(|taps| taps.weights.len()).max().unwrap_or(0);
        let columns = (0..most)
            .map(|t| Column {
                source: taps.iter().map(|taps| (taps.first + t).min(source.1 - 1) as u8).collect(),
                weight: taps
                    .iter()
                    .map(|taps| taps.weights.get(t).copied().unwrap_or(0.0))
                    .collect(),
            })
            .collect();
        Self {
            source,
            output,
            columns,
            rows: area_taps(source.0, output.0),
            row_sums: vec![0.0; output.1],
            accumulator: vec![0.0; output.1],
        }
    }

    /// Resizes `image`, row by row, into `out`.
    ///
    /// # Panics
    /// When a slice does not have the size given to [`AreaResize::new`].
    pub fn resize(&mut self, image: &[u8], out: &mut [u8]) {
        let width = self.source.1;
        assert_eq!(image.len(), self.source.0 * width, "size of the source image");
        assert_eq!(out.len(), self.output.0 * self.output.1, "size of the output image");
        let mut summed: &[u8] = &[];
        for (taps, out) in self.rows.iter().zip(out.chunks_exact_mut(self.output.1)) {
            self.accumulator.fill(0.0);
            for (&weight, y) in taps.weights.iter().zip(taps.range()) {
                let row = &image[y * width..(y + 1) * width];
                // Neighbouring output rows share source rows, and Atari screens repeat rows.
                if !equal_rows(row, summed) {
                    sum_row(&self.columns, row, &mut self.row_sums);
                    summed = row;
                }
                for (sum, &value) in self.accumulator.iter_mut().zip(&self.row_sums) {
                    *sum += weight * value;
                }
            }
            for (out, &sum) in out.iter_mut().zip(&self.accumulator) {
                *out = round_to_u8(sum);
            }
        }
    }
}

/// Whether two rows have the same pixels. Comparing slices with `==` calls the platform's `memcmp`,
/// which goes byte by byte in WebAssembly and took more time there than the resize itself.
fn equal_rows(a: &[u8], b: &[u8]) -> bool {
    let ((a_words, a_rest), (b_words, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let differences = a_words.iter().zip(b_words).fold(0, |differences, (&a, &b)| {
        differences | (u64::from_ne_bytes(a) ^ u64::from_ne_bytes(b))
    });
    a.len() == b.len() && differences == 0 && a_rest == b_rest
}

/// Horizontal pass over one source row: `sums[x]` = sum over taps of source times weight, in tap
/// order.
fn sum_row(columns: &[Column], row: &[u8], sums: &mut [f32]) {
    let mut padded = [0; MAX_WIDTH];
    padded[..row.len()].copy_from_slice(row);
    sums.fill(0.0);
    for column in columns {
        for ((sum, &source), &weight) in sums.iter_mut().zip(&column.source).zip(&column.weight) {
            *sum += f32::from(padded[usize::from(source)]) * weight;
        }
    }
}

/// Rounds half to even and clamps to `0..=255`; `value` is a sum of non-negative products.
fn round_to_u8(value: f32) -> u8 {
    // Adding 2^23 leaves no bits for a fraction, so the addition itself rounds, half to even; the
    // integer is then in the low bits. `round_ties_even` would be a library call per pixel on
    // processors without SSE 4.1, as `f32::min` is in WebAssembly.
    let clamped = if value < 255.0 { value } else { 255.0 };
    (clamped + 8_388_608.0).to_bits().to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn atari_taps_are_those_of_the_reference() {
        let columns = area_taps(160, 84);
        assert_eq!(columns.iter().map(|taps| taps.weights.len()).sum::<usize>(), 240);
        let rows = area_taps(210, 84);
        assert_eq!(rows.iter().map(|taps| taps.weights.len()).sum::<usize>(), 252);
        assert_eq!(rows[0], Taps { first: 0, weights: vec![0.4, 0.4, 0.2] });
        assert_eq!(rows[1].range(), 2..5);
        for taps in columns.iter().chain(&rows) {
            assert!((taps.weights.iter().sum::<f32>() - 1.0).abs() < 1e-6, "{taps:?}");
        }
    }

    #[test]
    fn rounding_is_half_to_even_and_clamped() {
        for step in 0..=2560_u16 {
            let value = f32::from(step) / 10.0;
            assert_eq!(
                f32::from(round_to_u8(value)),
                value.round_ties_even().min(255.0),
                "{value}"
            );
        }
        assert_eq!([0.5, 1.5, 2.5, 254.5, 255.5].map(round_to_u8), [0, 2, 2, 254, 255]);
    }

    #[test]
    fn rows_are_equal_only_if_every_pixel_is() {
        for len in [0, 7, 8, 160, 163] {
            let row = vec![9; len];
            assert!(equal_rows(&row, &row.clone()));
            assert!(!equal_rows(&row, &vec![9; len + 1]), "another length");
            for changed in 0..len {
                let mut other = row.clone();
                other[changed] = 8;
                assert!(!equal_rows(&row, &other), "pixel {changed} of {len}");
            }
        }
    }

    #[test]
    fn a_constant_image_stays_constant() {
        let mut resize = AreaResize::new((210, 160), (84, 84));
        let mut out = vec![0; 84 * 84];
        for value in [0, 1, 127, 254, 255] {
            resize.resize(&vec![value; 210 * 160], &mut out);
            assert!(out.iter().all(|&pixel| pixel == value), "{value}");
        }
    }

    #[test]
    fn the_pool_takes_the_brighter_pixel() {
        let mut palette = Palette { gray: [0; 128], rgb: [[0; 3]; 128] };
        for (index, gray) in (0..=u8::MAX).step_by(2).zip(palette.gray.iter_mut()) {
            *gray = index.wrapping_mul(37);
        }
        let pool = GrayPool::new(&palette);
        let first: Vec<u8> = (0..1001_u32).map(|i| (i * 7 % 128 * 2) as u8).collect();
        let mut second: Vec<u8> = (0..1001_u32).map(|i| (i * 11 % 128 * 2) as u8).collect();
        second[..64].fill(8);
        let gray = |index: u8| palette.gray[usize::from(index / 2)];
        let mut out = vec![0; first.len()];
        pool.max(&first, &second, &mut out);
        assert!(
            out.iter()
                .zip(first.iter().zip(&second))
                .all(|(&out, (&a, &b))| out == gray(a).max(gray(b)))
        );
        pool.gray(&second, &mut out);
        assert!(out.iter().zip(&second).all(|(&out, &b)| out == gray(b)));
    }
}
