//! The table of failures that HTTP adds to the domain's own: code, status, two titles.

use axum::http::StatusCode;

/// A failure of the HTTP surface. Failures of the evidence domain (`EV-…`) keep the codes of
/// `changbai_core::codes` and are mapped beside this table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Code {
    /// No signature where one is needed.
    Unsigned,
    /// A signature header field is missing, doubled or malformed, or too little is covered.
    SignatureMalformed,
    /// The signature does not match the request.
    SignatureWrong,
    /// The nonce was used before.
    Replayed,
    /// Outside the time window.
    SignatureExpired,
    /// The certificate is not valid at this time.
    CertificateExpired,
    /// Not SM2 with SM3: RSA, P-256 and everything else.
    AlgorithmRefused,
    /// No chain to an organisation of this channel.
    UntrustedCertificate,
    /// The body is not the one that was signed.
    ContentDigestMismatch,
    /// `Client-Cert` from an address that is no gateway.
    GatewayRefused,
    /// The identity may not do this.
    RoleRefused,
    /// The authority does not certify whoever asks, or not as what they ask.
    EnrolmentRefused,
    /// The certificate is not a court's, or of no organisation that the node admits as one.
    CourtRefused,
    /// A body, query or header that cannot be read.
    Malformed,
    /// A body without `Content-Digest`.
    DigestMissing,
    /// No such path.
    NoSuchPath,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The body came too slowly.
    BodyTooSlow,
    /// The same `Idempotency-Key` is being answered right now.
    InFlight,
    /// The body is larger than allowed.
    TooLarge,
    /// The body's media type is not accepted here.
    MediaType,
    /// The `Idempotency-Key` was used with another body.
    IdempotencyMismatch,
    /// Not a case number.
    CaseNumber,
    /// Too many queries of one court in a minute.
    CourtRate,
    /// Too many uploads, downloads or verifications at once.
    Busy,
    /// Too many requests at once.
    Overloaded,
    /// No block or transaction of that number or id.
    LedgerNotFound,
    /// No such operation, or one of long ago.
    NoSuchOperation,
    /// No such channel, or one that the caller is no member of.
    NoSuchChannel,
    /// The node has a channel of that id already.
    ChannelKnown,
    /// The genesis block is of a channel that the node does not belong to.
    GenesisRefused,
    /// The change of the configuration does not follow, or too few agreed.
    UpdateRefused,
    /// A defect on our side.
    Internal,
    /// The ledger did not answer in time.
    LedgerTimeout,
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The failure.
    pub code: Code,
    /// Its stable text, for example `AU-4010`.
    pub text: &'static str,
    /// The HTTP status.
    pub status: StatusCode,
    /// The title in Chinese.
    pub zh: &'static str,
    /// The title in English.
    pub en: &'static str,
}

impl Code {
    /// The code's line in the table.
    #[must_use]
    pub fn row(self) -> Row {
        let (text, status, zh, en) = self.parts();
        Row { code: self, text, status, zh, en }
    }

