//! Tickets: what is resumed, what is not, and what is asked again.

use std::sync::Arc;

use rustls::{HandshakeKind, server::ServerSessionMemoryCache};
use smkit_tls::rfc8998::Ticketer;

use crate::pair::Setting;

fn kind(setting: &Setting) -> Option<HandshakeKind> {
    let mut pair = setting.pair();
    pair.shake();
    assert_eq!(pair.client_says(b"question"), b"question");
    assert_eq!(pair.server_says(b"answer"), b"answer");
    assert_eq!(pair.client.handshake_kind(), pair.server.handshake_kind());
    assert!(pair.server.peer_certificates().is_some(), "the identity is resumed too");
    pair.server.handshake_kind()
}

#[test]
fn a_second_connection_resumes_and_a_third_uses_the_new_ticket() {
    let setting = Setting::mutual();
    assert_eq!(kind(&setting), Some(HandshakeKind::Full));
    assert_eq!(kind(&setting), Some(HandshakeKind::Resumed));
    assert_eq!(kind(&setting), Some(HandshakeKind::Resumed));
}

#[test]
fn a_server_may_remember_sessions_itself() {
    let mut setting = Setting::mutual();
    setting.server.ticketer = Arc::new(NoTickets);
    setting.server.session_storage = ServerSessionMemoryCache::new(16);
    assert_eq!(kind(&setting), Some(HandshakeKind::Full));
    assert_eq!(kind(&setting), Some(HandshakeKind::Resumed));
}

#[derive(Debug)]
struct NoTickets;

impl rustls::server::ProducesTickets for NoTickets {
    fn enabled(&self) -> bool {
        false
    }
    fn lifetime(&self) -> u32 {
        0
    }
    fn encrypt(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }
    fn decrypt(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }
}

#[test]
fn tickets_survive_one_rotation_and_not_two() {
    let setting = Setting::mutual();
    kind(&setting);
    setting.time.advance(3_600);
    assert_eq!(kind(&setting), Some(HandshakeKind::Resumed), "sealed under the key before");
    setting.time.advance(7_200);
    assert_eq!(kind(&setting), Some(HandshakeKind::Full), "its key is gone");
}

#[test]
fn a_new_ticketer_ends_all_resumption() {
    let mut setting = Setting::mutual();
    kind(&setting);
    setting.server.ticketer = Ticketer::new(3_600, setting.time.clone()).unwrap();
    assert_eq!(kind(&setting), Some(HandshakeKind::Full));
}

#[test]
fn a_resumed_peer_is_judged_again_when_asked_for() {
    let setting = Setting::mutual();
    kind(&setting);
    setting.verifier.revoke();
    let mut pair = setting.pair();
    pair.shake();
    assert_eq!(pair.server.handshake_kind(), Some(HandshakeKind::Resumed));
    let now = rustls::time_provider::TimeProvider::current_time(&*setting.time).unwrap();
    let chain = pair.server.peer_certificates().unwrap();
    let refusal = setting.clients.identity_again(chain, now).unwrap_err();
    assert_eq!(refusal.code, "PK-1601");
    let chain = pair.client.peer_certificates().unwrap();
    let refusal = setting.servers.identity_again(chain, "localhost", now).unwrap_err();
    assert_eq!(refusal.code, "PK-1601");
}
