//! The cartridge as another assembler makes it. Without `dasm` on this machine the test prints
//! SKIPPED; the project's own assembler is tested everywhere.

use std::process::Command;

use deepspi_worlds::cartridge::{ROM, SOURCE};

#[test]
fn dasm_gives_the_same_bytes() {
    let file = |ending: &str| {
        let name = format!("deepspi-cartridge-{}.{ending}", std::process::id());
        std::env::temp_dir().join(name)
    };
    let (source, binary) = (file("asm"), file("bin"));
    std::fs::write(&source, SOURCE).unwrap();
    let run = Command::new("dasm")
        .arg(&source)
        .args(["-f3", "-S", &format!("-o{}", binary.display())])
        .output();
    std::fs::remove_file(&source).unwrap();
    match run {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("SKIPPED: dasm is not installed");
        }
        Err(error) => panic!("dasm cannot be run: {error}"),
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
            let bytes = std::fs::read(&binary).unwrap();
            std::fs::remove_file(&binary).unwrap();
            assert!(bytes == ROM, "dasm and the project's assembler disagree");
        }
    }
}
