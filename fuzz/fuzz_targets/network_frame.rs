//! Frames of a link: cut anywhere they are the same, and written again they are what was read.
#![no_main]

use bytes::{Bytes, BytesMut};
use changbai_network::frame::{self, Frame, FrameError};

const MOST: usize = 1_000;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("network_frame"), |data: &[u8]| {
    let Some((cut, data)) = data.split_first() else { return };
    let (whole, rest) = frames([data].into_iter());
    let (pieces, _) = frames(data.chunks(usize::from(*cut) + 1));
    assert_eq!(whole, pieces, "where the bytes are cut does not matter");
    let mut written = BytesMut::new();
    for frame in whole.0 {
        match frame {
            Frame::Control(control) => frame::write_control(&mut written, control),
            Frame::Message(bytes) => {
                assert!(bytes.len() <= MOST);
                frame::write_header(&mut written, &bytes);
                written.extend_from_slice(&bytes);
            }
        }
    }
    written.extend_from_slice(&rest);
    if whole.1.is_none() {
        assert_eq!(written, data, "a frame has two forms");
    }
});

type Read = (Vec<Frame>, Option<FrameError>);

/// What is read until the bytes end or are refused, and what is left then.
fn frames<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Read, Bytes) {
    let (mut buffer, mut frames) = (BytesMut::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match frame::read(&mut buffer, MOST) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return ((frames, Some(error)), Bytes::new()),
            }
        }
    }
    ((frames, None), buffer.freeze())
}
