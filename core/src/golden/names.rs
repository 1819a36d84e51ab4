//! The parameters here and in the authors' parameter tree.

use deepspi_run::config::{CategoricalNetwork, Config};

use super::file::GoldenError;

/// Layers before the last of a fully connected network of Dreamer's size, and of the usual size.
const DREAMER_LAYERS: usize = 4;
const USUAL_LAYERS: usize = 1;

/// Names of the parameters of one configuration.
#[derive(Debug)]
pub(super) struct Names<'a> {
    config: &'a Config,
}

impl<'a> Names<'a> {
    pub(super) const fn new(config: &'a Config) -> Self {
        Self { config }
    }

    /// The local name of a parameter in the authors' tree. `None` for what has no counterpart: their
    /// unused copy of the encoder under the critic, and the unused factor of a soft mixture of experts.
    pub(super) fn local(&self, name: &str) -> Result<Option<String>, GoldenError> {
        let unknown = || GoldenError::UnknownParameter(name.to_owned());
        let (network, path) = name.split_once("/params/").ok_or_else(unknown)?;
        let path: Vec<&str> =
            path.split('/').map(|part| part.trim_start_matches("Spectral")).collect();
        let is_critics = network.starts_with("agent/critic_network_params");
        if is_critics && !self.config.networks.decoupled_repr {
            return Ok(None);
        }
        // In DreamSPI the critic has no encoder of its own.
        if network == "agent/critic_network_params/0" && self.config.is_dream() {
            return Ok(None);
        }
        if path == ["SoftMoE_0", "scalar"] {
            return Ok(None);
        }
        let agent = if is_critics { "agent.critic_network" } else { "agent" };
        let (module, inner) = match network {
            "agent/actor_network_params/0" => (format!("{agent}.encoder"), self.encoder(&path)),
            "agent/critic_network_params/0" => (format!("{agent}.encoder"), Self::images(&path)),
            "agent/actor_network_params/1" => (format!("{agent}.trunk"), self.trunk(&path)),
            "agent/critic_network_params/1" => (format!("{agent}.trunk"), self.layers(&path)),
            "agent/actor_params" => ("agent.actor".to_owned(), only_dense(&path)),
            "agent/critic_params" => ("agent.critic".to_owned(), only_dense(&path)),
            "world_model/transition_network_params" => {
                ("world_model.transition".to_owned(), self.transition(&path))
            }
            "world_model/reward_network_params" => {
                ("world_model.reward".to_owned(), self.reward(&path))
            }
            "world_model/done_predictor_params" => {
                ("world_model.done".to_owned(), done_predictor(&path))
            }
            "discriminator" => ("discriminator".to_owned(), self.discriminator(&path)),
            _ => return Err(unknown()),
        };
        let inner = inner.ok_or_else(unknown)?;
        Ok(Some(format!("{module}.{inner}")))
    }

    fn encoder(&self, path: &[&str]) -> Option<String> {
        if self.config.has_categorical_latents() {
            return match path {
                ["layers_0", rest @ ..] => Some(format!("image.{}", normalised_image(rest)?)),
                ["layers_1", "Dense_0", leaf] => Some(format!("logits.{leaf}")),
                _ => None,
            };
        }
        let networks = &self.config.networks;
        if networks.use_layer_norm || networks.layer_norm_cnn_output {
            return normalised_image(path);
        }
        Self::images(path)
    }

    /// An encoder of images without normalisation.
    fn images(path: &[&str]) -> Option<String> {
        match path {
            [layer, leaf] => Some(format!("{}.{leaf}", index(layer, "Conv")?)),
            _ => None,
        }
    }

    fn trunk(&self, path: &[&str]) -> Option<String> {
        if !self.config.networks.use_attention {
            return self.layers(path);
        }
        match path {
            ["Dense_0", leaf] => Some(format!("output.{leaf}")),
            ["LatentEmbedding_0", "table"] => Some("tokens.table".to_owned()),
            ["pos_emb"] => Some("positions".to_owned()),
            _ => block(path),
        }
    }

