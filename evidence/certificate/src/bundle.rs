//! A bundle with its certificate documents: the receipt's own verification, and the element `seal` from the documents.

use changbai_receipt::{
    Bundle, Element, Reason, Report, Status, Verdict, read_bundle, unreadable, verify,
};

use crate::{DocumentReport, Format, Grounds, judge_ofd, judge_pdf};

/// Judges a bundle as [`changbai_receipt::verify`] does, and the certificate documents in it: each must be what its
/// signature says, and about the same evidence. The worst of them is the element `seal`.
pub fn verify_bundle(bundle: &Bundle, grounds: &Grounds<'_>) -> Report {
    let mut report = verify(bundle, grounds.originals, grounds.trust);
    let documents =
        [(Format::Pdf, &bundle.certificate_pdf), (Format::Ofd, &bundle.certificate_ofd)];
    let answers: Vec<_> = documents
        .into_iter()
        .filter_map(|(format, bytes)| Some((format, bytes.as_deref()?)))
        .map(|(format, bytes)| seal(format, judge_document(format, bytes, grounds), &report))
        .collect();
    let joined =
        |text: fn(&Element) -> &str| answers.iter().map(text).collect::<Vec<_>>().join(" ");
    if let Some(worst) = answers.iter().min_by_key(|answer| rank(answer.status)) {
        let (reason_zh, reason_en) = (joined(|a| &a.reason_zh), joined(|a| &a.reason_en));
        report.settle(Element { reason_zh, reason_en, ..worst.clone() });
    }
    report
}

/// Reads a bundle and judges it, every reading error turned into the report that says it.
pub fn verify_bundle_reader(input: &mut dyn std::io::Read, grounds: &Grounds<'_>) -> Report {
    match read_bundle(input) {
        Ok(bundle) => verify_bundle(&bundle, grounds),
        Err(error) => unreadable(&error),
    }
}

/// Judges one document; an SVG is for looking at and is none.
pub fn judge_document(
    format: Format,
    bytes: &[u8],
    grounds: &Grounds<'_>,
) -> Option<DocumentReport> {
    match format {
        Format::Pdf => Some(judge_pdf(bytes, grounds)),
        Format::Ofd => Some(judge_ofd(bytes, grounds)),
        Format::Svg => None,
    }
}

/// Which format a file has by its first bytes: `%PDF-`, or a ZIP whose first entry is `OFD.xml`; any other ZIP is a bundle
/// or none.
pub fn sniff(head: &[u8]) -> Option<Format> {
    if head.starts_with(b"%PDF-") {
        return Some(Format::Pdf);
    }
    let named = head.starts_with(b"PK\x03\x04")
        && head.get(30..).is_some_and(|name| name.starts_with(b"OFD.xml"));
    named.then_some(Format::Ofd)
}

/// Bytes of a file that [`sniff`] needs.
pub const SNIFF_BYTES: usize = 64;

/// What a document adds to a bundle, as one element.
fn seal(format: Format, judged: Option<DocumentReport>, bundle: &Report) -> Element {
    let name = format!("certificate.{}", format.extension());
    let Some(judged) = judged else { return SEAL_UNCHECKED.said_of(&[name]) };
    let same = judged.evidence.as_ref().is_some_and(|evidence| {
        let (a, b) = (&evidence.claims, &bundle.claims);
        a.evidence_id.is_some() && a.evidence_id == b.evidence_id && a.tx_id == b.tx_id
    });
    // What is wrong with the document comes first: one that was altered may speak of anything.
    let worst = judged.elements.iter().min_by_key(|element| rank(element.status));
    let Some(worst) = worst else { return SEAL_UNCHECKED.said_of(&[name]) };
    let evidence_failed =
        judged.evidence.as_ref().is_some_and(|report| report.verdict == Verdict::NotVerified);
    match worst.status {
        Status::Failed | Status::Unchecked => Element {
            name: "seal",
            reason_zh: format!("{name}：{}", worst.reason_zh),
            reason_en: format!("{name}: {}", worst.reason_en),
            ..worst.clone()
        },
        _ if !same || evidence_failed => SEAL_OTHER.said_of(&[name]),
        _ => {
            let proven = |element: &str| {
                judged.element(element).filter(|element| element.status == Status::Proven)
            };
            match proven("signature") {
                Some(signature) => Element {
                    reason_zh: format!("{name}：{}", signature.reason_zh),
                    reason_en: format!("{name}: {}", signature.reason_en),
                    ..SEAL_PROVEN.said_of(&[])
                },
                None => SEAL_UNSIGNED.said_of(&[name]),
            }
        }
    }
}

/// The worst first. A document without a signature weighs more than one with a right one.
const fn rank(status: Status) -> u8 {
    match status {
        Status::Failed => 0,
        Status::Unchecked => 1,
        Status::Absent => 2,
        Status::Proven => 3,
    }
}

const SEAL_PROVEN: Reason = Reason {
    code: "VF-2600",
    element: "seal",
    status: Status::Proven,
    zh: "证书文件的签名有效。",
    en: "The certificate document is properly signed.",
};
const SEAL_OTHER: Reason = Reason {
    code: "VF-2601",
    element: "seal",
    status: Status::Failed,
    zh: "{0} 证明的不是本证据包中的证据。",
    en: "{0} is about other evidence than this bundle.",
};
const SEAL_UNSIGNED: Reason = Reason {
    code: "VF-2681",
    element: "seal",
    status: Status::Absent,
    zh: "{0} 的内容与凭据一致，但没有签名或印章。",
    en: "{0} says what the receipt proves, but bears no signature and no seal.",
};
const SEAL_UNCHECKED: Reason = Reason {
    code: "VF-2690",
    element: "seal",
    status: Status::Unchecked,
    zh: "{0} 的签名和印章未经核验。",
    en: "Signature and seal of {0} were not examined.",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_their_first_bytes() {
        let entry = |name: &str| {
            let mut head = vec![0; 30];
            head[..4].copy_from_slice(b"PK\x03\x04");
            head.extend_from_slice(name.as_bytes());
            head
        };
        assert_eq!(sniff(b"%PDF-1.7"), Some(Format::Pdf));
        assert_eq!(sniff(&entry("OFD.xml")), Some(Format::Ofd));
        assert_eq!(sniff(&entry("record.json")), None);
        assert_eq!(sniff(b"PK"), None);
        assert_eq!(sniff(b""), None);
    }
}
