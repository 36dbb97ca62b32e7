//! The trust file (信任文件): what the reader trusts, obtained independently of any bundle.

mod text;

use changbai_wire::is_channel_id;
use smkit::Sm3Digest;
use smkit_pki::{CertificateError, TrustAnchors};

use crate::limits::{TRUST_BYTES_MAX, TRUST_CHANNELS_MAX, TRUST_SETS_MAX};

/// Roots, and the channels below them.
///
/// Roots alone say who issued certificates; whoever holds an orderer's certificate below one of them could still make
/// a channel of its own. A [`ChannelAnchor`] says which channel is meant.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    roots: TrustAnchors,
    channels: Vec<ChannelAnchor>,
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
        Ok(Self { roots, channels })
    }

    /// Reads a trust file, `FORMAT.md` §6: lines of keys, then roots in PEM; or roots in PEM alone, which say nothing
    /// about channels. Strict: what is not understood is refused, never skipped.
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

    /// The channel of this id.
    pub fn channel(&self, channel_id: &str) -> Option<&ChannelAnchor> {
        self.channels.iter().find(|channel| channel.channel_id == channel_id)
    }
}

impl From<TrustAnchors> for Trust {
    /// Roots alone. Verification then says that the validators are vouched for by certificates only.
    fn from(roots: TrustAnchors) -> Self {
        Self { roots, channels: Vec::new() }
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
    /// What it says contradicts itself, or is not enough.
    #[error("the trust file: {reason}")]
    Content {
        /// What is wrong.
        reason: &'static str,
    },
}
