//! What files are that a visitor drops on the page, wherever that is: cartridges, or something else
//! (parts of a checkpoint).

use deepspi_playground::archive::looks_like_checkpoint;

use crate::rom_file::{RomFileError, find, has_rom_ending};

/// Which of the files that were dropped together, by name and bytes, are meant as cartridges: those
/// that hold one, and those that are called like one. Beside the files of a checkpoint a name says
/// nothing, because parts of it are called so, too.
#[must_use]
pub fn meant_as_cartridges(files: &[(String, Vec<u8>)]) -> Vec<bool> {
    let checkpoint = looks_like_checkpoint(files.iter().map(|(name, _)| name.as_str()));
    let meant = |(name, bytes): &(String, Vec<u8>)| match find(name, bytes) {
        Ok(_) => true,
        Err(RomFileError::NoneKnown { .. } | RomFileError::Damaged { .. }) => !checkpoint,
        Err(RomFileError::OtherDump { .. } | RomFileError::UnknownGame { .. }) => {
            !checkpoint && (has_rom_ending(name) || bytes.starts_with(b"PK"))
        }
        Err(_) => false,
    };
    files.iter().map(meant).collect()
}

#[cfg(test)]
mod tests {
    use deepspi_worlds::cartridge::ROM;

    use super::*;
    use crate::rom_file::tests::pack;

    fn file(name: &str, bytes: Vec<u8>) -> (String, Vec<u8>) {
        (name.to_owned(), bytes)
    }

    #[test]
    fn a_cartridge_is_known_by_its_bytes_or_meant_by_its_name() {
        let other = vec![7; 4096];
        for (name, bytes, meant) in [
            ("holiday.jpg", ROM.to_vec(), true),
            ("x.zip", pack([("a/no name", ROM.to_vec())]), true),
            ("Pong (1977) (Atari).a26", other.clone(), true),
            ("adventure.BIN", other.clone(), true),
            ("x.zip", pack([("a.bin", vec![1; 2048]), ("b.bin", vec![2; 2048])]), true),
            ("pong.txt", other.clone(), false),
            ("photo.jpg", vec![1; 5000], false),
            ("pong.bin", vec![1; 5000], false),
            ("model.safetensors", other, false),
            ("run.zip", pack([("run/checkpoints/step_1/state.json", b"{}".to_vec())]), false),
            ("", Vec::new(), false),
        ] {
            assert_eq!(meant_as_cartridges(&[file(name, bytes)]), [meant], "{name}");
        }
    }

    #[test]
    fn beside_a_checkpoint_only_the_bytes_count() {
        let part = file("environments.bin", vec![0; 4096]);
        let state = file("state.json", b"{}".to_vec());
        let rom = file("maze.bin", ROM.to_vec());
        assert_eq!(meant_as_cartridges(std::slice::from_ref(&part)), [true]);
        assert_eq!(meant_as_cartridges(&[part, state, rom]), [false, false, true]);
    }
}
