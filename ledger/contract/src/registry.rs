//! The native runtime: contracts that are part of the binary.

use std::{
    collections::BTreeMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use thiserror::Error;

use crate::{Context, Contract, ContractError, limits};

/// The installed contracts, by name.
#[derive(Clone, Default)]
pub struct Registry {
    contracts: BTreeMap<&'static str, Arc<dyn Contract>>,
}

impl Registry {
    /// A registry without contracts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Installs a contract.
    ///
    /// # Errors
    /// [`RegistryError`] for a name or version that breaks Fabric's rules, or a name that is taken.
    pub fn register(&mut self, contract: Arc<dyn Contract>) -> Result<(), RegistryError> {
        let (name, version) = (contract.name(), contract.version());
        if !is_name(name) || RESERVED.contains(&name) {
            return Err(RegistryError::Name(name));
        }
        if !is_version(version) {
            return Err(RegistryError::Version { name, version });
        }
        if self.contracts.contains_key(name) {
            return Err(RegistryError::Taken(name));
        }
        self.contracts.insert(name, contract);
        Ok(())
    }

    /// The contract of that name.
    #[must_use]
    pub fn contract(&self, name: &str) -> Option<&Arc<dyn Contract>> {
        self.contracts.get(name)
    }

    /// All contracts, in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Contract>> {
        self.contracts.values()
    }

    /// Runs one invocation.
    ///
    /// # Errors
    /// What the contract returns; [`ContractError::Unknown`], [`ContractError::Panicked`], or
    /// [`ContractError::Limit`] for an oversized response. The caller drops the context then.
    pub fn invoke(&self, name: &str, ctx: &mut dyn Context) -> Result<Vec<u8>, ContractError> {
        let contract =
            self.contracts.get(name).ok_or_else(|| ContractError::Unknown(name.to_owned()))?;
        // Unwind safety: after a panic the context is dropped, and a contract has no state.
        let response = catch_unwind(AssertUnwindSafe(|| contract.invoke(ctx)))
            .map_err(|_| ContractError::Panicked(contract.name()))??;
        limits::check_value(&response)?;
        Ok(response)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|c| (c.name(), c.version()))).finish()
    }
}

/// Fabric's rule for chaincode names: alphanumeric words joined by single `-` or `_`.
fn is_name(name: &str) -> bool {
    name.len() <= 128
        && name
            .split(['-', '_'])
            .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Fabric's rule for chaincode versions.
fn is_version(version: &str) -> bool {
    (1..=128).contains(&version.len())
        && version
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'+' | b'-'))
}

/// Names of Fabric's system chaincodes.
const RESERVED: [&str; 5] = ["cscc", "escc", "lscc", "qscc", "vscc"];

/// Why a contract cannot be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The name breaks Fabric's rule or belongs to a system chaincode.
    #[error("contract name {0:?} is not allowed")]
    Name(&'static str),
    /// The version breaks Fabric's rule.
    #[error("version {version:?} of contract {name} is not allowed")]
    Version {
        /// The contract.
        name: &'static str,
        /// Its version.
        version: &'static str,
    },
    /// Another contract has the name.
    #[error("contract {0} is installed already")]
    Taken(&'static str),
}
