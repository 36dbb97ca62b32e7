//! Links between the nodes of a channel over GM TLS, and the thread that orders it.
//!
//! It takes no decision of the ledger: what a message means is [`changbai_channel`]'s affair, and who belongs
//! to a channel is [`changbai_msp`]'s. It reads no file and no configuration but the channels' own.
//!
//! # Model
//! - A node has one [`Hub`]: one ledger identity, one certificate for connections, one port
//!   ([`Hub::serve`]). [`Hub::join`] takes a channel and its orderer, runs the orderer on a thread of its own and
//!   keeps links to every other node that the channel's configuration names. [`ChannelDriver::alone`] does the
//!   same without links.
//! - A *link* is one GM TLS connection (RFC 8998) between two nodes, for one channel and one [`StreamKind`]. Both
//!   sides may dial; one link of a kind is left. The orderer counts a peer as connected while consensus,
//!   bodies and sync are up.
//! - A link opens with four messages ([`hello`]): the ledger identities, signed over channel, genesis block,
//!   stream, nonces and both certificates of the connection. What is refused has a [`Reason`] with a stable
//!   code, which both sides are told as far as they may know.
//! - Then [`frame`]s pass. Each link has a bounded queue; a full one drops (votes and bodies: the oldest), the
//!   orderer never waits. What arrives waits in a bounded share of memory; a full one stops reading.
//! - On the stream of calls nodes ask each other ([`Caller::call`], [`CallHandler`]).
//!
//! # Invariants
//! - A link's certificate leads to a TLS root of the very organisation that its identity belongs to, and the
//!   identity is a peer or an orderer of the channel: at the opening, whenever the configuration changes or a
//!   certificate expires, and once a minute.
//! - A node that is no member of a channel learns neither that it exists nor who belongs to it.
//! - Memory is bounded by [`limits`], per peer and stream; nothing is reserved for bytes that have not arrived.
//! - Every task has an owner that joins it: [`ChannelDriver::join`] leaves none behind.
//!
//! # Standards
//! RFC 8446 and RFC 8998 (GM TLS, in `smkit-tls`); GB/T 32918.2-2016 (signatures of the opening).
//!
//! # Example
//! ```no_run
//! use std::sync::Arc;
//!
//! use changbai_channel::{Channel, Orderer};
//! use changbai_network::{Hub, HubParts, JoinParts};
//!
//! # async fn example(parts: HubParts, listener: tokio::net::TcpListener, channel: Channel, orderer: Orderer)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! let hub = Hub::new(parts)?;
//! let join = JoinParts { observer: Arc::new(()), handler: None, now_ms: 0 };
//! let driver = hub.join(channel.clone(), orderer, join)?;
//! let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
//! let serving = hub.serve(listener, async move { drop(stopped.await) });
//! // …
//! # drop((stop, serving));
//! channel.stop();
//! let orderer = driver.join().await?;
//! channel.close(orderer)?;
//! # Ok(())
//! # }
//! ```

pub mod calls;
pub mod codes;
mod dial;
mod driver;
mod event;
pub mod frame;
pub mod hello;
mod hub;
mod inbound;
mod kind;
pub mod limits;
mod opening;
mod queue;
mod room;
mod rules;
mod run;
mod stream;
mod traffic;

pub use calls::{Answering, Call, CallError, CallHandler, CallRefusal};
pub use codes::{Reason, Refusal};
pub use driver::{Caller, ChannelDriver, DriverError, DriverParts};
pub use event::{LinkEvent, Observer};
pub use hub::{Hub, HubError, HubParts, JoinParts};
pub use kind::StreamKind;
pub use limits::Limits;
pub use room::PeerInfo;
pub use traffic::{StreamTraffic, Traffic};
