//! The receipt as canonical JSON: fields in the order of their names, texts for bytes.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use changbai_core::canonical;
use changbai_merkle::InclusionProof;
use changbai_wire::{Header, TransactionLeaf, ValidationCode, ValidatorAddress, envelope_digest};
use serde::{Deserialize, Deserializer, Serialize, de};
use smkit::{Sm3Digest, sm2::Signature};
use smkit_pki::Certificate;

use super::{CommitSignature, ConfigurationLink, Receipt, ReceiptError, certificates};
use crate::limits::{
    ANCHORS_MAX, CHANNEL_BYTES_MAX, CONFIGURATIONS_MAX, INTEGER_MAX, INTERMEDIATES_MAX, PATH_MAX,
    VALIDATORS_MAX,
};

/// A receipt that does not say how its validators came about.
const FORMAT_PLAIN: u64 = 1;
/// One that does.
const FORMAT_LINKED: u64 = 2;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    #[serde(deserialize_with = "bounded::<_, _, ANCHORS_MAX>")]
    anchors: Vec<String>,
    channel: String,
    commit: Commit,
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "bounded::<_, _, CONFIGURATIONS_MAX>"
    )]
    configurations: Vec<LinkFields>,
    format: u64,
    header: HeaderFields,
    inclusion: Inclusion,
    #[serde(deserialize_with = "bounded::<_, _, INTERMEDIATES_MAX>")]
    intermediates: Vec<String>,
    transaction: Transaction,
    #[serde(deserialize_with = "bounded::<_, _, VALIDATORS_MAX>")]
    validators: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Commit {
    round: u32,
    #[serde(deserialize_with = "bounded::<_, _, VALIDATORS_MAX>")]
    signatures: Vec<SignatureFields>,
}

/// One configuration block; block 0 has no commit, a lone block 0 no envelope.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<Commit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    envelope: Option<String>,
    header: HeaderFields,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureFields {
    signature: String,
    validator: String,
}

