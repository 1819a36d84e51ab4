//! `native metrics`: the numbers of every iteration of a run as one table, from its log alone.
//!
//! The log (`metrics.jsonl`) is the record; this is a view of it for spreadsheets and data frames, which can be made again
//! at any time. Steps that a continued run repeated are there once.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;

use crate::run::folder::{METRICS, RunFolder};
use crate::run::output::read_whole_lines;
use crate::terminal::say;
use crate::whole_file::{require_replaceable, write_whole};

/// Name of the table, in the run folder unless the user names another file.
const TABLE: &str = "metrics.csv";
/// First column.
const STEP: &str = "global_step";

/// Flags of `metrics`.
#[derive(Clone, Debug, Args)]
pub struct MetricsArgs {
    /// Run folder.
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// CSV file to write; default: metrics.csv in the run folder.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Runs `native metrics`.
///
/// # Errors
/// If the folder is not a run, has no finished iteration, or the file cannot be written.
pub fn run(args: &MetricsArgs) -> Result<()> {
    let folder = RunFolder::open(&args.run)?;
    let out = args.out.clone().unwrap_or_else(|| folder.path.join(TABLE));
    require_replaceable(&out, STEP, "such a table")?;
    let table = table(read_whole_lines(&folder.path.join(METRICS))?)?;
    if table.is_empty() {
        bail!("no iteration has finished in {} yet; train it for longer", args.run.display());
    }
    write_whole(&out, &table).context("choose another place with --out")?;
    say!("wrote {}", out.display());
    Ok(())
}

/// The table: a row for each iteration, a column for each number, those of an analysis of the same step beside it. A cell
/// is empty where a number is missing, NaN or infinite.
fn table(lines: Vec<Value>) -> Result<Vec<u8>> {
    let mut columns: Vec<String> = vec![STEP.to_owned()];
    let mut rows: BTreeMap<u64, BTreeMap<String, String>> = BTreeMap::new();
    for line in lines {
        let kind = line["type"].as_str().unwrap_or_default().to_owned();
        let prefix = match kind.as_str() {
            "iteration" => String::new(),
            "maze" => "maze.".to_owned(),
            _ => continue,
        };
        let Some(step) = line[STEP].as_u64() else { continue };
        let row = rows.entry(step).or_default();
        collect(&prefix, &line, &mut columns, row);
    }
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&columns)?;
    for (step, row) in rows {
        let cell = |column: &String| row.get(column).map_or("", String::as_str);
        let others = columns[1..].iter().map(cell);
        writer.write_record(std::iter::once(step.to_string().as_str()).chain(others))?;
    }
    writer.into_inner().context("cannot finish the table")
}

/// Adds the numbers of an object, with the names of the objects around them.
fn collect(
    prefix: &str,
    value: &Value,
    columns: &mut Vec<String>,
    row: &mut BTreeMap<String, String>,
) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let name = format!("{prefix}{name}");
        let text = match value {
            Value::Object(_) => {
                collect(&format!("{name}."), value, columns, row);
                continue;
            }
            Value::Number(number) => number.to_string(),
            Value::Bool(yes) => yes.to_string(),
            Value::Null => String::new(),
            Value::String(_) | Value::Array(_) => continue,
        };
        if name.ends_with(STEP) {
            continue;
        }
        if !columns.contains(&name) {
            columns.push(name.clone());
        }
        row.insert(name, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_all_numbers_of_a_step_and_repeated_steps_count_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join(METRICS);
        let text = r#"{"type":"iteration","global_step":8,"finished_return":null,"last":{"loss":0.5}}
{"type":"maze","global_step":8,"start_value":2.5,"states":[1,2]}
{"type":"episode","global_step":9,"raw_return":1.0}
{"type":"iteration","global_step":16,"last":{"loss":9.0}}
{"type":"resumed","global_step":8}
{"type":"iteration","global_step":16,"finished_return":3.0,"last":{"loss":0.25}}
half a li"#;
        std::fs::write(&log, text).expect("written");
        let table = table(read_whole_lines(&log).expect("a log")).expect("a table");
        assert_eq!(
            String::from_utf8(table).expect("text"),
            "global_step,finished_return,last.loss,maze.start_value\n8,,0.5,2.5\n16,3.0,0.25,\n"
        );
    }
}
