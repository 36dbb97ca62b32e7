//! Defines the interface contracts are written against, and runs contracts that are part of the
//! binary.
//!
//! It does not keep state, sign results or decide what commits: a contract sees a [`Context`], the
//! channel turns what happened there into a read-write set.
//!
//! # Model
//! - A [`Contract`] is a pure function of its context: function name, arguments, caller, committed
//!   state. Several organisations run it independently and must get equal results, so it has no
//!   clock, no randomness and no I/O; [`Context::time_ms`] is the client's time from the proposal.
//! - Reads see **committed** state, never the invocation's own writes (as in Fabric); the last write
//!   to a key wins. Reads are recorded, and the transaction fails if they change before it commits.
//! - A business refusal is [`ContractError::Refused`] with a stable code: nothing reaches the ledger.
//! - [`Registry`] holds the native contracts by name; [`MockContext`] lets `cargo test` run one.
//!
//! **Invariants**
//! - No contract sees a key, value or range beyond [`limits`]; more is refused, never truncated.
//! - A contract that panics fails its own invocation and nothing else.
//! - Composite keys cannot collide: their separator is refused inside the parts.
//!
//! # Standards
//! Hyperledger Fabric 3 shim semantics: state access, composite keys, one event per invocation.
//!
//! ```
//! use changbai_contract::{Context, Contract, ContractError, MockContext};
//!
//! struct Counter;
//! impl Contract for Counter {
//!     fn name(&self) -> &'static str { "counter" }
//!     fn version(&self) -> &'static str { "1.0" }
//!     fn invoke(&self, ctx: &mut dyn Context) -> Result<Vec<u8>, ContractError> {
//!         let count = ctx.get("count")?.and_then(|v| v.first().copied()).unwrap_or(0);
//!         if count == 2 {
//!             return Err(ContractError::refused("CT-4090", "the counter is full"));
//!         }
//!         ctx.put("count", vec![count + 1])?;
//!         Ok(vec![count + 1])
//!     }
//! }
//!
//! let mut ledger = MockContext::new();
//! assert_eq!(ledger.call(&Counter, "Add", &[])?, [1]);
//! assert_eq!(ledger.call(&Counter, "Add", &[])?, [2]);
//! assert!(matches!(ledger.call(&Counter, "Add", &[]), Err(ContractError::Refused { .. })));
//! # Ok::<(), ContractError>(())
//! ```

mod context;
mod error;
mod key;
pub mod limits;
mod mock;
mod registry;
#[cfg(test)]
mod tests;

pub use context::{Caller, Context, Contract};
pub use error::ContractError;
pub use key::{KeyError, composite_key, composite_prefix_range, split_composite_key};
pub use mock::MockContext;
pub use registry::{Registry, RegistryError};
