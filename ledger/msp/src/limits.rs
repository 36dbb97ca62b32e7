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
/// Longest host name of an endpoint, in bytes (RFC 1035 §2.3.4, without the last dot).
pub const HOST_BYTES_MAX: usize = 253;
/// Most endpoints at which an organisation's peers are announced.
pub const ANCHOR_PEERS_MAX: usize = 16;
/// Most administrators an organisation lists by certificate.
pub const ADMINS_MAX: usize = 32;
/// Most certificates an organisation lists as revoked.
pub const REVOKED_MAX: usize = 1_024;
/// Most revocation lists of an organisation.
pub const REVOCATION_LISTS_MAX: usize = 16;
/// Longest revocation list, in bytes of DER.
pub const REVOCATION_LIST_BYTES_MAX: usize = 64 << 10;
/// Most issuers, or units, that an identity rule names.
pub const RULE_ENTRIES_MAX: usize = 8;
/// Longest attribute that an identity rule names, in characters (RFC 5280 appendix A.1).
pub const ATTRIBUTE_CHARS_MAX: usize = 64;
/// Most authorities of identities in one channel.
pub const CHANNEL_AUTHORITIES_MAX: usize = 256;
/// Deepest nesting of groups in a configuration; Fabric's has three levels.
pub const GROUP_DEPTH_MAX: usize = 6;
/// Most groups, values and policies in a configuration or an update.
pub const ITEMS_MAX: usize = 4_096;
/// Most signatures on a configuration update.
pub const UPDATE_SIGNATURES_MAX: usize = SIGNERS_MAX;
/// Longest file with an update and its signatures, in bytes.
pub const SIGNED_UPDATE_BYTES_MAX: usize = changbai_wire::limits::ENVELOPE_BYTES_MAX;
/// Longest readable configuration file, in bytes.
pub const FILE_BYTES_MAX: usize = 4 << 20;
/// Most endorsers that a plan considers.
pub const PLAN_CANDIDATES_MAX: usize = 128;
/// Most steps of the search for a smallest set of endorsers; a step takes well below a microsecond.
pub const PLAN_STEPS_MAX: usize = 20_000;
/// Most principals that a plan satisfies one by one; a signer may stand for one in each of several groups.
pub const PLAN_PICKS_MAX: usize = 256;
