//! The kit against other implementations, both directions, more than 100,000 cases a run; against the standards' vectors
//! and the negative sets; and against bytes of any kind, which must never make it panic.
//!
//! A peer that is not installed is a printed skip, or a failure under `CHANGBAI_REQUIRE_PEERS=1`. The cases come from
//! a seed that is printed; `CHANGBAI_SEED` repeats a run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests read their environment")]

mod bouncycastle;
mod cases;
mod gmssl;
mod hostile;
mod libgcrypt;
mod negative;
mod openssl;
mod peer;
mod vectors;
