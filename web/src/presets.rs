//! Presets: named experiments, each with a text that states the measured results.
//!
//! The numbers were measured natively over many seeds (docs/results.md). A single seed may differ,
//! and the texts say so where it matters. No seed was selected: all presets have seed 1, the
//! default.

use deepspi_playground::experiment::Experiment;
use deepspi_run::config::{Algorithm, Config};
use deepspi_run::world::World;
use deepspi_worlds::atari::AtariNetwork;

/// A named experiment.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Name in ids.
    pub key: &'static str,
    /// Label.
    pub title: &'static str,
    /// What the preset shows, and the measured results.
    pub what: &'static str,
    /// Seconds until both agents are done, measured in the worker on one core of the machine in
    /// docs/performance.md and rounded up.
    pub seconds: u32,
    change: fn(&mut Experiment),
}

/// All presets; the first is the page's default.
pub const PRESETS: [Preset; 5] = [
    Preset {
        key: "paper",
        title: "The paper's maze",
        what: "The paper reports that PPO collapses here: it cannot tell the two corridors apart and goes \
               right. We do not see that. Over 10 seeds PPO ends at a median V of 7.97 and DeepSPI at \
               7.95; the optimum is 8.01, always going right 4.80.",
        seconds: 15,
        change: |_| {},
    },
    Preset {
        key: "ppo-collapses",
        title: "PPO collapses",
        what: "The paper's maze, with updates that are far too large: an action may become 1.99 times as likely \
               in one update, and there are more and larger steps. Over 60 seeds fixed beforehand PPO ended at \
               always going right (V 4.80) or worse in 28, and DeepSPI in 26: here its losses do not help. Most \
               others came near the optimum, 8.01. One seed may show anything: try several.",
        seconds: 25,
        change: |experiment| {
            for agent in &mut experiment.agents {
                large_updates(agent);
                agent.clip_coef = 0.99;
            }
        },
    },
    Preset {
        key: "deepspi-separates",
        title: "DeepSPI separates",
        what: "The trap is rare (ε = 0.05), the corridors look more alike (cue 0.3), and DeepSPI has ten times \
               its usual loss coefficients. Over 10 seeds PPO ends at a median V of 5.08, DeepSPI at 7.05; \
               the optimum is 8.61, always going right 4.80. Single seeds lie between -0.4 and 6.8 with PPO \
               and between 4.5 and 8.2 with DeepSPI, so one seed may show the opposite: try several.",
        seconds: 15,
        change: |experiment| {
            experiment.maze.epsilon = 0.05;
            experiment.maze.cue = 0.3;
            let deep_spi = &mut experiment.agents[1];
            // Ten times the defaults.
            deep_spi.world_model.reward_loss_coef = 0.1;
            deep_spi.world_model.transition_loss_coef = 0.005;
        },
    },
    Preset {
        key: "c-too-large",
        title: "C too large",
        what: "PPO twice, without entropy bonus, in settings searched for to show this: A may make an action 1.99 times as likely in one update, B 1.1 \
               times; all else is equal. Over 20 seeds A ended at always going right (V 4.80) or worse in \
               15, B in none: its median is 7.98.",
        seconds: 10,
        change: |experiment| {
            for agent in &mut experiment.agents {
                agent.algo = Algorithm::Ppo;
                agent.ent_coef = 0.0;
                large_updates(agent);
            }
            experiment.agents[0].clip_coef = 0.99;
        },
    },
    Preset {
        key: "certified",
        title: "Certified",
        what: "DeepSPI twice with γ = 0.9. In B each update is shortened until all its ratios on the batch are \
               below C < 1/γ, the premise of the theorems. Over 10 seeds A reaches the optimum, 6.49; B is \
               slower and ends at a median of 4.31, still rising (always going right: 3.32). Its bound is \
               finite, but about 19,000: it guarantees nothing yet.",
        seconds: 25,
        change: |experiment| {
            for agent in &mut experiment.agents {
                agent.algo = Algorithm::DeepSpi;
                agent.gamma = 0.9;
            }
            let certified = experiment.agents[1].clone().certify();
            experiment.agents[1] = certified;
        },
    },
];

