//! The last seconds of a screen, compressed.
//!
//! A screen shows 60 pictures a second of 33,600 bytes: two megabytes. So each picture is stored as
//! its difference from the one before, and the pictures of a second form a reel that needs no other
//! reel. The oldest reel goes when there are too many seconds, or too many bytes. Reels are shared
//! and never changed, so that a film can be saved while the game goes on.

use std::collections::VecDeque;
use std::sync::Arc;

use deepspi_worlds::atari::FRAME_PIXELS;

/// Pictures of a second of the game.
pub const RATE: usize = 60;

/// Runs that are shorter than this are not worth a token.
const RUN: usize = 5;
/// A token is 16 bits, little-endian: its kind, and a length in pixels.
const LENGTH: usize = 0x3FFF;
/// This many pixels stay as they are.
const SKIP: u16 = 0;
/// This many pixels get the index in the next byte.
const FILL: u16 = 1 << 14;
/// This many pixels get the indices in the next bytes.
const COPY: u16 = 2 << 14;

/// Some pictures in a row. The first is the difference from a screen of zeros.
#[derive(Clone, Debug, Default)]
struct Reel {
    tokens: Vec<u8>,
    pictures: usize,
    /// Bit i: palette index 2 i may occur. Index 0 always may.
    colours: u128,
}

impl Reel {
    fn bytes(&self) -> usize {
        self.tokens.capacity() + size_of::<Self>()
    }

    /// Appends a picture; `last` is the one before, and becomes this one.
    fn push(&mut self, picture: &[u8], last: &mut [u8]) {
        if self.pictures == 0 {
            last.fill(0);
            self.colours = 1;
        }
        let mut at = 0;
        while let (old, new @ [first, ..]) = (&last[at..], &picture[at..]) {
            let same = equal(old, new);
            if same >= RUN || same == new.len() {
                self.write(SKIP, same, &[]);
                at += same;
                continue;
            }
            let filled = new.iter().take_while(|index| *index == first).count();
            if filled >= RUN {
                self.write(FILL, filled, &[*first]);
                at += filled;
                continue;
            }
            let run = (1..new.len()).find(|&i| is_run(&old[i..], &new[i..]));
            let length = run.unwrap_or(new.len());
            self.write(COPY, length, &new[..length]);
            at += length;
        }
        last.copy_from_slice(picture);
        self.pictures += 1;
    }

    /// Writes as many tokens as the length needs. `indices` are those of the kind: none, one, or all.
    fn write(&mut self, kind: u16, length: usize, indices: &[u8]) {
        for index in indices {
            self.colours |= 1 << (index >> 1);
        }
        for start in (0..length).step_by(LENGTH) {
            let part = LENGTH.min(length - start);
            self.tokens.extend((kind | part as u16).to_le_bytes());
            let indices = if kind == COPY { &indices[start..start + part] } else { indices };
            self.tokens.extend(indices);
        }
    }
}

/// Number of pixels at the start that are equal in both.
fn equal(old: &[u8], new: &[u8]) -> usize {
    const BLOCK: usize = 32;
    let blocks = old.chunks_exact(BLOCK).zip(new.chunks_exact(BLOCK));
    let start = BLOCK * blocks.take_while(|(old, new)| old == new).count();
    let rest = old[start..].iter().zip(&new[start..]);
    start + rest.take_while(|(old, new)| old == new).count()
}

/// Whether the next pixels are unchanged, or have one colour, for long enough.
fn is_run(old: &[u8], new: &[u8]) -> bool {
    let (Some(old), Some(new)) = (old.get(..RUN), new.get(..RUN)) else { return false };
    old == new || new.iter().all(|index| *index == new[0])
}

/// The last seconds of a screen.
#[derive(Debug)]
pub struct Film {
    seconds: usize,
    most_bytes: usize,
    /// Full reels, oldest first.
    reels: VecDeque<Arc<Reel>>,
    /// The reel that is being filled.
    open: Reel,
    /// `[210, 160]`: the last picture; zeros before the first.
    last: Vec<u8>,
}

