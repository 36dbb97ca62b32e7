//! A transaction: the envelope has one form, its id is computed, its read-write set has one meaning.
#![no_main]

use changbai_wire::limits::{ARGS_MAX, ENDORSEMENTS_MAX, ENVELOPE_BYTES_MAX};
use changbai_wire::{TxId, TxReadWriteSet, decode_transaction, is_channel_id, seal};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("transaction"), |data: &[u8]| {
    if let Ok(set) = TxReadWriteSet::from_bytes(data) {
        assert_eq!(TxReadWriteSet::from_bytes(&set.to_bytes()), Ok(set));
    }
    let Ok(transaction) = decode_transaction(data) else { return };
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
