//! The model card: `README.md` of an export, in the form of model hubs.

use crate::config::{AGENT_FILE, CONFIG_FILE, PARAMETERS_FILE, WORLD_MODEL_FILE};
use crate::error::ExportError;
use crate::onnx::has_world_model;
use crate::subject::Subject;

/// Name of the model card in an export.
pub const CARD_FILE: &str = "README.md";
/// Name of the configuration of the run, with which it can be repeated.
pub const RUN_FILE: &str = "run.toml";
/// Name of the figure of the learning curve.
pub const CURVE_FILE: &str = "learning_curve.svg";
/// Name of the numbers of the learning curve.
pub const CURVE_TABLE_FILE: &str = "learning_curve.csv";

/// Scores of the exported checkpoint.
#[derive(Clone, Debug)]
pub struct Scores {
    /// How episodes were played, in words.
    pub protocol: String,
    /// Mean return.
    pub mean: f64,
    /// Ends of its 95 % interval.
    pub interval: [f64; 2],
    /// Further numbers by their names.
    pub rows: Vec<(String, String)>,
}

/// Games that finished within one window of training steps.
#[derive(Clone, Copy, Debug)]
pub struct CurvePoint {
    /// Last step of the window.
    pub step: u64,
    /// Number of games.
    pub games: usize,
    /// Their mean return.
    pub mean: f64,
    /// Their quartiles.
    pub quartiles: [f64; 2],
}

/// What a card says besides the agent itself.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// Licence of the weights, as model hubs name it.
    pub license: String,
    /// Scores, if the checkpoint was evaluated.
    pub scores: Option<Scores>,
    /// Why there are no scores although there is an evaluation.
    pub no_scores: Option<String>,
    /// The learning curve; empty if no game finished.
    pub curve: Vec<CurvePoint>,
}

/// The text of the model card.
///
/// # Errors
/// If this program does not know the world of the agent.
pub fn text(subject: &Subject<'_>, contents: &Contents) -> Result<String, ExportError> {
    let mut text = front_matter(subject, contents);
    let title = subject.title();
    let Subject { run, config, steps, .. } = *subject;
    push(&mut text, &format!("\n# {title}\n"));
    push(
        &mut text,
        &format!(
            "An agent trained with **{}** on **{}** for {steps} agent steps (seed {}), with DeepSPI in Rust \
             {} (revision {}, device {}).\n",
            config.algo.name(),
            run.env,
            config.seed,
            run.version,
            run.revision,
            run.device
        ),
    );
    files(&mut text, subject, contents);
    let names = subject.action_names()?;
    push(&mut text, &format!("Actions, in the order of `logits`: {}.\n", names.join(", ")));
    push(&mut text, "## Use\n");
    push(&mut text, &usage(subject));
    scores(&mut text, contents);
    curve(&mut text, contents);
    push(&mut text, "## Repeat the training\n");
    push(
        &mut text,
        &format!(
            "```sh\nnative train --config {RUN_FILE}\n```\n\n`{RUN_FILE}` holds the hyper-parameters, the seed, and the \
             rules of the world. The run had version {} of the program, source revision {}.\n",
            run.version, run.revision
        ),
    );
    push(&mut text, "## Licence\n");
    push(
        &mut text,
        &if contents.license == UNKNOWN_LICENSE {
            "The owner of these weights has not chosen a licence yet. Write one here and at the top of this file, \
             for example `mit` or `apache-2.0`; `native export --license ID` does both.\n"
                .to_owned()
        } else {
            format!("The weights are under the licence `{}`.\n", contents.license)
        },
    );
    Ok(text)
}

/// The licence of weights for which none was chosen.
pub const UNKNOWN_LICENSE: &str = "unknown";

fn push(text: &mut String, paragraph: &str) {
    text.push_str(paragraph);
    text.push('\n');
}

