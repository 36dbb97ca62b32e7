//! Object identifiers of the national suite, in dotted form.
//!
//! Sources: GB/T 33560-2017, GM/T 0006-2012, GM/T 0015-2023.

/// SM2 elliptic curve and public-key algorithm parameter.
pub const SM2_CURVE: &str = "1.2.156.10197.1.301";
/// SM2 signature algorithm as named in GB/T 35275 `SignerInfo`.
pub const SM2_SIGNATURE: &str = "1.2.156.10197.1.301.1";
/// SM2 public-key encryption.
pub const SM2_ENCRYPTION: &str = "1.2.156.10197.1.301.3";
/// SM3 digest.
pub const SM3: &str = "1.2.156.10197.1.401";
/// HMAC-SM3 (SM3 with key).
pub const HMAC_SM3: &str = "1.2.156.10197.1.401.2";
/// SM2 with SM3: the only signature algorithm accepted in certificates.
pub const SM2_WITH_SM3: &str = "1.2.156.10197.1.501";
/// SM4-GCM.
pub const SM4_GCM: &str = "1.2.156.10197.1.104.8";
/// `id-ecPublicKey`; its parameter must be [`SM2_CURVE`].
pub const EC_PUBLIC_KEY: &str = "1.2.840.10045.2.1";
/// Certificate extension: organisation code, in practice the unified social credit code (统一社会信用代码).
pub const ORGANISATION_CODE: &str = "1.2.156.10260.4.1.4";
