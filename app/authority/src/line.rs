//! The lines of the register: an event as JSON after the digest that chains it to the line before.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use smkit::{Sm3Digest, sm3_parts};
use smkit_pki::{Certificate, Register, RevocationReason, RevokedCertificate, SerialNumber};

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Line {
    /// A certificate was issued.
    Issued {
        /// Unix seconds.
        at: i64,
        /// DER in base64.
        certificate: String,
    },
    /// One was revoked.
    Revoked {
        /// Unix seconds.
        at: i64,
        /// Serial number in hexadecimal.
        serial: String,
        /// The reason's name (RFC 5280 §5.3.1).
        reason: String,
        /// Since when the key may be in other hands, Unix seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invalid_since: Option<i64>,
    },
    /// A hold ended.
    Released {
        /// Unix seconds.
        at: i64,
        /// Serial number in hexadecimal.
        serial: String,
    },
    /// A revocation list was made.
    List {
        /// Unix seconds.
        at: i64,
        /// Its number.
        number: u64,
    },
}

impl Line {
    pub(crate) fn issued(at: i64, certificate: &Certificate) -> Self {
        Self::Issued { at, certificate: STANDARD.encode(certificate.der()) }
    }

    pub(crate) fn revoked(revocation: &RevokedCertificate) -> Self {
        Self::Revoked {
            at: revocation.revoked_at,
            serial: revocation.serial.to_string(),
            reason: revocation.reason.name().to_owned(),
            invalid_since: revocation.invalid_since,
        }
    }

    /// The line with its line end, as it follows a line that ended in `head`; `head` then names this one.
    pub(crate) fn to_bytes(&self, head: &mut Sm3Digest) -> Vec<u8> {
        // Texts and numbers always serialize.
        let json = serde_json::to_vec(self).unwrap_or_default();
        *head = link(head, &json);
        [head.to_string().as_bytes(), b" ", &json, b"\n"].concat()
    }

    /// Reads what [`Line::to_bytes`] wrote after a line that ended in `head`.
    pub(crate) fn from_bytes(line: &[u8], head: &mut Sm3Digest) -> Result<Self, String> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let (found, rest) = line.split_at_checked(DIGEST_CHARS).ok_or("too short")?;
        let json = rest.strip_prefix(b" ").ok_or("no space after the digest")?;
        let expected = link(head, json);
        if found != expected.to_string().as_bytes() {
            return Err("the digest does not continue that of the line before".to_owned());
        }
        *head = expected;
        serde_json::from_slice(json).map_err(|e| e.to_string())
    }

    /// Applies the event to the register as it stood before.
    pub(crate) fn apply(&self, state: &mut State) -> Result<(), String> {
        match self {
            Self::Issued { certificate, .. } => {
                let der = STANDARD.decode(certificate).map_err(|e| e.to_string())?;
                let certificate = Certificate::from_der(&der).map_err(|e| e.to_string())?;
                state.register.record(&certificate).map_err(|e| e.to_string())?;
            }
            Self::Revoked { at, serial, reason, invalid_since } => {
                let reason = RevocationReason::from_name(reason)
                    .ok_or_else(|| format!("no reason is called {reason}"))?;
                let revocation = RevokedCertificate {
                    serial: parse(serial)?,
                    revoked_at: *at,
                    reason,
                    invalid_since: *invalid_since,
                };
                state.register.revoke(revocation).map_err(|e| e.to_string())?;
            }
            Self::Released { serial, .. } => {
                state.register.release(parse(serial)?).map_err(|e| e.to_string())?;
            }
            Self::List { number, .. } if *number > state.lists => state.lists = *number,
            Self::List { .. } => return Err("numbers of lists must rise".to_owned()),
        }
        Ok(())
    }
}

/// A register under construction: the number of lists is set last, by restoring it.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) register: Register,
    pub(crate) lists: u64,
}

/// Chains a line to the one before it, so that nothing in the middle can change, vanish or change places.
fn link(before: &Sm3Digest, json: &[u8]) -> Sm3Digest {
    sm3_parts(&[b"changbai/authority/register/v1", before.as_bytes(), json])
}

const DIGEST_CHARS: usize = 64;

fn parse(serial: &str) -> Result<SerialNumber, String> {
    serial.parse().map_err(|e: smkit_pki::SerialNumberError| e.to_string())
}
