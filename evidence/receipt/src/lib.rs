//! Write receipts and bundles, and judge them offline: what a court runs.
//!
//! It does **not** open files, sockets or clocks, knows no ledger node, and trusts nothing that a bundle says about
//! itself: the roots to trust come from the caller. It keeps no originals and encrypts nothing; it does not judge
//! whether a certificate was revoked, nor whether the validators were honest — a quorum of them vouches.
//!
//! # Model
//!
//! A [`Receipt`] (凭据) joins one transaction, its path in the transaction log, a later block header, the validators'
//! signatures over that header and all certificates below the roots. A bundle (证据包) is one canonical ZIP with the
//! record, its receipt and, if wanted, openings of personal values, further proofs, the certificate as a document, a page
//! that checks the bundle in a browser, and the originals: [`write_bundle`] and [`read_bundle`] stream it in one pass.
//! [`verify`](verify()) (or [`verify_reader`]) answers with a [`Report`]: a [`Verdict`], and for each of the [elements](ELEMENTS) a [`Status`], a stable code and a sentence in Chinese and
//! English. `FORMAT.md` beside this crate describes bytes and steps so that others can write a verifier of their own.
//!
//! # Invariants
//!
//! - **Nothing altered is ever [`Verdict::Verified`]**: each byte of a bundle is either compared with its one
//!   canonical encoding or covered by a digest or signature that leads to a trusted root.
//! - Without a trusted root from outside, the verdict is never better than [`Verdict::Unchecked`].
//! - Every signature and every certificate in a receipt is right and needed; what is superfluous is refused.
//! - Memory is bounded by [`limits`], whatever the size of originals or the lies of headers; no input panics.
//! - The same input gives the same report, on any machine, at any time.
//!
//! # Standards
//!
//! GB/T 32918.2 (SM2), GB/T 32905 (SM3), RFC 5280 profile of `smkit-pki`, RFC 6962 §2.1 over SM3, RFC 8785 subset,
//! RFC 4648 §4, PKWARE APPNOTE 6.3.10 (stored entries, ZIP64); 人民法院在线诉讼规则 art. 16–19 on what a court asks.
//!
//! # Example
//!
//! ```
//! use changbai_receipt::{Verdict, hash_original, verify_reader};
//!
//! let original = hash_original("deed.pdf", &mut &b"the original"[..])?;
//! let report = verify_reader(&mut &b"PK, but no bundle"[..], &[original], None);
//! assert_eq!(report.verdict, Verdict::NotVerified);
//! let container = report.element("container").ok_or("always there")?;
//! assert_eq!(container.code, "VF-1002");
//! println!("{}: {}", container.code, container.reason_zh);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bundle;
mod checkpoint;
mod disclosures;
pub mod fuzz;
mod identity;
pub mod limits;
mod page;
mod reasons;
mod receipt;
mod report;
mod signed;
mod trust;
mod verify;
mod zip;

pub use bundle::{
    Bundle, BundleError, BundleParts, HashedOriginal, PackedOriginal, WriteError, bundle_len,
    extension, hash_original, read_bundle, write_bundle,
};
pub use checkpoint::{CheckpointFile, CheckpointFileError};
pub use disclosures::{DisclosuresError, disclosures_from_bytes, disclosures_to_bytes};
pub use page::{PAGE, page_reasons};
pub use reasons::{Reason, reasons};
pub use receipt::{CommitSignature, ConfigurationLink, Receipt, ReceiptError};
pub use report::{Assurance, Claims, ELEMENTS, Element, Report, Status, Verdict};
pub use signed::{
    Input, JudgedAt, SignedVerdict, SignedVerdictError, StatedElement, StatedFinding, Statement,
};
pub use trust::{ChannelAnchor, Further, Trust, TrustError};
pub use verify::{unreadable, verify, verify_reader};
