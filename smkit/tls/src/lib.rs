//! GM TLS (国密 TLS): TLS 1.3 with the suites of RFC 8998, and TLCP (GB/T 38636-2020).
//!
//! It decides nobody's trust: certificates are judged by the caller's [`peer::PeerVerifier`]. It opens no socket, reads no
//! file, and offers no suite without SM2, SM3 and SM4: there is nothing to downgrade to.
//!
//! # Model
//! [`rfc8998::provider`] is a `CryptoProvider` for rustls 0.23: any rustls program becomes a GM TLS program by taking it.
//! [`rfc8998::ServerVerifier`] and [`rfc8998::ClientVerifier`] put a [`peer::PeerVerifier`] behind rustls's traits.
//! [`tlcp`] is the other protocol, as state machines in rustls's manner.
//! `link` (feature `tokio`) is the layer above for programs that speak both protocols: one acceptor that tells TLCP from
//! TLS 1.3 by the first bytes, one connector, and the peer's verified identity in the same type from either.
//!
//! # Invariants
//! * A peer is refused for the same reason and with the same alert whichever protocol it speaks.
//! * What an unauthenticated peer can make us hold is bounded, in bytes, in time and in number.
//! * Certificates are verified under the default signer ID, TLS 1.3 handshakes under `TLSv1.3+GM+Cipher+Suite`.
//! * No key log, no early data, no renegotiation.
//!
//! # Standards
//! RFC 8446 (TLS 1.3), RFC 8998 (SM suites for it), GB/T 38636-2020 and GM/T 0024 (TLCP).
//!
//! # Example
//! A rustls client that trusts the usual way, by webpki and a list of roots; `examples/echo.rs` is a whole program.
//! ```
//! use std::sync::Arc;
//! use rustls::{ClientConfig, RootCertStore};
//!
//! let roots = RootCertStore::empty(); // and `roots.add(…)` for each root, an SM2 certificate
//! let config = ClientConfig::builder_with_provider(Arc::new(smkit_tls::rfc8998::provider()))
//!     .with_protocol_versions(&[&rustls::version::TLS13])?
//!     .with_root_certificates(roots)
//!     .with_no_client_auth();
//! assert!(config.crypto_provider().cipher_suites.len() == 2);
//! # Ok::<(), rustls::Error>(())
//! ```

#[cfg(feature = "tokio")]
pub mod link;
pub mod peer;
pub mod rfc8998;
pub mod tlcp;

// The tests' small world is shared with the integration tests, which know this crate by its name.
#[cfg(test)]
extern crate self as smkit_tls;
