//! `native report`: what a sweep has shown, as one page with its figures and all numbers.
//!
//! A report is a pure function of the run folders. Whatever is not finished is left out of every
//! statistic and said wherever one is shown; algorithms are only compared on games that all of them
//! have finished. Nothing is ever filled in, and no page loads anything from a network.

mod analysis;
mod args;
mod baselines;
mod facts;
mod figures;
mod folder;
mod losses;
mod page;
mod runs;
mod score;
mod selection;
mod tables;
mod warnings;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub use analysis::Effort;
use analysis::Report;
use anyhow::{Result, bail};
pub use args::ReportArgs;
use baselines::Baselines;
use facts::Facts;
use folder::ReportFolder;

use crate::benchmark::Sweep;
use crate::whole_file::write_whole;

/// Runs `native report`.
///
/// # Errors
/// If the folder is no sweep, a baseline file is malformed, or the report may not be written.
pub fn run(args: &ReportArgs) -> Result<ExitCode> {
    let default = args.sweep.join("report");
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
    println!("{}", page.display());
    Ok(ExitCode::SUCCESS)
}

/// What a report is made of.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Folder of the sweep.
    pub sweep: &'a Path,
    /// Folder of the report.
    pub out: &'a Path,
    /// Published scores to set beside.
    pub baselines: Option<&'a Path>,
    /// Replace files that are not of an earlier report on the same sweep.
    pub overwrite: bool,
    /// Arguments of the command that asked for it, for the page.
    pub arguments: Vec<OsString>,
    /// Resamples of the intervals.
    pub effort: Effort,
}

/// Makes a report and returns the path of its page; whatever is not finished is also said in the log.
///
/// # Errors
/// If the folder is no sweep, a baseline file is malformed, or the report may not be written.
pub fn make(request: &Request<'_>) -> Result<PathBuf> {
    let sweep = Sweep::open(request.sweep)?;
    let baselines = request.baselines.map(Baselines::read).transpose()?;
    let folder = ReportFolder::new(request.out, &sweep, request.overwrite)?;
    let runs = runs::load(request.sweep, &sweep)?;
    if runs.iter().all(|run| run.state == runs::State::Missing) {
        bail!(
            "no run of the sweep {} has begun; `native bench` trains them",
            request.sweep.display()
        );
    }
    let report = Report::new(&sweep, runs, baselines, request.effort)?;
    for warning in &report.warnings {
        tracing::warn!("{warning}");
    }
    let facts = Facts::new(&sweep, &report, request);
    let outputs = figures::all(&report, &facts)?;
    let tables = tables::all(&report)?;
    let mut names: Vec<String> = vec!["index.html".into(), "report.json".into()];
    for output in &outputs {
        names.extend(
            ["svg", "png", "csv", "json"].map(|ending| format!("{}.{ending}", output.name)),
        );
    }
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
