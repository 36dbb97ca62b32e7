//! What `GET /health` reports, and where it comes from.

use serde::Serialize;
use utoipa::ToSchema;

/// The node's side of the health report. Called for each request: cheap, except when a self-test is asked
/// for, which then runs on a blocking thread.
pub trait HealthSource: Send + Sync {
    /// How the node is; `selftest` asks to run the known-answer tests again first.
    fn health(&self, selftest: bool) -> Health;
}

/// How the node is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Health {
    /// `ok`, `degraded` (works, but somebody should look) or `failed` (refuses writes).
    pub status: HealthStatus,
    /// Filing number (备案编号) of the block-chain information service, if one is configured.
    pub filing_number: Option<String>,
    /// Results of the known-answer tests.
    pub crypto: CryptoHealth,
    /// The clock.
    pub time: TimeHealth,
    /// The ledger.
    pub chain: ChainHealth,
    /// The stores on disk.
    pub store: StoreHealth,
    /// The certificate of the GM TLS listeners.
    pub tls: TlsHealth,
    /// When the node started, Unix milliseconds.
    pub started_at_ms: u64,
    /// Version of the software.
    pub version: String,
}

/// The one word about the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HealthStatus {
    /// Everything works.
    Ok,
    /// Works, but somebody should look.
    Degraded,
    /// Refuses writes.
    Failed,
}

/// Results of the known-answer tests of the three algorithms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CryptoHealth {
    /// SM2 signs and verifies as in the standard's vectors.
    pub sm2_enabled: bool,
    /// SM3 hashes as in the standard's vectors.
    pub sm3_enabled: bool,
    /// SM4-GCM seals, opens and refuses as in the vectors.
    pub sm4_enabled: bool,
    /// When the tests ran last, Unix milliseconds.
    pub selftest_at_ms: u64,
    /// The same as RFC 3339 in UTC.
    pub selftest_at: String,
}

/// The clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TimeHealth {
    /// Whether the clock's error is bounded by a measurement.
    pub synchronised: bool,
    /// Bound of the error in milliseconds, rounded up; absent while nobody measures it.
    pub bound_ms: Option<u32>,
    /// Where the time comes from: `chrony`, or `local` for the machine's own clock, of which nobody knows the error.
    pub source: String,
    /// What the clock follows, as chronyd names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Why there is no bound, while submissions are refused for it: a code `TM-nnnn`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChainHealth {
    /// The channel's name.
    pub channel: String,
    /// Number of blocks.
    pub height: u64,
    /// Why the ledger has stopped, if it has.
    pub halted: Option<String>,
}

/// The certificate of the GM TLS listeners, and its renewal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct TlsHealth {
    /// Last valid second, Unix seconds.
    pub certificate_not_after: i64,
    /// Seconds left; negative once it has run out.
    pub certificate_seconds_left: i64,
    /// Renewals since the start.
    pub renewals: u64,
    /// Renewals that failed since the start.
    pub renewal_failures: u64,
}

/// The stores on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StoreHealth {
    /// `ok`, or one word about what is going on, such as `rebuilding` or `halted`.
    pub state: String,
    /// More about it for the operator.
    pub detail: Option<String>,
}
