//! What can fail in the core: the device.

/// Errors of the core.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The device failed: lost, or a kernel it refused.
    #[error("the device failed while reading results: {0}")]
    Device(String),
    /// The device has no room for a tensor, or allows none of this size.
    #[error(
        "the device has no room for {} MB more; train with smaller minibatches (a larger `num_minibatches`), fewer \
         environments (`num_envs`), or on the CPU",
        bytes.div_ceil(1_000_000)
    )]
    Memory {
        /// Size of the tensor.
        bytes: u64,
    },
}

impl Error {
    /// The error that the runtime describes as a chain of causes over many lines.
    pub(crate) fn of_device(description: &str) -> Self {
        /// What the runtime says before the size of a tensor that it cannot hold.
        const NO_ROOM: [&str; 2] =
            ["can't allocate buffer of size: ", "out of device memory allocating "];
        let bytes = NO_ROOM.iter().find_map(|words| {
            let (_, rest) = description.split_once(words)?;
            rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        });
        if let Some(bytes) = bytes {
            return Self::Memory { bytes };
        }
        let says_something =
            |line: &&str| !["", "Caused by:", "No backtrace available", "Asked at:"].contains(line);
        let lines: Vec<&str> = description.lines().map(str::trim).filter(says_something).collect();
        Self::Device(lines.join(": "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tensor_without_room_is_named_with_its_size_and_what_to_do() {
        // As a GPU reported it whose buffers may have 128 MB.
        let description = "An error happened during execution\nCaused by:\n  Several failures at once\nCaused by:\n  \
            An IO error happened\nCaused by:\n  can't allocate buffer of size: 411041792\nNo backtrace available";
        let error = Error::of_device(description);
        assert_eq!(error, Error::Memory { bytes: 411_041_792 });
        let text = error.to_string();
        assert!(text.contains("412 MB") && text.contains("num_minibatches"), "{text}");
        let full = Error::of_device("out of device memory allocating 7 bytes\n");
        assert_eq!(full, Error::Memory { bytes: 7 });
        let lost = Error::of_device(
            "the device was lost\nCaused by:\n  a reset\nNo backtrace available\n",
        );
        assert_eq!(lost, Error::Device("the device was lost: a reset".to_owned()));
    }
}
