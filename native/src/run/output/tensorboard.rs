//! TensorBoard events with the authors' tag names, and with CleanRL's names for quantities that the
//! authors do not log.

use std::borrow::Cow;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use deepspi_run::config::Config;
use deepspi_run::message::{Iteration, MazeStatus, Message};
use tfrecord::EventWriter;
use tfrecord::protobuf::event::What;
use tfrecord::protobuf::summary_metadata::PluginData;
use tfrecord::protobuf::tensor_shape_proto::Dim;
use tfrecord::protobuf::{
    DataType, Event, Summary, SummaryMetadata, TensorProto, TensorShapeProto, summary,
};

use super::Rates;
use crate::stats::reference_scores;
use crate::whole_file::entries;

/// Beginning of the names of event files; milliseconds since 1970 follow.
const PREFIX: &str = "events.out.tfevents.";

/// One event file; a resumed run gets a second one in the same folder.
pub struct TensorBoard {
    writer: EventWriter<BufWriter<File>>,
    game: String,
    /// Names and tags of the metrics.
    metrics: Vec<(&'static str, Cow<'static, str>)>,
}

impl std::fmt::Debug for TensorBoard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TensorBoard").field("game", &self.game).finish_non_exhaustive()
    }
}

impl TensorBoard {
    pub fn create(folder: &Path, game: &str, config: &Config) -> Result<Self> {
        let path = folder.join(next_name(folder)?);
        let mut writer = EventWriter::create(&path, tfrecord::EventWriterConfig::default())
            .with_context(|| format!("cannot write {}", path.display()))?;
        writer
            .write_event(text_event("hyperparameters", &hyper_parameters(game, config)))
            .context("cannot write TensorBoard events")?;
        let metrics = config.algo.info().metrics.iter();
        let metrics = metrics.map(|info| (info.name, config.tensorboard_tag(info))).collect();
        Ok(Self { writer, game: game.to_owned(), metrics })
    }

    pub fn write(&mut self, message: &Message, rates: &Rates) -> Result<()> {
        let (global_step, scalars) = match message {
            Message::Iteration(iteration) => {
                (iteration.global_step, self.scalars(iteration, rates))
            }
            Message::Maze(status) => (status.global_step, maze_scalars(status)),
            _ => return Ok(()),
        };
        let step = i64::try_from(global_step).unwrap_or(i64::MAX);
        let time = since_1970().as_secs_f64();
        for (tag, value) in scalars {
            self.writer
                .write_scalar(&tag, (step, time), value)
                .context("cannot write TensorBoard events")?;
        }
        self.writer.flush().context("cannot write TensorBoard events")
    }

    #[expect(clippy::cast_possible_truncation, reason = "TensorBoard stores f32")]
    fn scalars(&self, iteration: &Iteration, rates: &Rates) -> Vec<(Cow<'static, str>, f32)> {
        let Iteration { last, ratios, .. } = iteration;
        let mut scalars = vec![
            ("charts/avg_episodic_return", iteration.avg_episodic_return as f32),
            ("charts/avg_episodic_length", iteration.avg_episodic_length as f32),
            ("charts/learning_rate", iteration.learning_rate as f32),
            ("charts/SPS", rates.long as f32),
            ("charts/SPS_update", rates.last as f32),
            ("charts/memory_mb", rates.memory_mb as f32),
            ("losses/explained_variance", iteration.explained_variance),
            ("theory/importance_ratio_sup", ratios.sup),
            ("theory/importance_ratio_inf", ratios.inf),
            ("theory/importance_ratio_limit", ratios.limit),
        ];
        if let Some(score) =
            reference_scores::human_normalized(&self.game, iteration.avg_episodic_return)
        {
            scalars.push(("charts/human_normalized_score", score as f32));
        }
        if let Some(certificate) = &iteration.certificate {
            let projection = certificate.projection;
            scalars.extend([
                ("theory/reward_loss", certificate.reward_loss as f32),
                ("theory/transition_loss", certificate.transition_loss as f32),
                ("theory/value_lipschitz", certificate.value_lipschitz as f32),
                ("theory/share_of_whole_updates", projection.share_whole() as f32),
                ("theory/rejected_updates", projection.rejected as f32),
            ]);
            let length = certificate.average_episode_length;
            scalars.extend(length.map(|x| ("theory/average_episode_length", x as f32)));
            scalars.extend(certificate.zeta.map(|zeta| ("theory/zeta", zeta as f32)));
        }
        let named = self.metrics.iter();
        let named = named.filter_map(|(name, tag)| Some((tag.clone(), last.get(name)?)));
        named.chain(scalars.into_iter().map(|(tag, value)| (tag.into(), value))).collect()
    }
}

