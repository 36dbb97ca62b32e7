//! Keys of notes: SM2 with SM3 under the type byte `0xff` and a long identifier.

use std::fmt;

use smkit::sm2::{PublicKey, Signature, SignerId, SigningKey, VerifyingKey};
use smkit::sm3_parts;
use thiserror::Error;

use super::{Note, NoteSignature};
use crate::text::{from_base64, to_base64};

/// Most bytes in a key's name.
const NAME_BYTES_MAX: usize = 400;
/// The type byte under which a longer identifier follows.
const TYPE: u8 = 0xff;
/// Identifier of a log's keys, and the first line of what they sign.
const LOG: &str = "changbai/merkle/note/v1";
/// Identifier of cosigners' keys, and the first line of what they sign.
const COSIGNER: &str = "changbai/merkle/cosignature/v1";

/// Whether a text can name a key: not empty, no white space, no control character, no `+`.
#[must_use]
pub fn is_key_name(name: &str) -> bool {
    let allowed = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.chars().all(allowed)
}

/// What a key's signature covers, beside the note's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signed {
    /// Nothing: a log's signature.
    Log,
    /// The time in POSIX seconds: a cosignature.
    Cosigned,
}

/// A key that checks signatures on notes.
#[derive(Clone)]
pub struct VerifierKey {
    name: String,
    signed: Signed,
    key_id: [u8; 4],
    key: VerifyingKey,
}

impl VerifierKey {
    /// The key of that name.
    ///
    /// # Errors
    /// [`NoteKeyError`] if the name cannot name a key.
    pub fn new(name: &str, signed: Signed, key: &PublicKey) -> Result<Self, NoteKeyError> {
        if !is_key_name(name) {
            return Err(NoteKeyError);
        }
        let verifying = VerifyingKey::new(key.clone(), SignerId::DEFAULT);
        Ok(Self {
            name: name.to_owned(),
            signed,
            key_id: key_id(name, signed, key),
            key: verifying.map_err(|_| NoteKeyError)?,
        })
    }

    /// Reads [`to_string`](ToString::to_string): `name+8 hex digits+base64(type ‖ identifier ‖ key)`.
    ///
    /// # Errors
    /// [`NoteKeyError`]: anything but the one form of an SM2 key of ours.
    pub fn from_text(text: &str) -> Result<Self, NoteKeyError> {
        let (name, rest) = text.split_once('+').ok_or(NoteKeyError)?;
        let (_, encoded) = rest.split_once('+').ok_or(NoteKeyError)?;
        let bytes = from_base64(encoded).ok_or(NoteKeyError)?;
        let typed = bytes.strip_prefix(&[TYPE]).ok_or(NoteKeyError)?;
        let (signed, key) = [Signed::Log, Signed::Cosigned]
            .into_iter()
            .find_map(|signed| Some((signed, typed.strip_prefix(identifier(signed).as_bytes())?)))
            .ok_or(NoteKeyError)?;
        let key = PublicKey::from_sec1(key).map_err(|_| NoteKeyError)?;
        let key = Self::new(name, signed, &key)?;
        // The id in the text, and its form: one text for each key.
        if key.to_string() == text { Ok(key) } else { Err(NoteKeyError) }
    }

    /// Name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of SM3(name ‖ 0x0A ‖ type ‖ identifier ‖ key).
    #[must_use]
    pub const fn key_id(&self) -> [u8; 4] {
        self.key_id
    }

    /// What its signatures cover.
    #[must_use]
    pub const fn signed(&self) -> Signed {
        self.signed
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    /// Checks this key's signature on a note. `Ok(None)`: it has not signed. A cosigner's gives the time that it
    /// signed at, in POSIX seconds, a log's gives 0.
    ///
    /// # Errors
    /// [`NoteKeyError`]: there is a signature under this key's name and id, and it is not right.
    pub fn check(&self, note: &Note) -> Result<Option<u64>, NoteKeyError> {
        let own = |s: &&NoteSignature| s.name == self.name && s.key_id == self.key_id;
        let Some(signature) = note.signatures().iter().find(own) else { return Ok(None) };
        let (time_s, raw) = match self.signed {
            Signed::Log => (0, signature.signature.as_slice()),
            Signed::Cosigned => {
                let (time, raw) = signature.signature.split_first_chunk().ok_or(NoteKeyError)?;
                (u64::from_be_bytes(*time), raw)
            }
        };
        let raw: [u8; 64] = raw.try_into().map_err(|_| NoteKeyError)?;
        let raw = Signature::from_bytes(raw).map_err(|_| NoteKeyError)?;
        let message = message(self.signed, time_s, note.text());
        self.key.verify(&message, &raw).map_err(|_| NoteKeyError)?;
        Ok(Some(time_s))
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = u32::from_be_bytes(self.key_id);
        let key = self.public_key().to_sec1();
        let bytes = [&[TYPE], identifier(self.signed).as_bytes(), &key].concat();
        write!(out, "{}+{id:08x}+{}", self.name, to_base64(&bytes))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "VerifierKey({self})")
    }
}