/// The header without its channel, which stands at the top.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderFields {
    config_number: u64,
    data_hash: String,
    log_root: String,
    log_size: u64,
    number: u64,
    previous_hash: String,
    time_bound_us: u32,
    time_ms: u64,
    validators_hash: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inclusion {
    index: u64,
    #[serde(deserialize_with = "bounded::<_, _, PATH_MAX>")]
    path: Vec<String>,
    size: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Transaction {
    block_number: u64,
    code: u8,
    envelope: String,
    index: u32,
}

impl Document {
    pub(super) fn from_receipt(receipt: &Receipt) -> Result<Self, ReceiptError> {
        let header = &receipt.header;
        let links = &receipt.configurations;
        let integers = [receipt.inclusion.index, receipt.inclusion.size, receipt.leaf.block_number];
        let headers = std::iter::once(header).chain(links.iter().map(|link| &link.header));
        let headers = headers.flat_map(|h| [h.config_number, h.log_size, h.number, h.time_ms]);
        if headers.chain(integers).any(|integer| integer > INTEGER_MAX) {
            return Err(field("header", "a number is beyond 2^53 - 1"));
        }
        let lists = [
            ("anchors", receipt.anchors.len(), ANCHORS_MAX),
            ("commit", receipt.signatures.len(), VALIDATORS_MAX),
            ("configurations", links.len(), CONFIGURATIONS_MAX),
            ("inclusion", receipt.inclusion.path.len(), PATH_MAX),
            ("intermediates", receipt.intermediates.len(), INTERMEDIATES_MAX),
            ("validators", receipt.validators.len(), VALIDATORS_MAX),
        ];
        if let Some((name, ..)) = lists.iter().find(|(_, len, max)| len > max) {
            return Err(field(name, "the list is too long"));
        }
        Ok(Self {
            anchors: receipt.anchors.iter().map(hex).collect(),
            channel: header.channel_id.clone(),
            commit: Commit::of(receipt.round, &receipt.signatures),
            configurations: links.iter().map(LinkFields::from).collect(),
            format: if links.is_empty() { FORMAT_PLAIN } else { FORMAT_LINKED },
            header: HeaderFields::from(header),
            inclusion: Inclusion {
                index: receipt.inclusion.index,
                path: receipt.inclusion.path.iter().map(hex).collect(),
                size: receipt.inclusion.size,
            },
            intermediates: receipt.intermediates.iter().map(base64_der).collect(),
            transaction: Transaction {
                block_number: receipt.leaf.block_number,
                code: receipt.leaf.code.into(),
                envelope: STANDARD.encode(&receipt.envelope),
                index: receipt.leaf.index,
            },
            validators: receipt.validators.iter().map(base64_der).collect(),
        })
    }

    pub(super) fn into_receipt(self) -> Result<Receipt, ReceiptError> {
        let format = if self.configurations.is_empty() { FORMAT_PLAIN } else { FORMAT_LINKED };
        if self.format != format {
            return Err(field("format", "1 without configurations, 2 with them"));
        }
        if self.channel.is_empty() || self.channel.len() > CHANNEL_BYTES_MAX {
            return Err(field("channel", "it is empty or too long"));
        }
        self.check_integers()?;
        let envelope = bytes("transaction", &self.transaction.envelope)?;
        let leaf = TransactionLeaf {
            block_number: self.transaction.block_number,
            index: self.transaction.index,
            code: ValidationCode::try_from(self.transaction.code)
                .map_err(|_| field("transaction", "its validation code does not exist"))?,
            envelope: envelope_digest(&envelope),
        };
        let inclusion = InclusionProof {
            index: self.inclusion.index,
            size: self.inclusion.size,
            path: digests("inclusion", &self.inclusion.path)?,
        };
        let channel = &self.channel;
        let links = self.configurations.iter().map(|link| link.to_link(channel));
        Ok(Receipt {
            configurations: links.collect::<Result<_, _>>()?,
            header: self.header.to_header(channel)?,
            round: self.commit.round,
            signatures: self.commit.to_signatures()?,
            validators: certificates("validators", &all_bytes("validators", &self.validators)?)?,
            intermediates: certificates(
                "intermediates",
                &all_bytes("intermediates", &self.intermediates)?,
            )?,
            anchors: digests("anchors", &self.anchors)?,
            envelope,
            leaf,
            inclusion,
        })
    }

    fn check_integers(&self) -> Result<(), ReceiptError> {
        let headers = std::iter::once(&self.header);
        let headers = headers.chain(self.configurations.iter().map(|link| &link.header));
        let headers = headers
            .flat_map(|h| [h.config_number, h.log_size, h.number, h.time_ms])
            .map(|integer| ("header", integer));
        let others = [
            ("inclusion", self.inclusion.index),
            ("inclusion", self.inclusion.size),
            ("transaction", self.transaction.block_number),
        ];
        match headers.chain(others).find(|(_, integer)| *integer > INTEGER_MAX) {
            Some((name, _)) => Err(field(name, "a number is beyond 2^53 - 1")),
            None => Ok(()),
        }
    }
}

impl Commit {
    fn of(round: u32, signatures: &[CommitSignature]) -> Self {
        Self { round, signatures: signatures.iter().map(SignatureFields::from).collect() }
    }

    fn to_signatures(&self) -> Result<Vec<CommitSignature>, ReceiptError> {
        self.signatures.iter().map(CommitSignature::try_from).collect()
    }
}

impl LinkFields {
    /// A link that has what its place in the list asks for, and nothing else, is a verifier's matter.
    fn to_link(&self, channel_id: &str) -> Result<ConfigurationLink, ReceiptError> {
        let envelope = self.envelope.as_deref().map(|text| bytes("configurations", text));
        let (round, signatures) = match &self.commit {
            None => (0, Vec::new()),
            Some(commit) if commit.signatures.is_empty() => {
                return Err(field("configurations", "a commit without signatures"));
            }
            Some(commit) => (commit.round, commit.to_signatures()?),
        };
        let (header, envelope) = (self.header.to_header(channel_id)?, envelope.transpose()?);
        Ok(ConfigurationLink { header, round, signatures, envelope })
    }
}

impl From<&ConfigurationLink> for LinkFields {
    fn from(link: &ConfigurationLink) -> Self {
        let decided = !link.signatures.is_empty();
        Self {
            commit: decided.then(|| Commit::of(link.round, &link.signatures)),
            envelope: link.envelope.as_ref().map(|envelope| STANDARD.encode(envelope)),
            header: HeaderFields::from(&link.header),
        }
    }
}

impl From<&Header> for HeaderFields {
    fn from(header: &Header) -> Self {
        Self {
            config_number: header.config_number,
            data_hash: hex(&header.data_hash),
            log_root: hex(&header.log_root),
            log_size: header.log_size,
            number: header.number,
            previous_hash: hex(&header.previous_hash),
            time_bound_us: header.time_bound_us,
            time_ms: header.time_ms,
            validators_hash: hex(&header.validators_hash),
        }
    }
}

impl HeaderFields {
    fn to_header(&self, channel_id: &str) -> Result<Header, ReceiptError> {
        Ok(Header {
            number: self.number,
            previous_hash: digest("header", &self.previous_hash)?,
            data_hash: digest("header", &self.data_hash)?,
            channel_id: channel_id.to_owned(),
            time_ms: self.time_ms,
            time_bound_us: self.time_bound_us,
            log_size: self.log_size,
            log_root: digest("header", &self.log_root)?,
            validators_hash: digest("header", &self.validators_hash)?,
            config_number: self.config_number,
        })
    }
}

impl From<&CommitSignature> for SignatureFields {
    fn from(signature: &CommitSignature) -> Self {
        Self {
            signature: hex_of(&signature.signature.to_der()),
            validator: hex(signature.validator.digest()),
        }
    }
}

impl TryFrom<&SignatureFields> for CommitSignature {
    type Error = ReceiptError;

    fn try_from(fields: &SignatureFields) -> Result<Self, ReceiptError> {
        let malformed = || field("commit", "a signature is not strict DER in lower-case hex");
        let der = hex_bytes(&fields.signature).ok_or_else(malformed)?;
        Ok(Self {
            validator: ValidatorAddress::new(digest("commit", &fields.validator)?),
            signature: Signature::from_der(&der).map_err(|_| malformed())?,
        })
    }
}

/// A list that stops being read at its bound, before it takes memory.
fn bounded<'de, D, T, const MAX: usize>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Bounded<T, const MAX: usize>(std::marker::PhantomData<T>);

    impl<'de, T: Deserialize<'de>, const MAX: usize> de::Visitor<'de> for Bounded<T, MAX> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "a list of at most {MAX}")
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
            let mut list = Vec::new();
            while let Some(item) = seq.next_element()? {
                if list.len() == MAX {
                    return Err(de::Error::invalid_length(MAX + 1, &self));
                }
                list.push(item);
            }
            Ok(list)
        }
    }

    deserializer.deserialize_seq(Bounded::<T, MAX>(std::marker::PhantomData))
}

