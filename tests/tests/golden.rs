//! Agreement with the authors' implementation: the golden files must pass, and a file with one
//! wrong number must fail. The second test would notice a comparison that accepts everything.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use deepspi_core::golden::{Check, GoldenFile, check, run};

fn folder() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("fixtures/golden")
}

fn text(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).expect("a golden file of the repository")
}

/// The quantities out of tolerance, with their errors, and the number of all quantities.
fn failures(text: &str) -> (Vec<String>, usize) {
    let checks = pollster::block_on(check(text, &Device::flex())).expect("known networks");
    summary(&checks)
}

fn summary(checks: &[Check]) -> (Vec<String>, usize) {
    let wrong = checks.iter().filter(|check| !check.ok());
    (
        wrong.map(|check| format!("{} (error {:.1e})", check.quantity, check.error)).collect(),
        checks.len(),
    )
}

/// All files, and how many quantities of each are compared. A smaller number would mean that a quantity
/// of the file is ignored.
const FILES: &[(&str, usize)] = &[
    ("batch_means", 62),
    ("categorical_attention", 139),
    ("categorical_conv", 69),
    ("categorical_cross_entropy", 101),
    ("categorical_fc", 71),
    ("categorical_fc_dreamer", 163),
    ("categorical_fc_gumbel", 71),
    ("categorical_hamming", 71),
    ("categorical_js", 101),
    ("categorical_softmoe", 110),
    ("categorical_transformer", 165),
    ("decoupled_repr", 80),
    ("deep_mdp", 62),
    ("deep_spi", 62),
    ("deterministic", 58),
    ("deterministic_free", 55),
    ("discriminator_bounded", 97),
    ("discriminator_bounded_obs", 117),
    ("discriminator_lipschitz", 89),
    ("discriminator_lipschitz_obs", 105),
    ("done_predictor", 13),
    ("dream_actor_critic", 50),
    ("dream_actor_critic_decoupled", 56),
    ("dream_sync", 80),
    ("dream_weight_decay", 8),
    ("dream_world_model", 79),
    ("dreamer_architecture", 74),
    ("drift", 62),
    ("drift_offpolicy", 77),
    ("gp_lipschitz", 74),
    ("gp_wgan", 74),
    ("hadamard", 70),
    ("huber_value", 62),
    ("imagination", 38),
    ("layer_norm", 78),
    ("mixture_free", 58),
    ("mixture_free_corrected", 60),
    ("mixture_free_no_groups", 54),
    ("mixture_free_no_groups_corrected", 54),
    ("normal_free", 55),
    ("normal_lipschitz", 60),
    ("offpolicy_clip", 60),
    ("ppo", 62),
    ("schedules", 18),
    ("vtrace", 6),
    ("w_balancing", 62),
];

fn must_agree(chosen: impl Fn(usize) -> bool) {
    for (_, (name, count)) in FILES.iter().enumerate().filter(|(i, _)| chosen(*i)) {
        let (wrong, found) = failures(&text(&format!("{name}.json")));
        assert!(wrong.is_empty(), "{name}: these differ from the authors' numbers: {wrong:?}");
        assert_eq!(found, *count, "{name}: a quantity of the file was not compared");
    }
}

// Two tests, because they run at the same time.
#[test]
fn every_file_of_even_number_agrees() {
    must_agree(|i| i % 2 == 0);
}

#[test]
fn every_file_of_odd_number_agrees() {
    must_agree(|i| i % 2 == 1);
}

#[test]
fn no_file_is_left_out() {
    let listed: Vec<String> = FILES.iter().map(|(name, _)| format!("{name}.json")).collect();
    for entry in std::fs::read_dir(folder()).expect("a folder") {
        let name = entry.expect("a file").file_name().into_string().expect("UTF-8");
        assert!(!name.ends_with(".json") || listed.contains(&name), "{name} is not checked");
    }
}

#[test]
fn a_file_of_an_option_that_is_missing_here_is_refused() {
    let mut file = GoldenFile::parse(&text("huber_value.json")).expect("a golden file");
    file.setting.options.insert("telepathy".to_owned(), true.into());
    let error = file.setting.config().expect_err("an unknown option").to_string();
    assert!(error.contains("`telepathy` = true"), "{error}");
}

#[test]
fn one_wrong_number_fails_and_only_its_quantity() {
    let mut file = GoldenFile::parse(&text("deep_spi.json")).expect("a golden file");
    file.outputs.loss *= 1.001;
    let trunk = "agent/actor_network_params/1/params/Dense_0/kernel";
    let largest = |at: &mut Vec<(usize, f64)>| {
        let entry = at.iter_mut().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
        entry.expect("a fingerprint has entries").1 *= 1.01;
    };
    largest(&mut file.grads.get_mut(trunk).expect("the gradient of the trunk").at);
    let critic = "agent/critic_params/params/Dense_0/kernel";
    file.params_after_one_step.get_mut(critic).expect("the critic after a step").l2 *= 1.01;
    let checks = pollster::block_on(run(&file, &Device::flex())).expect("networks");
    let (wrong, _) = summary(&checks);
    let names: Vec<&str> = wrong.iter().filter_map(|text| text.split(" (").next()).collect();
    assert_eq!(
        names,
        ["loss", "grad agent.trunk.kernel", "after step agent.critic.kernel"],
        "exactly the changed numbers must be reported: {wrong:?}"
    );
}