    /// A trunk of dense layers.
    fn layers(&self, path: &[&str]) -> Option<String> {
        let networks = &self.config.networks;
        let factors = if networks.hadamard_representation { 2 } else { 0 };
        if factors == 0 && !networks.use_layer_norm && !networks.dreamer_architecture {
            return only_dense(path);
        }
        let [layer, leaf] = path else {
            return None;
        };
        match index(layer, "Dense") {
            Some(i) if i < factors => Some(format!("factors.{i}.{leaf}")),
            Some(i) => Some(format!("hidden.layers.{}.{leaf}", i - factors)),
            None => norm("hidden.", path),
        }
    }

    fn transition(&self, path: &[&str]) -> Option<String> {
        if !self.config.has_categorical_latents() {
            return match path {
                ["Conv_0", leaf] => Some(format!("first.{leaf}")),
                ["Conv_1", leaf] => Some(format!("second.{leaf}")),
                ["Dense_0", leaf] => Some(format!("logits.{leaf}")),
                ["logits_linear_map"] => Some("logits_map".to_owned()),
                _ => None,
            };
        }
        match self.config.world_model.categorical_network {
            CategoricalNetwork::Fc => self.perceptron(path),
            CategoricalNetwork::Conv => match path {
                ["Conv_0", leaf] => Some(format!("first.{leaf}")),
                ["Conv_1", leaf] => Some(format!("second.{leaf}")),
                ["category_weights"] => Some("weights".to_owned()),
                ["category_bias"] => Some("bias".to_owned()),
                _ => None,
            },
            CategoricalNetwork::SoftMoe => experts(path),
            CategoricalNetwork::Transformer => match path {
                ["E_act", "embedding"] => Some("actions".to_owned()),
                ["E_tok"] => Some("tokens.table".to_owned()),
                ["pos"] => Some("positions".to_owned()),
                ["out_proj", leaf] => Some(format!("output.{leaf}")),
                _ => block(path),
            },
        }
    }

    fn reward(&self, path: &[&str]) -> Option<String> {
        if self.config.has_categorical_latents() {
            match self.config.world_model.categorical_network {
                CategoricalNetwork::Fc | CategoricalNetwork::Transformer => {
                    return self.perceptron(path);
                }
                CategoricalNetwork::SoftMoe => {
                    return match path {
                        ["Dense_0", leaf] => Some(format!("output.{leaf}")),
                        _ => Some(format!("experts.{}", experts(path)?)),
                    };
                }
                CategoricalNetwork::Conv => {}
            }
        }
        match path {
            [layer, leaf] => Some(format!("layers.{}.{leaf}", index(layer, "Dense")?)),
            _ => None,
        }
    }

    fn discriminator(&self, path: &[&str]) -> Option<String> {
        let sees = usize::from(self.config.dream.discriminator_obs_encoder);
        let is_bounded = self.config.has_categorical_latents();
        match path {
            ["discriminator_embedding"] => Some("tokens.table".to_owned()),
            ["NetworkConv_0", rest @ ..] => {
                Some(format!("image.encoder.{}", normalised_image(rest)?))
            }
            ["NetworkConvLipschitz_0", layer, leaf] => {
                Some(format!("convolutions.{}.{leaf}", index(layer, "Conv")?))
            }
            ["LayerNorm_0", leaf] => Some(format!("hidden_norm.{}", norm_leaf(leaf)?)),
            ["LayerNorm_1", leaf] => Some(format!("output_norm.{}", norm_leaf(leaf)?)),
            [layer, leaf] => {
                let i = index(layer, "Dense")?;
                let module: &str = match (is_bounded, i) {
                    (true, 0) if sees == 1 => "image.tokens",
                    (true, i) if i == sees => "hidden",
                    (true, _) => "output",
                    (false, 0) if sees == 1 => "image",
                    (false, i) if i == sees => "latents",
                    (false, i) if i == 1 + sees => "hidden.0",
                    (false, i) if i == 2 + sees => "hidden.1",
                    (false, _) => "output",
                };
                Some(format!("{module}.{leaf}"))
            }
            _ => None,
        }
    }

