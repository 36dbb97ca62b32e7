//! A readable configuration: what reads is valid, and reads the same after it was written.
#![no_main]

use std::io;

use changbai_msp::ChannelConfig;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("channel_file"), |data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let nothing = |path: &str| -> io::Result<Vec<u8>> {
        assert!(!path.starts_with('/') && path.split('/').all(|part| part != ".."), "{path}");
        Err(io::ErrorKind::NotFound.into())
    };
    let Ok(config) = ChannelConfig::from_toml(text, &nothing) else { return };
    assert!(config.check().is_ok());
    let written = config.to_toml();
    assert!(ChannelConfig::from_toml(&written, &nothing).is_ok_and(|again| again == config));
    let envelope = config.to_genesis_envelope();
    assert!(ChannelConfig::from_envelope(&envelope).is_ok_and(|again| again == config));
});
