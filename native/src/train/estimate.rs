//! What a training on the CPU says first: how long it will take, and what a GPU would change.
//!
//! Measured with networks and environments of its own, so the run is as if nothing had been measured.

use anyhow::Result;
use burn::tensor::Device;
use deepspi_core::trainer::Trainer;
use deepspi_run::config::Config;
use deepspi_run::network::NetworkSpec;
use deepspi_worlds::env;

use super::TrainArgs;
use crate::device::{DeviceChoice, Selected};
use crate::speed::{end_to_end, environments};
use crate::terminal::time_in_words;
use crate::worlds::World;

/// A run that is not at least this many times as long as the measurement ends before an estimate is of use.
const WORTH: u64 = 50;

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Speed {
    /// Agent steps per second of training.
    training: f64,
    /// Agent steps per second of the environments alone.
    environments: f64,
}

impl Speed {
    /// Of the time of training, the share that the environments do not need.
    fn share_of_networks(self) -> f64 {
        (1.0 - self.training / self.environments).clamp(0.0, 1.0)
    }
}

/// The end of the first line of a run that has `steps` left; nothing on a GPU, or if the run is short.
pub(super) fn text(
    world: &dyn World,
    config: &Config,
    spec: &NetworkSpec,
    steps: u64,
    selected: &Selected,
    args: &TrainArgs,
) -> String {
    let short = shortened(config);
    if selected.is_gpu || steps < WORTH * short.batch_size() as u64 {
        return String::new();
    }
    let replays = config.is_dream() && config.dream.use_replay_buffer;
    // A measurement that fails is none: what failed will fail in training, with its own message.
    let speed =
        (!replays).then(|| measure(world, &short, spec, &selected.device, args)).transpose();
    format!("; {}", sentence(speed.ok().flatten(), steps, &args.device))
}

/// The same work for each step in as few steps as the minibatches allow.
fn shortened(config: &Config) -> Config {
    let largest = config.num_steps.min(config.num_minibatches);
    let divides = |d: &usize| {
        config.num_steps.is_multiple_of(*d) && config.num_minibatches.is_multiple_of(*d)
    };
    let divisor = (1..=largest).rev().find(divides).unwrap_or(1);
    let short = Config {
        num_steps: config.num_steps / divisor,
        num_minibatches: config.num_minibatches / divisor,
        ..config.clone()
    };
    if short.validate().is_ok() { short } else { config.clone() }
}

fn measure(
    world: &dyn World,
    config: &Config,
    spec: &NetworkSpec,
    device: &Device,
    args: &TrainArgs,
) -> Result<Speed> {
    let mut envs = world.open(config, config.seed, args.roms.as_deref())?;
    pollster::block_on(env::reset(&mut *envs))?;
    let environments = environments(&mut *envs, 1)?.median;
    let mut trainer = Trainer::new(config.clone(), spec.clone(), device)?;
    let training = end_to_end(&mut trainer, &mut *envs, 1, drop)?.median;
    Ok(Speed { training, environments })
}

fn sentence(speed: Option<Speed>, steps: u64, choice: &DeviceChoice) -> String {
    let way = match choice {
        DeviceChoice::Cpu => "leave out `--device cpu`",
        _ if cfg!(feature = "gpu") => "none was found (`--device gpu` says what is there)",
        _ => "build with the feature `gpu`, as is the default",
    };
    let Some(speed) = speed else {
        return format!(
            "how long it takes is known when the replay buffer is filled; a GPU could compute the networks: {way}"
        );
    };
    format!(
        "about {} at {:.0} agent steps/s, {:.0} % of it for the networks, which a GPU could compute: {way}",
        time_in_words(steps as f64 / speed.training),
        speed.training,
        100.0 * speed.share_of_networks(),
    )
}

#[cfg(test)]
mod tests {
    use deepspi_run::config::Algorithm;

    use super::*;

    #[test]
    fn the_sentence_says_how_long_and_what_a_gpu_would_do() {
        let speed = Speed { training: 100.0, environments: 1000.0 };
        let text = sentence(Some(speed), 3_600_000, &DeviceChoice::Cpu);
        assert_eq!(
            text,
            "about 10 hours at 100 agent steps/s, 90 % of it for the networks, which a GPU could compute: leave out \
             `--device cpu`"
        );
        let endless = Speed { training: 1e-12, environments: 1.0 };
        let text = sentence(Some(endless), u64::MAX, &DeviceChoice::Auto);
        assert!(text.starts_with("about a million years or more"), "{text}");
        let text = sentence(None, 1, &DeviceChoice::Auto);
        assert!(text.starts_with("how long it takes is known when the replay buffer"), "{text}");
    }

    #[test]
    fn the_measured_work_is_the_same_for_each_step() {
        for algo in Algorithm::ALL {
            let config = Config { algo, ..Config::DEFAULT };
            let short = shortened(&config);
            assert_eq!(short.minibatch_size(), config.minibatch_size());
            assert!(short.batch_size() < config.batch_size(), "{algo:?}");
        }
        let odd = Config { num_steps: 7, num_minibatches: 4, ..Config::DEFAULT };
        assert_eq!(shortened(&odd), odd);
    }
}
