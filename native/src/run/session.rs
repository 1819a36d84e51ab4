//! A training from its first iteration to its last checkpoint, the same for all environments.

use std::path::PathBuf;

use anyhow::{Context, Result};
use deepspi_core::run_state::TrainError;
use deepspi_core::trainer::Trainer;
use deepspi_run::message::Message;
use deepspi_run::run_files::Saving;
use deepspi_worlds::env::VectorEnv;

use super::checkpoints::CheckpointStore;
use super::folder::RunFolder;
use super::output::Outputs;
use super::signals::StopFlag;
use crate::terminal::note;
use crate::worlds::Analysis;

/// Settings for saving and stopping a training.
#[derive(Clone, Copy, Debug)]
pub struct SessionOptions {
    /// How often to save, and how much to keep.
    pub saving: Saving,
    /// Whether the end of standard input also stops the training.
    pub stop_with_parent: bool,
}

/// How a training ended without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrainingEnd {
    /// All steps are done, or a stop was requested; everything is saved.
    Saved,
    /// A loss or a parameter became NaN or infinite; the last checkpoint is the last valid state.
    NotFinite,
}

/// The state of a running training.
#[derive(Debug)]
pub struct Session {
    trainer: Trainer,
    envs: Box<dyn VectorEnv>,
    /// Analysis after every iteration, if any.
    analysis: Option<Box<dyn Analysis>>,
    outputs: Outputs,
    folder: PathBuf,
    store: CheckpointStore,
    save_every: u64,
    stop: StopFlag,
}

impl Session {
    /// Opens the outputs. The environments must have been reset or restored.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn new(
        trainer: Trainer,
        envs: Box<dyn VectorEnv>,
        analysis: Option<Box<dyn Analysis>>,
        folder: &RunFolder,
        options: SessionOptions,
    ) -> Result<Self> {
        let outputs =
            Outputs::open(&folder.path, &folder.info.env, trainer.config(), trainer.global_step())?;
        let stop = StopFlag::install()?;
        if options.stop_with_parent {
            stop.set_when_input_ends();
        }
        Ok(Self {
            trainer,
            envs,
            analysis,
            outputs,
            folder: folder.path.clone(),
            store: CheckpointStore::new(folder.checkpoints(), options.saving.keep),
            save_every: options.saving.every.max(1),
            stop,
        })
    }

    /// Trains until the last step or a signal.
    ///
    /// # Errors
    /// A failure of disk, device or environment; checkpoints that were already written are intact.
    pub fn train(self) -> Result<TrainingEnd> {
        let (folder, store) = (self.folder.clone(), self.store.clone());
        self.run().with_context(|| {
            let shown = folder.display();
            if !store.reaches(0) {
                return format!(
                    "the training stopped before its first checkpoint. When the cause is removed (if the disk is full, \
                     free some space, or choose another folder), start it again; {shown} can be deleted. The cause"
                );
            }
            format!(
                "the training stopped; its checkpoints are intact. When the cause is removed (if the disk is full, free \
                 some space, or move the run folder), go on with `native --resume {shown}`. The cause"
            )
        })
    }

    fn run(mut self) -> Result<TrainingEnd> {
        let mut saved_at = self.trainer.global_step();
        let mut score = None;
        while !self.trainer.is_finished() {
            let mut messages = Vec::new();
            let outcome = pollster::block_on(
                self.trainer.iterate(&mut *self.envs, |message| messages.push(message)),
            );
            for message in &messages {
                if let Message::Iteration(iteration) = message {
                    score = iteration.finished_return;
                }
                self.outputs.handle(message)?;
            }
            match outcome {
                Ok(()) => {}
                Err(error @ TrainError::NotFinite(_)) => return self.fail(&error),
                Err(error) => return Err(error.into()),
            }
            self.analyse()?;
            let due = self.trainer.global_step() - saved_at >= self.save_every;
            // The flag is read once: a signal between two reads would end the run without saving
            // it.
            let stop = self.stop.is_set();
            if due || stop || self.trainer.is_finished() {
                self.save(score)?;
                saved_at = self.trainer.global_step();
            }
            if stop {
                break;
            }
        }
        self.outputs.finish();
        Ok(TrainingEnd::Saved)
    }

    fn analyse(&mut self) -> Result<()> {
        let Some(analysis) = &self.analysis else { return Ok(()) };
        self.outputs.handle(&analysis.analyse(&self.trainer)?)
    }

    fn save(&mut self, score: Option<f64>) -> Result<()> {
        let global_step = self.trainer.global_step();
        let checkpoint = pollster::block_on(self.trainer.checkpoint_with(&mut *self.envs))?;
        let path = self.store.save(&checkpoint, global_step, score)?;
        let location = path.display().to_string();
        self.outputs.handle(&Message::CheckpointWritten { global_step, location })
    }

    /// The state in memory is not finite, so it is not saved; the last checkpoint is the last valid
    /// state.
    fn fail(mut self, error: &dyn std::error::Error) -> Result<TrainingEnd> {
        let text = format!("{error}; checkpoints already written are intact");
        self.outputs.handle(&Message::Failure { text: text.clone() })?;
        self.outputs.finish();
        note!("error: {text}");
        Ok(TrainingEnd::NotFinite)
    }
}
