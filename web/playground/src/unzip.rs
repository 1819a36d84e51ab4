//! Unpacks zip files that nobody has checked yet.
//!
//! A small zip file can unpack to any size and list any number of files, and would fill the memory
//! of the page. So every reader of zip files goes through [`Unzip`], which stops at its limits
//! whatever the file says of itself.

use std::io::{Cursor, Read};

use zip::ZipArchive;

/// The beginning of every entry in a zip file's list of files.
const ENTRY: [u8; 4] = *b"PK\x01\x02";

/// What may be read from a zip file.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest number of files in its list.
    pub files: usize,
    /// Largest size in bytes of a file that is unpacked.
    pub file: u64,
    /// Largest total size in bytes of the files that are unpacked.
    pub unpacked: u64,
}

/// Why a zip file, or a file in it, cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum UnzipError {
    /// Not a zip file, or its list of files is damaged.
    #[error("this is not a zip file ({0})")]
    NotZip(String),
    /// More files than allowed.
    #[error("the zip file lists more than {0} files")]
    TooMany(usize),
    /// All files together are larger than allowed.
    #[error("unpacked it has more than {} MiB", .0 >> 20)]
    TooLarge(u64),
    /// One file is larger than allowed.
    #[error("{name} in it has more than {} KiB when unpacked", limit >> 10)]
    FileTooLarge {
        /// Path of the file.
        name: String,
        /// What is allowed, in bytes.
        limit: u64,
    },
    /// One file cannot be unpacked.
    #[error("{name} in it is damaged or packed in an unknown way ({why})")]
    Damaged {
        /// Path of the file.
        name: String,
        /// The reason.
        why: String,
    },
}

/// A zip file that is being read.
#[derive(Debug)]
pub struct Unzip<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    names: Vec<String>,
    limits: Limits,
    /// How many bytes may still be unpacked.
    left: u64,
}

impl<'a> Unzip<'a> {
    /// Reads the list of files.
    ///
    /// # Errors
    /// [`UnzipError::NotZip`], [`UnzipError::TooMany`].
    pub fn open(bytes: &'a [u8], limits: Limits) -> Result<Self, UnzipError> {
        // Counted before the list is read, because reading it takes memory for every file.
        let starts = bytes.windows(ENTRY.len()).filter(|window| *window == ENTRY);
        if starts.take(limits.files + 1).count() > limits.files {
            return Err(UnzipError::TooMany(limits.files));
        }
        let not_zip = |error: zip::result::ZipError| UnzipError::NotZip(error.to_string());
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(not_zip)?;
        // Names in unknown encodings are no reason to refuse the other files.
        let names = zip.file_names_raw().map(|raw| name(&String::from_utf8_lossy(raw))).collect();
        Ok(Self { zip, names, limits, left: limits.unpacked })
    }

    /// Paths of all files, with `/` between folders; an index into them names a file. The path of a file that macOS
    /// added about another one is empty.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Size in bytes of a file by the list, which may be wrong; 0 if there is no such file.
    #[must_use]
    pub fn stated_size(&mut self, index: usize) -> u64 {
        self.zip.by_index_raw(index).map_or(0, |file| file.size())
    }

    /// Unpacks a file.
    ///
    /// # Errors
    /// [`UnzipError::FileTooLarge`]; [`UnzipError::TooLarge`] if this file and those unpacked before
    /// are larger than allowed; [`UnzipError::Damaged`].
    pub fn read(&mut self, index: usize) -> Result<Vec<u8>, UnzipError> {
        let name = || self.names.get(index).cloned().unwrap_or_default();
        let mut bytes = Vec::new();
        let file = self.zip.by_index(index).map_err(std::io::Error::from);
        // One byte more than allowed tells that there is more.
        let most = self.limits.file.min(self.left) + 1;
        let read = file.and_then(|file| file.take(most).read_to_end(&mut bytes));
        let size = bytes.len() as u64;
        // What was unpacked counts, also if the file cannot be used.
        let left = self.left.checked_sub(size);
        self.left = left.unwrap_or(0);
        if left.is_none() {
            return Err(UnzipError::TooLarge(self.limits.unpacked));
        }
        if size > self.limits.file {
            return Err(UnzipError::FileTooLarge { name: name(), limit: self.limits.file });
        }
        match read {
            Ok(_) => Ok(bytes),
            Err(error) => Err(UnzipError::Damaged { name: name(), why: error.to_string() }),
        }
    }
}

