//! A block with its identities taken out.

use std::collections::HashMap;
use std::sync::Arc;

use super::FrameError;
use crate::limits::{
    BLOCK_BYTES_MAX, DEFINITIONS_MAX, IDENTITY_BYTES_MAX, IDENTITY_BYTES_MIN, KNOWN_IDENTITIES_MAX,
};

/// [`Reference::frame_offset`] of an identity defined in the same frame.
const THIS_FRAME: u32 = u32::MAX;
const REFERENCE_BYTES: usize = 10;

/// Identities that one frame defines, shared with the cache of definitions.
pub(crate) type Definitions = Arc<Vec<Vec<u8>>>;

/// Where a segment defines an identity: frame offset and index.
pub(crate) type Known = HashMap<Vec<u8>, (u32, u16)>;

/// One identity's place in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    /// Literal bytes of the block before the identity.
    pub literal_bytes: u32,
    /// Offset, in the same segment, of the frame that defines it; `u32::MAX` for this frame.
    pub frame_offset: u32,
    /// Which of that frame's definitions.
    pub index: u16,
}

/// The content of a frame: a block with its identities taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Length of the block once it is whole again.
    pub block_bytes: u32,
    /// Identities defined here for the rest of the segment.
    pub definitions: Arc<Vec<Vec<u8>>>,
    /// Where identities go.
    pub references: Vec<Reference>,
    /// The rest of the block.
    pub literals: Vec<u8>,
}

impl Body {
    /// Takes `identities` out of `block`. Those not yet in `known` are defined here.
    pub(crate) fn split(block: &[u8], identities: &[&[u8]], known: &Known) -> Self {
        let mut wanted: Vec<&[u8]> = identities
            .iter()
            .copied()
            .filter(|i| (IDENTITY_BYTES_MIN..=IDENTITY_BYTES_MAX).contains(&i.len()))
            .collect();
        // The longest first: one identity may begin with another.
        wanted.sort_unstable_by_key(|i| std::cmp::Reverse(i.len()));
        wanted.dedup();
        let mut firsts = [false; 256];
        for first in wanted.iter().filter_map(|i| i.first()) {
            if let Some(slot) = firsts.get_mut(usize::from(*first)) {
                *slot = true;
            }
        }
        let mut body = Self {
            block_bytes: u32::try_from(block.len()).unwrap_or(u32::MAX),
            definitions: Arc::default(),
            references: Vec::new(),
            literals: Vec::with_capacity(block.len()),
        };
        let (mut definitions, mut defined) = (Vec::new(), HashMap::new());
        let (mut at, mut literal_start) = (0, 0);
        while let Some(rest) = block.get(at..).filter(|rest| !rest.is_empty()) {
            let candidate =
                rest.first().is_some_and(|b| firsts.get(usize::from(*b)) == Some(&true));
            let found =
                candidate.then(|| wanted.iter().find(|i| rest.starts_with(i))).flatten().copied();
            let place = found.and_then(|identity| {
                known
                    .get(identity)
                    .or_else(|| defined.get(identity))
                    .copied()
                    .or_else(|| define(identity, known.len(), &mut definitions, &mut defined))
            });
            let (Some(identity), Some((frame_offset, index))) = (found, place) else {
                at += 1;
                continue;
            };
            let literal = block.get(literal_start..at).unwrap_or_default();
            body.literals.extend(literal);
            let literal_bytes = u32::try_from(literal.len()).unwrap_or(u32::MAX);
            body.references.push(Reference { literal_bytes, frame_offset, index });
            at += identity.len();
            literal_start = at;
        }
        body.literals.extend(block.get(literal_start..).unwrap_or_default());
        body.definitions = Arc::new(definitions);
        body
    }

