//! A policy, as text or as protobuf: within its bounds, and the same through either form.
#![no_main]

use changbai_msp::limits::POLICY_BYTES_MAX;
use changbai_msp::{GroupPolicy, Policy};
use changbai_wire::proto::common::{self, SignaturePolicyEnvelope};
use prost::Message as _;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("policy"), |data: &[u8]| {
    let text = std::str::from_utf8(data).ok().and_then(|text| Policy::parse(text).ok());
    if let Ok(policy) = common::Policy::decode(data).map(|message| GroupPolicy::from_proto(&message))
        && let Ok(policy) = policy
    {
        assert_eq!(GroupPolicy::from_proto(&policy.to_proto()).as_ref(), Ok(&policy));
    }
    if let Some(policy) = std::str::from_utf8(data).ok().and_then(|text| GroupPolicy::parse(text).ok()) {
        assert_eq!(GroupPolicy::from_proto(&policy.to_proto()).as_ref(), Ok(&policy));
    }
    let message = SignaturePolicyEnvelope::decode(data).ok();
    let message = message.and_then(|message| Policy::from_proto(&message).ok());
    for policy in text.into_iter().chain(message) {
        assert_eq!(policy.check(), Ok(()));
        assert_eq!(Policy::from_proto(&policy.to_proto()).as_ref(), Ok(&policy));
        let text = policy.to_string();
        // The protobuf form names a principal once, so that a small message may mean a long text.
        if text.len() <= POLICY_BYTES_MAX {
            assert_eq!(Policy::parse(&text).as_ref(), Ok(&policy), "{text}");
        }
        assert!(!policy.evaluate(&[]), "satisfied by nobody");
    }
});
