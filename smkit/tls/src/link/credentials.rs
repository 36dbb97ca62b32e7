//! Who we are, and whom we let in.

use std::sync::Arc;

use smkit::sm2::PrivateKey;
use smkit_pki::Certificate;

use super::{ClientAuth, PeerQuirk};
use crate::peer::PeerVerifier;

/// A certificate chain, own certificate first, and the private key of that certificate.
#[derive(Clone, Debug)]
pub struct KeyPair {
    /// Own certificate, then those between it and the anchor; the anchor itself may be left out.
    pub chain: Vec<Certificate>,
    /// The key; `Debug` shows its public half.
    pub key: PrivateKey,
}

/// Everything a handshake needs to know of its own side; replaced as a whole.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The signing pair (签名证书), all that TLS 1.3 takes. A client without one stays anonymous.
    pub signing: Option<KeyPair>,
    /// The encryption pair (加密证书), of the same subject: TLCP needs both. Without it TLCP is not enabled.
    pub encryption: Option<KeyPair>,
    /// Judges the other side.
    pub verifier: Arc<dyn PeerVerifier>,
    /// Whether an acceptor asks clients for certificates; a connector does not look at it.
    pub clients: ClientAuth,
    /// Application protocols (ALPN), preferred first; empty for none.
    pub alpn: Vec<Vec<u8>>,
    /// Deviations of TLCP peers that are met; empty for none, which is what the standard asks.
    pub tlcp_quirks: Vec<PeerQuirk>,
}
