//! A trained agent, loaded from its run folder.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use deepspi_core::checkpoint::{check_interface, read_model};
use deepspi_core::collect::evaluate;
use deepspi_core::data::rollout::observations;
use deepspi_core::model::Model;
use deepspi_run::checkpoint::State;
use deepspi_run::config::Config;
use deepspi_run::decision::Decision;
use deepspi_run::network::NetworkSpec;
use deepspi_run::run_files::{CONFIG, STEP_PREFIX, SUMS};

use crate::device::{self, DeviceChoice, Selected};
use crate::run::checkpoints::{self, CheckpointStore, Loaded};
use crate::run::folder::RunFolder;
use crate::worlds::{self, World};

/// A trained agent; it is evaluated and does not learn.
#[derive(Debug)]
pub struct Agent {
    /// Folder of its run.
    pub run: PathBuf,
    /// Name of its checkpoint.
    pub checkpoint: String,
    /// Agent steps it was trained for.
    pub global_step: u64,
    /// Hyper-parameters of its training.
    pub config: Config,
    /// SHA-256 of world and hyper-parameters ([`RunInfo::digest`](deepspi_run::run_files::RunInfo::digest)).
    pub digest: String,
    /// The world that it was trained on.
    pub world: Box<dyn World>,
    /// Sizes of its networks.
    pub spec: NetworkSpec,
    /// Its networks, on the device.
    pub model: Model,
    /// The device of the networks.
    pub device: Selected,
}

impl Agent {
    /// The newest intact checkpoint of a run folder, or the checkpoint whose folder is given.
    ///
    /// # Errors
    /// If `path` is neither, the checkpoint is damaged or of another version, or the device fails.
    pub fn load(path: &Path, device: &DeviceChoice) -> Result<Self> {
        let (folder, loaded) = find(path)?;
        loaded.warn_of_skipped();
        let Loaded { checkpoint, path: file, .. } = loaded;
        let world = worlds::of_run(&folder.info, None)?;
        let selected = device::select(device)?;
        // Only the networks: what else a checkpoint holds, such as a replay buffer, may be large.
        let model = check_interface(&checkpoint.state.spec, &world.network())
            .and_then(|()| read_model(&checkpoint, &selected.device))
            .with_context(|| format!("cannot use {}", file.display()))?;
        let State { config, spec, iteration, .. } = checkpoint.state;
        device::verify(&selected, &config, &spec)?;
        Ok(Self {
            run: folder.path,
            checkpoint: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            global_step: iteration * config.batch_size() as u64,
            digest: folder.info.digest(&config)?,
            config,
            world,
            spec,
            model,
            device: selected,
        })
    }

    /// Policy and value of the agent for B observations, `[C, H, W]` each.
    ///
    /// # Errors
    /// If the device fails, or the networks return NaN or infinite values.
    pub fn decide(&self, pixels: &[&[u8]]) -> Result<Decision> {
        let input = observations(self.spec.frame, pixels.len(), &self.device.device, |i| pixels[i]);
        let decision = pollster::block_on(evaluate(&self.model, input, self.spec.actions))?;
        ensure!(
            decision.log_probs.iter().chain(&decision.values).all(|x| x.is_finite()),
            "the networks of {} return NaN or infinite values; use an earlier checkpoint",
            self.checkpoint
        );
        Ok(decision)
    }

    /// `deep-spi on Breakout after 102400 steps`.
    #[must_use]
    pub fn title(&self) -> String {
        let (algo, game) = (self.config.algo.name(), self.world.name());
        format!("{algo} on {game} after {} steps", self.global_step)
    }
}

/// The folder of a checkpoint, and the folder of its run two levels above. `RUN/checkpoints` may be a link to another
/// disk and so may the checkpoint: the path is taken as it was given, then as the shell shows it, then resolved.
fn in_run(checkpoint: &Path) -> std::io::Result<(PathBuf, PathBuf)> {
    let run_of = |path: &Path| path.parent().and_then(Path::parent).map(Path::to_owned);
    let as_given = std::path::absolute(checkpoint)?;
    let shell = std::env::var_os("PWD").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let in_shell = shell.map(|folder| folder.join(checkpoint));
    let resolved = checkpoint.canonicalize()?;
    let ways = [Some(as_given), in_shell, Some(resolved.clone())].into_iter().flatten();
    let found = ways
        .filter_map(|path| Some((run_of(&path)?, path)))
        .find(|(run, path)| run.join(CONFIG).exists() && path.exists());
    let (run, path) = match found {
        Some(found) => found,
        None => (run_of(&resolved).unwrap_or_else(|| resolved.clone()), resolved),
    };
    Ok((path, run))
}

/// The run folder and the checkpoint that a path names.
fn find(path: &Path) -> Result<(RunFolder, Loaded)> {
    let remedy = || {
        format!(
            "there is no agent in {}; give a run folder, as `native train` prints it, or one of its checkpoints",
            path.display()
        )
    };
    let named =
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(STEP_PREFIX));
    if path.join(CONFIG).exists() || !(named || path.join(SUMS).exists()) {
        let folder = RunFolder::open(path).with_context(remedy)?;
        // The number of checkpoints to keep does not matter, because nothing is saved here.
        let loaded = CheckpointStore::new(folder.checkpoints(), 1).load_newest();
        return Ok((folder, loaded.with_context(|| format!("cannot play {}", path.display()))?));
    }
    let (path, run) = in_run(path).with_context(remedy)?;
    let folder = RunFolder::open(&run)
        .context("the checkpoint is not in a run folder, whose config.toml names its game")
        .with_context(remedy)?;
    let checkpoint = checkpoints::read(&path).context("use another checkpoint of the run")?;
    Ok((folder, Loaded { checkpoint, path, skipped: Vec::new() }))
}
