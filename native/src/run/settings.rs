//! Resolving a configuration: defaults, then the file, then what the command line says.

use std::path::Path;

use anyhow::{Context, Result};
use clap::{ArgMatches, parser::ValueSource};
use deepspi_run::config::Config;
use serde::Deserialize;
use toml::Value;

/// The configuration of a run from defaults, an optional TOML file and explicit flags. What a
/// certified run needs is set unless file or flags say something of it.
///
/// # Errors
/// If the file cannot be read or parsed, or a value is out of range.
pub fn resolve(
    flags: &Config,
    matches: &ArgMatches,
    file: Option<&Path>,
    defaults: &Config,
) -> Result<Config> {
    complete(explicit(flags, matches, file)?, defaults)
}

/// What a file and, before it, the command line say of hyper-parameters, and nothing else.
///
/// # Errors
/// If the file cannot be read or parsed.
pub fn explicit(flags: &Config, matches: &ArgMatches, file: Option<&Path>) -> Result<toml::Table> {
    let mut table = file.map(read).transpose()?.unwrap_or_default();
    let values = toml::Table::try_from(flags)?;
    for field in Config::FIELDS {
        if matches.value_source(field) == Some(ValueSource::CommandLine) {
            // A float of 32 bits, made longer, would not be written as it was given.
            let short = flags.get(field).and_then(|text| text.parse().ok());
            let value = match (&values[*field], short) {
                (Value::Float(_), Some(short)) => Value::Float(short),
                (value, _) => value.clone(),
            };
            table.insert((*field).to_owned(), value);
        }
    }
    Ok(table)
}

/// The configuration of a TOML file; what it leaves out is taken from `defaults`.
///
/// # Errors
/// If the file cannot be read or parsed, or a value is out of range.
pub fn from_file(file: &Path, defaults: &Config) -> Result<Config> {
    complete(read(file)?, defaults)
}

/// In which hyper-parameters two configurations differ, one phrase each.
#[must_use]
pub fn differences(found: &Config, wanted: &Config) -> Vec<String> {
    let value = |config: &Config, field| config.get(field).unwrap_or_default();
    let unlike = Config::FIELDS.iter().filter_map(|field| {
        let (found, wanted) = (value(found, field), value(wanted, field));
        (found != wanted).then(|| format!("`{field}` is {found}, not {wanted}"))
    });
    unlike.collect()
}

/// The fields that a file names.
fn read(path: &Path) -> Result<toml::Table> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the configuration {}", path.display()))?;
    let malformed = || format!("the configuration {} is malformed", path.display());
    let mut table = toml::from_str::<toml::Table>(&text).with_context(malformed)?;
    // A run's own config.toml says more about the run than its hyper-parameters.
    table.remove("run");
    Config::deserialize(table.clone()).with_context(malformed)?;
    Ok(table)
}

/// The configuration of a table that names some fields; what a certified run needs is set unless the
/// table says something of it.
///
/// # Errors
/// If a field is unknown or a value is out of range.
pub fn complete(mut table: toml::Table, defaults: &Config) -> Result<Config> {
    let config = with_defaults(&table, defaults)?;
    let config = if config.certified {
        // The neighbourhood follows from gamma, which is known only now.
        let needed = toml::Table::try_from(config.certify())?;
        for field in Config::CERTIFIED_FIELDS {
            table.entry(*field).or_insert_with(|| needed[*field].clone());
        }
        with_defaults(&table, defaults)?
    } else {
        config
    };
    config.validate().context("invalid hyper-parameter; see `native --help` for all of them")?;
    Ok(config)
}

/// The configuration of a table that may leave fields out.
fn with_defaults(table: &toml::Table, defaults: &Config) -> Result<Config> {
    let mut all = toml::Table::try_from(defaults)?;
    all.extend(table.clone());
    Ok(all.try_into()?)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    fn resolve_args(arguments: &[&str], file: Option<&str>) -> Result<Config> {
        let matches = Cli::command().get_matches_from(arguments);
        let cli = Cli::from_matches(&matches)?;
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("config.toml");
        if let Some(text) = file {
            std::fs::write(&path, text)?;
        }
        let file = file.is_some().then_some(path.as_path());
        resolve(&cli.train.hyper, &matches, file, &Config::DEFAULT)
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let file = "gamma = 0.9\nseed = 7\n";
        let config = resolve_args(&["native", "--seed", "8"], Some(file)).expect("valid");
        assert_eq!((config.seed, config.gamma), (8, 0.9));
        // A flag that repeats the default still wins over the file.
        let config = resolve_args(&["native", "--gamma", "0.99"], Some(file)).expect("valid");
        assert_eq!((config.seed, config.gamma), (7, 0.99));
    }

    #[test]
    fn flags_are_kept_as_they_were_given() {
        let matches = Cli::command().get_matches_from(["native", "--gamma", "0.9", "--seed", "3"]);
        let cli = Cli::from_matches(&matches).expect("valid");
        let table = explicit(&cli.train.hyper, &matches, None).expect("no file");
        assert_eq!(toml::to_string(&table).expect("writable"), "gamma = 0.9\nseed = 3\n");
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
    }
}
