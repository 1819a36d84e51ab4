// Draws an agent's latents in the playground: marks (points, stars, lines) with smooth edges.
//
// A mark is drawn as a rectangle around it. For every pixel of the rectangle the shader computes
// the signed distance d to the outline of the mark, in pixels and negative inside. The share of a
// pixel inside the outline is about 0.5 - d, clamped to [0, 1]. Later marks cover earlier ones.
// Colours are sRGB and are blended without conversion, as on a 2-D canvas, so both pictures look
// the same.
//
// Bindings:
//   group 0, binding 0  uniform  `canvas`  size in pixels [2]   written by the renderer at each resize
// Vertex buffer, one record of 13 floats per mark (`Mark::floats` in web/playground/src/scene/picture.rs),
// written by the renderer for each picture:
//   location 0  ends [4]    centre (twice), or both ends of a segment; pixels from the upper left corner
//   location 1  size [3]    radius and thickness of the border inside it (pixels), shape (a constant below)
//   location 2  fill [3]    colour inside the border
//   location 3  edge [3]    colour of the border
// Each mark is an instance of a strip of 4 vertices. There is no compute pass, hence no workgroup
// size, and no storage buffer or texture.

struct Canvas {
    size: vec2<f32>,
}

@group(0) @binding(0) var<uniform> canvas: Canvas;

const STAR_UP = 1.0;
const STAR_DOWN = 2.0;
const SQUARE = 3.0;
const SEGMENT = 4.0;

// A star with 5 tips: the angle between a tip and the next notch, and the radius of the notches
// divided by the radius of the tips (`NOTCH` in picture.rs).
const SECTOR = 0.6283185307179586;
const NOTCH = 0.45;

struct Mark {
    @location(0) ends: vec4<f32>,
    @location(1) size: vec3<f32>,
    @location(2) fill: vec3<f32>,
    @location(3) edge: vec3<f32>,
}

struct Corner {
    @builtin(position) position: vec4<f32>,
    @location(0) @interpolate(flat) ends: vec4<f32>,
    @location(1) @interpolate(flat) size: vec3<f32>,
    @location(2) @interpolate(flat) fill: vec3<f32>,
    @location(3) @interpolate(flat) edge: vec3<f32>,
}

@vertex
fn corner(@builtin(vertex_index) index: u32, mark: Mark) -> Corner {
    // The radius and one pixel for the smooth edge.
    let reach = vec2(mark.size.x + 1.0);
    let low = min(mark.ends.xy, mark.ends.zw) - reach;
    let high = max(mark.ends.xy, mark.ends.zw) + reach;
    let pixel = mix(low, high, vec2(f32(index & 1u), f32(index >> 1u)));
    // From pixels, with y downwards, to clip space, with y upwards.
    let clip = vec2(2.0, -2.0) * pixel / canvas.size + vec2(-1.0, 1.0);
    return Corner(vec4(clip, 0.0, 1.0), mark.ends, mark.size, mark.fill, mark.edge);
}

fn to_segment(p: vec2<f32>, a: vec2<f32>, b: vec2<f32>) -> f32 {
    let along = b - a;
    // The lower limit avoids a division by 0 if both ends are the same point.
    let share = clamp(dot(p - a, along) / max(dot(along, along), 1e-12), 0.0, 1.0);
    return distance(p, a + share * along);
}

fn to_square(p: vec2<f32>, half_side: f32) -> f32 {
    let outside = abs(p) - vec2(half_side);
    return length(max(outside, vec2(0.0))) + min(max(outside.x, outside.y), 0.0);
}

// Signed distance to a star around the origin with a tip on the positive y axis. All ten edges are
// mirror images of the edge from that tip to the notch on its right.
fn to_star(p: vec2<f32>, tip: f32) -> f32 {
    // The small constant makes the angle defined at the centre, (0, 0).
    let angle = atan2(p.x, p.y + 1e-20);
    let folded = abs(angle - 2.0 * SECTOR * round(angle / (2.0 * SECTOR)));
    let q = length(p) * vec2(sin(folded), cos(folded));
    let a = vec2(0.0, tip);
    let b = NOTCH * tip * vec2(sin(SECTOR), cos(SECTOR));
    let away = (b.x - a.x) * (q.y - a.y) - (b.y - a.y) * (q.x - a.x);
    return sign(away) * to_segment(q, a, b);
}

@fragment
fn colour(mark: Corner) -> @location(0) vec4<f32> {
    let pixel = mark.position.xy;
    let p = pixel - mark.ends.xy;
    let radius = mark.size.x;
    let border = mark.size.y;
    let shape = mark.size.z;
    var d = length(p) - radius;
    if shape == SEGMENT {
        d = to_segment(pixel, mark.ends.xy, mark.ends.zw) - radius;
    } else if shape == SQUARE {
        d = to_square(p, radius);
    } else if shape == STAR_UP {
        d = to_star(vec2(p.x, -p.y), radius);
    } else if shape == STAR_DOWN {
        d = to_star(p, radius);
    }
    let outer = clamp(0.5 - d, 0.0, 1.0);
    let inner = clamp(0.5 - d - border, 0.0, 1.0);
    return vec4(mix(mark.edge, mark.fill, inner), 1.0) * outer;
}
