//! Every sentence a refusal can say, with its stable code, in Chinese and English.
//!
//! Codes are `PK-` and four digits: the first two name the step of path validation (10 form, 11 signatures, 12 validity,
//! 13 constraints, 14 key usage, 15 extended key usage, 16 revocation, 17 names, 18 admission) or, from 20 on, another
//! structure. A code keeps its meaning for ever; texts may be improved. `{0}`, `{1}` … stand for facts.

/// One reason to refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Stable code, `PK-nnnn`.
    pub code: &'static str,
    /// What kind of refusal it is, for those who map it to an alert or a status.
    pub kind: RefusalKind,
    /// The sentence in Chinese, with `{0}` … for facts.
    pub zh: &'static str,
    /// The sentence in English, with the same facts.
    pub en: &'static str,
}

/// Kinds of refusal, as coarse as the alerts of TLS (RFC 8446 §6.2, GB/T 38636-2020 §6.4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalKind {
    /// The bytes are not what they should be: `bad_certificate`.
    Malformed,
    /// RSA, P-256, SHA-1 …: `unsupported_certificate`.
    Algorithm,
    /// A signature does not verify: `bad_certificate`.
    Signature,
    /// No path to a trusted authority: `unknown_ca`.
    UnknownAuthority,
    /// Expired or not yet valid: `certificate_expired`.
    Validity,
    /// A certificate is used for what it is not for: `unsupported_certificate`.
    Purpose,
    /// Revoked: `certificate_revoked`.
    Revoked,
    /// Whether it is revoked could not be established: `certificate_unknown`.
    RevocationUnknown,
    /// A service gave no answer.
    Unanswered,
    /// Another host's certificate: `certificate_unknown`.
    Name,
    /// A valid certificate whose holder is not admitted: `access_denied`.
    NotAdmitted,
    /// A bound of the verifier was met: `bad_certificate`.
    Limit,
}

/// The whole table, in the order of the codes.
#[must_use]
pub const fn reasons() -> &'static [Reason] {
    ALL
}

/// Puts facts into a sentence.
pub(crate) fn fill(sentence: &str, facts: &[String]) -> String {
    let mut out = String::with_capacity(sentence.len());
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((index, after)) = after.split_once('}') else { break };
        let fact = index.parse().ok().and_then(|index: usize| facts.get(index));
        out.push_str(fact.map_or("", String::as_str));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Gives a refusal its code, kind and sentences; it must have `reason` and `facts`.
macro_rules! speak {
    ($refusal:ty) => {
        impl $refusal {
            /// Stable code, `PK-nnnn`.
            #[must_use]
            pub const fn code(&self) -> &'static str {
                self.reason().code
            }

            /// What kind of refusal it is.
            #[must_use]
            pub const fn kind(&self) -> $crate::RefusalKind {
                self.reason().kind
            }

            /// The reason in Chinese; [`std::fmt::Display`] gives it in English.
            #[must_use]
            pub fn text_zh(&self) -> String {
                $crate::reasons::fill(self.reason().zh, &self.facts())
            }
        }

        impl std::fmt::Display for $refusal {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str(&$crate::reasons::fill(self.reason().en, &self.facts()))
            }
        }

        impl std::error::Error for $refusal {}
    };
}

pub(crate) use speak;

macro_rules! table {
    ($($name:ident $code:literal $kind:ident $zh:literal $en:literal)*) => {
        $(pub(crate) const $name: &Reason =
            &Reason { code: $code, kind: RefusalKind::$kind, zh: $zh, en: $en };)*
        const ALL: &[Reason] = &[$(*$name,)*];
    };
}