/// The path of a file as every system but the one that packed it writes it.
fn name(packed: &str) -> String {
    // Some programs on Windows write backslashes, against the format.
    let path = packed.replace('\\', "/");
    // macOS adds for each file another one with its attributes: `__MACOSX/run/._config.toml`.
    let is_about_another = path.split('/').any(|part| part == "__MACOSX" || part.starts_with("._"));
    if is_about_another { String::new() } else { path }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    const LIMITS: Limits = Limits { files: 3, file: 600, unpacked: 1000 };

    fn pack(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            writer.start_file(*name, SimpleFileOptions::default()).expect("started");
            writer.write_all(bytes).expect("written");
        }
        writer.finish().expect("finished").into_inner()
    }

    fn error<T: std::fmt::Debug>(result: Result<T, UnzipError>) -> String {
        result.expect_err("refused").to_string()
    }

    #[test]
    fn files_come_back_until_the_limit_and_no_further() {
        let bytes = pack(&[("a", vec![1; 600]), ("b/c", vec![2; 400]), ("d", vec![3; 1])]);
        let mut zip = Unzip::open(&bytes, LIMITS).expect("a zip file");
        assert_eq!(zip.names(), ["a", "b/c", "d"]);
        assert_eq!([0, 1, 2, 3].map(|index| zip.stated_size(index)), [600, 400, 1, 0]);
        assert_eq!(zip.read(0).expect("within"), vec![1; 600]);
        assert_eq!(zip.read(1).expect("as much as allowed"), vec![2; 400]);
        for index in [2, 0] {
            assert!(matches!(zip.read(index), Err(UnzipError::TooLarge(1000))), "{index}");
        }
        assert!(error(zip.read(9)).contains("not found"));
    }

    #[test]
    fn a_file_that_lies_about_its_size_is_unpacked_up_to_the_limit() {
        const SIZE: u32 = 0x0012_3456;
        let mut bytes = pack(&[("bomb", vec![0; SIZE as usize]), ("fine", vec![7; 399])]);
        for at in 0..bytes.len() - 4 {
            if bytes[at..at + 4] == SIZE.to_le_bytes() {
                bytes[at..at + 4].copy_from_slice(&10_u32.to_le_bytes());
            }
        }
        let mut zip = Unzip::open(&bytes, LIMITS).expect("a zip file");
        assert_eq!(zip.stated_size(0), 10);
        let text = error(zip.read(0));
        assert!(text.contains("bomb"), "{text}");
        assert_eq!(zip.read(1).expect("no more than the limit was unpacked"), vec![7; 399]);
    }

    #[test]
    fn one_file_has_a_limit_of_its_own() {
        let bytes = pack(&[("large", vec![1; 601]), ("fine", vec![2; 399])]);
        let mut zip = Unzip::open(&bytes, LIMITS).expect("a zip file");
        let refused = zip.read(0);
        assert!(matches!(refused, Err(UnzipError::FileTooLarge { limit: 600, .. })), "{refused:?}");
        zip.read(1).expect("small enough");
    }

    #[test]
    fn a_long_list_is_refused_before_it_is_read() {
        let files: Vec<_> = ["a", "b", "c", "d"].map(|name| (name, Vec::new())).into();
        Unzip::open(&pack(&files[..3]), LIMITS).expect("as many as allowed");
        assert!(matches!(Unzip::open(&pack(&files), LIMITS), Err(UnzipError::TooMany(3))));
    }

    #[test]
    fn a_damaged_file_is_named_and_leaves_the_others_readable() {
        let noise: Vec<u8> = (0..200_u8).map(|i| i.wrapping_mul(i)).collect();
        let mut bytes = pack(&[("noise", noise), ("fine", vec![7; 9])]);
        bytes[60] ^= 0x55;
        let mut zip = Unzip::open(&bytes, LIMITS).expect("its list is whole");
        let text = error(zip.read(0));
        assert!(text.contains("noise") && text.contains("damaged"), "{text}");
        assert_eq!(zip.read(1).expect("whole"), [7; 9]);
    }

    #[test]
    fn other_files_and_halves_are_no_zip_files() {
        let whole = pack(&[("a", vec![1; 600])]);
        for bytes in [&b"hello"[..], &[], &whole[..whole.len() / 2]] {
            let text = error(Unzip::open(bytes, LIMITS));
            assert!(text.starts_with("this is not a zip file"), "{text}");
        }
    }
}
