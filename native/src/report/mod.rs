//! `native report`: the results of a sweep as one page, with figures and all numbers.
//!
//! A report is a pure function of the run folders. Unfinished runs are left out of every statistic,
//! and every statistic says so. Algorithms are compared only on games that all of them have
//! finished. Missing values are never filled in, and no page loads anything from a network.

mod analysis;
mod args;
mod baselines;
mod facts;
mod figures;
mod folder;
mod losses;
mod page;
mod request;
mod runs;
mod score;
mod selection;
mod tables;
mod warnings;
mod words;

use std::path::{Path, PathBuf};

use analysis::Report;
use anyhow::{Context, Result, bail, ensure};
pub use args::ReportArgs;
use baselines::Baselines;
use facts::Facts;
use folder::ReportFolder;
pub use request::{Effort, Request};

use crate::figures::output::Output;
use crate::sweep::{self, Sweep};
use crate::terminal::{note, say};
use crate::whole_file::{parent, write_whole};

/// Runs `native report`.
///
/// # Errors
/// If the folder is not a sweep, a baseline file is malformed, or the report may not be written.
pub fn run(args: &ReportArgs) -> Result<()> {
    let default = args.sweep.join(sweep::REPORT);
    let out = args.out.as_deref().unwrap_or(&default);
    let request = Request {
        sweep: &args.sweep,
        out,
        baselines: args.baselines.as_deref(),
        overwrite: args.overwrite,
        arguments: std::env::args_os().skip(1).collect(),
        effort: Effort::FULL,
    };
    let page = make(&request)?;
    say!("{}", page.display());
    Ok(())
}

/// Makes the report at the end of a sweep, in the folder of the sweep, and prints its path.
///
/// # Errors
/// If the report may not be written; the runs are kept.
pub fn of_finished_sweep(folder: &Path) -> Result<()> {
    note!("every run in {} is finished; making the report", folder.display());
    let page = make(&Request {
        sweep: folder,
        out: &folder.join(sweep::REPORT),
        baselines: None,
        overwrite: false,
        arguments: vec!["report".into(), folder.into()],
        effort: Effort::FULL,
    })
    .with_context(|| {
        format!("the runs are kept; `native report {}` makes the report again", folder.display())
    })?;
    say!("{}", page.display());
    Ok(())
}

/// Refuses a table of scores in the folder of the report: the report writes a table of the same name, in another form.
fn require_outside(baselines: &Path, out: &Path) -> Result<()> {
    let folder = |path: &Path| path.canonicalize().ok();
    let is_inside = folder(out).is_some_and(|out| folder(parent(baselines)) == Some(out));
    ensure!(
        !is_inside,
        "--baselines {} is in the folder of the report, whose files are replaced; move it to another folder",
        baselines.display()
    );
    Ok(())
}

/// Makes a report and returns the path of its page; unfinished runs are also written to the log.
///
/// # Errors
/// If the folder is not a sweep, a baseline file is malformed, or the report may not be written.
pub fn make(request: &Request<'_>) -> Result<PathBuf> {
    let sweep = Sweep::open(request.sweep)?;
    if let Some(file) = request.baselines {
        require_outside(file, request.out)?;
    }
    let baselines = request.baselines.map(Baselines::read).transpose()?;
    let folder = ReportFolder::new(request.out, &sweep, request.overwrite)?;
    let runs = runs::load(request.sweep, &sweep)?;
    if runs.iter().all(|run| run.state == runs::State::Missing) {
        bail!(
            "no run of the sweep {} has begun; `native bench` trains them",
            request.sweep.display()
        );
    }
    folder.require_writable()?;
    let report = Report::new(&sweep, runs, baselines, request.effort)?;
    for warning in &report.warnings {
        tracing::warn!("{warning}");
    }
    let facts = Facts::new(&sweep, &report, request);
    let outputs = figures::all(&report, &facts)?;
    let tables = tables::all(&report)?;
    let mut names: Vec<String> = vec!["index.html".into(), "report.json".into()];
    names.extend(outputs.iter().flat_map(Output::names));
    names.extend(tables.iter().map(|(name, _)| format!("{name}.csv")));
    folder.begin(&names)?;
    for output in &outputs {
        output.write(request.out)?;
    }
    for (name, table) in &tables {
        table.write(&request.out.join(format!("{name}.csv")))?;
    }
    let json = serde_json::json!({"facts": facts, "report": report});
    write_whole(&request.out.join("report.json"), format!("{json:#}\n").as_bytes())?;
    let page = request.out.join("index.html");
    let html = page::html(&report, &facts, request.out, &outputs, &names)?;
    write_whole(&page, (html + "\n").as_bytes())?;
    Ok(page)
}