table! {
    MALFORMED "PK-1001" Malformed
        "证书格式错误：{0}"
        "malformed certificate: {0}"
    TOO_LARGE "PK-1002" Limit
        "证书过大（{0} 字节）"
        "certificate of {0} bytes is too large"
    KEY_ALGORITHM "PK-1003" Algorithm
        "证书公钥算法为 {1}（{0}），不是 SM2"
        "key algorithm {1} ({0}) is not SM2"
    SIGNATURE_ALGORITHM "PK-1004" Algorithm
        "证书签名算法为 {1}（{0}），不是 SM2 与 SM3"
        "signature algorithm {1} ({0}) is not SM2 with SM3"
    KEY "PK-1005" Malformed
        "证书公钥无效：{0}"
        "public key of the certificate: {0}"
    SIGNATURE_FORM "PK-1006" Malformed
        "证书签名值格式错误：{0}"
        "signature of the certificate: {0}"
    PEM "PK-1007" Malformed
        "PEM 文本有误：{0}"
        "PEM: {0}"
    UNKNOWN_ISSUER "PK-1101" UnknownAuthority
        "没有颁发者 {0} 的证书"
        "no certificate known for issuer {0}"
    BAD_SIGNATURE "PK-1102" Signature
        "{0} 的证书签名无效"
        "signature on the certificate of {0} is invalid"
    TOO_DEEP "PK-1103" Limit
        "证书链过长（最多 {0} 张）"
        "the chain is longer than {0} certificates"
    TOO_MANY_INTERMEDIATES "PK-1104" Limit
        "提供的中间证书过多（{0} 张）"
        "{0} intermediate certificates are too many"
    TOO_MANY_PATHS "PK-1105" Limit
        "证书链搜索超出上限"
        "the search for a chain was given up"
    NO_CERTIFICATE "PK-1106" Malformed
        "没有提供证书"
        "no certificate was presented"
    EXPIRED "PK-1201" Validity
        "{0} 的证书已于 {1}（Unix 秒）过期"
        "certificate of {0} expired at {1}"
    NOT_YET_VALID "PK-1202" Validity
        "{0} 的证书在 {1}（Unix 秒）之前尚未生效"
        "certificate of {0} is not valid before {1}"
    NOT_A_CA "PK-1301" Purpose
        "{0} 不是证书认证机构"
        "{0} is not a certificate authority"
    PATH_LENGTH "PK-1302" Purpose
        "{0} 之下最多允许 {1} 级中间证书"
        "{0} allows {1} intermediates below itself"
    UNKNOWN_CRITICAL "PK-1303" Purpose
        "{0} 的证书含有无法识别的关键扩展 {1}"
        "certificate of {0} has the unknown critical extension {1}"
    KEY_USAGE "PK-1401" Purpose
        "{0} 的密钥用途不含 {1}"
        "key usage of {0} does not include {1}"
    EXTENDED_KEY_USAGE "PK-1501" Purpose
        "{0} 的扩展密钥用途不允许 {1}"
        "extended key usage of {0} does not allow {1}"
    EXTENDED_KEY_USAGE_FORM "PK-1502" Purpose
        "{0} 的扩展密钥用途必须为关键扩展且仅含 {1}"
        "extended key usage of {0} must be critical and {1} alone"
    REVOKED "PK-1601" Revoked
        "{0} 的证书已于 {1}（Unix 秒）吊销，原因：{2}"
        "certificate of {0} was revoked at {1}: {2}"
    NO_REVOCATION_INFORMATION "PK-1602" RevocationUnknown
        "没有 {0} 的证书的吊销信息"
        "nothing says whether the certificate of {0} is revoked"
    STALE_REVOCATION_INFORMATION "PK-1603" RevocationUnknown
        "{0} 的证书的吊销信息已过时（应于 {1}（Unix 秒）前更新）"
        "what says whether the certificate of {0} is revoked was due for renewal at {1}"
    BAD_REVOCATION_INFORMATION "PK-1604" RevocationUnknown
        "{0} 的证书的吊销信息未经有权机构签名"
        "what says whether the certificate of {0} is revoked is not signed by who may say so"
    NAME_MISMATCH "PK-1701" Name
        "证书不属于 {0}"
        "the certificate is not for {0}"
    NO_NAMES "PK-1702" Name
        "证书没有主体备用名称，不能用于 {0}"
        "the certificate has no subject alternative name, so it is not for {0}"
    NAME_FORM "PK-1703" Name
        "{0} 不是有效的域名或 IP 地址"
        "{0} is neither a DNS name nor an IP address"
    ISSUER_NOT_ADMITTED "PK-1801" NotAdmitted
        "{0} 的证书不是由指定的机构颁发"
        "certificate of {0} is not issued under an admitted authority"
    SUBJECT_NOT_ADMITTED "PK-1802" NotAdmitted
        "{0} 不符合主体规则 {1}"
        "{0} does not match the rule {1}"
    SUBJECT_AMBIGUOUS "PK-1803" NotAdmitted
        "{0} 的主体名称含有多值 {1}，无法判定"
        "{0} has {1} in a multi-valued name component, which no rule matches"
    PAIR_SUBJECTS "PK-1804" NotAdmitted
        "签名证书与加密证书的主体或颁发者不一致（{0} 与 {1}）"
        "signing and encryption certificate differ in subject or issuer ({0}, {1})"
    FORM_MALFORMED "PK-2001" Malformed
        "{0} 格式错误：{1}"
        "malformed {0}: {1}"
    FORM_TOO_LARGE "PK-2002" Limit
        "{0} 过大（{1}）"
        "{0} is too large ({1})"
    FORM_ALGORITHM "PK-2003" Algorithm
        "{0} 使用了不接受的算法 {2}（{1}）"
        "{0} uses algorithm {2} ({1}), which is not accepted there"
    REQUEST_SIGNATURE "PK-2101" Signature
        "证书请求的签名无效，未证明持有私钥"
        "the signature on the certification request is invalid: possession of the key is not proven"
    RESPONSE_KEY "PK-2102" Malformed
        "证书应答中没有与密钥对应的证书"
        "the certification response has no certificate for the key"
    RESPONSE_ENVELOPE "PK-2103" Malformed
        "加密私钥的数字信封无法打开"
        "the envelope of the encryption key cannot be opened"
    CRL_ISSUER "PK-2201" UnknownAuthority
        "证书吊销列表不是 {0} 签发的"
        "the revocation list is not {0}'s"
    CRL_KEY_USAGE "PK-2202" Purpose
        "{0} 无权签发证书吊销列表"
        "{0} may not sign revocation lists"
    CRL_SIGNATURE "PK-2203" Signature
        "证书吊销列表的签名无效"
        "the signature on the revocation list is invalid"
    OCSP_FAILURE "PK-2301" Unanswered
        "OCSP 服务未予答复：{0}"
        "the OCSP responder gave no answer: {0}"
    OCSP_RESPONDER "PK-2302" UnknownAuthority
        "OCSP 响应者既不是颁发者，也未获其授权"
        "the OCSP responder is neither the issuer nor certified by it"
    OCSP_RESPONDER_CERTIFICATE "PK-2303" Purpose
        "OCSP 响应者的证书无效：{0}"
        "the OCSP responder's certificate is refused: {0}"
    OCSP_SIGNATURE "PK-2304" Signature
        "OCSP 响应的签名无效"
        "the signature on the OCSP response is invalid"
    OCSP_NONCE "PK-2305" RevocationUnknown
        "OCSP 响应不是对本次请求的答复（随机数不符）"
        "the OCSP response has another nonce than the request"
    OCSP_UNANSWERED "PK-2306" RevocationUnknown
        "OCSP 响应没有回答所询问的证书"
        "the OCSP response does not answer what was asked"
    CMS_CONTENT "PK-2401" Malformed
        "签名消息缺少原文，或原文与所给内容不一致"
        "the content of the signed message is missing, or differs from the one given beside it"
    CMS_NO_CERTIFICATE "PK-2402" UnknownAuthority
        "签名消息中没有签名者的证书（序列号 {0}）"
        "no certificate of the signer (serial number {0}) is known"
    CMS_DIGEST "PK-2403" Signature
        "原文与签名属性中的摘要不一致"
        "the digest among the signed attributes is not that of the content"
    CMS_SIGNATURE "PK-2404" Signature
        "签名消息的签名无效"
        "the signature of the message is invalid"
    CMS_ENVELOPE "PK-2405" Malformed
        "数字信封无法用该证书与私钥打开"
        "the envelope does not open with this certificate and key"
    CMS_ENCRYPT "PK-2406" Limit
        "数字信封加密失败"
        "the envelope could not be encrypted"
    CMS_DISGUISED "PK-2407" Signature
        "被签内容具有签名属性的形式，可能由其他签名改头换面而来"
        "what is signed has the form of signed attributes, as if taken from another signature"
    TIME_STAMP_REFUSED "PK-2501" Unanswered
        "时间戳服务机构未签发时间戳：{0}"
        "the time-stamp authority granted no time stamp: {0}"
    TIME_STAMP_IMPRINT "PK-2502" Signature
        "时间戳不是针对所给摘要签发的"
        "the time stamp is over another digest"
    TIME_STAMP_NONCE "PK-2503" Signature
        "时间戳不是对本次请求的答复（随机数不符）"
        "the time stamp has another nonce than the request"
    TIME_STAMP_POLICY "PK-2504" Purpose
        "时间戳策略与所请求的不符"
        "the time stamp is under another policy than requested"
    TIME_STAMP_SIGNING_CERTIFICATE "PK-2505" Signature
        "时间戳未以 SM3 指明其签名证书，或指明了另一张证书"
        "the time stamp does not name, by SM3, the certificate that signed it"
    TIME_STAMP_AUTHORITY "PK-2506" Signature
        "时间戳所称的签发机构与签名证书不符"
        "the time stamp says to be of another authority than the one that signed it"
    TIME_STAMP_TIME "PK-2507" Limit
        "时间超出可表示的范围"
        "the time cannot be written"
    SEAL_MAKER_SIGNATURE "PK-2601" Signature
        "电子印章的制章签名无效"
        "the maker's signature on the electronic seal is invalid"
    SEAL_CREATED "PK-2602" Validity
        "电子印章的制作时间 {0}（Unix 秒）不合理"
        "the electronic seal cannot have been made at {0}"
    SEAL_MAKER "PK-2603" UnknownAuthority
        "制章者证书未通过验证（{0}）"
        "the certificate of the seal's maker is refused ({0})"
    SEAL_VALIDITY "PK-2604" Validity
        "电子印章在 {0}（Unix 秒）不在有效期内"
        "the electronic seal is not valid at {0}"
    SEAL_TIME_STAMP "PK-2605" Signature
        "电子印章的时间戳无效（{0}）"
        "the time stamp of the electronic seal is refused ({0})"
    SEALED_SIGNATURE "PK-2611" Signature
        "电子签章的签名无效"
        "the signature made with the electronic seal is invalid"
    SEALED_NOT_LISTED "PK-2612" NotAdmitted
        "签章者证书不在电子印章许可的证书之列"
        "the electronic seal is not for the signer's certificate"
    SEALED_SIGNER "PK-2613" UnknownAuthority
        "签章者证书未通过验证（{0}）"
        "the certificate of the seal's signer is refused ({0})"
    SEALED_FUTURE "PK-2614" Validity
        "签章时间 {0}（Unix 秒）晚于当前时间"
        "the signature is dated {0}, in the future"
    SEALED_TIME_STAMP "PK-2615" Signature
        "电子签章的时间戳无效（{0}）"
        "the time stamp over the signature is refused ({0})"
    SEALED_DATA "PK-2616" Signature
        "被签章的内容与签章中的摘要不一致"
        "what was signed differs from the digest in the signature"
    SEALED_KEY "PK-2617" Purpose
        "密钥与证书不符，或证书不能用于电子印章"
        "the key is not the certificate's, or the certificate is not for seals"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_rise_and_both_languages_state_the_same_facts() {
        assert!(ALL.is_sorted_by(|a, b| a.code < b.code));
        for reason in ALL {
            assert_eq!(reason.code.len(), 7, "{}", reason.code);
            for index in 0..4 {
                let place = format!("{{{index}}}");
                assert_eq!(reason.zh.contains(&place), reason.en.contains(&place), "{reason:?}");
            }
        }
    }

    #[test]
    fn facts_stand_where_they_belong() {
        let facts = ["a{1}".to_owned(), "b".to_owned()];
        assert_eq!(fill("x {1} y {0} {7}z", &facts), "x b y a{1} z");
        assert_eq!(fill("none", &facts), "none");
    }
}