/// More and larger gradient steps per batch, so that the policy moves to the limits of the clip
/// range.
const fn large_updates(agent: &mut Config) {
    agent.learning_rate = 5e-3;
    agent.update_epochs = 10;
}

impl Preset {
    /// The maze and both agents.
    #[must_use]
    pub fn experiment(&self) -> Experiment {
        let mut experiment = Experiment::default();
        (self.change)(&mut experiment);
        experiment
    }

    /// The description, with the duration.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} About {} seconds on the CPU.", self.what, self.seconds)
    }
}

/// PPO and DeepSPI in a world, with settings with which a browser learns in minutes if the world is
/// that simple. Games get the small networks and few environments, because a browser has few cores;
/// batch and learning rate are those with which PPO with these networks learned Breakout
/// (docs/results.md).
#[must_use]
pub fn for_world(world: &World) -> Experiment {
    let mut experiment = Experiment::default();
    experiment.set_world(world);
    if let World::Game { .. } = world {
        experiment.atari.network = AtariNetwork::Small;
    }
    for agent in &mut experiment.agents {
        let defaults = match world {
            World::Game { .. } => Config {
                num_envs: 16,
                num_steps: 64,
                num_minibatches: 4,
                learning_rate: 1e-3,
                total_timesteps: 1 << 20,
                ..world.defaults()
            },
            World::Maze(_) | World::Cartridge { .. } => world.defaults(),
        };
        *agent = Config { algo: agent.algo, ..defaults };
    }
    experiment
}

/// The preset that equals this experiment, apart from the seed.
#[must_use]
pub fn matching(experiment: &Experiment) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| {
        let mut same = preset.experiment();
        same.set_seed(experiment.seed());
        same == *experiment
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_can_be_trained_and_is_recognised_with_any_seed() {
        for preset in &PRESETS {
            let mut experiment = preset.experiment();
            assert_eq!(experiment.errors(), [], "{}", preset.title);
            assert_eq!(experiment.seed(), Experiment::default().seed(), "no seed is picked");
            experiment.set_seed(7);
            assert_eq!(matching(&experiment).map(|found| found.key), Some(preset.key));
        }
        assert_eq!(PRESETS[0].experiment(), Experiment::default());
        let mut other = Experiment::default();
        other.maze.cue = 0.4;
        assert!(matching(&other).is_none());
    }

    #[test]
    fn every_world_has_an_experiment_that_can_be_trained() {
        for env in ["maze", "MazeCartridge", "Breakout"] {
            let named = Experiment { env: env.to_owned(), ..Experiment::default() };
            let world = named.world().expect("it exists");
            let experiment = for_world(&world);
            assert_eq!(experiment.errors(), [], "{env}");
            assert_eq!(experiment.env, env);
            assert_ne!(experiment.agents[0].algo, experiment.agents[1].algo);
        }
    }

    #[test]
    fn the_presets_are_what_their_texts_say() {
        let preset = |key| PRESETS.iter().find(|preset| preset.key == key).expect(key).experiment();
        let separates = preset("deepspi-separates");
        assert_eq!(separates.agents[1].get("reward_loss_coef").as_deref(), Some("0.1"));
        assert_eq!(separates.agents[1].get("transition_loss_coef").as_deref(), Some("0.005"));
        assert!(preset("certified").agents[1].deep_spi.certified);
        let [wide, narrow] = preset("c-too-large").agents;
        assert_eq!(narrow.clip_coef.to_bits(), Config::DEFAULT.clip_coef.to_bits());
        assert_eq!(Config { clip_coef: narrow.clip_coef, ..wide }, narrow);
        let [ppo, deep_spi] = preset("ppo-collapses").agents;
        assert_eq!(Config { algo: Algorithm::DeepSpi, ..ppo }, deep_spi);
    }
}
