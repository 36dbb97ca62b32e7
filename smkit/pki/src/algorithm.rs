//! Names of algorithms we refuse, so that a refusal can say what was found.

use der::asn1::ObjectIdentifier;
use spki::AlgorithmIdentifierOwned;

use crate::asn1;

/// What people call an algorithm or curve; "unknown" if it is none of those met in practice.
pub(crate) fn name(oid: &ObjectIdentifier) -> &'static str {
    let known = NAMES.iter().find(|(known, _)| known == oid);
    known.map_or("unknown", |(_, name)| name)
}

/// Whether an algorithm has no parameters: absent is what we write, NULL is what some authorities write.
pub(crate) fn parameters_absent_or_null(algorithm: &AlgorithmIdentifierOwned) -> bool {
    algorithm.parameters.as_ref().is_none_or(der::asn1::Any::is_null)
}

/// Whether it is SM2-with-SM3 with absent or NULL parameters.
pub(crate) fn is_sm2_with_sm3(algorithm: &AlgorithmIdentifierOwned) -> bool {
    algorithm.oid == asn1::SM2_WITH_SM3 && parameters_absent_or_null(algorithm)
}

const fn named(oid: &str, name: &'static str) -> (ObjectIdentifier, &'static str) {
    (ObjectIdentifier::new_unwrap(oid), name)
}

const NAMES: [(ObjectIdentifier, &str); 36] = [
    named("1.2.840.113549.1.1.1", "RSA"),
    named("1.2.840.113549.1.1.4", "RSA with MD5"),
    named("1.2.840.113549.1.1.5", "RSA with SHA-1"),
    named("1.2.840.113549.1.1.10", "RSASSA-PSS"),
    named("1.2.840.113549.1.1.11", "RSA with SHA-256"),
    named("1.2.840.113549.1.1.12", "RSA with SHA-384"),
    named("1.2.840.113549.1.1.13", "RSA with SHA-512"),
    named("1.2.156.10197.1.504", "RSA with SM3"),
    named("1.2.156.10197.1.502", "SM2 with SHA-1"),
    named("1.2.156.10197.1.503", "SM2 with SHA-256"),
    named("1.2.156.10197.1.301", "SM2"),
    named("1.2.156.10197.1.301.1", "SM2 signature"),
    named("1.2.156.10197.1.301.2", "SM2 key exchange"),
    named("1.2.156.10197.1.301.3", "SM2 encryption"),
    named("1.2.156.10197.1.401", "SM3"),
    named("1.2.156.10197.1.501", "SM2 with SM3"),
    named("1.2.840.10040.4.1", "DSA"),
    named("1.2.840.10040.4.3", "DSA with SHA-1"),
    named("1.2.840.10045.2.1", "elliptic curve without a named curve"),
    named("1.2.840.10045.3.1.7", "NIST P-256"),
    named("1.3.132.0.34", "NIST P-384"),
    named("1.3.132.0.35", "NIST P-521"),
    named("1.3.132.0.10", "secp256k1"),
    named("1.2.840.10045.4.1", "ECDSA with SHA-1"),
    named("1.2.840.10045.4.3.2", "ECDSA with SHA-256"),
    named("1.2.840.10045.4.3.3", "ECDSA with SHA-384"),
    named("1.2.840.10045.4.3.4", "ECDSA with SHA-512"),
    named("1.3.101.110", "X25519"),
    named("1.3.101.112", "Ed25519"),
    named("1.3.101.113", "Ed448"),
    named("1.2.840.113549.2.5", "MD5"),
    named("1.3.14.3.2.26", "SHA-1"),
    named("2.16.840.1.101.3.4.2.1", "SHA-256"),
    named("2.16.840.1.101.3.4.2.2", "SHA-384"),
    named("2.16.840.1.101.3.4.2.3", "SHA-512"),
    named("1.2.840.113549.3.7", "3DES-CBC"),
];
