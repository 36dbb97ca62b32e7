//! Making a `SignedData` of either dialect.

use der::{
    Decode, Encode,
    asn1::{Any, OctetString},
};
use smkit::sm2::SigningKey;
use spki::AlgorithmIdentifierOwned;

use super::{
    Attributes, CmsError, Dialect, Message,
    asn1::{IssuerAndSerial, Signed, SignedContent, SignedMessage, SignerInfo},
    attributes::is_attributes,
    message::SIGNER_VERSION,
};
use crate::{Certificate, asn1, unsorted::Unsorted};

/// One signature to be made.
pub(crate) struct Draft<'a> {
    pub(crate) certificate: &'a Certificate,
    pub(crate) key: &'a SigningKey,
    pub(crate) attributes: Option<Attributes>,
}

/// Signs `content`; with `attached` it is put into the message.
pub(crate) fn sign(
    dialect: &Dialect,
    content: &[u8],
    attached: bool,
    drafts: Vec<Draft<'_>>,
    certificates: &[Certificate],
) -> Result<Message, CmsError> {
    // A message that says nothing of whose key it was would only fail at its reader.
    if drafts.iter().any(|draft| draft.key.verifying_key() != draft.certificate.verifying_key()) {
        return Err(CmsError::Signature);
    }
    if drafts.iter().any(|draft| draft.attributes.is_none()) && is_attributes(content) {
        return Err(CmsError::Disguised);
    }
    let encoded = || -> der::Result<Vec<u8>> {
        let signers = drafts
            .into_iter()
            .map(|draft| signer(dialect, content, draft))
            .collect::<der::Result<Vec<_>>>()?;
        let certificates = certificates
            .iter()
            .map(|certificate| Any::from_der(certificate.der()))
            .collect::<der::Result<Vec<_>>>()?;
        let content = attached.then(|| OctetString::new(content)).transpose()?;
        let signed = Signed {
            version: dialect.version,
            digests: Unsorted(vec![sm3()]),
            content: SignedContent { kind: dialect.content, content },
            certificates: (!certificates.is_empty())
                .then(|| Unsorted::sorted(certificates))
                .transpose()?,
            lists: None,
            signers: Unsorted::sorted(signers)?,
        };
        SignedMessage { kind: dialect.kind, content: signed }.to_der()
    };
    let der = encoded().map_err(|error| dialect.form.der(&error))?;
    // The strict parser has the last word.
    Ok(Message::from_der(dialect, &der)?)
}

fn signer(dialect: &Dialect, content: &[u8], draft: Draft<'_>) -> der::Result<SignerInfo> {
    let signature = match &draft.attributes {
        Some(attributes) => draft.key.sign(&attributes.signed_bytes()?),
        None => draft.key.sign(content),
    };
    Ok(SignerInfo {
        version: SIGNER_VERSION,
        signer: IssuerAndSerial::of(draft.certificate)?,
        digest: sm3(),
        attributes: draft.attributes.map(Attributes::into_set),
        algorithm: AlgorithmIdentifierOwned { oid: dialect.signature, parameters: None },
        signature: OctetString::new(signature.to_der())?,
        unsigned: None,
    })
}

const fn sm3() -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned { oid: asn1::SM3, parameters: None }
}
