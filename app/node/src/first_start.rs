//! The first start of an embedded node: an agency with authorities of its own, alone on a channel.

use changbai_channel::Block;
use changbai_msp::{ChannelConfig, Organisation, ValidatorConfig};
use changbai_wire::time::Clock;
use smkit::OsRandom;
use smkit_pki::TrustAnchors;

use crate::channels::keep_genesis;
use crate::config::ValidConfig;
use crate::directory::{Directory, write_whole};
use crate::error::StartError;
use crate::identity;

/// Whether nothing has been prepared here yet.
pub(crate) fn is_due(directory: &Directory) -> bool {
    !identity::exist(&directory.identity())
}

/// Creates identities and genesis. Runs again after a crash in between: the operator's certificate is written last, and
/// its absence means that nothing was ever signed with what lies there.
pub(crate) fn prepare(
    directory: &Directory,
    config: &ValidConfig,
    clock: &dyn Clock,
) -> Result<(), StartError> {
    if directory.channels().exists() {
        return Err(StartError::Identity {
            file: directory.identity(),
            reason: "a ledger exists, but the certificates it was made with are missing".to_owned(),
        });
    }
    let now = clock.now().at;
    let agency = &config.settings.agency;
    identity::create(&directory.identity(), config, now.seconds(), &mut OsRandom)?;
    let wrong = |e: &dyn std::fmt::Display| StartError::Wiring(e.to_string());
    let (root, tls_root) = identity::roots(&directory.identity())?;
    let node = identity::node_certificate(&directory.identity())?;
    let mut org = Organisation::new(
        &agency.msp_id,
        &agency.name,
        TrustAnchors::from_certificates(vec![root]),
    );
    org.tls_roots = TrustAnchors::from_certificates(vec![tls_root]);
    let validator = ValidatorConfig::new(&agency.msp_id, node, 0);
    let channel = &config.settings.node.channel;
    let channel = ChannelConfig::new(channel, vec![org], vec![validator]).map_err(|e| wrong(&e))?;
    let genesis = Block::genesis(&channel, channel.to_genesis_envelope(), now.0);
    keep_genesis(directory, &genesis)?;
    if !config.file.exists() {
        let text = toml::to_string(&config.settings).map_err(|e| wrong(&e))?;
        write_whole(&config.file, text.as_bytes(), 0o644)?;
    }
    Ok(())
}
