//! Named bounds for foreign input.

/// Longest certificate accepted, in bytes of DER.
pub const CERTIFICATE_BYTES_MAX: usize = 16 * 1024;
/// Most certificates in a path, leaf and anchor included.
pub const CHAIN_DEPTH_MAX: usize = 8;
/// Most intermediates a caller may offer for one path.
pub const INTERMEDIATES_MAX: usize = 16;
/// Most certificates in one PEM text.
pub const PEM_CERTIFICATES_MAX: usize = 256;
/// Longest revocation list accepted, in bytes of DER.
pub const CRL_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most entries of a revocation list.
pub const CRL_ENTRIES_MAX: usize = 200_000;
/// Longest certification request accepted, in bytes of DER.
pub const REQUEST_BYTES_MAX: usize = 16 * 1024;
/// Longest answer to a certification request, in bytes of DER.
pub const RESPONSE_BYTES_MAX: usize = 256 * 1024;
/// Most certificates in one set of an answer.
pub const RESPONSE_CERTIFICATES_MAX: usize = 8;
/// Longest OCSP request or response accepted, in bytes of DER.
pub const OCSP_BYTES_MAX: usize = 64 * 1024;
/// Most certificates asked about in one OCSP request.
pub const OCSP_CERTIFICATES_MAX: usize = 64;
/// Most certificates of responders in one OCSP response.
pub(crate) const OCSP_RESPONDERS_MAX: usize = 4;
/// Longest signed or enveloped message accepted, in bytes of DER, content included.
pub const CMS_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most signers of one message.
pub const CMS_SIGNERS_MAX: usize = 16;
/// Most certificates in one message.
pub const CMS_CERTIFICATES_MAX: usize = 16;
/// Most recipients of one enveloped message.
pub const CMS_RECIPIENTS_MAX: usize = 64;
/// Most revocation lists in one message.
pub(crate) const CMS_LISTS_MAX: usize = 4;
/// Longest request for a time stamp accepted, in bytes of DER.
pub const TIME_STAMP_REQUEST_BYTES_MAX: usize = 4 * 1024;
/// Longest time-stamp response or token accepted, in bytes of DER.
pub const TIME_STAMP_BYTES_MAX: usize = 256 * 1024;
/// Longest electronic seal accepted, in bytes of DER, picture included.
pub const SEAL_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Longest signature with an electronic seal accepted, in bytes of DER.
pub const SEAL_SIGNATURE_BYTES_MAX: usize = SEAL_BYTES_MAX + 512 * 1024;
/// Seconds by which the clocks of signer, time-stamp authority and verifier may differ where a signature with a seal is
/// judged.
pub const SEAL_CLOCK_LEEWAY_S: i64 = 300;
/// Most certificates, or digests of them, that one seal is for.
pub const SEAL_SIGNERS_MAX: usize = 64;
/// Most signatures checked while searching for one path.
pub(crate) const PATH_SIGNATURES_MAX: usize = 32;
/// Longest serial number, in bytes of its value (RFC 5280 §4.1.2.2).
pub(crate) const SERIAL_BYTES_MAX: usize = 20;