/// All hyper-parameters as a table in Markdown, as CleanRL logs them: TensorBoard shows the tables of several runs beside
/// each other.
fn hyper_parameters(game: &str, config: &Config) -> String {
    let rows = Config::FIELDS.iter().filter(|field| config.algo.reads(field));
    let rows = rows.filter_map(|field| Some(format!("|{field}|{}|\n", config.get(field)?)));
    format!("|parameter|value|\n|-|-|\n|env|{game}|\n{}", rows.collect::<String>())
}

/// Time since 1970; none if the clock says that it is earlier, at which the writer's own clock would panic.
#[expect(clippy::disallowed_methods, reason = "the times of events, and names that are new")]
fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A text for TensorBoard's plugin of that name.
fn text_event(tag: &str, text: &str) -> Event {
    let plugin_data = PluginData { plugin_name: "text".to_owned(), content: Vec::new() };
    let metadata = SummaryMetadata { plugin_data: Some(plugin_data), ..SummaryMetadata::default() };
    let one = Dim { size: 1, ..Dim::default() };
    let tensor = TensorProto {
        dtype: DataType::DtString.into(),
        tensor_shape: Some(TensorShapeProto { dim: vec![one], ..TensorShapeProto::default() }),
        string_val: vec![text.as_bytes().to_vec()],
        ..TensorProto::default()
    };
    let value = summary::Value {
        tag: format!("{tag}/text_summary"),
        metadata: Some(metadata),
        value: Some(summary::value::Value::Tensor(tensor)),
        ..summary::Value::default()
    };
    let what = Some(What::Summary(Summary { value: vec![value] }));
    Event { wall_time: since_1970().as_secs_f64(), step: 0, what, ..Event::default() }
}

/// A name that sorts after those of all event files in the folder, because TensorBoard reads them in this order and
/// drops the steps of a file that seems older. The clock may have been set back since the last one.
fn next_name(folder: &Path) -> Result<String> {
    let now = since_1970().as_millis();
    let names = entries(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let time = names.iter().filter_map(|path| {
        path.file_name()?.to_str()?.strip_prefix(PREFIX)?.split('.').next()?.parse::<u128>().ok()
    });
    let time = time.map(|last| last.saturating_add(1)).fold(now, u128::max);
    Ok(format!("{PREFIX}{time}.deepspi"))
}

#[expect(clippy::cast_possible_truncation, reason = "TensorBoard stores f32")]
fn maze_scalars(status: &MazeStatus) -> Vec<(Cow<'static, str>, f32)> {
    let scalars = [
        ("charts/init_value", status.start_value as f32),
        ("charts/repr_dist", status.star_distance as f32),
        ("charts/relative_repr_dist", status.relative_star_distance as f32),
        ("charts/up_at_upper_star", status.up_at_stars[0] as f32),
        ("charts/up_at_lower_star", status.up_at_stars[1] as f32),
    ];
    scalars.map(|(tag, value)| (tag.into(), value)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_events_of_a_resumed_run_sort_last_whatever_the_clock_says() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = next_name(folder.path()).expect("listed");
        assert!(first.as_str() < "events.out.tfevents.3000000000000.deepspi", "{first}");
        // As if the clock had been ahead when the run began.
        for name in
            ["events.out.tfevents.3000000000000.deepspi", "events.out.tfevents.x", "config.toml"]
        {
            std::fs::write(folder.path().join(name), "").expect("written");
        }
        let next = next_name(folder.path()).expect("listed");
        assert_eq!(next, "events.out.tfevents.3000000000001.deepspi");
    }
}
