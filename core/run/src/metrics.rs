//! Metrics: named numbers that an algorithm reports for an update, and the meaning of each name.
//!
//! An algorithm declares its metrics as a list of [`MetricInfo`] and reports values under those
//! names. Logs, TensorBoard and the page loop over the list, so a new metric needs one entry and no
//! change in a front end. Values must be bound to names when they are computed, never by their
//! position.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Description of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricInfo {
    /// Name in logs and messages, for example `policy_loss`.
    pub name: &'static str,
    /// Displayed name.
    pub label: &'static str,
    /// Unit of the value; empty where it has none.
    pub unit: &'static str,
    /// Tag in TensorBoard: the authors', or CleanRL's where the authors have none.
    pub tag: &'static str,
    /// Name in the progress line; none if the metric is not shown there.
    pub short: Option<&'static str>,
}

/// The metrics of an update of DeepSPI, DeepMDP and PPO. The gradient penalty is reported only if there is
/// one.
pub(crate) const UPDATE: &[MetricInfo] = &[
    metric("loss", "total loss", "", "losses/loss"),
    shown("policy", metric("policy_loss", "policy loss", "", "losses/policy_loss")),
    shown("value", metric("value_loss", "value loss", "", "losses/value_loss")),
    metric("entropy", "entropy of the policy", "nats", "losses/entropy"),
    metric("approx_kl", "approximate KL divergence", "nats", "losses/approx_kl"),
    metric("clip_fraction", "share of samples outside the clip range", "", "losses/clipfrac"),
    metric("drift", "drift", "", "losses/drift"),
    metric("gradient_norm", "norm of the gradient before clipping", "", "losses/gradient_norm"),
    metric("gradient_penalty", "gradient penalty", "", "losses/gradient_penalty"),
    shown("l_P", metric("transition_loss", "transition loss l_P", "", "losses/transition_loss")),
    shown("l_R", metric("reward_loss", "reward loss l_R", "", "losses/reward_loss")),
];

/// The metrics of DreamSPI: of the world-model phase on real steps, and of the actor-critic phase on
/// imagined ones. Tags are the authors'.
pub(crate) const DREAM: &[MetricInfo] = &[
    metric("loss", "total loss, real steps", "", "repr_wm_step/loss"),
    metric("policy_loss", "policy loss, real steps", "", "repr_wm_step/policy_loss"),
    metric("value_loss", "value loss, real steps", "", "repr_wm_step/value_loss"),
    metric("entropy", "entropy of the policy, real steps", "nats", "repr_wm_step/entropy"),
    metric("approx_kl", "approximate KL divergence, real steps", "nats", "repr_wm_step/approx_kl"),
    metric(
        "clip_fraction",
        "share of real samples outside the clip range",
        "",
        "repr_wm_step/clipfrac",
    ),
    metric("drift", "drift, real steps", "", "repr_wm_step/drift"),
    metric("gradient_norm", "norm of the encoder's gradient", "", "repr_wm_step/gradient_norm"),
    metric("gradient_penalty", "gradient penalty", "", "repr_wm_step/gradient_penalty"),
    shown(
        "l_P",
        metric("transition_loss", "transition loss l_P", "", "repr_wm_step/transition_loss"),
    ),
    shown("l_R", metric("reward_loss", "reward loss l_R", "", "repr_wm_step/reward_loss")),
    metric("imagined_loss", "total loss, imagined steps", "", "imagination_step/loss"),
    shown(
        "policy",
        metric(
            "imagined_policy_loss",
            "policy loss, imagined steps",
            "",
            "imagination_step/policy_loss",
        ),
    ),
    shown(
        "value",
        metric(
            "imagined_value_loss",
            "value loss, imagined steps",
            "",
            "imagination_step/value_loss",
        ),
    ),
    metric("imagined_entropy", "entropy, imagined steps", "nats", "imagination_step/entropy"),
    metric(
        "imagined_approx_kl",
        "KL divergence, imagined steps",
        "nats",
        "imagination_step/approx_kl",
    ),
    metric(
        "imagined_clip_fraction",
        "share of imagined samples outside the clip range",
        "",
        "imagination_step/clipfrac",
    ),
    metric(
        "actor_gradient_norm",
        "norm of the actor's gradient",
        "",
        "imagination_step/gradient_norm",
    ),
    metric("imagined_reward", "mean imagined reward", "", "imagination_step/reward"),
    metric("imagined_end_rate", "share of imagined steps that end", "", "imagination_step/done"),
    metric("maximizer_loss", "loss of the discriminator", "", "imagination_step/maximizer_loss"),
    metric("alpha", "weight of imagined steps", "", "imagination_step/alpha"),
];

const fn metric(
    name: &'static str,
    label: &'static str,
    unit: &'static str,
    tag: &'static str,
) -> MetricInfo {
    MetricInfo { name, label, unit, tag, short: None }
}

const fn shown(short: &'static str, info: MetricInfo) -> MetricInfo {
    MetricInfo { short: Some(short), ..info }
}

/// Values by name, in the order in which they were reported. In JSON an object of numbers;
/// in messages, which keep NaN, a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics(Vec<(Cow<'static, str>, f32)>);

impl Metrics {
    /// Metrics from names and values.
    pub fn new(values: impl IntoIterator<Item = (&'static str, f32)>) -> Self {
        Self(values.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect())
    }

    /// The value of a metric; none if it was not reported.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f32> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| *value)
    }

    /// These metrics, then other ones.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Names and values in the order in which they were reported.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f32)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), *value))
    }

    /// Mean of each metric over several updates that report the same metrics; empty if there are no
    /// updates.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a handful of updates")]
    pub fn mean(all: &[Self]) -> Self {
        let Some(first) = all.first() else { return Self::default() };
        let mut sums: Vec<_> = first.0.iter().map(|(name, _)| (name.clone(), 0.0)).collect();
        for metrics in all {
            for ((_, sum), (_, value)) in sums.iter_mut().zip(&metrics.0) {
                *sum += value / all.len() as f32;
            }
        }
        Self(sums)
    }
}

impl Serialize for Metrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return self.0.serialize(serializer);
        }
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Metrics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return Vec::deserialize(deserializer).map(Self);
        }
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Metrics;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("numbers by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metrics, A::Error> {
                let mut values = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Option<f32>>()? {
                    // JSON has no NaN; it is written as `null`.
                    values.push((Cow::Owned(name), value.unwrap_or(f32::NAN)));
                }
                Ok(Metrics(values))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_name_and_survive_json() {
        let metrics = Metrics::new([("loss", 0.25), ("entropy", 1.5)]);
        assert_eq!((metrics.get("entropy"), metrics.get("drift")), (Some(1.5), None));
        let json = serde_json::to_string(&metrics).expect("writable");
        assert_eq!(json, r#"{"loss":0.25,"entropy":1.5}"#);
        assert_eq!(serde_json::from_str::<Metrics>(&json).expect("readable"), metrics);
        let nan: Metrics = serde_json::from_str(r#"{"loss":null}"#).expect("readable");
        assert!(nan.get("loss").is_some_and(f32::is_nan));
    }

    #[test]
    fn the_mean_is_taken_for_each_name() {
        let all = [Metrics::new([("a", 1.0), ("b", 2.0)]), Metrics::new([("a", 3.0), ("b", 6.0)])];
        assert_eq!(Metrics::mean(&all), Metrics::new([("a", 2.0), ("b", 4.0)]));
        assert_eq!(Metrics::mean(&[]), Metrics::default());
    }
}
