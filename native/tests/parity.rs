//! The exit code of `native parity`, which scripts rely on.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{finish, native};

fn golden(name: &str) -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"))
        .join("../tests/fixtures/golden")
        .join(name)
}

#[test]
fn good_files_pass() {
    let run =
        finish(native().arg("parity").arg(golden("ppo.json")).arg(golden("deterministic.json")));
    run.succeeded();
    assert!(
        run.stdout.contains("\n120 ok, 0 FAIL\n"),
        "all 62 and 58 quantities of the two files must be counted: {}",
        run.stdout
    );
}

#[test]
fn a_changed_number_is_a_mismatch() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = fs::read_to_string(golden("ppo.json")).expect("a golden file");
    let mut file: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let right = file["v_loss"].as_f64().expect("a number");
    file["v_loss"] = (right * 1.001).into();
    let changed = folder.path().join("changed.json");
    fs::write(&changed, file.to_string()).expect("written");
    let run = finish(native().arg("parity").arg(&changed));
    assert_eq!(run.code, Some(1), "a mismatch must exit with 1: {}{}", run.stdout, run.stderr);
    let failed: Vec<&str> =
        run.stdout.lines().filter(|line| line.trim_start().starts_with("FAIL")).collect();
    assert!(
        failed.len() == 1 && failed[0].ends_with("v_loss"),
        "the changed quantity and no other must be marked FAIL: {failed:?}"
    );
    assert!(run.stdout.contains(", 1 FAIL\n"), "the count must say so: {}", run.stdout);
}

#[test]
fn what_is_no_golden_file_is_bad_input() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let other = folder.path().join("other.json");
    fs::write(&other, r#"{"name": "not golden"}"#).expect("written");
    finish(native().arg("parity").arg(&other))
        .refused_in_one_paragraph(&["other.json", "not a golden file"]);
    let missing = folder.path().join("missing.json");
    finish(native().arg("parity").arg(&missing)).refused_in_one_paragraph(&["missing.json"]);
}

#[test]
fn numbers_that_do_not_fit_each_other_are_an_error_of_the_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = fs::read_to_string(golden("vtrace.json")).expect("a golden file");
    let mut file: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let row = file["rewards"][0].as_array_mut().expect("a row");
    row.push(1.0.into());
    let changed = folder.path().join("changed.json");
    fs::write(&changed, file.to_string()).expect("written");
    let run = finish(native().arg("parity").arg(&changed));
    run.refused_in_one_paragraph(&["changed.json", "do not fit each other"]);
}
