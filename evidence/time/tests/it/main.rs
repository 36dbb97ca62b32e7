//! The client against a simulated chronyd that misbehaves, and against a real one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod fake;
mod peer;
mod real;
mod stamp;
mod tokens;
