//! What both sides exchange to agree on a pre-master secret (GB/T 38636-2020 §6.4.5.4, §6.4.5.8, §6.4.5.9).

use smkit::sm2::{Ciphertext, PublicKey, Signature};

use super::{MessageKind, TlcpError};
use crate::tlcp::codec::{Put, Reader};

/// The parameters of an SM2 key exchange: curve and ephemeral point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EcdheParams<'a> {
    /// The bytes that the server signs.
    pub(crate) bytes: &'a [u8],
    point: &'a [u8],
}

impl<'a> EcdheParams<'a> {
    /// `03 ‖ 0029 ‖ u8 length ‖ point`.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let bytes = reader.rest().get(..PARAMS_BYTES)?;
        let curve = (reader.u8()?, reader.u16()?);
        let point = reader.vector8()?;
        let right = curve == (NAMED_CURVE, CURVE_SM2) && point.len() == POINT_BYTES;
        right.then_some(Self { bytes, point })
    }

    /// `ClientKeyExchange` has them in a vector (GmSSL, Tongsuo) or bare (gotlcp). No vector that long would fit, so the
    /// forms cannot be taken for one another.
    pub(crate) fn read_of_client(reader: &mut Reader<'a>) -> Option<Self> {
        let bare = *reader;
        if let Some(inside) = reader.vector16() {
            return Reader::whole(inside, Self::read);
        }
        *reader = bare;
        Self::read(reader)
    }

    pub(crate) fn write(out: &mut Vec<u8>, ephemeral: &PublicKey) {
        out.push(NAMED_CURVE);
        out.put_u16(CURVE_SM2);
        out.put_vector::<1>(|out| out.extend_from_slice(ephemeral.as_sec1()));
    }

    /// The form in a vector, which GmSSL and Tongsuo expect.
    pub(crate) fn write_of_client(out: &mut Vec<u8>, ephemeral: &PublicKey) {
        out.put_vector::<2>(|out| Self::write(out, ephemeral));
    }

    /// The point, if it is on the curve.
    pub(crate) fn ephemeral(&self, message: MessageKind) -> Result<PublicKey, TlcpError> {
        PublicKey::from_sec1(self.point).map_err(|_| TlcpError::illegal(message, "point"))
    }
}

/// `ClientKeyExchange` with ECC: `SM2Cipher` in a vector. `None` for a broken vector; a ciphertext that cannot be read is
/// `Some(None)`, for the sender must not learn whether reading or decrypting failed.
pub(crate) fn read_ciphertext(reader: &mut Reader<'_>) -> Option<Option<Ciphertext>> {
    let inside = reader.vector16()?;
    // Some peers pad the vector: DER says where it ends.
    let der = der_element(inside).unwrap_or(inside);
    Some(Ciphertext::from_der(der).ok())
}

pub(crate) fn put_ciphertext(out: &mut Vec<u8>, ciphertext: &Ciphertext) {
    out.put_vector::<2>(|out| out.extend_from_slice(&ciphertext.to_der()));
}

/// The DER form of a signature in a vector.
pub(crate) fn read_signature<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    reader.vector16()
}

pub(crate) fn put_signature(out: &mut Vec<u8>, signature: &Signature) {
    out.put_vector::<2>(|out| out.extend_from_slice(&signature.to_der()));
}

/// The first DER element, header included.
fn der_element(bytes: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(bytes);
    reader.u8()?;
    let body = match reader.u8()? {
        short @ ..=0x7f => usize::from(short),
        0x81 => usize::from(reader.u8()?),
        0x82 => usize::from(reader.u16()?),
        _ => return None,
    };
    let header = bytes.len().checked_sub(reader.rest().len())?;
    bytes.get(..header.checked_add(body)?)
}

/// `named_curve` of `ECCurveType` (RFC 8422 §5.4).
const NAMED_CURVE: u8 = 3;
/// curveSM2 (GM/T 0024-2023, RFC 8998 §3.1.1).
pub(crate) const CURVE_SM2: u16 = 41;
const POINT_BYTES: usize = 65;
/// Curve type, curve, length of the point, point.
const PARAMS_BYTES: usize = 1 + 2 + 1 + POINT_BYTES;