const fn field(field: &'static str, reason: &'static str) -> ReceiptError {
    ReceiptError::Field { field, reason }
}

fn digest(name: &'static str, text: &str) -> Result<Sm3Digest, ReceiptError> {
    canonical::digest(text)
        .ok_or_else(|| field(name, "a digest is not 64 lower-case hexadecimal digits"))
}

fn digests(name: &'static str, texts: &[String]) -> Result<Vec<Sm3Digest>, ReceiptError> {
    texts.iter().map(|text| digest(name, text)).collect()
}

/// Base64 of RFC 4648 §4 with padding; the engine refuses non-zero trailing bits, so one value has one text.
fn bytes(name: &'static str, text: &str) -> Result<Vec<u8>, ReceiptError> {
    STANDARD.decode(text).map_err(|_| field(name, "not canonical base64"))
}

fn all_bytes(name: &'static str, texts: &[String]) -> Result<Vec<Vec<u8>>, ReceiptError> {
    texts.iter().map(|text| bytes(name, text)).collect()
}

fn base64_der(certificate: &Certificate) -> String {
    STANDARD.encode(certificate.der())
}

fn hex(digest: &Sm3Digest) -> String {
    hex_of(digest.as_bytes())
}

fn hex_of(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Bytes of lower-case hex.
fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let nibble = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some((nibble(*high)? << 4) | nibble(*low)?),
            _ => None,
        })
        .collect()
}
