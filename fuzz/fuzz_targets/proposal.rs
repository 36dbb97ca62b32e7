//! A proposal: id and hash are computed, and what an endorser signs does not depend on transient data.
#![no_main]

use changbai_wire::limits::{ARGS_MAX, PROPOSAL_BYTES_MAX};
use changbai_wire::proto::{common, protos};
use changbai_wire::{TxId, decode_proposal, is_channel_id, proposal_hash};
use prost::Message as _;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("proposal"), |data: &[u8]| {
    let Ok(proposal) = decode_proposal(data) else { return };
    assert!(data.len() <= PROPOSAL_BYTES_MAX);
    assert_eq!(proposal.tx_id, TxId::derive(&proposal.nonce, &proposal.creator));
    assert!(is_channel_id(&proposal.channel_id));
    assert!((1..=ARGS_MAX).contains(&proposal.args.len()));
    let (channel, signature) = (&proposal.channel_header, &proposal.signature_header);
    assert_eq!(proposal.hash, proposal_hash(channel, signature, &proposal.payload));

    let header = common::Header {
        channel_header: channel.clone(),
        signature_header: signature.clone(),
    };
    let bare = protos::Proposal {
        header: header.encode_to_vec(),
        payload: proposal.payload.clone(),
        extension: Vec::new(),
    };
    let bare = bare.encode_to_vec();
    if bare.len() <= PROPOSAL_BYTES_MAX {
        let bare = decode_proposal(&bare).expect("the same proposal without transient data");
        assert!(bare.transient.is_empty());
        assert_eq!((bare.hash, bare.args), (proposal.hash, proposal.args));
    }
});
