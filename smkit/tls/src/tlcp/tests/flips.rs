//! One bit of a handshake changes on its way, any bit at all: the handshake fails.

use std::sync::Arc;

use proptest::prelude::*;

use super::{handshake::ends, wire::run_with, world::World};
use crate::tlcp::{CipherSuite, ClientAuthentication, ClientConfig, ServerConfig};

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_flipped_bit_of_a_handshake_fails_it(
        suite in 0..4_usize,
        mutual: bool,
        resumed: bool,
        record in 0..14_usize,
        position: prop::sample::Index,
        bit in 0..8_u8,
    ) {
        let (client, server) = configs(CipherSuite::ALL[suite], mutual);
        if resumed {
            let (mut dialling, mut waiting) = ends(&client, &server);
            prop_assert!(run_with(&mut dialling, &mut waiting, |record| vec![record.clone()]).both_ok());
        }
        let (mut dialling, mut waiting) = ends(&client, &server);
        let mut count = 0;
        let mut flipped = None;
        let outcome = run_with(&mut dialling, &mut waiting, |flying| {
            let mut flying = flying.clone();
            if count == record {
                let at = position.index(flying.bytes.len());
                flying.bytes[at] ^= 1 << bit;
                flipped = Some((flying.content_type(), at));
            }
            count += 1;
            vec![flying]
        });
        if flipped.is_some() {
            let complete = !dialling.is_handshaking() && !waiting.is_handshaking();
            prop_assert!(!(outcome.both_ok() && complete), "{flipped:?} came through");
        } else {
            prop_assert!(outcome.both_ok(), "nothing was changed: {outcome:?}");
        }
    }
}

fn configs(suite: CipherSuite, mutual: bool) -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let world = World::new();
    let mutual = mutual || suite.name().starts_with("ECDHE");
    let (client, server) = if mutual {
        (world.member_client(), world.strict_server())
    } else {
        (world.client(), world.server(ClientAuthentication::None))
    };
    (client.with_suites(&[suite]).unwrap().into(), server.into())
}
