//! The file's frames: `u32 length ‖ u32 CRC-32 of the length ‖ payload ‖ u32 CRC-32 of the payload`, big-endian.
//!
//! A payload is `u8 kind ‖` one of:
//!
//! | kind | content |
//! |---|---|
//! | 1 head | u16 format 1 ‖ channel |
//! | 2 certificate | DER; before the first page that it signs |
//! | 3 page | u64 number ‖ hash of the page before ‖ SM3 of the certificate ‖ u32 entries ‖ (u64 offset ‖ u32 slot of the chain's entry before, zeros for none ‖ entry (196)) … ‖ root ‖ signature (r ‖ s) |
//! | 4 anchor | u64 batch ‖ transaction id ‖ u64 first page ‖ u64 last page ‖ root ‖ u32 heads ‖ (SM3 of the record ‖ u32 sequence ‖ digest) … by rising SM3 |

use changbai_core::process::ENTRY_BYTES;
use smkit::sm3::Sm3Digest;

use crate::limits::FRAME_BYTES_MAX;

/// Bytes of a frame before its payload.
pub(crate) const HEAD_BYTES: usize = 8;
/// Bytes of a frame around its payload.
pub(crate) const AROUND_BYTES: u64 = 12;
/// Bytes of a page's payload before its first entry.
pub(crate) const PAGE_HEAD_BYTES: usize = 77;
/// Bytes of one entry in a page: where the one before is, and the entry.
pub(crate) const SLOT_BYTES: usize = 12 + ENTRY_BYTES;

/// Where an entry is: its page's frame, and its place in the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Offset of the frame; 0 holds the file's head and so no page.
    pub(crate) offset: u64,
    pub(crate) slot: u32,
}

impl Place {
    pub(crate) const NONE: Self = Self { offset: 0, slot: 0 };
}

/// One frame's payload, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Head { channel: String },
    Certificate(Vec<u8>),
    Page(PageFrame),
    Anchor(AnchorFrame),
}

/// A page as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PageFrame {
    pub(crate) number: u64,
    pub(crate) previous: Sm3Digest,
    pub(crate) certificate_sm3: Sm3Digest,
    /// The entry before in the chain, and the entry's bytes.
    pub(crate) slots: Vec<(Place, [u8; ENTRY_BYTES])>,
    pub(crate) root: Sm3Digest,
    pub(crate) signature: [u8; 64],
}

/// An anchor as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AnchorFrame {
    pub(crate) batch: u64,
    pub(crate) tx_id: Sm3Digest,
    pub(crate) first_page: u64,
    pub(crate) last_page: u64,
    pub(crate) root: Sm3Digest,
    /// By rising SM3 of the record.
    pub(crate) heads: Vec<Head>,
}

/// The last entry of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// SM3 of the record's bytes: names the chain.
    pub record_sm3: Sm3Digest,
    /// Place of the entry in the chain, from 1.
    pub sequence: u32,
    /// Its digest.
    pub digest: Sm3Digest,
}

impl Frame {
    /// The whole frame.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut payload = Vec::new();
        match self {
            Self::Head { channel } => {
                payload.push(HEAD);
                payload.extend(FORMAT.to_be_bytes());
                payload.extend(channel.as_bytes());
            }
            Self::Certificate(der) => {
                payload.push(CERTIFICATE);
                payload.extend(der);
            }
            Self::Page(page) => page.write(&mut payload),
            Self::Anchor(anchor) => anchor.write(&mut payload),
        }
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
        let mut frame = Vec::with_capacity(payload.len() + 12);
        frame.extend(length);
        frame.extend(crc32fast::hash(&length).to_be_bytes());
        frame.extend(&payload);
        frame.extend(crc32fast::hash(&payload).to_be_bytes());
        frame
    }

    /// Reads a payload that passed its checksum; `None` if it is none of ours.
    pub(crate) fn from_payload(payload: &[u8]) -> Option<Self> {
        let (kind, rest) = payload.split_first()?;
        match *kind {
            HEAD => {
                let (format, channel) = rest.split_first_chunk::<2>()?;
                let channel = String::from_utf8(channel.to_vec()).ok()?;
                (u16::from_be_bytes(*format) == FORMAT).then_some(Self::Head { channel })
            }
            CERTIFICATE => Some(Self::Certificate(rest.to_vec())),
            PAGE => PageFrame::read(rest).map(Self::Page),
            ANCHOR => AnchorFrame::read(rest).map(Self::Anchor),
            _ => None,
        }
    }
}

/// The length of the payload behind a frame's first [`HEAD_BYTES`]; `None` if they are no such thing.
pub(crate) fn payload_bytes(head: [u8; HEAD_BYTES]) -> Option<usize> {
    let (length, check) = head.split_first_chunk::<4>()?;
    let check = u32::from_be_bytes(check.try_into().ok()?);
    let bytes = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    (crc32fast::hash(length) == check && (1..=FRAME_BYTES_MAX).contains(&bytes)).then_some(bytes)
}

impl PageFrame {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(PAGE);
        out.extend(self.number.to_be_bytes());
        out.extend(self.previous.as_bytes());
        out.extend(self.certificate_sm3.as_bytes());
        out.extend(u32::try_from(self.slots.len()).unwrap_or(u32::MAX).to_be_bytes());
        for (before, entry) in &self.slots {
            out.extend(before.offset.to_be_bytes());
            out.extend(before.slot.to_be_bytes());
            out.extend(entry);
        }
        out.extend(self.root.as_bytes());
        out.extend(self.signature);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (number, rest) = bytes.split_first_chunk::<8>()?;
        let (previous, rest) = rest.split_first_chunk::<32>()?;
        let (certificate_sm3, rest) = rest.split_first_chunk::<32>()?;
        let (count, rest) = rest.split_first_chunk::<4>()?;
        let count = usize::try_from(u32::from_be_bytes(*count)).ok()?;
        let (slots, rest) = rest.split_at_checked(count.checked_mul(SLOT_BYTES)?)?;
        let (root, rest) = rest.split_first_chunk::<32>()?;
        let signature = rest.try_into().ok()?;
        let slots = slots.chunks_exact(SLOT_BYTES).map(slot).collect::<Option<_>>()?;
        Some(Self {
            number: u64::from_be_bytes(*number),
            previous: Sm3Digest::new(*previous),
            certificate_sm3: Sm3Digest::new(*certificate_sm3),
            slots,
            root: Sm3Digest::new(*root),
            signature,
        })
    }
}

