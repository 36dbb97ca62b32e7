//! Whom a channel's configuration lets in: identities, and the certificates of their connections.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use changbai_channel::PeerId;
use changbai_msp::{ChannelConfig, Check, Identity, IdentityError, Membership, Organisation, Role};
use changbai_wire::ValidatorAddress;
use smkit_pki::{
    Certificate, PathError, Purpose, RefusalKind, Revocation, RevocationMode, RevocationReason,
    Validator,
};
use smkit_tls::peer::PeerRefusal;

use crate::codes::{Reason, Refusal};

/// One configuration, ready to judge by.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) config: Arc<ChannelConfig>,
    /// Validators of the next height.
    pub(crate) validators: BTreeSet<PeerId>,
    membership: Membership,
    connections: BTreeMap<String, Connections>,
}

/// The certificates that an organisation's nodes show on connections.
#[derive(Debug)]
struct Connections {
    validator: Validator,
    revoked: BTreeSet<[u8; 32]>,
}

impl Rules {
    pub(crate) fn new(config: Arc<ChannelConfig>) -> Self {
        let validators =
            config.validators.iter().map(|validator| validator.address().into()).collect();
        let connections = config
            .orgs
            .iter()
            .filter(|org| !org.tls_roots.is_empty())
            .map(|org| (org.msp_id.clone(), Connections::new(org)))
            .collect();
        let membership = config.membership();
        Self { config, validators, membership, connections }
    }

    /// Whether a connection may come about at all: its certificate is of some organisation's.
    pub(crate) fn admits_connection(
        &self,
        chain: &[Certificate],
        purpose: Purpose,
        at_unix_s: i64,
    ) -> Result<(), PeerRefusal> {
        let mut refusal: Option<PathError> = None;
        for connections in self.connections.values() {
            match connections.check(chain, purpose, at_unix_s) {
                Ok(()) => return Ok(()),
                // "Not below my roots" must not hide the reason of the organisation whose roots it is below.
                Err(error) if refusal.is_none() || !is_foreign(&error) => refusal = Some(error),
                Err(_) => {}
            }
        }
        Err(refusal.map_or_else(PeerRefusal::no_certificate, PeerRefusal::from))
    }

    /// Whether a node with this identity may have a link whose connection has this certificate.
    pub(crate) fn admit(
        &self,
        serialized: &[u8],
        chain: &[Certificate],
        purpose: Purpose,
        at_unix_s: i64,
    ) -> Result<Arc<Identity>, Refusal> {
        let identity = self.member(serialized, at_unix_s)?;
        let foreign = || {
            let detail = format!("{} has no TLS root for it", identity.msp_id);
            Refusal::new(Reason::TlsForeign, detail)
        };
        let connections = self.connections.get(&identity.msp_id).ok_or_else(foreign)?;
        connections.check(chain, purpose, at_unix_s).map_err(|error| {
            let reason = match error.kind() {
                RefusalKind::Validity => Reason::TlsExpired,
                RefusalKind::Revoked => Reason::TlsRevoked,
                _ => Reason::TlsForeign,
            };
            Refusal::new(reason, format!("{}: {}: {error}", identity.msp_id, error.code()))
        })?;
        Ok(identity)
    }

    /// Whether an identity may have links: a node of the channel.
    pub(crate) fn member(
        &self,
        serialized: &[u8],
        at_unix_s: i64,
    ) -> Result<Arc<Identity>, Refusal> {
        let identity = self.membership.identify(serialized, at_unix_s).map_err(|error| {
            let reason = match &error {
                IdentityError::Chain(path) if path.kind() == RefusalKind::Validity => {
                    Reason::IdentityExpired
                }
                error if error.check() == Check::Revocation => Reason::IdentityRevoked,
                _ => Reason::NotMember,
            };
            Refusal::new(reason, format!("{}: {error}", error.code()))
        })?;
        if !(identity.has_role(Role::Peer) || identity.has_role(Role::Orderer)) {
            return Err(Refusal::new(Reason::Role, format!("{:?}", identity.roles)));
        }
        Ok(identity)
    }
}

impl Connections {
    fn new(org: &Organisation) -> Self {
        // As for identities: a list ages until the configuration's next update.
        let revocation = Revocation::new(RevocationMode::IfAvailable, org.revocation_lists.clone());
        let validator = Validator::admitting_all(org.tls_roots.clone())
            .with_intermediates(org.tls_intermediates.clone())
            .with_revocation(revocation);
        Self { validator, revoked: org.revoked.iter().map(|digest| *digest.as_bytes()).collect() }
    }

    /// Links name their peers by identity: the host of the certificate is not asked.
    fn check(
        &self,
        chain: &[Certificate],
        purpose: Purpose,
        at_unix_s: i64,
    ) -> Result<(), PathError> {
        let path = self.validator.verify(chain, purpose, at_unix_s, None)?;
        drop(path);
        match chain.first().filter(|leaf| self.revoked.contains(leaf.sm3().as_bytes())) {
            Some(leaf) => Err(PathError::Revoked {
                subject: leaf.subject(),
                since: leaf.not_before(),
                reason: RevocationReason::Unspecified,
            }),
            None => Ok(()),
        }
    }
}

/// The id of the node with that identity.
pub(crate) fn peer_id(identity: &Identity) -> PeerId {
    ValidatorAddress::for_key(identity.certificate.public_key()).into()
}

const fn is_foreign(error: &PathError) -> bool {
    matches!(error, PathError::UnknownIssuer { .. })
}
