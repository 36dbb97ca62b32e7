//! What is ordered: the envelope has one form, its id is computed, a read-write set has one meaning, and a configuration
//! is around an update of the same sender.
#![no_main]

use changbai_wire::limits::{ARGS_MAX, ENDORSEMENTS_MAX, ENVELOPE_BYTES_MAX};
use changbai_wire::{
    Content, TxId, TxReadWriteSet, decode_envelope, decode_transaction, is_channel_id, seal,
};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("transaction"), |data: &[u8]| {
    if let Ok(set) = TxReadWriteSet::from_bytes(data) {
        assert_eq!(TxReadWriteSet::from_bytes(&set.to_bytes()), Ok(set));
    }
    let transaction = match decode_envelope(data) {
        Ok(Content::Transaction(transaction)) => transaction,
        Ok(Content::Config(config)) => {
            assert!(decode_transaction(data).is_err());
            assert_eq!(config.tx_id, TxId::derive(&config.nonce, &config.creator));
            assert!(is_channel_id(&config.channel_id));
            assert!(!config.signature.is_empty());
            return;
        }
        Err(_) => {
            assert!(decode_transaction(data).is_err());
            return;
        }
    };
    assert!(data.len() <= ENVELOPE_BYTES_MAX);
    assert_eq!(transaction.tx_id, TxId::derive(&transaction.nonce, &transaction.creator));
    assert!(is_channel_id(&transaction.channel_id));
    assert!((1..=ARGS_MAX).contains(&transaction.args.len()));
    assert!(transaction.endorsements.len() <= ENDORSEMENTS_MAX);
    assert!((200..400).contains(&transaction.response.status));
    let set = TxReadWriteSet::from_bytes(&transaction.rwset.to_bytes());
    assert_eq!(set.as_ref(), Ok(&transaction.rwset));
    assert_eq!(seal(transaction.signed_payload, transaction.signature), data, "two forms");
});
