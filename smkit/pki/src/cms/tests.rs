#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use der::{
    Decode, Encode,
    asn1::{Any, ObjectIdentifier, OctetString, SetOfVec},
};
use proptest::prelude::*;
use smkit::sm2::{PrivateKey, SignerId, SigningKey};

use super::{
    asn1::{EnvelopedMessage, SignedMessage, SignerInfo},
    *,
};
use crate::{
    Authority, Certificate, Profile, Purpose, TrustAnchors, Validator,
    testing::{Counter, NOW, VALIDITY, root, subject},
    unsorted::Unsorted,
};

const CONTENT: &[u8] = "国密签名消息".as_bytes();

struct Identity {
    certificate: Certificate,
    private: PrivateKey,
    key: SigningKey,
}

fn identity(by: &Authority, seed: u64, profile: Profile) -> Identity {
    let random = &mut Counter((seed + 100) << 32);
    let private = PrivateKey::generate(random).unwrap();
    let name = subject(&format!("signer {seed}"));
    let certificate =
        by.issue(&name, private.public_key(), profile, VALIDITY, None, random).unwrap();
    let key = SigningKey::new(private.clone(), SignerId::DEFAULT).unwrap();
    Identity { certificate, private, key }
}

fn signer(of: &Identity, with_attributes: bool) -> CmsSigner<'_> {
    let signing_time = with_attributes.then_some(NOW);
    CmsSigner { certificate: &of.certificate, key: &of.key, with_attributes, signing_time }
}

fn validator(root: &Authority) -> Validator {
    Validator::admitting_all(TrustAnchors::from_certificates(vec![root.certificate().clone()]))
}

fn code<T>(result: Result<T, CmsError>) -> &'static str {
    result.map_or_else(|refusal| refusal.code(), |_| "")
}

#[test]
fn signed_with_and_without_attributes_attached_and_detached() {
    let root = root(1);
    let one = identity(&root, 1, Profile::Signing);
    for (attributes, attached) in [(false, true), (true, true), (false, false), (true, false)] {
        let signed = SignedData::sign(CONTENT, attached, &[signer(&one, attributes)], &[]).unwrap();
        let read = SignedData::from_der(signed.der()).unwrap();
        assert_eq!(read, signed);
        assert_eq!(read.content(), attached.then_some(CONTENT));
        let verify = |beside| {
            read.verify(beside, &validator(&root), Purpose::Signing, NOW).map(|found| {
                assert_eq!(found.len(), 1);
                assert_eq!(found[0].signing_time, attributes.then_some(NOW));
                assert_eq!(found[0].path.leaf(), Some(&one.certificate));
            })
        };
        assert_eq!(code(verify(Some(CONTENT))), "");
        assert_eq!(code(verify(None)), if attached { "" } else { "PK-2401" });
        let expected = match (attached, attributes) {
            (true, _) => "PK-2401",
            (false, true) => "PK-2403",
            (false, false) => "PK-2404",
        };
        assert_eq!(code(verify(Some(b"something else"))), expected);
    }
}

#[test]
fn several_signers_must_all_be_right() {
    let (root, stranger) = (root(1), root(2));
    let one = identity(&root, 1, Profile::Signing);
    let two = identity(&root, 2, Profile::Seal);
    let foreign = identity(&stranger, 3, Profile::Signing);
    let signed = |signers: &[CmsSigner<'_>]| {
        SignedData::sign(CONTENT, true, signers, &[root.certificate().clone()]).unwrap()
    };
    let both = signed(&[signer(&one, true), signer(&two, false)]);
    assert_eq!(both.signers().len(), 2);
    assert_eq!(both.certificates().len(), 3);
    let found = both.verify(None, &validator(&root), Purpose::Signing, NOW).unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(
        code(both.verify(None, &validator(&root), Purpose::TlsServer, NOW + 5_000)),
        "PK-1201"
    );
    let mixed = signed(&[signer(&one, true), signer(&foreign, true)]);
    assert_eq!(mixed.verify_signatures(None, &[]).unwrap().len(), 2);
    assert_eq!(code(mixed.verify(None, &validator(&root), Purpose::Signing, NOW)), "PK-1101");
}

