//! Where a block lies.

/// Where a block lies in the log, for the index to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    pub(crate) segment: u64,
    pub(crate) offset: u32,
    pub(crate) number: u64,
    pub(crate) frame_bytes: u32,
}

impl Position {
    /// Length of [`Position::to_bytes`].
    pub const BYTES: usize = 24;

    pub(crate) fn new(segment: u64, offset: u64, number: u64, frame_bytes: usize) -> Self {
        // Segments end soon after SEGMENT_BYTES_MAX and frames are bounded: both fit 32 bits.
        let fit = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        Self { segment, offset: fit(offset), number, frame_bytes: fit(frame_bytes as u64) }
    }

    /// Number of the block.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Bytes the block takes up in the log.
    #[must_use]
    pub fn frame_bytes(&self) -> u32 {
        self.frame_bytes
    }

    /// `u64 segment ‖ u64 number ‖ u32 offset ‖ u32 length`, big-endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut out = [0; Self::BYTES];
        let parts: [&[u8]; 4] = [
            &self.segment.to_be_bytes(),
            &self.number.to_be_bytes(),
            &self.offset.to_be_bytes(),
            &self.frame_bytes.to_be_bytes(),
        ];
        out.copy_from_slice(&parts.concat());
        out
    }

    /// The inverse of [`Position::to_bytes`]; `None` for another length.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (segment, rest) = bytes.split_first_chunk::<8>()?;
        let (number, rest) = rest.split_first_chunk::<8>()?;
        let (offset, rest) = rest.split_first_chunk::<4>()?;
        let frame_bytes: [u8; 4] = rest.try_into().ok()?;
        Some(Self {
            segment: u64::from_be_bytes(*segment),
            number: u64::from_be_bytes(*number),
            offset: u32::from_be_bytes(*offset),
            frame_bytes: u32::from_be_bytes(frame_bytes),
        })
    }
}
