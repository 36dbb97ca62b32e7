//! Every bound of this crate, by name.

use std::time::Duration;

/// Most entries of one page, and so of one write and one signature.
pub const PAGE_ENTRIES_MAX: usize = 4_096;
/// Most entries that wait to be written; more are refused.
pub const QUEUE_ENTRIES_MAX: usize = 65_536;
/// How long entries that nobody waits for may wait for others to share a write with.
pub const LINGER: Duration = Duration::from_millis(100);
/// Most chains that one anchor covers; what is left comes with the next one.
pub const ANCHOR_HEADS_MAX: usize = 4_096;
/// Largest certificate, in bytes.
pub const CERTIFICATE_BYTES_MAX: usize = 16 * 1024;
/// Largest payload of a frame, in bytes: a full page or a full anchor fits.
pub const FRAME_BYTES_MAX: usize = 1 << 20;
