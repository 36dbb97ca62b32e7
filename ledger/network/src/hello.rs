//! The opening of a link: four messages that tie a ledger identity to a GM TLS connection.
//!
//! Both sides send a [`Greeting`] with a fresh nonce. The side that dialled names the channel and shows its
//! identity in a [`Hello`]; only a member of that channel gets one in return. A [verdict](Message::Verdict) of the
//! dialling side ends the opening. Each signature covers the channel and its genesis block, the
//! stream, both nonces, both leaf certificates of the connection, who dialled and who speaks: it holds on
//! no other connection, in no other direction and for no other stream.

use bytes::{Buf, BufMut as _};
use changbai_wire::limits::IDENTITY_BYTES_MAX;
use smkit::sm2::Signature;
use smkit::{Sm3Digest, sm3};

use crate::{codes::Reason, kind::StreamKind};

/// Version of opening and frames; another one is refused by name.
pub const VERSION: u8 = 1;
/// Domain-separation string of the signatures.
pub const DOMAIN: &[u8] = b"changbai/network/hello/v1";
/// Longest channel id, in bytes.
pub const CHANNEL_BYTES_MAX: usize = 249;
const MAGIC: &[u8; 8] = b"changbai";

/// First message of both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// Version of the sender.
    pub version: u8,
    /// Fresh random bytes.
    pub nonce: [u8; 32],
}

impl Greeting {
    /// Length of a greeting.
    pub const BYTES: usize = 8 + 1 + 32;

    /// The message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        [MAGIC.as_slice(), &[self.version], &self.nonce].concat()
    }

    /// Reads one of any version; the rest of another version's may look different.
    ///
    /// # Errors
    /// [`Reason::Malformed`], [`Reason::Version`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Reason> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(Reason::Malformed)?;
        let (&version, nonce) = rest.split_first().ok_or(Reason::Malformed)?;
        if version != VERSION {
            return Err(Reason::Version);
        }
        let nonce = nonce.try_into().map_err(|_| Reason::Malformed)?;
        Ok(Self { version, nonce })
    }
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The side that dialled.
    Dialler,
    /// The side that was dialled.
    Acceptor,
}

/// Everything that both sides know before the first signature.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    /// The channel's id.
    pub channel: &'a str,
    /// Hash of its genesis header.
    pub genesis: Sm3Digest,
    /// The stream.
    pub kind: StreamKind,
    /// Nonce of the dialler.
    pub dialler_nonce: [u8; 32],
    /// Nonce of the acceptor.
    pub acceptor_nonce: [u8; 32],
    /// SM3 of the identity that the dialler shows.
    pub dialler: Sm3Digest,
    /// SM3 of the leaf certificate that the dialler shows on the connection.
    pub dialler_tls: Sm3Digest,
    /// SM3 of the leaf certificate that the acceptor shows.
    pub acceptor_tls: Sm3Digest,
}

impl Opening<'_> {
    /// What a side signs: `identity` is its own, `incarnation` its own.
    #[must_use]
    pub fn message(&self, side: Side, incarnation: u64, identity: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(DOMAIN.len() + 256);
        out.extend_from_slice(DOMAIN);
        out.push(match side {
            Side::Dialler => 1,
            Side::Acceptor => 2,
        });
        out.push(VERSION);
        out.push(self.kind.code());
        out.put_u64(incarnation);
        out.put_u16(u16::try_from(self.channel.len()).unwrap_or(u16::MAX));
        out.extend_from_slice(self.channel.as_bytes());
        out.extend_from_slice(self.genesis.as_bytes());
        out.extend_from_slice(&self.dialler_nonce);
        out.extend_from_slice(&self.acceptor_nonce);
        out.extend_from_slice(self.dialler.as_bytes());
        out.extend_from_slice(self.dialler_tls.as_bytes());
        out.extend_from_slice(self.acceptor_tls.as_bytes());
        out.extend_from_slice(sm3(identity).as_bytes());
        out
    }
}

/// Messages after the greeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The dialler's.
    Hello(Hello),
    /// The acceptor's answer to a member.
    Welcome(Proof),
    /// The end: 0, or the number of a [`Reason`].
    Verdict(u16),
}

/// What the dialler wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The stream.
    pub kind: StreamKind,
    /// The channel's id.
    pub channel: String,
    /// Hash of its genesis header.
    pub genesis: Sm3Digest,
    /// Who it is.
    pub proof: Proof,
}

/// Who somebody is, and the signature over [`Opening::message`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// A random number of the sender's process: links of an earlier one are dead.
    pub incarnation: u64,
    /// `msp.SerializedIdentity`.
    pub identity: Vec<u8>,
    /// By the identity's key.
    pub signature: Signature,
}

impl Message {
    /// The message's one encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Hello(hello) => {
                out.push(1);
                out.push(hello.kind.code());
                out.put_u8(u8::try_from(hello.channel.len()).unwrap_or(u8::MAX));
                out.extend_from_slice(hello.channel.as_bytes());
                out.extend_from_slice(hello.genesis.as_bytes());
                hello.proof.write(&mut out);
            }
            Self::Welcome(proof) => {
                out.push(2);
                proof.write(&mut out);
            }
            Self::Verdict(number) => {
                out.push(3);
                out.put_u16(*number);
            }
        }
        out
    }

    /// Reads a message strictly.
    ///
    /// # Errors
    /// [`Reason::Malformed`] for any other bytes than an encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, Reason> {
        Self::read(&mut &*bytes).ok_or(Reason::Malformed)
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let message = match bytes.try_get_u8().ok()? {
            1 => {
                let kind = StreamKind::from_code(bytes.try_get_u8().ok()?)?;
                let length = usize::from(bytes.try_get_u8().ok()?);
                if !(1..=CHANNEL_BYTES_MAX).contains(&length) {
                    return None;
                }
                let channel = str::from_utf8(take(bytes, length)?).ok()?.to_owned();
                let genesis = Sm3Digest::from_slice(take(bytes, 32)?).ok()?;
                Self::Hello(Hello { kind, channel, genesis, proof: Proof::read(bytes)? })
            }
            2 => Self::Welcome(Proof::read(bytes)?),
            3 => Self::Verdict(bytes.try_get_u16().ok()?),
            _ => return None,
        };
        bytes.is_empty().then_some(message)
    }
}

