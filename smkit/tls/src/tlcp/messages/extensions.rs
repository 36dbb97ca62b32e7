//! Extensions of the hellos (GM/T 0024-2023; RFC 5246 §7.4.1.4, RFC 5746, RFC 6066 §3, RFC 7301). A hello without any is
//! legal; unknown ones are ignored; none may occur twice.

use super::{MessageKind, key_exchange::CURVE_SM2};
use crate::tlcp::{
    codec::{Put, Reader},
    error::TlcpError,
    limits::EXTENSIONS_MAX,
    name,
};

/// What a client says in extensions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientExtensions {
    /// DNS name of the server it wants, in lower case.
    pub(crate) server_name: Option<String>,
    /// Groups it can use; `None` when it does not say.
    pub(crate) groups: Option<Vec<u16>>,
    /// Signature schemes it can check; `None` when it does not say. Every suite here implies SM2, so nothing is chosen
    /// by them.
    pub(crate) signature_schemes: Option<Vec<u16>>,
    /// Application protocols in its order; empty when it does not say.
    pub(crate) alpn: Vec<Vec<u8>>,
    /// It sent `renegotiation_info`.
    pub(crate) renegotiation_info: bool,
}

impl ClientExtensions {
    /// What a client of ours always says.
    pub(crate) fn ours() -> Self {
        Self {
            groups: Some(vec![CURVE_SM2]),
            signature_schemes: Some(vec![SM2SIG_SM3]),
            ..Self::default()
        }
    }

    pub(crate) fn read(reader: Reader<'_>) -> Result<Self, TlcpError> {
        const KIND: MessageKind = MessageKind::ClientHello;
        let malformed = || TlcpError::Malformed { message: KIND };
        let mut found = Self::default();
        for (number, content) in list(reader, KIND)? {
            match number {
                SERVER_NAME => {
                    found.server_name = Some(server_name(content).ok_or_else(malformed)?);
                }
                SUPPORTED_GROUPS => {
                    found.groups = Some(Reader::whole(content, numbers).ok_or_else(malformed)?);
                }
                SIGNATURE_ALGORITHMS => {
                    let schemes = Reader::whole(content, numbers).ok_or_else(malformed)?;
                    found.signature_schemes = Some(schemes);
                }
                ALPN => found.alpn = Reader::whole(content, protocols).ok_or_else(malformed)?,
                // Empty in a first handshake (RFC 5746 §3.6), and there is no other.
                RENEGOTIATION_INFO if content == [0] => found.renegotiation_info = true,
                RENEGOTIATION_INFO => return Err(TlcpError::illegal(KIND, "renegotiation_info")),
                _ => {}
            }
        }
        Ok(found)
    }

    /// Writes nothing at all when nothing is to be said.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        put_list(out, |out| {
            if let Some(name) = &self.server_name {
                put_extension(out, SERVER_NAME, |out| {
                    out.put_vector::<2>(|out| {
                        out.push(HOST_NAME);
                        out.put_vector::<2>(|out| out.extend_from_slice(name.as_bytes()));
                    });
                });
            }
            let lists =
                [(SUPPORTED_GROUPS, &self.groups), (SIGNATURE_ALGORITHMS, &self.signature_schemes)];
            for (number, values) in lists {
                let Some(values) = values else { continue };
                put_extension(out, number, |out| {
                    out.put_vector::<2>(|out| values.iter().for_each(|value| out.put_u16(*value)));
                });
            }
            if !self.alpn.is_empty() {
                put_extension(out, ALPN, |out| put_protocols(out, &self.alpn));
            }
            if self.renegotiation_info {
                put_extension(out, RENEGOTIATION_INFO, |out| out.push(0));
            }
        });
    }

    /// Whether the key exchange on curveSM2 is open to this client: it said so, or said nothing.
    pub(crate) fn allow_sm2_exchange(&self) -> bool {
        self.groups.as_ref().is_none_or(|groups| groups.contains(&CURVE_SM2))
    }
}

/// What a server answers in extensions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerExtensions {
    /// It acknowledges the server name.
    pub(crate) server_name: bool,
    /// The application protocol it chose.
    pub(crate) alpn: Option<Vec<u8>>,
    /// It answers `renegotiation_info`.
    pub(crate) renegotiation_info: bool,
}

