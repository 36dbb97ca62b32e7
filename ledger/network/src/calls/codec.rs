//! Messages on the stream of calls: tag u8 ‖ id u32 ‖ what the tag says, big-endian.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use thiserror::Error;

use super::CallRefusal;
use crate::limits::{CALL_BYTES_MAX, CALL_CODE_BYTES_MAX, CALL_TEXT_BYTES_MAX};

/// A call, or what became of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallMessage {
    /// Please answer.
    Request {
        /// Chosen by the caller, unique among its open calls on this link.
        id: u32,
        /// What is asked.
        method: u8,
        /// How long the caller waits, in milliseconds.
        deadline_ms: u32,
        /// The question.
        request: Bytes,
    },
    /// The answer.
    Answer {
        /// Of that call.
        id: u32,
        /// The answer.
        answer: Bytes,
    },
    /// The question is refused.
    Refused {
        /// Of that call.
        id: u32,
        /// Why.
        refusal: CallRefusal,
    },
    /// Too many calls are being worked on: later, perhaps.
    Busy {
        /// Of that call.
        id: u32,
    },
}

/// Bytes that are no message on the stream of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a message on the stream of calls is malformed")]
pub struct CallMalformed;

impl CallMessage {
    /// The message's one encoding; texts of refusals are cut to their bounds.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(16 + self.payload().len());
        match self {
            Self::Request { id, method, deadline_ms, request } => {
                out.put_u8(1);
                out.put_u32(*id);
                out.put_u8(*method);
                out.put_u32(*deadline_ms);
                out.put_slice(request);
            }
            Self::Answer { id, answer } => {
                out.put_u8(2);
                out.put_u32(*id);
                out.put_slice(answer);
            }
            Self::Refused { id, refusal } => {
                out.put_u8(3);
                out.put_u32(*id);
                let code = cut(&refusal.code, CALL_CODE_BYTES_MAX);
                out.put_u8(u8::try_from(code.len()).unwrap_or(0));
                out.put_slice(code.as_bytes());
                out.put_slice(cut(&refusal.text, CALL_TEXT_BYTES_MAX).as_bytes());
            }
            Self::Busy { id } => {
                out.put_u8(4);
                out.put_u32(*id);
            }
        }
        out.freeze()
    }

    /// Reads a message strictly; payloads share the bytes.
    ///
    /// # Errors
    /// [`CallMalformed`] for any other bytes than an encoding.
    pub fn decode(bytes: Bytes) -> Result<Self, CallMalformed> {
        Self::read(bytes).ok_or(CallMalformed)
    }

    fn read(mut bytes: Bytes) -> Option<Self> {
        let tag = bytes.try_get_u8().ok()?;
        let id = bytes.try_get_u32().ok()?;
        match tag {
            1 => {
                let method = bytes.try_get_u8().ok()?;
                let deadline_ms = bytes.try_get_u32().ok()?;
                let fits = bytes.len() <= CALL_BYTES_MAX;
                fits.then_some(Self::Request { id, method, deadline_ms, request: bytes })
            }
            2 => (bytes.len() <= CALL_BYTES_MAX).then_some(Self::Answer { id, answer: bytes }),
            3 => {
                let length = usize::from(bytes.try_get_u8().ok()?);
                if length > CALL_CODE_BYTES_MAX || length > bytes.len() {
                    return None;
                }
                let code = bytes.split_to(length);
                if bytes.len() > CALL_TEXT_BYTES_MAX {
                    return None;
                }
                let code = str::from_utf8(&code).ok()?.to_owned();
                let text = str::from_utf8(&bytes).ok()?.to_owned();
                Some(Self::Refused { id, refusal: CallRefusal { code, text } })
            }
            4 => bytes.is_empty().then_some(Self::Busy { id }),
            _ => None,
        }
    }

    fn payload(&self) -> &[u8] {
        match self {
            Self::Request { request, .. } => request,
            Self::Answer { answer, .. } => answer,
            Self::Refused { refusal, .. } => refusal.text.as_bytes(),
            Self::Busy { .. } => &[],
        }
    }
}

/// The longest beginning of `text` within `bytes_max` that ends between characters.
fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn messages() -> impl Strategy<Value = CallMessage> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..64).prop_map(Bytes::from);
        prop_oneof![
            (any::<u32>(), any::<u8>(), any::<u32>(), bytes()).prop_map(
                |(id, method, deadline_ms, request)| {
                    CallMessage::Request { id, method, deadline_ms, request }
                }
            ),
            (any::<u32>(), bytes()).prop_map(|(id, answer)| CallMessage::Answer { id, answer }),
            (any::<u32>(), "[A-Z0-9-]{0,32}", "\\PC{0,64}").prop_map(|(id, code, text)| {
                CallMessage::Refused { id, refusal: CallRefusal { code, text } }
            }),
            any::<u32>().prop_map(|id| CallMessage::Busy { id }),
        ]
    }

    proptest! {
        #[test]
        fn messages_come_back(message in messages()) {
            prop_assert_eq!(CallMessage::decode(message.encode()), Ok(message));
        }

        #[test]
        fn a_flipped_bit_is_another_message_or_none(message in messages(), at in any::<prop::sample::Index>(), bit in 0..8) {
            let mut bytes = message.encode().to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= 1_u8 << bit;
            prop_assert_ne!(CallMessage::decode(bytes.into()), Ok(message));
        }

        #[test]
        fn any_bytes_are_refused_or_are_an_encoding(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let bytes = Bytes::from(bytes);
            if let Ok(message) = CallMessage::decode(bytes.clone()) {
                prop_assert_eq!(message.encode(), bytes);
            }
        }
    }

    #[test]
    fn texts_are_cut_between_characters_and_lengths_are_bounded() {
        let refusal = CallRefusal { code: "长".repeat(20), text: "白".repeat(1_000) };
        let message = CallMessage::Refused { id: 1, refusal };
        let Ok(CallMessage::Refused { refusal, .. }) = CallMessage::decode(message.encode()) else {
            panic!("it decodes");
        };
        assert_eq!((refusal.code.len(), refusal.text.len()), (30, 1_023));
        let request = Bytes::from(vec![0; CALL_BYTES_MAX + 1]);
        let long = CallMessage::Request { id: 1, method: 1, deadline_ms: 1, request };
        assert_eq!(CallMessage::decode(long.encode()), Err(CallMalformed));
    }
}
