//! Runs the program of `docs/python.md` on an exported agent, with packages from PyPI.
//!
//! Without a network the test prints a line that begins with SKIPPED, except in CI (`CI=true`), where it
//! fails.

mod common;
#[path = "common/python.rs"]
mod python;

use std::fs;
use std::path::Path;

use common::{finish, native, only_run, tiny};

/// The packages that the page names, in the versions it was checked with.
const PACKAGES: [&str; 5] = [
    "onnxruntime==1.32.0",
    "numpy==2.4.6",
    "gymnasium==1.4.0",
    "ale-py==0.12.1",
    "opencv-python-headless==5.0.0.93",
];

/// The Python program of the page: its only block of Python.
fn program() -> String {
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let page = Path::new(&root).join("../docs/python.md");
    let page = fs::read_to_string(page).expect("the page exists");
    let blocks: Vec<&str> = page.split("```python\n").skip(1).collect();
    assert_eq!(blocks.len(), 1, "the page has one program");
    blocks[0].split("```").next().expect("it ends").to_owned()
}

#[test]
fn the_program_of_the_page_plays_an_exported_agent() {
    let program = program();
    let groups: [python::Group; 1] = [(&["--only-binary=:all:"], &PACKAGES)];
    let Some(packages) = python::packages("ale_py", &groups) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("play.py");
    fs::write(&script, program).expect("written");
    for (name, arguments) in [("usual", &[][..]), ("stochastic", &["--stochastic"])] {
        let runs = folder.path().join(name);
        let mut command = tiny(&runs);
        command.args(["--total-timesteps", "32", "--network", "small"]).args(arguments);
        finish(&mut command).succeeded();
        let out = folder.path().join(format!("{name} exported"));
        finish(native().arg("export").arg(only_run(&runs)).arg("--out").arg(&out)).succeeded();
        let mut play = python::python();
        let output = play.arg(&script).arg(&out).arg("2").env("PYTHONPATH", &packages).output();
        let output = output.expect("Python starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {errors}");
        let text = String::from_utf8_lossy(&output.stdout);
        let scores: Vec<f64> = text
            .lines()
            .filter_map(|line| line.strip_prefix("game ")?.split_once(": score ")?.1.parse().ok())
            .collect();
        assert_eq!(scores.len(), 2, "{name}: {text}");
        // An agent that has learned nothing plays about as well as chance, 1.7.
        assert!(scores.iter().all(|score| (0.0..60.0).contains(score)), "{name}: {text}");
    }
}
