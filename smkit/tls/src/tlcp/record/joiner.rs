//! Handshake messages put together from records: a message may span several, a record may hold several.

use crate::tlcp::{error::TlcpError, messages::Message};

/// Holds at most one incomplete message and one fragment.
#[derive(Debug, Default)]
pub(crate) struct Joiner {
    bytes: Vec<u8>,
    start: usize,
}

impl Joiner {
    pub(crate) fn push(&mut self, fragment: &[u8]) {
        self.bytes.drain(..self.start);
        self.start = 0;
        self.bytes.extend_from_slice(fragment);
    }

    /// The next complete message.
    ///
    /// # Errors
    /// As [`Message::read`].
    pub(crate) fn pop(&mut self) -> Result<Option<Message>, TlcpError> {
        let message = Message::read(self.bytes.get(self.start..).unwrap_or_default())?;
        if let Some(message) = &message {
            self.start += message.bytes().len();
        }
        Ok(message)
    }

    /// Nothing may be left where keys change: bytes before and after would mix in one message.
    pub(crate) const fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }
}
