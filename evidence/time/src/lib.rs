//! Trusted time: how far the machine's clock may be off, by whose word, and time stamps that say so.
//!
//! It does not set the clock, does not speak NTP, and does not know records or blocks: whoever stamps something asks
//! [`BoundedClock`] for a reading and gets a bound with it, or none.
//!
//! # Model
//!
//! `chronyd` disciplines the clock. [`ChronyClient`] asks it over its command port on this machine, [`Tracking`] is the
//! answer, and [`evaluate`] judges it by a [`Policy`]: [`Standing::Synchronised`] with a bound, or refused with one
//! [`Refusal`]. [`BoundedClock`] keeps the last standing; between two answers its bound grows by the drift that the
//! policy assumes, and a step of the wall clock against the monotonic one ends it. [`Watch`] asks again and again.
//!
//! ```text
//! bound = |system time offset| + root dispersion + root delay / 2     (chronyc(1), `tracking`)
//!       + drift since the answer + any small step since then + 1 ms: readings are whole milliseconds
//! ```
//!
//! # Invariants
//!
//! - A reading has a bound only while the standing is [`Standing::Synchronised`], and the bound is never above the
//!   policy's.
//! - After a step of the clock there is no bound until `chronyd` has measured the clock anew.
//! - Everything that is not understood is refused.
//!
//! # What it trusts
//!
//! The command protocol is not authenticated. Answers are taken from this machine only (loopback, or a Unix socket),
//! from the one address that was asked, with the random sequence number of the request under way. That keeps out
//! whoever is not root here: port 323 is privileged, and so is forging loopback packets. Root can set the clock anyway.
//! Whether `chronyd`'s own sources say the truth is for its configuration to ensure (several sources, keys).
//!
//! ```
//! use changbai_time::{Policy, Refusal, Standing, Tracking, UnixNanos, evaluate};
//!
//! let local = Tracking { reference_id: 0x7f7f_0101, stratum: 1, ..Tracking::default() };
//! let standing = evaluate(&local, &Policy::default(), UnixNanos(0));
//! assert_eq!(standing, Standing::Refused(Refusal::LocalReference));
//! ```

mod address;
mod bounded;
mod chrony;
mod client;
mod limits;
mod raw;
mod reasons;
mod refusal;
mod stamp;
mod standing;
mod token;
mod watch;

pub use address::{AddressError, ChronyAddress};
pub use bounded::BoundedClock;
pub use chrony::{ChronyFloat, REPLY_BYTES, REQUEST_BYTES, ReplyError, Tracking, request};
pub use client::ChronyClient;
pub use raw::{OsClock, RawClock, RawReading, UnixNanos};
pub use reasons::{Reason, reasons};
pub use refusal::Refusal;
pub use stamp::{SerialStore, TimeStamper};
pub use standing::{Leap, Policy, Standing, evaluate};
pub use token::{
    QueryTransport, Retry, TimeToken, TokenError, TokenSource, TokenSources, TokenStatus,
    TransportError, TsaClient,
};
pub use watch::Watch;
