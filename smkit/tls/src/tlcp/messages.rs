//! The handshake messages (GB/T 38636-2020 §6.4.5): read completely and strictly, written in one form.

mod extensions;
mod hello;
mod key_exchange;

use std::fmt;

use super::{
    codec::{Put, Reader},
    error::TlcpError,
    limits::{CERTIFICATE_MESSAGE_BYTES_MAX, CHAIN_CERTIFICATES_MAX, MESSAGE_BYTES_MAX},
};

pub(crate) use extensions::{ClientExtensions, ServerExtensions};
pub(crate) use hello::{ClientHello, RENEGOTIATION_SCSV, ServerHello, SessionId};
pub(crate) use key_exchange::{
    EcdheParams, put_ciphertext, put_signature, read_ciphertext, read_signature,
};

/// Kinds of handshake messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MessageKind {
    /// 0.
    HelloRequest,
    /// 1.
    ClientHello,
    /// 2.
    ServerHello,
    /// 11.
    Certificate,
    /// 12.
    ServerKeyExchange,
    /// 13.
    CertificateRequest,
    /// 14.
    ServerHelloDone,
    /// 15.
    CertificateVerify,
    /// 16.
    ClientKeyExchange,
    /// 20.
    Finished,
}

impl MessageKind {
    const ALL: [Self; 10] = [
        Self::HelloRequest,
        Self::ClientHello,
        Self::ServerHello,
        Self::Certificate,
        Self::ServerKeyExchange,
        Self::CertificateRequest,
        Self::ServerHelloDone,
        Self::CertificateVerify,
        Self::ClientKeyExchange,
        Self::Finished,
    ];

    /// The number on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::HelloRequest => 0,
            Self::ClientHello => 1,
            Self::ServerHello => 2,
            Self::Certificate => 11,
            Self::ServerKeyExchange => 12,
            Self::CertificateRequest => 13,
            Self::ServerHelloDone => 14,
            Self::CertificateVerify => 15,
            Self::ClientKeyExchange => 16,
            Self::Finished => 20,
        }
    }

    /// The standard's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HelloRequest => "HelloRequest",
            Self::ClientHello => "ClientHello",
            Self::ServerHello => "ServerHello",
            Self::Certificate => "Certificate",
            Self::ServerKeyExchange => "ServerKeyExchange",
            Self::CertificateRequest => "CertificateRequest",
            Self::ServerHelloDone => "ServerHelloDone",
            Self::CertificateVerify => "CertificateVerify",
            Self::ClientKeyExchange => "ClientKeyExchange",
            Self::Finished => "Finished",
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    const fn bytes_max(self) -> usize {
        match self {
            Self::Certificate => CERTIFICATE_MESSAGE_BYTES_MAX,
            _ => MESSAGE_BYTES_MAX,
        }
    }
}

impl fmt::Display for MessageKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// One message as received or sent, header included: the transcript covers exactly these bytes.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) kind: MessageKind,
    bytes: Vec<u8>,
}

impl Message {
    /// Writes a message.
    pub(crate) fn write(kind: MessageKind, fill: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut bytes = vec![kind.code()];
        bytes.put_vector::<3>(fill);
        Self { kind, bytes }
    }

    /// Takes a complete message from the front of `bytes`; `None` while it is incomplete.
    ///
    /// # Errors
    /// An unknown kind or a length above the kind's bound, as soon as the header is there.
    pub(crate) fn read(bytes: &[u8]) -> Result<Option<Self>, TlcpError> {
        let mut reader = Reader::new(bytes);
        let (Some(code), Some(body)) = (reader.u8(), reader.u24()) else { return Ok(None) };
        let kind = MessageKind::from_code(code).ok_or(TlcpError::UnknownMessage { kind: code })?;
        if body > kind.bytes_max() {
            let bytes_max = kind.bytes_max();
            return Err(TlcpError::Oversized { message: kind, bytes: body, bytes_max });
        }
        let message = bytes.get(..HEADER_BYTES + body);
        Ok(message.map(|bytes| Self { kind, bytes: bytes.to_vec() }))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Without the header.
    pub(crate) fn body(&self) -> &[u8] {
        self.bytes.get(HEADER_BYTES..).unwrap_or_default()
    }

    /// Reads the whole body with `read`.
    pub(crate) fn parse<'a, T>(
        &'a self,
        read: impl FnOnce(&mut Reader<'a>) -> Option<T>,
    ) -> Result<T, TlcpError> {
        Reader::whole(self.body(), read).ok_or(TlcpError::Malformed { message: self.kind })
    }
}

/// Certificates as DER, in the order of the message (§6.4.5.3).
pub(crate) fn certificate_list<'a>(reader: &mut Reader<'a>) -> Option<Vec<&'a [u8]>> {
    let mut list = Reader::new(reader.vector24()?);
    let mut found = Vec::new();
    while !list.is_empty() {
        found.push(list.vector24().filter(|der| !der.is_empty())?);
        if found.len() > CHAIN_CERTIFICATES_MAX {
            break;
        }
    }
    Some(found)
}

pub(crate) fn put_certificate_list<'a>(
    out: &mut Vec<u8>,
    certificates: impl Iterator<Item = &'a [u8]>,
) {
    out.put_vector::<3>(|out| {
        for der in certificates {
            out.put_vector::<3>(|out| out.extend_from_slice(der));
        }
    });
}

/// Kinds of certificates and names of authorities (§6.4.5.5); nothing in it binds the client, so only its form counts.
pub(crate) fn certificate_request(reader: &mut Reader<'_>) -> Option<()> {
    reader.vector8().filter(|types| !types.is_empty())?;
    let mut names = Reader::new(reader.vector16()?);
    while !names.is_empty() {
        names.vector16().filter(|name| !name.is_empty())?;
    }
    Some(())
}

pub(crate) fn put_certificate_request(out: &mut Vec<u8>, authorities: &[Vec<u8>]) {
    out.extend_from_slice(&[1, ECDSA_SIGN]);
    out.put_vector::<2>(|out| {
        for name in authorities {
            out.put_vector::<2>(|out| out.extend_from_slice(name));
        }
    });
}

/// Type, and length in 24 bits.
pub(crate) const HEADER_BYTES: usize = 4;
/// The certificate type of SM2 keys in `CertificateRequest`.
const ECDSA_SIGN: u8 = 64;
/// TLCP 1.1.
pub(crate) const VERSION: [u8; 2] = [1, 1];
