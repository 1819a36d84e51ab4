//! Writes a film as GIF.
//!
//! The colours are fixed for the whole film, because colours that are chosen anew for every picture
//! flicker. Each picture stores only what has changed since the one before; otherwise a minute would
//! take a hundred megabytes. A picture that equals the one before only extends its time.

use std::borrow::Cow;
use std::ops::Range;

use gif::{AnyExtension, DisposalMethod, Encoder, EncodingError, Frame, Repeat};

/// Index that leaves a pixel unchanged.
const UNCHANGED: u8 = 0;
/// Label of the block with a comment.
const COMMENT: AnyExtension = AnyExtension(0xFE);

/// Why a film cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GifError {
    /// The palette has no colour, or more than an index can name.
    #[error("a GIF needs 1 to 255 colours, got {0}")]
    Palette(usize),
    /// A picture of another size.
    #[error("a picture has {found} pixels, but the film has {expected}")]
    Size {
        /// Pixels of the film.
        expected: usize,
        /// Pixels of the picture.
        found: usize,
    },
    /// A pixel with a colour that the palette does not have.
    #[error("a pixel has the colour {found}, but the palette has the colours 1 to {colours}")]
    Colour {
        /// Colours of the palette.
        colours: usize,
        /// Index of the pixel.
        found: u8,
    },
    /// The encoder failed.
    #[error("cannot encode a picture of the GIF: {0}")]
    Encoder(#[from] EncodingError),
}

/// A GIF being written, in memory. It is repeated for ever.
pub struct Gif {
    encoder: Encoder<Vec<u8>>,
    /// Width and height.
    size: [u16; 2],
    colours: usize,
    /// Indices of the last picture, `[height, width]`; empty before the first.
    shown: Vec<u8>,
    /// The last picture, not written yet: the next one may equal it.
    waiting: Option<Frame<'static>>,
}

// The encoder has no `Debug`.
impl std::fmt::Debug for Gif {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gif").field("size", &self.size).finish_non_exhaustive()
    }
}

impl Gif {
    /// Starts a film of pictures of this width and height. `palette` has the red, green and blue of
    /// the indices 1, 2, ..; index 0 is no colour, because it marks unchanged pixels. `comment` is
    /// stored in the file, where no viewer shows it; it should be ASCII, and may be empty.
    ///
    /// # Errors
    /// If the palette has no colour, or more than 255.
    pub fn start(size: [u16; 2], palette: &[[u8; 3]], comment: &str) -> Result<Self, GifError> {
        let colours = palette.len();
        if !(1..=usize::from(u8::MAX)).contains(&colours) {
            return Err(GifError::Palette(colours));
        }
        let mut table = vec![0; 3];
        table.extend(palette.as_flattened());
        let mut encoder = Encoder::new(Vec::new(), size[0], size[1], &table)?;
        encoder.set_repeat(Repeat::Infinite)?;
        if !comment.is_empty() {
            encoder.write_raw_extension(COMMENT, &[comment.as_bytes()])?;
        }
        Ok(Self { encoder, size, colours, shown: Vec::new(), waiting: None })
    }

