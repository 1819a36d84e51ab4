//! Writes a film as GIF.
//!
//! A GIF has 256 colours. They are fixed here (the 128 of the game, those of the bars, and grays),
//! because colours that are chosen anew for every picture flicker. Each picture stores only what
//! has changed since the one before; otherwise a minute would take a hundred megabytes.

use std::borrow::Cow;
use std::collections::HashMap;

use anyhow::{Context, Result};
use gif::{DisposalMethod, Encoder, Frame, Repeat};
use resvg::tiny_skia::Pixmap;

use super::frame_rate::RATE;
use super::picture::COLOURS;

/// Index that leaves a pixel unchanged.
const UNCHANGED: u8 = 0;

/// A GIF being written, in memory.
pub(super) struct Gif {
    encoder: Encoder<Vec<u8>>,
    colours: Colours,
    size: (u16, u16),
    /// Indices of the previous picture.
    shown: Vec<u8>,
    pictures: u32,
}

impl Gif {
    /// Starts a film of pictures of this size, which is repeated for ever.
    pub fn start(size: (u32, u32), game: &[[u8; 3]; 128]) -> Result<Self> {
        let colours = Colours::new(game);
        let size = (u16::try_from(size.0)?, u16::try_from(size.1)?);
        let mut encoder = Encoder::new(Vec::new(), size.0, size.1, &colours.palette.concat())?;
        encoder.set_repeat(Repeat::Infinite)?;
        Ok(Self { encoder, colours, size, shown: Vec::new(), pictures: 0 })
    }

    pub fn push(&mut self, picture: &Pixmap) -> Result<()> {
        let indices: Vec<u8> = picture
            .pixels()
            .iter()
            .map(|pixel| self.colours.index([pixel.red(), pixel.green(), pixel.blue()]))
            .collect();
        let (width, height) = (usize::from(self.size.0), usize::from(self.size.1));
        let (rows, columns) = if self.shown.is_empty() {
            self.shown = vec![UNCHANGED; indices.len()];
            (0..height, 0..width)
        } else {
            changed(&self.shown, &indices, width)
        };
        let mut pixels = Vec::with_capacity(rows.len() * columns.len());
        for row in rows.clone() {
            let place = row * width + columns.start..row * width + columns.end;
            let pair = indices[place.clone()].iter().zip(&self.shown[place]);
            pixels.extend(pair.map(|(new, old)| if new == old { UNCHANGED } else { *new }));
        }
        // Times in hundredths of a second; their rounding errors must not add up.
        let until = |pictures: u32| (pictures * 100 + RATE / 2) / RATE;
        let frame = Frame {
            delay: u16::try_from(until(self.pictures + 1) - until(self.pictures))?,
            dispose: DisposalMethod::Keep,
            transparent: Some(UNCHANGED),
            top: u16::try_from(rows.start)?,
            left: u16::try_from(columns.start)?,
            width: u16::try_from(columns.len())?,
            height: u16::try_from(rows.len())?,
            buffer: Cow::Owned(pixels),
            ..Frame::default()
        };
        self.encoder.write_frame(&frame).context("cannot encode a picture")?;
        self.shown = indices;
        self.pictures += 1;
        Ok(())
    }

    /// The bytes of the file.
    pub fn finish(self) -> Result<Vec<u8>> {
        self.encoder.into_inner().context("cannot finish the GIF")
    }
}

/// Rows and columns that contain all differences. Without differences it is one pixel, because a
/// GIF cannot have empty pictures.
fn changed(
    old: &[u8],
    new: &[u8],
    width: usize,
) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
    let unlike = |place: &usize| old[*place] != new[*place];
    let places = || (0..new.len()).filter(unlike);
    let (Some(first), Some(last)) = (places().next(), places().next_back()) else {
        return (0..1, 0..1);
    };
    let columns = places().map(|place| place % width);
    let (left, right) = columns.fold((width, 0), |(left, right), x| (left.min(x), right.max(x)));
    (first / width..last / width + 1, left..right + 1)
}

