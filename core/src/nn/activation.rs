//! Activations of hidden layers, and their slopes for the gradient penalty.

use burn::tensor::{Tensor, activation as burn_activation};
use deepspi_run::config::Activation;

/// The activation of every entry.
#[must_use]
pub fn activate<const D: usize>(activation: Activation, x: Tensor<D>) -> Tensor<D> {
    match activation {
        Activation::Relu => burn_activation::relu(x),
        Activation::Elu => burn_activation::elu(x, 1.0),
        Activation::Gelu => burn_activation::gelu_approximate(x),
        Activation::Silu => burn_activation::silu(x),
        Activation::Tanh => x.tanh(),
    }
}

/// The derivative of the activation at every entry, itself differentiable.
#[must_use]
pub fn slope<const D: usize>(activation: Activation, x: Tensor<D>) -> Tensor<D> {
    match activation {
        Activation::Relu => x.greater_elem(0.0).float(),
        // exp(min(x, 0)) is 1 where x is positive, and its derivative is 0 there.
        Activation::Elu => x.clamp_max(0.0).exp(),
        Activation::Gelu => {
            const INNER: f32 = 0.797_884_6;
            const CUBE: f32 = 0.044_715;
            let square = x.clone() * x.clone();
            let tanh = (x.clone() * (square.clone() * CUBE + 1.0) * INNER).tanh();
            let by_tanh = x * (square * (3.0 * CUBE) + 1.0) * (0.5 * INNER);
            (tanh.clone() + 1.0) * 0.5 + by_tanh * (-(tanh.clone() * tanh) + 1.0)
        }
        Activation::Silu => {
            let sigmoid = burn_activation::sigmoid(x.clone());
            sigmoid.clone() * (x * (-sigmoid + 1.0) + 1.0)
        }
        Activation::Tanh => {
            let tanh = x.tanh();
            -(tanh.clone() * tanh) + 1.0
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn the_slope_is_the_derivative_and_is_differentiable() {
        let device = Device::flex().autodiff();
        let points = [-2.5_f32, -0.7, -0.1, 0.2, 1.3, 3.0];
        let read = |x: Tensor<1>| x.inner().into_data().try_to_vec::<f32>().expect("f32");
        for activation in Activation::ALL {
            let x = Tensor::<1>::from_floats(points, &device).require_grad();
            let grads = activate(activation, x.clone()).sum().backward();
            let expected = x.grad(&grads).expect("tracked").into_data();
            let expected: Vec<f32> = expected.try_to_vec().expect("f32");
            let slopes = slope(activation, x.clone());
            let found = read(slopes.clone());
            // The product is tracked although the slope of ReLU depends on nothing.
            let second = (slopes + x.clone() * 0.0).sum().backward();
            let second = x.grad(&second).expect("tracked").into_data();
            let second: Vec<f32> = second.try_to_vec().expect("f32");
            for (i, point) in points.iter().enumerate() {
                let what = format!("{activation} at {point}");
                assert!((found[i] - expected[i]).abs() < 1e-5, "{what}: {found:?} {expected:?}");
                let at = |x: f32| read(slope(activation, Tensor::from_floats([x], &device)))[0];
                let difference = (at(point + 1e-2) - at(point - 1e-2)) / 2e-2;
                assert!(
                    (second[i] - difference).abs() < 2e-3,
                    "{what}: {} {difference}",
                    second[i]
                );
            }
        }
    }
}
