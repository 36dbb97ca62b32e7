//! Links and drivers over real GM TLS on loopback.

mod consortium;
mod world;