    /// Appends a picture, `[height, width]` of indices into the palette (from 1), which is shown for
    /// some hundredths of a second. Browsers show a picture of less than 2 hundredths for 10.
    ///
    /// # Errors
    /// If the picture has another size or colours than the film; it is then left out.
    pub fn push(&mut self, picture: &[u8], hundredths: u16) -> Result<(), GifError> {
        let (width, height) = (usize::from(self.size[0]), usize::from(self.size[1]));
        if picture.len() != width * height {
            return Err(GifError::Size { expected: width * height, found: picture.len() });
        }
        if let Some(waiting) = &mut self.waiting
            && self.shown == picture
            && let Some(sum) = waiting.delay.checked_add(hundredths)
        {
            waiting.delay = sum;
            return Ok(());
        }
        let wrong = |index: &&u8| **index == UNCHANGED || usize::from(**index) > self.colours;
        if let Some(&found) = picture.iter().find(wrong) {
            return Err(GifError::Colour { colours: self.colours, found });
        }
        self.write_waiting()?;
        let (rows, columns) = if self.shown.is_empty() {
            self.shown = vec![UNCHANGED; picture.len()];
            (0..height, 0..width)
        } else {
            changed(&self.shown, picture, width)
        };
        let mut pixels = Vec::with_capacity(rows.len() * columns.len());
        for row in rows.clone() {
            let place = row * width + columns.start..row * width + columns.end;
            let pair = picture[place.clone()].iter().zip(&self.shown[place]);
            pixels.extend(pair.map(|(new, old)| if new == old { UNCHANGED } else { *new }));
        }
        // All numbers are at most a side of the film, which is 16 bits wide.
        let side = |pixels: usize| u16::try_from(pixels).unwrap_or(u16::MAX);
        self.waiting = Some(Frame {
            delay: hundredths,
            dispose: DisposalMethod::Keep,
            transparent: Some(UNCHANGED),
            top: side(rows.start),
            left: side(columns.start),
            width: side(columns.len()),
            height: side(rows.len()),
            buffer: Cow::Owned(pixels),
            ..Frame::default()
        });
        self.shown.copy_from_slice(picture);
        Ok(())
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// If the last picture cannot be encoded.
    pub fn finish(mut self) -> Result<Vec<u8>, GifError> {
        self.write_waiting()?;
        Ok(self.encoder.into_inner()?)
    }

    fn write_waiting(&mut self) -> Result<(), GifError> {
        if let Some(frame) = self.waiting.take() {
            self.encoder.write_frame(&frame)?;
        }
        Ok(())
    }
}

/// How long picture `number` (from 0) of a film with `rate` pictures per second is shown, in
/// hundredths of a second. The rounding errors of many pictures do not add up.
#[must_use]
pub fn delay(number: u32, rate: u32) -> u16 {
    let rate = u64::from(rate.max(1));
    let until = |pictures: u64| (pictures * 100 + rate / 2) / rate;
    let number = u64::from(number);
    u16::try_from(until(number + 1) - until(number)).unwrap_or(u16::MAX)
}

/// Rows and columns that contain all differences. Without differences it is one pixel, because a
/// GIF cannot have empty pictures.
fn changed(old: &[u8], new: &[u8], width: usize) -> (Range<usize>, Range<usize>) {
    let mut rows: Option<Range<usize>> = None;
    let mut columns = width..0;
    // Most rows are equal, and whole rows are compared quickly.
    for (row, (old, new)) in old.chunks(width).zip(new.chunks(width)).enumerate() {
        if old == new {
            continue;
        }
        rows = Some(rows.map_or(row, |rows| rows.start)..row + 1);
        let unlike = || (0..width).filter(|&x| old[x] != new[x]);
        columns.start = columns.start.min(unlike().next().unwrap_or(width));
        columns.end = columns.end.max(unlike().next_back().map_or(0, |x| x + 1));
    }
    rows.map_or((0..1, 0..1), |rows| (rows, columns))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: u8 = 6;
    const WHITE: u8 = 7;

    /// Black, red at index 6, white at index 7.
    fn palette() -> Vec<[u8; 3]> {
        let mut palette = vec![[0; 3]; 7];
        palette[usize::from(RED) - 1] = [200, 72, 72];
        palette[usize::from(WHITE) - 1] = [255; 3];
        palette
    }

    fn picture(points: &[(usize, u8)]) -> Vec<u8> {
        let mut picture = vec![1; 32];
        for &(place, colour) in points {
            picture[place] = colour;
        }
        picture
    }

    #[test]
    fn pictures_come_back_and_only_changes_are_stored() {
        let films = [
            vec![(0, RED)],
            vec![(0, RED), (13, WHITE), (21, RED)],
            vec![(0, RED), (13, WHITE), (21, RED)],
            vec![],
        ];
        let mut gif = Gif::start([8, 4], &palette(), "where from").expect("started");
        for (number, points) in (0..).zip(&films) {
            gif.push(&picture(points), delay(number, 15)).expect("encoded");
        }
        let bytes = gif.finish().expect("finished");
        let comment = b"where from";
        assert!(bytes.windows(comment.len()).any(|part| part == comment), "the comment is there");
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(&bytes[..]).expect("a GIF");
        assert_eq!((decoder.width(), decoder.height()), (8, 4));
        let mut shown = vec![[9; 3]; 32];
        let (mut sizes, mut delays) = (Vec::new(), Vec::new());
        for points in [&films[0], &films[1], &films[3]] {
            let frame = decoder.read_next_frame().expect("readable").expect("a picture");
            let (left, top) = (usize::from(frame.left), usize::from(frame.top));
            for (i, pixel) in frame.buffer.chunks(4).enumerate() {
                let (x, y) = (i % usize::from(frame.width), i / usize::from(frame.width));
                if pixel[3] > 0 {
                    shown[(top + y) * 8 + left + x] = [pixel[0], pixel[1], pixel[2]];
                }
            }
            sizes.push((frame.width, frame.height));
            delays.push(frame.delay);
            let colours = palette();
            let expected: Vec<_> =
                picture(points).iter().map(|&index| colours[usize::from(index) - 1]).collect();
            assert_eq!(shown, expected, "{points:?}");
        }
        assert!(decoder.read_next_frame().expect("readable").is_none(), "no fourth picture");
        // Place 13 is (5, 1), place 21 is (5, 2).
        assert_eq!(sizes, [(8, 4), (1, 2), (6, 3)]);
        assert_eq!(delays, [7, 13, 7], "four pictures of 1/15 s; the equal ones are one");
    }

    #[test]
    fn rounding_errors_do_not_add_up() {
        let minute: u32 = (0..900).map(|number| u32::from(delay(number, 15))).sum();
        assert_eq!(minute, 6_000);
        assert!((0..300).all(|number| delay(number, 50) == 2));
        assert_eq!(delay(u32::MAX, 15), 7, "no overflow");
    }

    #[test]
    fn what_cannot_be_written_is_refused_and_left_out() {
        let error = |palette: &[[u8; 3]]| Gif::start([8, 4], palette, "").expect_err("refused");
        assert!(error(&[]).to_string().contains("got 0"));
        assert!(error(&[[0; 3]; 256]).to_string().contains("got 256"));
        let mut gif = Gif::start([8, 4], &palette(), "").expect("started");
        let refused = gif.push(&[1; 31], 2).expect_err("too small").to_string();
        assert!(refused.contains("31") && refused.contains("32"), "{refused}");
        for wrong in [UNCHANGED, 8] {
            let refused = gif.push(&picture(&[(3, wrong)]), 2).expect_err("no colour").to_string();
            assert!(refused.contains(&format!("colour {wrong}")), "{refused}");
        }
        gif.push(&picture(&[]), u16::MAX).expect("encoded");
        gif.push(&picture(&[]), 2).expect("a time that is too long is split");
        let bytes = gif.finish().expect("finished");
        let mut decoder = gif::DecodeOptions::new().read_info(&bytes[..]).expect("a GIF");
        let mut delays = Vec::new();
        while let Some(frame) = decoder.read_next_frame().expect("readable") {
            delays.push(frame.delay);
        }
        assert_eq!(delays, [u16::MAX, 2]);
    }
}
