//! What is known of an agent of the maze: numbers only, computed by the core and shown by front ends.

mod assessment;
mod cells;
mod report;

pub use assessment::{Assessment, FailedPremise, Judged, ValuePair};
pub use cells::{CellLosses, MazeCells};
pub use report::MazeReport;
