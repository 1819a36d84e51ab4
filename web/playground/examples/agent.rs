//! Packs the newest checkpoint of a run folder as an agent that the page offers: its networks and its
//! description, without the optimiser and the environments, which only training needs.
//!
//! `cargo run -p deepspi-playground --example agent -- RUN OUT.zip`; `tools/agents` does it for all
//! agents of the page.

use std::error::Error;
use std::fs;
use std::path::Path;

use deepspi_playground::archive::Archive;
use deepspi_run::checkpoint::{Checkpoint, MODEL};
use deepspi_run::run_files::{CHECKPOINTS, CONFIG, RunInfo, checkpoint_step};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [run, out] = &arguments[..] else {
        return Err("usage: agent RUN OUT.zip".into());
    };
    let run = Path::new(run);
    let info = RunInfo::read(&fs::read_to_string(run.join(CONFIG))?)?;
    let entries = fs::read_dir(run.join(CHECKPOINTS))?;
    let names = entries.filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.to_owned()));
    let newest = names.filter_map(|name| Some((checkpoint_step(&name)?, name))).max();
    let folder = run.join(CHECKPOINTS).join(newest.ok_or("the run has no checkpoint")?.1);
    let mut checkpoint = Checkpoint::from_files(|name| {
        fs::read(folder.join(name)).map_err(|error| -> Box<dyn Error> { Box::new(error) })
    })?;
    checkpoint.sections.retain(|section| section.name == MODEL);
    let state = &checkpoint.state;
    let step = state.iteration * state.config.batch_size() as u64;
    fs::write(out, Archive::new(&info, &checkpoint, step)?.bytes)?;
    Ok(())
}
