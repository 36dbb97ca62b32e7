//! Changes of a channel's configuration as administrators prepare them: computed, shown, signed one after the other.

mod difference;

use std::path::Path;

use changbai_msp::{ConfigSignature, ConfigUpdate, Identity, Sender, serialize_identity};
use changbai_wire::time::Clock as _;
use smkit::sm2::{SignerId, SigningKey};
use smkit::{OsRandom, Random as _};

pub use self::difference::Difference;
use crate::clock::LocalClock;
use crate::config::Config;
use crate::error::StartError;
use crate::identity;
pub use changbai_msp::{ChannelConfig, MissingConsent};

/// A change of a channel's configuration, with the signatures it has so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    update: ConfigUpdate,
    signatures: Vec<ConfigSignature>,
}

/// Why a change is none. The texts of the ledger's rules have their `MS-` code.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// The new configuration cannot follow the one in force.
    #[error("{0}")]
    Compute(String),
    /// It does not follow from the configuration in force, or a signature is none.
    #[error("{code}: {reason}")]
    Update {
        /// The rule.
        code: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The system gave no randomness.
    #[error("no randomness: {0}")]
    Random(String),
}

/// An administrator of an agency, by the files in its node's directory.
#[derive(Debug)]
pub struct Administrator {
    serialized: Vec<u8>,
    key: SigningKey,
    /// The agency.
    pub msp_id: String,
}

impl Administrator {
    /// Reads `identity/admin.cert.pem` and its key below the data directory of a node.
    ///
    /// # Errors
    /// [`StartError`], naming the file.
    pub fn read(dir: &Path) -> Result<Self, StartError> {
        let config = Config::below(dir).load()?;
        let (certificate, key) = identity::administrator(&config.dir.join("identity"))?;
        let key = SigningKey::new(key, SignerId::DEFAULT)
            .map_err(|e| StartError::Wiring(e.to_string()))?;
        let msp_id = config.settings.agency.msp_id;
        Ok(Self { serialized: serialize_identity(&msp_id, &certificate), key, msp_id })
    }

    fn sender(&self) -> Sender<'_> {
        Sender { identity: &self.serialized, key: &self.key }
    }
}

impl Change {
    /// What makes `new` of `current`; nobody has signed yet.
    ///
    /// # Errors
    /// [`ChangeError::Compute`], also when they do not differ.
    pub fn between(current: &ChannelConfig, new: &ChannelConfig) -> Result<Self, ChangeError> {
        let update = ConfigUpdate::compute(current, new)
            .map_err(|e| ChangeError::Compute(with_source(&e)))?;
        Ok(Self { update, signatures: Vec::new() })
    }

    /// Reads a change that [`Change::to_bytes`] wrote. Its signatures are not verified yet.
    ///
    /// # Errors
    /// [`ChangeError::Update`].
    pub fn read(bytes: &[u8]) -> Result<Self, ChangeError> {
        let (update, signatures) = ConfigUpdate::read_signed(bytes).map_err(|e| refused(&e))?;
        Ok(Self { update, signatures })
    }

    /// The change as a file: a serialized `common.ConfigUpdateEnvelope`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.update.with_signatures(&self.signatures)
    }

    /// The channel it is for.
    #[must_use]
    pub fn channel(&self) -> &str {
        self.update.channel_id()
    }

    /// What it changes.
    ///
    /// # Errors
    /// [`ChangeError::Update`] when it does not follow from `current`.
    pub fn differences(&self, current: &ChannelConfig) -> Result<Vec<Difference>, ChangeError> {
        let next = self.update.preview(current).map_err(|e| refused(&e))?;
        Ok(difference::between(current, &next))
    }

    /// The agencies whose administrators have signed.
    #[must_use]
    pub fn signed_by(&self) -> Vec<String> {
        let signer =
            |signature: &ConfigSignature| Some(Identity::parse(&signature.creator()?).ok()?.msp_id);
        self.signatures.iter().filter_map(signer).collect()
    }

    /// Whose consent is missing; nobody's: it can be submitted. Verifies every signature.
    ///
    /// # Errors
    /// [`ChangeError::Update`].
    pub fn missing(&self, current: &ChannelConfig) -> Result<Vec<MissingConsent>, ChangeError> {
        let at = LocalClock.now().at.seconds();
        self.update.missing(current, &self.signatures, at).map_err(|e| refused(&e))
    }

    /// Signs as an administrator, once.
    ///
    /// # Errors
    /// [`ChangeError::Random`].
    pub fn sign(&mut self, administrator: &Administrator) -> Result<(), ChangeError> {
        let own = |signature: &ConfigSignature| {
            signature.creator().is_some_and(|creator| creator == administrator.serialized)
        };
        // Replaced, not added: a signature counts once anyway.
        self.signatures.retain(|signature| !own(signature));
        self.signatures.push(self.update.sign(administrator.sender(), &nonce()?));
        Ok(())
    }

    /// The transaction that has the change ordered, sent by this administrator.
    ///
    /// # Errors
    /// [`ChangeError::Random`].
    pub fn to_envelope(&self, sender: &Administrator) -> Result<Vec<u8>, ChangeError> {
        let (nonce, now) = (nonce()?, LocalClock.now().at);
        Ok(self.update.to_envelope(&self.signatures, sender.sender(), &nonce, now))
    }
}

/// The configuration in force, as a node's API gives it out.
///
/// # Errors
/// What is wrong with it.
pub fn current(envelope: &[u8]) -> Result<ChannelConfig, String> {
    ChannelConfig::from_envelope(envelope).map_err(|e| with_source(&e))
}

fn nonce() -> Result<[u8; 24], ChangeError> {
    let mut nonce = [0; 24];
    OsRandom.fill(&mut nonce).map_err(|e| ChangeError::Random(e.to_string()))?;
    Ok(nonce)
}

fn refused(error: &changbai_msp::ConfigUpdateError) -> ChangeError {
    ChangeError::Update { code: error.code(), reason: with_source(error) }
}

fn with_source(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) if !error.to_string().contains(&cause.to_string()) => {
            format!("{error}: {cause}")
        }
        _ => error.to_string(),
    }
}
