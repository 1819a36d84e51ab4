//! Tests configuration files: nested as they are written now, flat as they were before there were
//! parts, and mixed.

use deepspi_run::config::{
    Config, ConfigOverrides, DeepSpiConfig, DreamConfig, TransitionDensity, WorldModelConfig,
};
use deepspi_run::maze_preset::TrainingPreset as _;
use deepspi_run::run_files::RunInfo;
use deepspi_worlds::maze::{MazeConfig, MazePreset};

/// `config.toml` of a run folder of revision 9aa1139, the last one whose configuration was flat.
const OLD_TOML: &str = include_str!("old/config.toml");
/// The configuration in `state.json` of a checkpoint of that run.
const OLD_JSON: &str = include_str!("old/config.json");

/// The configuration that both describe.
fn old() -> Config {
    let mut config = Config { seed: 7, gamma: 0.9, ..MazePreset::Small.hyper_parameters() };
    config.world_model.transition_loss_coef = 0.001;
    // There was no DreamSPI.
    config.dream = DreamConfig::DEFAULT;
    config.certify()
}

fn parse(text: &str) -> Config {
    toml::from_str(text).expect(text)
}

fn error(text: &str) -> String {
    toml::from_str::<Config>(text).expect_err(text).to_string()
}

#[test]
fn flat_files_of_earlier_versions_are_read() {
    let mut table: toml::Table = toml::from_str(OLD_TOML).expect("TOML");
    table.remove("run");
    assert_eq!(table.try_into::<Config>().expect("the configuration of an old run"), old());
    assert_eq!(RunInfo::read(OLD_TOML).expect("the description of an old run").env, "maze");
    assert_eq!(serde_json::from_str::<Config>(OLD_JSON).expect("of an old checkpoint"), old());
    let flat = serde_json::to_string(&old().identity()).expect("writable");
    assert_eq!(flat, OLD_JSON.trim_end(), "the flat form is the old one");
}

#[test]
fn new_files_are_nested_and_come_back() {
    let text = toml::to_string(&old()).expect("writable");
    assert!(text.starts_with("algo = \"deep-spi\"\nseed = 7\n"), "{text}");
    assert!(text.contains("gamma = 0.9\n"), "as a person writes it: {text}");
    assert!(text.contains("\n[world_model]\nreward_loss_coef = 0.01\n"), "{text}");
    assert!(text.contains("\n[deep_spi]\ncertified = true\n"), "{text}");
    assert_eq!(parse(&text), old());
    let json = serde_json::to_string(&old()).expect("writable");
    assert_eq!(serde_json::from_str::<Config>(&json).expect("read"), old());
    assert!(json.contains("\"world_model\":{\"reward_loss_coef\":0.01,"), "{json}");

    let info = RunInfo { maze: Some(MazeConfig::DEFAULT), ..RunInfo::read(OLD_TOML).expect("old") };
    let described = info.describe(&old()).expect("writable");
    assert_eq!(RunInfo::read(&described).expect("read"), info);
    let mut table: toml::Table = toml::from_str(&described).expect("TOML");
    table.remove("run");
    assert_eq!(table.try_into::<Config>().expect("nested"), old());
}

#[test]
fn a_file_may_mix_both_forms_and_leave_fields_out() {
    let mixed =
        parse("gamma = 0.9\nlipschitz_nets = false\n[world_model]\nreward_loss_coef = 0.1\n");
    let world_model = WorldModelConfig {
        lipschitz_nets: false,
        reward_loss_coef: 0.1,
        ..WorldModelConfig::DEFAULT
    };
    assert_eq!(mixed, Config { gamma: 0.9, world_model, ..Config::DEFAULT });
    let certified = DeepSpiConfig { certified: true, ..DeepSpiConfig::DEFAULT };
    assert_eq!(parse("certified = true").deep_spi, certified);
    assert_eq!(parse("[deep_spi]\ncertified = true").deep_spi, certified);
}

#[test]
fn an_unknown_field_is_named_wherever_it_stands() {
    for text in ["gama = 0.9", "[world_model]\ngama = 0.9", "[gama]\nx = 1"] {
        assert!(error(text).contains("unknown field `gama`"), "{}", error(text));
    }
    // A field that exists, in the table of another part.
    assert!(error("[deep_spi]\nlipschitz_nets = true").contains("unknown field `lipschitz_nets`"));
    assert!(error("[world_model]\ngamma = 0.9").contains("unknown field `gamma`"));
    assert!(error("world_model = 3").contains("a table of hyper-parameters"));
    assert!(error("[world_model]\nreward_loss_coef = \"much\"").contains("much"));
}

#[test]
fn a_field_in_both_places_is_refused() {
    let text = "lipschitz_nets = true\n[world_model]\nlipschitz_nets = true\n";
    let message = "`lipschitz_nets` is given both at the top level and in the table [world_model]";
    assert!(error(text).contains(message), "{}", error(text));
    // JSON objects have no order: the table may come first.
    for text in [
        r#"{"certified": true, "deep_spi": {"certified": true}}"#,
        r#"{"deep_spi": {"certified": true}, "certified": true}"#,
    ] {
        let error = serde_json::from_str::<Config>(text).expect_err(text).to_string();
        assert!(
            error.contains("`certified` is given both") && error.contains("[deep_spi]"),
            "{error}"
        );
    }
    serde_json::from_str::<Config>(r#"{"gamma": 0.9, "gamma": 0.8}"#).expect_err("twice");
}

#[test]
fn overrides_hold_what_was_given_and_nothing_else() {
    let file: ConfigOverrides =
        toml::from_str("gamma = 0.9\ntransition_density = \"normal\"").expect("two fields");
    let mut flags = ConfigOverrides::default();
    assert!(flags.is_empty());
    flags.set("gamma", "0.95").expect("a field");
    flags.set("certified", "true").expect("a field of a part");
    flags.set("gama", "0.95").expect_err("no field");
    flags.set("seed", "one").expect_err("no number");
    let both = file.with(&flags);
    let given: Vec<_> = both.given().collect();
    assert_eq!(given, ["gamma", "transition_density", "certified"], "in the order of the struct");
    assert_eq!(both.get("gamma").as_deref(), Some("0.95"), "the later layer wins");
    assert!(both.is_given("certified") && !both.is_given("seed") && !both.is_given("gama"));
    let config = Config::DEFAULT.with(&both);
    assert_eq!(config.world_model.transition_density, TransitionDensity::Normal);
    assert_eq!(
        Config { gamma: 0.95, ..Config::DEFAULT }.with(&file).gamma.to_bits(),
        0.9_f32.to_bits()
    );

    let text = toml::to_string(&both).expect("writable");
    let written = "gamma = 0.95\n\n[world_model]\ntransition_density = \"normal\"\n\n[deep_spi]\ncertified = true\n";
    assert_eq!(text, written);
    assert_eq!(toml::from_str::<ConfigOverrides>(&text).expect("read"), both);
    assert_eq!(toml::to_string(&ConfigOverrides::default()).expect("writable"), "");
}
