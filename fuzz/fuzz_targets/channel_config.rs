//! A channel's configuration, of block 0 or a later one: one form, and all that does not depend on time has been checked.
#![no_main]

use changbai_msp::{ChannelConfig, validate_config};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("channel_config"), |data: &[u8]| {
    let Ok(config) = ChannelConfig::from_envelope(data) else { return };
    assert!(config.check().is_ok());
    assert_eq!(config.membership().organisations().count(), config.orgs.len());
    let genesis = config.to_genesis_envelope();
    assert!(ChannelConfig::from_envelope(&genesis).is_ok_and(|again| again == config));
    // What says nothing of an update has no other form; and nothing follows itself.
    assert!(config.sequence > 0 || genesis == data, "a configuration has two forms");
    assert!(validate_config(&config, data, 1_760_000_000).is_err());
});