    /// A fully connected network over tokens.
    fn perceptron(&self, path: &[&str]) -> Option<String> {
        let is_dreamer = self.config.networks.dreamer_architecture;
        let hidden = if is_dreamer { DREAMER_LAYERS } else { USUAL_LAYERS };
        match path {
            ["embedding"] => Some("tokens.table".to_owned()),
            ["Embed_0", "embedding"] => Some("actions".to_owned()),
            [layer, leaf] => match index(layer, "Dense") {
                Some(i) if i < hidden => Some(format!("hidden.layers.{i}.{leaf}")),
                Some(_) => Some(format!("output.{leaf}")),
                None => norm("hidden.", path),
            },
            _ => None,
        }
    }
}

/// One hidden layer, with normalisation or without.
fn done_predictor(path: &[&str]) -> Option<String> {
    match path {
        ["Dense_0", leaf] => Some(format!("hidden.layers.0.{leaf}")),
        ["Dense_1", leaf] => Some(format!("output.{leaf}")),
        _ => norm("hidden.", path),
    }
}

/// The number behind a layer's kind: 2 of `Conv_2`.
fn index(layer: &str, kind: &str) -> Option<usize> {
    layer.strip_prefix(kind)?.strip_prefix('_')?.parse().ok()
}

fn only_dense(path: &[&str]) -> Option<String> {
    match path {
        ["Dense_0", leaf] => Some((*leaf).to_owned()),
        _ => None,
    }
}

/// An encoder with some normalisations.
fn normalised_image(path: &[&str]) -> Option<String> {
    match path {
        [layer, leaf] => match index(layer, "Conv") {
            Some(i) => Some(format!("layers.{i}.{leaf}")),
            None => norm("", path),
        },
        _ => None,
    }
}

/// A normalisation in the list `norms`.
fn norm(prefix: &str, path: &[&str]) -> Option<String> {
    match path {
        [layer, leaf] => {
            Some(format!("{prefix}norms.{}.{}", index(layer, "LayerNorm")?, norm_leaf(leaf)?))
        }
        _ => None,
    }
}

fn norm_leaf(leaf: &str) -> Option<&'static str> {
    match leaf {
        "scale" => Some("gamma"),
        "bias" => Some("beta"),
        _ => None,
    }
}

/// A block of a transformer.
fn block(path: &[&str]) -> Option<String> {
    let [block, rest @ ..] = path else {
        return None;
    };
    let inner = match rest {
        ["Dense_0", leaf] => format!("hidden.{leaf}"),
        ["Dense_1", leaf] => format!("output.{leaf}"),
        ["LayerNorm_0", leaf] => format!("attention_norm.{}", norm_leaf(leaf)?),
        ["LayerNorm_1", leaf] => format!("hidden_norm.{}", norm_leaf(leaf)?),
        ["SelfAttention_0", layer, leaf] => {
            let layer = if *layer == "out" { "output" } else { layer };
            let leaf = if *leaf == "kernel" { "weight" } else { leaf };
            format!("attention.{layer}.{leaf}")
        }
        _ => return None,
    };
    Some(format!("blocks.{}.{inner}", index(block, "TransformerBlock")?))
}

fn experts(path: &[&str]) -> Option<String> {
    let name = match path {
        ["SoftMoE_0", "phi_weights"] => "phi",
        ["SoftMoE_0", "upscale"] => "upscale",
        ["ExpertModel_0", "Dense_0", "kernel"] => "hidden_kernel",
        ["ExpertModel_0", "Dense_0", "bias"] => "hidden_bias",
        ["ExpertModel_0", "Dense_1", "kernel"] => "output_kernel",
        ["ExpertModel_0", "Dense_1", "bias"] => "output_bias",
        _ => return None,
    };
    Some(name.to_owned())
}
