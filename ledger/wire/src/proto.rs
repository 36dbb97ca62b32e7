//! The protobuf messages, one module per package; generated from `proto/` by `cargo xtask gen`.
//!
//! Names, field numbers and types are Fabric's (see the comments in the `.proto` files). Maps are
//! `BTreeMap`, so one value has one encoding. A message is only a container: use the typed forms of
//! this crate wherever one exists, since they check what these do not.

macro_rules! package {
    ($doc:literal, $name:ident, $file:literal) => {
        #[doc = $doc]
        #[allow(
            missing_docs,
            unreachable_pub,
            clippy::all,
            clippy::use_self,
            clippy::doc_markdown,
            clippy::allow_attributes_without_reason,
            rustdoc::all,
            reason = "generated"
        )]
        pub mod $name {
            include!(concat!("generated/", $file));
        }
    };
}

package!("Envelopes, headers, blocks and the channel configuration.", common, "common.rs");
package!("Identities and the configuration of membership providers.", msp, "msp.rs");
package!("Values of the channel configuration's `Orderer` group.", orderer, "orderer.rs");
package!("Proposals, endorsements and transactions.", protos, "protos.rs");
package!("Read-write sets: the outer layer, one entry per namespace.", rwset, "rwset.rs");
package!("Read-write sets of the key-value model.", kvrwset, "kvrwset.rs");

/// Google's well-known types.
pub mod google {
    package!("`Timestamp`, as our own message.", protobuf, "google.protobuf.rs");
}
