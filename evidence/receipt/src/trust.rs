//! The trust file (信任文件): what the reader trusts, obtained independently of any bundle.

mod text;

use changbai_merkle::{Signed, VerifierKey};
use changbai_wire::is_channel_id;
use smkit::Sm3Digest;
use smkit_pki::{CertificateError, FormError, RevocationList, TrustAnchors};

use crate::limits::{
    TRUST_BYTES_MAX, TRUST_CHANNELS_MAX, TRUST_KEYS_MAX, TRUST_LISTS_MAX, TRUST_SETS_MAX,
};

/// Roots, and the channels below them.
///
/// Roots alone say who issued certificates; whoever holds an orderer's certificate below one of them could still make
/// a channel of its own. A [`ChannelAnchor`] says which channel is meant.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    roots: TrustAnchors,
    channels: Vec<ChannelAnchor>,
    further: Further,
    /// The roots of the ledger and those for one purpose only.
    tsa_roots: TrustAnchors,
    seal_roots: TrustAnchors,
}

/// What a reader may trust beside a ledger's roots and channels.
#[derive(Clone, Debug, Default)]
pub struct Further {
    /// Keys that sign checkpoints of logs.
    pub log_keys: Vec<VerifierKey>,
    /// Witnesses (见证人) whose cosignatures count.
    pub witnesses: Vec<VerifierKey>,
    /// How many of them must have cosigned; 0: none must.
    pub witnesses_min: usize,
    /// Roots of time-stamp authorities alone; the ledger's roots count for these as well.
    pub tsa_roots: TrustAnchors,
    /// Roots of seals and of whoever signs documents, alone; the ledger's roots count for these as well.
    pub seal_roots: TrustAnchors,
    /// What is known to be revoked.
    pub revocation_lists: Vec<RevocationList>,
}

/// One channel: its beginning, and validator sets that are known to be its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelAnchor {
    /// The channel's id.
    pub channel_id: String,
    /// Hash of the header of its block 0, which commits to the first configuration.
    pub genesis: Sm3Digest,
    /// Hashes of validator sets, as headers carry them. Receipts that do not say how their validators came about
    /// need theirs among these; others do not.
    pub validators: Vec<Sm3Digest>,
}

impl Trust {
    /// Trusts roots, and these channels below them.
    ///
    /// # Errors
    /// [`TrustError::Content`] without roots, for an impossible or repeated channel, or too many of something.
    pub fn new(roots: TrustAnchors, channels: Vec<ChannelAnchor>) -> Result<Self, TrustError> {
        let refuse = |reason| Err(TrustError::Content { reason });
        if roots.is_empty() {
            return refuse("there is no root certificate");
        }
        if channels.len() > TRUST_CHANNELS_MAX {
            return refuse("there are too many channels");
        }
        for (at, channel) in channels.iter().enumerate() {
            let sets = &channel.validators;
            let repeated =
                (1..).zip(sets).any(|(next, set)| sets.iter().skip(next).any(|s| s == set));
            if !is_channel_id(&channel.channel_id) {
                return refuse("a channel id is impossible");
            }
            if channels
                .iter()
                .skip(at.saturating_add(1))
                .any(|c| c.channel_id == channel.channel_id)
            {
                return refuse("a channel is there twice");
            }
            if sets.len() > TRUST_SETS_MAX || repeated {
                return refuse("a channel has a validator set twice, or too many");
            }
        }
        Ok(Self { channels, ..Self::from(roots) })
    }