impl ServerExtensions {
    /// An extension that no client of ours sends is refused here.
    pub(crate) fn read(reader: Reader<'_>) -> Result<Self, TlcpError> {
        const KIND: MessageKind = MessageKind::ServerHello;
        let malformed = || TlcpError::Malformed { message: KIND };
        let mut found = Self::default();
        for (number, content) in list(reader, KIND)? {
            match number {
                SERVER_NAME if content.is_empty() => found.server_name = true,
                SERVER_NAME => return Err(malformed()),
                ALPN => {
                    let mut chosen = Reader::whole(content, protocols).ok_or_else(malformed)?;
                    found.alpn = chosen.pop();
                    if !chosen.is_empty() {
                        return Err(malformed());
                    }
                }
                RENEGOTIATION_INFO if content == [0] => found.renegotiation_info = true,
                RENEGOTIATION_INFO => return Err(TlcpError::illegal(KIND, "renegotiation_info")),
                // Groups are answered by no standard, yet by servers in the field; they bind nobody.
                SUPPORTED_GROUPS | EC_POINT_FORMATS => {}
                _ => return Err(TlcpError::UnsolicitedExtension { extension: number }),
            }
        }
        Ok(found)
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        put_list(out, |out| {
            if self.server_name {
                put_extension(out, SERVER_NAME, |_| ());
            }
            if let Some(protocol) = &self.alpn {
                let protocol = std::slice::from_ref(protocol);
                put_extension(out, ALPN, |out| put_protocols(out, protocol));
            }
            if self.renegotiation_info {
                put_extension(out, RENEGOTIATION_INFO, |out| out.push(0));
            }
        });
    }

    /// Refuses what was not offered in `hello`, and a protocol that was not.
    pub(crate) fn check(&self, hello: &super::ClientHello) -> Result<(), TlcpError> {
        let offered = &hello.extensions;
        let unsolicited = [
            (SERVER_NAME, self.server_name && offered.server_name.is_none()),
            (ALPN, self.alpn.is_some() && offered.alpn.is_empty()),
            (RENEGOTIATION_INFO, self.renegotiation_info && !hello.signals_renegotiation_info()),
        ];
        if let Some((extension, _)) = unsolicited.into_iter().find(|(_, found)| *found) {
            return Err(TlcpError::UnsolicitedExtension { extension });
        }
        match &self.alpn {
            Some(chosen) if !offered.alpn.contains(chosen) => {
                Err(TlcpError::illegal(MessageKind::ServerHello, "application protocol"))
            }
            _ => Ok(()),
        }
    }
}

/// The extensions of a hello, each number once; none at all when the hello ends before them.
fn list(mut reader: Reader<'_>, message: MessageKind) -> Result<Vec<(u16, &[u8])>, TlcpError> {
    let malformed = TlcpError::Malformed { message };
    let mut found: Vec<(u16, &[u8])> = Vec::new();
    if reader.is_empty() {
        return Ok(found);
    }
    let Some(all) = reader.vector16().filter(|_| reader.is_empty()) else { return Err(malformed) };
    let mut all = Reader::new(all);
    while !all.is_empty() {
        let extension = all.u16().and_then(|number| Some((number, all.vector16()?)));
        let Some((number, content)) = extension else { return Err(malformed) };
        if found.iter().any(|(other, _)| *other == number) {
            return Err(TlcpError::DuplicateExtension { message, extension: number });
        }
        found.push((number, content));
        if found.len() > EXTENSIONS_MAX {
            return Err(malformed);
        }
    }
    Ok(found)
}

fn server_name(content: &[u8]) -> Option<String> {
    Reader::whole(content, |reader| {
        Reader::whole(reader.vector16()?, |names| {
            let kind = names.u8()?;
            let text = std::str::from_utf8(names.vector16()?).ok()?;
            (kind == HOST_NAME && name::is_dns(text)).then(|| text.to_ascii_lowercase())
        })
    })
}

fn numbers(reader: &mut Reader<'_>) -> Option<Vec<u16>> {
    let (numbers, rest) = reader.vector16()?.as_chunks::<2>();
    let numbers: Vec<u16> = numbers.iter().map(|number| u16::from_be_bytes(*number)).collect();
    (rest.is_empty() && !numbers.is_empty()).then_some(numbers)
}

fn protocols(reader: &mut Reader<'_>) -> Option<Vec<Vec<u8>>> {
    let mut names = Reader::new(reader.vector16()?);
    let mut found = Vec::new();
    while !names.is_empty() {
        found.push(names.vector8().filter(|name| !name.is_empty())?.to_vec());
    }
    (!found.is_empty()).then_some(found)
}

fn put_protocols(out: &mut Vec<u8>, names: &[Vec<u8>]) {
    out.put_vector::<2>(|out| {
        for name in names {
            out.put_vector::<1>(|out| out.extend_from_slice(name));
        }
    });
}

fn put_list(out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
    let mut all = Vec::new();
    fill(&mut all);
    if !all.is_empty() {
        out.put_vector::<2>(|out| out.append(&mut all));
    }
}

fn put_extension(out: &mut Vec<u8>, number: u16, fill: impl FnOnce(&mut Vec<u8>)) {
    out.put_u16(number);
    out.put_vector::<2>(fill);
}

const SERVER_NAME: u16 = 0;
const SUPPORTED_GROUPS: u16 = 10;
const EC_POINT_FORMATS: u16 = 11;
const SIGNATURE_ALGORITHMS: u16 = 13;
const ALPN: u16 = 16;
const RENEGOTIATION_INFO: u16 = 0xff01;
const HOST_NAME: u8 = 0;
/// `sm2sig_sm3` as GM/T 0024-2023 numbers it; RFC 8998 has another number.
const SM2SIG_SM3: u16 = 0x0704;
