//! Validation codes: what became of a transaction.

use std::fmt;

use thiserror::Error;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $value:literal, $name:literal;)*) => {
        /// What validation said of a transaction (Fabric's `TxValidationCode`); one byte per
        /// transaction in the block metadata and in the [`TransactionLeaf`](crate::TransactionLeaf).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum ValidationCode {
            $($(#[$doc])* $variant = $value,)*
        }

        impl ValidationCode {
            /// Every code, in ascending order of value.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Fabric's name of the code, such as `MVCC_READ_CONFLICT`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }

        impl TryFrom<u8> for ValidationCode {
            type Error = UnknownCode;

            fn try_from(value: u8) -> Result<Self, UnknownCode> {
                match value { $($value => Ok(Self::$variant),)* other => Err(UnknownCode(other)) }
            }
        }
    };
}

codes! {
    /// The transaction took effect.
    Valid = 0, "VALID";
    /// Not an envelope.
    NilEnvelope = 1, "NIL_ENVELOPE";
    /// The envelope's payload does not parse.
    BadPayload = 2, "BAD_PAYLOAD";
    /// The headers do not parse, or lack what they must have.
    BadCommonHeader = 3, "BAD_COMMON_HEADER";
    /// The creator is unknown, its certificate invalid, or its signature wrong.
    BadCreatorSignature = 4, "BAD_CREATOR_SIGNATURE";
    /// The endorsed action is malformed, or belongs to another proposal.
    InvalidEndorserTransaction = 5, "INVALID_ENDORSER_TRANSACTION";
    /// A configuration transaction is invalid.
    InvalidConfigTransaction = 6, "INVALID_CONFIG_TRANSACTION";
    /// The type is known but has no place here.
    UnsupportedTxPayload = 7, "UNSUPPORTED_TX_PAYLOAD";
    /// The transaction id is not the hash of nonce and creator.
    BadProposalTxid = 8, "BAD_PROPOSAL_TXID";
    /// The transaction id is in the ledger already.
    DuplicateTxid = 9, "DUPLICATE_TXID";
    /// Too few, or the wrong, organisations endorsed.
    EndorsementPolicyFailure = 10, "ENDORSEMENT_POLICY_FAILURE";
    /// Something read during simulation has changed since.
    MvccReadConflict = 11, "MVCC_READ_CONFLICT";
    /// A range read during simulation has changed since.
    PhantomReadConflict = 12, "PHANTOM_READ_CONFLICT";
    /// The type of the transaction is unknown.
    UnknownTxType = 13, "UNKNOWN_TX_TYPE";
    /// The transaction is for another channel.
    TargetChainNotFound = 14, "TARGET_CHAIN_NOT_FOUND";
    /// Internal encoding failure.
    MarshalTxError = 15, "MARSHAL_TX_ERROR";
    /// The transaction has no action.
    NilTxaction = 16, "NIL_TXACTION";
    /// Life cycle of Fabric 1.x; never emitted.
    ExpiredChaincode = 17, "EXPIRED_CHAINCODE";
    /// Life cycle of Fabric 1.x; never emitted.
    ChaincodeVersionConflict = 18, "CHAINCODE_VERSION_CONFLICT";
    /// The header's chaincode extension does not parse.
    BadHeaderExtension = 19, "BAD_HEADER_EXTENSION";
    /// The channel header's content is invalid.
    BadChannelHeader = 20, "BAD_CHANNEL_HEADER";
    /// The endorsed response does not parse.
    BadResponsePayload = 21, "BAD_RESPONSE_PAYLOAD";
    /// The read-write set does not parse.
    BadRwset = 22, "BAD_RWSET";
    /// The read-write set writes where it must not.
    IllegalWriteset = 23, "ILLEGAL_WRITESET";
    /// A key or value that the state store refuses.
    InvalidWriteset = 24, "INVALID_WRITESET";
    /// The chaincode's name or version is missing, inconsistent or not defined.
    InvalidChaincode = 25, "INVALID_CHAINCODE";
    /// Initial value; never committed.
    NotValidated = 254, "NOT_VALIDATED";
    /// Everything else.
    InvalidOtherReason = 255, "INVALID_OTHER_REASON";
}

impl ValidationCode {
    /// The byte that stands for the code in metadata and leaves.
    #[must_use]
    pub const fn value(self) -> u8 {
        self as u8
    }

    /// Whether the transaction took effect.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        matches!(self, Self::Valid)
    }
}

impl From<ValidationCode> for u8 {
    fn from(code: ValidationCode) -> Self {
        code.value()
    }
}

impl fmt::Display for ValidationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A byte that is no validation code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{0} is not a transaction validation code")]
pub struct UnknownCode(pub u8);
