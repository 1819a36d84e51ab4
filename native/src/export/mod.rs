//! `native export`: a trained agent as files that other programs can use without this one.
//!
//! What the files contain is decided in `deepspi_export`, which knows no disk. This module
//! collects what a run folder knows about the agent, and writes the files. Nothing is uploaded. An
//! export is a folder that is complete or absent, and a folder with other files is never replaced.

mod scores;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use deepspi_core::checkpoint::on_cpu;
use deepspi_export::Subject;
use deepspi_export::card::{self, CurvePoint};
use deepspi_export::config::{
    AGENT_FILE, CONFIG_FILE, PARAMETERS_FILE, WORLD_MODEL_FILE, is_export,
};
use deepspi_run::run_files::{RunInfo, is_leftover};

use crate::curve::{self, Curve};
use crate::device::DeviceChoice;
use crate::evaluate::agent::Agent;
use crate::run::folder::RunFolder;
use crate::terminal::say;
use crate::whole_file::{entries, parent, replace_files, require_writable, write_whole_folder};

/// Points of the learning curve.
const POINTS: u64 = 20;
/// All files that an export can have.
const FILES: [&str; 8] = [
    AGENT_FILE,
    WORLD_MODEL_FILE,
    PARAMETERS_FILE,
    CONFIG_FILE,
    card::CARD_FILE,
    card::RUN_FILE,
    card::CURVE_FILE,
    card::CURVE_TABLE_FILE,
];

/// Flags of `export`.
#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    /// Run folder, whose newest intact checkpoint is exported; or the folder of one checkpoint, such as
    /// RUN/checkpoints/step_000001024000 (RUN/checkpoints/best.json names the best).
    #[arg(value_name = "RUN|CHECKPOINT")]
    pub path: PathBuf,
    /// Folder for the export; it must be new, empty, or with --overwrite an earlier export.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Replace an earlier export. A folder that holds anything else is never replaced.
    #[arg(long)]
    pub overwrite: bool,
    /// Licence of the weights for the model card, as model hubs name it, such as mit or apache-2.0.
    #[arg(long, value_name = "ID", default_value = card::UNKNOWN_LICENSE, value_parser = license)]
    pub license: String,
}

/// A name of a licence that can stand in YAML as it is.
fn license(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    if !text.is_empty() && text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    Err("a licence is named as on model hubs: lower-case letters, digits, `-` and `.`, such as `apache-2.0`"
        .to_owned())
}

/// Runs `native export`.
///
/// # Errors
/// If there is no agent, it cannot be written as a graph, or the folder is not free; no file is written
/// then.
pub fn run(args: &ExportArgs) -> Result<()> {
    let out = std::path::absolute(&args.out)
        .with_context(|| format!("--out {} is not a path", args.out.display()))?;
    // Behind a link is the folder that the user means.
    let out = out.canonicalize().unwrap_or(out);
    require_free(&out, args.overwrite)?;
    let remedy = "choose a writable place for the export with --out DIR";
    require_writable(if out.is_dir() { &out } else { parent(&out) }).context(remedy)?;
    let agent = Agent::load(&args.path, &DeviceChoice::Cpu)?;
    let files = files(&agent, &args.license).with_context(|| {
        format!("cannot export {} of {}", agent.checkpoint, agent.run.display())
    })?;
    write(&out, &files).context(remedy)?;
    say!("exported {}", agent.title());
    for (name, bytes) in &files {
        say!("wrote {} ({} bytes)", args.out.join(name).display(), bytes.len());
    }
    Ok(())
}

