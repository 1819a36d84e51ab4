//! Compares the convolution of this crate with burn's own, forward and backward.

use burn::tensor::module::conv2d as burn_conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData};
use deepspi_core::golden::fill::fill;
use deepspi_core::ops::conv::{ConvGeometry, conv2d};
use proptest::prelude::*;

fn tensor(seed: u64, shape: [usize; 4], device: &Device) -> Tensor<4> {
    let values = fill(seed, shape.iter().product(), -1.0, 1.0);
    Tensor::from_data(TensorData::new(values, shape), device).require_grad()
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.inner().into_data().try_to_vec().expect("f32")
}

fn assert_close(name: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let worst = found
        .iter()
        .zip(expected)
        .map(|(a, b)| (a - b).abs() / b.abs().max(1.0))
        .fold(0.0, f32::max);
    assert!(worst < 1e-4, "{name}: relative error {worst}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn agrees_with_burn_in_value_and_gradients(
        batch in 1_usize..40,
        height in 4_usize..11,
        width in 4_usize..11,
        channels in 1_usize..5,
        outputs in 1_usize..9,
        kernel in 1_usize..4,
        stride in 1_usize..3,
        same in any::<bool>(),
    ) {
        let device = Device::flex().autodiff();
        let geometry = ConvGeometry { stride, pad_end: if same { kernel - 1 } else { 0 } };
        let images = tensor(1, [batch, height, width, channels], &device);
        let weights = tensor(2, [kernel, kernel, channels, outputs], &device);

        let bias = Tensor::<1>::from_data(TensorData::new(fill(9, outputs, -1.0, 1.0), [outputs]), &device)
            .require_grad();
        let found = conv2d(images.clone(), weights.clone(), bias.clone(), geometry);
        let nchw = images.clone().permute([0, 3, 1, 2]);
        let padding = [(0, geometry.pad_end); 2];
        let options = ConvOptions::new_with_padding([stride; 2], padding, [1, 1], 1);
        let expected = burn_conv2d(nchw, weights.clone().permute([3, 2, 0, 1]), Some(bias.clone()), options)
            .permute([0, 2, 3, 1]);
        prop_assert_eq!(found.dims(), expected.dims());
        assert_close("value", &values(found.clone()), &values(expected.clone()));

        // A loss with a different weight for every output.
        let weigh = |output: Tensor<4>| {
            let shape = output.dims();
            (output * tensor(3, shape, &device).detach()).sum()
        };
        let (found, expected) = (weigh(found).backward(), weigh(expected).backward());
        for (name, leaf) in [("images", &images), ("kernel", &weights)] {
            let of = |grads| values(leaf.grad(grads).expect("tracked"));
            assert_close(name, &of(&found), &of(&expected));
        }
        let of = |grads| values(bias.grad(grads).expect("tracked"));
        assert_close("bias", &of(&found), &of(&expected));
    }
}

#[test]
fn images_without_gradient_still_give_the_kernel_its_own() {
    let device = Device::flex().autodiff();
    let images = tensor(1, [3, 5, 5, 2], &device).detach();
    let weights = tensor(2, [2, 2, 2, 4], &device);
    let geometry = ConvGeometry { stride: 1, pad_end: 0 };
    let grads =
        conv2d(images, weights.clone(), Tensor::zeros([4], &device), geometry).sum().backward();
    assert!(values(weights.grad(&grads).expect("tracked")).iter().any(|x| *x != 0.0));
}
