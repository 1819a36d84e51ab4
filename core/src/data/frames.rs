//! The observations of a rollout, with each plane of pixels stored once.
//!
//! An observation of a game is a stack of four frames, three of which the observation before has, too.
//! Planes are compared byte by byte with those of the observation before, so the store knows nothing of
//! games: whatever repeats is stored once. On a GPU the planes are uploaded once, as bytes; as floats they
//! would take four times the memory and the upload. A minibatch is then a list of places.

use std::sync::{Mutex, PoisonError};

use burn::tensor::{Device, Int, Tensor};
use deepspi_worlds::frame::FrameShape;
use deepspi_worlds::parallel::for_each_chunk;

use crate::ops::frames::{gather, place, words_of_plane};
use crate::ops::{constant_on, on_cpu};
use crate::traffic::{upload, upload_ints};

/// Bytes of a buffer on a GPU: half of what WebGPU lets a kernel bind.
const SEGMENT_BYTES: usize = 64 << 20;

/// Observations of N environments, appended step by step.
#[derive(Debug)]
pub struct FrameStore {
    frame: FrameShape,
    num_envs: usize,
    /// Planes that are expected at the end; more are allowed.
    expected: usize,
    /// `[planes, H * W]`, each plane filled up to a multiple of four bytes.
    planes: Vec<u8>,
    /// `[observations, C]`: the plane of each channel.
    places: Vec<u32>,
    /// The copy on a GPU, made when it is first needed.
    on_gpu: Mutex<Option<GpuPlanes>>,
}

impl Clone for FrameStore {
    /// The copy on a GPU is written in place, so a clone makes its own.
    fn clone(&self) -> Self {
        Self {
            frame: self.frame,
            num_envs: self.num_envs,
            expected: self.expected,
            planes: self.planes.clone(),
            places: self.places.clone(),
            on_gpu: Mutex::default(),
        }
    }
}

impl FrameStore {
    /// A store for observations of `num_envs` environments over `num_steps` steps.
    #[must_use]
    pub fn new(frame: FrameShape, num_envs: usize, num_steps: usize) -> Self {
        Self {
            frame,
            num_envs,
            expected: num_envs * (num_steps + frame.channels + 1),
            planes: Vec::new(),
            places: Vec::new(),
            on_gpu: Mutex::default(),
        }
    }

    /// Shape of the observations.
    #[must_use]
    pub const fn frame(&self) -> FrameShape {
        self.frame
    }

    /// Number of observations.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.places.len() / self.frame.channels
    }

    /// Whether there is no observation.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    const fn plane_bytes(&self) -> usize {
        4 * words_of_plane(self.frame)
    }

    const fn num_planes(&self) -> usize {
        self.planes.len() / self.plane_bytes()
    }

    /// The bytes of a plane, without what fills it up.
    fn plane(&self, place: u32) -> &[u8] {
        &self.planes[place as usize * self.plane_bytes()..][..self.frame.height * self.frame.width]
    }

    /// A plane of an observation, by the number of the observation.
    #[must_use]
    pub fn plane_of(&self, observation: usize, channel: usize) -> &[u8] {
        self.plane(self.places[observation * self.frame.channels + channel])
    }

    /// Appends the observations `[N, C, H, W]` of one step.
    pub fn push(&mut self, observations: &[u8]) {
        let FrameShape { channels, height, width } = self.frame;
        // Places of the observations of the step before, if there is one.
        let before = self.places.len().checked_sub(self.num_envs * channels);
        for (n, observation) in observations.chunks_exact(self.frame.len()).enumerate() {
            for (c, plane) in observation.chunks_exact(height * width).enumerate() {
                let earlier =
                    before.map(|before| &self.places[before + n * channels..][..channels]);
                // A stack moves on by one, or stands still, or repeats its first frame.
                let candidates = [
                    earlier.and_then(|earlier| earlier.get(c + 1)),
                    earlier.map(|earlier| &earlier[c]),
                    if c > 0 { self.places.last() } else { None },
                ];
                let known = candidates.into_iter().flatten().copied();
                let place = known.into_iter().find(|&place| self.plane(place) == plane);
                let place = place.unwrap_or_else(|| self.append(plane));
                self.places.push(place);
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "2^32 planes do not fit into memory")]
    fn append(&mut self, plane: &[u8]) -> u32 {
        let place = self.num_planes();
        self.planes.extend_from_slice(plane);
        self.planes.resize((place + 1) * self.plane_bytes(), 0);
        place as u32
    }

    /// The observations with the given numbers, `[B, H, W, C]` in [0, 1].
    #[must_use]
    pub fn gather(&self, observations: &[usize], device: &Device) -> Tensor<4> {
        let FrameShape { channels, height, width } = self.frame;
        let places = observations.iter().flat_map(|&i| &self.places[i * channels..][..channels]);
        if on_cpu(device) {
            let places: Vec<u32> = places.copied().collect();
            let mut pixels = vec![0.0_f32; observations.len() * self.frame.len()];
            for_each_chunk(&mut pixels, self.frame.len(), |i, pixels| {
                write_stack(pixels, channels, |c| self.plane(places[i * channels + c]));
            });
            return upload(pixels, [observations.len(), height, width, channels], device);
        }
        #[expect(clippy::cast_possible_wrap, reason = "2^31 planes do not fit into memory")]
        let places: Vec<i32> = places.map(|&place| place as i32).collect();
        let plain = device.clone().inner();
        let mut on_gpu = self.on_gpu.lock().unwrap_or_else(PoisonError::into_inner);
        let mut planes = match on_gpu.take() {
            Some(planes) if planes.device == plain => planes,
            _ => GpuPlanes { device: plain.clone(), segments: Vec::new(), uploaded: 0 },
        };
        planes.complete(self);
        let gathered = planes.gather(places, self.frame);
        *on_gpu = Some(planes);
        constant_on(gathered, device)
    }
}

