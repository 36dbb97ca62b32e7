//! Bounds of identities, policies and configurations.

/// Longest serialized identity, in bytes.
pub const IDENTITY_BYTES_MAX: usize = changbai_wire::limits::IDENTITY_BYTES_MAX;
/// Most identities that a membership remembers.
pub const IDENTITIES_CACHED_MAX: usize = 8_192;
/// Longest MSP id or organisation name, in bytes.
pub const NAME_BYTES_MAX: usize = 128;
/// Longest policy text, in bytes.
pub const POLICY_BYTES_MAX: usize = 8 << 10;
/// Deepest nesting of a policy.
pub const POLICY_DEPTH_MAX: usize = 8;
/// Most principals in a policy.
pub const POLICY_LEAVES_MAX: usize = 256;
/// Most signers a policy is evaluated for; more are ignored.
pub const SIGNERS_MAX: usize = changbai_wire::limits::ENDORSEMENTS_MAX;
/// Most organisations in a channel.
pub const ORGANISATIONS_MAX: usize = 64;
/// Most roots, or intermediates, of one organisation.
pub const AUTHORITIES_MAX: usize = smkit_pki::INTERMEDIATES_MAX;
/// Most validators in a channel.
pub const VALIDATORS_MAX: usize = 100;