/// YAML that model hubs read.
fn front_matter(subject: &Subject<'_>, contents: &Contents) -> String {
    let Subject { run, config, .. } = *subject;
    let (algorithm, world) = (config.algo.name(), &run.env);
    let mut text = format!(
        "---\nlibrary_name: onnx\nlicense: {}\npipeline_tag: reinforcement-learning\ntags:\n\
         - reinforcement-learning\n- deep-reinforcement-learning\n- onnx\n- deepspi\n- {algorithm}\n- {world}\n",
        contents.license
    );
    if let Some(Scores { mean, interval: [low, high], .. }) = &contents.scores {
        let (indent, deep) = ("    ", "      ");
        text.push_str(&format!(
            "model-index:\n- name: {algorithm}-{world}\n  results:\n  - task:\n\
             {deep}type: reinforcement-learning\n{deep}name: reinforcement-learning\n\
             {indent}dataset:\n{deep}name: {world}\n{deep}type: {world}\n{indent}metrics:\n\
             {indent}- type: mean_reward\n{deep}value: {mean:.2}\n\
             {deep}name: mean return, 95 % interval {low:.2} to {high:.2}\n",
        ));
    }
    text.push_str("---\n");
    text
}

fn files(text: &mut String, subject: &Subject<'_>, contents: &Contents) {
    push(text, "## Files\n");
    let mut table = String::from("| file | content |\n|---|---|\n");
    let mut row = |file: &str, content: &str| {
        table.push_str(&format!("| `{file}` | {content} |\n"));
    };
    row(AGENT_FILE, "ONNX graph: `observation` to `latent`, `logits`, `log_probs` and `value`");
    if has_world_model(subject.config) {
        row(WORLD_MODEL_FILE, "ONNX graph: `latent` and `action` to `reward` and `next_latent`");
    }
    row(PARAMETERS_FILE, "all parameters by name, as in the checkpoint");
    row(CONFIG_FILE, "inputs and outputs, preprocessing, actions, discount, hyper-parameters");
    row(RUN_FILE, "the configuration of the run");
    if !contents.curve.is_empty() {
        row(CURVE_FILE, "the learning curve");
        row(CURVE_TABLE_FILE, "its numbers");
    }
    push(text, &table);
    if !has_world_model(subject.config) {
        push(text, "The algorithm trains no world model, so there is no graph of one.\n");
    }
}

fn usage(subject: &Subject<'_>) -> String {
    let frame = subject.spec.frame;
    format!(
        "```python\nimport numpy as np, onnxruntime\n\nagent = onnxruntime.InferenceSession(\"{AGENT_FILE}\")\n\
         observation = np.zeros((1, {}, {}, {}), np.uint8)  # stacked frames, the newest last\n\
         latent, logits, log_probs, value = agent.run(None, {{\"observation\": observation}})\n\
         action = int(logits[0].argmax())  # or drawn with the probabilities exp(log_probs)\n```\n",
        frame.channels, frame.height, frame.width
    )
}

fn scores(text: &mut String, contents: &Contents) {
    if let Some(reason) = &contents.no_scores {
        push(text, &format!("## Scores\n\n{reason}\n"));
    }
    let Some(Scores { protocol, mean, interval: [low, high], rows }) = &contents.scores else {
        return;
    };
    push(text, "## Scores\n");
    push(text, &format!("{protocol}.\n"));
    let mut table = String::from("| measure | value |\n|---|---|\n");
    table.push_str(&format!("| mean return | {mean:.2}, 95 % interval {low:.2} to {high:.2} |\n"));
    for (name, value) in rows {
        table.push_str(&format!("| {name} | {value} |\n"));
    }
    push(text, &table);
}

fn curve(text: &mut String, contents: &Contents) {
    if contents.curve.is_empty() {
        return;
    }
    push(text, "## Learning curve\n");
    push(text, &format!("![Return of finished games]({CURVE_FILE})\n"));
    push(
        text,
        "Raw returns of the games that finished in training, by the step where they finished.\n",
    );
    let mut table =
        String::from("| steps | games | mean return | quartiles |\n|---|---|---|---|\n");
    for CurvePoint { step, games, mean, quartiles: [low, high] } in &contents.curve {
        table.push_str(&format!("| {step} | {games} | {mean:.2} | {low:.2} to {high:.2} |\n"));
    }
    push(text, &table);
}