    /// Makes the block whole again, byte for byte. `definitions` finds those of another frame of
    /// the same segment by its offset.
    ///
    /// # Errors
    ///
    /// [`FrameError`] when an identity is missing or the lengths do not add up.
    pub fn block(
        &self,
        mut definitions: impl FnMut(u32) -> Result<Arc<Vec<Vec<u8>>>, FrameError>,
    ) -> Result<Vec<u8>, FrameError> {
        let length = self.block_bytes as usize;
        let mut out = Vec::with_capacity(length.min(BLOCK_BYTES_MAX));
        let mut literals = self.literals.as_slice();
        let mut last: Option<(u32, Definitions)> = None;
        for reference in &self.references {
            let literal;
            (literal, literals) = literals
                .split_at_checked(reference.literal_bytes as usize)
                .ok_or(FrameError::Malformed)?;
            out.extend_from_slice(literal);
            let table = match last.take() {
                Some((offset, table)) if offset == reference.frame_offset => table,
                _ if reference.frame_offset == THIS_FRAME => Arc::clone(&self.definitions),
                _ => definitions(reference.frame_offset)?,
            };
            let identity = table.get(usize::from(reference.index)).ok_or(FrameError::Reference)?;
            if out.len() + identity.len() > length {
                return Err(FrameError::Malformed);
            }
            out.extend_from_slice(identity);
            last = Some((reference.frame_offset, table));
        }
        if out.len() + literals.len() != length {
            return Err(FrameError::Malformed);
        }
        out.extend_from_slice(literals);
        Ok(out)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.literals.len() + 1_024);
        out.extend(self.block_bytes.to_be_bytes());
        out.extend(u16::try_from(self.definitions.len()).unwrap_or(u16::MAX).to_be_bytes());
        for identity in self.definitions.iter() {
            out.extend(u16::try_from(identity.len()).unwrap_or(u16::MAX).to_be_bytes());
            out.extend(identity);
        }
        out.extend(u32::try_from(self.references.len()).unwrap_or(u32::MAX).to_be_bytes());
        for reference in &self.references {
            out.extend(reference.literal_bytes.to_be_bytes());
            out.extend(reference.frame_offset.to_be_bytes());
            out.extend(reference.index.to_be_bytes());
        }
        out.extend(&self.literals);
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader(bytes);
        let block_bytes = reader.u32()?;
        if block_bytes as usize > BLOCK_BYTES_MAX {
            return Err(FrameError::TooLarge);
        }
        let count = usize::from(reader.u16()?);
        if count > DEFINITIONS_MAX {
            return Err(FrameError::TooLarge);
        }
        let mut definitions = Vec::with_capacity(count);
        for _ in 0..count {
            let length = usize::from(reader.u16()?);
            if !(IDENTITY_BYTES_MIN..=IDENTITY_BYTES_MAX).contains(&length) {
                return Err(FrameError::TooLarge);
            }
            definitions.push(reader.bytes(length)?.to_vec());
        }
        let count = reader.u32()? as usize;
        if count > reader.0.len() / REFERENCE_BYTES {
            return Err(FrameError::Short);
        }
        let mut references = Vec::with_capacity(count);
        for _ in 0..count {
            references.push(Reference {
                literal_bytes: reader.u32()?,
                frame_offset: reader.u32()?,
                index: reader.u16()?,
            });
        }
        Ok(Self {
            block_bytes,
            definitions: Arc::new(definitions),
            references,
            literals: reader.0.to_vec(),
        })
    }
}

/// Adds a definition to this frame, unless its tables are full.
fn define<'a>(
    identity: &'a [u8],
    known: usize,
    definitions: &mut Vec<Vec<u8>>,
    defined: &mut HashMap<&'a [u8], (u32, u16)>,
) -> Option<(u32, u16)> {
    if definitions.len() >= DEFINITIONS_MAX || known + definitions.len() >= KNOWN_IDENTITIES_MAX {
        return None;
    }
    let place = (THIS_FRAME, u16::try_from(definitions.len()).ok()?);
    definitions.push(identity.to_vec());
    defined.insert(identity, place);
    Some(place)
}

/// A cursor that never reads beyond its end.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn bytes(&mut self, length: usize) -> Result<&'a [u8], FrameError> {
        let (head, rest) = self.0.split_at_checked(length).ok_or(FrameError::Short)?;
        self.0 = rest;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], FrameError> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(FrameError::Short)?;
        self.0 = rest;
        Ok(*head)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, FrameError> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, FrameError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, FrameError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, FrameError> {
        Ok(u64::from_be_bytes(self.array()?))
    }
}
