//! Whole handshakes: in memory, over loopback, and with other implementations.

mod authority;
mod foreign;
mod handshake;
mod pair;
mod records;
mod refusals;
mod resumption;
mod retry;
mod webpki;
