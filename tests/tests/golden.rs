//! Agreement with the authors' implementation: the golden files must pass, and a file with one
//! wrong number must fail. The second test would notice a comparison that accepts everything.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use deepspi_core::golden::{GoldenFile, run};

fn golden(name: &str) -> GoldenFile {
    let folder: PathBuf = Path::new(&std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"))
        .join("fixtures/golden");
    let text = std::fs::read_to_string(folder.join(name)).expect("a golden file of the repository");
    GoldenFile::parse(&text).expect("a golden file is one")
}

/// The quantities out of tolerance, with their errors, and the number of all quantities.
fn failures(file: &GoldenFile) -> (Vec<String>, usize) {
    let checks =
        pollster::block_on(run(file, &Device::flex())).expect("the networks are the authors'");
    let wrong = checks.iter().filter(|check| !check.ok());
    (
        wrong.map(|check| format!("{} (error {:.1e})", check.quantity, check.error)).collect(),
        checks.len(),
    )
}

/// `parameters` is the number of tensors whose gradient and step are in the file, besides 14 other
/// quantities.
fn must_agree(name: &str, parameters: usize) {
    let (wrong, count) = failures(&golden(name));
    assert!(wrong.is_empty(), "{name}: these differ from the authors' numbers: {wrong:?}");
    assert_eq!(count, 14 + 2 * parameters, "{name}: a quantity of the file was not compared");
}

#[test]
fn deep_spi_agrees() {
    must_agree("deep_spi.json", 24);
}

#[test]
fn ppo_agrees() {
    must_agree("ppo.json", 24);
}

#[test]
fn deep_mdp_agrees() {
    must_agree("deep_mdp.json", 24);
}

#[test]
fn deterministic_agrees() {
    must_agree("deterministic.json", 22);
}

#[test]
fn mixture_free_agrees() {
    must_agree("mixture_free.json", 22);
}

#[test]
fn drift_agrees() {
    must_agree("drift.json", 24);
}

#[test]
fn other_densities_agree() {
    must_agree("normal_lipschitz.json", 22);
    must_agree("normal_free.json", 20);
    must_agree("deterministic_free.json", 20);
}

#[test]
fn the_corrected_layout_of_a_free_mixture_agrees() {
    must_agree("mixture_free_corrected.json", 22);
}

#[test]
fn hubers_value_loss_agrees() {
    must_agree("huber_value.json", 24);
}

#[test]
fn the_balanced_gradient_of_the_transition_loss_agrees() {
    must_agree("w_balancing.json", 24);
}

#[test]
fn a_file_of_an_option_that_is_missing_here_is_refused() {
    let mut file = golden("huber_value.json");
    file.options.insert("hadamard_representation".to_owned(), true.into());
    let error = file.config().expect_err("an unknown option").to_string();
    assert!(error.contains("`hadamard_representation` = true"), "{error}");
}

#[test]
fn one_wrong_number_fails_and_only_its_quantity() {
    let mut file = golden("deep_spi.json");
    file.loss *= 1.001;
    let trunk = "agent/actor_network_params/1/params/Dense_0/kernel";
    let largest = |at: &mut Vec<(usize, f64)>| {
        let entry = at.iter_mut().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
        entry.expect("a fingerprint has entries").1 *= 1.01;
    };
    largest(&mut file.grads.get_mut(trunk).expect("the gradient of the trunk").at);
    let critic = "agent/critic_params/params/Dense_0/kernel";
    file.params_after_one_step.get_mut(critic).expect("the critic after a step").l2 *= 1.01;
    let (wrong, _) = failures(&file);
    let names: Vec<&str> = wrong.iter().filter_map(|text| text.split(" (").next()).collect();
    assert_eq!(
        names,
        ["loss", "grad agent.trunk.kernel", "after step agent.critic.kernel"],
        "exactly the changed numbers must be reported: {wrong:?}"
    );
}