/// Writes the folder. One that exists is replaced as a whole if that is possible; a mounted disk cannot be replaced, nor a
/// folder in one that the user may not change.
fn write(out: &Path, files: &[(&'static str, Vec<u8>)]) -> Result<()> {
    write_whole_folder(out, files).or_else(|error| {
        if !out.is_dir() {
            return Err(error);
        }
        let old: Vec<_> =
            FILES.map(|name| out.join(name)).into_iter().filter(|path| path.is_file()).collect();
        replace_files(out, &old, files)
    })
}

/// Refuses a folder that holds anything but an export that may be replaced.
fn require_free(out: &Path, overwrite: bool) -> Result<()> {
    let shown = out.display();
    let remedy = "choose another folder with --out DIR";
    ensure!(out.is_dir() || !out.exists(), "--out {shown} is a file, not a folder; {remedy}");
    let mut found = entries(out).with_context(|| format!("cannot read --out {shown}"))?;
    // What a killed export left.
    found.retain(|path| !is_leftover(&path.file_name().unwrap_or_default().to_string_lossy()));
    if found.is_empty() {
        return Ok(());
    }
    let is_ours = std::fs::read(out.join(CONFIG_FILE)).is_ok_and(|bytes| is_export(&bytes));
    if !is_ours {
        bail!("--out {shown} is not empty and is no export, so nothing is written there; {remedy}");
    }
    let foreign = found.iter().find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !FILES.contains(&&*name)
    });
    if let Some(foreign) = foreign {
        bail!(
            "--out {shown} holds an export and also {}, which would be lost; move it away, or {remedy}",
            foreign.display()
        );
    }
    ensure!(
        overwrite,
        "--out {shown} holds an earlier export; replace it with --overwrite, or {remedy}"
    );
    Ok(())
}

/// Names and bytes of all files of the export.
fn files(agent: &Agent, license: &str) -> Result<Vec<(&'static str, Vec<u8>)>> {
    // How the run was saved says nothing about the agent.
    let run = RunInfo { saving: None, ..RunFolder::open(&agent.run)?.info };
    let model = pollster::block_on(on_cpu(agent.model.clone()))?;
    let subject = Subject {
        run: &run,
        config: &agent.config,
        spec: &agent.spec,
        checkpoint: &agent.checkpoint,
        steps: agent.global_step,
        version: env!("CARGO_PKG_VERSION"),
        revision: env!("DEEPSPI_REVISION"),
    };
    let curve = curve::of_run(&agent.run, &run.env, agent.global_step, POINTS)?;
    let (scores, no_scores) = scores::of(agent)?;
    let points = curve.iter().flat_map(|curve| &curve.points);
    let contents = card::Contents {
        license: license.to_owned(),
        scores,
        no_scores,
        curve: points.map(point).collect(),
    };
    let mut files = deepspi_export::files(&model, &subject, &contents)?;
    if let Some(Curve { svg, csv, .. }) = curve {
        files.push((card::CURVE_FILE, svg.into_bytes()));
        files.push((card::CURVE_TABLE_FILE, csv.into_bytes()));
    }
    Ok(files)
}

const fn point(point: &curve::Point) -> CurvePoint {
    let &curve::Point { step, games, mean, low, high } = point;
    CurvePoint { step, games, mean, quartiles: [low, high] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_export_is_replaced_and_only_on_request() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("out");
        require_free(&out, false).expect("new");
        std::fs::create_dir(&out).expect("created");
        require_free(&out, false).expect("empty");
        std::fs::write(out.join("config.json"), "{\"model_type\": \"bert\"}").expect("written");
        let error = require_free(&out, true).expect_err("of another program").to_string();
        assert!(error.contains("is no export") && error.contains("--out DIR"), "{error}");
        std::fs::write(out.join("config.json"), "{\"kind\": \"deepspi-export\"}").expect("written");
        let error = require_free(&out, false).expect_err("an export").to_string();
        assert!(error.contains("--overwrite"), "{error}");
        require_free(&out, true).expect("replaced");
        std::fs::create_dir(out.join(".writing_x")).expect("what a killed export leaves");
        require_free(&out, true).expect("replaced");
        std::fs::write(out.join("thesis.tex"), "").expect("written");
        let error = require_free(&out, true).expect_err("a foreign file").to_string();
        assert!(error.contains("thesis.tex"), "{error}");
        let file = folder.path().join("file");
        std::fs::write(&file, "").expect("written");
        let error = require_free(&file, true).expect_err("a file").to_string();
        assert!(error.contains("is a file"), "{error}");
    }

    #[test]
    fn a_licence_is_a_name_that_yaml_needs_no_quotes_for() {
        for id in ["mit", "apache-2.0", "cc-by-4.0"] {
            assert_eq!(license(id).expect("a licence"), id);
        }
        for id in ["", "MIT", "a: b", "mit\n"] {
            license(id).expect_err(id);
        }
    }
}
