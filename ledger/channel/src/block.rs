//! Blocks: Fabric's `common.Block` with our header fields, the commit certificate in the
//! `SIGNATURES` metadata and one validation code a transaction in `TRANSACTIONS_FILTER`.

use changbai_consensus::CommitCertificate;
use changbai_merkle::Frontier;
use changbai_msp::ChannelConfig;
use changbai_wire::proto::common;
use changbai_wire::{Header, ValidationCode, ValidatorAddress, block_data_hash};
use prost::Message as _;
use smkit::Sm3Digest;
use smkit::sm2::Signature;

/// Fabric's `BlockMetadataIndex`: five slots, two of them used.
const METADATA_SLOTS: usize = 5;
const SLOT_SIGNATURES: usize = 0;
const SLOT_FILTER: usize = 2;

/// A block in typed form. `codes` is empty until the block is validated, `certificate` absent in
/// the genesis block and until the block is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The header whose hash consensus voted on.
    pub header: Header,
    /// Serialized `common.Envelope`s in order.
    pub envelopes: Vec<Vec<u8>>,
    /// One code a transaction.
    pub codes: Vec<ValidationCode>,
    /// The quorum's signatures over the header's hash.
    pub certificate: Option<CommitCertificate>,
}

impl Block {
    /// Block 0: the configuration, decided by nobody and trusted as configured.
    #[must_use]
    pub fn genesis(config: &ChannelConfig, envelope: Vec<u8>, time_ms: u64) -> Self {
        let header = Header {
            number: 0,
            previous_hash: Sm3Digest::new([0; 32]),
            data_hash: block_data_hash(&[&envelope]),
            channel_id: config.channel_id.clone(),
            time_ms,
            time_bound_us: 0,
            log_size: 0,
            log_root: Frontier::new().root(),
            validators_hash: config.validators_hash(),
            config_number: config.sequence,
        };
        let codes = vec![ValidationCode::Valid];
        Self { header, envelopes: vec![envelope], codes, certificate: None }
    }

    /// Serialized `common.Block`: what the block log keeps.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut metadata = vec![Vec::new(); METADATA_SLOTS];
        if let Some(slot) = metadata.get_mut(SLOT_SIGNATURES) {
            *slot = self.certificate.as_ref().map(encode_certificate).unwrap_or_default();
        }
        if let Some(slot) = metadata.get_mut(SLOT_FILTER) {
            *slot = self.codes.iter().map(|code| code.value()).collect();
        }
        common::Block {
            header: Some(self.header.to_proto()),
            data: Some(common::BlockData { data: self.envelopes.clone() }),
            metadata: Some(common::BlockMetadata { metadata }),
        }
        .encode_to_vec()
    }

    /// Reads a block and checks what can be checked without the chain: strict header, data hash,
    /// certificate for this header, no codes or one a transaction.
    ///
    /// # Errors
    ///
    /// A text naming what does not fit.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let block = common::Block::decode(bytes).map_err(|e| e.to_string())?;
        let header = block.header.ok_or("no header")?;
        let header = Header::try_from(&header).map_err(|e| e.to_string())?;
        let envelopes = block.data.unwrap_or_default().data;
        if block_data_hash(&envelopes) != header.data_hash {
            return Err("the transactions do not match the header's data hash".to_owned());
        }
        let metadata = block.metadata.unwrap_or_default().metadata;
        let slot = |at: usize| metadata.get(at).map(Vec::as_slice).unwrap_or_default();
        let codes = slot(SLOT_FILTER)
            .iter()
            .map(|code| ValidationCode::try_from(*code).map_err(|_| "unknown validation code"))
            .collect::<Result<Vec<_>, _>>()?;
        if !codes.is_empty() && codes.len() != envelopes.len() {
            return Err("one validation code a transaction is due".to_owned());
        }
        let certificate = match slot(SLOT_SIGNATURES) {
            [] => None,
            bytes => Some(decode_certificate(bytes, &header)?),
        };
        Ok(Self { header, envelopes, codes, certificate })
    }
}

/// `common.Metadata`: value = round, 4 bytes; a signature's `identifier_header` is the
/// validator's address, 32 bytes.
fn encode_certificate(certificate: &CommitCertificate) -> Vec<u8> {
    let signatures = certificate
        .signatures
        .iter()
        .map(|(validator, signature)| common::MetadataSignature {
            signature_header: Vec::new(),
            signature: signature.to_der(),
            identifier_header: validator.as_bytes().to_vec(),
        })
        .collect();
    common::Metadata { value: certificate.round.to_be_bytes().to_vec(), signatures }.encode_to_vec()
}

fn decode_certificate(bytes: &[u8], header: &Header) -> Result<CommitCertificate, String> {
    let metadata = common::Metadata::decode(bytes).map_err(|e| e.to_string())?;
    let round = metadata.value.try_into().map_err(|_| "the certificate names no round")?;
    let signatures = metadata
        .signatures
        .iter()
        .map(|s| {
            let validator = Sm3Digest::from_slice(&s.identifier_header).ok()?;
            Some((ValidatorAddress::new(validator), Signature::from_der(&s.signature).ok()?))
        })
        .collect::<Option<Vec<_>>>()
        .ok_or("the certificate holds a malformed signature")?;
    Ok(CommitCertificate {
        height: header.number,
        round: u32::from_be_bytes(round),
        block: header.hash(),
        signatures,
    })
}
