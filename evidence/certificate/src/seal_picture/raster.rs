//! Filling shapes: how much of each pixel they cover.

/// A point in millimetres from the upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point(pub(super) f64, pub(super) f64);

/// Closed contours; what a contour of the other direction surrounds is a hole (non-zero winding).
pub(super) type Shape = Vec<Vec<Point>>;

/// Coverage from 0 to 255 of each pixel of a square picture, row by row. Shapes that overlap do not add up.
pub(super) fn alpha(shapes: &[Shape], side_px: u32, px_per_mm: f64) -> Vec<u8> {
    let side = usize::try_from(side_px).unwrap_or_default();
    let mut out = vec![0; side.saturating_mul(side)];
    for shape in shapes {
        let edges = edges(shape, px_per_mm);
        for (y, row) in (0_u32..).zip(out.chunks_mut(side.max(1))) {
            let top = f64::from(y);
            if !edges.iter().any(|edge| edge.top < top + 1.0 && edge.bottom > top) {
                continue;
            }
            let mut covered = vec![0.0_f64; side];
            for n in 0..LINES {
                scan(&edges, top + (f64::from(n) + 0.5) / f64::from(LINES), &mut covered);
            }
            for (pixel, covered) in row.iter_mut().zip(covered) {
                let share = (covered / f64::from(LINES) * 255.0).round().clamp(0.0, 255.0);
                // Clamped to 0..=255 just before.
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "0..=255"
                )]
                let share = share as u8;
                *pixel = (*pixel).max(share);
            }
        }
    }
    out
}

/// A side of a contour, from top to bottom, in pixels.
struct Edge {
    top: f64,
    bottom: f64,
    x_at_top: f64,
    slope: f64,
    winding: i32,
}

fn edges(shape: &Shape, px_per_mm: f64) -> Vec<Edge> {
    let mut edges = Vec::new();
    for contour in shape {
        let next = contour.iter().cycle().skip(1);
        for (Point(x1, y1), Point(x2, y2)) in contour.iter().zip(next) {
            let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(|mm| mm * px_per_mm);
            if y1 < y2 {
                edges.push(edge(x1, y1, x2, y2, 1));
            } else if y2 < y1 {
                edges.push(edge(x2, y2, x1, y1, -1));
            }
        }
    }
    edges
}

fn edge(x1: f64, y1: f64, x2: f64, y2: f64, winding: i32) -> Edge {
    Edge { top: y1, bottom: y2, x_at_top: x1, slope: (x2 - x1) / (y2 - y1), winding }
}

/// Adds what one horizontal line covers of each pixel.
fn scan(edges: &[Edge], y: f64, covered: &mut [f64]) {
    let mut crossings: Vec<_> = edges
        .iter()
        .filter(|edge| edge.top <= y && y < edge.bottom)
        .map(|edge| (edge.x_at_top + (y - edge.top) * edge.slope, edge.winding))
        .collect();
    crossings.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let mut winding = 0;
    let mut from = 0.0;
    for (x, step) in crossings {
        if winding != 0 {
            cover(covered, from, x);
        }
        winding += step;
        from = x;
    }
}

/// Adds the part of each pixel between two places of its row.
fn cover(row: &mut [f64], from: f64, to: f64) {
    for (x, pixel) in (0_u32..).zip(row.iter_mut()) {
        let left = f64::from(x);
        if left >= to {
            break;
        }
        let part = to.min(left + 1.0) - from.max(left);
        if part > 0.0 {
            *pixel += part;
        }
    }
}

/// Lines examined in each row of pixels.
const LINES: u8 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_with_a_hole_covers_what_it_should() {
        let square = |from: f64, to: f64, turned: bool| {
            let mut points =
                vec![Point(from, from), Point(to, from), Point(to, to), Point(from, to)];
            if turned {
                points.reverse();
            }
            points
        };
        let shape = vec![square(0.0, 4.0, false), square(1.0, 2.5, true)];
        let alpha = alpha(&[shape], 5, 1.0);
        let at = |x: usize, y: usize| alpha[y * 5 + x];
        assert_eq!((at(0, 0), at(1, 1), at(4, 0), at(0, 4)), (255, 0, 0, 0));
        assert!((100..=155).contains(&at(2, 1)), "{}", at(2, 1));
    }
}
