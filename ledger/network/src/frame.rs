//! Frames on a link: u32 length ‖ bytes. With the top bit of the length set, a control frame.
//!
//! The length is compared with the stream's bound before memory is taken, and memory grows only as
//! bytes arrive.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use thiserror::Error;

/// Length of a frame's header, in bytes.
pub const HEADER_BYTES: usize = 4;
const CONTROL: u32 = 1 << 31;
const CONTROL_BYTES: u32 = 9;

/// What arrives on a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A message of the stream.
    Message(Bytes),
    /// About the link itself.
    Control(Control),
}

/// Says something about the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Please answer with the same number.
    Ping(u64),
    /// The answer.
    Pong(u64),
    /// The sender ends the link, for the reason with this number.
    Bye(u16),
}

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Longer than the stream allows.
    #[error("a frame of {found} bytes: {most} are allowed")]
    TooLong {
        /// The length announced.
        found: usize,
        /// The bound.
        most: usize,
    },
    /// A control frame of another form.
    #[error("a control frame is malformed")]
    Control,
}

/// Takes the first frame off `buffer`; `None` while it is incomplete.
///
/// # Errors
/// [`FrameError`]; the stream cannot be read on.
pub fn read(buffer: &mut BytesMut, bytes_max: usize) -> Result<Option<Frame>, FrameError> {
    let Some(header) = buffer.first_chunk::<HEADER_BYTES>() else { return Ok(None) };
    let header = u32::from_be_bytes(*header);
    if header & CONTROL != 0 {
        return read_control(buffer, header & !CONTROL);
    }
    let length = usize::try_from(header).unwrap_or(usize::MAX);
    if length > bytes_max {
        return Err(FrameError::TooLong { found: length, most: bytes_max });
    }
    if buffer.len() - HEADER_BYTES < length {
        return Ok(None);
    }
    buffer.advance(HEADER_BYTES);
    Ok(Some(Frame::Message(buffer.split_to(length).freeze())))
}

/// Appends the header of a message; the message follows.
pub fn write_header(out: &mut BytesMut, message: &[u8]) {
    // Messages are bounded far below by their stream; a longer one would be refused over there.
    out.put_u32(u32::try_from(message.len()).unwrap_or(CONTROL - 1) & !CONTROL);
}

/// Appends a control frame.
pub fn write_control(out: &mut BytesMut, control: Control) {
    let (tag, number) = match control {
        Control::Ping(number) => (1, number),
        Control::Pong(number) => (2, number),
        Control::Bye(reason) => (3, u64::from(reason)),
    };
    out.put_u32(CONTROL | CONTROL_BYTES);
    out.put_u8(tag);
    out.put_u64(number);
}

fn read_control(buffer: &mut BytesMut, length: u32) -> Result<Option<Frame>, FrameError> {
    if length != CONTROL_BYTES {
        return Err(FrameError::Control);
    }
    if buffer.len() < HEADER_BYTES + CONTROL_BYTES as usize {
        return Ok(None);
    }
    buffer.advance(HEADER_BYTES);
    let tag = buffer.get_u8();
    let number = buffer.get_u64();
    let control = match tag {
        1 => Control::Ping(number),
        2 => Control::Pong(number),
        3 => Control::Bye(u16::try_from(number).map_err(|_| FrameError::Control)?),
        _ => return Err(FrameError::Control),
    };
    Ok(Some(Frame::Control(control)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(frame: &Frame) -> BytesMut {
        let mut out = BytesMut::new();
        match frame {
            Frame::Message(bytes) => {
                write_header(&mut out, bytes);
                out.extend_from_slice(bytes);
            }
            Frame::Control(control) => write_control(&mut out, *control),
        }
        out
    }

    fn frames() -> impl Strategy<Value = Frame> {
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200)
                .prop_map(|bytes| Frame::Message(bytes.into())),
            any::<u64>().prop_map(|number| Frame::Control(Control::Ping(number))),
            any::<u64>().prop_map(|number| Frame::Control(Control::Pong(number))),
            any::<u16>().prop_map(|number| Frame::Control(Control::Bye(number))),
        ]
    }

    proptest! {
        #[test]
        fn frames_come_back_however_they_are_cut(
            sent in proptest::collection::vec(frames(), 0..8),
            cut in 1_usize..64,
        ) {
            let bytes: Vec<u8> = sent.iter().flat_map(written).collect();
            let (mut buffer, mut received) = (BytesMut::new(), Vec::new());
            for piece in bytes.chunks(cut) {
                buffer.extend_from_slice(piece);
                while let Some(frame) = read(&mut buffer, 200).unwrap() {
                    received.push(frame);
                }
            }
            prop_assert_eq!(received, sent);
            prop_assert!(buffer.is_empty());
        }

        #[test]
        fn a_flipped_bit_never_yields_the_same_frame(sent in frames(), at in any::<prop::sample::Index>(), bit in 0..8) {
            let mut bytes = written(&sent);
            let at = at.index(bytes.len());
            bytes[at] ^= 1_u8 << bit;
            prop_assert_ne!(read(&mut bytes, 200), Ok(Some(sent)));
        }
    }

    #[test]
    fn a_length_beyond_the_bound_is_refused_before_its_bytes_arrive() {
        let mut header = BytesMut::from(&201_u32.to_be_bytes()[..]);
        assert_eq!(read(&mut header, 200), Err(FrameError::TooLong { found: 201, most: 200 }));
        let mut header = BytesMut::from(&(CONTROL | 8).to_be_bytes()[..]);
        assert_eq!(read(&mut header, 200), Err(FrameError::Control));
    }
}
