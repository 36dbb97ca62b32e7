//! How many cases of each kind a peer gets, and what it cannot do.

use smkit::sm2::SignerId;

/// A kind of cases.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Digests,
    Codes,
    /// The KDF of GB/T 32918.
    Derivations,
    /// PBKDF2.
    Passwords,
    /// HKDF.
    Expansions,
    Verifications,
    Signatures,
    /// The peer encrypts, we decrypt.
    Encryptions {
        der: bool,
    },
    /// We encrypt, and alter half of it; the peer decrypts or refuses as we do.
    Decryptions {
        der: bool,
    },
    Exchanges,
    Gcm,
    Ccm,
    Cbc,
    Ctr,
    XtsGb,
    XtsIeee,
}

/// Chosen so that each peer takes about half a minute.
pub(crate) struct Plan {
    pub(crate) counts: &'static [(Kind, usize)],
    /// Whether it encrypts nothing.
    pub(crate) empty_plaintext: bool,
    /// Whether it takes a key of no bytes for HMAC.
    pub(crate) empty_key: bool,
    /// Whether an identity may be empty.
    pub(crate) empty_id: bool,
    /// The longest identity it takes.
    pub(crate) id_bytes_max: usize,
    /// Whether it checks every byte of the padding of CBC.
    pub(crate) strict_padding: bool,
    /// The longest message SM2 may encrypt.
    pub(crate) message_bytes_max: usize,
}

impl Plan {
    pub(crate) const BOUNCYCASTLE: Self = Self {
        counts: &[
            (Kind::Digests, 6_000),
            (Kind::Codes, 3_000),
            (Kind::Derivations, 1_500),
            (Kind::Passwords, 300),
            (Kind::Expansions, 600),
            (Kind::Verifications, 5_000),
            (Kind::Signatures, 2_500),
            (Kind::Encryptions { der: false }, 500),
            (Kind::Encryptions { der: true }, 500),
            (Kind::Decryptions { der: false }, 1_000),
            (Kind::Decryptions { der: true }, 1_000),
            (Kind::Exchanges, 800),
            (Kind::Gcm, 6_000),
            (Kind::Ccm, 3_000),
            (Kind::Cbc, 3_000),
            (Kind::Ctr, 3_000),
            (Kind::XtsGb, 1_500),
            (Kind::XtsIeee, 500),
        ],
        ..Self::WITHOUT_QUIRKS
    };
    /// It is not asked to encrypt by SM2: version 1.10 drops the leading zeros of x2 and y2, so that one ciphertext in 128
    /// is wrong.
    pub(crate) const LIBGCRYPT: Self = Self {
        counts: &[
            (Kind::Digests, 10_000),
            (Kind::Codes, 4_000),
            (Kind::Passwords, 300),
            (Kind::Verifications, 1_200),
            (Kind::Signatures, 400),
            (Kind::Gcm, 10_000),
            (Kind::Ccm, 5_000),
            (Kind::Cbc, 5_000),
            (Kind::Ctr, 5_000),
            (Kind::XtsIeee, 5_000),
        ],
        empty_key: false,
        ..Self::WITHOUT_QUIRKS
    };
    pub(crate) const GMSSL: Self = Self {
        counts: &[
            (Kind::Digests, 10_000),
            (Kind::Codes, 4_000),
            (Kind::Derivations, 2_000),
            (Kind::Verifications, 6_000),
            (Kind::Signatures, 3_000),
            (Kind::Encryptions { der: false }, 1_000),
            (Kind::Encryptions { der: true }, 1_000),
            (Kind::Decryptions { der: false }, 1_500),
            (Kind::Decryptions { der: true }, 1_500),
            (Kind::Gcm, 12_000),
            (Kind::Cbc, 6_000),
            (Kind::Ctr, 6_000),
        ],
        empty_plaintext: false,
        empty_key: false,
        empty_id: false,
        strict_padding: false,
        message_bytes_max: 255,
        ..Self::WITHOUT_QUIRKS
    };
    pub(crate) const OPENSSL: Self = Self {
        counts: &[
            (Kind::Digests, 4_000),
            (Kind::Codes, 3_000),
            (Kind::Passwords, 500),
            (Kind::Expansions, 1_000),
            (Kind::Verifications, 2_000),
            (Kind::Signatures, 1_000),
            (Kind::Encryptions { der: true }, 500),
            (Kind::Decryptions { der: true }, 1_000),
            (Kind::Cbc, 4_000),
            (Kind::Ctr, 4_000),
        ],
        id_bytes_max: SignerId::BYTES_MAX - 1,
        ..Self::WITHOUT_QUIRKS
    };

    const WITHOUT_QUIRKS: Self = Self {
        counts: &[],
        empty_plaintext: true,
        empty_key: true,
        empty_id: true,
        id_bytes_max: SignerId::BYTES_MAX,
        strict_padding: true,
        message_bytes_max: usize::MAX,
    };

    pub(crate) const fn total(&self) -> usize {
        let (mut sum, mut rest) = (0, self.counts);
        while let [(_, count), tail @ ..] = rest {
            (sum, rest) = (sum + *count, tail);
        }
        sum
    }
}

const _: () = assert!(
    Plan::BOUNCYCASTLE.total()
        + Plan::LIBGCRYPT.total()
        + Plan::GMSSL.total()
        + Plan::OPENSSL.total()
        >= 100_000,
    "a run has at least 100,000 cases",
);
