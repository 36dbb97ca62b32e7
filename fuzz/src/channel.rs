//! The channel whose configuration is updated.

/// The configuration in force: the seed of the target `channel_config`.
pub const CONFIG: &[u8] = include_bytes!("../seeds/channel_config/genesis");
/// When the update is applied, Unix seconds: the certificates of the seeds are valid.
pub const NOW: i64 = 1_795_312_800;
