//! Every sentence about a document, with its stable code; codes are counted on from the receipt's
//! (`changbai_receipt::reasons`): `00` is success, `8x` absent, `9x` could not be checked, the rest a failure.

use changbai_receipt::{Reason, Status};

/// The whole table, in the order of the codes.
pub const fn document_reasons() -> &'static [Reason] {
    ALL
}

macro_rules! table {
    ($($element:literal: { $($name:ident $status:ident $code:literal $zh:literal $en:literal)* })*) => {
        $($(pub(crate) const $name: &Reason = &Reason {
            code: $code, element: $element, status: Status::$status, zh: $zh, en: $en,
        };)*)*
        const ALL: &[Reason] = &[$($(*$name,)*)*];
    };
}

table! {
    "document": {
        DOCUMENT_PROVEN Proven "VF-4000"
            "文件结构完整，所有内容均在签名保护之下，无多余内容。"
            "The file is complete, the signature covers everything in it, and nothing else is there."
        DOCUMENT_MALFORMED Failed "VF-4001"
            "文件不是规范的 OFD 或 PDF，或已被改动：{0}。"
            "The file is no proper OFD or PDF, or was altered: {0}."
        DOCUMENT_UNCOVERED Failed "VF-4002"
            "文件中有签名未覆盖的内容：{0}。"
            "The file holds something that the signature does not cover: {0}."
        DOCUMENT_DIGEST Failed "VF-4003"
            "文件内的 {0} 与签名中的摘要不符，已被改动。"
            "{0} in the file differs from its digest in the signature: it was altered."
        DOCUMENT_MISSING Failed "VF-4004"
            "文件缺少 {0}。"
            "The file lacks {0}."
        DOCUMENT_REWRITTEN Failed "VF-4005"
            "文件的内容虽与签名相符，但封装方式被改动过（与本格式的唯一写法不同）。"
            "The contents agree with the signature, but their packaging was altered: there is one way to write this format."
        DOCUMENT_UNSIGNED Absent "VF-4080"
            "文件未签名；其内容只由所附凭据证明。"
            "The file is not signed: the attached receipt alone vouches for what it says."
        DOCUMENT_UNCHECKED Unchecked "VF-4090"
            "文件未能读取。"
            "The file could not be read."
    }
    "signature": {
        SIGNATURE_PROVEN Proven "VF-4100"
            "文件由 {0} 以 SM2 签名，签名有效，签名时间 {1}。"
            "The file was signed by {0} with SM2; the signature is right and dated {1}."
        SIGNATURE_INVALID Failed "VF-4101"
            "文件的签名无效：{0}"
            "The file's signature is wrong: {0}"
        SIGNATURE_DATE Failed "VF-4102"
            "文件的签名时间不在证书或印章有效期内，或晚于当前时间：{0}"
            "The file is dated outside the validity of certificate or seal, or in the future: {0}"
        SIGNATURE_MANY Failed "VF-4103"
            "文件有多个签名，本格式只允许一个。"
            "The file has several signatures; this format has one."
        SIGNATURE_ABSENT Absent "VF-4180"
            "文件没有签名。"
            "The file is not signed."
        SIGNATURE_UNCHECKED Unchecked "VF-4190"
            "签名未能核验。"
            "The signature could not be examined."
    }
    "seal": {
        SEAL_PROVEN Proven "VF-4200"
            "电子印章「{0}」（编码 {1}）由 {2} 制作，制章签名有效，在有效期内，签章者在印章许可之列。"
            "The seal {0} (code {1}) was made by {2}; the maker's signature is right, the seal was valid, and its signer is one it names."
        SEAL_INVALID Failed "VF-4201"
            "电子印章无效：{0}"
            "The seal is wrong: {0}"
        SEAL_OTHER Failed "VF-4202"
            "文件中的 Seal.esl 与签名内的印章不一致。"
            "Seal.esl in the file differs from the seal inside the signature."
        SEAL_ABSENT Absent "VF-4280"
            "文件没有电子印章。"
            "The file bears no electronic seal."
        SEAL_UNCHECKED Unchecked "VF-4290"
            "电子印章未能核验。"
            "The seal could not be examined."
    }
    "chain": {
        CHAIN_PROVEN Proven "VF-4300"
            "签名证书可追溯至信任文件所载的根证书，签名时有效，用途相符。"
            "The certificates of signature and seal lead to roots of the trust file; they were valid then and meant for it."
        CHAIN_REFUSED Failed "VF-4301"
            "证书不被信任：{0}"
            "A certificate is not trusted: {0}"
        CHAIN_ABSENT Absent "VF-4380"
            "没有签名，因而没有证书。"
            "Without a signature there is no certificate."
        CHAIN_UNCHECKED Unchecked "VF-4390"
            "没有信任文件，证书未能核验。"
            "Without a trust file the certificates could not be examined."
        CHAIN_MOOT Unchecked "VF-4391"
            "签名或印章本身无效，证书未再核验。"
            "Signature or seal are wrong by themselves; the certificates were not examined further."
    }
    "revocation": {
        REVOCATION_PROVEN Proven "VF-4400"
            "吊销列表表明相关证书在签名时未被吊销。"
            "Revocation lists say that no certificate involved was revoked at the time."
        REVOCATION_REVOKED Failed "VF-4401"
            "证书已被吊销：{0}"
            "A certificate is revoked: {0}"
        REVOCATION_NO_LIST Absent "VF-4480"
            "没有提供吊销列表，未核查证书是否已被吊销。"
            "No revocation list is at hand: whether a certificate is revoked was not examined."
        REVOCATION_NO_CERTIFICATE Absent "VF-4481"
            "没有签名，因而没有可被吊销的证书。"
            "Without a signature there is no certificate to be revoked."
        REVOCATION_UNCHECKED Unchecked "VF-4490"
            "证书的吊销状态未能核验。"
            "Whether a certificate is revoked could not be examined."
    }
    "time_token": {
        TIME_TOKEN_PROVEN Proven "VF-4500"
            "签名附有 {0} 签发的时间戳，时间为 {1}，有效。"
            "A time stamp of {0} is over the signature; it is right and says {1}."
        TIME_TOKEN_INVALID Failed "VF-4501"
            "签名所附的时间戳无效：{0}"
            "The time stamp over the signature is wrong: {0}"
        TIME_TOKEN_ABSENT Absent "VF-4580"
            "签名没有附时间戳；签名时间由签章者自述。"
            "There is no time stamp over the signature: its time is the signer's own statement."
        TIME_TOKEN_UNCHECKED Unchecked "VF-4590"
            "时间戳未能核验。"
            "Whether there is a time stamp could not be examined."
    }
    "facts": {
        FACTS_PROVEN Proven "VF-4600"
            "页面与由所附记录和凭据重新生成的页面逐字节一致，页面所载即所证明。"
            "The pages are byte for byte those made anew from the attached record and receipt: what they say is what is proven."
        FACTS_DIFFER Failed "VF-4601"
            "页面内容与由所附记录和凭据生成的内容不一致（{0}）。"
            "The pages differ from those that the attached record and receipt make ({0})."
        FACTS_UNPROVEN Failed "VF-4602"
            "所附记录或凭据未通过核验，页面内容没有依据。"
            "The attached record or receipt is not verified: nothing supports what the pages say."
        FACTS_ATTACHMENT Failed "VF-4603"
            "文件没有附上可用的存证记录和凭据：{0}。"
            "The file has no usable record and receipt attached: {0}."
        FACTS_LAYOUT Unchecked "VF-4690"
            "页面由另一版本或另一字体生成（{0}），未能逐字节比对；请与所附记录对照。"
            "The pages were made by another version or with another font ({0}) and could not be compared byte for byte; compare them with the attached record."
        FACTS_UNCHECKED Unchecked "VF-4691"
            "页面内容未能与所附记录比对。"
            "The pages could not be compared with the attached record."
    }
}
