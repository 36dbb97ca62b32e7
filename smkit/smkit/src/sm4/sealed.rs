//! Where the tag of a sealed message stands: behind the ciphertext, for every mode that has one.

use alloc::vec::Vec;

use super::{Sm4Error, TAG_BYTES};

/// Seals `data` in place by `seal` and appends the tag that it gives.
pub(super) fn seal_in_place(
    data: &mut Vec<u8>,
    seal: impl FnOnce(&mut [u8]) -> Result<[u8; TAG_BYTES], Sm4Error>,
) -> Result<(), Sm4Error> {
    let tag = seal(data)?;
    data.extend_from_slice(&tag);
    Ok(())
}

/// Opens `data` in place by `open` and removes the tag, if there is one and it is right.
pub(super) fn open_in_place(
    data: &mut Vec<u8>,
    open: impl FnOnce(&mut [u8], &[u8; TAG_BYTES]) -> Result<(), Sm4Error>,
) -> Result<(), Sm4Error> {
    let (body, tag) = data.split_last_chunk_mut::<TAG_BYTES>().ok_or(Sm4Error::Authentication)?;
    let body_bytes = body.len();
    open(body, tag)?;
    data.truncate(body_bytes);
    Ok(())
}
