//! The training runs of the figures. Each is saved to a file as soon as it is finished.
//!
//! The file is named after everything that determines the run. So figures share runs, a stopped
//! command continues where it was, and with more seeds only the missing runs are trained.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use deepspi_run::config::Algorithm;

use super::experiment::{Experiment, Record};
use super::progress::RunProgress;
use crate::device::Selected;
use crate::jobs;
use crate::run::signals::StopFlag;
use crate::whole_file::{is_absent, require_writable, write_whole};

/// The folder of the kept runs, and the device on which missing ones are trained.
#[derive(Debug)]
pub struct KeptRuns {
    folder: PathBuf,
    device: Selected,
    jobs: usize,
    stop: StopFlag,
}

impl KeptRuns {
    /// Runs kept in `out/runs`, trained `jobs` at a time; by default one per core on the CPU and
    /// one on a GPU, because a single run fills it.
    ///
    /// # Errors
    /// If the folder cannot be created or signals cannot be caught.
    pub fn new(out: &Path, device: Selected, jobs: Option<usize>) -> Result<Self> {
        let folder = out.join("runs");
        require_writable(&folder).context("choose a writable place with --out")?;
        let jobs = jobs.unwrap_or_else(|| device.runs_at_a_time());
        Ok(Self { folder, device, jobs, stop: StopFlag::install()? })
    }

    /// Device on which the runs are trained.
    #[must_use]
    pub const fn device(&self) -> &Selected {
        &self.device
    }

    /// Finished runs of all experiments, in the order of the experiments. Runs that are not kept
    /// yet are trained first.
    ///
    /// # Errors
    /// If a run fails or cannot be saved, or the user stops; finished runs stay.
    pub fn records(&self, label: &str, experiments: &[Experiment]) -> Result<Vec<Record>> {
        let mut known: HashMap<String, Record> = HashMap::new();
        let mut missing: Vec<(String, &Experiment)> = Vec::new();
        let mut keys = Vec::with_capacity(experiments.len());
        for experiment in experiments {
            let key = experiment.key()?;
            if !known.contains_key(&key) && missing.iter().all(|(other, _)| *other != key) {
                match self.load(&key)? {
                    Some(record) => drop(known.insert(key.clone(), record)),
                    None => missing.push((key.clone(), experiment)),
                }
            }
            keys.push(key);
        }
        // The longest runs go first, so that no core is idle at the end.
        missing.sort_by_key(|(_, e)| (e.config.algo == Algorithm::Ppo, e.config.seed));
        let progress = RunProgress::new(label, missing.len(), known.len());
        known.extend(self.run(&missing, &progress)?);
        progress.finish();
        keys.iter()
            .map(|key| {
                known.get(key).cloned().with_context(|| {
                    format!("the run {key} is missing; repeat the command to train it")
                })
            })
            .collect()
    }

    fn run(
        &self,
        missing: &[(String, &Experiment)],
        progress: &RunProgress,
    ) -> Result<Vec<(String, Record)>> {
        let one = |unit: usize| -> Result<Option<Record>> {
            let (key, experiment) = &missing[unit];
            let train =
                || experiment.train(&self.device.device, &self.device.description, &self.stop);
            let record = if self.device.is_gpu {
                train()
            } else {
                // One thread per run: with these small networks two runs are faster than two
                // threads.
                rayon::ThreadPoolBuilder::new().num_threads(1).build()?.install(train)
            };
            let Some(record) = record.with_context(|| format!("the run {key} failed"))? else {
                return Ok(None);
            };
            let record = self.save(key, &record)?;
            progress.finished(&record);
            Ok(Some(record))
        };
        let (done, outcome) = jobs::on_threads(missing.len(), self.jobs, &self.stop, one)?;
        if let Some((_, error)) = outcome.failures.into_iter().next() {
            return Err(error);
        }
        if outcome.left > 0 {
            bail!(
                "stopped with {} of {} runs unfinished; finished runs are kept in {}, and the same command continues",
                outcome.left,
                missing.len(),
                self.folder.display()
            );
        }
        Ok(done.into_iter().map(|(unit, record)| (missing[unit].0.clone(), record)).collect())
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.json"))
    }

