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
