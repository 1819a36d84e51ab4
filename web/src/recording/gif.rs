//! Makes a GIF of a clip, picture by picture, so that the page can do other things in between.

use deepspi_film::{Gif, GifError};
use deepspi_worlds::atari::{FRAME_HEIGHT, FRAME_WIDTH};

use super::film::Clip;

/// A picture of a GIF is shown for a whole number of hundredths of a second, and browsers show one
/// of a single hundredth for ten. So there are at most 50 pictures a second, and of the game's 60
/// every sixth is left out. (Every second would be worse: some games draw an object in every second
/// picture only.)
const HUNDREDTHS: u16 = 2;
const LEFT_OUT: usize = 6;

/// A GIF in the making.
#[derive(Debug)]
pub struct GifMaker {
    clip: Clip,
    gif: Gif,
    /// Index in the GIF of each palette index of the game; the index there is `index >> 1`.
    indices: [u8; 128],
    scale: usize,
    /// `[210 scale, 160 scale]`
    picture: Vec<u8>,
    done: usize,
    total: usize,
}

impl GifMaker {
    /// Starts a GIF of a clip, every pixel `scale` times `scale` large (1 to 8). `rgb` are the
    /// colours of the palette indices 0, 2, .. 254; `comment` is stored in the file.
    ///
    /// # Errors
    /// If the GIF cannot be started, which does not happen with a clip that has pictures.
    pub fn start(
        clip: Clip,
        rgb: &[[u8; 3]; 128],
        scale: usize,
        comment: &str,
    ) -> Result<Self, GifError> {
        // Only the colours that occur: shorter codes, a smaller file.
        let (mut indices, mut palette) = ([1; 128], Vec::new());
        let colours = clip.colours();
        for (colour, index) in indices.iter_mut().enumerate() {
            if colours >> colour & 1 == 1 {
                palette.push(rgb[colour]);
                *index = palette.len() as u8;
            }
        }
        let scale = scale.clamp(1, 8);
        let side = |pixels: usize| (pixels * scale) as u16;
        let gif = Gif::start([side(FRAME_WIDTH), side(FRAME_HEIGHT)], &palette, comment)?;
        let (picture, total) = (Vec::new(), clip.pictures());
        Ok(Self { clip, gif, indices, scale, picture, done: 0, total })
    }

    /// Adds the next picture. Returns whether there are more.
    ///
    /// # Errors
    /// If it cannot be encoded.
    pub fn advance(&mut self) -> Result<bool, GifError> {
        let number = self.done;
        let Some(screen) = self.clip.next_picture() else {
            self.done = self.total;
            return Ok(false);
        };
        self.done += 1;
        if number % LEFT_OUT != LEFT_OUT - 1 {
            self.picture.clear();
            for row in screen.chunks(FRAME_WIDTH) {
                let start = self.picture.len();
                for index in row {
                    let index = self.indices[usize::from(index >> 1)];
                    self.picture.extend(std::iter::repeat_n(index, self.scale));
                }
                let end = self.picture.len();
                for _ in 1..self.scale {
                    self.picture.extend_from_within(start..end);
                }
            }
            self.gif.push(&self.picture, HUNDREDTHS)?;
        }
        Ok(self.done < self.total)
    }

    /// The share that is done, from 0 to 1.
    #[must_use]
    pub fn progress(&self) -> f64 {
        self.done as f64 / self.total.max(1) as f64
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// If the last picture cannot be encoded.
    pub fn finish(self) -> Result<Vec<u8>, GifError> {
        self.gif.finish()
    }
}

#[cfg(test)]
mod tests {
    use deepspi_worlds::atari::FRAME_PIXELS;

    use super::super::film::Film;
    use super::*;

    /// A dot at `place`, in a colour of its own.
    fn picture(place: usize) -> Vec<u8> {
        let mut picture = vec![14; FRAME_PIXELS];
        picture[place] = (2 * (place % 100) + 20) as u8;
        picture
    }

    #[test]
    fn a_second_of_the_game_takes_a_second_and_looks_like_it() {
        const SCALE: usize = 2;
        let mut rgb = [[0; 3]; 128];
        for (number, colour) in (0..).zip(&mut rgb) {
            *colour = [number, 255 - number, 7];
        }
        let mut film = Film::new(10, usize::MAX);
        let places = |number: usize| number * 311 % FRAME_PIXELS;
        film.push(&(0..120).flat_map(|number| picture(places(number))).collect::<Vec<_>>());
        let mut maker = GifMaker::start(film.clip(), &rgb, SCALE, "a game").expect("started");
        let mut shares = vec![maker.progress()];
        while maker.advance().expect("encoded") {
            shares.push(maker.progress());
        }
        assert!(shares.is_sorted() && shares[0] == 0.0 && maker.progress() == 1.0);
        assert!(!maker.advance().expect("at its end"), "nothing is left");
        let bytes = maker.finish().expect("finished");

        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(&bytes[..]).expect("a GIF");
        let width = FRAME_WIDTH * SCALE;
        assert_eq!(usize::from(decoder.width()), width);
        assert_eq!(usize::from(decoder.height()), FRAME_HEIGHT * SCALE);
        let mut shown = vec![[0; 3]; FRAME_PIXELS * SCALE * SCALE];
        let (mut count, mut hundredths) = (0, 0);
        for number in (0..120).filter(|number| number % 6 != 5) {
            let frame = decoder.read_next_frame().expect("readable").expect("a picture");
            let (left, top) = (usize::from(frame.left), usize::from(frame.top));
            for (i, pixel) in frame.buffer.chunks(4).enumerate() {
                let (x, y) = (i % usize::from(frame.width), i / usize::from(frame.width));
                if pixel[3] > 0 {
                    shown[(top + y) * width + left + x] = [pixel[0], pixel[1], pixel[2]];
                }
            }
            hundredths += frame.delay;
            count += 1;
            let wanted = picture(places(number));
            for (place, index) in wanted.iter().enumerate() {
                let (x, y) = (place % FRAME_WIDTH * SCALE, place / FRAME_WIDTH * SCALE);
                for (x, y) in [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)] {
                    assert_eq!(
                        shown[y * width + x],
                        rgb[usize::from(index >> 1)],
                        "{number}: {place}"
                    );
                }
            }
        }
        assert!(decoder.read_next_frame().expect("readable").is_none(), "no more pictures");
        assert_eq!((count, hundredths), (100, 200), "two seconds");
    }

    #[test]
    fn an_empty_clip_is_refused() {
        let clip = Film::new(1, 0).clip();
        GifMaker::start(clip, &[[0; 3]; 128], 1, "").expect_err("no colour, no picture");
    }
}
