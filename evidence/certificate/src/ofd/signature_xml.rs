//! `Signatures.xml` and `Signature.xml`: written in the order of the schema, read in any.

use std::io;

use base64::{Engine, engine::general_purpose::STANDARD};
use smkit::{Sm3Digest, sm3};

use super::{
    package::Member,
    page::boundary,
    parts::{Xml, part, text, within},
    xml::Node,
};
use crate::{ChinaTime, error::CertificateError};

/// `Signatures.xml` with the one signature.
pub(super) fn list() -> io::Result<Vec<u8>> {
    part("ofd:Signatures", &[], |xml| {
        text(xml, "ofd:MaxSignId", STAMP_ID)?;
        xml.create_element("ofd:Signature")
            .with_attribute(("ID", SIGNATURE_ID))
            .with_attribute(("Type", "Seal"))
            .with_attribute(("BaseLoc", SIGNATURE))
            .write_empty()?;
        Ok(())
    })
}

/// `Signature.xml` with a digest of each member; the seal is stamped on the page with this id, at this area.
pub(super) fn write(
    members: &[Member],
    at_unix_seconds: i64,
    page_id: usize,
    area_um: [i32; 4],
) -> Result<Vec<u8>, CertificateError> {
    let at_ms = u64::try_from(at_unix_seconds).unwrap_or(u64::MAX).saturating_mul(1_000);
    let time = ChinaTime::new(at_ms)?;
    let day = time.day().replace('-', "");
    let date = format!("{day}{:02}{:02}{:02}", time.hour, time.minute, time.second);
    let written = part("ofd:Signature", &[], |xml| {
        within(xml, "ofd:SignedInfo", |xml| {
            xml.create_element("ofd:Provider")
                .with_attribute(("ProviderName", "changbai-certificate"))
                .with_attribute(("Version", "1.0"))
                .with_attribute(("Company", "Changbai"))
                .write_empty()?;
            text(xml, "ofd:SignatureMethod", smkit::oid::SM2_WITH_SM3)?;
            text(xml, "ofd:SignatureDateTime", &date)?;
            xml.create_element("ofd:References")
                .with_attribute(("CheckMethod", smkit::oid::SM3))
                .write_inner_content(|xml| {
                members.iter().try_for_each(|member| reference(xml, member))
            })?;
            xml.create_element("ofd:StampAnnot")
                .with_attribute(("ID", STAMP_ID))
                .with_attribute(("PageRef", page_id.to_string().as_str()))
                .with_attribute(("Boundary", boundary(area_um).as_str()))
                .write_empty()?;
            within(xml, "ofd:Seal", |xml| text(xml, "ofd:BaseLoc", SEAL))
        })?;
        text(xml, "ofd:SignedValue", SIGNED_VALUE)
    });
    written.map_err(|error| CertificateError::write(super::FORMAT, error))
}

fn reference(xml: &mut Xml, (name, bytes): &Member) -> io::Result<()> {
    let digest = STANDARD.encode(sm3(bytes).as_bytes());
    xml.create_element("ofd:Reference")
        .with_attribute(("FileRef", format!("/{name}").as_str()))
        .write_inner_content(|xml| text(xml, "ofd:CheckValue", &digest))?;
    Ok(())
}

/// What `Signatures.xml` says of a signature.
pub(super) struct Listed {
    /// Whether it has a seal, or else is a bare signature.
    pub(super) sealed: bool,
    /// Path of its `Signature.xml`.
    pub(super) path: String,
}

/// The signatures of a `Signatures.xml`.
pub(super) fn read_list(root: &Node) -> Result<Vec<Listed>, &'static str> {
    let signatures = root.children("Signature").map(|signature| {
        let sealed = match signature.attribute("Type") {
            // The schema's default.
            Some("Seal") | None => true,
            Some("Sign") => false,
            Some(_) => return Err("a signature of an unknown type"),
        };
        let path = signature.attribute("BaseLoc").ok_or("a signature without a place")?;
        Ok(Listed { sealed, path: path.to_owned() })
    });
    signatures.collect()
}

/// What a `Signature.xml` says.
pub(super) struct Read {
    /// Path and digest of each file covered.
    pub(super) references: Vec<(String, Sm3Digest)>,
    /// Path of `SignedValue.dat`.
    pub(super) signed_value: String,
    /// Path of `Seal.esl`.
    pub(super) seal: Option<String>,
}

/// Reads a `Signature.xml`; elements in any order, algorithms of the national suite only.
pub(super) fn read(root: &Node) -> Result<Read, &'static str> {
    let info = root.child("SignedInfo").ok_or("no SignedInfo")?;
    let method = info.child("SignatureMethod").map(|node| node.text.trim());
    if method.is_some_and(|method| method != smkit::oid::SM2_WITH_SM3) {
        return Err("a signature method other than SM2 with SM3");
    }
    let references = info.child("References").ok_or("no References")?;
    let check = references.attribute("CheckMethod").unwrap_or_default();
    if check != smkit::oid::SM3 && !check.eq_ignore_ascii_case("SM3") {
        return Err("digests of another algorithm than SM3");
    }
    let references = references.children("Reference").map(|reference| {
        let file = reference.attribute("FileRef").ok_or("a reference without a file")?;
        let value = reference.child("CheckValue").ok_or("a reference without a digest")?;
        let digest = STANDARD.decode(value.text.trim()).ok();
        let digest = digest.and_then(|digest| Sm3Digest::from_slice(&digest).ok());
        Ok((file.to_owned(), digest.ok_or("a digest that is none of SM3")?))
    });
    let references = references.collect::<Result<_, &'static str>>()?;
    let value = root.child("SignedValue").ok_or("no SignedValue")?;
    let seal = info.child("Seal").and_then(|seal| seal.child("BaseLoc"));
    Ok(Read {
        references,
        signed_value: value.text.trim().to_owned(),
        seal: seal.map(|path| path.text.trim().to_owned()),
    })
}

/// `Signature.xml` of the one signature.
pub(super) const SIGNATURE: &str = "/Doc_0/Signs/Sign_0/Signature.xml";
/// Its value.
pub(super) const SIGNED_VALUE: &str = "/Doc_0/Signs/Sign_0/SignedValue.dat";
/// Its seal.
pub(super) const SEAL: &str = "/Doc_0/Signs/Sign_0/Seal.esl";
const SIGNATURE_ID: &str = "s001";
const STAMP_ID: &str = "s002";
