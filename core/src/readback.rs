//! Several vectors read from the device in one transfer.
//!
//! A read waits until the device has done everything before it, so few reads matter more than few
//! bytes.

use burn::tensor::Tensor;

use crate::Error;
use crate::ops::ALIGNMENT;
use crate::ops::join::join;
use crate::traffic::read_floats;

/// Reads all `parts`, in their order.
///
/// # Errors
/// The device's own error, for example after it was lost.
pub async fn read_together(parts: Vec<Tensor<1>>) -> Result<Vec<Vec<f32>>, Error> {
    if parts.is_empty() {
        return Ok(Vec::new());
    }
    let lengths: Vec<usize> = parts.iter().map(|part| part.dims()[0]).collect();
    let mut starts = Vec::with_capacity(parts.len());
    let mut len = 0;
    for length in &lengths {
        starts.push(len);
        len += length.next_multiple_of(ALIGNMENT);
    }
    let all = read_floats(join(parts, &starts, len)).await?;
    let part = |(start, length): (&usize, usize)| all[*start..start + length].to_vec();
    Ok(starts.iter().zip(lengths).map(part).collect())
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn parts_come_back_in_their_order() {
        let part = |x: &[f32]| Tensor::<1>::from_floats(x, &Device::flex());
        let parts = vec![part(&[1.0, 2.0]), part(&[3.0]), part(&[4.0; 70])];
        let found = pollster::block_on(read_together(parts)).expect("read");
        assert_eq!(found, [vec![1.0, 2.0], vec![3.0], vec![4.0; 70]]);
        assert!(pollster::block_on(read_together(Vec::new())).expect("read").is_empty());
    }
}