impl Film {
    /// An empty film that will keep the last `seconds` of the game, in at most `most_bytes` (and at
    /// least the last second).
    #[must_use]
    pub fn new(seconds: usize, most_bytes: usize) -> Self {
        let (reels, open) = (VecDeque::new(), Reel::default());
        Self { seconds, most_bytes, reels, open, last: vec![0; FRAME_PIXELS] }
    }

    /// Appends pictures, `[k, 210, 160]` of palette indices.
    pub fn push(&mut self, pictures: &[u8]) {
        for picture in pictures.chunks_exact(FRAME_PIXELS) {
            self.open.push(picture, &mut self.last);
            if self.open.pictures == RATE {
                let mut full = std::mem::take(&mut self.open);
                full.tokens.shrink_to_fit();
                self.reels.push_back(Arc::new(full));
            }
        }
        while self.reels.len() > self.seconds
            || (self.bytes() > self.most_bytes && !self.reels.is_empty())
        {
            self.reels.pop_front();
        }
    }

    /// The last picture, `[210, 160]` of palette indices; none before the first.
    #[must_use]
    pub fn last(&self) -> Option<&[u8]> {
        let any = self.open.pictures > 0 || !self.reels.is_empty();
        any.then_some(self.last.as_slice())
    }

    /// Memory of all pictures.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.open.bytes() + self.reels.iter().map(|reel| reel.bytes()).sum::<usize>()
    }

    /// What the film holds now. The pictures are shared, not copied, but for those of the last
    /// second.
    #[must_use]
    pub fn clip(&self) -> Clip {
        let mut reels: Vec<_> = self.reels.iter().cloned().collect();
        if self.open.pictures > 0 {
            reels.push(Arc::new(self.open.clone()));
        }
        Clip { reels, reel: 0, number: 0, at: 0, screen: vec![0; FRAME_PIXELS] }
    }
}

/// A piece of film that is played once, from its beginning.
#[derive(Clone, Debug)]
pub struct Clip {
    reels: Vec<Arc<Reel>>,
    /// The reel that is played, the number of its next picture, and where its tokens begin.
    reel: usize,
    number: usize,
    at: usize,
    screen: Vec<u8>,
}

impl Clip {
    /// Number of all pictures.
    #[must_use]
    pub fn pictures(&self) -> usize {
        self.reels.iter().map(|reel| reel.pictures).sum()
    }

    /// Bit i: palette index 2 i may occur.
    #[must_use]
    pub fn colours(&self) -> u128 {
        self.reels.iter().fold(0, |all, reel| all | reel.colours)
    }

