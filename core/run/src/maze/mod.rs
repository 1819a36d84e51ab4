//! Results of the analysis of an agent of the maze: plain numbers that the core computes and front
//! ends show.

mod assessment;
mod cells;
mod dream;
mod report;

pub use assessment::{Assessment, FailedPremise, Judged, ValuePair};
pub use cells::{CellLosses, MazeCells};
pub use dream::{DreamPlan, HorizonError, MazeDream};
pub use report::MazeReport;
