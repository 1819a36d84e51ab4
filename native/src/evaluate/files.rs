//! `evaluation.json` and `evaluation.csv`, and the rule for replacing older ones.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use deepspi_worlds::cartridge::CARTRIDGE_NAME;
use serde::{Deserialize, Serialize};

use super::agent::Agent;
use super::summary::{Episode, Summary, table};
use crate::run::folder::{EVALUATION, EVALUATION_CSV, EVALUATION_JSON};
use crate::whole_file::replace_files;
use crate::worlds::maze::MAZE;

/// How episodes are played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protocol {
    /// Number of whole games.
    pub episodes: u64,
    /// Seed of the games and of the draws from the policy.
    pub seed: u64,
    /// Whether the most probable action is taken, instead of one drawn from the policy.
    pub greedy: bool,
    /// Whether actions are sticky and no-op starts long.
    pub stochastic: bool,
    /// Whether lost lives are followed by no-ops and FIRE, as in training.
    #[serde(default)]
    pub training_resets: bool,
    /// Rules of the environment in a sentence.
    pub rules: String,
}

impl Protocol {
    /// All settings by their flags. The pattern has no `..`, so that a new setting cannot be left
    /// out of the comparison.
    fn fields(&self) -> [(&'static str, String); 6] {
        let Self { episodes, seed, greedy, stochastic, training_resets, rules } = self;
        [
            ("--episodes", episodes.to_string()),
            ("--seed", seed.to_string()),
            ("--greedy", greedy.to_string()),
            ("--stochastic", stochastic.to_string()),
            ("--training-resets", training_resets.to_string()),
            ("rules", rules.clone()),
        ]
    }

    /// The first setting in which another protocol differs, with both values.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        let mut pairs = self.fields().into_iter().zip(other.fields());
        let ((name, one), (_, other)) = pairs.find(|(one, other)| one != other)?;
        Some(format!("{name} {one}, not {other}"))
    }

    /// The whole protocol in words; different protocols give different texts.
    #[must_use]
    pub fn describe(&self) -> String {
        // The pattern has no `..`, so that a new setting cannot be left out of the text.
        let Self { episodes, seed, greedy, stochastic, training_resets, rules } = self;
        let actions =
            if *greedy { "most probable actions" } else { "actions drawn from the policy" };
        // The maze has neither setting; for an Atari game the rules give the details.
        let stochastic = if *stochastic { ", stochastic environments" } else { "" };
        let resets = if *training_resets { ", resets as in training" } else { "" };
        format!("{episodes} episodes, {actions}, seed {seed}{stochastic}{resets}: {rules}")
    }
}

/// Content of `evaluation.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Game, or `maze`.
    pub env: String,
    /// Algorithm, as on the command line.
    pub algo: String,
    /// Seed of the training.
    pub training_seed: u64,
    /// SHA-256 of the world and the hyper-parameters of the training; empty in files from before it
    /// was written.
    #[serde(default)]
    pub training_digest: String,
    /// Name of the checkpoint.
    pub checkpoint: String,
    /// Agent steps it was trained for.
    pub global_step: u64,
    /// How episodes were played.
    pub protocol: Protocol,
    /// Device of the networks.
    pub device: String,
    /// Version of the program that evaluated.
    pub version: String,
    /// Revision of its source.
    pub revision: String,
    /// Scores.
    pub summary: Summary,
}

impl Evaluation {
    /// Summarises the episodes of an agent.
    ///
    /// # Errors
    /// If there are no episodes.
    pub fn new(agent: &Agent, protocol: Protocol, episodes: &[Episode]) -> Result<Self> {
        Ok(Self {
            env: agent.world.name().to_owned(),
            algo: agent.config.algo.name().to_owned(),
            training_seed: agent.config.seed,
            training_digest: agent.digest.clone(),
            checkpoint: agent.checkpoint.clone(),
            global_step: agent.global_step,
            summary: Summary::of(agent.world.name(), episodes, protocol.seed)?,
            protocol,
            device: agent.device.description.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            revision: env!("DEEPSPI_REVISION").to_owned(),
        })
    }