    /// Trusts these as well.
    ///
    /// # Errors
    /// [`TrustError::Content`] without a channel, for too many or repeated keys or lists, a witness's key among those
    /// of logs or the reverse, and more witnesses demanded than there are.
    pub fn with(self, further: Further) -> Result<Self, TrustError> {
        let refuse = |reason| Err(TrustError::Content { reason });
        if self.channels.is_empty() {
            return refuse("there is no channel");
        }
        let kinds = [(&further.log_keys, Signed::Log), (&further.witnesses, Signed::Cosigned)];
        for (keys, signed) in kinds {
            if keys.len() > TRUST_KEYS_MAX || keys.iter().any(|key| key.signed() != signed) {
                return refuse("too many keys, or a log's key for a witness's or the reverse");
            }
            let named = |name| keys.iter().filter(|key| key.name() == name).count();
            // One witness is one name: two keys of one name must not count twice.
            if signed == Signed::Cosigned && keys.iter().any(|key| named(key.name()) > 1) {
                return refuse("a witness is there twice");
            }
            let same = |a: &VerifierKey, b: &VerifierKey| {
                a.public_key() == b.public_key() && a.name() == b.name()
            };
            let twice = |(at, key)| keys.iter().skip(at).any(|other| same(key, other));
            if (1..).zip(keys.iter()).any(twice) {
                return refuse("a key is there twice");
            }
        }
        if further.witnesses_min > further.witnesses.len() {
            return refuse("more witnesses are demanded than there are");
        }
        if further.revocation_lists.len() > TRUST_LISTS_MAX {
            return refuse("there are too many revocation lists");
        }
        let joined = |further: &TrustAnchors| {
            TrustAnchors::from_certificates(
                self.roots.iter().chain(further.iter()).cloned().collect(),
            )
        };
        let (tsa_roots, seal_roots) = (joined(&further.tsa_roots), joined(&further.seal_roots));
        Ok(Self { further, tsa_roots, seal_roots, ..self })
    }

    /// Reads a trust file, `FORMAT.md` §6: lines of keys, then roots and revocation lists in PEM; or roots in PEM alone,
    /// which say nothing about channels. Strict: what is not understood is refused, never skipped.
    ///
    /// # Errors
    /// [`TrustError`].
    pub fn parse(text: &str) -> Result<Self, TrustError> {
        if text.len() > TRUST_BYTES_MAX {
            return Err(TrustError::TooLarge { bytes: text.len() });
        }
        text::parse(text)
    }

    /// The trust file; [`Trust::parse`] reads the same from it.
    pub fn to_text(&self) -> String {
        text::write(self)
    }

    /// The roots.
    pub const fn roots(&self) -> &TrustAnchors {
        &self.roots
    }

    /// The channels; none: only roots are trusted.
    pub fn channels(&self) -> &[ChannelAnchor] {
        &self.channels
    }

    /// Keys that sign checkpoints of logs.
    pub fn log_keys(&self) -> &[VerifierKey] {
        &self.further.log_keys
    }

    /// Witnesses whose cosignatures count.
    pub fn witnesses(&self) -> &[VerifierKey] {
        &self.further.witnesses
    }

    /// How many of them must have cosigned; 0: none must.
    pub const fn witnesses_min(&self) -> usize {
        self.further.witnesses_min
    }

    /// Roots that time-stamp authorities' certificates may lead to.
    pub const fn tsa_roots(&self) -> &TrustAnchors {
        &self.tsa_roots
    }

    /// Roots that certificates of seals and of documents' signers may lead to.
    pub const fn seal_roots(&self) -> &TrustAnchors {
        &self.seal_roots
    }

    /// What is known to be revoked.
    pub fn revocation_lists(&self) -> &[RevocationList] {
        &self.further.revocation_lists
    }

    /// What is trusted beside roots and channels.
    pub const fn further(&self) -> &Further {
        &self.further
    }

    /// The channel of this id.
    pub fn channel(&self, channel_id: &str) -> Option<&ChannelAnchor> {
        self.channels.iter().find(|channel| channel.channel_id == channel_id)
    }
}

impl From<TrustAnchors> for Trust {
    /// Roots alone. Verification then says that the validators are vouched for by certificates only.
    fn from(roots: TrustAnchors) -> Self {
        let (tsa_roots, seal_roots) = (roots.clone(), roots.clone());
        Self { roots, channels: Vec::new(), further: Further::default(), tsa_roots, seal_roots }
    }
}

/// Why a text is no trust file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// More than [`TRUST_BYTES_MAX`] bytes.
    #[error("{bytes} bytes are too many for a trust file")]
    TooLarge {
        /// How many.
        bytes: usize,
    },
    /// A line does not belong there.
    #[error("line {line} of the trust file: {reason}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The certificates cannot be used.
    #[error("the roots in the trust file")]
    Certificate(#[from] CertificateError),
    /// A revocation list cannot be used.
    #[error("a revocation list in the trust file")]
    RevocationList(#[from] FormError),
    /// What it says contradicts itself, or is not enough.
    #[error("the trust file: {reason}")]
    Content {
        /// What is wrong.
        reason: &'static str,
    },
}