    /// Saves a run and returns it as it will be read again. Decimal text may lose the last bit, and
    /// a figure must not depend on whether its runs were just trained or read from files.
    fn save(&self, key: &str, record: &Record) -> Result<Record> {
        let bytes = serde_json::to_vec(record)?;
        write_whole(&self.path(key), &bytes)?;
        Ok(serde_json::from_slice(&bytes)?)
    }

    /// Reads a kept run. A file that is damaged or holds another run counts as missing. One that
    /// cannot be read now does not, because its run would be trained again for nothing.
    fn load(&self, key: &str) -> Result<Option<Record>> {
        let path = self.path(key);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| {
                    format!(
                        "cannot read the finished run {}; make it readable, or remove it to train it again",
                        path.display()
                    )
                });
            }
        };
        Ok(match serde_json::from_slice::<Record>(&bytes) {
            // Fields that the algorithm does not read may differ: they have defaults of their own in
            // files from before there were these fields.
            Ok(record) if record.experiment.key().is_ok_and(|other| other == key) => Some(record),
            Ok(_) => {
                tracing::warn!("{} contains another run; the run is trained again", path.display());
                None
            }
            Err(error) => {
                tracing::warn!("{} is damaged ({error}); the run is trained again", path.display());
                None
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use deepspi_run::config::Config;
    use deepspi_worlds::maze::MazeConfig;

    use super::*;

    fn experiment(seed: u64) -> Experiment {
        let config = Config {
            algo: Algorithm::Ppo,
            seed,
            num_envs: 4,
            num_steps: 4,
            num_minibatches: 1,
            update_epochs: 1,
            total_timesteps: 32,
            ..Config::DEFAULT
        };
        Experiment { config, maze: MazeConfig::DEFAULT }
    }

    fn kept_in(folder: &Path) -> KeptRuns {
        let folder = folder.to_owned();
        KeptRuns { folder, device: crate::device::cpu(), jobs: 2, stop: StopFlag::default() }
    }

    #[test]
    fn runs_are_kept_shared_and_repaired() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let kept_runs = kept_in(folder.path());
        let wanted = [experiment(1), experiment(2), experiment(1)];
        let first = kept_runs.records("test", &wanted).expect("trained");
        assert_eq!(first[0].points, first[2].points, "the same run");
        assert_ne!(first[0].points, first[1].points, "another seed");
        assert_eq!(first[0].points.len(), 3, "before, and after each of two iterations");
        let path = kept_runs.path(&wanted[1].key().expect("a key"));
        fs::write(&path, "half a fi").expect("written");
        let second = kept_runs.records("test", &wanted).expect("trained again");
        assert_eq!(second[0].seconds.to_bits(), first[0].seconds.to_bits(), "not done again");
        assert_eq!(second[1].points, first[1].points, "done again, with the same result");
        serde_json::from_slice::<Record>(&fs::read(&path).expect("there")).expect("whole");
        // A file that is out of reach is no reason to train for hours.
        fs::remove_file(&path).expect("removed");
        fs::create_dir(&path).expect("created");
        let error = kept_runs.records("test", &wanted).expect_err("out of reach").to_string();
        assert!(error.contains("make it readable"), "{error}");
    }

    #[test]
    fn an_infinite_ratio_is_kept() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let kept_runs = kept_in(folder.path());
        let wanted = [experiment(1)];
        let mut record = kept_runs.records("test", &wanted).expect("trained").remove(0);
        record.points[1].ratio_sup = f32::INFINITY;
        let key = wanted[0].key().expect("a key");
        assert_eq!(kept_runs.save(&key, &record).expect("saved").points, record.points);
        let found = kept_runs.load(&key).expect("readable").expect("there");
        assert_eq!(found.points, record.points);
    }
}
