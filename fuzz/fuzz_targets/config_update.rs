//! An update of a configuration, by itself, handed on with its signatures, and on the way into one: refused or applied, never a panic; and whatever is
//! applied is a valid configuration that its own transaction makes as well.
#![no_main]

use std::sync::LazyLock;

use changbai_fuzz::channel::{CONFIG, NOW};
use changbai_msp::{ChannelConfig, ConfigUpdate, apply, validate_config};

static BEFORE: LazyLock<ChannelConfig> =
    LazyLock::new(|| ChannelConfig::from_envelope(CONFIG).expect("a seed"));

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("config_update"), |data: &[u8]| {
    if let Ok(update) = ConfigUpdate::from_bytes(data) {
        assert_eq!(update.as_bytes(), data);
        assert!(update.changes().is_ok());
    }
    if let Ok((update, signatures)) = ConfigUpdate::read_signed(data) {
        assert_eq!(update.with_signatures(&signatures), data);
        let preview = update.preview(&BEFORE);
        assert!(preview.as_ref().is_ok_and(|next| next.check().is_ok()) || preview.is_err());
        if update.missing(&BEFORE, &signatures, NOW).is_ok() {
            assert!(preview.is_ok(), "consent asked for what cannot be");
            assert!(signatures.iter().all(|signature| signature.creator().is_some()));
        }
    }
    if let Ok(after) = apply(&BEFORE, data, NOW) {
        assert!(after.check().is_ok());
        assert_eq!(after.sequence, BEFORE.sequence + 1);
        let transaction = after.to_config_envelope(data).expect("it was made to fit");
        assert!(validate_config(&BEFORE, &transaction, NOW).is_ok_and(|again| again == after));
        assert!(apply(&after, data, NOW).is_err(), "applied twice");
    }
});