/// Converts planes of bytes, one for each channel, to an observation `[H, W, C]` in [0, 1].
pub(super) fn write_stack<'a>(
    pixels: &mut [f32],
    channels: usize,
    plane: impl Fn(usize) -> &'a [u8],
) {
    if channels == 4 {
        return interleave(pixels, [plane(0), plane(1), plane(2), plane(3)]);
    }
    for c in 0..channels {
        for (pixel, &byte) in pixels[c..].iter_mut().step_by(channels).zip(plane(c)) {
            *pixel = f32::from(byte) / 255.0;
        }
    }
}

/// All planes of a stack of C at once, which the compiler turns into vector instructions.
fn interleave<const C: usize>(pixels: &mut [f32], planes: [&[u8]; C]) {
    let pixels = pixels.as_chunks_mut::<C>().0;
    let planes = planes.map(|plane| &plane[..pixels.len()]);
    for (i, pixel) in pixels.iter_mut().enumerate() {
        for (value, plane) in pixel.iter_mut().zip(planes) {
            *value = f32::from(plane[i]) / 255.0;
        }
    }
}

/// The planes of a store on a GPU.
#[derive(Debug)]
struct GpuPlanes {
    device: Device,
    /// Buffers of words, each with the number of planes that it has room for.
    segments: Vec<(Tensor<1, Int>, usize)>,
    /// Planes that are already there.
    uploaded: usize,
}

impl GpuPlanes {
    /// Uploads the planes that are missing.
    fn complete(&mut self, store: &FrameStore) {
        let (bytes, words) = (store.plane_bytes(), words_of_plane(store.frame));
        while self.uploaded < store.num_planes() {
            let room: usize = self.segments.iter().map(|(_, room)| room).sum();
            if room == self.uploaded {
                let most = (SEGMENT_BYTES / bytes).max(1);
                // If there are more than expected, twice as many.
                let wanted = store.expected.saturating_sub(room).max(room).max(1);
                let planes = wanted.min(most);
                self.segments.push((Tensor::empty([planes * words], &self.device), planes));
            }
            let room: usize = self.segments.iter().map(|(_, room)| room).sum();
            let Some((segment, planes)) = self.segments.pop() else { return };
            let upto = store.num_planes().min(room);
            let missing = &store.planes[self.uploaded * bytes..upto * bytes];
            let missing: Vec<i32> =
                missing.as_chunks::<4>().0.iter().map(|word| i32::from_le_bytes(*word)).collect();
            let len = missing.len();
            let missing = upload_ints(missing, [len], &self.device);
            let start = (self.uploaded - (room - planes)) * words;
            self.segments.push((place(segment, missing, start), planes));
            self.uploaded = upto;
        }
    }

    /// Observations with the given planes `[B C]`; one launch for each segment that has any of them.
    fn gather(&self, places: Vec<i32>, frame: FrameShape) -> Tensor<4> {
        let starts = self.segments.iter().scan(0, |next, (segment, planes)| {
            let first = *next;
            *next += planes;
            Some((segment, first, *planes))
        });
        let needed: Vec<_> = starts
            .filter(|&(_, first, planes)| {
                places.iter().any(|&place| (first..first + planes).contains(&(place as usize)))
            })
            .collect();
        let batch = places.len() / frame.channels;
        let places = upload_ints(places, [batch, frame.channels], &self.device);
        let gathered = needed.into_iter().fold(None, |gathered, (segment, first, planes)| {
            Some(gather(segment.clone(), places.clone(), gathered, [first, planes], frame))
        });
        gathered.expect("the planes of observations are in the segments")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: FrameShape = FrameShape { channels: 3, height: 1, width: 5 };

    /// A stack of the given planes, each of one value.
    fn stack(values: [u8; 3]) -> Vec<u8> {
        values.iter().flat_map(|&value| [value; 5]).collect()
    }

    #[test]
    fn a_plane_that_moves_on_is_stored_once() {
        let mut store = FrameStore::new(FRAME, 2, 4);
        // The first environment goes on; the second stands still, then begins a game.
        let steps = [
            ([1, 2, 3], [9, 9, 9]),
            ([2, 3, 4], [9, 9, 9]),
            ([3, 4, 5], [0, 0, 7]),
            ([4, 5, 5], [0, 7, 8]),
        ];
        for (a, b) in steps {
            store.push(&[stack(a), stack(b)].concat());
        }
        assert_eq!((store.len(), store.num_planes()), (8, 5 + 1 + 3));
        let device = Device::flex();
        for (i, (a, b)) in steps.into_iter().enumerate() {
            let pixels: Vec<f32> =
                store.gather(&[2 * i + 1, 2 * i], &device).into_data().try_to_vec().expect("f32");
            let bytes: Vec<u8> = pixels.iter().map(|x| (x * 255.0).round() as u8).collect();
            // Channels last.
            let expected = [b, a].map(|values| values.repeat(5)).concat();
            assert_eq!(bytes, expected);
        }
    }
}