impl Proof {
    fn write(&self, out: &mut Vec<u8>) {
        out.put_u64(self.incarnation);
        out.put_u16(u16::try_from(self.identity.len()).unwrap_or(u16::MAX));
        out.extend_from_slice(&self.identity);
        out.extend_from_slice(&self.signature.to_bytes());
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let incarnation = bytes.try_get_u64().ok()?;
        let length = usize::from(bytes.try_get_u16().ok()?);
        if !(1..=IDENTITY_BYTES_MAX).contains(&length) {
            return None;
        }
        let identity = take(bytes, length)?.to_vec();
        let signature = take(bytes, 64)?.try_into().ok()?;
        let signature = Signature::from_bytes(signature).ok()?;
        Some(Self { incarnation, identity, signature })
    }
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use smkit::OsRandom;
    use smkit::sm2::{PrivateKey, SignerId, SigningKey};

    use super::*;

    fn opening() -> Opening<'static> {
        Opening {
            channel: "city",
            genesis: Sm3Digest::new([1; 32]),
            kind: StreamKind::Consensus,
            dialler_nonce: [2; 32],
            acceptor_nonce: [3; 32],
            dialler: Sm3Digest::new([4; 32]),
            dialler_tls: Sm3Digest::new([5; 32]),
            acceptor_tls: Sm3Digest::new([6; 32]),
        }
    }

    fn messages() -> Vec<Message> {
        let key = PrivateKey::generate(&mut OsRandom).unwrap();
        let key = SigningKey::new(key, SignerId::DEFAULT).unwrap();
        let identity = vec![9; 300];
        let signature = key.sign(&opening().message(Side::Dialler, 7, &identity));
        let proof = Proof { incarnation: 7, identity, signature };
        let (kind, channel) = (StreamKind::Sync, "city".to_owned());
        let genesis = Sm3Digest::new([1; 32]);
        vec![
            Message::Hello(Hello { kind, channel, genesis, proof: proof.clone() }),
            Message::Welcome(proof),
            Message::Verdict(0),
            Message::Verdict(1101),
        ]
    }

    #[test]
    fn messages_have_one_encoding() {
        for message in messages() {
            let bytes = message.encode();
            assert_eq!(Message::decode(&bytes), Ok(message.clone()));
            for end in 0..bytes.len() {
                assert_eq!(Message::decode(&bytes[..end]), Err(Reason::Malformed));
            }
            assert_eq!(Message::decode(&[&bytes[..], &[0]].concat()), Err(Reason::Malformed));
            for bit in 0..bytes.len() * 8 {
                let mut other = bytes.clone();
                other[bit / 8] ^= 1 << (bit % 8);
                // Refused, or another message: then the signature is about something else.
                if let Ok(other) = Message::decode(&other) {
                    assert_ne!(other, message);
                }
            }
        }
    }

    #[test]
    fn whatever_differs_is_signed_differently() {
        let whole = opening();
        let other = Sm3Digest::new([99; 32]);
        let all = [
            whole.message(Side::Dialler, 1, b"a"),
            whole.message(Side::Acceptor, 1, b"a"),
            whole.message(Side::Dialler, 2, b"a"),
            whole.message(Side::Dialler, 1, b"b"),
            Opening { channel: "town", ..whole }.message(Side::Dialler, 1, b"a"),
            Opening { genesis: other, ..whole }.message(Side::Dialler, 1, b"a"),
            Opening { kind: StreamKind::Calls, ..whole }.message(Side::Dialler, 1, b"a"),
            Opening { dialler_nonce: [9; 32], ..whole }.message(Side::Dialler, 1, b"a"),
            Opening { acceptor_nonce: [9; 32], ..whole }.message(Side::Dialler, 1, b"a"),
            Opening { dialler: other, ..whole }.message(Side::Dialler, 1, b"a"),
            Opening { dialler_tls: other, ..whole }.message(Side::Dialler, 1, b"a"),
            Opening { acceptor_tls: other, ..whole }.message(Side::Dialler, 1, b"a"),
        ];
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn greetings_of_another_version_are_known_as_such() {
        let greeting = Greeting { version: VERSION, nonce: [5; 32] };
        let bytes = greeting.encode();
        assert_eq!((bytes.len(), Greeting::decode(&bytes)), (Greeting::BYTES, Ok(greeting)));
        let later = Greeting { version: VERSION + 1, ..greeting }.encode();
        assert_eq!(Greeting::decode(&[&later[..], b"more"].concat()), Err(Reason::Version));
        assert_eq!(Greeting::decode(b"GET / HTTP/1.1"), Err(Reason::Malformed));
        assert_eq!(Greeting::decode(&bytes[..40]), Err(Reason::Malformed));
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_are_an_encoding(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(message) = Message::decode(&bytes) {
                prop_assert_eq!(message.encode(), bytes);
            }
        }
    }
}
