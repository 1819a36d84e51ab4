//! Actor and critic: two dense layers of the same input, as one operation.
//!
//! Their outputs are few, so on a GPU each layer alone is a launch forward and three backward, and the
//! sum of both gradients one more. On the CPU they are two layers ([`composed`]).

#[cfg(feature = "gpu")]
mod gpu;

use burn::backend::autodiff::{
    NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::{Autodiff, Backend, Dispatch, backend_extension, tensor::FloatTensor};
use burn::tensor::Tensor;

use crate::ops::conv::dense;
use crate::ops::cpu::on_cpu;

/// Kernel `[H, n]` and bias `[n]` of a dense layer.
pub type Layer = (Tensor<2>, Tensor<1>);

/// Logits and value `[B, A + 1]` of hidden activations `[B, H]`; the actor has A outputs, the critic one.
#[must_use]
pub fn actor_and_critic(hidden: Tensor<2>, actor: Layer, critic: Layer) -> Tensor<2> {
    if on_cpu(&hidden.device()) {
        return composed(hidden, actor, critic);
    }
    Tensor::from_dispatch(<Dispatch as HeadsOp>::heads(
        hidden.into_dispatch(),
        actor.0.into_dispatch(),
        actor.1.into_dispatch(),
        critic.0.into_dispatch(),
        critic.1.into_dispatch(),
    ))
}

/// [`actor_and_critic`] as two layers.
#[must_use]
pub fn composed(hidden: Tensor<2>, actor: Layer, critic: Layer) -> Tensor<2> {
    let logits = dense(hidden.clone(), actor.0, actor.1, false);
    let value = dense(hidden, critic.0, critic.1, false);
    Tensor::cat(vec![logits, value], 1)
}

/// Dispatches [`actor_and_critic`] to a GPU.
#[backend_extension(Cube: cfg(feature = "gpu"), Autodiff)]
trait HeadsOp: Backend {
    /// See [`actor_and_critic`].
    fn heads(
        hidden: FloatTensor<Self>,
        actor: FloatTensor<Self>,
        actor_bias: FloatTensor<Self>,
        critic: FloatTensor<Self>,
        critic_bias: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

/// Gradients on one backend.
trait HeadsKernels: HeadsOp {
    /// Gradients of the five inputs, in their order, from that of the outputs.
    fn heads_grads(
        hidden: FloatTensor<Self>,
        actor: FloatTensor<Self>,
        critic: FloatTensor<Self>,
        grad: FloatTensor<Self>,
    ) -> [FloatTensor<Self>; 5];
}

impl<B: HeadsKernels, C: CheckpointStrategy> HeadsOp for Autodiff<B, C> {
    fn heads(
        hidden: FloatTensor<Self>,
        actor: FloatTensor<Self>,
        actor_bias: FloatTensor<Self>,
        critic: FloatTensor<Self>,
        critic_bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let parents =
            [hidden.node(), actor.node(), actor_bias.node(), critic.node(), critic_bias.node()];
        let biases = (actor_bias.into_primitive(), critic_bias.into_primitive());
        let value =
            |hidden: FloatTensor<Self>, actor: FloatTensor<Self>, critic: FloatTensor<Self>| {
                let (hidden, actor) = (hidden.into_primitive(), actor.into_primitive());
                B::heads(hidden, actor, biases.0, critic.into_primitive(), biases.1)
            };
        match HeadsBackward.prepare::<C>(parents).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let state = [&hidden, &actor, &critic].map(|input| prep.checkpoint(input));
                prep.finish(state, value(hidden, actor, critic))
            }
            OpsKind::UnTracked(prep) => prep.finish(value(hidden, actor, critic)),
        }
    }
}

#[derive(Debug)]
struct HeadsBackward;

impl<B: HeadsKernels> Backward<B, 5> for HeadsBackward {
    type State = [NodeId; 3];

    fn backward(
        self,
        ops: Ops<Self::State, 5>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<B>(&ops.node);
        let [hidden, actor, critic] =
            ops.state.map(|input| checkpointer.retrieve_node_output::<FloatTensor<B>>(input));
        let all = B::heads_grads(hidden, actor, critic, grad);
        for (node, grad) in ops.parents.into_iter().zip(all) {
            if let Some(node) = node {
                grads.register::<B>(node.id, grad);
            }
        }
    }
}
