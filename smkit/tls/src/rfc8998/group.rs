//! The key exchange on curveSM2.

use rustls::{
    Error, NamedGroup, PeerMisbehaved, ProtocolVersion,
    crypto::{ActiveKeyExchange, GetRandomFailed, SharedSecret, SupportedKxGroup},
    ffdhe_groups::FfdheGroup,
};
use smkit::{
    OsRandom,
    sm2::{EphemeralKey, PublicKey},
};

use super::CURVE_SM2_NAME;

#[derive(Debug)]
pub(super) struct CurveSm2;

impl SupportedKxGroup for CurveSm2 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let key = EphemeralKey::generate(&mut OsRandom).map_err(|_| GetRandomFailed)?;
        Ok(Box::new(Share(key)))
    }

    fn name(&self) -> NamedGroup {
        CURVE_SM2_NAME
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn usable_for_version(&self, version: ProtocolVersion) -> bool {
        version == ProtocolVersion::TLSv1_3
    }
}

struct Share(EphemeralKey);

impl ActiveKeyExchange for Share {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        // RFC 8446 §4.2.8.2: 65 bytes, uncompressed, on the curve; anything else ends the handshake.
        let peer = PublicKey::from_sec1(peer).map_err(|_| PeerMisbehaved::InvalidKeyShare)?;
        let shared = self.0.agree(&peer).map_err(|_| PeerMisbehaved::InvalidKeyShare)?;
        // RFC 8446 §7.4.2: the x-coordinate, 32 bytes big-endian.
        Ok(SharedSecret::from(shared.x().as_slice()))
    }

    fn pub_key(&self) -> &[u8] {
        self.0.public_key().as_sec1()
    }

    fn group(&self) -> NamedGroup {
        CURVE_SM2_NAME
    }
}
