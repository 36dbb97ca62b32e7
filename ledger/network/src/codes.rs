//! Why a link does not come up, or ends: stable codes with a sentence in Chinese and in English.
//!
//! `NW-10xx` form of the opening, `NW-11xx` channel, `NW-12xx` identity, `NW-13xx` certificates of the
//! connection, `NW-14xx` room, `NW-20xx` the end of a running link, `NW-30xx` calls. A code keeps its meaning for ever.

use std::fmt;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $zh:literal, $en:literal;)*) => {
        /// Why there is no link, or no longer, or no answer to a call.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $(#[doc = $en] $(#[$doc])* $name,)*
        }

        impl Reason {
            /// Every reason, in the order of the codes.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The number of the code, as it travels.
            #[must_use]
            pub const fn number(self) -> u16 {
                match self { $(Self::$name => $number,)* }
            }

            /// The stable code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => concat!("NW-", stringify!($number)),)* }
            }

            /// The sentence in Chinese.
            #[must_use]
            pub const fn zh(self) -> &'static str {
                match self { $(Self::$name => $zh,)* }
            }

            /// The sentence in English.
            #[must_use]
            pub const fn en(self) -> &'static str {
                match self { $(Self::$name => $en,)* }
            }
        }
    };
}

reasons! {
    Malformed = 1001, "不是本协议的报文", "not a message of this protocol";
    Version = 1002, "协议版本不同", "another version of the protocol";
    Deadline = 1003, "建立链路超时", "the opening of the link took too long";
    HelloTooLong = 1004, "建立链路的报文过长", "a message of the opening is too long";
    Closed = 1005, "对端在建立链路时断开", "the peer closed the connection during the opening";
    Unreachable = 1006, "无法连接对端地址", "the address cannot be reached";
    /// All that a stranger is told: whether the channel exists here stays unsaid.
    Elsewhere = 1101, "此处没有该通道或无权接入", "no such channel here, or not for this identity";
    ForeignGenesis = 1102, "创世区块不同", "the same channel id with another genesis block";
    Signature = 1201, "身份签名无效", "the signature of the opening does not hold";
    /// Told to strangers as [`Reason::Elsewhere`].
    NotMember = 1202, "不是该通道成员", "the identity is not a member of the channel";
    Role = 1203, "证书不具备节点角色", "the identity is neither a peer nor an orderer";
    IdentityExpired = 1204, "身份证书不在有效期内", "the certificate of the identity is not valid now";
    IdentityRevoked = 1205, "身份证书已吊销", "the certificate of the identity is revoked";
    Own = 1206, "地址指向本节点", "the peer has this node's own identity";
    Another = 1207, "该地址上是另一个节点", "another node than the configuration names is at this address";
    NoTls = 1301, "对端未出示连接证书", "the peer showed no certificate on the connection";
    TlsForeign = 1302, "连接证书不属于该身份所在组织", "the connection's certificate is not of the identity's organisation";
    TlsExpired = 1303, "连接证书不在有效期内", "the connection's certificate is not valid now";
    TlsRevoked = 1304, "连接证书已吊销", "the connection's certificate is revoked";
    TlsHandshake = 1305, "国密 TLS 握手失败", "the GM TLS handshake failed";
    Duplicate = 1401, "链路已存在", "there is such a link already";
    TooMany = 1402, "对端过多", "too many peers";
    Stopping = 1403, "节点正在停止", "the node is stopping, or leaves the channel";
    FrameTooLong = 2001, "报文超过该流的上限", "a frame is longer than its stream allows";
    FrameMalformed = 2002, "控制报文无法识别", "a control frame is malformed";
    Silence = 2003, "长时间未收到对端数据", "nothing was heard from the peer for too long";
    Stalled = 2004, "对端长时间不接收数据", "the peer does not take what is sent";
    Replaced = 2005, "已被新的链路取代", "a newer link took its place";
    Incomplete = 2006, "同一对端的其他流未建立", "the other streams of the peer did not come up";
    CallMalformed = 2007, "调用报文格式错误", "a message on the stream of calls is malformed";
    Lost = 2008, "连接中断", "the connection broke";
    Other = 2999, "对端给出了未知的原因码", "the peer gave a reason that this version does not know";
    Unserved = 3001, "本节点不受理此类调用", "calls of this kind are not answered here";
    AnswerTooLong = 3002, "应答超过上限", "the answer is longer than a message may be";
    AnswerLate = 3003, "未能在期限内应答", "no answer was ready in time";
}

impl Reason {
    /// The reason with that number; [`Reason::Other`] for a later version's.
    #[must_use]
    pub fn from_number(number: u16) -> Self {
        Self::ALL.iter().copied().find(|reason| reason.number() == number).unwrap_or(Self::Other)
    }

    /// Whether links end so every day: machines stop, connections break, both sides dial.
    #[must_use]
    pub const fn is_ordinary(self) -> bool {
        matches!(
            self,
            Self::Closed
                | Self::Duplicate
                | Self::Stopping
                | Self::Silence
                | Self::Replaced
                | Self::Incomplete
                | Self::Lost
        )
    }

    /// What the other side is told: nothing that a stranger could learn channels or members from.
    #[must_use]
    pub const fn told(self) -> Self {
        match self {
            Self::NotMember => Self::Elsewhere,
            other => other,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.en())
    }
}

/// Why there is no link: the reason, and what was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}{}{detail}", if .detail.is_empty() { "" } else { ": " })]
pub struct Refusal {
    /// The reason.
    pub reason: Reason,
    /// Facts for the log of this side; never sent.
    pub detail: String,
    /// Whether the other side said so.
    pub by_peer: bool,
}

impl Refusal {
    pub(crate) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), by_peer: false }
    }

    pub(crate) fn by_peer(number: u16) -> Self {
        let reason = Reason::from_number(number);
        let detail = if reason == Reason::Other { format!("NW-{number}") } else { String::new() };
        Self { reason, detail, by_peer: true }
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self::new(reason, "")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_unique_ascending_and_comes_back_from_its_number() {
        let numbers: Vec<u16> = Reason::ALL.iter().map(|reason| reason.number()).collect();
        assert!(numbers.is_sorted());
        assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len());
        for reason in Reason::ALL {
            assert_eq!(Reason::from_number(reason.number()), *reason);
            assert_eq!(reason.code(), format!("NW-{}", reason.number()));
            assert!(!reason.zh().is_empty() && !reason.en().is_empty());
        }
        assert_eq!(Reason::from_number(9), Reason::Other);
    }
}