impl PartialEq for VerifierKey {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.signed) == (&other.name, other.signed)
            && self.public_key() == other.public_key()
    }
}

impl Eq for VerifierKey {}

/// A log's key.
#[derive(Clone, Debug)]
pub struct LogKey {
    verifier: VerifierKey,
    key: SigningKey,
}

impl LogKey {
    /// A key that signs the notes of the log `origin`. The signer ID of `key` must be the default one.
    ///
    /// # Errors
    /// [`NoteKeyError`] if the origin cannot name a key, or the signer ID is another one.
    pub fn new(origin: &str, key: SigningKey) -> Result<Self, NoteKeyError> {
        Ok(Self { verifier: verifier(origin, Signed::Log, &key)?, key })
    }

    /// The signature line's content over `text`.
    #[must_use]
    pub fn sign(&self, text: &str) -> NoteSignature {
        let signature = self.key.sign(&message(Signed::Log, 0, text));
        line(&self.verifier, signature.to_bytes().to_vec())
    }

    /// What checks its signatures.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }
}

/// A witness's key.
#[derive(Clone, Debug)]
pub struct CosignerKey {
    verifier: VerifierKey,
    key: SigningKey,
}

impl CosignerKey {
    /// A key of the witness `name`. The signer ID of `key` must be the default one.
    ///
    /// # Errors
    /// As [`LogKey::new`].
    pub fn new(name: &str, key: SigningKey) -> Result<Self, NoteKeyError> {
        Ok(Self { verifier: verifier(name, Signed::Cosigned, &key)?, key })
    }

    /// The cosignature line's content over `text`, at `time_s` in POSIX seconds.
    #[must_use]
    pub fn cosign(&self, text: &str, time_s: u64) -> NoteSignature {
        let signature = self.key.sign(&message(Signed::Cosigned, time_s, text)).to_bytes();
        line(&self.verifier, [time_s.to_be_bytes().as_slice(), &signature].concat())
    }

    /// What checks its cosignatures.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }
}

/// A name or a text that is no key of a note, or a signature that is not this key's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a key, or not this key's signature")]
pub struct NoteKeyError;

fn verifier(name: &str, signed: Signed, key: &SigningKey) -> Result<VerifierKey, NoteKeyError> {
    let verifying = key.verifying_key();
    if *verifying.signer_id() != SignerId::DEFAULT {
        return Err(NoteKeyError);
    }
    VerifierKey::new(name, signed, verifying.public_key())
}

fn line(verifier: &VerifierKey, signature: Vec<u8>) -> NoteSignature {
    NoteSignature { name: verifier.name.clone(), key_id: verifier.key_id, signature }
}

const fn identifier(signed: Signed) -> &'static str {
    match signed {
        Signed::Log => LOG,
        Signed::Cosigned => COSIGNER,
    }
}

fn key_id(name: &str, signed: Signed, key: &PublicKey) -> [u8; 4] {
    let parts = [name.as_bytes(), b"\n", &[TYPE], identifier(signed).as_bytes(), key.as_sec1()];
    let digest = sm3_parts(&parts);
    let [a, b, c, d, ..] = *digest.as_bytes();
    [a, b, c, d]
}

/// What is signed: a line that tells logs from cosigners (and both from every other use of SM2 in the house), the time
/// of a cosignature, and the note's text.
fn message(signed: Signed, time_s: u64, text: &str) -> Vec<u8> {
    match signed {
        Signed::Log => format!("{LOG}\n{text}"),
        Signed::Cosigned => format!("{COSIGNER}\ntime {time_s}\n{text}"),
    }
    .into_bytes()
}
