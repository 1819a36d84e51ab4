//! The byte format of stored environments: a kind, a version, then numbers in a fixed order.
//!
//! The format is handwritten because the states are a few numbers and lists: the page then needs no
//! library for it, and the code that writes a field also reads it. Whoever changes what is written
//! must change the version.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Why stored environments cannot be restored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// The bytes end too early or too late.
    #[error("the stored environments are damaged: their length is wrong")]
    Length,
    /// Stored by another kind of environment or another version of the program.
    #[error("the stored environments are `{found}`, this program reads `{expected}`")]
    Kind {
        /// Kind and version in the bytes.
        found: String,
        /// Kind and version that the environments read.
        expected: String,
    },
    /// A value does not fit the environments.
    #[error("the stored environments do not fit: {0}")]
    Misfit(String),
}

/// Writes the bytes of a snapshot.
#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Starts with the kind and version of the environment, such as `maze 1`.
    #[must_use]
    pub fn new(kind: &str) -> Self {
        let mut writer = Self::default();
        writer.bytes(kind.as_bytes());
        writer
    }

    /// Adds one byte.
    pub fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    /// Adds a number of 32 bits.
    pub fn u32(&mut self, value: u32) {
        self.0.extend(value.to_le_bytes());
    }

    /// Adds a number of 64 bits.
    pub fn u64(&mut self, value: u64) {
        self.0.extend(value.to_le_bytes());
    }

    /// Adds a list of bytes, with its length before it.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.u64(bytes.len() as u64);
        self.0.extend(bytes);
    }

    /// Adds a generator: key, stream, position.
    pub fn rng(&mut self, rng: &ChaCha8Rng) {
        self.0.extend(rng.get_seed());
        self.u64(rng.get_stream());
        self.0.extend(rng.get_word_pos().to_le_bytes());
    }

    /// All bytes.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads a snapshot in the order in which it was written.
#[derive(Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Starts to read; the bytes must be of this kind.
    ///
    /// # Errors
    /// If the bytes are of another kind.
    pub fn new(bytes: &'a [u8], kind: &str) -> Result<Self, SnapshotError> {
        let mut reader = Self(bytes);
        let found = reader.bytes()?;
        if found == kind.as_bytes() {
            return Ok(reader);
        }
        let found = String::from_utf8_lossy(found).into_owned();
        Err(SnapshotError::Kind { found, expected: kind.to_owned() })
    }

    /// Reads a part that was written without a kind: a list of bytes that another reader returned.
    #[must_use]
    pub const fn continued(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], SnapshotError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(SnapshotError::Length)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], SnapshotError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// One byte.
    ///
    /// # Errors
    /// At the end of the bytes.
    pub fn u8(&mut self) -> Result<u8, SnapshotError> {
        Ok(self.take(1)?[0])
    }

    /// A number of 32 bits.
    ///
    /// # Errors
    /// At the end of the bytes.
    pub fn u32(&mut self) -> Result<u32, SnapshotError> {
        self.array().map(u32::from_le_bytes)
    }

    /// A number of 64 bits.
    ///
    /// # Errors
    /// At the end of the bytes.
    pub fn u64(&mut self) -> Result<u64, SnapshotError> {
        self.array().map(u64::from_le_bytes)
    }

    /// A list of bytes.
    ///
    /// # Errors
    /// At the end of the bytes.
    pub fn bytes(&mut self) -> Result<&'a [u8], SnapshotError> {
        let len = usize::try_from(self.u64()?);
        self.take(len.or(Err(SnapshotError::Length))?)
    }

    /// A generator.
    ///
    /// # Errors
    /// At the end of the bytes.
    pub fn rng(&mut self) -> Result<ChaCha8Rng, SnapshotError> {
        let mut rng = ChaCha8Rng::from_seed(self.array()?);
        rng.set_stream(self.u64()?);
        rng.set_word_pos(u128::from_le_bytes(self.array()?));
        Ok(rng)
    }

    /// Checks that all bytes were read.
    ///
    /// # Errors
    /// If bytes are left.
    pub const fn finish(self) -> Result<(), SnapshotError> {
        if self.0.is_empty() { Ok(()) } else { Err(SnapshotError::Length) }
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        rng.set_stream(9);
        let _: [u32; 21] = rng.random();
        let mut writer = Writer::new("toy 1");
        writer.u8(5);
        writer.u32(6);
        writer.u64(7);
        writer.rng(&rng);
        writer.bytes(&[1, 2]);
        let bytes = writer.finish();
        let read = |bytes: &[u8]| {
            let mut reader = Reader::new(bytes, "toy 1")?;
            let numbers = (reader.u8()?, reader.u32()?, reader.u64()?);
            let mut found = reader.rng()?;
            assert_eq!(found.random::<u64>(), rng.clone().random::<u64>());
            let list = reader.bytes()?.to_vec();
            reader.finish()?;
            Ok::<_, SnapshotError>((numbers, list))
        };
        assert_eq!(read(&bytes), Ok(((5, 6, 7), vec![1, 2])));
        for len in 0..bytes.len() {
            assert!(read(&bytes[..len]).is_err(), "{len} of {} bytes", bytes.len());
        }
        assert_eq!(read(&[&bytes[..], &[0]].concat()), Err(SnapshotError::Length));
        let error = Reader::new(&bytes, "toy 2").expect_err("another version").to_string();
        assert!(error.contains("`toy 1`") && error.contains("`toy 2`"), "{error}");
    }
}
