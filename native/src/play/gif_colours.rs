//! The colours of a film as GIF.
//!
//! A GIF has 256 colours. They are the 128 of the game, those of the bars, and grays.

use std::collections::HashMap;

use anyhow::Result;
use deepspi_film::{Gif, delay};
use resvg::tiny_skia::Pixmap;

use super::frame_rate::RATE;
use super::picture::COLOURS;

/// Colours of a GIF; its index 0 is none.
const MOST: usize = 255;

/// A GIF of pictures in full colour.
pub(super) struct ColourGif {
    gif: Gif,
    colours: Colours,
    pictures: u32,
}

impl ColourGif {
    /// Starts a film of pictures of this size, which is repeated for ever.
    pub fn start(size: (u32, u32), game: &[[u8; 3]; 128]) -> Result<Self> {
        let colours = Colours::new(game);
        let size = [u16::try_from(size.0)?, u16::try_from(size.1)?];
        let gif = Gif::start(size, &colours.palette, "")?;
        Ok(Self { gif, colours, pictures: 0 })
    }

    pub fn push(&mut self, picture: &Pixmap) -> Result<()> {
        let indices: Vec<u8> = picture
            .pixels()
            .iter()
            .map(|pixel| self.colours.index([pixel.red(), pixel.green(), pixel.blue()]))
            .collect();
        self.gif.push(&indices, delay(self.pictures, RATE))?;
        self.pictures += 1;
        Ok(())
    }

    /// The bytes of the file.
    pub fn finish(self) -> Result<Vec<u8>> {
        Ok(self.gif.finish()?)
    }
}

/// The palette, and the nearest palette index of each colour.
struct Colours {
    /// Colours of the indices 1, 2, ..
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
        let mut palette: Vec<[u8; 3]> = bars.collect();
        palette.extend(game);
        // The rest is grays from black to white.
        let grays = MOST - palette.len();
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
            let nearest = (1..=u8::MAX).zip(palette).min_by_key(|(_, c)| distance(c));
            nearest.map_or(1, |(index, _)| index)
        })
    }
}

#[cfg(test)]
mod tests {
    use resvg::tiny_skia::PremultipliedColorU8;

    use super::*;

    #[test]
    fn colours_of_the_game_and_of_the_bars_are_kept_and_others_are_near() {
        let mut game = [[0; 3]; 128];
        game[5] = [200, 72, 72];
        let mut colours = Colours::new(&game);
        assert_eq!(colours.palette.len(), MOST);
        for exact in [game[5], [0x4f, 0x9d, 0xea], [0; 3], [255; 3]] {
            let index = usize::from(colours.index(exact));
            assert_eq!(colours.palette[index - 1], exact);
        }
        let index = usize::from(colours.index([201, 71, 72]));
        assert_eq!(colours.palette[index - 1], game[5]);
    }

    #[test]
    fn pictures_become_a_film() {
        let game = [[200, 72, 72]; 128];
        let mut film = ColourGif::start((8, 4), &game).expect("started");
        let mut picture = Pixmap::new(8, 4).expect("a size");
        let pixel = |[r, g, b]: [u8; 3]| PremultipliedColorU8::from_rgba(r, g, b, 255);
        for colour in [[0; 3], [200, 72, 72], [255; 3]] {
            picture.pixels_mut().fill(pixel(colour).expect("opaque"));
            film.push(&picture).expect("encoded");
        }
        let bytes = film.finish().expect("finished");
        assert_eq!(bytes.get(..10), Some(&b"GIF89a\x08\0\x04\0"[..]), "a GIF of 8 x 4 pixels");
    }
}
