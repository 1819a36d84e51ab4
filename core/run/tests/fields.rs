//! Tests the descriptions of the configuration and of the maze that the macro makes.

use deepspi_options::{FieldKind, FieldValue, SetError};
use deepspi_run::config::{Algorithm, Config};
use deepspi_worlds::maze::MazeConfig;

#[test]
fn every_field_is_described_and_survives_its_text() {
    let mut copy = Config { seed: 9, gamma: 0.5, ..Config::DEFAULT }.certify();
    for info in Config::FIELD_INFO {
        assert!(!info.description().is_empty() && !info.heading.is_empty(), "{}", info.name);
        let text = Config::DEFAULT.get(info.name).expect("a field");
        copy.set(info.name, &text).expect("its own text");
    }
    assert_eq!(copy, Config::DEFAULT);
    assert!(Config::FIELD_INFO.iter().map(|info| info.name).eq(Config::FIELDS.iter().copied()));
    assert_eq!(MazeConfig::FIELD_INFO[0].heading, "Maze");
    let part = |name: &str| {
        let info = Config::FIELD_INFO.iter().find(|info| info.name == name).expect("a field");
        info.part
    };
    assert_eq!(Config::PARTS, ["networks", "world_model", "deep_spi", "dream"]);
    assert_eq!([part("gamma"), part("lipschitz_nets")], [None, Some("world_model")]);
    assert_eq!(part("certified"), Some("deep_spi"));
}

#[test]
fn numbers_are_written_as_people_do_and_exactly() {
    assert_eq!(Config::DEFAULT.get("learning_rate").as_deref(), Some("0.00025"));
    assert_eq!(Config::DEFAULT.get("adam_eps").as_deref(), Some("0.00001"));
    assert_eq!(Config::DEFAULT.get("clip_coef").as_deref(), Some("0.1"));
    for x in [1e-30_f32, f32::MIN_POSITIVE, 0.1 + 0.2, 16_777_216.0, f32::MAX] {
        let text = x.to_text();
        assert!(text.len() <= 15, "{text}");
        assert_eq!(f32::from_text(&text).map(f32::to_bits), Some(x.to_bits()));
    }
}

#[test]
fn choices_have_names_and_documentation() {
    let FieldKind::Choice(choices) = Algorithm::KIND else { panic!("an enum") };
    let names: Vec<_> = choices.iter().map(|choice| choice.name).collect();
    assert_eq!(names, ["deep-spi", "deep-mdp", "ppo", "dream-spi"]);
    assert!(choices[2].description().starts_with("No world model"));
    assert_eq!(serde_json::json!(Algorithm::DeepMdp), Algorithm::DeepMdp.name());
    assert!(Algorithm::ALL.map(Algorithm::name).iter().eq(&names), "all of them, in their order");
}

#[test]
fn what_cannot_be_set_changes_nothing_and_is_named() {
    let mut config = Config::DEFAULT;
    let error = config.set("gama", "0.9").expect_err("typo");
    assert_eq!(error, SetError::Unknown("gama".to_owned()));
    for (field, text, allowed) in [
        ("gamma", "much", "a number, such as 0.001 or 1e-3"),
        ("num_envs", "-1", "a whole number, at least 0"),
        ("algo", "sarsa", "one of deep-spi deep-mdp ppo dream-spi"),
        ("certified", "", "true or false"),
    ] {
        let error = config.set(field, text).expect_err("unreadable").to_string();
        assert!(error.contains(field) && error.ends_with(allowed), "{error}");
    }
    assert_eq!(config, Config::DEFAULT);
    config.set("gamma", " 0.9 ").expect("spaces around a number are no fault");
    assert_eq!(config.gamma.to_bits(), 0.9_f32.to_bits());
}
