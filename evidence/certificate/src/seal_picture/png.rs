//! PNG (ISO/IEC 15948), as far as a seal needs it: one way to write, and whether a file is whole.

use std::io::Write;

use flate2::{Compression, write::ZlibEncoder};

use crate::limits::SEAL_PICTURE_BYTES_MAX;

/// A square picture of one colour, `alpha` of it in each pixel; 18 pixels to the millimetre.
pub(super) fn write(alpha: &[u8], side_px: u32, [red, green, blue]: [u8; 3]) -> Option<Vec<u8>> {
    let side = usize::try_from(side_px).ok()?;
    let mut lines = Vec::with_capacity(alpha.len().saturating_mul(5));
    let mut above = vec![0_u8; side];
    for row in alpha.chunks(side.max(1)) {
        // Filter 2: the difference to the pixel above, which is mostly none.
        lines.push(2);
        for (now, before) in row.iter().zip(&above) {
            lines.extend_from_slice(&[0, 0, 0, now.wrapping_sub(*before)]);
        }
        above.copy_from_slice(row);
    }
    // The colour stands in the first row; below it nothing changes but the alpha.
    for pixel in lines.get_mut(1..)?.chunks_exact_mut(4).take(side) {
        pixel.get_mut(..3)?.copy_from_slice(&[red, green, blue]);
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&lines).ok()?;
    let packed = encoder.finish().ok()?;
    let side = side_px.to_be_bytes();
    let mut out = SIGNATURE.to_vec();
    // Eight bits, RGB with alpha, the only compression and filtering, not interlaced.
    chunk(&mut out, b"IHDR", &[side.as_slice(), &side, &[8, 6, 0, 0, 0]].concat())?;
    let density = 18_000_u32.to_be_bytes();
    chunk(&mut out, b"pHYs", &[density.as_slice(), &density, &[1]].concat())?;
    chunk(&mut out, b"IDAT", &packed)?;
    chunk(&mut out, b"IEND", &[])?;
    Some(out)
}

fn chunk(out: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) -> Option<()> {
    out.extend_from_slice(&u32::try_from(data.len()).ok()?.to_be_bytes());
    out.extend_from_slice(kind);
    out.extend_from_slice(data);
    out.extend_from_slice(&checksum(kind, data));
    Some(())
}

fn checksum(kind: &[u8], data: &[u8]) -> [u8; 4] {
    let mut crc = crc32fast::Hasher::new();
    crc.update(kind);
    crc.update(data);
    crc.finalize().to_be_bytes()
}

/// Whether every chunk of a PNG is whole and nothing follows; its width and height in pixels.
pub(super) fn check(file: &[u8]) -> Result<(u32, u32), &'static str> {
    const BROKEN: &str = "it is no PNG, or a damaged one";
    if file.len() > SEAL_PICTURE_BYTES_MAX {
        return Err("it is larger than 1 MiB");
    }
    let mut rest = file.strip_prefix(SIGNATURE).ok_or(BROKEN)?;
    let mut size = None;
    let mut last = false;
    while !last {
        let (length, after) = rest.split_first_chunk().ok_or(BROKEN)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| BROKEN)?;
        let (kind, after) = after.split_first_chunk::<4>().ok_or(BROKEN)?;
        let (data, after) = after.split_at_checked(length).ok_or(BROKEN)?;
        let (sum, after) = after.split_first_chunk().ok_or(BROKEN)?;
        if checksum(kind, data) != *sum {
            return Err(BROKEN);
        }
        match (kind, size) {
            (b"IHDR", None) => size = Some(dimensions(data).ok_or(BROKEN)?),
            (b"IHDR", Some(_)) | (_, None) => return Err(BROKEN),
            _ => {}
        }
        last = kind == b"IEND";
        rest = after;
    }
    let (width, height) = size.ok_or(BROKEN)?;
    if !rest.is_empty() || !SIDES_PX.contains(&width) || !SIDES_PX.contains(&height) {
        return Err("it has 16 to 4096 pixels in each direction and nothing after its end");
    }
    Ok((width, height))
}

/// Kind and data of each chunk of a file that was checked.
pub(super) fn chunks(file: &[u8]) -> Vec<([u8; 4], &[u8])> {
    let mut found = Vec::new();
    let mut rest = file.strip_prefix(SIGNATURE).unwrap_or_default();
    while let Some((length, after)) = rest.split_first_chunk() {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let Some((kind, after)) = after.split_first_chunk::<4>() else { break };
        let Some((data, after)) = after.split_at_checked(length) else { break };
        found.push((*kind, data));
        rest = after.get(4..).unwrap_or_default();
    }
    found
}

fn dimensions(header: &[u8]) -> Option<(u32, u32)> {
    let (width, rest) = header.split_first_chunk()?;
    let (height, _) = rest.split_first_chunk()?;
    (header.len() == 13).then(|| (u32::from_be_bytes(*width), u32::from_be_bytes(*height)))
}

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
const SIDES_PX: std::ops::RangeInclusive<u32> = 16..=4_096;
