//! A replay buffer as bytes of a checkpoint, exactly: a continued run draws what the uninterrupted one
//! would have drawn.
//!
//! Numbers are little-endian. Planes that no observation uses are kept, because they will be used again
//! in this order.

use deepspi_worlds::frame::FrameShape;

use super::replay::{ReplayBuffer, Time};

/// First bytes of the section, with its version.
const MAGIC: &[u8; 8] = b"DSPIRPL1";

/// Why a stored buffer cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// Not a buffer of this version.
    #[error("it does not begin as a replay buffer does")]
    Format,
    /// The bytes end too early, or too late.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    /// Made for other frames or another number of environments.
    #[error("it was made for {found}, but this run has {expected}")]
    Other {
        /// In the buffer.
        found: String,
        /// In the run.
        expected: String,
    },
}

impl ReplayBuffer {
    /// The buffer as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let FrameShape { channels, height, width } = self.frame;
        let has_ids = self.times.front().is_some_and(|time| !time.ids.is_empty());
        let mut bytes = Vec::with_capacity(self.planes.len() + 64 * self.len() * self.num_envs);
        bytes.extend_from_slice(MAGIC);
        let sizes = [channels, height, width, self.num_envs, self.capacity, self.len()];
        let counts = [self.uses.len(), self.free.len(), usize::from(has_ids)];
        for number in sizes.into_iter().chain(counts) {
            bytes.extend_from_slice(&(number as u64).to_le_bytes());
        }
        let mut words = |words: &[u32]| words.iter().for_each(|w| bytes.extend(w.to_le_bytes()));
        words(&self.uses);
        words(&self.free);
        for time in &self.times {
            words(&time.places);
            words(&time.ids);
            let float_bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
            words(&float_bits(&time.rewards));
            words(&float_bits(&time.behaviour));
        }
        for time in &self.times {
            bytes.extend_from_slice(&time.actions);
            bytes.extend(time.dones.iter().map(|done| u8::from(*done)));
        }
        bytes.extend_from_slice(&self.planes);
        bytes
    }

    /// The buffer of such bytes, for frames, environments and a capacity (in steps of all environments)
    /// of a run.
    ///
    /// # Errors
    /// If the bytes are no buffer, are damaged, or are of another run.
    pub fn from_bytes(
        bytes: &[u8],
        frame: FrameShape,
        num_envs: usize,
        steps: usize,
    ) -> Result<Self, ReplayError> {
        let mut rest = Reader(bytes.strip_prefix(MAGIC).ok_or(ReplayError::Format)?);
        let mut sizes = [0; 9];
        for size in &mut sizes {
            let number = u64::from_le_bytes(rest.take_array::<8>()?);
            *size = usize::try_from(number).ok().ok_or(ReplayError::Damaged("a size"))?;
        }
        let [channels, height, width, envs, capacity, len, planes, free, has_ids] = sizes;
        let mut buffer = Self::new(frame, num_envs, steps);
        let describe = |f: FrameShape, envs: usize, capacity: usize| {
            let FrameShape { channels, height, width } = f;
            format!(
                "{capacity} steps of {envs} environments with {channels}x{height}x{width} frames"
            )
        };
        let stored = FrameShape { channels, height, width };
        if (stored, envs, capacity) != (frame, num_envs, buffer.capacity) {
            return Err(ReplayError::Other {
                found: describe(stored, envs, capacity),
                expected: describe(frame, num_envs, buffer.capacity),
            });
        }
        // Counted before anything is allocated: a damaged length must not ask for all memory.
        let words_of_time = channels + usize::from(has_ids > 0) + 2;
        let needed = len
            .checked_mul(num_envs * (4 * words_of_time + 2))
            .and_then(|x| planes.checked_mul(4 + height * width)?.checked_add(x))
            .and_then(|x| free.checked_mul(4)?.checked_add(x));
        if needed != Some(rest.0.len()) {
            return Err(ReplayError::Damaged("its length is not that of its content"));
        }
        if len > buffer.capacity {
            return Err(ReplayError::Damaged("it holds more steps than fit"));
        }
        buffer.uses = rest.words(planes)?;
        buffer.free = rest.words(free)?;
        for _ in 0..len {
            let floats = |words: Vec<u32>| words.into_iter().map(f32::from_bits).collect();
            buffer.times.push_back(Time {
                places: rest.words(num_envs * channels)?,
                ids: rest.words(if has_ids > 0 { num_envs } else { 0 })?,
                rewards: floats(rest.words(num_envs)?),
                behaviour: floats(rest.words(num_envs)?),
                ..Time::default()
            });
        }
        for time in &mut buffer.times {
            time.actions = rest.take(num_envs)?.to_vec();
            time.dones = rest.take(num_envs)?.iter().map(|done| *done != 0).collect();
        }
        buffer.planes = rest.take(planes * height * width)?.to_vec();
        let in_range = |place: &u32| (*place as usize) < planes;
        let all = buffer.times.iter().flat_map(|time| &time.places).chain(&buffer.free);
        if !{ all }.all(in_range) {
            return Err(ReplayError::Damaged("an observation has no pixels"));
        }
        Ok(buffer)
    }
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], ReplayError> {
        let (head, tail) =
            self.0.split_at_checked(len).ok_or(ReplayError::Damaged("it ends too early"))?;
        self.0 = tail;
        Ok(head)
    }

    fn take_array<const N: usize>(&mut self) -> Result<[u8; N], ReplayError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn words(&mut self, len: usize) -> Result<Vec<u32>, ReplayError> {
        let (words, _) = self.take(4 * len)?.as_chunks::<4>();
        Ok(words.iter().map(|word| u32::from_le_bytes(*word)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::replay::tests::{FRAME, rollout};
    use super::*;

    fn buffer() -> ReplayBuffer {
        let mut buffer = ReplayBuffer::new(FRAME, 2, 14);
        for from in [0, 5, 10] {
            buffer.push(&rollout(from, 5));
        }
        buffer
    }

    #[test]
    fn bytes_are_read_again_and_damage_is_refused() {
        let buffer = buffer();
        let bytes = buffer.to_bytes();
        assert_eq!(ReplayBuffer::from_bytes(&bytes, FRAME, 2, 14), Ok(buffer));
        for len in 0..bytes.len() {
            let read = ReplayBuffer::from_bytes(&bytes[..len], FRAME, 2, 14);
            assert!(read.is_err(), "{len} of {} bytes", bytes.len());
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(ReplayBuffer::from_bytes(&longer, FRAME, 2, 14).is_err());
        for at in 8..80 {
            let mut other = bytes.clone();
            other[at] = other[at].wrapping_add(1);
            assert!(ReplayBuffer::from_bytes(&other, FRAME, 2, 14).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_buffer_of_another_run_is_refused_by_name() {
        let bytes = buffer().to_bytes();
        let error = ReplayBuffer::from_bytes(&bytes, FRAME, 4, 28).expect_err("four environments");
        let text = error.to_string();
        assert!(text.contains("of 2 environments") && text.contains("of 4 environments"), "{text}");
    }
}
