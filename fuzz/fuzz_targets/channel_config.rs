//! A channel's configuration: one form, and all that does not depend on time has been checked.
#![no_main]

use changbai_msp::ChannelConfig;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("channel_config"), |data: &[u8]| {
    let Ok(config) = ChannelConfig::from_envelope(data) else { return };
    assert_eq!(config.to_genesis_envelope(), data, "a configuration has two forms");
    assert!(config.check().is_ok());
    assert_eq!(config.membership().organisations().count(), config.orgs.len());
});