#[test]
fn what_cannot_be_signed_is_not() {
    let root = root(1);
    let (one, two) = (identity(&root, 1, Profile::Signing), identity(&root, 2, Profile::Signing));
    let crossed = CmsSigner { key: &two.key, ..signer(&one, false) };
    assert_eq!(code(SignedData::sign(CONTENT, true, &[crossed], &[])), "PK-2404");
    assert_eq!(code(SignedData::sign(CONTENT, true, &[], &[])), "PK-2001");
    let many = vec![signer(&one, false); crate::CMS_SIGNERS_MAX + 1];
    assert_eq!(code(SignedData::sign(CONTENT, true, &many, &[])), "PK-2002");
    let never = CmsSigner { signing_time: Some(-1), ..signer(&one, true) };
    assert_eq!(code(SignedData::sign(CONTENT, true, &[never], &[])), "PK-2001");
}

fn forge(edit: impl FnOnce(&mut SignedMessage)) -> Result<SignedData, crate::FormError> {
    let root = root(1);
    let one = identity(&root, 1, Profile::Signing);
    let signed = SignedData::sign(CONTENT, true, &[signer(&one, true)], &[]).unwrap();
    let mut parts = SignedMessage::from_der(signed.der()).unwrap();
    edit(&mut parts);
    SignedData::from_der(&parts.to_der().unwrap())
}

#[test]
fn fields_outside_their_rules_are_refused() {
    let oid = |dotted: &str| dotted.parse::<ObjectIdentifier>().unwrap();
    let form = |edit: &dyn Fn(&mut SignedMessage)| forge(edit).map_or_else(|e| e.code(), |_| "");
    assert_eq!(form(&|_| {}), "");
    // The identifiers of PKCS#7: another dialect.
    assert_eq!(form(&|parts| parts.kind = oid("1.2.840.113549.1.7.2")), "PK-2001");
    assert_eq!(form(&|parts| parts.content.content.kind = oid("1.2.840.113549.1.7.1")), "PK-2001");
    assert_eq!(form(&|parts| parts.content.version = 3), "PK-2001");
    assert_eq!(form(&|parts| parts.content.signers.0.clear()), "PK-2001");
    assert_eq!(form(&|parts| parts.content.digests.0.clear()), "PK-2001");
    assert_eq!(
        form(&|parts| parts.content.digests.0[0].oid = oid("2.16.840.1.101.3.4.2.1")),
        "PK-2003"
    );
    let signer =
        |edit: &dyn Fn(&mut SignerInfo)| form(&|parts| edit(&mut parts.content.signers.0[0]));
    assert_eq!(signer(&|info| info.version = 3), "PK-2001");
    assert_eq!(signer(&|info| info.digest.oid = oid("1.3.14.3.2.26")), "PK-2003");
    assert_eq!(signer(&|info| info.algorithm.oid = oid("1.2.156.10197.1.504")), "PK-2003");
    assert_eq!(signer(&|info| info.algorithm.oid = oid("1.2.156.10197.1.501")), "PK-2003");
    assert_eq!(signer(&|info| info.algorithm.parameters = Some(Any::null())), "");
    assert_eq!(signer(&|info| info.attributes = Some(SetOfVec::new())), "PK-2001");
    assert_eq!(
        signer(&|info| info.signature = OctetString::new(b"nonsense".as_slice()).unwrap()),
        "PK-2001"
    );
}

#[test]
fn attributes_cannot_be_taken_off() {
    // The attributes' DER presented as content, without attributes: the signature is over the same bytes.
    let altered = forge(|parts| {
        let info = &mut parts.content.signers.0[0];
        let attributes = info.attributes.take().unwrap().to_der().unwrap();
        parts.content.content.content = Some(OctetString::new(attributes).unwrap());
    })
    .unwrap();
    assert_eq!(code(altered.verify_signatures(None, &[])), "PK-2407");

    // Nor does anybody sign bytes that could be put back as attributes.
    let attributes = altered.content().unwrap();
    let root = root(1);
    let one = identity(&root, 1, Profile::Signing);
    assert_eq!(code(SignedData::sign(attributes, true, &[signer(&one, false)], &[])), "PK-2407");
    assert_eq!(code(SignedData::sign(attributes, true, &[signer(&one, true)], &[])), "");
}

