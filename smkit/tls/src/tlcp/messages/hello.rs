//! `ClientHello` and `ServerHello` (GB/T 38636-2020 §6.4.5.2).

use super::{ClientExtensions, Message, MessageKind, ServerExtensions, VERSION};
use crate::tlcp::{
    codec::{Put, Reader},
    error::TlcpError,
};

/// A session's name: at most 32 bytes; empty means none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct SessionId {
    bytes: [u8; 32],
    length: u8,
}

impl SessionId {
    pub(crate) const NONE: Self = Self { bytes: [0; 32], length: 0 };

    pub(crate) const fn new(bytes: [u8; 32]) -> Self {
        Self { bytes, length: 32 }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.length == 0
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let given = reader.vector8()?;
        let mut bytes = [0; 32];
        bytes.get_mut(..given.len())?.copy_from_slice(given);
        Some(Self { bytes, length: u8::try_from(given.len()).ok()? })
    }
}

/// What a client offers.
#[derive(Clone, Debug)]
pub(crate) struct ClientHello {
    pub(crate) random: [u8; 32],
    pub(crate) session_id: SessionId,
    /// Identifiers, known or not, in the client's order.
    pub(crate) suites: Vec<u16>,
    pub(crate) extensions: ClientExtensions,
}

impl ClientHello {
    pub(crate) fn read(message: &Message) -> Result<Self, TlcpError> {
        const KIND: MessageKind = MessageKind::ClientHello;
        let mut reader = Reader::new(message.body());
        // The version decides how the rest is to be read: judged first, whatever else is wrong.
        version(&mut reader, KIND)?;
        let fields = (|| {
            let random = reader.array()?;
            let session_id = SessionId::read(&mut reader)?;
            let (suites, rest) = reader.vector16()?.as_chunks::<2>();
            let suites: Vec<u16> = suites.iter().map(|id| u16::from_be_bytes(*id)).collect();
            let compression = reader.vector8()?;
            let complete = rest.is_empty() && !suites.is_empty() && !compression.is_empty();
            complete.then_some((random, session_id, suites, compression))
        })();
        let malformed = TlcpError::Malformed { message: KIND };
        let (random, session_id, suites, compression) = fields.ok_or(malformed)?;
        if !compression.contains(&NO_COMPRESSION) {
            return Err(TlcpError::illegal(KIND, "compression methods"));
        }
        let extensions = ClientExtensions::read(reader)?;
        Ok(Self { random, session_id, suites, extensions })
    }

    pub(crate) fn write(&self) -> Message {
        Message::write(MessageKind::ClientHello, |out| {
            out.extend_from_slice(&VERSION);
            out.extend_from_slice(&self.random);
            out.put_vector::<1>(|out| out.extend_from_slice(self.session_id.as_bytes()));
            out.put_vector::<2>(|out| self.suites.iter().for_each(|id| out.put_u16(*id)));
            out.extend_from_slice(&[1, NO_COMPRESSION]);
            self.extensions.write(out);
        })
    }

    /// Whether the client knows secure renegotiation, by either way of saying so (RFC 5746 §3.4).
    pub(crate) fn signals_renegotiation_info(&self) -> bool {
        self.extensions.renegotiation_info || self.suites.contains(&RENEGOTIATION_SCSV)
    }
}

/// What a server chose.
#[derive(Clone, Debug)]
pub(crate) struct ServerHello {
    pub(crate) random: [u8; 32],
    pub(crate) session_id: SessionId,
    pub(crate) suite: u16,
    pub(crate) extensions: ServerExtensions,
}

impl ServerHello {
    pub(crate) fn read(message: &Message) -> Result<Self, TlcpError> {
        const KIND: MessageKind = MessageKind::ServerHello;
        let mut reader = Reader::new(message.body());
        version(&mut reader, KIND)?;
        let fields = (|| {
            let (random, session_id) = (reader.array()?, SessionId::read(&mut reader)?);
            Some((random, session_id, reader.u16()?, reader.u8()?))
        })();
        let malformed = TlcpError::Malformed { message: KIND };
        let (random, session_id, suite, compression) = fields.ok_or(malformed)?;
        if compression != NO_COMPRESSION {
            return Err(TlcpError::illegal(KIND, "compression method"));
        }
        let extensions = ServerExtensions::read(reader)?;
        Ok(Self { random, session_id, suite, extensions })
    }

    pub(crate) fn write(&self) -> Message {
        Message::write(MessageKind::ServerHello, |out| {
            out.extend_from_slice(&VERSION);
            out.extend_from_slice(&self.random);
            out.put_vector::<1>(|out| out.extend_from_slice(self.session_id.as_bytes()));
            out.put_u16(self.suite);
            out.push(NO_COMPRESSION);
            self.extensions.write(out);
        })
    }
}

/// Nothing is negotiated downwards: there is one version.
fn version(reader: &mut Reader<'_>, message: MessageKind) -> Result<(), TlcpError> {
    match reader.array() {
        Some(VERSION) => Ok(()),
        Some([major, minor]) => Err(TlcpError::ProtocolVersion { major, minor }),
        None => Err(TlcpError::Malformed { message }),
    }
}

/// “I understand secure renegotiation” (RFC 5746 §3.3): a server that allows a second handshake then cannot be tricked
/// into taking our first for another's second.
pub(crate) const RENEGOTIATION_SCSV: u16 = 0x00ff;
const NO_COMPRESSION: u8 = 0;
