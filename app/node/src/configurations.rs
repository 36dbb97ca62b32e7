//! The configurations that a channel has had: what leads a receipt to its validators, and what verifiers trust.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use changbai_channel::{Block, Channel};
use changbai_core::ConfigurationProof;
use changbai_msp::ChannelConfig;
use changbai_receipt::limits::{CONFIGURATIONS_MAX, TRUST_SETS_MAX};
use changbai_receipt::{ChannelAnchor, Trust};
use changbai_storage::StorageError;
use changbai_wire::Header;
use smkit::Sm3Digest;
use smkit_pki::{Certificate, TrustAnchors};

/// The configurations of one channel, read once and remembered.
#[derive(Default)]
pub(crate) struct Configurations(Mutex<History>);

#[derive(Default)]
struct History {
    /// The first blocks that put a configuration in force, as far as a receipt can hold them.
    links: Vec<Link>,
    /// How many there are, and the number of the last.
    count: u64,
    last: u64,
    /// Hashes of validator sets in order of their first day.
    sets: Vec<Sm3Digest>,
    roots: Vec<Certificate>,
    trust: Option<Arc<Trust>>,
}

struct Link {
    proof: ConfigurationProof,
    /// The validators that it put in office.
    office: Sm3Digest,
}

impl Configurations {
    /// The blocks that lead a verifier from the genesis block to the header's validators, block 0 first. Empty if there
    /// are more of them than a receipt holds: it then leaves the validators to the trust file.
    ///
    /// # Errors
    /// [`StorageError`] when a block cannot be read.
    pub(crate) fn leading_to(
        &self,
        header: &Header,
        channel: &Channel,
    ) -> Result<Vec<ConfigurationProof>, StorageError> {
        let history = self.up_to_date(channel)?;
        let known =
            history.links.iter().take_while(|link| link.proof.header.number < header.number);
        let Some(reached) = known.into_iter().position(|l| l.office == header.validators_hash)
        else {
            return Ok(Vec::new());
        };
        Ok(history.links.iter().take(reached + 1).map(|link| link.proof.clone()).collect())
    }

    /// What verifiers of the channel trust: the roots of every organisation that it has had, and the channel by its
    /// genesis block, with every set of validators that was in office, of many the first and the latest.
    ///
    /// A receipt made before a change is verified against what is trusted after it, and the other way round. Cheap
    /// while the configuration stays the same.
    ///
    /// # Errors
    /// [`StorageError`] when a block cannot be read.
    pub(crate) fn trust_of(&self, channel: &Channel) -> Result<Arc<Trust>, StorageError> {
        let mut history = self.up_to_date(channel)?;
        if let Some(trust) = &history.trust {
            return Ok(Arc::clone(trust));
        }
        let Some(genesis) = history.links.first().map(|link| &link.proof.header) else {
            return Ok(Arc::default());
        };
        let (first, later) = history.sets.split_at(history.sets.len().min(1));
        let latest = later.len().saturating_sub(TRUST_SETS_MAX - 1);
        let anchor = ChannelAnchor {
            channel_id: genesis.channel_id.clone(),
            genesis: genesis.hash(),
            validators: first.iter().chain(later.iter().skip(latest)).copied().collect(),
        };
        let roots = TrustAnchors::from_certificates(history.roots.clone());
        let trust = Trust::new(roots, vec![anchor]);
        let trust = Arc::new(trust.map_err(|e| StorageError::index_damaged(e.to_string()))?);
        history.trust = Some(Arc::clone(&trust));
        Ok(trust)
    }

    fn up_to_date(&self, channel: &Channel) -> Result<MutexGuard<'_, History>, StorageError> {
        let mut history = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if history.count == 0 {
            history.add(channel, 0)?;
        }
        while history.count <= channel.config().sequence {
            let more = channel.config_blocks(history.last + 1)?;
            if more.is_empty() {
                break;
            }
            more.into_iter().try_for_each(|number| history.add(channel, number))?;
        }
        Ok(history)
    }
}

impl History {
    /// Takes in the block that put the next configuration in force.
    fn add(&mut self, channel: &Channel, number: u64) -> Result<(), StorageError> {
        let config = if number == 0 { 0 } else { number + 1 };
        let config = channel.config_at(config)?;
        let office = config.validators_hash();
        if self.links.len() < CONFIGURATIONS_MAX {
            let missing = || StorageError::index_damaged(format!("block {number} is missing"));
            let block = channel.block(number)?.ok_or_else(missing)?;
            self.links.push(Link { proof: proof(block), office });
        }
        if !self.sets.contains(&office) {
            self.sets.push(office);
        }
        self.note_roots(&config);
        (self.count, self.last, self.trust) = (self.count + 1, number, None);
        Ok(())
    }

    fn note_roots(&mut self, config: &ChannelConfig) {
        for root in config.orgs.iter().flat_map(|org| org.roots.iter()) {
            if !self.roots.contains(root) {
                self.roots.push(root.clone());
            }
        }
    }
}

/// A configuration block as a link; the configuration is its only transaction.
fn proof(block: Block) -> ConfigurationProof {
    let envelope = block.envelopes.into_iter().next().unwrap_or_default();
    let (round, signatures) = match block.certificate {
        None => (0, Vec::new()),
        Some(certificate) => {
            let der = certificate.signatures.iter().map(|(who, s)| (*who, s.to_der()));
            (certificate.round, der.collect())
        }
    };
    ConfigurationProof { header: block.header, round, signatures, envelope }
}