#[test]
fn sets_may_come_in_any_order() {
    let root = root(1);
    let one = identity(&root, 1, Profile::Signing);
    let authorities = [root.certificate().clone()];
    let signed = SignedData::sign(CONTENT, true, &[signer(&one, true)], &authorities).unwrap();
    let mut parts = SignedMessage::from_der(signed.der()).unwrap();
    parts.content.certificates.as_mut().unwrap().0.reverse();
    let reversed = SignedData::from_der(&parts.to_der().unwrap()).unwrap();
    assert_ne!(reversed.der(), signed.der());
    assert_eq!(code(reversed.verify(None, &validator(&root), Purpose::Signing, NOW)), "");
    // No certificate at all: it must be known.
    parts.content.certificates = None;
    let bare = SignedData::from_der(&parts.to_der().unwrap()).unwrap();
    assert_eq!(code(bare.verify_signatures(None, &[])), "PK-2402");
    assert_eq!(code(bare.verify_signatures(None, std::slice::from_ref(&one.certificate))), "");
    parts.content.certificates = Some(Unsorted(vec![Any::null()]));
    assert!(SignedData::from_der(&parts.to_der().unwrap()).is_err());
}

#[test]
fn envelopes_open_for_their_recipients_only() {
    let root = root(1);
    let one = identity(&root, 1, Profile::Encryption);
    let two = identity(&root, 2, Profile::Encryption);
    let other = identity(&root, 3, Profile::Encryption);
    let to = [one.certificate.clone(), two.certificate.clone()];
    for content in [b"".as_slice(), CONTENT, &[7; 4096]] {
        let sealed = EnvelopedData::seal(content, &to, &mut Counter(9)).unwrap();
        let read = EnvelopedData::from_der(sealed.der()).unwrap();
        assert_eq!(read, sealed);
        for holder in [&one, &two] {
            assert!(read.is_for(&holder.certificate));
            let opened = read.open(&holder.certificate, &holder.private).unwrap();
            assert_eq!(opened.as_slice(), content);
        }
        assert!(!read.is_for(&other.certificate));
        for (certificate, key) in [
            (&other.certificate, &other.private),
            (&one.certificate, &two.private),
            (&other.certificate, &one.private),
        ] {
            assert_eq!(code(read.open(certificate, key)), "PK-2405");
        }
    }
    assert_eq!(code(EnvelopedData::seal(CONTENT, &[], &mut Counter(9))), "PK-2001");
    let many = vec![one.certificate; crate::CMS_RECIPIENTS_MAX + 1];
    assert_eq!(code(EnvelopedData::seal(CONTENT, &many, &mut Counter(9))), "PK-2002");
}

#[test]
fn envelopes_outside_their_rules_are_refused() {
    let root = root(1);
    let one = identity(&root, 1, Profile::Encryption);
    let sealed =
        EnvelopedData::seal(CONTENT, std::slice::from_ref(&one.certificate), &mut Counter(9))
            .unwrap();
    let form = |edit: &dyn Fn(&mut EnvelopedMessage)| {
        let mut parts = EnvelopedMessage::from_der(sealed.der()).unwrap();
        edit(&mut parts);
        EnvelopedData::from_der(&parts.to_der().unwrap()).map_or_else(|e| e.code(), |_| "")
    };
    let oid = |dotted: &str| dotted.parse::<ObjectIdentifier>().unwrap();
    assert_eq!(form(&|_| {}), "");
    assert_eq!(form(&|parts| parts.content.version = 2), "PK-2001");
    assert_eq!(form(&|parts| parts.content.recipients.0.clear()), "PK-2001");
    // SM4-ECB; then SM4-CBC without an IV.
    assert_eq!(
        form(&|parts| parts.content.content.algorithm.oid = oid("1.2.156.10197.1.104.1")),
        "PK-2003"
    );
    assert_eq!(form(&|parts| parts.content.content.algorithm.parameters = None), "PK-2001");
    assert_eq!(
        form(&|parts| parts.content.recipients.0[0].algorithm.oid = oid("1.2.840.113549.1.1.1")),
        "PK-2003"
    );
    let short = one.certificate.public_key().encrypt(b"short", &mut Counter(1)).unwrap().to_der();
    assert_eq!(
        form(&|parts| parts.content.recipients.0[0].key = OctetString::new(short.clone()).unwrap()),
        "PK-2001"
    );
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = SignedData::from_der(&bytes);
        let _ = EnvelopedData::from_der(&bytes);
    }

    #[test]
    fn any_flipped_bit_is_rejected(position in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let root = root(1);
        let one = identity(&root, 1, Profile::Signing);
        let signed = SignedData::sign(CONTENT, true, &[signer(&one, true)], &[]).unwrap();
        let mut der = signed.der().to_vec();
        let index = position.index(der.len());
        der[index] ^= 1 << bit;
        let accepted = SignedData::from_der(&der).is_ok_and(|altered| {
            altered.verify(Some(CONTENT), &validator(&root), Purpose::Signing, NOW).is_ok()
        });
        prop_assert!(!accepted, "byte {index}");
    }
}
