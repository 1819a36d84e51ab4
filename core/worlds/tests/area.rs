//! Compares the resize with `OpenCV`'s own output, byte for byte (made by
//! `fixtures/make_area_fixture.py`).

use deepspi_worlds::atari::preprocess::AreaResize;

/// Height and width.
type Size = (usize, usize);

/// (kind, source, output): the table `CASES` of the script, in its order.
const CASES: [(usize, Size, Size); 11] = [
    (0, (210, 160), (84, 84)),
    (1, (210, 160), (84, 84)),
    (2, (210, 160), (84, 84)),
    (3, (210, 160), (84, 84)),
    (4, (210, 160), (84, 84)),
    (5, (210, 160), (84, 84)),
    (0, (210, 160), (64, 64)),
    (0, (250, 160), (84, 84)),
    (0, (97, 131), (31, 44)),
    (1, (84, 84), (84, 84)),
    (0, (100, 200), (45, 100)),
];

/// A copy of the script's function `image`.
fn image(kind: usize, (height, width): Size, seed: u32) -> Vec<u8> {
    let mut state = seed;
    let noise: Vec<u8> = (0..height * width)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        })
        .collect();
    (0..height * width)
        .map(|i| {
            let (y, x) = (i / width, i % width);
            match kind {
                0 => noise[i],
                1 => noise[i] / 64 * 85,
                2 => noise[y / 5 * width + x / 5],
                3 => u8::from(noise[i] >= 128) * 255,
                4 => noise[i] / 8 + 224,
                _ => noise[y / 7 * width + x],
            }
        })
        .collect()
}

#[test]
fn every_pixel_equals_opencv() {
    let mut expected = &include_bytes!("fixtures/area.bin")[..];
    for (case, (kind, source, output)) in CASES.into_iter().enumerate() {
        let (here, rest) = expected.split_at(output.0 * output.1);
        expected = rest;
        let mut out = vec![0; here.len()];
        let mut resize = AreaResize::new(source, output);
        // Twice: the second result must not depend on the first image.
        for _ in 0..2 {
            resize.resize(&image(kind, source, u32::try_from(case).unwrap()), &mut out);
            let differing = out.iter().zip(here).filter(|(a, b)| a != b).count();
            assert_eq!(
                differing, 0,
                "case {case}, kind {kind}, {source:?} to {output:?}: pixels unlike OpenCV's"
            );
        }
    }
    assert!(expected.is_empty(), "the fixture has more cases than the test");
}