    /// The evaluation in a folder; `None` if the folder has none.
    ///
    /// # Errors
    /// If the file exists but is not an evaluation.
    pub fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(EVALUATION_JSON);
        if !path.exists() {
            return Ok(None);
        }
        let read = || -> Result<Self> { Ok(serde_json::from_str(&fs::read_to_string(&path)?)?) };
        read().map(Some).with_context(|| format!("{} is no evaluation", path.display()))
    }

    /// Writes both files; a full disk changes neither.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn write(&self, folder: &Path, episodes: &[Episode]) -> Result<[PathBuf; 2]> {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let json = format!("{}\n", serde_json::to_string_pretty(self)?).into_bytes();
        let csv = table(&self.env, episodes)?.bytes()?;
        replace_files(folder, &[], &[(EVALUATION_CSV, csv), (EVALUATION_JSON, json)])?;
        Ok(EVALUATION.map(|name| folder.join(name)))
    }

    /// Text for the terminal.
    #[must_use]
    pub fn table(&self) -> String {
        let Self { env, algo, protocol, summary, global_step, .. } = self;
        let mut text = format!(
            "{algo} on {env} after {global_step} steps\n{}\non {}\n",
            protocol.describe(),
            self.device
        );
        let Summary { mean, mean_low, mean_high, median, min, max, .. } = summary;
        let mut row = |name: &str, value: String| {
            text.push_str(&format!("  {name:<22} {value}\n"));
        };
        row("mean return", format!("{mean:.2}, 95 % interval {mean_low:.2} to {mean_high:.2}"));
        row("median return", format!("{median:.2}"));
        row("lowest and highest", format!("{min:.2} and {max:.2}"));
        if let Some(normalised) = summary.human_normalized_mean {
            row("human-normalised mean", format!("{normalised:.3} (0 random, 1 human)"));
        }
        row("mean length", format!("{:.1} steps", summary.mean_length));
        if summary.time_limits > 0 {
            // Training presses FIRE after every lost life, so an agent may never learn to press it.
            let note = if [MAZE, CARTRIDGE_NAME].contains(&env.as_str()) || protocol.training_resets
            {
                ""
            } else {
                "; perhaps it waits for FIRE after a lost life: --training-resets presses it"
            };
            row(
                "cut at the time limit",
                format!("{} of {}{note}", summary.time_limits, protocol.episodes),
            );
        }
        text
    }
}

/// Runs before the first game. Refuses to replace results that this evaluation does not renew:
/// results with other settings, of another agent, or of a checkpoint that was trained longer.
///
/// # Errors
/// If there are such results and `overwrite` is off.
pub fn check(folder: &Path, agent: &Agent, protocol: &Protocol, overwrite: bool) -> Result<()> {
    if overwrite {
        return Ok(());
    }
    let remedy = "; choose another folder with --out DIR, or replace it with --overwrite";
    let found = Evaluation::read(folder).with_context(|| format!("not overwritten{remedy}"))?;
    let Some(found) = found else {
        let csv = folder.join(EVALUATION_CSV);
        if csv.exists() {
            bail!("{} exists and belongs to no evaluation{remedy}", csv.display());
        }
        return Ok(());
    };
    let mine = (agent.world.name(), agent.config.algo.name(), agent.config.seed);
    let theirs = (found.env.as_str(), found.algo.as_str(), found.training_seed);
    let reason = if mine != theirs {
        let (env, algo, seed) = theirs;
        Some(format!("an evaluation of another agent ({algo} on {env}, seed {seed})"))
    } else if !found.training_digest.is_empty() && found.training_digest != agent.digest {
        Some(
            "an evaluation of another agent (with other hyper-parameters or another world)"
                .to_owned(),
        )
    } else if found.global_step > agent.global_step {
        Some(format!("an evaluation after {} steps, which is more", found.global_step))
    } else {
        let difference = found.protocol.difference(protocol);
        difference.map(|text| format!("an evaluation with other settings ({text})"))
    };
    match reason {
        Some(reason) => bail!("{} holds {reason}{remedy}", folder.join(EVALUATION_JSON).display()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_setting_of_a_protocol_is_forgotten() {
        let one = Protocol {
            episodes: 30,
            seed: 1,
            greedy: false,
            stochastic: false,
            training_resets: false,
            rules: "whole games".into(),
        };
        assert_eq!(one.difference(&one), None);
        for other in [
            Protocol { episodes: 31, ..one.clone() },
            Protocol { seed: 2, ..one.clone() },
            Protocol { greedy: true, ..one.clone() },
            Protocol { stochastic: true, ..one.clone() },
            Protocol { training_resets: true, ..one.clone() },
            Protocol { rules: "half games".into(), ..one.clone() },
        ] {
            assert!(one.difference(&other).is_some(), "{other:?}");
            assert_ne!(one.describe(), other.describe());
        }
    }
}