/// The palette, and the nearest palette index of each colour.
struct Colours {
    palette: Vec<[u8; 3]>,
    known: HashMap<[u8; 3], u8>,
}

impl Colours {
    fn new(game: &[[u8; 3]; 128]) -> Self {
        let bars = COLOURS.iter().filter_map(|text| {
            let number = u32::from_str_radix(text.trim_start_matches('#'), 16).ok()?;
            let [_, red, green, blue] = number.to_be_bytes();
            Some([red, green, blue])
        });
        // Index 0 means "unchanged" and is no colour.
        let mut palette: Vec<[u8; 3]> = std::iter::once([0; 3]).chain(bars).collect();
        palette.extend(game);
        // The rest is grays from black to white.
        let grays = 256 - palette.len();
        palette.extend((0..grays).map(|i| [(i * 255 / (grays - 1)) as u8; 3]));
        Self { palette, known: HashMap::new() }
    }

    fn index(&mut self, colour: [u8; 3]) -> u8 {
        let palette = &self.palette;
        *self.known.entry(colour).or_insert_with(|| {
            let distance = |other: &[u8; 3]| -> u32 {
                let pairs = colour.iter().zip(other);
                pairs.map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2)).sum()
            };
            let nearest = (1..=u8::MAX).zip(&palette[1..]).min_by_key(|(_, c)| distance(c));
            nearest.map_or(UNCHANGED, |(index, _)| index)
        })
    }
}

#[cfg(test)]
mod tests {
    use resvg::tiny_skia::PremultipliedColorU8;

    use super::*;

    fn picture(size: (u32, u32), points: &[(usize, [u8; 3])]) -> Pixmap {
        let mut picture = Pixmap::new(size.0, size.1).expect("a size");
        let pixel = |[r, g, b]: [u8; 3]| PremultipliedColorU8::from_rgba(r, g, b, 255);
        picture.pixels_mut().fill(pixel([0; 3]).expect("opaque"));
        for &(place, colour) in points {
            picture.pixels_mut()[place] = pixel(colour).expect("opaque");
        }
        picture
    }

    #[test]
    fn pictures_come_back_and_only_changes_are_stored() {
        let mut game = [[0; 3]; 128];
        game[5] = [200, 72, 72];
        let red = [200, 72, 72];
        let films = [
            vec![(0, red)],
            vec![(0, red), (13, [255; 3]), (21, red)],
            vec![(0, red), (13, [255; 3]), (21, red)],
            vec![],
        ];
        let mut gif = Gif::start((8, 4), &game).expect("started");
        for points in &films {
            gif.push(&picture((8, 4), points)).expect("encoded");
        }
        let bytes = gif.finish().expect("finished");
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(&bytes[..]).expect("a GIF");
        assert_eq!((decoder.width(), decoder.height()), (8, 4));
        let mut shown = vec![[9; 3]; 32];
        let (mut sizes, mut delays) = (Vec::new(), 0);
        for points in &films {
            let frame = decoder.read_next_frame().expect("readable").expect("a picture");
            let (left, top) = (usize::from(frame.left), usize::from(frame.top));
            for (i, pixel) in frame.buffer.chunks(4).enumerate() {
                let (x, y) = (i % usize::from(frame.width), i / usize::from(frame.width));
                if pixel[3] > 0 {
                    shown[(top + y) * 8 + left + x] = [pixel[0], pixel[1], pixel[2]];
                }
            }
            sizes.push((frame.width, frame.height));
            delays += frame.delay;
            let mut expected = vec![[0; 3]; 32];
            for &(place, colour) in points {
                expected[place] = colour;
            }
            assert_eq!(shown, expected, "{points:?}");
        }
        // Place 13 is (5, 1), place 21 is (5, 2).
        assert_eq!(sizes, [(8, 4), (1, 2), (1, 1), (6, 3)]);
        assert_eq!(delays, 27, "four pictures of 1/15 s");
    }
}
