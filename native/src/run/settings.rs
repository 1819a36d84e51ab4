//! Resolves a configuration from defaults, then the file, then the command line; later sources win.

use std::path::Path;

use anyhow::{Context, Result};
use deepspi_run::config::{Config, ConfigOverrides};

use super::config_file::ConfigFile;

/// Text before the name of a field that is out of range.
const INVALID: &str = "invalid hyper-parameter; see `native --help` for all of them";

/// The configuration of a run from defaults, an optional TOML file and the flags that were given.
/// The values that a certified run needs are set, unless file or flags give those fields.
///
/// # Errors
/// If a value is out of range.
pub fn resolve(
    flags: &ConfigOverrides,
    file: Option<&ConfigFile>,
    defaults: &Config,
) -> Result<Config> {
    complete(&explicit(flags, file), defaults)
}

/// The hyper-parameters that file and command line give explicitly, without defaults; the command
/// line wins.
#[must_use]
pub fn explicit(flags: &ConfigOverrides, file: Option<&ConfigFile>) -> ConfigOverrides {
    file.map_or_else(|| flags.clone(), |file| file.hyper.with(flags))
}

/// The configuration of a TOML file; fields that the file lacks are taken from `defaults`.
///
/// # Errors
/// If the file cannot be read or parsed, or a value is out of range.
pub fn from_file(file: &Path, defaults: &Config) -> Result<Config> {
    complete(&ConfigFile::read(file)?.hyper, defaults)
}

/// The hyper-parameters in which two configurations differ, one phrase each.
#[must_use]
pub fn differences(found: &Config, wanted: &Config) -> Vec<String> {
    let value = |config: &Config, field| config.get(field).unwrap_or_default();
    let unlike = Config::FIELDS.iter().filter_map(|field| {
        let (found, wanted) = (value(found, field), value(wanted, field));
        (found != wanted).then(|| format!("`{field}` is {found}, not {wanted}"))
    });
    unlike.collect()
}

/// The configuration with the given fields, and `defaults` for the others. The values that a
/// certified run needs are set, unless they are given.
///
/// # Errors
/// If a value is out of range.
pub fn complete(given: &ConfigOverrides, defaults: &Config) -> Result<Config> {
    let mut config = defaults.with(given);
    if config.deep_spi.certified {
        // The neighbourhood depends on gamma, which is known only now.
        config = config.certify().with(given);
    }
    config.validate().context(INVALID)?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    fn resolve_args(arguments: &[&str], file: Option<&str>) -> Result<Config> {
        let cli = Cli::try_parse_from(arguments)?;
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("config.toml");
        if let Some(text) = file {
            std::fs::write(&path, text)?;
        }
        let file = file.map(|_| ConfigFile::read(&path)).transpose()?;
        resolve(&cli.train.hyper, file.as_ref(), &Config::DEFAULT)
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let file = "gamma = 0.9\nseed = 7\n";
        let config = resolve_args(&["native", "--seed", "8"], Some(file)).expect("valid");
        assert_eq!((config.seed, config.gamma), (8, 0.9));
        // A flag wins over the file even if it repeats the default.
        let config = resolve_args(&["native", "--gamma", "0.99"], Some(file)).expect("valid");
        assert_eq!((config.seed, config.gamma), (7, 0.99));
    }

    #[test]
    fn flags_are_kept_as_they_were_given() {
        let arguments =
            ["native", "--gamma", "0.9", "--seed", "3", "--transition-loss-coef", "0.001"];
        let cli = Cli::try_parse_from(arguments).expect("valid");
        let given = explicit(&cli.train.hyper, None);
        assert_eq!(
            toml::to_string(&given).expect("writable"),
            "seed = 3\ngamma = 0.9\n\n[world_model]\ntransition_loss_coef = 0.001\n"
        );
    }

    #[test]
    fn all_defaults_survive_the_command_line() {
        assert_eq!(resolve_args(&["native"], None).expect("valid"), Config::default());
    }

    #[test]
    fn certified_sets_what_it_needs_and_refuses_what_contradicts_it() {
        let config = resolve_args(&["native", "--certified", "--gamma", "0.9"], None);
        let config = config.expect("valid");
        assert_eq!(config, Config { gamma: 0.9, ..Config::default() }.certify());
        let wide = resolve_args(&["native", "--certified", "--clip-coef", "0.2"], None);
        assert!(format!("{:#}", wide.expect_err("C > 1 / gamma")).contains("`clip_coef`"));
    }

    #[test]
    fn errors_name_the_file_and_the_field() {
        let error = resolve_args(&["native"], Some("gama = 1")).expect_err("typo");
        assert!(
            format!("{error:#}").contains("config.toml") && format!("{error:#}").contains("gama")
        );
        let error = resolve_args(&["native", "--gamma", "2"], None).expect_err("range");
        assert!(format!("{error:#}").contains("`gamma` is 2"), "{error:#}");
        let error = resolve_args(&["native", "--seed", "18446744073709551615"], None);
        let error = format!("{:#}", error.expect_err("no number of a TOML file"));
        assert!(error.contains("`seed` is 18446744073709551615"), "{error}");
    }
}