    /// The stable text.
    #[must_use]
    pub fn text(self) -> &'static str {
        self.row().text
    }

    const fn parts(self) -> (&'static str, StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::Unsigned => {
                ("AU-4010", S::UNAUTHORIZED, "请求未签名", "The request is not signed")
            }
            Self::SignatureMalformed => (
                "AU-4011",
                S::UNAUTHORIZED,
                "签名头字段格式错误",
                "The signature header fields are malformed",
            ),
            Self::SignatureWrong => (
                "AU-4012",
                S::UNAUTHORIZED,
                "签名与请求不符",
                "The signature does not match the request",
            ),
            Self::Replayed => {
                ("AU-4013", S::UNAUTHORIZED, "请求重放", "The request was sent before")
            }
            Self::SignatureExpired => (
                "AU-4014",
                S::UNAUTHORIZED,
                "签名超出有效时间窗口",
                "The signature is outside its time window",
            ),
            Self::CertificateExpired => (
                "AU-4015",
                S::UNAUTHORIZED,
                "证书不在有效期内",
                "The certificate is not valid at this time",
            ),
            Self::AlgorithmRefused => (
                "AU-4016",
                S::UNAUTHORIZED,
                "仅接受 SM2/SM3 证书与签名",
                "Only SM2 with SM3 is accepted",
            ),
            Self::UntrustedCertificate => (
                "AU-4017",
                S::UNAUTHORIZED,
                "证书不属于本通道的机构",
                "The certificate belongs to no organisation of this channel",
            ),
            Self::ContentDigestMismatch => (
                "AU-4018",
                S::UNAUTHORIZED,
                "正文与已签名的摘要不符",
                "The body does not match its signed digest",
            ),
            Self::GatewayRefused => (
                "AU-4019",
                S::UNAUTHORIZED,
                "该地址不是已配置的网关，不得代传客户端证书",
                "This address is no gateway that may pass a client's certificate",
            ),
            Self::RoleRefused => {
                ("AU-4030", S::FORBIDDEN, "该身份无此权限", "This identity may not do this")
            }
            Self::EnrolmentRefused => (
                "AU-4031",
                S::FORBIDDEN,
                "证书机构拒绝续签",
                "The authority does not renew this certificate",
            ),
            Self::CourtRefused => (
                "AU-4032",
                S::FORBIDDEN,
                "需要本节点认可的法院机构所属、单位（OU）含 court 的证书",
                "A certificate with the unit court, of an organisation that this node admits as a court, is needed",
            ),
            Self::Malformed => {
                ("RQ-4000", S::BAD_REQUEST, "请求格式错误", "The request is malformed")
            }
            Self::DigestMissing => (
                "RQ-4001",
                S::BAD_REQUEST,
                "正文须附 Content-Digest（sm3）",
                "A body needs a Content-Digest (sm3)",
            ),
            Self::NoSuchPath => ("RQ-4040", S::NOT_FOUND, "路径不存在", "No such path"),
            Self::NoSuchOperation => (
                "RQ-4041",
                S::NOT_FOUND,
                "没有此异步操作，或早已清除",
                "No such operation, or one of long ago",
            ),
            Self::MethodNotAllowed => {
                ("RQ-4050", S::METHOD_NOT_ALLOWED, "不支持该方法", "The method is not allowed here")
            }
            Self::BodyTooSlow => {
                ("RQ-4080", S::REQUEST_TIMEOUT, "正文传输过慢", "The body came too slowly")
            }
            Self::InFlight => (
                "RQ-4090",
                S::CONFLICT,
                "相同幂等键的请求正在处理",
                "A request with this idempotency key is in progress",
            ),
            Self::TooLarge => {
                ("RQ-4130", S::PAYLOAD_TOO_LARGE, "正文过大", "The body is too large")
            }
            Self::MediaType => (
                "RQ-4150",
                S::UNSUPPORTED_MEDIA_TYPE,
                "不支持的媒体类型",
                "The media type is not accepted here",
            ),
            Self::IdempotencyMismatch => (
                "RQ-4220",
                S::UNPROCESSABLE_ENTITY,
                "幂等键已用于其他正文",
                "The idempotency key was used with another body",
            ),
            Self::CaseNumber => (
                "RQ-4221",
                S::UNPROCESSABLE_ENTITY,
                "案号格式不正确，应如（2026）吉0102民初1234号",
                "This is not a case number such as （2026）吉0102民初1234号",
            ),
            Self::CourtRate => (
                "RQ-4291",
                S::TOO_MANY_REQUESTS,
                "法院查询过于频繁，请稍后重试",
                "Too many queries of this court; try again later",
            ),
            Self::Busy => {
                ("RQ-4290", S::TOO_MANY_REQUESTS, "系统繁忙，请稍后重试", "Busy; try again later")
            }
            Self::Overloaded => (
                "RQ-5030",
                S::SERVICE_UNAVAILABLE,
                "并发请求过多，请稍后重试",
                "Too many requests at once; try again later",
            ),
            Self::LedgerNotFound => (
                "LG-4040",
                S::NOT_FOUND,
                "账本中无此区块或交易",
                "The ledger has no such block or transaction",
            ),
            Self::NoSuchChannel => {
                ("CH-4040", S::NOT_FOUND, "没有此通道", "There is no such channel")
            }
            Self::ChannelKnown => (
                "CH-4090",
                S::CONFLICT,
                "节点已有同名通道",
                "The node has a channel of that id already",
            ),
            Self::GenesisRefused => (
                "CH-4220",
                S::UNPROCESSABLE_ENTITY,
                "本节点不属于该创世区块的通道",
                "This node does not belong to the channel of that genesis block",
            ),
            Self::UpdateRefused => (
                "CH-4221",
                S::UNPROCESSABLE_ENTITY,
                "通道配置更新未被接受",
                "The change of the channel's configuration is refused",
            ),
            Self::Internal => ("SV-5000", S::INTERNAL_SERVER_ERROR, "内部错误", "Internal error"),
            Self::LedgerTimeout => (
                "SV-5040",
                S::GATEWAY_TIMEOUT,
                "账本未及时应答",
                "The ledger did not answer in time",
            ),
        }
    }

    /// Every code, in table order.
    pub const ALL: &'static [Self] = &[
        Self::Unsigned,
        Self::SignatureMalformed,
        Self::SignatureWrong,
        Self::Replayed,
        Self::SignatureExpired,
        Self::CertificateExpired,
        Self::AlgorithmRefused,
        Self::UntrustedCertificate,
        Self::ContentDigestMismatch,
        Self::GatewayRefused,
        Self::RoleRefused,
        Self::EnrolmentRefused,
        Self::CourtRefused,
        Self::Malformed,
        Self::DigestMissing,
        Self::NoSuchPath,
        Self::NoSuchOperation,
        Self::MethodNotAllowed,
        Self::BodyTooSlow,
        Self::InFlight,
        Self::TooLarge,
        Self::MediaType,
        Self::IdempotencyMismatch,
        Self::CaseNumber,
        Self::Busy,
        Self::CourtRate,
        Self::Overloaded,
        Self::LedgerNotFound,
        Self::NoSuchChannel,
        Self::ChannelKnown,
        Self::GenesisRefused,
        Self::UpdateRefused,
        Self::Internal,
        Self::LedgerTimeout,
    ];
}