    /// The next picture, `[210, 160]` of palette indices; none after the last.
    pub fn next_picture(&mut self) -> Option<&[u8]> {
        let mut reel = self.reels.get(self.reel)?;
        if self.number == reel.pictures {
            self.reel += 1;
            (self.number, self.at) = (0, 0);
            reel = self.reels.get(self.reel)?;
        }
        if self.number == 0 {
            self.screen.fill(0);
        }
        let mut pixel = 0;
        while pixel < self.screen.len() {
            let token =
                u16::from_le_bytes([*reel.tokens.get(self.at)?, *reel.tokens.get(self.at + 1)?]);
            self.at += 2;
            let length = usize::from(token) & LENGTH;
            let pixels = self.screen.get_mut(pixel..pixel + length)?;
            match token & !(LENGTH as u16) {
                FILL => {
                    pixels.fill(*reel.tokens.get(self.at)?);
                    self.at += 1;
                }
                COPY => {
                    pixels.copy_from_slice(reel.tokens.get(self.at..self.at + length)?);
                    self.at += length;
                }
                _ => {}
            }
            pixel += length;
        }
        self.number += 1;
        Some(&self.screen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of noise.
    fn noise(seed: u32) -> Vec<u8> {
        let mut state = seed.wrapping_mul(2_654_435_761).max(1);
        let next = |state: &mut u32| {
            *state ^= *state << 13;
            *state ^= *state >> 17;
            *state ^= *state << 5;
            (*state >> 24) as u8 & 0xFE
        };
        (0..FRAME_PIXELS).map(|_| next(&mut state)).collect()
    }

    /// A picture with a background, stripes, and a ball that moves.
    fn game(number: usize) -> Vec<u8> {
        let mut picture = vec![if number < 70 { 2 } else { 0 }; FRAME_PIXELS];
        for stripe in (0..8).map(|row| (60 + 6 * row) * 160) {
            picture[stripe..stripe + 3 * 160].fill(66);
        }
        let ball = (100 + number % 40) * 160 + 3 * number % 150;
        for (offset, index) in [(0, 200), (1, 254), (2, 4), (160, 6), (161, 6)] {
            picture[ball + offset] = index;
        }
        picture
    }

    fn all(film: &Film) -> Vec<Vec<u8>> {
        let mut clip = film.clip();
        let mut pictures = Vec::new();
        while let Some(picture) = clip.next_picture() {
            pictures.push(picture.to_vec());
        }
        assert_eq!(pictures.len(), clip.pictures());
        pictures
    }

    #[test]
    fn pictures_come_back_over_many_reels() {
        let mut film = Film::new(60, usize::MAX);
        assert!(film.last().is_none() && all(&film).is_empty());
        let pushed: Vec<_> = (0..150)
            .map(|number| if number % 50 == 49 { noise(number as u32) } else { game(number) })
            .collect();
        for pictures in pushed.chunks(4) {
            film.push(&pictures.concat());
        }
        assert!(all(&film) == pushed, "a picture differs");
        assert_eq!(film.last(), pushed.last().map(Vec::as_slice));
        let mut used = 0_u128;
        for index in pushed.iter().flatten() {
            used |= 1 << (index >> 1);
        }
        assert_eq!(film.clip().colours() & used, used, "every colour that occurs is named");
        let mut plain = Film::new(60, usize::MAX);
        plain.push(&(0..69).flat_map(game).collect::<Vec<_>>());
        let colours = [0_u8, 2, 4, 6, 66, 200, 254];
        let colours = colours.iter().fold(0_u128, |all, index| all | 1 << (index >> 1));
        assert_eq!(plain.clip().colours(), colours, "and few others");
        assert!(plain.bytes() < 69 * 300, "{} bytes for 69 simple pictures", plain.bytes());
    }

    #[test]
    fn only_the_last_seconds_are_kept() {
        let mut film = Film::new(2, usize::MAX);
        let pushed: Vec<_> = (0..400).map(game).collect();
        for picture in &pushed {
            film.push(picture);
        }
        // 400 = 6 x 60 + 40: two full reels and the beginning of the next.
        assert!(all(&film) == pushed[400 - 160..], "the last 160 pictures");
    }

    #[test]
    fn memory_is_bounded_also_for_noise() {
        const MOST: usize = 5_000_000;
        let mut film = Film::new(60, MOST);
        for number in 0..300 {
            film.push(&noise(number));
            assert!(film.bytes() <= MOST, "{} bytes after {number} pictures", film.bytes());
        }
        let kept = all(&film);
        assert!(kept.len() >= 60 && kept.last() == Some(&noise(299)), "{} pictures", kept.len());
    }

    #[test]
    fn a_clip_does_not_change_while_the_film_goes_on() {
        let mut film = Film::new(1, usize::MAX);
        film.push(&(0..65).flat_map(game).collect::<Vec<_>>());
        let mut clip = film.clip();
        film.push(&(100..300).flat_map(game).collect::<Vec<_>>());
        for number in 0..65 {
            assert!(clip.next_picture() == Some(&game(number)[..]), "picture {number}");
        }
        assert!(clip.next_picture().is_none());
    }

    #[test]
    fn a_part_of_a_picture_is_left_out() {
        let mut film = Film::new(1, usize::MAX);
        film.push(&[7; FRAME_PIXELS - 1]);
        assert!(film.last().is_none());
    }
}