/// One entry of a page, and where the one before it is.
pub(crate) fn slot(bytes: &[u8]) -> Option<(Place, [u8; ENTRY_BYTES])> {
    let (offset, rest) = bytes.split_first_chunk::<8>()?;
    let (slot, entry) = rest.split_first_chunk::<4>()?;
    let before = Place { offset: u64::from_be_bytes(*offset), slot: u32::from_be_bytes(*slot) };
    Some((before, entry.try_into().ok()?))
}

impl AnchorFrame {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(ANCHOR);
        out.extend(self.batch.to_be_bytes());
        out.extend(self.tx_id.as_bytes());
        out.extend(self.first_page.to_be_bytes());
        out.extend(self.last_page.to_be_bytes());
        out.extend(self.root.as_bytes());
        out.extend(u32::try_from(self.heads.len()).unwrap_or(u32::MAX).to_be_bytes());
        for head in &self.heads {
            out.extend(head.record_sm3.as_bytes());
            out.extend(head.sequence.to_be_bytes());
            out.extend(head.digest.as_bytes());
        }
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (batch, rest) = bytes.split_first_chunk::<8>()?;
        let (tx_id, rest) = rest.split_first_chunk::<32>()?;
        let (first_page, rest) = rest.split_first_chunk::<8>()?;
        let (last_page, rest) = rest.split_first_chunk::<8>()?;
        let (root, rest) = rest.split_first_chunk::<32>()?;
        let (count, rest) = rest.split_first_chunk::<4>()?;
        let count = usize::try_from(u32::from_be_bytes(*count)).ok()?;
        if rest.len() != count.checked_mul(68)? {
            return None;
        }
        let head = |bytes: &[u8]| {
            let (record_sm3, rest) = bytes.split_first_chunk::<32>()?;
            let (sequence, digest) = rest.split_first_chunk::<4>()?;
            Some(Head {
                record_sm3: Sm3Digest::new(*record_sm3),
                sequence: u32::from_be_bytes(*sequence),
                digest: Sm3Digest::new(digest.try_into().ok()?),
            })
        };
        Some(Self {
            batch: u64::from_be_bytes(*batch),
            tx_id: Sm3Digest::new(*tx_id),
            first_page: u64::from_be_bytes(*first_page),
            last_page: u64::from_be_bytes(*last_page),
            root: Sm3Digest::new(*root),
            heads: rest.chunks_exact(68).map(head).collect::<Option<_>>()?,
        })
    }
}

const FORMAT: u16 = 1;
const HEAD: u8 = 1;
const CERTIFICATE: u8 = 2;
const PAGE: u8 = 3;
const ANCHOR: u8 = 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use smkit::sm3::sm3;

    use super::*;

    fn frames() -> Vec<Frame> {
        let place = Place { offset: 77, slot: 3 };
        let page = PageFrame {
            number: 5,
            previous: sm3(b"4"),
            certificate_sm3: sm3(b"c"),
            slots: vec![(Place::NONE, [1; ENTRY_BYTES]), (place, [2; ENTRY_BYTES])],
            root: sm3(b"root"),
            signature: [9; 64],
        };
        let head = Head { record_sm3: sm3(b"r"), sequence: 2, digest: sm3(b"d") };
        let anchor = AnchorFrame {
            batch: 1,
            tx_id: sm3(b"tx"),
            first_page: 1,
            last_page: 5,
            root: sm3(b"heads"),
            heads: vec![head, head],
        };
        vec![
            Frame::Head { channel: "changchun".to_owned() },
            Frame::Certificate(vec![0x30, 0]),
            Frame::Page(page),
            Frame::Anchor(anchor),
        ]
    }

    #[test]
    fn frames_read_back() {
        for frame in frames() {
            let bytes = frame.to_bytes();
            let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>().unwrap();
            let length = payload_bytes(*head).unwrap();
            assert_eq!(rest.len(), length + 4);
            assert_eq!(Frame::from_payload(&rest[..length]), Some(frame));
        }
    }

    #[test]
    fn the_largest_page_and_anchor_fit_a_frame() {
        let page = PAGE_HEAD_BYTES + crate::limits::PAGE_ENTRIES_MAX * SLOT_BYTES + 96;
        let anchor = 93 + crate::limits::ANCHOR_HEADS_MAX * 68;
        assert!(page <= FRAME_BYTES_MAX && anchor <= FRAME_BYTES_MAX);
    }

    proptest! {
        #[test]
        fn any_flipped_bit_of_a_frame_is_noticed(which in 0_usize..4, at in 0_usize..100_000) {
            let mut bytes = frames()[which].to_bytes();
            let at = at % (bytes.len() * 8);
            bytes[at / 8] ^= 1 << (at % 8);
            let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>().unwrap();
            if let Some(length) = payload_bytes(*head) {
                let (payload, check) = rest.split_at(length);
                prop_assert!(crc32fast::hash(payload).to_be_bytes() != *check);
            }
        }

        #[test]
        fn other_payloads_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = Frame::from_payload(&bytes);
        }
    }
}
