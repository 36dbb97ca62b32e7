//! The pixels of a PNG, as far as seals have them: eight bits, not interlaced.

use std::io::Read;

use flate2::read::ZlibDecoder;

use super::png;

/// Width, height and red, green, blue, opacity of each pixel, rows from the top.
///
/// # Errors
/// What is wrong with it, or what it uses that is not read here.
pub(super) fn read(file: &[u8]) -> Result<(u32, u32, Vec<u8>), &'static str> {
    let (width, height) = png::check(file)?;
    let chunks = png::chunks(file);
    let header = chunks.iter().find(|(kind, _)| kind == b"IHDR").map(|(_, data)| *data);
    let [.., 8, colours, 0, 0, 0] = header.ok_or(BROKEN)? else {
        return Err("only PNGs of eight bits a channel and without interlacing are read");
    };
    let channels: usize = match colours {
        0 | 3 => 1,
        2 => 3,
        4 => 2,
        6 => 4,
        _ => return Err(BROKEN),
    };
    let side = |side: u32| usize::try_from(side).map_err(|_| BROKEN);
    let row_bytes = side(width)?.saturating_mul(channels);
    let line_bytes = row_bytes.saturating_add(1);
    let whole = line_bytes.saturating_mul(side(height)?);
    let packed: Vec<u8> = chunks
        .iter()
        .filter(|(kind, _)| kind == b"IDAT")
        .flat_map(|(_, data)| data.iter().copied())
        .collect();
    let mut lines = Vec::new();
    let bound = u64::try_from(whole).map_err(|_| BROKEN)?.saturating_add(1);
    ZlibDecoder::new(packed.as_slice()).take(bound).read_to_end(&mut lines).map_err(|_| BROKEN)?;
    if lines.len() != whole {
        return Err(BROKEN);
    }
    let of_kind = |kind: &[u8; 4]| chunks.iter().find(|(k, _)| k == kind).map(|(_, data)| *data);
    let (palette, opacity) = (of_kind(b"PLTE"), of_kind(b"tRNS"));
    let mut above = vec![0; row_bytes];
    let mut out = Vec::with_capacity(side(width)?.saturating_mul(side(height)?).saturating_mul(4));
    for line in lines.chunks_exact(line_bytes) {
        let (filter, row) = line.split_first().ok_or(BROKEN)?;
        let row = unfiltered(*filter, row, &above, channels).ok_or(BROKEN)?;
        for pixel in row.chunks_exact(channels) {
            out.extend_from_slice(&rgba(pixel, *colours, palette, opacity).ok_or(BROKEN)?);
        }
        above = row;
    }
    Ok((width, height, out))
}

/// ISO/IEC 15948 §9.2: each byte is a difference to what lies left of it, above it, or both.
fn unfiltered(filter: u8, row: &[u8], above: &[u8], channels: usize) -> Option<Vec<u8>> {
    let mut out: Vec<u8> = Vec::with_capacity(row.len());
    for (at, (byte, up)) in row.iter().zip(above).enumerate() {
        let before = |from: &[u8]| at.checked_sub(channels).and_then(|at| from.get(at)).copied();
        let (left, corner) = (before(&out).unwrap_or(0), before(above).unwrap_or(0));
        let expected = match filter {
            0 => 0,
            1 => left,
            2 => *up,
            3 => u8::midpoint(left, *up),
            4 => paeth(left, *up, corner),
            _ => return None,
        };
        out.push(byte.wrapping_add(expected));
    }
    Some(out)
}

fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let estimate = i16::from(left) + i16::from(up) - i16::from(corner);
    let away = |value: u8| (estimate - i16::from(value)).abs();
    if away(left) <= away(up) && away(left) <= away(corner) {
        left
    } else if away(up) <= away(corner) {
        up
    } else {
        corner
    }
}

fn rgba(
    pixel: &[u8],
    colours: u8,
    palette: Option<&[u8]>,
    opacity: Option<&[u8]>,
) -> Option<[u8; 4]> {
    Some(match (colours, pixel) {
        (0, [grey]) => [*grey, *grey, *grey, 0xff],
        (2, [red, green, blue]) => [*red, *green, *blue, 0xff],
        (3, [index]) => {
            let index = usize::from(*index);
            let colour = palette?.chunks_exact(3).nth(index)?;
            let [red, green, blue] = colour else { return None };
            let opacity = opacity.and_then(|opacity| opacity.get(index)).copied();
            [*red, *green, *blue, opacity.unwrap_or(0xff)]
        }
        (4, [grey, opacity]) => [*grey, *grey, *grey, *opacity],
        (6, [red, green, blue, opacity]) => [*red, *green, *blue, *opacity],
        _ => return None,
    })
}

const BROKEN: &str = "it is no PNG, or a damaged one";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let alpha: Vec<u8> = (0..400_u32).map(|n| u8::try_from(n * 7 % 256).unwrap()).collect();
        let file = png::write(&alpha, 20, [1, 2, 3]).unwrap();
        let (width, height, pixels) = read(&file).unwrap();
        assert_eq!((width, height), (20, 20));
        for (pixel, alpha) in pixels.chunks_exact(4).zip(alpha) {
            assert_eq!(pixel, [1, 2, 3, alpha]);
        }
    }

    #[test]
    fn each_filter_is_undone() {
        let above = [10, 20, 30, 40];
        assert_eq!(unfiltered(1, &[1, 1, 1, 1], &above, 2), Some(vec![1, 1, 2, 2]));
        assert_eq!(unfiltered(2, &[1, 1, 1, 1], &above, 2), Some(vec![11, 21, 31, 41]));
        assert_eq!(unfiltered(3, &[0, 0, 0, 0], &above, 2), Some(vec![5, 10, 17, 25]));
        assert_eq!(unfiltered(4, &[0, 0, 0, 0], &above, 2), Some(vec![10, 20, 30, 40]));
        assert_eq!(unfiltered(5, &[0], &above, 1), None);
    }
}
